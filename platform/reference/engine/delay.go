package engine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/platform"
)

// StartDelay is an emulated distribution of how long an instance takes from the
// beginning of its start to its readiness: one that is ready sooner is reported
// ready only then. What is waited so counts as init, in the breakdown and in
// the bill. It stands for another platform's starts and is not measured here,
// which [Runtime.Notes] says.
type StartDelay struct {
	// Quantiles tell the distribution, by ascending Share. Between two of them
	// it is linear; below the first and above the last those hold.
	Quantiles []Quantile
	// Source and AsOf say where the distribution is written, and of when it is.
	Source, AsOf string
}

// Quantile is one point of a distribution.
type Quantile struct {
	Share float64       // of the starts that take Delay or less, 0 to 1
	Delay time.Duration // at least 0, and not less than a smaller share's
}

// Validate tells all faults at once.
func (d StartDelay) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf("start delay: "+format, args...)) }
	if len(d.Quantiles) == 0 {
		fault("no quantiles, at least 1")
	}
	before := Quantile{Share: -1}
	for _, q := range d.Quantiles {
		if !(q.Share >= 0 && q.Share <= 1) {
			fault("share %v is not from 0 to 1", q.Share)
		} else if q.Share <= before.Share {
			fault("share %v does not ascend from %v", q.Share, before.Share)
		}
		if q.Delay < before.Delay {
			fault("delay %v at share %v is less than %v", q.Delay, q.Share, before.Delay)
		}
		before = q
	}
	return errors.Join(errs...)
}

// At is the delay that a share, 0 to 1, of the starts do not exceed.
func (d StartDelay) At(share float64) time.Duration {
	i, exact := slices.BinarySearchFunc(d.Quantiles, share, func(q Quantile, share float64) int { return cmp.Compare(q.Share, share) })
	switch {
	case exact || i == 0:
		return d.Quantiles[i].Delay
	case i == len(d.Quantiles):
		return d.Quantiles[i-1].Delay
	}
	a, b := d.Quantiles[i-1], d.Quantiles[i]
	return a.Delay + time.Duration((share-a.Share)/(b.Share-a.Share)*float64(b.Delay-a.Delay))
}

// delays draws one function's start delays.
type delays struct {
	of  StartDelay
	rng *rand.Rand
}

// delaysOf gives nil where nothing is emulated.
func (rt *Runtime) delaysOf(fn platform.Function) *delays {
	d, emulated := rt.delay[fn.Runtime]
	if !emulated {
		return nil
	}
	return &delays{of: d, rng: stream.New(rt.seed, fn.Name, 0)}
}

func (d *delays) next() time.Duration {
	if d == nil {
		return 0
	}
	return d.of.At(d.rng.Float64())
}

// linger has an instance that is ready be so after a rest only; false if it or
// its version is gone before. Called without mu.
func (in *instance) linger(rest time.Duration) bool {
	if rest <= 0 {
		return true
	}
	over := time.NewTimer(rest)
	defer over.Stop()
	select {
	case <-over.C:
		in.marks.Ready = in.version.rt.clock.Now()
		return true
	case <-in.box.Done(): // whoever waits for it learns that from its first request
	case <-in.alive.Done():
	}
	return false
}

// Notes are what a reader of figures of this Runtime must know.
func (rt *Runtime) Notes() []string {
	var notes []string
	for _, runtime := range slices.Sorted(maps.Keys(rt.delay)) {
		d := rt.delay[runtime]
		note := "start delays"
		if runtime != "" {
			note += " of runtime " + string(runtime)
		}
		note += " are emulated, not measured"
		if d.Source != "" {
			note += ": " + d.Source
		}
		if d.AsOf != "" {
			note += ", as of " + d.AsOf
		}
		notes = append(notes, note)
	}
	notes = append(notes, rt.mischief.notes()...)
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return append(notes, rt.unpaused.notes()...)
}
