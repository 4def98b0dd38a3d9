package traffic

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// logLayout is the time of the common log format, between brackets.
const logLayout = "02/Jan/2006:15:04:05 -0700"

// logLine finds the time in a line of the common log format (or of a format
// that begins like it, as the combined one does):
//
//	host ident user [02/Jan/2006:15:04:05 -0700] "request" status bytes
//
// and its status.
func logLine(text []byte) (at time.Time, status []byte, err error) {
	const instead = `write host ident user [02/Jan/2006:15:04:05 -0700] "request" status bytes`
	_, rest, found := bytes.Cut(text, []byte(" ["))
	stamp, rest, closed := bytes.Cut(rest, []byte("] \""))
	if !found || !closed {
		return at, nil, bad("no line of an access log: "+quoted(text), instead)
	}
	if at, err = time.Parse(logLayout, string(stamp)); err != nil {
		return at, nil, bad("the time "+quoted(stamp), instead)
	}
	// A request may hold quotes; status and bytes come behind the last one that
	// a space follows, or behind the first where the line is of the combined format.
	fields := bytes.Fields(afterRequest(rest))
	if len(fields) == 0 || len(fields[0]) != 3 || bytes.Trim(fields[0], "0123456789") != nil && len(bytes.Trim(fields[0], "0123456789")) > 0 {
		return at, nil, bad("no status in "+quoted(text), instead)
	}
	return at, fields[0], nil
}

// afterRequest is what follows the quoted request: the first `" ` before a
// three-digit number.
func afterRequest(rest []byte) []byte {
	for {
		_, after, found := bytes.Cut(rest, []byte("\" "))
		if !found {
			return nil
		}
		if len(after) >= 3 && len(bytes.Trim(after[:3], "0123456789")) == 0 && (len(after) == 3 || after[3] == ' ') {
			return after
		}
		rest = after
	}
}

// openAccessLog reads an access log of whole seconds, of one function. Servers
// write a line when they have answered, with the time of the request: what is
// out of order is sorted. Requests of one second come at random times in it.
func openAccessLog(ctx context.Context, f File) (Source, error) {
	sort := newSorter()
	var order logOrder
	err := f.rows(func(row int, text []byte) error {
		at, _, err := logLine(text)
		if err == nil {
			err = order.note(row, at)
		}
		if err == nil && order.lines%checkEvery == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		return sort.add(record{at: at.UnixNano(), service: int64(Unknown)})
	})
	if err != nil {
		sort.remove()
		return nil, err
	}
	about := About{Format: "access log"}
	about.Notes = append(about.Notes, "the log has whole seconds: requests of one second come at random times in it")
	if order.late > 0 {
		about.Notes = append(about.Notes, fmt.Sprintf("%d of %d lines were out of order, the first in row %d, and have been sorted", order.late, order.lines, order.row))
	}
	return sort.source(ctx, about, sorted{names: []string{stem(f.Name)}, keys: []string{nameless}, spread: time.Second})
}

// A line is as late as its request took; one a day late is of another log, or
// has a wrong date. A log that was silent for a month is two.
const (
	latestLine  = 24 * time.Hour
	longestHush = 31 * 24 * time.Hour
)

// logOrder is the order of a log's lines.
type logOrder struct {
	lines, late int
	row         int // of the first late line
	latest      time.Time
}

// note takes a line in, or says why its time cannot be right.
func (o *logOrder) note(row int, at time.Time) error {
	o.lines++
	step := at.Sub(o.latest)
	switch {
	case o.lines == 1:
	case step < -latestLine:
		return bad(fmt.Sprintf("the time %s is %s before that of a line above", at.Format(time.RFC3339), units.FormatDuration(-step)),
			"sort the lines, or take this one out: only what is up to a day late is put in order")
	case step > longestHush:
		return bad(fmt.Sprintf("the time %s is %s after those above", at.Format(time.RFC3339), units.FormatDuration(step)),
			"take out what has a wrong date, or give the parts before and after the gap apart")
	case step < 0:
		if o.late++; o.late == 1 {
			o.row = row
		}
		return nil
	}
	o.latest = at
	return nil
}

const (
	longestSpan = 10 * 366 * 24 * 60 * 60 // s
	checkEvery  = 1 << 16                 // rows between looks at the context
)

// quoted is a piece of a file for a message, cut short.
func quoted(text []byte) string {
	const most = 60
	if len(text) > most {
		text = append(bytes.Clone(text[:most]), "..."...)
	}
	return fmt.Sprintf("%q", strings.ToValidUTF8(string(text), "\ufffd"))
}
