package lifecycle_test

import (
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestBegin has a pool begin in the middle of its schedule's fourth period.
func TestBegin(t *testing.T) {
	p := lifecycle.New(lifecycle.Policy{
		KeepAlive:   time.Hour,
		Provisioned: []lifecycle.Level{{Count: 1}, {From: 8 * time.Hour, Count: 3}, {From: 20 * time.Hour, Count: 2}},
		Period:      24 * time.Hour,
		Ping:        lifecycle.Pings{Every: 5 * time.Hour, Count: 1},
	})
	count := func(actions []lifecycle.Action, kind lifecycle.ActionKind) (n int) {
		for _, a := range actions {
			if a.Kind == kind {
				n++
			}
		}
		return n
	}
	noon := 3*24*time.Hour + 12*time.Hour
	p.Begin(noon)
	first := p.Step(noon, lifecycle.Event{}, nil)
	if count(first, lifecycle.Start) != 3 || len(first) != 3 {
		t.Errorf("the first step gives %v, want the 3 starts of noon", first)
	}
	for _, a := range first {
		p.Step(noon, lifecycle.Event{Kind: lifecycle.Ready, Instance: a.Instance}, nil)
	}
	if got := p.Step(noon+5*time.Hour-1, lifecycle.Event{}, nil); len(got) != 0 {
		t.Errorf("before the first ping: %v", got)
	}
	if got := p.Step(noon+5*time.Hour, lifecycle.Event{}, nil); count(got, lifecycle.Ping) != 1 || len(got) != 1 {
		t.Errorf("at the first ping: %v", got)
	}
	if got := p.Step(noon+8*time.Hour, lifecycle.Event{}, nil); count(got, lifecycle.Reap) != 1 || len(got) != 1 {
		t.Errorf("at the evening's level: %v", got)
	}
}
