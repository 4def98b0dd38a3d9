package units

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// day is 24 hours: durations here measure machines, not calendars.
const day = 24 * time.Hour

// ParseDuration reads a duration of at least 0: "1.5s", ".2s", "10m",
// "1h30m", "2d", "850 µs" and "0". Units are ns, us (or µs), ms, s, m, h and d.
// A fraction of a nanosecond is rounded, and refused where that leaves 0.
func ParseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	total, rest := time.Duration(0), text
	for first := true; first || rest != ""; first = false {
		number, after := splitNumber(rest)
		if number == "" {
			return 0, durationError(text, notANumber(rest), "write 1.5s, 10m or 1h30m")
		}
		name, next := splitUnit(after)
		unit := durationUnit(name)
		if unit == 0 {
			problem, instead := badDurationUnit(number, name)
			return 0, durationError(text, problem, instead)
		}
		part, how := scale(number, int64(unit))
		if how == tooLarge || time.Duration(part) > math.MaxInt64-total {
			return 0, durationError(text, "is too long", "write at most 106751d")
		}
		if how == tooSmall {
			return 0, durationError(text, "is shorter than a nanosecond", "write 0 or at least 1ns")
		}
		total += time.Duration(part)
		rest = next
	}
	return total, nil
}

func durationError(text, problem, instead string) error {
	return &Error{Quantity: "duration", Text: text, Problem: problem, Instead: instead}
}

// splitUnit cuts a unit's name, up to the next number, off the front of s.
func splitUnit(s string) (name, rest string) {
	s = strings.TrimPrefix(s, " ")
	end := strings.IndexAny(s, "0123456789.")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// durationUnit is 0 for a name that is not a unit.
func durationUnit(name string) time.Duration {
	switch name {
	case "ns":
		return time.Nanosecond
	case "us", "µs", "μs": // the micro sign and the Greek letter
		return time.Microsecond
	case "ms":
		return time.Millisecond
	case "s":
		return time.Second
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return day
	}
	return 0
}

func badDurationUnit(number, name string) (problem, instead string) {
	if name == "" {
		return "a duration needs its unit", "write " + number + "s or " + number + "ms"
	}
	problem = strconv.Quote(name) + " is not a unit of time"
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "s", "sec", "secs", "second", "seconds":
		return problem, "write " + number + "s"
	case "m", "min", "mins", "minute", "minutes":
		return problem, "write " + number + "m"
	case "h", "hr", "hrs", "hour", "hours":
		return problem, "write " + number + "h"
	case "d", "day", "days":
		return problem, "write " + number + "d"
	case "ms", "msec", "millis", "milliseconds":
		return problem, "write " + number + "ms"
	}
	return problem, "write one of ns, us, ms, s, m, h, d"
}

// FormatDuration writes d for reading, with three significant digits below a
// minute and in whole seconds from there: "0 s", "850 µs", "1.23 ms",
// "12.0 s", "2m30s", "1h".
func FormatDuration(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d == math.MinInt64:
		return "-2562047h47m17s" // its magnitude is no Duration
	case d < 0:
		return "-" + FormatDuration(-d)
	}
	// Rounding comes before the choice of the unit, so that 999.96 ms is 1.00 s.
	r := threeDigits(d)
	switch {
	case r < time.Microsecond:
		return strconv.FormatInt(int64(r), 10) + " ns"
	case r < time.Millisecond:
		return inUnit(r, time.Microsecond) + " µs"
	case r < time.Second:
		return inUnit(r, time.Millisecond) + " ms"
	case r < time.Minute:
		return inUnit(r, time.Second) + " s"
	}
	return clockwise(d)
}

func threeDigits(d time.Duration) time.Duration {
	step := time.Duration(1)
	for d/step >= 1000 {
		step *= 10
	}
	if rest := d % step; rest > 0 && rest >= step-rest && d < time.Minute {
		return d - rest + step
	}
	return d - d%step
}

// inUnit writes d, already rounded and below 1000 units, with three digits.
func inUnit(d, unit time.Duration) string {
	v := float64(d) / float64(unit)
	places := 2
	if v >= 100 {
		places = 0
	} else if v >= 10 {
		places = 1
	}
	return strconv.FormatFloat(v, 'f', places, 64)
}

// clockwise writes whole hours, minutes and seconds, zero parts left out.
func clockwise(d time.Duration) string {
	seconds := int64(d / time.Second)
	if d%time.Second >= time.Second/2 {
		seconds++
	}
	var b strings.Builder
	for _, part := range [...]struct {
		value int64
		unit  string
	}{{seconds / 3600, "h"}, {seconds / 60 % 60, "m"}, {seconds % 60, "s"}} {
		if part.value > 0 {
			b.WriteString(strconv.FormatInt(part.value, 10))
			b.WriteString(part.unit)
		}
	}
	return b.String()
}

// FormatExactDuration writes d with every digit, as a whole number of the
// largest unit that allows it: "1 ms", "100 ms", "1 s", "1m30s", "3h". It is
// for durations that are rules, not measurements.
func FormatExactDuration(d time.Duration) string {
	if d != 0 && d%time.Second == 0 && (d >= time.Minute || d <= -time.Minute) {
		return FormatDuration(d)
	}
	for _, u := range [...]struct {
		unit time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}

// MedianDuration is the median, of an even number the upper of the two in the
// middle, so that it is one of them; 0 for none. It sorts them.
func MedianDuration(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}
