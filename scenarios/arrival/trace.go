package arrival

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Trace is recorded arrivals, in one of two forms; the other is nil.
type Trace struct {
	Counts  []uint32        // requests in each minute
	Offsets []time.Duration // of each request from the first one, ascending
}

// Len is the number of requests in the trace.
func (t Trace) Len() uint64 {
	n := uint64(len(t.Offsets))
	for _, c := range t.Counts {
		n += uint64(c)
	}
	return n
}

// Duration is how long the trace lasts when it is played at speed 1: up to the
// end of its last minute, or to its last request.
func (t Trace) Duration() time.Duration {
	if n := len(t.Offsets); n > 0 {
		return t.Offsets[n-1]
	}
	return time.Duration(len(t.Counts)) * time.Minute
}

// Process replays the trace; for speed and scale see [Counts] and [Timestamps].
func (t Trace) Process(speed, scale float64) Process {
	if t.Offsets != nil {
		return Timestamps{Offsets: t.Offsets, Speed: speed, Scale: scale}
	}
	return Counts{PerMinute: t.Counts, Speed: speed, Scale: scale}
}

// Limits of a trace file, so that a wrong or hostile one ends in an error and
// not in the machine's memory.
const (
	maxTraceRows    = 50_000_000
	maxTraceMinutes = 10 * 366 * 24 * 60 // ten years
	maxTraceLine    = 4096               // bytes
)

// RowError is a fault in a trace file. Instead says what would be right.
type RowError struct {
	Row     int // line number, from 1
	Problem string
	Instead string
}

// Error says row, problem and what to write instead.
func (e *RowError) Error() string {
	return fmt.Sprintf("row %d: %s; %s", e.Row, e.Problem, e.Instead)
}

// ReadTrace reads recorded arrivals: comma-separated text, gzipped or not
// (told by its first bytes, not by a name). The first line decides the form:
//
//	minute,count      requests a minute; minutes ascend, those left out are 0,
//	0,120             and the first row's minute is the trace's start. A
//	1,80              minute is a whole number or a time (2026-01-02T15:04Z).
//	                  The columns may be called minute_utc and requests or
//	                  invocations too; others are passed over.
//
//	count             the same, a row a minute
//	120
//
//	timestamp         a row a request, not descending; seconds as a decimal
//	1700000000.25     number, or RFC 3339. The first is the trace's start.
//	                  The heading may be left out.
//
// Empty lines and lines that begin with # are passed over. An error in a row
// is a *[RowError].
func ReadTrace(r io.Reader) (Trace, error) {
	return readTrace(r, nil)
}

// ScanTrace is [ReadTrace] for traces of any length: timestamps are handed to
// visit, as offsets from the first one, and not kept. The trace that it
// returns has counts or is empty. Visit ends the reading by false.
func ScanTrace(r io.Reader, visit func(offset time.Duration) bool) (Trace, error) {
	return readTrace(r, visit)
}

func readTrace(r io.Reader, visit func(time.Duration) bool) (Trace, error) {
	text, err := plain(r)
	if err != nil {
		return Trace{}, err
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 0, maxTraceLine), maxTraceLine)
	var rows rowReader
	row := 0
	// The last line before a failed read may be half a line: then the reading is at fault.
	fault := func(err error) error {
		if failed := lines.Err(); failed != nil {
			return readFault(row, failed)
		}
		return at(row, err)
	}
	for lines.Scan() {
		row++
		if row > maxTraceRows && visit == nil {
			return Trace{}, &RowError{row, "too many rows", fmt.Sprintf("the most is %d", maxTraceRows)}
		}
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		if rows == nil {
			if rows, err = heading(line, visit); err != nil {
				return Trace{}, fault(err)
			} else if rows.isHeading() {
				continue
			}
		}
		switch err := rows.add(line); {
		case errors.Is(err, errEnough):
			return Trace{}, nil
		case err != nil:
			return Trace{}, fault(err)
		}
	}
	if err := lines.Err(); err != nil {
		return Trace{}, readFault(row+1, err)
	}
	if rows == nil {
		return Trace{}, &RowError{1, "the file is empty", "write rows of minute,count or of timestamps"}
	}
	return rows.trace()
}

