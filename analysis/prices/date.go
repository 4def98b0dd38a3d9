package prices

import (
	"fmt"
	"time"
)

// Date is a day as yyyymmdd, a month as yyyymm00 or a year as yyyy0000; dates
// compare as numbers. 0 is no date: in a lookup the newest that the book has.
type Date int32

// ParseDate reads "2026-09-19", "2026-09" and "2026".
func ParseDate(text string) (Date, error) {
	for _, form := range [...]struct {
		layout string
		keep   Date
	}{{"2006-01-02", 1}, {"2006-01", 100}, {"2006", 10000}} {
		if t, err := time.Parse(form.layout, text); err == nil && t.Year() > 0 {
			return DateOf(t) / form.keep * form.keep, nil
		}
	}
	return 0, fmt.Errorf("%q is not a date: write it as 2026-09-19", text)
}

// DateOf is the day of a moment, in the moment's own zone.
func DateOf(t time.Time) Date {
	return Date(t.Year()*10000 + int(t.Month())*100 + t.Day())
}

// IsDay says that the date is a day, and not a month or a year.
func (d Date) IsDay() bool { return d%100 != 0 }

// String is the date as [ParseDate] reads it; "" for none.
func (d Date) String() string {
	switch {
	case d == 0:
		return ""
	case d%10000 == 0:
		return fmt.Sprintf("%04d", d/10000)
	case d%100 == 0:
		return fmt.Sprintf("%04d-%02d", d/10000, d/100%100)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// MarshalText is [Date.String].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Span is the days from Since until the day before Until. 0 is without a
// beginning (or none that is known), and without an end.
type Span struct {
	Since Date `json:"since,omitzero"`
	Until Date `json:"until,omitzero"`
}

// Holds says whether a day lies in the span; 0 is the last day there is.
func (s Span) Holds(on Date) bool {
	if on == 0 {
		return s.Until == 0
	}
	return s.Since <= on && (s.Until == 0 || on < s.Until)
}

// Overlaps says that two spans have a day in common.
func (s Span) Overlaps(o Span) bool {
	return (s.Until == 0 || o.Since < s.Until) && (o.Until == 0 || s.Since < o.Until)
}

// Text is "since 2020-12-01", "until 2020-12-01" (without that day), both, or
// "" for always.
func (s Span) Text() string {
	switch {
	case s.Since == 0 && s.Until == 0:
		return ""
	case s.Since == 0:
		return "until " + s.Until.String()
	case s.Until == 0:
		return "since " + s.Since.String()
	}
	return "since " + s.Since.String() + " until " + s.Until.String()
}
