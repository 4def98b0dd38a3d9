package units

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseMoney(t *testing.T) {
	for text, want := range map[string]Money{
		"$0": 0, "$2.73": 2_730_000_000, "$0.20": 200_000_000, "$.5": 500_000_000, "$1,234.50": 1_234_500_000_000,
		"$2e6": 2_000_000 * Dollar, "$0.000000001": 1, "$1e-9": 1, "$9223372036.854775807": math.MaxInt64, "$0e99": 0, "$1,000": 1000 * Dollar,
	} {
		if got, err := ParseMoney(text); got != want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"2.73":                        "needs its unit: write $2.73",
		"":                            "is empty",
		"$":                           "is empty",
		"$-1":                         "cannot be negative",
		"$x":                          "does not start with a number",
		"2.73 USD":                    "is not an amount of US dollars: write $2.73",
		"$2.73 a month":               "is not an amount of US dollars: write $2.73",
		"$0.0000166667":               "finer than a nano-dollar",
		"$1e-10":                      "finer than a nano-dollar",
		"$1e-999999999":               "finer than a nano-dollar",
		"$9223372036.9":               "is too large",
		"$1e999999999":                "is too large",
		"$1,23.00":                    "commas must stand between",
		"€5":                          "does not start with a number",
		"$" + strings.Repeat("9", 99): "is too large",
	} {
		got, err := ParseMoney(text)
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %d, %v; want an Error with %q", text, got, err, want)
		}
	}
}

func TestFormatMoney(t *testing.T) {
	for m, want := range map[Money]string{
		0: "$0.00", 2_730_000_000: "$2.73", Dollar: "$1.00", 200_000_000: "$0.20", 1_234_500_000_000: "$1,234.50",
		16_667: "$0.0000167", 1: "$0.000000001", 999: "$0.000000999", 36_300_000: "$0.0363", 72_500_000: "$0.0725",
		4_995_000_000: "$5.00", 4_985_000_000: "$4.98", 123_456_789: "$0.123", 99_999_999: "$0.10", -2_730_000_000: "-$2.73",
		math.MaxInt64: "$9,223,372,036.85", math.MinInt64: "-$9,223,372,036.85", 10_000_000: "$0.01", 999_999_999: "$1.00",
	} {
		if got := FormatMoney(m); got != want {
			t.Errorf("%d: got %s, want %s", int64(m), got, want)
		}
	}
	for m, want := range map[Money]string{0: "0.00", 2_730_000_000: "2.73", 16_667: "0.000016667", -1: "-0.000000001", math.MinInt64: "-9223372036.854775808", 5 * Dollar: "5.00"} {
		if got := m.USD(); got != want {
			t.Errorf("%d: got %s, want %s", int64(m), got, want)
		}
	}
}

// TestShown wants the least amount that is written in full and not below.
func TestShown(t *testing.T) {
	for m, want := range map[Money]string{
		0: "$0.00", 1: "$0.000000001", 16_667: "$0.0000167", 16_700: "$0.0000167", 36_300_001: "$0.0364", 99_999_999: "$0.10",
		123_000_001: "$0.124", 990_000_001: "$0.991", 999_999_999: "$1.00", 1_530_000_001: "$1.54", 1_530_000_000: "$1.53",
	} {
		up := m.Shown()
		if printed, err := ParseMoney(up.String()); err != nil || printed != up || up < m || up.String() != want {
			t.Errorf("%d: %d, which is printed as %v (%v), want %s", m, up, up, err, want)
		}
	}
}

func TestCents(t *testing.T) {
	for m, want := range map[Money]Money{
		2_730_040_000: 2_730_000_000, 2_725_000_000: 2_720_000_000, 2_735_000_000: 2_740_000_000, 2_735_000_001: 2_740_000_000,
		4_999_999: 0, 5_000_000: 0, 5_000_001: Cent, 15_000_000: 2 * Cent, -5_000_001: -Cent, -15_000_000: -2 * Cent, -5_000_000: 0,
	} {
		if got := m.Cents(); got != want {
			t.Errorf("%d: got %d, want %d", m, got, want)
		}
	}
}

// FuzzMoney holds what is written for programs to what it was.
func FuzzMoney(f *testing.F) {
	f.Add("$2.73", int64(16_667))
	f.Add("$1,234.50", int64(-1))
	f.Fuzz(func(t *testing.T, text string, nanos int64) {
		if nanos >= 0 {
			if got, err := ParseMoney("$" + Money(nanos).USD()); got != Money(nanos) || err != nil {
				t.Errorf("%d: got %d back, %v", nanos, got, err)
			}
		}
		FormatMoney(Money(nanos))
		m, err := ParseMoney(text)
		if err != nil {
			return
		}
		if again, err := ParseMoney("$" + m.USD()); again != m || err != nil {
			t.Errorf("%q is %d, and that is %d, %v", text, m, again, err)
		}
	})
}

func TestFormatExactDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", time.Millisecond: "1 ms", 100 * time.Millisecond: "100 ms", 1001 * time.Millisecond: "1001 ms", time.Second: "1 s",
		60 * time.Second: "1m", 90 * time.Second: "1m30s", 3 * time.Hour: "3h", 1: "1 ns", 1500: "1500 ns", 2 * time.Microsecond: "2 µs",
	} {
		if got := FormatExactDuration(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
}
