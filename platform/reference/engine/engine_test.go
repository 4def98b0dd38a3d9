package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// start is what a start takes in these tests: 1 + 2 + 4 ms.
func slowStart() *memory.Sandbox {
	return &memory.Sandbox{Provision: time.Millisecond, Boot: 2 * time.Millisecond, Init: 4 * time.Millisecond}
}

// takes has the handler sleep for d.
func takes(d time.Duration) func(string, *sandbox.Invocation, <-chan struct{}) ([]byte, error) {
	return func(_ string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
		select {
		case <-time.After(d):
		case <-kill:
		}
		return inv.Payload, nil
	}
}

// run opens a Runtime with one function, hello, in a bubble, and sees to it
// that nothing is left of it in the end.
func run(t *testing.T, box *memory.Sandbox, policy lifecycle.Policy, test func(*testing.T, *host)) {
	t.Helper()
	bubble(t, box, engine.Options{Policy: policy}, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
		test(t, rt)
	})
}

// bubble is run without a function.
func bubble(t *testing.T, box *memory.Sandbox, o engine.Options, test func(*testing.T, *host)) {
	t.Helper()
	code := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		box.Clock = clock.New()
		o.Clock = box.Clock
		rt := open(t, box, o)
		rt.code = code
		test(t, rt)
		if err := rt.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if box.Len() != 0 || box.Kept() != 0 {
			t.Errorf("%d instances and %d stems and zygotes are left after Close", box.Len(), box.Kept())
		}
		records, _ := rt.Instances()
		for _, r := range records {
			if r.Gone == 0 || r.Reason == "" {
				t.Errorf("after Close instance %s has no end: %+v", r.ID, r)
			}
		}
	})
}

func invoke(t *testing.T, rt *host) engine.Outcome {
	t.Helper()
	out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{Payload: []byte("{}")})
	if err != nil {
		t.Fatalf("Invoke: %v", err)
	}
	return out
}

func TestColdThenWarmThenColdAgain(t *testing.T) {
	box := slowStart()
	box.Handler = takes(8 * time.Millisecond)
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		type seen struct {
			Start     sample.Start
			Instance  string
			Breakdown sample.Breakdown
			Billed    time.Duration
		}
		look := func() seen {
			out := invoke(t, rt)
			return seen{out.Start, out.Instance, out.Truth.Breakdown(), out.Billed}
		}
		const ms = time.Millisecond
		cold := sample.Breakdown{Provision: 1 * ms, Boot: 2 * ms, Init: 4 * ms, Handler: 8 * ms}
		warm := sample.Breakdown{Handler: 8 * ms}
		var got []seen
		got = append(got, look(), look())
		time.Sleep(time.Minute - time.Nanosecond)
		got = append(got, look())
		time.Sleep(time.Minute)
		got = append(got, look())
		want := []seen{
			{sample.Cold, "hello-1", cold, 14 * ms},
			{sample.Warm, "hello-1", warm, 8 * ms},
			{sample.Warm, "hello-1", warm, 8 * ms},
			{sample.Cold, "hello-2", cold, 14 * ms},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("served (-want +got):\n%s", diff)
		}
		synctest.Wait()
		records, _ := rt.Instances()
		if len(records) != 2 || records[0].Reason != "idle" || records[0].Invocations != 3 || records[0].Gone == 0 {
			t.Errorf("after its keep-alive the first instance is %+v", records)
		}
	})
}

// spike sends n requests at once and gives the outcomes that were served, and
// the errors.
func spike(ctx context.Context, rt *host, n int) (outs []engine.Outcome, errs []error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			out, err := rt.Invoke(ctx, "hello", engine.Invocation{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
			} else {
				outs = append(outs, out)
			}
		})
	}
	all.Wait()
	return outs, errs
}

func starts(outs []engine.Outcome) map[sample.Start]int {
	n := make(map[sample.Start]int)
	for _, out := range outs {
		n[out.Start]++
	}
	return n
}

func codes(t *testing.T, errs []error) map[string]int {
	t.Helper()
	n := make(map[string]int)
	for _, err := range errs {
		e, ok := errors.AsType[*engine.Error](err)
		if !ok {
			t.Fatalf("Invoke failed with a %T: %v", err, err)
		}
		n[fmt.Sprintf("%d %s", e.Code, e.Reason)]++
	}
	return n
}

