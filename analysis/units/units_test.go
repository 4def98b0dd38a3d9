package units_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "1.5s": 1500 * time.Millisecond, ".2s": 200 * time.Millisecond,
		"10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour,
		"1d2h3m4s5ms6us7ns": 26*time.Hour + 3*time.Minute + 4*time.Second + 5006007,
		"850 µs":            850 * time.Microsecond, "850μs": 850 * time.Microsecond, "1e3ms": time.Second,
		"12.0 s": 12 * time.Second, "0.6ns": 1, "9223372036854775807ns": math.MaxInt64, "106751d": 106751 * 24 * time.Hour,
	} {
		if got, err := units.ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]units.Bytes{
		"0": 0, "0B": 0, "64B": 64, "1KiB": 1024, "1KB": 1024, "512MB": 512 << 20, "512 MB": 512 << 20, "512MiB": 512 << 20,
		"1.5GB": 3 << 29, "2GiB": 2 << 30, "1TB": 1 << 40, "1e3B": 1000, "9223372036854775807B": math.MaxInt64,
	} {
		if got, err := units.ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]units.Rate{
		"0/s": 0, "100/s": 100, ".1/s": .1, "60/m": 1, "60/min": 1, "3600/h": 1, "1e3/s": 1000, "86400/d": 1, "100 /s": 100,
	} {
		if got, err := units.ParseRate(text); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", text, float64(got), err, float64(want))
		}
	}
}

