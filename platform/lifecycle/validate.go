package lifecycle

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// MaxSlots is the most slots that an instance can have: a place is kept for each.
const MaxSlots = math.MaxUint16

// faults collects what is wrong with a policy.
type faults []error

func (f *faults) add(format string, args ...any) {
	*f = append(*f, fmt.Errorf("lifecycle policy: "+format, args...))
}

// notNegative adds a fault where v is below 0; zero says what 0 means.
func notNegative[T int | time.Duration](f *faults, name string, v T, zero string) {
	if v < 0 {
		f.add("%s %v: must be at least %v%s", name, v, T(0), zero)
	}
}

// Validate gives every fault of the policy, joined, or nil.
func (p Policy) Validate() error {
	var f faults
	notNegative(&f, "concurrency", p.Concurrency, ", which is no limit")
	p.validateStarts(&f)
	notNegative(&f, "queue limit", p.QueueLimit, ", which is no queue")
	notNegative(&f, "queue timeout", p.QueueTimeout, ", which is no bound")
	p.validateSurvival(&f)
	p.validateRest(&f)
	p.validateSlots(&f)
	p.validateAhead(&f)
	p.validateHybrid(&f)
	p.Ping.validate(&f)
	return errors.Join(f...)
}

func (p Policy) validateStarts(f *faults) {
	notNegative(f, "start burst", p.StartBurst, ", which is no bound")
	notNegative(f, "start every", p.StartEvery, "")
	switch {
	case p.StartEvery < 0:
	case p.StartBurst > 0 && p.StartEvery == 0:
		f.add("start every 0s: must be positive with a start burst of %d", p.StartBurst)
	case p.StartBurst == 0 && p.StartEvery > 0:
		f.add("start every %v: needs a start burst of at least 1", p.StartEvery)
	case p.StartBurst > 0 && int64(p.StartBurst) > math.MaxInt64/int64(p.StartEvery):
		f.add("start burst %d: must be at most %d with start every %v, so that the bucket's refill fits a duration",
			p.StartBurst, math.MaxInt64/int64(p.StartEvery), p.StartEvery)
	}
}

func (p Policy) validateRest(f *faults) {
	notNegative(f, "pause after", p.PauseAfter, ", which is at once")
	switch {
	case !p.Pause && p.PauseAfter > 0:
		f.add("pause after %v: needs pause", p.PauseAfter)
	case p.Pause && p.longest() == 0:
		f.add("pause: needs a keep-alive, for without one nothing stands idle")
	case p.Pause && p.longest() > 0 && p.PauseAfter >= p.longest():
		f.add("pause after %v: must be below the keep-alive of %v, at which the instance goes", p.PauseAfter, p.longest())
	}
	if !(p.Noise >= 0 && p.Noise <= 1) { // also not a number
		f.add("noise %v: must be from 0 to 1", p.Noise)
	}
}

func (p Policy) validateSlots(f *faults) {
	notNegative(f, "slots", p.Slots, ", which is 1")
	if p.Slots > MaxSlots {
		f.add("slots %d: must be at most %d", p.Slots, MaxSlots)
	}
	if p.Slots > 1 && p.LateBinding {
		f.add("late binding with %d slots: leave it out: requests then share an instance that starts, and wait only where none has a slot left", p.Slots)
	}
}

func (p Policy) validateAhead(f *faults) {
	notNegative(f, "ahead retry", p.AheadRetry, ", which is 1s")
	notNegative(f, "period", p.Period, ", which is no repetition")
	if len(p.Provisioned) == 0 {
		if p.Period > 0 {
			f.add("period %v: needs provisioned levels that it repeats", p.Period)
		}
		return
	}
	if from := p.Provisioned[0].From; from != 0 {
		f.add("provisioned from %v: the first level must begin at 0s", from)
	}
	for k, level := range p.Provisioned {
		notNegative(f, "provisioned", level.Count, ", which is none")
		if k > 0 && level.From <= p.Provisioned[k-1].From {
			f.add("provisioned from %v: must be after the level from %v", level.From, p.Provisioned[k-1].From)
		}
	}
	if last := p.Provisioned[len(p.Provisioned)-1].From; p.Period > 0 && p.Period <= last {
		f.add("period %v: must be longer than %v, where the last level begins", p.Period, last)
	}
}

// longest is the longest idle spell; below 0 for ever or not known.
func (p Policy) longest() time.Duration {
	if p.Hybrid != nil {
		return -1
	}
	if n := len(p.Survival); n > 0 {
		return p.Survival[n-1].Idle
	}
	return p.KeepAlive
}
