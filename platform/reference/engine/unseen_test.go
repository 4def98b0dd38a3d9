package engine_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// unseen is the failure of an instance that has ended with a request unfetched.
func unseen() error {
	return &sandbox.Failure{Kind: sample.Crash, Cause: errors.New("gone"), Type: "Runtime.ExitError", Message: "gone", Unfetched: true}
}

// TestUnseenRequestGoesToAnother has an instance end between two requests, in
// the moment in which the second is bound to it. One instance is all there may be.
func TestUnseenRequestGoesToAnother(t *testing.T) {
	one := 1
	box := slowStart()
	box.Handler = func(id string, inv *sandbox.Invocation, _ <-chan struct{}) ([]byte, error) {
		if string(inv.Payload) == "next" && id == "hello-1" {
			return nil, unseen()
		}
		return inv.Payload, nil
	}
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		if err := rt.reserve("hello", &one); err != nil {
			t.Fatal(err)
		}
		invoke(t, rt)
		out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{Payload: []byte("next")})
		if err != nil || out.Kind != sample.NoError || string(out.Body) != "next" {
			t.Fatalf("got %+v, %v; want an answer", out, err)
		}
		if out.Instance != "hello-2" || out.Start != sample.Cold {
			t.Errorf("served by %s, %v; want a cold start of hello-2", out.Instance, out.Start)
		}
		records, _ := rt.Instances()
		for _, r := range records {
			if r.Invocations != 1 {
				t.Errorf("%s is said to have had %d requests, want 1", r.ID, r.Invocations)
			}
		}
	})
}

// TestInstanceOfItsOwnIsTheLast has every instance end before it fetches: a
// request whose own start that befalls is told, and not started for again.
func TestInstanceOfItsOwnIsTheLast(t *testing.T) {
	var tries atomic.Int32
	box := slowStart()
	box.Handler = func(string, *sandbox.Invocation, <-chan struct{}) ([]byte, error) {
		tries.Add(1)
		return nil, unseen()
	}
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		if out := invoke(t, rt); out.Kind != sample.Crash || tries.Load() != 1 {
			t.Errorf("got %v after %d tries, want a crash after one", out.Kind, tries.Load())
		}
	})
}
