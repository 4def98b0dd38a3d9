package units

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseRate reads a rate of at least 0: "100/s", ".1/s", "1e3/s", "60/m" (or
// "60/min"), "10/h", "5/d".
func ParseRate(text string) (Rate, error) {
	number, rest := splitNumber(text)
	if number == "" {
		return 0, rateError(text, notANumber(text), "write 100/s, 60/m or 10/h")
	}
	rest = strings.TrimPrefix(rest, " ")
	if rest == "" {
		return 0, rateError(text, "a rate needs its unit", "write "+number+"/s")
	}
	per := rateUnit(rest)
	if per == 0 {
		return 0, rateError(text, strconv.Quote(rest)+" is not a unit of rate",
			"write "+number+"/s, "+number+"/m or "+number+"/h")
	}
	v := parseFloat(number) / per.Seconds()
	if math.IsInf(v, 1) {
		return 0, rateError(text, "is too large", "")
	}
	return Rate(v), nil
}

func rateError(text, problem, instead string) error {
	return &Error{Quantity: "rate", Text: text, Problem: problem, Instead: instead}
}

// rateUnit is 0 for a name that is not a unit.
func rateUnit(name string) time.Duration {
	switch name {
	case "/s":
		return time.Second
	case "/m", "/min":
		return time.Minute
	case "/h":
		return time.Hour
	case "/d":
		return day
	}
	return 0
}

// FormatRate writes a rate per second for reading, with three significant
// digits and every digit of its integer part: "100/s", "0.1/s", "12345/s".
func FormatRate(r Rate) string { return significant(float64(r)) + "/s" }
