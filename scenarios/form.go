package scenarios

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// spelled are texts of a pattern.
func spelled(pattern, what, instead, example string) form[string] {
	legal := regexp.MustCompile(pattern)
	return form[string]{
		Read: func(_ *reader, v strict.Value) (string, bool) {
			text, ok := v.Text()
			if ok && !legal.MatchString(text) {
				v.Fault(strict.Quote(text)+" is not "+what, "write "+instead)
				return "", false
			}
			return text, ok
		},
		Example: example,
		Schema:  schema{"type": "string", "pattern": pattern},
	}
}

// names are what shows up in tables, file names and histogram tags.
func names() form[string] {
	return spelled(`^[A-Za-z0-9_-]{1,64}$`, "a name", "1 to 64 letters, digits, - and _", "hello")
}

// references are names of things that are checked elsewhere.
func references() form[string] {
	return form[string]{
		Read:   func(_ *reader, v strict.Value) (string, bool) { return v.Text() },
		Schema: schema{"type": "string"},
	}
}

// textMaps are texts by name, without certain characters in them.
func textMaps(what, example, illegal string) form[map[string]string] {
	return byName(what, example, textsWithout(illegal, what, example))
}

// textsWithout are texts without certain characters in them.
func textsWithout(illegal, what, example string) form[string] {
	return form[string]{
		Read: func(_ *reader, v strict.Value) (string, bool) {
			text, ok := v.Text()
			if ok && strings.ContainsAny(text, illegal) {
				v.Fault("an illegal character in "+what, "write for example "+example)
				return "", false
			}
			return text, ok
		},
		Schema: schema{"type": "string"},
	}
}

// byName are texts of a form by name.
func byName(what, example string, one form[string]) form[map[string]string] {
	return form[map[string]string]{
		Read: func(r *reader, v strict.Value) (map[string]string, bool) {
			m, ok := v.Map(what)
			if !ok {
				return nil, false
			}
			texts := make(map[string]string)
			for key, value := range m.All() {
				if key.Name() == "" || strings.ContainsAny(key.Name(), "=\x00\r\n") {
					key.Fault("an illegal name in "+what, "write for example "+example)
					continue
				}
				if text, ok := one.Read(r, value); ok {
					texts[key.Name()] = text
				}
			}
			return texts, true
		},
		Schema: schema{"type": "object", "additionalProperties": one.Schema},
	}
}

// texts are anything but nothing.
func texts() form[string] { return strict.Texts[*reader]() }

// words are one of a few.
func words(what string, allowed []string) form[string] {
	return strict.Words[*reader](what, allowed)
}

// flags are true or false.
func flags() form[bool] { return strict.Flags[*reader]() }

func durations(example string, least, most time.Duration) form[time.Duration] {
	return strict.Durations[*reader](example, least, most)
}

func rates(example string, least units.Rate) form[units.Rate] {
	return strict.Quantities[*reader]("rate", example, strict.RatePattern, least, math.MaxFloat64, units.ParseRate, units.FormatRate)
}

// shares are of a whole: 5% or 0.05.
func shares(example string) form[float64] {
	return strict.Quantities[*reader]("share", example, strict.SharePattern, 0, 1, units.ParseShare, units.FormatShare)
}

func sizes(example string, least, most units.Bytes) form[units.Bytes] {
	return strict.Sizes[*reader](example, least, most)
}

func counts(least, most int) form[int] { return strict.Counts[*reader](least, most) }

// seeds are any whole number of 64 bits.
func seeds() form[uint64] {
	return form[uint64]{
		Read: func(_ *reader, v strict.Value) (uint64, bool) {
			text, ok := v.Quantity("a whole number", "7")
			if !ok {
				return 0, false
			}
			seed, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				v.Fault("seed "+strict.Quote(text), "write a whole number from 0 to 18446744073709551615")
				return 0, false
			}
			return seed, true
		},
		Schema: schema{"type": "integer", "minimum": 0, "maximum": uint64(math.MaxUint64)},
	}
}

// factors are plain numbers in (above, most].
func factors(above, most float64, example string) form[float64] {
	return form[float64]{
		Read: func(_ *reader, v strict.Value) (float64, bool) {
			text, ok := v.Quantity("a number", example)
			if !ok {
				return 0, false
			}
			x, err := strconv.ParseFloat(text, 64)
			instead := fmt.Sprintf("write a number greater than %g and at most %.7g, for example %s", above, most, example)
			switch {
			case err != nil:
				v.Fault(strict.Quote(text)+" is not a number", instead)
			case !(x > above && x <= most):
				v.Fault(text+" is out of range", instead)
			default:
				return x, true
			}
			return 0, false
		},
		Example: example,
		Schema:  schema{"type": "number", "exclusiveMinimum": above, "maximum": most},
	}
}
