package study

import (
	"cmp"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Crowding is how much starts of a measured run slowed each other, which is not
// simulated.
type Crowding struct {
	Alone   time.Duration `json:"alone_ns"`  // median of starts while no other one went on
	Beside  time.Duration `json:"beside_ns"` // and of those that met another
	NAlone  int           `json:"alone"`     // starts
	NBeside int           `json:"beside"`
}

// startSpan is when an instance started.
type startSpan struct{ begin, end time.Duration }

// startOf is the start that a cold request waited for. What the request took
// otherwise is put before it and behind it in halves, as far as nobody tells.
func startOf(s *sample.Sample) (startSpan, bool) {
	b := &s.Breakdown
	took := b.Provision + b.Boot + b.Init
	work, ok := s.Worked()
	if !ok || took == 0 || s.Believed() != sample.Cold {
		return startSpan{}, false
	}
	begin := s.Sent + b.Queue + max(0, s.Service()-b.Queue-took-work)/2
	return startSpan{begin, begin + took}, true
}

// crowdingOf tells starts that met others from those that did not.
func crowdingOf(starts []startSpan) *Crowding {
	slices.SortFunc(starts, func(a, b startSpan) int { return cmp.Compare(a.begin, b.begin) })
	var alone, beside []time.Duration
	ended := time.Duration(-1) // the latest end of those before
	for i, s := range starts {
		if s.begin < ended || i+1 < len(starts) && starts[i+1].begin < s.end {
			beside = append(beside, s.end-s.begin)
		} else {
			alone = append(alone, s.end-s.begin)
		}
		ended = max(ended, s.end)
	}
	if min(len(alone), len(beside)) < leastCold {
		return nil
	}
	return &Crowding{median(alone), median(beside), len(alone), len(beside)}
}

// median is the upper one of an even number of durations, which it sorts.
func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
