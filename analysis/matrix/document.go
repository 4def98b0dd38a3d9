package matrix

import (
	_ "embed"
	"encoding/json"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Schema names matrix.json.
const Schema = "coldcurve.matrix/v1"

//go:embed matrix.schema.json
var schemaJSON []byte

// SchemaJSON is the JSON Schema (draft 2020-12) of a [Document]. What it has in
// common with a summary is described where that is.
func SchemaJSON() []byte {
	own, common := parsed(schemaJSON), parsed(summary.SchemaJSON())
	defs := own["$defs"].(map[string]any)
	for name, def := range common["$defs"].(map[string]any) {
		defs[name] = def
	}
	text, err := json.MarshalIndent(own, "", "  ")
	if err != nil {
		panic(err) // it was read from JSON
	}
	return text
}

func parsed(text []byte) map[string]any {
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		panic(err) // it is a part of the program
	}
	return document
}

// State is how far a matrix came.
type State string

const (
	Running     State = "running"  // or killed
	Complete    State = "complete" // every run that could be made was made
	Interrupted State = "interrupted"
)

// Document is a matrix as it is kept and printed.
type Document struct {
	Schema      string    `json:"schema"`
	Version     string    `json:"coldcurve"` // coldcurve's version
	Scenario    string    `json:"scenario"`
	Description string    `json:"description,omitempty"`
	Source      string    `json:"source"` // scenario file
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended,omitzero"`
	State       State     `json:"state"`

	Seed   uint64        `json:"seed"`      // of each run's traffic, and of their order
	Rounds int           `json:"rounds"`    // how often each platform goes through the scenario
	Length time.Duration `json:"length_ns"` // of a run

	Platforms []Platform `json:"platforms"` // as they were asked for
	Runs      []Run      `json:"runs"`      // in their order
}

// Run is a run of a matrix.
type Run struct {
	Number   int      `json:"number"` // from 1, in the order in which they are made
	Round    int      `json:"round"`
	Platform string   `json:"platform"`
	Dir      string   `json:"dir"` // below the matrix's directory
	Made     bool     `json:"made"`
	Invalid  []string `json:"invalid,omitempty"` // why it must not be used
}

// Platform is what was found on one platform.
type Platform struct {
	Name    string            `json:"platform"`
	Version string            `json:"version,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
	// Failure is why it could not go through the scenario as often as it was to,
	// "" where it could; Hint is what the reader can do about it.
	Failure string `json:"failure,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// Invalid is why its figures must not be used: none of its runs can be.
	Invalid []string `json:"invalid,omitempty"`

	// EmulatedStarts is whether starts took as long as a published distribution
	// has it: then no figure of what waited for one is this machine's.
	EmulatedStarts bool `json:"emulated_starts,omitempty"`

	Runs      int      `json:"runs"` // that its figures are of
	Sent      uint64   `json:"sent"`
	Errors    uint64   `json:"errors"`
	Cold      uint64   `json:"cold"`
	Known     uint64   `json:"known"` // carry evidence of their start
	ColdShare *float64 `json:"cold_share"`

	Rows   []Row             `json:"rows"`     // one a function and start kind, all phases together
	Phases []Row             `json:"by_phase"` // one a phase, function and start kind; empty where there is one phase
	Expect []summary.Check   `json:"expect,omitempty"`
	Causes []summary.Cause   `json:"causes,omitempty"`
	Doubts []summary.Warning `json:"warnings"`
	Cost   *summary.Cost     `json:"cost,omitempty"` // a month of such traffic
}

// Row is the requests of one start kind: all runs of a platform together, and
// each run's median beside, which shows how much the platform itself varies.
type Row struct {
	summary.Group `json:"figures"`
	Medians       []*int64 `json:"p50_by_run_ns"` // nil where a run has none
}

// Platform is what was found on the platform of a name, which is one of them.
func (d *Document) Platform(name string) *Platform {
	i := slices.IndexFunc(d.Platforms, func(p Platform) bool { return p.Name == name })
	return &d.Platforms[i]
}

// Failures are the platforms that failed.
func (d *Document) Failures() []Platform {
	return slices.DeleteFunc(slices.Clone(d.Platforms), func(p Platform) bool { return p.Failure == "" })
}

// Broken are the budgets that were broken, with the platforms that broke them.
func (d *Document) Broken() (n int) {
	for _, p := range d.Platforms {
		for _, c := range p.Expect {
			if !c.Held {
				n++
			}
		}
	}
	return n
}