func TestSpikeStartsOneInstanceForEach(t *testing.T) {
	box := slowStart()
	box.Handler = takes(10 * time.Millisecond)
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		outs, errs := spike(t.Context(), rt, 200)
		if got := starts(outs); got[sample.Cold] != 200 || len(errs) > 0 {
			t.Errorf("a spike of 200 was served %v with errors %v", got, errs)
		}
		if got := box.Peak(); got != 200 {
			t.Errorf("%d instances at once, want 200", got)
		}
		outs, _ = spike(t.Context(), rt, 200)
		if got := starts(outs); got[sample.Warm] != 200 {
			t.Errorf("the second spike was served %v", got)
		}
	})
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name   string
		policy lifecycle.Policy
		served map[sample.Start]int
		errs   map[string]int
	}{
		{"concurrency", lifecycle.Policy{Concurrency: 3, KeepAlive: time.Minute},
			map[sample.Start]int{sample.Cold: 3}, map[string]int{"4 ConcurrentInvocationLimitExceeded": 7}},
		{"concurrency and queue", lifecycle.Policy{Concurrency: 3, KeepAlive: time.Minute, QueueLimit: 5},
			map[sample.Start]int{sample.Cold: 3, sample.Queued: 5}, map[string]int{"4 ConcurrentInvocationLimitExceeded": 2}},
		{"start rate", lifecycle.Policy{StartBurst: 2, StartEvery: time.Second, KeepAlive: time.Minute},
			map[sample.Start]int{sample.Cold: 2}, map[string]int{"4 CallerRateLimitExceeded": 8}},
		{"queue timeout", lifecycle.Policy{Concurrency: 1, KeepAlive: time.Minute, QueueLimit: 20, QueueTimeout: 18 * time.Millisecond},
			map[sample.Start]int{sample.Cold: 1, sample.Queued: 1}, map[string]int{"4 ConcurrentInvocationLimitExceeded": 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			box := slowStart()
			box.Handler = takes(10 * time.Millisecond)
			run(t, box, tt.policy, func(t *testing.T, rt *host) {
				outs, errs := spike(t.Context(), rt, 10)
				if diff := cmp.Diff(tt.served, starts(outs)); diff != "" {
					t.Errorf("served (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.errs, codes(t, errs)); diff != "" {
					t.Errorf("refused (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestQueuedRequestHasOnlyItsOwnTimes(t *testing.T) {
	box := slowStart()
	box.Handler = takes(10 * time.Millisecond)
	run(t, box, lifecycle.Policy{Concurrency: 1, QueueLimit: 1, KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		outs, _ := spike(t.Context(), rt, 2)
		want := sample.Breakdown{Queue: 17 * time.Millisecond, Handler: 10 * time.Millisecond}
		for _, out := range outs {
			if out.Start == sample.Queued && out.Truth.Breakdown() != want {
				t.Errorf("a queued request's breakdown is %+v, want %+v", out.Truth.Breakdown(), want)
			}
		}
	})
}

func TestConcurrencyIsSharedByFunctions(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	code := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		box.Clock = clock.New()
		limits := engine.LambdaLimits()
		limits.Unreserved = 0
		rt := open(t, box, engine.Options{
			Clock: box.Clock, Limits: limits,
			Policy: lifecycle.Policy{Concurrency: 10, KeepAlive: time.Minute},
		})
		defer rt.Close(t.Context())
		for name, reserved := range map[string]int{"a": 0, "b": 0, "kept": 4} {
			rt.create(platform.Function{Name: name, Code: code, Timeout: time.Minute})
			if reserved > 0 {
				if err := rt.reserve(name, &reserved); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := make(map[string]int)
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 30 {
			name, pool := []string{"a", "b", "kept"}[i%3], []string{"shared", "shared", "kept"}[i%3]
			all.Go(func() {
				_, err := rt.Invoke(t.Context(), name, engine.Invocation{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got["served "+pool]++
					return
				}
				e, _ := errors.AsType[*engine.Error](err)
				got[e.Reason]++
			})
		}
		all.Wait()
		want := map[string]int{
			"served shared": 6, "served kept": 4,
			"ConcurrentInvocationLimitExceeded":                 14,
			"ReservedFunctionConcurrentInvocationLimitExceeded": 6,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a, b and kept (4 of 10 reserved), 10 requests each (-want +got):\n%s", diff)
		}
	})
}

func TestFailuresAreTheirRequestsOwn(t *testing.T) {
	fails := func(kind sample.ErrorKind, class string) func(string, *sandbox.Invocation, <-chan struct{}) ([]byte, error) {
		return func(id string, inv *sandbox.Invocation, _ <-chan struct{}) ([]byte, error) {
			if id == "hello-1" {
				return nil, &sandbox.Failure{Kind: kind, Cause: errors.New(class), Type: class, Message: "RequestId: " + inv.RequestID}
			}
			return inv.Payload, nil
		}
	}
	tests := []struct {
		kind   sample.ErrorKind
		class  string
		reason string // why hello-1 went; "" if it is still there
	}{
		{sample.Crash, "Runtime.ExitError", "crash"},
		{sample.OutOfMemory, "Runtime.OutOfMemory", "oom"},
		{sample.Timeout, "Sandbox.Timedout", "timeout"},
		{sample.Payload, "Function.ResponseSizeTooLarge", ""},
	}
	for _, tt := range tests {
		t.Run(tt.kind.String(), func(t *testing.T) {
			box := &memory.Sandbox{Handler: fails(tt.kind, tt.class)}
			run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
				first := invoke(t, rt)
				if first.Kind != tt.kind || first.FunctionError != "Unhandled" || first.Start != sample.Cold {
					t.Errorf("the first request ended as %+v", first)
				}
				if want := fmt.Sprintf(`{"errorType":%q,"errorMessage":"RequestId: %s"}`, tt.class, first.RequestID); string(first.Body) != want {
					t.Errorf("error document %s, want %s", first.Body, want)
				}
				second := invoke(t, rt)
				wantInstance, wantStart := "hello-2", sample.Cold
				if tt.reason == "" {
					wantInstance, wantStart = "hello-1", sample.Warm
				}
				if tt.reason != "" && (second.Kind != sample.NoError || string(second.Body) != "{}") {
					t.Errorf("the second request ended as %+v", second)
				}
				if second.Instance != wantInstance || second.Start != wantStart {
					t.Errorf("the second request was served %v by %s", second.Start, second.Instance)
				}
				synctest.Wait()
				if records, _ := rt.Instances(); records[0].Reason != tt.reason {
					t.Errorf("hello-1 went for %q, want %q", records[0].Reason, tt.reason)
				}
			})
		})
	}
}

func TestTimeoutEndsAtTheFunctionsLimit(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Hour)}
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		before := time.Now()
		out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{Tail: true})
		if err != nil || out.Kind != sample.Timeout || time.Since(before) != 30*time.Second {
			t.Errorf("after %v: %+v, %v", time.Since(before), out, err)
		}
		if out.Billed != 30*time.Second || !bytes.HasSuffix(out.Log, []byte("\tStatus: timeout\n")) {
			t.Errorf("billed %v, log %q", out.Billed, out.Log)
		}
		if want := "Z " + out.RequestID + " Task timed out after 30.00 seconds\n\nEND RequestId: "; !strings.Contains(string(out.Log), want) {
			t.Errorf("log %q has no %q", out.Log, want)
		}
	})
}

// picky is a sandbox of one runtime.
type picky struct {
	*memory.Sandbox
	runtime platform.Runtime
}

func (p picky) Runs(r platform.Runtime) bool { return r == p.runtime }

func TestSandboxThatRunsTheRuntimeIsChosen(t *testing.T) {
	usual, suited := &memory.Sandbox{Clock: clock.New()}, &memory.Sandbox{Clock: clock.New()}
	rt := open(t, nil, engine.Options{
		Sandboxes: map[string]sandbox.Sandbox{"process": picky{usual, platform.Go}, "wasm": picky{suited, platform.Wasm}},
		Default:   "process", Suited: map[platform.Runtime]string{platform.Image: "container"},
		Policy: lifecycle.Policy{KeepAlive: time.Minute}, // else they may be gone when they are looked for
	})
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	rt.code = t.TempDir()
	for _, tt := range []struct {
		fn   platform.Function
		want string // of the refusal; "" is none
		box  *memory.Sandbox
	}{
		{platform.Function{Name: "go", Runtime: platform.Go}, "", usual},
		{platform.Function{Name: "module", Runtime: platform.Wasm}, "", suited},
		{platform.Function{Name: "picture", Runtime: platform.Image, Image: "any"}, "coldcurve serve --sandbox process,wasm,container", nil},
		{platform.Function{Name: "wrong", Runtime: platform.Wasm, Sandbox: "process"}, "the process sandbox does not run wasm; name another one of process,wasm, or none", nil},
	} {
		fam, err := rt.Family(tt.fn.Name)
		if err != nil {
			t.Fatal(err)
		}
		tt.fn.Code = rt.code
		v, err := fam.Add(t.Context(), sandbox.Spec{Function: tt.fn}, engine.Settings{})
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", tt.fn.Name, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Invoke(t.Context(), engine.Invocation{}); err != nil {
			t.Error(err)
		}
		if tt.box.Len() != 1 {
			t.Errorf("%s: %d instances in its sandbox, want 1", tt.fn.Name, tt.box.Len())
		}
	}
}

