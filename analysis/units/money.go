package units

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount of US dollars in whole nano-dollars; 0 is none. An int64
// holds up to 9.2 billion dollars. Prices are finer than a nano-dollar and are
// no Money: they are exact decimals in the price book.
type Money int64

// Dollar is one US dollar, Cent a hundredth of it.
const (
	Dollar Money = 1e9
	Cent   Money = Dollar / 100
)

// ParseMoney reads an amount of at least 0: "$2.73", "$0.0000166", "$1,234.50",
// "$2e6". What is finer than a nano-dollar is refused, for rounding is a
// bill's business.
func ParseMoney(text string) (Money, error) {
	amount, dollar := strings.CutPrefix(text, "$")
	plain, ok := ungroupedWhole(amount)
	if !ok {
		return 0, moneyError(text, "commas must stand between groups of three digits", "write $1234.50 or $1,234.50")
	}
	number, rest := splitNumber(plain)
	switch {
	case number == "":
		return 0, moneyError(text, notANumber(amount), "write $2.73")
	case !dollar && rest == "":
		return 0, moneyError(text, "an amount of money needs its unit", "write $"+amount)
	case !dollar || rest != "":
		return 0, moneyError(text, "is not an amount of US dollars", "write $"+number)
	}
	nanos, how := nanoDollars(number)
	switch how {
	case tooLarge:
		return 0, moneyError(text, "is too large", "write less than $9223372036")
	case tooSmall:
		return 0, moneyError(text, "is finer than a nano-dollar", "write at most nine digits after the point")
	}
	return nanos, nil
}

func moneyError(text, problem, instead string) error {
	return &Error{Quantity: "amount", Text: text, Problem: problem, Instead: instead}
}

// ungroupedWhole is [ungrouped] for the part before the point.
func ungroupedWhole(text string) (string, bool) {
	whole, fraction, point := strings.Cut(text, ".")
	plain, ok := ungrouped(whole)
	if point {
		plain += "." + fraction
	}
	return plain, ok
}

// nanoDollars is a number of dollars, exactly or not at all.
func nanoDollars(number string) (Money, outcome) {
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		if e, err := strconv.Atoi(number[i+1:]); err != nil || e > 30 || e < -30 {
			return 0, exponentOutcome(number, i)
		}
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, tooLarge // the syntax is checked, so the range is what is left
	}
	r.Mul(r, new(big.Rat).SetInt64(int64(Dollar)))
	switch {
	case !r.IsInt():
		return 0, tooSmall
	case !r.Num().IsInt64():
		return 0, tooLarge
	}
	return Money(r.Num().Int64()), exact
}

// exponentOutcome spares big.Rat a number with millions of digits.
func exponentOutcome(number string, e int) outcome {
	switch {
	case !strings.ContainsAny(number[:e], "123456789"):
		return exact
	case strings.HasPrefix(number[e+1:], "-"):
		return tooSmall
	}
	return tooLarge
}

// String is [FormatMoney].
func (m Money) String() string { return FormatMoney(m) }

// FormatMoney writes an amount for reading: from a dollar on to the cent, with
// commas ("$2.73", "$1,234.50"), below to three significant digits but at least
// cents ("$0.20", "$0.0000167", "$0.00").
func FormatMoney(m Money) string {
	if m < 0 {
		return "-" + formatMoney(-uint64(m))
	}
	return formatMoney(uint64(m))
}

// Shown is the least amount from m on that [FormatMoney] writes in full: what
// is printed as the most of something is never below it. It is for amounts of
// at least 0.
func (m Money) Shown() Money {
	step := Money(math.Pow10(9 - placesOf(uint64(m))))
	return (m + step - 1) / step * step
}

// placesOf is to how many digits after the point an amount is written.
func placesOf(nanos uint64) int {
	places := 2
	for least := uint64(Dollar) / 10; nanos > 0 && nanos < least && places < 9; least /= 10 {
		places++
	}
	if places > 2 {
		return min(places+1, 9) // three significant digits
	}
	if nanos < uint64(Dollar) && nanos%uint64(Cent) != 0 {
		return 3
	}
	return places
}

func formatMoney(nanos uint64) string {
	places := placesOf(nanos)
	whole, fraction := roundedTo(nanos, places)
	text := "$" + FormatCount(whole) + "." + fraction
	for places > 2 && strings.HasSuffix(text, "0") {
		text, places = text[:len(text)-1], places-1
	}
	return text
}

// roundedTo splits nano-dollars into dollars and so many digits of their
// fraction, half to even.
func roundedTo(nanos uint64, places int) (whole uint64, fraction string) {
	step := uint64(math.Pow10(9 - places))
	units, rest := nanos/step, nanos%step
	if rest > step-rest || rest == step-rest && units%2 == 1 {
		units++
	}
	scale := uint64(Dollar) / step
	fraction = strconv.FormatUint(units%scale, 10)
	return units / scale, strings.Repeat("0", places-len(fraction)) + fraction
}

// USD writes an amount as a plain decimal of dollars with every digit that it
// has, and at least cents: "2.73", "0.000016667". It is for documents that
// programs read; [FormatMoney] is for people.
func (m Money) USD() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", -uint64(m)
	}
	whole, fraction := roundedTo(n, 9)
	fraction = strings.TrimRight(fraction, "0")
	return sign + strconv.FormatUint(whole, 10) + "." + fraction + strings.Repeat("0", max(0, 2-len(fraction)))
}

// USD is an amount as documents have it: a decimal number in a string, exact to
// the nano-dollar.
type USD Money

// String is the amount for reading.
func (u USD) String() string { return Money(u).String() }

// MarshalText is [Money.USD].
func (u USD) MarshalText() ([]byte, error) { return []byte(Money(u).USD()), nil }

// UnmarshalText reads what MarshalText writes of an amount of at least 0.
func (u *USD) UnmarshalText(text []byte) error {
	m, err := ParseMoney("$" + string(text))
	if err != nil {
		return fmt.Errorf("decode an amount: %w", err)
	}
	*u = USD(m)
	return nil
}

// Cents is the amount rounded to whole cents, half to even.
func (m Money) Cents() Money {
	whole, rest := m/Cent, m%Cent
	switch {
	case rest > Cent/2 || rest == Cent/2 && whole%2 != 0:
		whole++
	case rest < -Cent/2 || rest == -Cent/2 && whole%2 != 0:
		whole--
	}
	return whole * Cent
}
