package calibration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/whole"
)

// LogSchema names the format of a calibration's file: a line of JSON for its
// [Header], and one for each [Outcome].
const LogSchema = "coldcurve.calibration-log/v1"

// Header is the first line of a calibration's file.
type Header struct {
	Schema  string      `json:"schema"`
	Started time.Time   `json:"started"`
	Setup   Setup       `json:"setup"`
	Host    rundir.Host `json:"host"`
}

// Log is a calibration's file. It is not safe for concurrent use.
type Log struct {
	Path     string
	Header   Header
	Outcomes []Outcome

	size int64 // of the complete lines: what is beyond was cut off by a crash
}

// ForeignError says that a file's outcomes do not count together with new ones.
type ForeignError struct {
	Path        string
	Differences []string // each with both values: now, and the file's
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s is of another calibration: it differs in %s", e.Path, strings.Join(e.Differences, ", "))
}

// Read reads a calibration's file. A last line that was cut off does not count.
func Read(path string) (*Log, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read calibration: %w", err)
	}
	l := &Log{Path: path}
	if err := l.decode(text); err != nil {
		return nil, fmt.Errorf("read calibration: %w", err)
	}
	return l, nil
}

func (l *Log) decode(text []byte) error {
	number := 0
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		number++
		var into any = &l.Header
		if number > 1 {
			l.Outcomes = append(l.Outcomes, Outcome{})
			into = &l.Outcomes[len(l.Outcomes)-1]
		}
		if err := whole.Decode(bytes.TrimSuffix(line, []byte("\n")), into); err != nil {
			return fmt.Errorf("%s:%d: %w", l.Path, number, err)
		}
		if number == 1 && l.Header.Schema != LogSchema {
			return fmt.Errorf("%s:1: its schema is %q: want %s", l.Path, l.Header.Schema, LogSchema)
		}
		l.size += int64(len(line))
	}
	if number == 0 {
		return fmt.Errorf("%s: %w", l.Path, errEmpty)
	}
	return nil
}

// errEmpty says that not even the first line of a file was written whole.
var errEmpty = errors.New("it holds nothing")

// Open goes on with a calibration's file, or begins it. One of another setup or
// another machine is a [*ForeignError].
func Open(path string, h Header) (*Log, error) {
	l, err := Read(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errEmpty) {
		return create(path, h)
	}
	if err != nil {
		return nil, err
	}
	if d := append(h.Setup.differences(&l.Header.Setup), gate.Unlike(baseline.Machine(h.Host), baseline.Machine(l.Header.Host))...); len(d) > 0 {
		return nil, &ForeignError{Path: path, Differences: d}
	}
	if err := os.Truncate(path, l.size); err != nil {
		return nil, fmt.Errorf("go on with calibration: %w", err)
	}
	return l, nil
}

func create(path string, h Header) (*Log, error) {
	h.Schema = LogSchema
	line, err := json.Marshal(&h)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, append(line, '\n'), 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("begin calibration: %w", err)
	}
	return &Log{Path: path, Header: h}, nil
}

// Append adds an outcome, in the file before it returns.
func (l *Log) Append(o Outcome) error {
	line, err := json.Marshal(&o)
	if err != nil {
		return fmt.Errorf("add to calibration: %w", err)
	}
	f, err := os.OpenFile(l.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("add to calibration: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("add to calibration: %w", err)
	}
	l.Outcomes = append(l.Outcomes, o)
	return nil
}

// count is the number of comparisons of an effect.
func (l *Log) count(effect float64) int {
	n := 0
	for i := range l.Outcomes {
		if l.Outcomes[i].Effect == effect {
			n++
		}
	}
	return n
}

// missing is the number of comparisons that are still to be made.
func (l *Log) missing(o Options) int {
	n := 0
	for _, effect := range o.Effects {
		n += max(0, o.Comparisons-l.count(effect))
	}
	return n
}
