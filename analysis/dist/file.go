package dist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// FileError is a fault in a file of durations or percentiles.
type FileError struct {
	File         string
	Line, Column int // from 1
	Problem      string
	Instead      string
}

// Error is file:line:column, what is wrong and what to write instead.
func (e *FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Column, e.Problem, e.Instead)
}

// Read reads a file of one of two forms, told by the number of columns:
//
//	percentile,duration        duration
//	0,10ms                     12.5ms
//	50,80ms                    80ms
//	100,2s                     1.02s
//
// percentiles, as a [Table], or measured durations in any order, as an
// [Empirical] distribution. The heading may be left out; where it names the
// unit (duration_ms, duration_s) rows are numbers without one. Empty lines and
// those that begin with # are passed over. name stands in errors.
//
// It also reads what runs leave, told by its beginning: a .hgrm as a [Table], a
// .hlog as an [Empirical] distribution.
func Read(name string, r io.Reader) (Distribution, error) {
	in := bufio.NewReader(r)
	head, _ := in.Peek(200) // a shorter file is one, too
	first, _, _ := strings.Cut(strings.TrimSpace(string(head)), "\n")
	scan := lines(in)
	if read := histogramKind(first); read != nil {
		return read(name, scan)
	}
	f := file{name: name, hist: hist.New()}
	for scan.Scan() {
		f.line++
		text := strings.TrimSpace(scan.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := f.row(text); err != nil {
			return nil, err
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: read durations: %w", name, f.line+1, err)
	}
	return f.distribution()
}

// file is what has been read.
type file struct {
	name    string
	line    int
	begun   bool
	columns int
	unit    string // of rows without one; "": each has its own
	points  []Point
	hist    *hist.Histogram
}

func (f *file) fault(column int, problem, instead string) error {
	return &FileError{f.name, f.line, column, problem, instead}
}

func (f *file) row(text string) error {
	cells := strings.Split(text, ",")
	for k := range cells {
		cells[k] = strings.TrimSpace(cells[k])
	}
	if !f.begun {
		f.begun, f.columns = true, len(cells)
		if f.columns > 2 {
			return f.fault(1, fmt.Sprintf("has %d columns", f.columns), "write a duration, or a percentile and a duration")
		}
		if f.heading(cells) {
			return nil
		}
	}
	if len(cells) != f.columns {
		return f.fault(1, fmt.Sprintf("has %d columns, lines before have %d", len(cells), f.columns), "write as many in each line")
	}
	value := cells[len(cells)-1]
	column := strings.LastIndex(text, value) + 1
	d, err := f.duration(value)
	if err != nil {
		return f.fault(column, err.Error(), "write a duration such as 12.5ms, or name the unit in a heading such as duration_ms")
	}
	if f.columns == 2 {
		percent, err := strconv.ParseFloat(strings.TrimPrefix(cells[0], "p"), 64)
		if err != nil || !(percent >= 0 && percent <= 100) {
			return f.fault(1, fmt.Sprintf("%q is not a percentile", cells[0]), "write a number from 0 to 100")
		}
		p := Point{percent / 100, d}
		if n := len(f.points); n > 0 {
			if problem, instead := p.behind(f.points[n-1]); problem != "" {
				return f.fault(1, problem, instead)
			}
		}
		f.points = append(f.points, p)
		return nil
	}
	if d > hist.Highest {
		return f.fault(column, show(d)+" is too long to be measured", "leave out what is longer than "+show(hist.Highest))
	}
	f.hist.Record(d)
	return nil
}

// heading says whether a first line is one, and takes the unit that it names.
func (f *file) heading(cells []string) bool {
	last := strings.ToLower(cells[len(cells)-1])
	if !strings.HasPrefix(last, "duration") {
		return false
	}
	f.unit = strings.Trim(strings.TrimPrefix(last, "duration"), "_ ()")
	return true
}

func (f *file) duration(text string) (time.Duration, error) {
	if f.unit != "" && text != "" && strings.IndexByte("0123456789", text[len(text)-1]) >= 0 {
		text += f.unit
	}
	d, err := units.ParseDuration(text)
	if err == nil && d > Longest {
		err = errors.New(strconv.Quote(text) + " is too long")
	}
	return d, err
}

func (f *file) distribution() (Distribution, error) {
	switch {
	case f.columns == 2:
		t, err := NewTable(f.points)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		return t, nil
	case f.hist.N() == 0:
		f.line++
		return nil, f.fault(1, "the file has no durations", "write one a line, such as 12.5ms")
	}
	e, err := NewEmpirical(f.hist)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return e, nil
}
