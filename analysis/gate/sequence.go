package gate

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/stats"
)

// Sequence judges a comparison of pairs that grows. The data are looked at a few
// times, each look spends an equal part of the risk, and a rule that has its
// verdict at a look keeps it: later pairs do not take it back.
type Sequence struct {
	policy   *Policy
	taken    int // looks
	findings []Finding
	plans    stats.Planner
}

// NewSequence begins a comparison by a policy, which the sequence keeps.
func NewSequence(p *Policy) *Sequence { return &Sequence{policy: p} }

// Next is the number of pairs at which the next look is due; 0 after the last.
// A look that came before its time (as when the time was up) takes the place of
// the one that was due.
func (s *Sequence) Next() int {
	looks := s.policy.LookAt()
	if s.taken == len(looks) {
		return 0
	}
	return looks[s.taken]
}

// Look takes a look at the pairs so far and gives what is found by now. When a
// look is taken must not depend on what the data say. It panics after the last.
func (s *Sequence) Look(c Comparison) []Finding {
	looks := s.policy.LookAt()
	if s.taken == len(looks) {
		panic(fmt.Sprintf("gate: a look after the last of %d", len(looks)))
	}
	c.Paired, c.Plans = true, &s.plans
	s.taken++
	now := Judge(s.policy, c, Look{Number: s.taken, Of: len(looks)})
	for i := range now {
		now[i].Look = usable(c)
		if s.findings != nil && s.findings[i].Verdict.Decided() {
			now[i] = s.findings[i]
		}
	}
	s.findings = now
	return now
}

// usable is the number of pairs of which both runs may be used.
func usable(c Comparison) int {
	n := 0
	for i := range min(len(c.Base), len(c.Head)) {
		if len(c.Base[i].Invalid)+len(c.Head[i].Invalid) == 0 {
			n++
		}
	}
	return n
}

// Settled says whether more pairs could not change a verdict: each rule has its
// own, or has its figure in no run at all.
func (s *Sequence) Settled() bool {
	for i := range s.findings {
		f := &s.findings[i]
		if !f.Verdict.Decided() && (f.Runs[0] > 0 || len(f.Left[0].Runs)+len(f.Left[1].Runs) == 0) {
			return false
		}
	}
	return s.findings != nil
}

// Glance gives what is found by now without a look: the verdicts of the looks
// so far, and of the other rules estimates over all pairs without a verdict,
// for reasons that why gives.
func (s *Sequence) Glance(c Comparison, why string) []Finding {
	c.Paired, c.Plans = true, &s.plans
	now := Judge(s.policy, c, Look{Number: 1, Of: len(s.policy.LookAt())})
	for i := range now {
		f := &now[i]
		switch {
		case s.findings != nil && s.findings[i].Verdict.Decided():
			*f = s.findings[i]
		case f.Verdict == Regressed || f.Verdict == Improved || f.Verdict == Equivalent:
			f.Verdict, f.Why = Inconclusive, why
		}
	}
	return now
}
