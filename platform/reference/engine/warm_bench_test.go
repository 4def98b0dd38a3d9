package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// instant is a sandbox whose instances are ready and answer at once.
type instant struct{ clock clock.Monotonic }

type instantInstance struct {
	clock clock.Monotonic
	done  chan struct{}
}

func (s instant) Start(context.Context, string, *sandbox.Spec, sandbox.Initialization) (sandbox.Instance, error) {
	return &instantInstance{s.clock, make(chan struct{})}, nil
}

func (instant) Close() error { return nil }

func (in *instantInstance) AwaitReady(context.Context) (sandbox.Marks, error) {
	now := in.clock.Now()
	return sandbox.Marks{Begun: now, Provisioned: now, Ready: now, Attempts: 1}, nil
}

func (in *instantInstance) Invoke(_ context.Context, inv *sandbox.Invocation) (sandbox.Result, error) {
	return sandbox.Result{Body: inv.Payload, HandlerStart: in.clock.Now(), HandlerEnd: in.clock.Now()}, nil
}

func (in *instantInstance) Done() <-chan struct{} { return in.done }
func (in *instantInstance) Stop(bool) error       { return nil }
func (in *instantInstance) MaxMemory() int64      { return 0 }

// BenchmarkWarmInvoke is what the engine itself adds to a warm request.
func BenchmarkWarmInvoke(b *testing.B) {
	clk := clock.New()
	rt, err := engine.New(engine.Options{
		Sandboxes: map[string]sandbox.Sandbox{"instant": instant{clk}}, Clock: clk,
		Policy: lifecycle.Policy{KeepAlive: time.Hour, Concurrency: 1000},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer rt.Close(context.Background())
	fam, err := rt.Family("hello")
	if err != nil {
		b.Fatal(err)
	}
	v, err := fam.Add(b.Context(), sandbox.Spec{Function: platform.Function{Name: "hello", Runtime: platform.Go, Code: b.TempDir()}}, engine.Settings{})
	if err != nil {
		b.Fatal(err)
	}
	inv := engine.Invocation{Payload: []byte("{}")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Invoke(context.Background(), inv); err != nil {
			b.Fatal(err)
		}
	}
}