// plain is r without its compression, if it has any.
func plain(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("read gzip header: %w", err)
	}
	return unzipped, nil
}

// readFault says what ended the reading before the file did.
func readFault(row int, err error) error {
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &RowError{row, fmt.Sprintf("the line is longer than %d bytes", maxTraceLine), "write one minute or one request a line"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &RowError{row, "the gzip stream is truncated", "fetch or compress the file again"}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &RowError{row, "the gzip stream is damaged", "fetch or compress the file again"}
	}
	return fmt.Errorf("read row %d: %w", row, err)
}

// rowFault is a RowError that does not know its row yet.
type rowFault struct{ problem, instead string }

func (f *rowFault) Error() string { return f.problem + "; " + f.instead }

func at(row int, err error) error {
	if f, ok := errors.AsType[*rowFault](err); ok {
		return &RowError{row, f.problem, f.instead}
	}
	return err
}

// rowReader reads the rows of one form of trace.
type rowReader interface {
	isHeading() bool // the first line was a heading, not a row
	add(line string) error
	trace() (Trace, error)
}

// errEnough is what a reader says whose visitor wants no more.
var errEnough = errors.New("no more rows are wanted")

// heading decides by the first line what the rows are. Visit takes timestamps;
// without it they are kept.
func heading(line string, visit func(time.Duration) bool) (rowReader, error) {
	columns := split(line)
	count, minute := -1, -1
	for i, name := range columns {
		switch strings.ToLower(name) {
		case "count", "requests", "invocations":
			count = i
		case "minute", "minute_utc":
			minute = i
		case "timestamp", "time":
			if len(columns) > 1 {
				return nil, &rowFault{"timestamps have one column, here are " + strconv.Itoa(len(columns)), "leave the others out"}
			}
			return &stampRows{headed: true, visit: visit}, nil
		}
	}
	switch {
	case count >= 0:
		return &countRows{count: count, minute: minute, columns: len(columns)}, nil
	case len(columns) > 1:
		return nil, &rowFault{"rows of several columns need a heading", "write minute,count (or the columns' names, one of them count) as the first line"}
	}
	return &stampRows{visit: visit}, nil
}

func split(line string) []string {
	fields := strings.Split(line, ",")
	for i, f := range fields {
		fields[i] = strings.Trim(strings.TrimSpace(f), `"`)
	}
	return fields
}

// countRows is a count a minute.
type countRows struct {
	columns, count, minute int // minute is -1 where there is no such column
	first, last            int
	text                   string // last, as it is written
	counts                 []uint32
}

func (r *countRows) isHeading() bool { return true }

func (r *countRows) add(line string) error {
	fields := split(line)
	if len(fields) != r.columns {
		return &rowFault{fmt.Sprintf("%d columns, and %d in the heading", len(fields), r.columns), "write as many as in the heading"}
	}
	skipped := 0
	if r.minute >= 0 {
		minute, err := minuteOf(fields[r.minute])
		if err != nil {
			return err
		}
		switch {
		case r.counts == nil:
			r.first = minute
		case minute == r.last:
			return &rowFault{fmt.Sprintf("minute %s is there twice", fields[r.minute]), "write one row a minute, with the sum"}
		case minute < r.last:
			return &rowFault{fmt.Sprintf("time runs backwards: minute %s after %s", fields[r.minute], r.text), "sort the rows, a row a minute"}
		default:
			skipped = minute - r.last - 1
		}
		r.last, r.text = minute, fields[r.minute]
	}
	count, err := strconv.ParseInt(fields[r.count], 10, 64)
	switch {
	case err != nil:
		return &rowFault{fmt.Sprintf("count %q", fields[r.count]), "write a whole number from 0"}
	case count < 0:
		return &rowFault{fmt.Sprintf("count %d is negative", count), "write a whole number from 0"}
	case count > math.MaxUint32:
		return &rowFault{fmt.Sprintf("count %d", count), fmt.Sprintf("the most in a minute is %d", uint32(math.MaxUint32))}
	case len(r.counts)+skipped >= maxTraceMinutes:
		return &rowFault{"the trace is longer than ten years", "write minutes that count from the trace's start"}
	}
	r.counts = append(append(r.counts, make([]uint32, skipped)...), uint32(count))
	return nil
}

