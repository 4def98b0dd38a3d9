package digest

import (
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// starts find out what made each cold start necessary: what had become of the
// function's instances when it began. Nothing is concluded from how long a
// request took.
type starts struct {
	lives map[string]*life // by instance; nil where the platform's times and ours are not of one clock
	cold  []sample.Sample  // held until the last answer of each instance is known
}

// life is an instance's, in offsets from the run's origin.
type life struct {
	function, reason string
	started          time.Duration
	last             time.Duration // end of its last request; 0 for none
}

func newStarts(m *rundir.Manifest, instances []platform.InstanceRecord) *starts {
	t := &starts{}
	if !m.Platform.Clock || m.MonotonicOrigin == 0 {
		return t
	}
	t.lives = make(map[string]*life)
	for _, i := range instances {
		t.lives[i.ID] = &life{function: i.Function, reason: i.Reason, started: time.Duration(i.Started - m.MonotonicOrigin)}
	}
	return t
}

func (t *starts) add(s *sample.Sample) {
	l := t.lives[s.Instance]
	if l == nil {
		return
	}
	l.last = max(l.last, s.Done)
	if s.Believed() == sample.Cold {
		t.cold = append(t.cold, *s)
	}
}

// settle tells each cold start's occasion.
func (t *starts) settle(tell func(*sample.Sample, sample.Occasion)) {
	occasions := t.occasions()
	for i := range t.cold {
		tell(&t.cold[i], occasions[t.lives[t.cold[i].Instance]])
	}
}

// occasions are what made each instance necessary. Of those that were started
// before it, the one that answered last tells: if that was later than the
// start, it was busy; else it could not serve any more, if it was only being
// put away, and the reason for that is the start's occasion.
func (t *starts) occasions() map[*life]sample.Occasion {
	all := make([]*life, 0, len(t.lives))
	for _, l := range t.lives {
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y *life) int { return int(x.started - y.started) })
	occasions := make(map[*life]sample.Occasion, len(all))
	latest := make(map[string]*life) // by function
	for _, l := range all {
		before := latest[l.function]
		occasions[l] = l.after(before)
		if before == nil || l.last > before.last {
			latest[l.function] = l
		}
	}
	return occasions
}

func (l *life) after(before *life) sample.Occasion {
	switch {
	case before == nil:
		return sample.Forced
	case before.last > l.started:
		return sample.Scaled
	}
	switch before.reason {
	case "idle":
		return sample.Idle
	case "evicted":
		return sample.Forced
	case "crash", "timeout", "oom", "init":
		return sample.Replaced
	}
	return sample.UnknownOccasion
}
