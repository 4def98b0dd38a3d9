package events

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

// Expression is when a schedule is due: rate(5 minutes), cron(0 10 ? * MON-FRI *)
// or at(2026-11-22T10:00:00), as Amazon EventBridge writes them, in UTC.
type Expression struct {
	text string
	rate time.Duration        // above 0: rate
	cron *cronexpr.Expression // not nil: cron
	once time.Time            // else: at
}

// String gives the expression as it was written.
func (e Expression) String() string { return e.text }

// units of a rate. EventBridge has no second: that one is ours, for experiments.
var rateUnits = map[string]time.Duration{
	"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
}

var expressionForm = regexp.MustCompile(`^(rate|cron|at)\((.*)\)$`)

const expressionInstead = "write for example rate(5 minutes), cron(0 10 ? * MON-FRI *) or at(2026-11-22T10:00:00)"

// ParseExpression reads an expression.
func ParseExpression(text string) (Expression, error) {
	form := expressionForm.FindStringSubmatch(text)
	if form == nil {
		return Expression{}, fmt.Errorf("schedule %q: %s", text, expressionInstead)
	}
	e := Expression{text: text}
	var err error
	switch form[1] {
	case "rate":
		e.rate, err = parseRate(form[2])
	case "cron":
		e.cron, err = parseCron(form[2])
	case "at":
		e.once, err = time.Parse("2006-01-02T15:04:05", form[2])
		if err != nil {
			err = errors.New("write a time in UTC, for example at(2026-11-22T10:00:00)")
		}
	}
	if err != nil {
		return Expression{}, fmt.Errorf("schedule %q: %w", text, err)
	}
	return e, nil
}

func parseRate(text string) (time.Duration, error) {
	number, unit, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 1 {
		return 0, errors.New("a rate is a whole number above 0 and a unit, for example rate(5 minutes)")
	}
	singular := strings.TrimSuffix(unit, "s")
	size, known := rateUnits[singular]
	switch {
	case !known:
		return 0, fmt.Errorf("unknown unit %q: write second, minute, hour or day, with an s above 1", unit)
	case (n == 1) != (unit == singular):
		return 0, fmt.Errorf("%d goes with %s: write 1 minute, 2 minutes", n, map[bool]string{true: "the singular", false: "the plural"}[n == 1])
	}
	return time.Duration(n) * size, nil
}

// The fields of a cron expression: minutes, hours, day of month, month, day of
// week, year.
const (
	dayOfMonth = 2
	dayOfWeek  = 4
	cronFields = 6
)

// cronDay is a number of a day of the week, but not the n of "#n".
var cronDay = regexp.MustCompile(`#?\b[0-9]+`)

func parseCron(text string) (*cronexpr.Expression, error) {
	fields := strings.Fields(text)
	if len(fields) != cronFields {
		return nil, fmt.Errorf("%d fields: write six, minutes hours day-of-month month day-of-week year", len(fields))
	}
	if (fields[dayOfMonth] == "?") == (fields[dayOfWeek] == "?") {
		return nil, errors.New("exactly one of day-of-month and day-of-week is ?, the other says when")
	}
	// EventBridge counts the days from Sunday = 1, the parser from Sunday = 0.
	var bad error
	fields[dayOfWeek] = cronDay.ReplaceAllStringFunc(fields[dayOfWeek], func(number string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(number, "#"))
		if strings.HasPrefix(number, "#") {
			return number
		}
		if err != nil || n < 1 || n > 7 {
			bad = fmt.Errorf("day of week %s: write 1 (Sunday) to 7, or SUN to SAT", number)
		}
		return strconv.Itoa(n - 1)
	})
	if bad != nil {
		return nil, bad
	}
	// Steps of the day of week are no days.
	if strings.Contains(fields[dayOfWeek], "/") {
		return nil, errors.New("steps in day-of-week: list the days, for example MON,WED,FRI")
	}
	e, err := cronexpr.Parse(strings.ReplaceAll(strings.Join(fields, " "), "?", "*"))
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Next is the first instant after t at which it is due; false if there is none.
// A rate counts from origin.
func (e Expression) Next(origin, t time.Time) (time.Time, bool) {
	switch {
	case e.rate > 0:
		n := max(0, t.Sub(origin)/e.rate) + 1
		return origin.Add(n * e.rate), true
	case e.cron != nil:
		next := e.cron.Next(t.UTC())
		return next, !next.IsZero()
	}
	return e.once, e.once.After(t)
}
