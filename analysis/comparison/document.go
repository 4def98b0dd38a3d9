package comparison

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/gate"
)

// Schema names comparison.json.
const Schema = "coldcurve.comparison/v1"

//go:embed comparison.schema.json
var schemaJSON []byte

// SchemaJSON is the JSON Schema (draft 2020-12) of a [Document].
func SchemaJSON() []byte { return schemaJSON }

// State is how far a comparison came.
type State string

const (
	Running     State = "running"     // or killed
	Complete    State = "complete"    // every rule has its verdict, or more pairs would not bring one
	OutOfTime   State = "out of time" // its time budget was used up
	Interrupted State = "interrupted"
	Failed      State = "failed" // a run could not be made
)

// The names of the sides.
const (
	Base = "base"
	Head = "head"
)

// Document is a comparison as it is kept and printed.
type Document struct {
	Schema   string    `json:"schema"`
	Version  string    `json:"coldcurve"`
	Scenario string    `json:"scenario"`
	Source   string    `json:"source"` // scenario file
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	State    State     `json:"state"`
	Failure  string    `json:"failure,omitempty"`
	Notes    []string  `json:"notes,omitempty"` // how the runs were made
	// UsualPolicy says that nobody has given one: then of rules on requests that
	// neither side has nothing is expected, and NotJudged says so.
	UsualPolicy bool     `json:"usual_policy,omitempty"`
	NotJudged   []string `json:"not_judged,omitempty"`

	Command []string `json:"command"` // its arguments, to go on with it
	Folder  string   `json:"folder"`  // that it was begun in

	Base Side `json:"base"`
	Head Side `json:"head"`

	// Seed decides the order of the pairs; pair n's runs both have the seed
	// Seed+n-1.
	Seed   uint64        `json:"seed"`
	Budget time.Duration `json:"budget_ns,omitempty"` // of time; 0 for none
	Looks  []int         `json:"looks"`               // numbers of usable pairs at which looks are planned
	Taken  []int         `json:"looks_taken"`         // and at which they were taken
	Pairs  []Pair        `json:"pairs"`

	Verdict  gate.Verdict `json:"verdict"` // what the findings come to
	Findings []Finding    `json:"findings"`
	Shifts   []Shift      `json:"shifts"`
	Colds    []Cold       `json:"colds,omitempty"` // cold starts by what made them necessary, where the platform tells
	Costs    string       `json:"costs,omitempty"` // what the costs among the findings are of, in words
}

// Side is what is measured on one side.
type Side struct {
	Given string   `json:"given,omitempty"` // as on the command line
	What  string   `json:"what"`            // in words
	Notes []string `json:"notes,omitempty"`
}

// Pair is two runs, one made right after the other.
type Pair struct {
	Number int    `json:"number"` // from 1, in the order in which they were made
	Seed   uint64 `json:"seed"`
	First  string `json:"first"` // base or head, by chance
	Base   Run    `json:"base"`
	Head   Run    `json:"head"`
}

// Run is a run of a pair.
type Run struct {
	Dir     string   `json:"dir"`               // below the comparison's directory
	Invalid []string `json:"invalid,omitempty"` // why it must not be used
}

// Usable says whether both runs may be used.
func (p *Pair) Usable() bool { return len(p.Base.Invalid) == 0 && len(p.Head.Invalid) == 0 }

func (p *Pair) dir(side string) string { return fmt.Sprintf("pair-%03d-%s", p.Number, side) }

// Finding is the finding of a rule, with what it rests on.
type Finding struct {
	gate.Record
	Pairs [][2]float64 `json:"figures"`         // base's and head's figure of each pair that has both
	Parts []Part       `json:"parts,omitempty"` // of a latency that regressed: how its phases moved, the most moved first
}

// Records are the findings alone.
func (d *Document) Records() []gate.Record {
	records := make([]gate.Record, len(d.Findings))
	for i := range d.Findings {
		records[i] = d.Findings[i].Record
	}
	return records
}

// fitting is what was found less the rules of coldcurve's own policy on requests
// that neither side has.
func (c *Comparison) fitting(findings []gate.Finding) []gate.Finding {
	if !c.Document.UsualPolicy {
		return findings
	}
	_, left := c.policy.Fitting(c.trials)
	c.Document.NotJudged = nil
	for i := range left {
		c.Document.NotJudged = append(c.Document.NotJudged, left[i].NotJudged())
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f gate.Finding) bool {
		return slices.Contains(c.Document.NotJudged, f.Rule.NotJudged())
	})
}

// find puts what was found into the document.
func (c *Comparison) find(findings []gate.Finding) {
	d := &c.Document
	findings = c.fitting(findings)
	d.Findings = make([]Finding, len(findings))
	for i := range findings {
		f := Finding{Record: findings[i].Record(), Pairs: [][2]float64{}}
		rule := &findings[i].Rule
		for n := range c.trials.Base {
			if len(c.trials.Base[n].Invalid)+len(c.trials.Head[n].Invalid) > 0 {
				continue
			}
			b, noBase := rule.Figure(&c.trials.Base[n])
			h, noHead := rule.Figure(&c.trials.Head[n])
			if noBase == "" && noHead == "" {
				f.Pairs = append(f.Pairs, [2]float64{b, h})
			}
		}
		if f.Verdict == gate.Regressed {
			f.Parts = moved(rule, c.trials)
		}
		d.Findings[i] = f
	}
	d.Verdict = gate.Overall(d.Records())
	d.Shifts, d.Colds = c.shifts(), c.colds()
	if c.ledger != nil {
		d.Costs = c.ledger.Words()
	}
}
