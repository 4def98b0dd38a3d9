// Package baseline owns runs that are kept for later comparisons.
//
// In: run directories, or another tool's history. Out: small files, one a baseline, that can be committed
// or cached: of each run what it was of, where it was made, why it must not be
// used if it must not, and its figures as histograms and sums (a few kilobytes,
// not its samples). It judges nothing and never changes a file that it has
// written.
package baseline

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/digest"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Schema names the format of a baseline's file.
const Schema = "coldcurve.baseline/v1"

// Baseline is some runs of one state of affairs.
type Baseline struct {
	Schema string    `json:"schema"`
	Name   string    `json:"name"`
	Saved  time.Time `json:"saved"`
	// Policy is the hash of the policy that was in use, "" for none: a
	// comparison under another one is not the same comparison.
	Policy string            `json:"policy,omitempty"`
	Notes  map[string]string `json:"notes,omitempty"` // whatever its author wants to remember: a revision, a ticket
	Runs   []Run             `json:"runs"`
}

// PolicyHash names a policy's text in a baseline.
func PolicyHash(text []byte) string { return hashOf(text) }

func hashOf(text []byte) string {
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:6])
}

// Run is one run, without its samples.
type Run struct {
	Name    string            `json:"name"` // its directory's
	Started time.Time         `json:"started"`
	Version string            `json:"coldcurve"`
	Kind    map[string]string `json:"kind"` // what runs must share to be compared
	Host    rundir.Host       `json:"host"`
	Invalid []string          `json:"invalid,omitempty"`
	// Memory is that of a function's instances, where the platform tells.
	Memory map[string]units.Bytes `json:"memory_bytes,omitempty"`
	Record summary.Record         `json:"record,omitzero"`
	// Inits stand in the record's place where another tool's history was imported.
	Inits Inits `json:"inits_ns,omitempty"`
}

// Of reads a run directory.
func Of(dir *rundir.Dir) (*Run, error) {
	builder, err := digest.Read(dir)
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", dir.Path, err)
	}
	kind, err := kindOf(dir)
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", dir.Path, err)
	}
	account, err := dir.Usage()
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", dir.Path, err)
	}
	m := &dir.Manifest
	run := builder.Run()
	return &Run{
		Memory: memoryOf(&account), Name: filepath.Base(dir.Path), Started: m.Started, Version: m.Version, Host: m.Host,
		Kind: kind, Invalid: invalid(&run), Record: builder.Record(),
	}, nil
}

func memoryOf(a *usage.Account) map[string]units.Bytes {
	memory := make(map[string]units.Bytes)
	for i := range a.Entries {
		if m := cost.MemoryOf(&a.Entries[i].Usage); m > 0 {
			memory[a.Entries[i].Key.Function] = m
		}
	}
	return memory
}

// invalid is why a run must not be used at all. (A figure that the load
// generator limits is not used either; the gate sees which.)
func invalid(run *summary.Run) []string {
	var reasons []string
	if run.Condemned {
		reasons = run.Invalid
	}
	if run.Sent > 0 && run.Known == 0 {
		reasons = append(reasons, "no request carries evidence of its start")
	}
	return reasons
}

// kindOf is what two runs must share. The scenario is compared by its text and
// by the flags that changed it.
func kindOf(dir *rundir.Dir) (map[string]string, error) {
	m := &dir.Manifest
	text, err := os.ReadFile(filepath.Join(dir.Path, "scenario.yaml"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	kind := Machine(m.Host)
	kind["scenario"] = m.Scenario + " " + hashOf(text)
	kind["seed"] = strconv.FormatUint(m.Seed, 10)
	kind["platform"] = m.Platform.Name
	for name, value := range m.Flags {
		kind["--"+name] = value
	}
	return kind, nil
}

// Machine is what the machines must share on which runs are made that are
// compared, by name.
func Machine(h rundir.Host) map[string]string {
	kind := map[string]string{
		"system":    h.OS + "/" + h.Arch,
		"processor": h.CPU,
		"cores":     strconv.Itoa(h.Cores),
	}
	if h.Governor != "" {
		kind["governor"] = h.Governor
	}
	if h.Container != "" {
		kind["container limits"] = h.Container
	}
	return kind
}

// Requests are how many the run sent, and how many of those were cold.
func (r *Run) Requests() (sent, cold uint64) {
	sent, cold = uint64(len(r.Inits)), uint64(len(r.Inits))
	for i := range r.Record.Groups {
		g := &r.Record.Groups[i]
		sent += g.N
		if g.Start == sample.Cold {
			cold += g.N
		}
	}
	return sent, cold
}

// Names are the phases and the functions that runs have figures of, sorted.
func Names(runs []Run) (phases, functions []string) {
	for i := range runs {
		for _, p := range runs[i].Record.Phases {
			if !p.Warmup {
				phases = append(phases, p.Name)
			}
		}
		for j := range runs[i].Record.Groups {
			functions = append(functions, runs[i].Record.Groups[j].Function)
		}
		functions = slices.AppendSeq(functions, maps.Keys(runs[i].Inits))
	}
	slices.Sort(phases)
	slices.Sort(functions)
	return slices.Compact(phases), slices.Compact(functions)
}

// Trial is the run as the gate compares it.
func (r *Run) Trial() (gate.Trial, error) {
	if r.Inits != nil {
		return gate.Trial{Name: r.Name, Figures: r.Inits, Kind: r.Kind, Invalid: r.Invalid}, nil
	}
	kept, err := r.Record.Restore()
	if err != nil {
		return gate.Trial{}, fmt.Errorf("run %s: %w", r.Name, err)
	}
	return gate.Trial{Name: r.Name, Figures: kept, Kind: r.Kind, Invalid: r.Invalid, Memory: r.Memory}, nil
}

// Trials are all runs of the baseline, as the gate compares them.
func (b *Baseline) Trials() ([]gate.Trial, error) {
	var trials []gate.Trial
	for i := range b.Runs {
		t, err := b.Runs[i].Trial()
		if err != nil {
			return nil, fmt.Errorf("baseline %s: %w", b.Name, err)
		}
		trials = append(trials, t)
	}
	return trials, nil
}