func TestParseShare(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "0%": 0, "5%": .05, "0.05": .05, ".05": .05, "100%": 1, "1": 1, "5.1 %": .051, "1e-3": .001,
	} {
		if got, err := units.ParseShare(text); err != nil || math.Abs(got-want) > 1e-17 {
			t.Errorf("ParseShare(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseCount(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1000": 1000, "20e6": 20_000_000, "1.5e3": 1500, "1,234,567": 1234567, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := units.ParseCount(text); err != nil || got != want {
			t.Errorf("ParseCount(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestFaultsSayWhatToWrite(t *testing.T) {
	duration := func(s string) error { _, err := units.ParseDuration(s); return err }
	size := func(s string) error { _, err := units.ParseBytes(s); return err }
	rate := func(s string) error { _, err := units.ParseRate(s); return err }
	share := func(s string) error { _, err := units.ParseShare(s); return err }
	count := func(s string) error { _, err := units.ParseCount(s); return err }
	for _, c := range []struct {
		parse func(string) error
		text  string
		want  string
	}{
		{duration, "", `duration "": is empty: write 1.5s, 10m or 1h30m`},
		{duration, "10", `duration "10": a duration needs its unit: write 10s or 10ms`},
		{duration, "1h30", `duration "1h30": a duration needs its unit: write 30s or 30ms`},
		{duration, "-1s", `duration "-1s": cannot be negative: write 1.5s, 10m or 1h30m`},
		{duration, "fast", `duration "fast": does not start with a number: write 1.5s, 10m or 1h30m`},
		{duration, "10 sec", `duration "10 sec": "sec" is not a unit of time: write 10s`},
		{duration, "5min", `duration "5min": "min" is not a unit of time: write 5m`},
		{duration, "5S", `duration "5S": "S" is not a unit of time: write 5s`},
		{duration, "5y", `duration "5y": "y" is not a unit of time: write one of ns, us, ms, s, m, h, d`},
		{duration, ".1ns", `duration ".1ns": is shorter than a nanosecond: write 0 or at least 1ns`},
		{duration, "1e-400s", `duration "1e-400s": is shorter than a nanosecond: write 0 or at least 1ns`},
		{duration, "106752d", `duration "106752d": is too long: write at most 106751d`},
		{duration, "1e999s", `duration "1e999s": is too long: write at most 106751d`},
		{duration, "106751d24h", `duration "106751d24h": is too long: write at most 106751d`},
		{duration, "1s ", `duration "1s ": "s " is not a unit of time: write 1s`},
		{duration, "1.2.3s", `duration "1.2.3s": a duration needs its unit: write 1.2s or 1.2ms`},
		{size, "512", `size "512": a size needs its unit: write 512MB or 512B`},
		{size, "512mb", `size "512mb": "mb" is not a unit of size: write 512MB`},
		{size, "512M", `size "512M": "M" is not a unit of size: write 512MB`},
		{size, "5 parsecs", `size "5 parsecs": "parsecs" is not a unit of size: write one of B, KB, MB, GB, TB`},
		{size, ".3B", `size ".3B": is less than a byte: write 0 or at least 1B`},
		{size, "8388608TB", `size "8388608TB": is too large: write less than 8388608TB`},
		{rate, "100", `rate "100": a rate needs its unit: write 100/s`},
		{rate, "-5/s", `rate "-5/s": cannot be negative: write 100/s, 60/m or 10/h`},
		{rate, "100rps", `rate "100rps": "rps" is not a unit of rate: write 100/s, 100/m or 100/h`},
		{rate, "1e999/s", `rate "1e999/s": is too large`},
		{share, "5", `share "5": a share lies between 0 and 1: write 5%`},
		{share, "101%", `share "101%": is more than the whole: write at most 100%`},
		{share, "101", `share "101": is more than the whole: write at most 100% or 1`},
		{share, "5 percent", `share "5 percent": is not a share: write 5%`},
		{count, "1.5", `count "1.5": is not a whole number: write 2`},
		{count, "1e-400", `count "1e-400": is not a whole number: write 0`},
		{count, "1000x", `count "1000x": a count has no unit: write 1000`},
		{count, "1,5", `count "1,5": commas must stand between groups of three digits: write 1000 or 1,000`},
		{count, "1e30", `count "1e30": is too large`},
	} {
		err := c.parse(c.text)
		if err == nil {
			t.Errorf("%q was accepted, want %s", c.text, c.want)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("got  %s\nwant %s", err, c.want)
		}
		if e, ok := errors.AsType[*units.Error](err); !ok || e.Text != c.text {
			t.Errorf("%q: error %T does not carry the text", c.text, err)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1: "1 ns", 999: "999 ns", 1234567: "1.23 ms", 12 * time.Second: "12.0 s", 850 * time.Microsecond: "850 µs",
		150 * time.Second: "2m30s", 999_960_000: "1.00 s", 999_400: "999 µs", 999_500: "1.00 ms", time.Second: "1.00 s",
		59_970 * time.Millisecond: "1m", 59_949 * time.Millisecond: "59.9 s", time.Minute: "1m",
		time.Hour: "1h", 90 * time.Minute: "1h30m", 48 * time.Hour: "48h", time.Hour + 400*time.Millisecond: "1h",
		time.Hour + 500*time.Millisecond: "1h1s", -1234567: "-1.23 ms",
		math.MaxInt64: "2562047h47m17s", math.MinInt64: "-2562047h47m17s",
	} {
		if got := units.FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%d) = %q, want %q", int64(d), got, want)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for b, want := range map[units.Bytes]string{
		0: "0 B", 64: "64 B", 1024: "1 KB", 1500: "1500 B", 12345: "12.1 KB", 512 * units.MB: "512 MB",
		1769 * units.MB: "1769 MB", 10240 * units.MB: "10 GB", 3 * units.GB / 2: "1536 MB", units.MB - 1: "1 MB",
		-2048: "-2 KB", math.MaxInt64: "8388608 TB", math.MinInt64: "-8388608 TB",
	} {
		if got := b.String(); got != want {
			t.Errorf("FormatBytes(%d) = %q, want %q", int64(b), got, want)
		}
	}
}

func TestFormatRate(t *testing.T) {
	for r, want := range map[units.Rate]string{
		0: "0/s", 100: "100/s", .1: "0.1/s", 12345.6: "12346/s", 99.96: "100/s", 1.0 / 60: "0.0167/s", .0018631: "0.00186/s",
	} {
		if got := r.String(); got != want {
			t.Errorf("FormatRate(%v) = %q, want %q", float64(r), got, want)
		}
	}
}

func TestFormatShare(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0%", .05: "5%", .051: "5.1%", 1: "100%", .9999: "99.99%", .99996: "99.996%", .000123: "0.0123%", 1.0 / 3: "33.3%",
	} {
		if got := units.FormatShare(v); got != want {
			t.Errorf("FormatShare(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestFormatCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := units.FormatCount(n); got != want {
			t.Errorf("FormatCount(%d) = %q, want %q", n, got, want)
		}
	}
	if got, want := units.FormatCount(uint64(math.MaxUint64)), "18,446,744,073,709,551,615"; got != want {
		t.Errorf("FormatCount(max) = %q, want %q", got, want)
	}
}

// FuzzParse holds the parsers to three promises: they never panic, what they
// accept is in range, and what they write reads back as what is written.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.5s", "1h30m", "512MB", "12.1 KB", ".1/s", "5%", "20e6", "1,234", "-1s", "1e999s", "٣s", "1e", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := units.ParseDuration(s); err == nil {
			again(t, s, d, units.ParseDuration, units.FormatDuration)
		}
		if b, err := units.ParseBytes(s); err == nil {
			again(t, s, b, units.ParseBytes, units.FormatBytes)
		}
		if r, err := units.ParseRate(s); err == nil {
			again(t, s, r, units.ParseRate, units.FormatRate)
		}
		if v, err := units.ParseShare(s); err == nil && v <= 1 {
			again(t, s, v, units.ParseShare, units.FormatShare)
		}
		if n, err := units.ParseCount(s); err == nil {
			again(t, s, n, units.ParseCount, units.FormatCount)
		}
	})
}