func TestFailedStart(t *testing.T) {
	refusal := &sandbox.Failure{Kind: sample.Init, Cause: errors.New("exit status 7"), Type: "Runtime.ExitError", Message: "exit status 7"}
	t.Run("in init", func(t *testing.T) {
		box := slowStart()
		box.InitErr = func(id string) error {
			if id == "hello-1" {
				return refusal
			}
			return nil
		}
		run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
			out := invoke(t, rt)
			if out.Kind != sample.Init || out.FunctionError != "Unhandled" || out.Start != sample.Cold || out.Billed != 6*time.Millisecond {
				t.Errorf("the request of a failed start ended as %+v", out)
			}
			if out := invoke(t, rt); out.Kind != sample.NoError || out.Start != sample.Cold || out.Instance != "hello-2" {
				t.Errorf("the request after it ended as %+v", out)
			}
			records, _ := rt.Instances()
			if records[0].Reason != "init" {
				t.Errorf("the failed instance is %+v", records[0])
			}
		})
	})
	t.Run("in the sandbox", func(t *testing.T) {
		box := slowStart()
		box.StartErr = func(string) error { return errors.New("no more processes") }
		run(t, box, lifecycle.Policy{}, func(t *testing.T, rt *host) {
			_, errs := spike(t.Context(), rt, 3)
			if diff := cmp.Diff(map[string]int{fmt.Sprintf("%d ", engine.Unavailable): 3}, codes(t, errs)); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	})
}

// TestFailedStartIsTold: a request that fails with a start has that start's
// times, whichever way requests are bound.
func TestFailedStartIsTold(t *testing.T) {
	for _, late := range []bool{false, true} {
		box := slowStart()
		box.InitErr = func(string) error {
			return &sandbox.Failure{Kind: sample.Init, Cause: errors.New("exit status 7"), Type: "Runtime.ExitError"}
		}
		run(t, box, lifecycle.Policy{LateBinding: late}, func(t *testing.T, rt *host) {
			out := invoke(t, rt)
			want := sample.Breakdown{Provision: time.Millisecond, Boot: 2 * time.Millisecond, Init: 4 * time.Millisecond}
			if got := out.Truth.Breakdown(); got != want || out.Truth.Assigned != out.Truth.Arrived {
				t.Errorf("late binding %v: breakdown %+v, want %+v; truth %+v", late, got, want, out.Truth)
			}
		})
	}
}

func TestKilledIdleInstanceIsReplaced(t *testing.T) {
	box := &memory.Sandbox{}
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		invoke(t, rt)
		box.Kill("hello-1")
		synctest.Wait()
		if out := invoke(t, rt); out.Start != sample.Cold || out.Instance != "hello-2" {
			t.Errorf("after the kill: served %v by %s", out.Start, out.Instance)
		}
		if records, _ := rt.Instances(); records[0].Reason != "crash" {
			t.Errorf("the killed instance is %+v", records[0])
		}
	})
}

