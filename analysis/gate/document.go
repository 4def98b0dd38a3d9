package gate

import (
	_ "embed"
	"fmt"
)

// Schema names the format of a [Document].
const Schema = "coldcurve.gate/v1"

//go:embed gate.schema.json
var schemaJSON string

// SchemaJSON is the JSON schema (draft 2020-12) of [Document].
func SchemaJSON() []byte { return []byte(schemaJSON) }

// Document is a comparison of two sides and what was found, as it is printed
// and kept.
type Document struct {
	Schema string `json:"schema"`
	// Verdict is what the findings come to, as [Overall] says: one of theirs, or
	// Warned; NoBaseline where there was nothing to compare with.
	Verdict Verdict `json:"verdict"`
	Base    Side    `json:"base"`
	Head    Side    `json:"head"`
	Paired  bool    `json:"paired"`
	Policy  string  `json:"policy,omitempty"` // its file; "" for coldcurve's own
	Risk    float64 `json:"risk"`
	Power   float64 `json:"power"`
	// UndecidedWarns says that what cannot be told, or a missing baseline, does
	// not fail the gate.
	UndecidedWarns bool     `json:"undecided_warns,omitempty"`
	Findings       []Record `json:"findings"`
	// LeftOut says which runs the findings do not rest on, and why.
	LeftOut []string `json:"left_out"`
	Notes   []string `json:"notes"`
	// Figures are what each run had, in the order of Findings.
	Figures []Figures `json:"figures"`
}

// Side is one side's runs.
type Side struct {
	Name string   `json:"name"`
	Runs []string `json:"runs"`
}

// Figures are one rule's figures, in the metric's unit, run by run; null where
// a run has none or must not be used.
type Figures struct {
	Base []*float64 `json:"base"`
	Head []*float64 `json:"head"`
}

// Verdicts that only all findings together have.
const (
	NoBaseline Verdict = "no_baseline" // there was nothing to compare with
	Warned     Verdict = "warned"      // all holds but what only warns
)

// NewDocument is a document of what was found by a policy.
func NewDocument(p *Policy, c Comparison, findings []Finding) *Document {
	d := &Document{
		Schema: Schema, Verdict: NoBaseline, Paired: c.Paired, Risk: p.risk(), Power: p.power(),
		Base: Side{Runs: names(c.Base)}, Head: Side{Runs: names(c.Head)},
		Findings: []Record{}, LeftOut: []string{}, Notes: []string{}, Figures: []Figures{},
	}
	for i := range findings {
		f := &findings[i]
		d.Findings = append(d.Findings, f.Record())
		d.Figures = append(d.Figures, Figures{f.Rule.figures(c.Base), f.Rule.figures(c.Head)})
	}
	if len(findings) > 0 {
		d.Verdict = Overall(d.Findings)
		d.LeftOut = append(d.LeftOut, LeftOut(d.Findings)...)
		d.Notes = append(d.Notes, p.Levels(c.Paired, len(findings)))
	}
	return d
}

// Levels says how sure the intervals and the verdicts on some rules are, which is
// not alike.
func (p *Policy) Levels(paired bool, rules int) string {
	looks, shared := 1, ""
	if paired {
		looks = len(p.LookAt())
	}
	if looks > 1 {
		shared = fmt.Sprintf(", a part of the risk of %.3g%% for each of %d looks", 100*p.risk(), looks)
	}
	text := fmt.Sprintf("Each end of a change's interval has %.4g%% confidence by itself%s.", 100*(1-p.risk()/float64(looks)), shared)
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Risk > 0 {
			text += fmt.Sprintf(" Of %s it is %.4g%%.", r.Subject(), 100*(1-r.Risk/float64(looks)))
		}
	}
	if rules > 1 {
		text += fmt.Sprintf(" Verdicts share the risk among %d rules (Holm), so that one can be open although its interval is within the margin.", rules)
	}
	return text
}

func names(trials []Trial) []string {
	list := make([]string, len(trials))
	for i := range trials {
		list[i] = trials[i].Name
	}
	return list
}

func (r *Rule) figures(trials []Trial) []*float64 {
	list := make([]*float64, len(trials))
	for i := range trials {
		if v, why := r.Figure(&trials[i]); why == "" && len(trials[i].Invalid) == 0 {
			list[i] = &v
		}
	}
	return list
}
