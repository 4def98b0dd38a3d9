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
)

// histogramKind tells HdrHistogram's files by how they begin.
func histogramKind(head string) func(name string, lines *bufio.Scanner) (Distribution, error) {
	switch {
	case strings.HasPrefix(head, "#[Histogram log format"):
		return readLog
	case strings.HasPrefix(strings.Join(strings.Fields(head), " "), "Value Percentile TotalCount"):
		return readPercentiles
	}
	return nil
}

// longestLine is more than an encoded histogram takes.
const longestLine = 16 << 20

// lines are a file's lines, also long ones.
func lines(r io.Reader) *bufio.Scanner {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, longestLine)
	return scan
}

// readLog reads a .hlog in nanoseconds: the sum of its untagged lines, or of
// all where every one has a tag.
func readLog(name string, scan *bufio.Scanner) (Distribution, error) {
	untagged, tagged := hist.New(), hist.New()
	f := file{name: name}
	for scan.Scan() {
		f.line++
		text := strings.TrimSpace(scan.Text())
		if text == "" || text[0] == '#' || text[0] == '"' {
			continue
		}
		into := untagged
		if strings.HasPrefix(text, "Tag=") {
			into = tagged
		}
		cells := strings.Split(text, ",")
		if err := into.AddEncoded(cells[len(cells)-1]); err != nil {
			return nil, f.fault(len(text)-len(cells[len(cells)-1])+1, err.Error(), "give a .hlog as coldcurve writes it, in nanoseconds")
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: read histogram log: %w", name, f.line+1, err)
	}
	f.hist = untagged
	if untagged.N() == 0 {
		f.hist = tagged
	}
	return f.distribution()
}

// readPercentiles reads a .hgrm in milliseconds as a [Table].
func readPercentiles(name string, scan *bufio.Scanner) (Distribution, error) {
	f := file{name: name, columns: 2}
	headed := false
	for scan.Scan() {
		f.line++
		cells := strings.Fields(scan.Text())
		if len(cells) == 0 || strings.HasPrefix(cells[0], "#") {
			continue
		}
		if !headed {
			headed = true
			continue
		}
		p, err := percentile(cells)
		if err != nil {
			return nil, f.fault(1, err.Error(), "give a .hgrm as coldcurve writes it: value in milliseconds, percentile from 0 to 1")
		}
		if n := len(f.points); n > 0 && f.points[n-1].Q == p.Q {
			f.points[n-1] = p // rows that the text's digits do not tell apart
			continue
		}
		f.points = append(f.points, p)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: read percentiles: %w", name, f.line+1, err)
	}
	return f.distribution()
}

func percentile(cells []string) (Point, error) {
	if len(cells) < 2 {
		return Point{}, errors.New("no percentile")
	}
	ms, err := strconv.ParseFloat(cells[0], 64)
	if err != nil || !(ms >= 0 && ms*1e6 <= float64(Longest)) {
		return Point{}, fmt.Errorf("%q is not a number of milliseconds", cells[0])
	}
	q, err := strconv.ParseFloat(cells[1], 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return Point{}, fmt.Errorf("%q is not a percentile", cells[1])
	}
	return Point{q, time.Duration(ms * 1e6)}, nil
}