func TestKilledBusyInstanceLosesItsRequestOnly(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		time.AfterFunc(time.Millisecond, func() { box.Kill("hello-2") })
		outs, errs := spike(t.Context(), rt, 3)
		kinds := make(map[sample.ErrorKind]int)
		for _, out := range outs {
			kinds[out.Kind]++
		}
		if kinds[sample.Crash] != 1 || kinds[sample.NoError] != 2 || len(errs) > 0 {
			t.Errorf("kinds %v, errors %v", kinds, errs)
		}
	})
}

func TestCallerThatGivesUp(t *testing.T) {
	t.Run("while its instance starts", func(t *testing.T) {
		box := slowStart()
		run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := rt.Invoke(ctx, "hello", engine.Invocation{})
			if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Cancelled {
				t.Errorf("error %v, want Cancelled", err)
			}
			time.Sleep(time.Second)
			if out := invoke(t, rt); out.Start != sample.Warm || out.Instance != "hello-1" {
				t.Errorf("the instance that it had ordered: %v start on %s", out.Start, out.Instance)
			}
		})
	})
	t.Run("while it is served", func(t *testing.T) {
		box := &memory.Sandbox{Handler: takes(time.Second)}
		run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if out, err := rt.Invoke(ctx, "hello", engine.Invocation{}); err != nil || out.Truth.Duration() != time.Second {
				t.Errorf("the invocation did not go on: %+v, %v", out, err)
			}
			if out := invoke(t, rt); out.Start != sample.Warm {
				t.Errorf("its instance was not freed: %v", out.Start)
			}
		})
	})
}

