package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/whole"
)

// OutcomeSchema names the manifest.json of a simulation's result directory. It
// is another one than a run's: what was simulated is never taken for measured.
const OutcomeSchema = "coldcurve.simulated/v1"

// Manifest says what a result directory is of, and how it was made.
type Manifest struct {
	Schema   string      `json:"schema"`
	Version  string      `json:"coldcurve"` // coldcurve's version
	Command  []string    `json:"command"`   // its arguments
	Started  time.Time   `json:"started"`
	Seed     uint64      `json:"seed"`
	Complete bool        `json:"complete"`
	Host     rundir.Host `json:"host"`
}

// Outcome is a result directory: of one simulation, or of a sweep. The other
// one is nil.
type Outcome struct {
	Manifest
	Simulation *Simulation
	Sweep      *Sweep
}

// durations are a simulation's histograms.
type durations struct {
	Response *hist.Histogram `json:"response"` // from arrival to answer
	Service  *hist.Histogram `json:"service"`  // of it: what the instance works
	Fleet    *hist.Histogram `json:"fleet_response,omitempty"`
}

const (
	manifestName   = "manifest.json"
	simulationName = "simulation.json"
	sweepName      = "sweep.json"
	durationsName  = "durations.json"
	usageName      = "usage.json"
)

// IsOutcome says whether a directory holds a simulation's result.
func IsOutcome(dir string) bool {
	var head struct {
		Schema string `json:"schema"`
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	return err == nil && json.Unmarshal(text, &head) == nil && head.Schema == OutcomeSchema
}

// Write makes dir, which must not hold anything yet. The manifest comes last:
// what has none is not whole.
func (o *Outcome) Write(dir string) error {
	if err := MakeDir(dir); err != nil {
		return err
	}
	o.Schema = OutcomeSchema
	var errs []error
	put := func(name string, document any) { errs = append(errs, writeJSON(filepath.Join(dir, name), document)) }
	if s := o.Simulation; s != nil {
		o.Seed, o.Complete = s.Seed, s.Complete
		put(simulationName, s)
		put(usageName, s.account)
		d := durations{Response: s.Response, Service: s.Service}
		if s.Fleet != nil {
			d.Fleet = s.Fleet.Response
		}
		if d.Service != nil || d.Fleet != nil { // there are none where nothing came
			put(durationsName, d)
		}
	} else {
		o.Seed, o.Complete = o.Sweep.Seed, o.Sweep.Complete
		put(sweepName, o.Sweep)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if err := writeJSON(filepath.Join(dir, manifestName), o.Manifest); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// MakeDir makes a result's directory; one that holds something already is an
// [*OccupiedError].
func MakeDir(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return &OccupiedError{dir, entries[0].Name()}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make result directory: %w", err)
	}
	return nil
}

// OccupiedError is a directory that holds something already.
type OccupiedError struct{ Dir, Holds string }

func (e *OccupiedError) Error() string {
	return fmt.Sprintf("%s is not empty: it holds %s", e.Dir, e.Holds)
}

func writeJSON(path string, document any) error {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// OpenOutcome reads a result directory.
func OpenOutcome(dir string) (*Outcome, error) {
	o := &Outcome{}
	if err := readJSON(dir, manifestName, &o.Manifest); err != nil {
		return nil, err
	}
	if o.Schema != OutcomeSchema {
		return nil, fmt.Errorf("open result: %s: its schema is %q, not %q", filepath.Join(dir, manifestName), o.Schema, OutcomeSchema)
	}
	sweep := &Sweep{}
	switch err := readJSON(dir, sweepName, sweep); {
	case err == nil && len(sweep.Points) == 0:
		return nil, fmt.Errorf("open result: %s has no points", filepath.Join(dir, sweepName))
	case err == nil:
		o.Sweep = sweep
		return o, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	s := &Simulation{}
	if err := readJSON(dir, simulationName, s); err != nil {
		return nil, err
	}
	if err := readJSON(dir, usageName, &s.account); err != nil {
		return nil, err
	}
	var d durations
	if err := readJSON(dir, durationsName, &d); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err // a simulation to which nothing came has none
	}
	s.Response, s.Service = d.Response, d.Service
	if s.Fleet != nil {
		if s.Fleet.Response = d.Fleet; d.Fleet == nil {
			return nil, fmt.Errorf("open result: %s has no response times of the fleet", filepath.Join(dir, durationsName))
		}
	}
	o.Simulation = s
	return o, nil
}

func readJSON(dir, name string, into any) error {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("open result: %w", err)
	}
	if err := whole.Decode(text, into); err != nil {
		return fmt.Errorf("open result: %s is damaged: %w", path, err)
	}
	return nil
}
