// Package calibration owns how often a comparison is wrong.
//
// In: what is compared and how it is judged, and a function that makes one
// comparison whose truth is known: of a function with itself, or with itself
// really slowed down. Out: a file that has each outcome as soon as it is there,
// so that a calibration that ended early goes on where it was; of each effect
// how often it was called what, with exact bounds, and whether the gate keeps
// what it promises. It makes no run and judges none.
//
//	calibration.go  what is calibrated, and the outcome of a comparison
//	make.go         the comparisons that are missing, one after the other
//	log.go          the file of outcomes
//	document.go     rates and their bounds, which is what --json prints
package calibration

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/stats"
)

// Setup is what is calibrated. Outcomes of different setups do not count
// together.
type Setup struct {
	Metric   string  `json:"metric"`
	Start    string  `json:"start"`
	Margin   float64 `json:"margin"` // as in [gate.Rule]
	Risk     float64 `json:"risk"`   // nominal: the chance, at most, of a false alarm
	Power    float64 `json:"power"`  // the share of comparisons, at least, that find [Setup.Detect]
	Detect   float64 `json:"detect"` // an effect, a share of base's figure
	Looks    []int   `json:"looks"`
	Scenario string  `json:"scenario"` // the file's text
}

// Subject is the figure in words, as in "init.mean of cold".
func (s *Setup) Subject() string { return s.Metric + " of " + s.Start }

// differences name what is not the same, with both values: here, and in other.
func (s *Setup) differences(other *Setup) []string {
	var list []string
	compare := func(name string, here, there any) {
		if h, t := fmt.Sprint(here), fmt.Sprint(there); h != t {
			list = append(list, fmt.Sprintf("%s (%s, %s)", name, h, t))
		}
	}
	compare("metric", s.Subject(), other.Subject())
	compare("margin", s.Margin, other.Margin)
	compare("risk", s.Risk, other.Risk)
	compare("power", s.Power, other.Power)
	compare("the effect to detect", s.Detect, other.Detect)
	compare("looks", s.Looks, other.Looks)
	if s.Scenario != other.Scenario {
		list = append(list, "the scenario")
	}
	return list
}

// Task is a comparison that is to be made.
type Task struct {
	Effect float64 // share of base's figure by which head is slowed down; 0 for not at all
	Number int     // from 1, among those of the effect; 0 where it only measures the base
	Seed   uint64
	Delay  time.Duration // which that is
}

// Outcome is what was found in a comparison whose truth is known.
type Outcome struct {
	Effect  float64       `json:"effect"`
	Number  int           `json:"number"`
	Seed    uint64        `json:"seed"`
	Delay   time.Duration `json:"delay_ns"` // by which each of head's inits stood still
	Verdict gate.Verdict  `json:"verdict"`
	Change  *float64      `json:"change"` // as in [gate.Record]
	Lower   *float64      `json:"lower"`
	Upper   *float64      `json:"upper"`
	Pairs   [][2]float64  `json:"figures"` // base's and head's of each pair that has both
	Version string        `json:"coldcurve"`
	Began   time.Time     `json:"began"`
	Ended   time.Time     `json:"ended"`
	Load    float64       `json:"load"` // average of the last minute, when it ended; 0 is unknown
}

// Of is the outcome of a comparison by one rule that has come to its end.
func Of(t Task, d *comparison.Document, load float64) Outcome {
	f := &d.Findings[0]
	return Outcome{
		Effect: t.Effect, Number: t.Number, Seed: t.Seed, Delay: t.Delay,
		Verdict: f.Verdict, Change: f.Change, Lower: f.Lower, Upper: f.Upper, Pairs: f.Pairs,
		Version: d.Version, Began: d.Started, Ended: d.Ended, Load: load,
	}
}

// base is the median of base's figures; NaN where there is none.
func (o *Outcome) base() float64 {
	figures := make([]float64, len(o.Pairs))
	for i, p := range o.Pairs {
		figures[i] = p[0]
	}
	return stats.Median(figures)
}