// minuteOf reads a minute's number, or its time as minutes since 1970.
func minuteOf(text string) (int, error) {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return n, nil
	}
	for _, layout := range []string{"2006-01-02T15:04Z07:00", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Unix() >= 0 && t.Unix()%60 == 0 {
			return int(t.Unix() / 60), nil
		}
	}
	return 0, &rowFault{fmt.Sprintf("minute %q", text), "write a whole number from 0, or 2026-01-02T15:04Z"}
}

func (r *countRows) trace() (Trace, error) {
	if r.counts == nil {
		return Trace{}, &RowError{1, "a heading without rows", "write a row a minute"}
	}
	return Trace{Counts: r.counts}, nil
}

// stampRows is a timestamp a request.
type stampRows struct {
	headed  bool
	form    func(string) (time.Duration, error) // of the first row, and so of all
	start   time.Duration
	rows    int // so far
	last    time.Duration
	visit   func(time.Duration) bool // takes the offsets; nil keeps them
	offsets []time.Duration
}

func (r *stampRows) isHeading() bool { return r.headed }

func (r *stampRows) add(line string) error {
	text := strings.Trim(line, `"`)
	if r.form == nil {
		r.form = seconds
		if strings.Contains(text, "T") {
			r.form = instant
		}
	}
	t, err := r.form(text)
	if err != nil {
		return err
	}
	if r.rows == 0 {
		r.start = t
	}
	r.rows++
	offset := t - r.start
	if offset < r.last {
		return &rowFault{fmt.Sprintf("time runs backwards: %s is %s before the row above", text, r.last-offset), "sort the rows"}
	}
	r.last = offset
	if r.visit == nil {
		r.offsets = append(r.offsets, offset)
	} else if !r.visit(offset) {
		return errEnough
	}
	return nil
}

func (r *stampRows) trace() (Trace, error) {
	if r.rows == 0 {
		return Trace{}, &RowError{1, "a heading without rows", "write a timestamp a request"}
	}
	return Trace{Offsets: r.offsets}, nil
}

// seconds reads a decimal number of seconds. It goes by digits, because a
// float64 of seconds since 1970 has no nanoseconds left.
func seconds(text string) (time.Duration, error) {
	fault := &rowFault{fmt.Sprintf("timestamp %q", text), "write seconds as a decimal number (12.5) or RFC 3339 (2026-01-02T15:04:05.5Z)"}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.ContainsAny(fraction, "+-") || whole+fraction == "" {
		return 0, fault
	}
	if whole == "" {
		whole = "0"
	}
	s, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || s < 0 || s > math.MaxInt64/int64(time.Second)-1 || text[0] == '-' {
		return 0, fault
	}
	ns, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return 0, fault
	}
	if len(fraction) > 9 && strings.Trim(fraction[9:], "0123456789") != "" {
		return 0, fault
	}
	return time.Duration(s)*time.Second + time.Duration(ns), nil
}

// instant reads an RFC 3339 time as nanoseconds since 1970.
func instant(text string) (time.Duration, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 2261 {
		return 0, &rowFault{fmt.Sprintf("timestamp %q", text), "write RFC 3339 (2026-01-02T15:04:05.5Z), years 1970 to 2261, as in the rows above"}
	}
	return time.Duration(t.UnixNano()), nil
}
