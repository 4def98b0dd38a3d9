package comparison

import (
	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/gate"
)

// Unpaired is what a gate has found between runs that were not made in pairs, with
// what else they show. It has no directory, and nothing can be added to it.
func Unpaired(policy *gate.Policy, base, head []baseline.Run, findings []gate.Record) (*Comparison, error) {
	c := &Comparison{policy: policy, sides: sides{unpaired: true}}
	var err error
	if c.base, c.usable.Base, err = usable(base); err != nil {
		return nil, err
	}
	if c.head, c.usable.Head, err = usable(head); err != nil {
		return nil, err
	}
	d := &c.Document
	d.State, d.Verdict = Complete, gate.Overall(findings)
	for _, f := range findings {
		d.Findings = append(d.Findings, Finding{Record: f})
	}
	d.Shifts, d.Colds = c.shifts(), c.colds()
	return c, nil
}

// usable are those runs that may be used.
func usable(runs []baseline.Run) (list []*baseline.Run, trials []gate.Trial, err error) {
	for i := range runs {
		t, err := runs[i].Trial()
		if err != nil {
			return nil, nil, err
		}
		if len(t.Invalid) == 0 {
			list, trials = append(list, &runs[i]), append(trials, t)
		}
	}
	return list, trials, nil
}