func TestEvict(t *testing.T) {
	box := slowStart()
	run(t, box, lifecycle.Policy{KeepAlive: time.Hour}, func(t *testing.T, rt *host) {
		spike(t.Context(), rt, 5)
		if err := rt.version("hello").Evict(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := box.Len(); n != 0 {
			t.Errorf("%d instances after Evict", n)
		}
		if out := invoke(t, rt); out.Start != sample.Cold {
			t.Errorf("start after Evict: %v", out.Start)
		}
	})
}

func TestDelete(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	run(t, box, lifecycle.Policy{KeepAlive: time.Hour, Concurrency: 2, QueueLimit: 2}, func(t *testing.T, rt *host) {
		var outs []engine.Outcome
		var errs []error
		var sent sync.WaitGroup
		sent.Go(func() { outs, errs = spike(t.Context(), rt, 4) })
		synctest.Wait()
		if err := rt.families["hello"].Remove(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent.Wait()
		if len(outs) != 2 || len(errs) != 2 || box.Len() != 0 {
			t.Errorf("Delete: %d requests ended, %d were refused, %d instances are left; want 2, 2, 0", len(outs), len(errs), box.Len())
		}
		if _, err := rt.Invoke(t.Context(), "hello", engine.Invocation{}); err == nil {
			t.Error("a deleted function was invoked")
		}
		if err := rt.families["hello"].Remove(t.Context()); err != nil {
			t.Errorf("a deleted function was deleted again: %v", err)
		}
	})
}

func TestDeleteKillsWhatDoesNotEnd(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(20 * time.Second)}
	run(t, box, lifecycle.Policy{KeepAlive: time.Hour}, func(t *testing.T, rt *host) {
		var outs []engine.Outcome
		var sent sync.WaitGroup
		sent.Go(func() { outs, _ = spike(t.Context(), rt, 1) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := rt.families["hello"].Remove(ctx); err != nil {
			t.Fatal(err)
		}
		sent.Wait()
		if len(outs) != 1 || outs[0].Kind != sample.Crash || outs[0].Truth.Duration() != time.Second {
			t.Errorf("the request under way ended as %+v", outs)
		}
	})
}

func TestCloseLetsRequestsEnd(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	run(t, box, lifecycle.Policy{KeepAlive: time.Hour}, func(t *testing.T, rt *host) {
		var outs []engine.Outcome
		var sent sync.WaitGroup
		sent.Go(func() { outs, _ = spike(t.Context(), rt, 3) })
		synctest.Wait()
		if err := rt.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent.Wait()
		for _, out := range outs {
			if out.Kind != sample.NoError {
				t.Errorf("a request under way ended as %v", out.Kind)
			}
		}
		if _, err := rt.Invoke(t.Context(), "hello", engine.Invocation{}); err == nil {
			t.Error("a closed runtime took a request")
		}
	})
}

func TestOptionsTellEveryFault(t *testing.T) {
	err := engine.Options{History: -1, Policy: lifecycle.Policy{Concurrency: -1, QueueLimit: -1}}.Validate()
	if err == nil {
		t.Fatal("no fault")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, "engine: ") {
			t.Errorf("line %q does not say whose it is", line)
		}
	}
	if len(lines) != 4 {
		t.Errorf("%d faults, want 4: %q", len(lines), lines)
	}
}
