package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseCount reads a whole number of at least 0: "1000", "20e6", "1.5e3",
// "1,234,567".
func ParseCount(text string) (int64, error) {
	plain, ok := ungrouped(text)
	if !ok {
		return 0, countError(text, "commas must stand between groups of three digits", "write 1000 or 1,000")
	}
	number, rest := splitNumber(plain)
	if number == "" {
		return 0, countError(text, notANumber(text), "write 1000 or 20e6")
	}
	if rest != "" {
		return 0, countError(text, "a count has no unit", "write "+number)
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return n, nil
	}
	v := parseFloat(number)
	if v >= math.MaxInt64 {
		return 0, countError(text, "is too large", "")
	}
	if v != math.Trunc(v) || (v == 0 && strings.ContainsAny(mantissa(number), "123456789")) {
		return 0, countError(text, "is not a whole number", fmt.Sprintf("write %.0f", math.Ceil(v)))
	}
	return int64(v), nil
}

func countError(text, problem, instead string) error {
	return &Error{Quantity: "count", Text: text, Problem: problem, Instead: instead}
}

// ungrouped takes the commas out of text and says whether they stood right.
func ungrouped(text string) (string, bool) {
	groups := strings.Split(text, ",")
	for i, g := range groups[1:] {
		if len(g) != 3 || digits(g, 0) != 3 || (i == 0 && (len(groups[0]) == 0 || len(groups[0]) > 3)) {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

// FormatNoun writes a count with the noun that it counts: "1 request",
// "1,234 requests".
func FormatNoun[N ~int | ~int64 | ~uint64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return FormatCount(n) + " " + noun
}

// FormatCount writes a count with commas between thousands: "1,234,567".
func FormatCount[N ~int | ~int64 | ~uint64](n N) string {
	s := fmt.Sprint(n)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	first := (len(s)-1)%3 + 1
	var b strings.Builder
	b.WriteString(sign + s[:first])
	for i := first; i < len(s); i += 3 {
		b.WriteString("," + s[i:i+3])
	}
	return b.String()
}
