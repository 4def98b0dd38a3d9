package prices

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number of at least 0, such as a price that is no
// whole number of nano-dollars. The zero Decimal is 0. It is immutable and may
// be copied.
type Decimal struct {
	value *big.Rat // nil is 0
	text  string   // plain digits, as written; "" is 0
}

// The bounds of a decimal: more digits are a slip of the keyboard, and a large
// exponent would be a number with millions of them.
const mostDigits, mostExponent = 40, 30

// ParseDecimal reads digits with an optional fraction and exponent: "0.20",
// "0.0000166667", "6e9", "100,000" (commas between groups of three).
func ParseDecimal(text string) (Decimal, error) {
	number := strings.ReplaceAll(text, ",", "")
	if err := decimalSyntax(text, number); err != nil {
		return Decimal{}, err
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return Decimal{}, fmt.Errorf("%q is not a number", text)
	}
	return decimal(r), nil
}

// decimal is r, which must have a finite number of decimal places.
func decimal(r *big.Rat) Decimal {
	places, _ := r.FloatPrec()
	return Decimal{value: r, text: r.FloatString(places)}
}

// Whole is a whole number as a Decimal.
func Whole(n int64) Decimal { return decimal(new(big.Rat).SetInt64(n)) }

// Rat is the number as a fraction of the caller's own.
func (d Decimal) Rat() *big.Rat { return new(big.Rat).Set(d.rat()) }

// rat is the number as a fraction that must not be written to.
func (d Decimal) rat() *big.Rat {
	if d.value == nil {
		return new(big.Rat)
	}
	return d.value
}

// IsZero says that the number is 0.
func (d Decimal) IsZero() bool { return d.value == nil || d.value.Sign() == 0 }

// Cmp is -1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int { return d.rat().Cmp(e.rat()) }

// Equal says that two numbers are the same, however they were written.
func (d Decimal) Equal(e Decimal) bool { return d.Cmp(e) == 0 }

// Less is the number without a share of it, which is at most 1.
func (d Decimal) Less(share Decimal) Decimal {
	rest := new(big.Rat).Sub(big.NewRat(1, 1), share.rat())
	return decimal(rest.Mul(rest, d.rat()))
}

// String is the number in plain digits, without an exponent and without zeros
// at its end: "0.0000166667".
func (d Decimal) String() string {
	if d.text == "" {
		return "0"
	}
	return d.text
}

// MarshalText is [Decimal.String]: in JSON a decimal is a string, for a float
// would not be exact.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// decimalSyntax says what is wrong with text; number is text without commas.
func decimalSyntax(text, number string) error {
	if number != text && !grouped.MatchString(text) {
		return fmt.Errorf("%q: commas must stand between groups of three digits", text)
	}
	m := plain.FindStringSubmatch(number)
	switch {
	case strings.HasPrefix(number, "-"):
		return fmt.Errorf("%q is negative", text)
	case m == nil:
		return fmt.Errorf("%q is not a number", text)
	case len(number) > mostDigits:
		return fmt.Errorf("%q has more than %d digits", text, mostDigits)
	case m[1] != "":
		if e, err := strconv.Atoi(m[1]); err != nil || e > mostExponent || e < -mostExponent {
			return fmt.Errorf("%q is out of range", text)
		}
	}
	return nil
}

var (
	plain   = regexp.MustCompile(`^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?$`)
	grouped = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$`)
)
