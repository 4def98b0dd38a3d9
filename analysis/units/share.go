package units

import (
	"fmt"
	"strings"
)

// ParseShare reads a share from 0 to 1: "5%" is .05, as is "0.05".
func ParseShare(text string) (float64, error) { return parseShare(text, 100) }

// ParseGrowth reads by what share something grows, which can be more than the
// whole of it, up to a thousand times: "5%" is .05, "300%" is 3.
func ParseGrowth(text string) (float64, error) { return parseShare(text, 100_000) }

// parseShare reads a share of at most so many percent.
func parseShare(text string, most float64) (float64, error) {
	number, rest := splitNumber(text)
	if number == "" {
		return 0, shareError(text, notANumber(text), "write 5% or 0.05")
	}
	v := parseFloat(number)
	switch rest = strings.TrimPrefix(rest, " "); {
	case rest == "%" && v <= most:
		return v / 100, nil
	case rest == "%":
		return 0, shareError(text, tooMuch(most), fmt.Sprintf("write at most %g%%", most))
	case rest != "":
		return 0, shareError(text, "is not a share", "write "+number+"%")
	case v > 1 && v <= 100:
		return 0, shareError(text, "a share lies between 0 and 1", "write "+number+"%")
	case v > 1:
		return 0, shareError(text, "is more than the whole", "write at most 100% or 1")
	}
	return v, nil
}

func tooMuch(most float64) string {
	if most > 100 {
		return fmt.Sprintf("is more than %g times the whole", most/100)
	}
	return "is more than the whole"
}

func shareError(text, problem, instead string) error {
	return &Error{Quantity: "share", Text: text, Problem: problem, Instead: instead}
}

// FormatShare writes a share of 1 as a percentage with three significant
// digits: "5.1%", "0.0123%". Only the whole prints as 100%: what would round
// to it gets as many digits as keep it apart.
func FormatShare(share float64) string {
	s := significant(share * 100)
	for digits := 4; s == "100" && share < 1 && digits <= 17; digits++ {
		s = rounded(share*100, digits)
	}
	return s + "%"
}
