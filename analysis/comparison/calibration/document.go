package calibration

import (
	_ "embed"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/stats"
)

// Schema names a [Document].
const Schema = "coldcurve.calibration/v1"

//go:embed calibration.schema.json
var schemaJSON []byte

// SchemaJSON is the JSON Schema (draft 2020-12) of a [Document].
func SchemaJSON() []byte { return schemaJSON }

// confidence of each limit of a share, on its one side.
const confidence = .95

// Document is a calibration as it is printed.
type Document struct {
	Schema   string      `json:"schema"`
	Setup    Setup       `json:"setup"`
	Host     rundir.Host `json:"host"`
	Began    time.Time   `json:"began,omitzero"` // the first comparison
	Ended    time.Time   `json:"ended,omitzero"` // the last
	Versions []string    `json:"versions"`       // of coldcurve that made the comparisons
	Effects  []Effect    `json:"effects"`        // the least first
	Level    *Level      `json:"level"`          // nil where nothing was compared with itself
	// Held says that no promise is broken, as far as comparisons were made.
	Held bool `json:"held"`
}

// Effect is what was found where head was slowed down by so much.
type Effect struct {
	Effect      float64 `json:"effect"` // a share of base's figure; 0 for a function compared with itself
	Comparisons int     `json:"comparisons"`
	// Judged are the comparisons that count: where nothing was slowed down, those
	// whose runs could be used; else all, so that what could not be judged was not found.
	Judged   int                  `json:"judged"`
	Verdicts map[gate.Verdict]int `json:"verdicts"`
	// Share of the judged that were called regressed, a false alarm or a find;
	// AtLeast and AtMost are Clopper and Pearson's limits, each at 95% on its side.
	Share   float64 `json:"share"`
	AtLeast float64 `json:"at_least"`
	AtMost  float64 `json:"at_most"`
	// Injected is the delay as a share of base's figure, Change the estimate of
	// how much slower head was: medians over the comparisons, nil where unknown.
	Injected *float64      `json:"injected"`
	Change   *float64      `json:"change"`
	Pairs    int           `json:"pairs"`      // usable, median
	Most     int           `json:"pairs_most"` // usable, most
	Length   time.Duration `json:"length_ns"`  // of a comparison, median
	Load     [2]float64    `json:"load"`       // averages of a minute, least and most; 0 is unknown
	// Allowed is the most false alarms, Needed the least finds that the promise
	// lets pass; nil where nothing is promised.
	Allowed *int `json:"allowed"`
	Needed  *int `json:"needed"`
	Held    bool `json:"held"` // true also where nothing is promised
}

// Alarms are the comparisons that were called regressed.
func (e *Effect) Alarms() int { return e.Verdicts[gate.Regressed] }

// Level is what the test itself does where nothing was slowed down, without a
// margin and at the nominal risk: a margin hides alarms, and with them runs
// that are not independent.
type Level struct {
	Pairs       int `json:"pairs"`       // that are looked at, the first of each comparison
	Comparisons int `json:"comparisons"` // that have so many
	Slower      int `json:"slower"`      // in which head is called slower
	Faster      int `json:"faster"`      // and in which faster
	// Allowed is the most of either that the nominal risk lets pass.
	Allowed int `json:"allowed"`
}

// Document is what the outcomes come to.
func (l *Log) Document() *Document {
	d := &Document{Schema: Schema, Setup: l.Header.Setup, Host: l.Header.Host, Versions: []string{}, Effects: []Effect{}, Held: true}
	by := make(map[float64][]Outcome)
	var effects []float64
	for i := range l.Outcomes {
		o := &l.Outcomes[i]
		if by[o.Effect] == nil {
			effects = append(effects, o.Effect)
		}
		by[o.Effect] = append(by[o.Effect], *o)
		if !slices.Contains(d.Versions, o.Version) {
			d.Versions = append(d.Versions, o.Version)
		}
		if d.Began.IsZero() || o.Began.Before(d.Began) {
			d.Began = o.Began
		}
		if o.Ended.After(d.Ended) {
			d.Ended = o.Ended
		}
	}
	slices.Sort(effects)
	for _, effect := range effects {
		e := effectOf(&d.Setup, effect, by[effect])
		d.Effects = append(d.Effects, e)
		d.Held = d.Held && e.Held
	}
	d.Level = levelOf(&d.Setup, by[0])
	return d
}

