package docker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// contained is what the container sandbox's instances are.
type contained interface {
	sandbox.Instance
	sandbox.Pauser
	Birth() container.Birth
	StartedAt() (time.Time, error)
}

// box is a container that serves one request at a time.
type box struct {
	p     *Platform
	in    contained
	life  *life
	epoch int       // the deployment's, when its start began
	begun time.Time // its start, by the wall clock too; zero once the engine has been asked about it

	pausing sync.Mutex // held while the engine pauses or resumes it
	idle    atomic.Bool
	paused  bool
	gone    atomic.Bool
}

// short is as much of a container's id as Docker's own commands print.
func short(id string) string { return id[:min(len(id), 12)] }

// rest pauses the container, unless a request has come meanwhile.
func (b *box) rest() {
	b.pausing.Lock()
	defer b.pausing.Unlock()
	if !b.idle.Load() || b.gone.Load() {
		return
	}
	err := b.in.Pause()
	b.paused = err == nil
	if err != nil && !b.gone.Load() {
		b.p.restless.Add(1)
	}
}

// wake has the container take a request, and says what that took. A pause that
// is under way is waited for.
func (b *box) wake() (platform.Evidence, error) {
	begun := b.p.clock.Now()
	b.idle.Store(false)
	b.pausing.Lock()
	defer b.pausing.Unlock()
	e := platform.Evidence{Start: sample.Warm, Grade: sample.Observed, Instance: b.name()}
	if !b.paused {
		return e, nil
	}
	if err := b.in.Resume(); err != nil {
		return platform.Evidence{Instance: b.name()}, &sandbox.Failure{Kind: sample.Platform, Cause: err}
	}
	b.paused = false
	e.Start, e.Breakdown.Provision = sample.Restored, time.Duration(b.p.clock.Now()-begun)
	return e, nil
}

// dead says that the container has ended by itself.
func (b *box) dead() bool {
	select {
	case <-b.in.Done():
		return true
	default:
		return false
	}
}

func (b *box) name() string {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	return b.life.ID
}

// discard removes the container; the reason is that of the first call. A pause
// that is under way is waited for: an engine does one thing at a time well.
func (b *box) discard(reason string) error {
	first := !b.gone.Swap(true)
	b.pausing.Lock()
	defer b.pausing.Unlock()
	err := b.in.Stop(false)
	if first {
		at, peak := b.p.clock.Now(), b.in.MaxMemory()
		b.note(func(l *life) { l.Gone, l.Reason, l.MaxMemory = at, reason, peak })
	}
	return err
}

// note changes the container's record.
func (b *box) note(change func(*life)) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	change(b.life)
}

// start makes a container for a request and waits until its function is ready.
// The evidence lacks what prove adds; it is meaningful beside an error, too.
func (d *deployment) start() (*box, platform.Evidence, error) {
	ctx, cancel := context.WithTimeout(d.life, d.p.options.Start)
	defer cancel()
	d.mu.Lock()
	epoch := d.epoch
	d.mu.Unlock()
	begun := time.Now()
	in, err := d.p.sandbox.Start(ctx, d.p.next(d.function.Name), d.spec, sandbox.OnDemand)
	if err != nil {
		d.mu.Lock()
		d.taken--
		d.mu.Unlock()
		return nil, platform.Evidence{}, d.startError(ctx, err)
	}
	b := d.adopt(in.(contained), epoch, begun)
	marks, err := b.in.AwaitReady(ctx)
	e := b.born(marks)
	if err != nil {
		err = d.startError(ctx, err)
	}
	return b, e, err
}

// adopt takes a container that runs among the function's.
func (d *deployment) adopt(in contained, epoch int, begun time.Time) *box {
	b := &box{p: d.p, in: in, life: &life{in: in}, epoch: epoch, begun: begun}
	b.life.ID, b.life.Function, b.life.Started = short(in.Birth().Container), d.function.Name, d.p.clock.At(begun)
	d.mu.Lock()
	d.boxes[b] = struct{}{}
	d.mu.Unlock()
	d.p.mu.Lock()
	defer d.p.mu.Unlock()
	d.p.lives = append(d.p.lives, b.life)
	return b
}

// born writes down how the container came to be, and gives what of it is told
// with the answer.
func (b *box) born(m sandbox.Marks) platform.Evidence {
	birth := b.in.Birth()
	ready := max(m.Ready, m.Failed)
	e := platform.Evidence{Instance: short(birth.Container), Breakdown: sample.Breakdown{
		Provision: between(m.Begun, m.Provisioned), Boot: between(m.Provisioned, m.Booted),
		Init: between(max(m.Provisioned, m.Booted), ready),
	}}
	b.note(func(l *life) {
		l.kind = sample.Cold
		if birth.Ahead {
			l.kind = sample.Prewarmed
		}
		l.ID, l.InitAttempts = e.Instance, m.Attempts
		l.Started, l.Created, l.Provisioned, l.Booted, l.Ready = m.Begun, birth.Created, m.Provisioned, m.Booted, m.Ready
		l.created, l.started = between(m.Begun, birth.Created), between(birth.Created, m.Provisioned)
	})
	return e
}

// prove adds to the evidence of the request that the container was started for
// what kind of start that was, unless the engine denies that it began to run the
// container since then, or does not say.
func (b *box) prove(e *platform.Evidence) {
	at, err := b.in.StartedAt()
	switch {
	case err != nil:
		b.p.unproved.Add(1)
	case at.Before(b.begun) || at.After(time.Now()):
		b.p.disproved.Add(1)
	default:
		b.note(func(l *life) { e.Start, e.Grade = l.kind, sample.Observed })
	}
	b.begun = time.Time{}
}

// between is 0 where either instant is not known.
func between(from, to int64) time.Duration {
	if from == 0 || to == 0 {
		return 0
	}
	return time.Duration(max(0, to-from))
}
