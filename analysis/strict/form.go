package strict

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Form is one way to write a value: how it is read, what it may look like, and
// how the JSON schema describes it. Reading reports what is wrong and says no.
type Form[C, V any] struct {
	Read    func(C, Value) (V, bool)
	Example string // in YAML, on one line
	Schema  Schema
}

// Texts are anything but nothing.
func Texts[C any]() Form[C, string] {
	return Form[C, string]{
		Read: func(_ C, v Value) (string, bool) {
			text, ok := v.Text()
			if ok && strings.TrimSpace(text) == "" {
				v.Fault("an empty text", "write something, or leave the key out")
				return "", false
			}
			return text, ok
		},
		Schema: Schema{"type": "string", "pattern": `\S`},
	}
}

// Words are one of a few.
func Words[C any](what string, allowed []string) Form[C, string] {
	return Form[C, string]{
		Read: func(_ C, v Value) (string, bool) {
			word, ok := v.Text()
			if ok && !slices.Contains(allowed, word) {
				v.Fault(fmt.Sprintf("unknown %s %s", what, Quote(word)), Instead(word, allowed))
				return "", false
			}
			return word, ok
		},
		Example: allowed[0],
		Schema:  Schema{"enum": allowed},
	}
}

// Flags are true or false.
func Flags[C any]() Form[C, bool] {
	return Form[C, bool]{
		Read:   func(_ C, v Value) (bool, bool) { return v.Bool() },
		Schema: Schema{"type": "boolean"},
	}
}

// The patterns of quantities are for editors; units decides.
const (
	number          = `([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?`
	DurationPattern = `^(0|(` + number + ` ?(ns|us|µs|μs|ms|s|m|h|d))+)$`
	RatePattern     = `^(0|` + number + ` ?/ ?(s|sec|m|min|h|d).*)$`
	SharePattern    = `^` + number + ` ?%?$`
	SizePattern     = `^(0|` + number + ` ?([kKMGT]i?)?B)$`
)

// Quantities are numbers with their unit, in [least, most].
func Quantities[C any, V ~int64 | ~float64](what, example, pattern string, least, most V, parse func(string) (V, error), format func(V) string) Form[C, V] {
	return Form[C, V]{
		Read: func(_ C, v Value) (V, bool) {
			text, ok := v.Quantity("a "+what, example)
			if !ok {
				return 0, false
			}
			value, err := parse(text)
			if text == "0" {
				value, err = 0, nil // whether its unit is missing is not the point
			}
			if err != nil {
				FaultOf(v, err, example)
				return 0, false
			}
			switch {
			case value == 0 && least > 0:
				v.Fault(fmt.Sprintf("a %s of 0", what), "write for example "+example)
			case value < least:
				v.Fault(fmt.Sprintf("%s %s is too small", what, Quote(text)), "write at least "+format(least))
			case value > most:
				v.Fault(fmt.Sprintf("%s %s is too large", what, Quote(text)), "write at most "+format(most))
			default:
				return value, true
			}
			return 0, false
		},
		Example: example,
		Schema:  QuantitySchema(pattern, example, least == 0),
	}
}

// FaultOf reports what a parser of quantities says.
func FaultOf(v Value, err error, example string) {
	problem, instead := err.Error(), ""
	if e, ok := errors.AsType[*units.Error](err); ok {
		problem, instead = fmt.Sprintf("%s %s: %s", e.Quantity, Quote(e.Text), e.Problem), e.Instead
	}
	if instead == "" && example != "" {
		instead = "write for example " + example
	}
	v.Fault(problem, instead)
}

// Durations are times in [least, most].
func Durations[C any](example string, least, most time.Duration) Form[C, time.Duration] {
	return Quantities[C]("duration", example, DurationPattern, least, most, units.ParseDuration, units.FormatDuration)
}

// Sizes are numbers of bytes in [least, most].
func Sizes[C any](example string, least, most units.Bytes) Form[C, units.Bytes] {
	return Quantities[C]("size", example, SizePattern, least, most, units.ParseBytes, units.FormatBytes)
}

// Counts are whole numbers in [least, most].
func Counts[C any](least, most int) Form[C, int] {
	return Form[C, int]{
		Read: func(_ C, v Value) (int, bool) {
			instead := fmt.Sprintf("write a whole number from %d to %d", least, most)
			text, ok := v.Quantity("a whole number", strconv.Itoa(max(least, 1)))
			if !ok {
				return 0, false
			}
			n, err := units.ParseCount(text)
			switch {
			case err != nil:
				v.Fault(Quote(text)+" is not a whole number from 0", instead)
			case n < int64(least) || n > int64(most):
				v.Fault(text+" is out of range", instead)
			default:
				return int(n), true
			}
			return 0, false
		},
		Example: strconv.Itoa(max(least, 1)),
		Schema: Schema{"anyOf": []Schema{
			{"type": "integer", "minimum": least, "maximum": most},
			{"type": "string", "pattern": `^[0-9][0-9,_.eE+]*$`},
		}},
	}
}