func effectOf(s *Setup, effect float64, outcomes []Outcome) Effect {
	e := Effect{Effect: effect, Comparisons: len(outcomes), Judged: len(outcomes), Verdicts: make(map[gate.Verdict]int)}
	var injected, change, pairs, lengths, loads []float64
	for i := range outcomes {
		o := &outcomes[i]
		e.Verdicts[o.Verdict]++
		if base := o.base(); base > 0 {
			injected = append(injected, float64(o.Delay)/base)
		}
		if o.Change != nil {
			change = append(change, *o.Change)
		}
		pairs, lengths, loads = append(pairs, float64(len(o.Pairs))), append(lengths, float64(o.Ended.Sub(o.Began))), append(loads, o.Load)
	}
	if effect == 0 {
		e.Judged -= e.Verdicts[gate.Invalid] + e.Verdicts[gate.Incomparable]
	}
	if e.Judged > 0 {
		e.Share = float64(e.Alarms()) / float64(e.Judged)
	}
	e.AtLeast, e.AtMost = limits(e.Alarms(), e.Judged)
	e.Injected, e.Change = known(injected), known(change)
	e.Pairs, e.Most, e.Length = int(stats.Median(pairs)), int(slices.Max(pairs)), time.Duration(stats.Median(lengths))
	e.Load = [2]float64{slices.Min(loads), slices.Max(loads)}
	e.promise(s)
	return e
}

// promise holds the effect against what the setup promises of it.
func (e *Effect) promise(s *Setup) {
	e.Held = true
	switch e.Effect {
	case 0:
		allowed := allowed(e.Judged, s.Risk)
		e.Allowed, e.Held = &allowed, e.Alarms() <= allowed
	case s.Detect:
		needed := int(math.Ceil(s.Power*float64(e.Judged) - 1e-9))
		e.Needed, e.Held = &needed, e.Alarms() >= needed
	}
}

// allowed is the most alarms in so many comparisons that do not show, at 95%,
// that there are more than the risk makes: 6 in 60 at 5%.
func allowed(comparisons int, risk float64) int {
	alarms := 0
	for alarms < comparisons {
		if atLeast, _ := limits(alarms+1, comparisons); atLeast > risk {
			break
		}
		alarms++
	}
	return alarms
}

// limits are each at the confidence on its own side.
func limits(hits, trials int) (atLeast, atMost float64) {
	return stats.ClopperPearson(uint64(hits), uint64(trials), 2*confidence-1)
}

func known(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	m := stats.Median(values)
	return &m
}

// levelOf asks the pairs of the first look without a margin.
func levelOf(s *Setup, outcomes []Outcome) *Level {
	if len(outcomes) == 0 {
		return nil
	}
	level := &Level{Pairs: s.Looks[0]}
	for i := range outcomes {
		figures := outcomes[i].Pairs
		if len(figures) < level.Pairs {
			continue
		}
		slower, faster := make([]float64, level.Pairs), make([]float64, level.Pairs)
		for n := range level.Pairs {
			slower[n] = math.Log(figures[n][1] / figures[n][0])
			faster[n] = -slower[n]
		}
		level.Comparisons++
		if stats.SignedRankGreater(slower) <= s.Risk {
			level.Slower++
		}
		if stats.SignedRankGreater(faster) <= s.Risk {
			level.Faster++
		}
	}
	level.Allowed = allowed(level.Comparisons, s.Risk)
	return level
}
