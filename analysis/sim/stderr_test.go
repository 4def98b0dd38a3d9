package sim_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// every is a request after each gap.
func every(name string, span time.Duration, gaps ...time.Duration) sim.Load {
	return sim.Load{Name: name, Span: span, Arrivals: func(*rand.Rand) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			at := time.Duration(0)
			for k := 0; ; k++ {
				if at += gaps[k%len(gaps)]; at >= span || !yield(at) {
					return
				}
			}
		}
	}}
}

// TestErrorNeedsBatchesThatDiffer: an error of 0 would say that the share is
// certain.
func TestErrorNeedsBatchesThatDiffer(t *testing.T) {
	options := sim.Options{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(t, "const:100ms")}
	const week = 7 * 24 * time.Hour
	for _, c := range []struct {
		name string
		load sim.Load
		told bool
	}{
		{"one request", every("f", week, 80*time.Hour), false},
		{"five batches of 32", every("f", week, 30*time.Hour, time.Minute), false},
		{"all cold", every("f", week, time.Hour), false},
		{"none cold", every("f", week, time.Minute), false},
		{"some cold in all batches", every("f", week, time.Minute, time.Hour, 2*time.Minute, 17*time.Minute, time.Minute), true},
	} {
		r, err := sim.Events(context.Background(), c.load, options)
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests == 0 || (r.PColdStderr != nil) != c.told {
			t.Errorf("%s: %d of %d are cold, standard error %v, want one: %v", c.name, r.Cold, r.Requests, r.PColdStderr, c.told)
		}
		if r.PColdStderr != nil && !(*r.PColdStderr > 0) {
			t.Errorf("%s: standard error %v", c.name, *r.PColdStderr)
		}
	}
}

// TestErrorOfManyFunctions: those that cannot tell theirs make the sum's
// greater, and leave it without one where they are not few.
func TestErrorOfManyFunctions(t *testing.T) {
	options := sim.Options{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(t, "const:100ms")}
	const week = 7 * 24 * time.Hour
	busy, rare := every("busy", week, time.Minute, 17*time.Minute, time.Minute, time.Minute, 29*time.Minute), every("rare", week, 30*time.Hour)
	stderr := func(loads ...sim.Load) *float64 {
		r, err := sim.Run(context.Background(), func(yield func(*sim.Job, error) bool) {
			for _, l := range loads {
				if !yield(&sim.Job{Load: l, Options: options}, nil) {
					return
				}
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.PColdStderr
	}
	alone, few := stderr(busy), stderr(busy, rare)
	if alone == nil || few == nil || *few <= *alone {
		t.Errorf("standard error %v alone, %v beside a function that has none: want a greater one", alone, few)
	}
	if many := stderr(rare, rare, rare); many != nil {
		t.Errorf("standard error %v of functions of five requests each, want none", *many)
	}
}