func again[T time.Duration | units.Bytes | units.Rate | float64 | int64](t *testing.T, s string, v T, parse func(string) (T, error), format func(T) string) {
	t.Helper()
	if v < 0 {
		t.Fatalf("%q was read as %v, which is negative", s, v)
	}
	text := format(v)
	back, err := parse(text)
	if err != nil {
		if float64(v) > 9e18 { // what rounds up beyond the range cannot be read back
			return
		}
		t.Fatalf("%q was written as %q, which cannot be read: %v", s, text, err)
	}
	if rewritten := format(back); rewritten != text {
		t.Fatalf("%q was written as %q and then as %q", s, text, rewritten)
	}
}

// FuzzExact checks that values which formatting does not round read back as they were.
func FuzzExact(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(90 * time.Minute))
	f.Fuzz(func(t *testing.T, n int64) {
		whole := time.Duration(n % 1e9 * int64(time.Second))
		if whole >= time.Minute {
			if back, err := units.ParseDuration(units.FormatDuration(whole)); err != nil || back != whole {
				t.Errorf("%v was read back as %v, %v", whole, back, err)
			}
		}
		if n >= 0 {
			if back, err := units.ParseCount(units.FormatCount(n)); err != nil || back != n {
				t.Errorf("%d was read back as %d, %v", n, back, err)
			}
		}
		if mb := units.Bytes(n%10_000) * units.MB; mb >= 0 {
			if back, err := units.ParseBytes(mb.String()); err != nil || back != mb {
				t.Errorf("%d was read back as %d, %v", mb, back, err)
			}
		}
	})
}

// TestFormatLine: whatever the text, the line is as short as asked for, and valid.
func TestFormatLine(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 10, ""},
		{"exactly 10", 10, "exactly 10"},
		{"exactly 11 ", 10, "exactly 11"},
		{"one too many", 11, "one too ..."},
		{"pair 1:\n\tbuild failed\r\n", 80, "pair 1: build failed"},
		{"\x1b[31mred\xff", 80, "[31mred?"},
		{"ääää", 6, "ä..."}, // the fourth byte would be half a letter
	} {
		if got := units.FormatLine(c.text, c.most); got != c.want {
			t.Errorf("%q in %d bytes: %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

func TestMedianDuration(t *testing.T) {
	for want, list := range map[time.Duration][]time.Duration{0: nil, 7: {7}, 5: {5, 1, 3, 9}, 3: {9, 1, 3}} {
		if got := units.MedianDuration(list); got != want {
			t.Errorf("the median of %v is %v, want %v", list, got, want)
		}
	}
}
