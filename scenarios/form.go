package scenarios

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/internal/strict"
)

// form is one way to write a value: how it is read, what it may look like, and
// how the JSON schema describes it. Reading reports what is wrong and says no.
type form[V any] struct {
	read    func(*reader, strict.Value) (V, bool)
	example string // in YAML, on one line
	schema  schema
}

// names are what shows up in tables, file names and histogram tags.
func names() form[string] {
	const pattern = `^[A-Za-z0-9_-]{1,64}$`
	legal := regexp.MustCompile(pattern)
	return form[string]{
		read: func(_ *reader, v strict.Value) (string, bool) {
			name, ok := v.Text()
			if ok && !legal.MatchString(name) {
				v.Fault(strict.Quote(name)+" is not a name", "write 1 to 64 letters, digits, - and _")
				return "", false
			}
			return name, ok
		},
		example: "hello",
		schema:  schema{"type": "string", "pattern": pattern},
	}
}

// references are names of things that are checked elsewhere.
func references() form[string] {
	return form[string]{
		read:   func(_ *reader, v strict.Value) (string, bool) { return v.Text() },
		schema: schema{"type": "string"},
	}
}

// texts are anything but nothing.
func texts() form[string] {
	return form[string]{
		read: func(_ *reader, v strict.Value) (string, bool) {
			text, ok := v.Text()
			if ok && strings.TrimSpace(text) == "" {
				v.Fault("an empty text", "write something, or leave the key out")
				return "", false
			}
			return text, ok
		},
		schema: schema{"type": "string", "pattern": `\S`},
	}
}

// words are one of a few.
func words(what string, allowed []string) form[string] {
	return form[string]{
		read: func(_ *reader, v strict.Value) (string, bool) {
			word, ok := v.Text()
			if ok && !slices.Contains(allowed, word) {
				v.Fault(fmt.Sprintf("unknown %s %s", what, strict.Quote(word)), strict.Instead(word, allowed))
				return "", false
			}
			return word, ok
		},
		example: allowed[0],
		schema:  schema{"enum": allowed},
	}
}

// flags are true or false.
func flags() form[bool] {
	return form[bool]{
		read:   func(_ *reader, v strict.Value) (bool, bool) { return v.Bool() },
		schema: schema{"type": "boolean"},
	}
}

// textMaps are texts by name, without certain characters in them.
func textMaps(what, example, illegal string) form[map[string]string] {
	return form[map[string]string]{
		read: func(_ *reader, v strict.Value) (map[string]string, bool) {
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
				switch text, ok := value.Text(); {
				case ok && strings.ContainsAny(text, illegal):
					value.Fault("an illegal character in "+what, "write for example "+example)
				case ok:
					texts[key.Name()] = text
				}
			}
			return texts, true
		},
		schema: schema{"type": "object", "additionalProperties": schema{"type": "string"}},
	}
}

// The patterns of quantities are for editors; units decides.
const (
	number          = `([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?`
	durationPattern = `^(0|(` + number + ` ?(ns|us|µs|μs|ms|s|m|h|d))+)$`
	ratePattern     = `^(0|` + number + ` ?/ ?(s|sec|m|min|h|d).*)$`
	sharePattern    = `^` + number + ` ?%?$`
	sizePattern     = `^(0|` + number + ` ?([kKMGT]i?)?B)$`
)

// quantities are numbers with their unit, in [least, most].
func quantities[V ~int64 | ~float64](what, example, pattern string, least, most V, parse func(string) (V, error), format func(V) string) form[V] {
	return form[V]{
		read: func(_ *reader, v strict.Value) (V, bool) {
			text, ok := v.Quantity("a "+what, example)
			if !ok {
				return 0, false
			}
			value, err := parse(text)
			if text == "0" {
				value, err = 0, nil // whether its unit is missing is not the point
			}
			if err != nil {
				faultOf(v, err, example)
				return 0, false
			}
			switch {
			case value == 0 && least > 0:
				v.Fault(fmt.Sprintf("a %s of 0", what), "write for example "+example)
			case value < least:
				v.Fault(fmt.Sprintf("%s %s is too small", what, strict.Quote(text)), "write at least "+format(least))
			case value > most:
				v.Fault(fmt.Sprintf("%s %s is too large", what, strict.Quote(text)), "write at most "+format(most))
			default:
				return value, true
			}
			return 0, false
		},
		example: example,
		schema:  quantitySchema(pattern, example, least == 0),
	}
}

// faultOf reports what a parser of quantities says.
func faultOf(v strict.Value, err error, example string) {
	problem, instead := err.Error(), ""
	if e, ok := errors.AsType[*units.Error](err); ok {
		problem, instead = fmt.Sprintf("%s %s: %s", e.Quantity, strict.Quote(e.Text), e.Problem), e.Instead
	}
	if instead == "" && example != "" {
		instead = "write for example " + example
	}
	v.Fault(problem, instead)
}

func durations(example string, least, most time.Duration) form[time.Duration] {
	return quantities("duration", example, durationPattern, least, most, units.ParseDuration, units.FormatDuration)
}

func rates(example string, least units.Rate) form[units.Rate] {
	return quantities("rate", example, ratePattern, least, math.MaxFloat64, units.ParseRate, units.FormatRate)
}

// shares are of a whole: 5% or 0.05.
func shares(example string) form[float64] {
	return quantities("share", example, sharePattern, 0, 1, units.ParseShare, units.FormatShare)
}

func sizes(example string, least, most units.Bytes) form[units.Bytes] {
	return quantities("size", example, sizePattern, least, most, units.ParseBytes, units.FormatBytes)
}

// counts are whole numbers in [least, most].
func counts(least, most int) form[int] {
	return form[int]{
		read: func(_ *reader, v strict.Value) (int, bool) {
			instead := fmt.Sprintf("write a whole number from %d to %d", least, most)
			text, ok := v.Quantity("a whole number", strconv.Itoa(max(least, 1)))
			if !ok {
				return 0, false
			}
			n, err := units.ParseCount(text)
			switch {
			case err != nil:
				v.Fault(strict.Quote(text)+" is not a whole number from 0", instead)
			case n < int64(least) || n > int64(most):
				v.Fault(text+" is out of range", instead)
			default:
				return int(n), true
			}
			return 0, false
		},
		example: strconv.Itoa(max(least, 1)),
		schema: schema{"anyOf": []schema{
			{"type": "integer", "minimum": least, "maximum": most},
			{"type": "string", "pattern": `^[0-9][0-9,_.eE+]*$`},
		}},
	}
}

// seeds are any whole number of 64 bits.
func seeds() form[uint64] {
	return form[uint64]{
		read: func(_ *reader, v strict.Value) (uint64, bool) {
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
		schema: schema{"type": "integer", "minimum": 0, "maximum": uint64(math.MaxUint64)},
	}
}

// factors are plain numbers in (above, most].
func factors(above, most float64, example string) form[float64] {
	return form[float64]{
		read: func(_ *reader, v strict.Value) (float64, bool) {
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
		example: example,
		schema:  schema{"type": "number", "exclusiveMinimum": above, "maximum": most},
	}
}
