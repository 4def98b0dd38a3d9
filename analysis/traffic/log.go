package traffic

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
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
	var first, latest int64
	n, late := 0, 0
	err := f.rows(func(row int, text []byte) error {
		at, _, err := logLine(text)
		if err != nil {
			return err
		}
		s := at.Unix()
		if n++; n == 1 {
			first, latest = s, s
		}
		if s < latest {
			late++
		}
		first, latest = min(first, s), max(latest, s)
		if latest-first > longestSpan {
			return bad(fmt.Sprintf("the time %s is more than ten years from others", at.Format(time.RFC3339)), "take such rows out")
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return sort.add(record{at: s * int64(time.Second), service: int64(Unknown)})
	})
	if err != nil {
		sort.remove()
		return nil, err
	}
	about := About{Format: "access log"}
	about.Notes = append(about.Notes, "the log has whole seconds: requests of one second come at random times in it")
	if late > 0 {
		about.Notes = append(about.Notes, fmt.Sprintf("%d of %d lines were out of order and have been sorted", late, n))
	}
	return sort.source(ctx, about, sorted{names: []string{stem(f.Name)}, spread: time.Second})
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
