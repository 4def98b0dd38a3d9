package keepalive

import (
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/stats"
)

// confidence of every interval.
const confidence = .95

// Bracket is the longest gap up to which every instance was still there, and
// the shortest from which on none was; 0 for either where there is no such gap.
// Between them there was no probe, or some say one thing and some the other.
func Bracket(probes []Probe) (kept, gone time.Duration) {
	sorted := byGap(probes)
	for _, p := range sorted {
		if !p.Kept {
			break
		}
		kept = p.Gap
	}
	for _, p := range slices.Backward(sorted) {
		if p.Kept {
			break
		}
		gone = p.Gap
	}
	return kept, gone
}

// contradicted says whether a gap was outlived that is longer, and by more than
// clocks and timers may differ, than one that was not.
func contradicted(probes []Probe, tolerance time.Duration) bool {
	outlived, not := time.Duration(0), time.Duration(math.MaxInt64)
	for _, p := range probes {
		if p.Kept {
			outlived = max(outlived, p.Gap)
		} else {
			not = min(not, p.longest())
		}
	}
	return outlived > not && outlived-not > tolerance
}

// longest is the longest that the platform may have seen the instance idle.
func (p *Probe) longest() time.Duration { return max(p.Gap, p.AtMost) }

func byGap(probes []Probe) []Probe {
	sorted := slices.Clone(probes)
	slices.SortStableFunc(sorted, func(a, b Probe) int { return int(a.Gap - b.Gap) })
	return sorted
}

// Finding is what the probes say.
type Finding struct {
	// Kept is the longest idle time up to which every instance was still there,
	// Gone the shortest from which on none was; nil where there is no such time.
	// What is not known of how long the platform saw an instance idle is counted
	// against both: Kept is of probes' Gap, Gone of their AtMost.
	Kept *time.Duration `json:"kept_ns"`
	Gone *time.Duration `json:"gone_ns"`
	// Sudden is whether no probe contradicts another: then instances are kept
	// for one time, between Kept and Gone. Else they do not all live as long.
	Sudden bool `json:"sudden"`
	// KeptN probes were outlived, at the Points up to KeptTo: the share that is,
	// is at least KeptShare; of GoneN probes at those from GoneFrom on none was:
	// it is at most GoneShare. 95% one-sided limits by Clopper and Pearson. Where
	// the number is 0 there are no such points, and the gap is 0.
	KeptN     int           `json:"kept_n"`
	KeptTo    time.Duration `json:"kept_to_ns"`
	KeptShare float64       `json:"kept_share_at_least"`
	GoneN     int           `json:"gone_n"`
	GoneFrom  time.Duration `json:"gone_from_ns"`
	GoneShare float64       `json:"gone_share_at_most"`
	// Steps are the share still there by idle time, which can only fall.
	Steps []Step `json:"steps"`
	// Points are the gaps that were tried, each with its own interval.
	Points []Point `json:"points"`
}

// Step is a stretch of idle times in which the same share is still there.
type Step struct {
	From  time.Duration `json:"from_ns"` // gaps of the probes that it is of
	To    time.Duration `json:"to_ns"`
	N     int           `json:"n"`
	Share float64       `json:"share"`
}

// Point is the probes of one gap.
type Point struct {
	Asked time.Duration `json:"asked_ns"`
	N     int           `json:"n"`
	Kept  int           `json:"kept"`
	Share float64       `json:"share"`
	Lower float64       `json:"lower"` // 95%, Clopper and Pearson
	Upper float64       `json:"upper"`
}

// Falling are points, by gap, with what their intervals leave to a curve that only
// falls: a gap's lower limit holds for every shorter one, its upper limit for
// every longer one. All of them together are less sure than each by itself.
func Falling(points []Point) []Point {
	out := slices.Clone(points)
	for i := 1; i < len(out); i++ {
		out[i].Upper = min(out[i].Upper, out[i-1].Upper)
	}
	for i := len(out) - 2; i >= 0; i-- {
		out[i].Lower = max(out[i].Lower, out[i+1].Lower)
	}
	return out
}

// FindingOf is what probes say; what lies closer together than tolerance
// contradicts nothing.
func FindingOf(probes []Probe, tolerance time.Duration) Finding {
	kept, gone := Bracket(probes)
	f := Finding{Sudden: !contradicted(probes, tolerance), Steps: steps(probes), Points: points(probes)}
	if kept > 0 {
		f.Kept = &kept
	}
	if gone > 0 {
		latest := time.Duration(math.MaxInt64)
		for _, p := range probes {
			if p.Gap >= gone {
				latest = min(latest, p.longest())
			}
		}
		f.Gone = &latest
	}
	f.count()
	return f
}

// count finds the points of which every probe says the same. They go by the gap
// that was meant, so that a reader of the points finds the same.
func (f *Finding) count() {
	for _, o := range f.Points {
		if o.Kept < o.N {
			break
		}
		f.KeptN, f.KeptTo = f.KeptN+o.N, o.Asked
	}
	for _, o := range slices.Backward(f.Points) {
		if o.Kept > 0 {
			break
		}
		f.GoneN, f.GoneFrom = f.GoneN+o.N, o.Asked
	}
	f.GoneShare = 1
	if f.KeptN > 0 {
		f.KeptShare = 1 - stats.RateAtMost(0, uint64(f.KeptN), confidence)
	}
	if f.GoneN > 0 {
		f.GoneShare = stats.RateAtMost(0, uint64(f.GoneN), confidence)
	}
}

// steps estimate the share still there by idle time from probes that tell only
// whether an instance had outlived its gap (current status data): the
// nonparametric maximum of likelihood among curves that do not rise, by pooling
// neighbours that would. Source: Ayer, Brunk, Ewing, Reid and Silverman, Annals
// of Mathematical Statistics 26 (1955) 641-647.
func steps(probes []Probe) []Step {
	out := []Step{}
	for _, p := range byGap(probes) {
		step := Step{From: p.Gap, To: p.Gap, N: 1}
		if p.Kept {
			step.Share = 1
		}
		for len(out) > 0 && out[len(out)-1].Share <= step.Share {
			before := out[len(out)-1]
			n := before.N + step.N
			step = Step{From: before.From, To: step.To, N: n, Share: (before.Share*float64(before.N) + step.Share*float64(step.N)) / float64(n)}
			out = out[:len(out)-1]
		}
		out = append(out, step)
	}
	return out
}

// points are the probes by the gap that was meant, in its order.
func points(probes []Probe) []Point {
	out := []Point{}
	for _, p := range probes {
		i, found := slices.BinarySearchFunc(out, p.Asked, func(o Point, asked time.Duration) int { return int(o.Asked - asked) })
		if !found {
			out = slices.Insert(out, i, Point{Asked: p.Asked})
		}
		out[i].N++
		if p.Kept {
			out[i].Kept++
		}
	}
	for i := range out {
		o := &out[i]
		o.Share = float64(o.Kept) / float64(o.N)
		o.Lower, o.Upper = stats.ClopperPearson(uint64(o.Kept), uint64(o.N), confidence)
	}
	return out
}
