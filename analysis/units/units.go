// Package units owns quantities that people write and read: durations, bytes,
// rates, shares, counts.
//
// In: text as it stands in a scenario file or a flag, or a value to show. Out:
// the value in its base unit (nanoseconds, bytes, per second, a share of 1, a
// whole number), or an [Error] that says what to write instead; and the text
// that a person reads. Parsing is strict: a quantity without its unit, a unit
// in the wrong case and a negative value are faults, never guesses. Formatting
// rounds for reading, so it is not a codec; what was exact in the text reads
// back as the same value.
//
// A number is digits with an optional fraction and exponent: 100, 1.5, .2,
// 20e6. One space may stand between a number and its unit.
package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes, at least 0. KB, MB, GB and TB are binary, as the
// providers' are, and mean the same as KiB, MiB, GiB and TiB.
type Bytes int64

// Rate is events per second, at least 0; 0 is no events.
type Rate float64

// String is [FormatBytes].
func (b Bytes) String() string { return FormatBytes(b) }

// String is [FormatRate].
func (r Rate) String() string { return FormatRate(r) }

// Error is a quantity that cannot be read.
type Error struct {
	Quantity string // "rate"
	Text     string // as given
	Problem  string // "a rate needs its unit"
	Instead  string // "write 100/s"; "" where nothing can be proposed
}

// Error is one line: quantity, text, problem, and what to write instead.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %q: %s", e.Quantity, e.Text, e.Problem)
	if e.Instead != "" {
		s += ": " + e.Instead
	}
	return s
}

// splitNumber cuts the number off the front of s. The number is "" where s
// does not start with one.
func splitNumber(s string) (number, rest string) {
	i := digits(s, 0)
	whole := i
	if i < len(s) && s[i] == '.' {
		fraction := digits(s, i+1)
		if whole == 0 && fraction == 1 {
			return "", s // a lone point
		}
		i = fraction
	}
	if i == 0 {
		return "", s
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if end := digits(s, j); end > j {
			i = end
		}
	}
	return s[:i], s[i:]
}

// digits is the end of the run of digits in s that starts at i.
func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

// notANumber says why text does not start with a number.
func notANumber(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "is empty"
	case strings.HasPrefix(text, "-"):
		return "cannot be negative"
	}
	return "does not start with a number"
}

// parseFloat reads what splitNumber found; too large a number is +Inf.
func parseFloat(number string) float64 {
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return math.Inf(1) // the syntax is checked, so the range is what is left
	}
	return v
}

// outcome says how scaling a number to whole base units went.
type outcome uint8

const (
	exact    outcome = iota
	tooSmall         // not 0, but rounds to 0 base units
	tooLarge         // beyond int64
)

// scale is number times unit in whole base units, rounded to nearest. A number
// without fraction and exponent takes no detour through floating point.
func scale(number string, unit int64) (int64, outcome) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		if n > math.MaxInt64/unit {
			return 0, tooLarge
		}
		return n * unit, exact
	}
	v := parseFloat(number) * float64(unit)
	if v >= math.MaxInt64 {
		return 0, tooLarge
	}
	n := int64(math.Round(v))
	if n == 0 && strings.ContainsAny(mantissa(number), "123456789") {
		return 0, tooSmall
	}
	return n, exact
}

func mantissa(number string) string {
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		return number[:i]
	}
	return number
}

// significant writes v with three significant digits, and with every digit of
// its integer part; trailing zeros of a fraction are left out.
func significant(v float64) string { return rounded(v, 3) }

func rounded(v float64, digits int) string {
	if v == 0 {
		return "0"
	}
	places := max(0, digits-1-int(math.Floor(math.Log10(math.Abs(v)))))
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
