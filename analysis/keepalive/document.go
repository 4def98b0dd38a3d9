package keepalive

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/coldcurve/coldcurve/analysis/whole"
)

// Schema names keepalive.json.
const Schema = "coldcurve.keepalive/v1"

// FileName is the document within a search's directory.
const FileName = "keepalive.json"

//go:embed keepalive.schema.json
var schemaJSON []byte

// SchemaJSON is the JSON Schema (draft 2020-12) of a [Document].
func SchemaJSON() []byte { return schemaJSON }

// State is how far a search came.
type State string

const (
	Running     State = "running"     // or killed
	Complete    State = "complete"    // more probes would say little more
	OutOfTime   State = "out of time" // its time budget was used up, or its probes
	Interrupted State = "interrupted"
	Failed      State = "failed" // nothing answered any more, or what answered did not tell
)

// Document is a search as it is kept and printed.
type Document struct {
	Schema   string            `json:"schema"`
	Version  string            `json:"coldcurve"` // coldcurve's version
	Platform string            `json:"platform"`
	Facts    map[string]string `json:"facts,omitempty"` // what it says of itself
	Function string            `json:"function"`
	Copies   int               `json:"copies"` // of the function, each idle by itself
	Started  time.Time         `json:"started"`
	Ended    time.Time         `json:"ended,omitzero"`
	State    State             `json:"state"`

	Seed      uint64        `json:"seed"`
	From      time.Duration `json:"from_ns"` // shortest gap
	To        time.Duration `json:"to_ns"`   // longest
	Precision float64       `json:"precision"`
	Budget    time.Duration `json:"budget_ns"`

	Probes  []Probe `json:"probes"`            // in the order of their answers
	Unknown int     `json:"unknown"`           // answers without evidence of how they were served: no probe
	Failed  int     `json:"failed"`            // requests that failed: no probe
	Failure string  `json:"failure,omitempty"` // of the first of them
	Finding Finding `json:"finding"`
}

// Begin is a document of a search with the given bounds, whose defaults it
// fills in.
func (o Options) Begin(d Document) Document {
	d.Schema, d.State = Schema, Running
	d.Seed, d.From, d.To, d.Precision, d.Probes = o.Seed, o.From, o.To, o.Precision, []Probe{}
	d.find()
	return d
}

// Add takes a probe, and makes the finding anew.
func (d *Document) Add(p Probe) {
	d.Probes = append(d.Probes, p)
	d.find()
}

func (d *Document) find() {
	kept, _ := Bracket(d.Probes)
	d.Finding = FindingOf(d.Probes, time.Duration(d.Precision*float64(max(kept, d.From))))
}

// Save writes the document so that a reader sees the old one or the new one.
func (d *Document) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return whole.JSON(filepath.Join(dir, FileName), d)
}

// Is says whether a folder is a search's directory.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, FileName))
	return !errors.Is(err, fs.ErrNotExist)
}

// Open reads a search's directory, however far it came.
func Open(dir string) (*Document, error) {
	path := filepath.Join(dir, FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open search: %w", err)
	}
	var d Document
	if err := whole.Decode(text, &d); err != nil {
		return nil, fmt.Errorf("open search: %s is damaged: %w", path, err)
	}
	if d.Schema != Schema {
		return nil, fmt.Errorf("open search: %s: schema %q, and this coldcurve reads %q", path, d.Schema, Schema)
	}
	d.find()
	return &d, nil
}
