//go:build linux

package reference_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// answer is what a request got.
type answer struct {
	platform.Response
	err error
}

// burst sends n requests at once.
func burst(ctx context.Context, d platform.Deployment, n int, payload string) []answer {
	return burstWith(ctx, d, n, payload, nil)
}

// burstWith calls failed, unless it is nil, for each request that fails.
func burstWith(ctx context.Context, d platform.Deployment, n int, payload string, failed func()) []answer {
	answers := make([]answer, n)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i].Response, answers[i].err = d.Invoke(ctx, platform.Request{Payload: []byte(payload)})
			if answers[i].err != nil && failed != nil {
				failed()
			}
		})
	}
	all.Wait()
	return answers
}

// after has the nth call do something.
func after(n int, do func()) func() {
	var calls atomic.Int64
	return func() {
		if calls.Add(1) == int64(n) {
			do()
		}
	}
}

func TestSpikeOf200StartsAnInstanceForEach(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, gated(t))
	serving := pid(t, client)

	const n = 200
	gate, payload := newGate(t)
	var answers []answer
	var sent sync.WaitGroup
	sent.Go(func() { answers = burst(t.Context(), d, n, payload) })
	awaitHeld(t, gate, n) // so that none has found an instance idle
	processes := descendants(t, serving)
	if err := gate.Open(); err != nil {
		t.Fatal(err)
	}
	sent.Wait()
	instances := make(map[string]bool)
	for _, a := range answers {
		if a.err != nil {
			t.Errorf("Invoke: %v", a.err)
		}
		if a.Evidence.Start != sample.Cold || a.Evidence.Grade != sample.Attested {
			t.Errorf("start %v (%v), want cold (attested)", a.Evidence.Start, a.Evidence.Grade)
		}
		if b := a.Evidence.Breakdown; b.Provision <= 0 || b.Boot+b.Init <= 0 || b.Handler <= 0 {
			t.Errorf("breakdown %+v", b)
		}
		instances[a.Evidence.Instance] = true
	}
	if len(instances) != n || len(processes) != n {
		t.Errorf("%d instances and %d processes, want %d", len(instances), len(processes), n)
	}

	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	if left := running(processes); len(left) > 0 {
		t.Errorf("after Remove, still running: %v", left)
	}
	records, err := client.Instances(t.Context())
	if err != nil || len(records) != n {
		t.Fatalf("%d records of %d instances, %v", len(records), n, err)
	}
	for _, r := range records {
		if !instances[r.ID] || r.Invocations != 1 || r.Reason != "evicted" ||
			r.Started > r.Provisioned || r.Provisioned > r.Ready || r.Ready > r.Gone {
			t.Errorf("record %+v", r)
		}
	}
}

func TestTimesAreOfThisMachinesClock(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, build(t, "hello", platform.Go))
	clk := clock.New()
	before := clk.Now()
	a := burst(t.Context(), d, 1, `{}`)[0]
	after := clk.Now()
	if a.err != nil {
		t.Fatal(a.err)
	}
	records, err := client.Instances(t.Context())
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	if r := records[0]; r.Started < before || r.Ready > after {
		t.Errorf("the instance lived in [%d, %d] between %d and %d of the caller's", r.Started, r.Ready, before, after)
	}
	if done := clk.At(a.FirstByte); done < records[0].Ready || done > after {
		t.Errorf("first byte at %d, not in [%d, %d]", done, records[0].Ready, after)
	}
	b := a.Evidence.Breakdown
	if sum := b.Queue + b.Provision + b.Boot + b.Init + b.Handler; sum > time.Duration(after-before) {
		t.Errorf("the parts take %v, the whole took %v", sum, time.Duration(after-before))
	}
	if a.Billed <= 0 || a.Billed%time.Millisecond != 0 || a.Billed < b.Boot+b.Init+b.Handler {
		t.Errorf("billed %v for %+v", a.Billed, b)
	}
}

func TestEveryRuntimeIsColdThenWarm(t *testing.T) {
	for _, runtime := range []platform.Runtime{platform.Go, platform.NodeJS, platform.Python} {
		t.Run(string(runtime), func(t *testing.T) {
			fn := build(t, "hello", runtime)
			client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
			d := deploy(t, client, fn)
			for _, want := range []sample.Start{sample.Cold, sample.Warm} {
				r, err := d.Invoke(t.Context(), platform.Request{Payload: fixtures.Payload("hello")})
				if err != nil || r.Evidence.Start != want || !json.Valid(r.Body) {
					t.Errorf("want %v: %+v %s, %v", want, r.Evidence, r.Body, err)
				}
			}
		})
	}
}

func TestEvictMakesTheNextStartCold(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, build(t, "hello", platform.Go))
	var got []sample.Start
	for range 3 {
		for range 2 {
			got = append(got, burst(t.Context(), d, 1, `{}`)[0].Evidence.Start)
		}
		if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := []sample.Start{sample.Cold, sample.Warm, sample.Cold, sample.Warm, sample.Cold, sample.Warm}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
}

func TestErrorKinds(t *testing.T) {
	sleeper := func(t *testing.T) platform.Function { return build(t, "sleep", platform.Go) }
	full := func(t *testing.T) platform.Function { return gated(t) }
	tests := []struct {
		name    string
		options reference.ClientOptions
		fn      func(*testing.T) platform.Function
		n       int
		payload string // "" for a gate that opens when all who are refused have been
		want    map[sample.ErrorKind]int
	}{
		{"throttled", reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{Concurrency: 2}}}, full, 5, "",
			map[sample.ErrorKind]int{sample.NoError: 2, sample.Throttled: 3}},
		{"reserved", reference.ClientOptions{}, func(t *testing.T) platform.Function {
			fn := full(t)
			fn.Reserved = 1
			return fn
		}, 3, "", map[sample.ErrorKind]int{sample.NoError: 1, sample.Throttled: 2}},
		{"queued", reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{Concurrency: 1, QueueLimit: 1, KeepAlive: time.Minute}}}, full, 3, "",
			map[sample.ErrorKind]int{sample.NoError: 2, sample.Throttled: 1}},
		{"timeout", reference.ClientOptions{}, func(t *testing.T) platform.Function {
			fn := sleeper(t)
			fn.Timeout = 200 * time.Millisecond
			return fn
		}, 1, `{"ms":5000}`, map[sample.ErrorKind]int{sample.Timeout: 1}},
		{"handler", reference.ClientOptions{}, sleeper, 1, `"no object"`,
			map[sample.ErrorKind]int{sample.Handler: 1}},
		{"payload", reference.ClientOptions{}, sleeper, 1, `"` + strings.Repeat("x", 6<<20) + `"`,
			map[sample.ErrorKind]int{sample.Payload: 1}},
		{"init", reference.ClientOptions{}, func(t *testing.T) platform.Function {
			fn := sleeper(t)
			fn.Code = t.TempDir()
			script := "#!/bin/sh\nexit 7\n"
			if err := os.WriteFile(filepath.Join(fn.Code, "bootstrap"), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			return fn
		}, 1, `{}`, map[sample.ErrorKind]int{sample.Init: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := open(t, tt.options)
			d := deploy(t, client, tt.fn(t))
			var refused func()
			if tt.payload == "" {
				var gate subject.Gate
				gate, tt.payload = newGate(t)
				refused = after(tt.want[sample.Throttled], func() {
					if err := gate.Open(); err != nil {
						t.Error(err)
					}
				})
			}
			got := make(map[sample.ErrorKind]int)
			for _, a := range burstWith(t.Context(), d, tt.n, tt.payload, refused) {
				got[platform.KindOf(a.err)]++
				t.Logf("%d %v %v", a.Status, a.Evidence.Start, a.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusedFunctions(t *testing.T) {
	client := open(t, reference.ClientOptions{})
	fn := build(t, "hello", platform.Go)
	deploy(t, client, fn)
	tests := map[string]func(*platform.Function){
		"there already":   func(*platform.Function) {},
		"no runtime":      func(f *platform.Function) { f.Runtime = "cobol" },
		"no such folder":  func(f *platform.Function) { f.Code = "/nonexistent" },
		"too much memory": func(f *platform.Function) { f.Memory = 20480 << 20 },
		"half a MB":       func(f *platform.Function) { f.Memory = 512<<20 + 1 },
		"too long":        func(f *platform.Function) { f.Timeout = time.Hour },
		"bad name":        func(f *platform.Function) { f.Name = "no way" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			bad := fn
			change(&bad)
			_, err := client.Deploy(t.Context(), bad)
			if platform.KindOf(err) != sample.Refused {
				t.Errorf("Deploy: %v, want a refusal", err)
			}
			t.Log(err)
		})
	}
}

func TestKilledInstanceLosesItsRequestOnly(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, gated(t))
	serving := pid(t, client)
	var answers []answer
	held := func(then func()) {
		gate, payload := newGate(t)
		var sent sync.WaitGroup
		sent.Go(func() { answers = burst(t.Context(), d, 3, payload) })
		awaitHeld(t, gate, 3)
		then()
		if err := gate.Open(); err != nil {
			t.Fatal(err)
		}
		sent.Wait()
	}
	held(func() {
		victims := awaitDescendants(t, serving, 3)
		if err := syscall.Kill(victims[1], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		awaitGone(t, victims[1:2])
	})
	got := make(map[sample.ErrorKind]int)
	dead := ""
	for _, a := range answers {
		got[platform.KindOf(a.err)]++
		if a.err != nil {
			dead = a.Evidence.Instance
			t.Log(a.err)
		}
	}
	if want := map[sample.ErrorKind]int{sample.NoError: 2, sample.Crash: 1}; !cmp.Equal(want, got) {
		t.Errorf("kinds %v, want %v", got, want)
	}
	held(func() {})
	for _, a := range answers {
		if a.err != nil || a.Evidence.Instance == dead {
			t.Errorf("after the kill: %+v, %v", a.Evidence, a.err)
		}
	}
	records, err := client.Instances(t.Context())
	if err != nil || len(records) != 4 {
		t.Errorf("%d instances, want 4; %v", len(records), err)
	}
}

func awaitDescendants(t *testing.T, pid, n int) []int {
	t.Helper()
	for range patience {
		if found := descendants(t, pid); len(found) >= n {
			return found
		}
		time.Sleep(often)
	}
	t.Fatalf("no %d processes below %d", n, pid)
	return nil
}

func TestKilledRuntime(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, gated(t))
	_, payload := newGate(t)
	serving := pid(t, client)
	var answers []answer
	var sent sync.WaitGroup
	sent.Go(func() { answers = burst(t.Context(), d, 3, payload) })
	instances := awaitDescendants(t, serving, 3)
	if err := syscall.Kill(serving, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	sent.Wait()
	for _, a := range append(answers, burst(t.Context(), d, 1, `{}`)...) {
		if kind := platform.KindOf(a.err); kind != sample.Network {
			t.Errorf("without a runtime: %v (%v), want network", a.err, kind)
		}
	}
	awaitGone(t, instances)
	if err := d.Remove(t.Context()); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if err := client.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("Close: %v, want it to tell of the kill", err)
	}
	if left := groupsOf(serving); len(left) > 0 {
		t.Errorf("control groups of the dead runtime: %v", left)
	}
}

// parentMain is a process with a runtime of its own; it says what was started
// and waits to be killed.
func parentMain() int {
	ctx := context.Background()
	client, err := reference.Open(ctx, reference.ClientOptions{
		Executable: os.Args[0], Stderr: os.Stderr, Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: os.Args[3]},
	})
	if err != nil {
		panic(err)
	}
	d, err := client.Deploy(ctx, platform.Function{Name: "hello", Runtime: platform.Go, Code: os.Args[2]})
	if err != nil {
		panic(err)
	}
	if _, err := d.Invoke(ctx, platform.Request{}); err != nil {
		panic(err)
	}
	description, err := client.Describe(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(description.Process)
	time.Sleep(time.Minute)
	return 0
}

func TestKilledParentLeavesNothing(t *testing.T) {
	fn := build(t, "hello", platform.Go)
	cmd := exec.Command(os.Args[0], "parent", fn.Code, cache)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var serving int
	if _, err := fmt.Sscan(line, &serving); err != nil {
		t.Fatal(err)
	}
	all := append(descendants(t, serving), serving)
	if len(running(all)) != 2 {
		t.Fatalf("running before the kill: %v of %v, want the runtime and an instance", running(all), all)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	awaitGone(t, all)
}

func TestCallerThatGivesUp(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute, Concurrency: 1, QueueLimit: 5}}})
	d := deploy(t, client, gated(t))
	gate, held := newGate(t)
	const echo = `{"do":"echo"}`
	var first []answer
	var sent sync.WaitGroup
	sent.Go(func() { first = burst(t.Context(), d, 1, held) })
	awaitHeld(t, gate, 1)

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := d.Invoke(ctx, platform.Request{Payload: []byte(echo)}); platform.KindOf(err) != sample.Cancelled {
		t.Errorf("a queued request that was cancelled: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := d.Invoke(ctx, platform.Request{Payload: []byte(echo)}); platform.KindOf(err) != sample.Timeout {
		t.Errorf("a queued request whose time ran out: %v", err)
	}
	if err := gate.Open(); err != nil {
		t.Fatal(err)
	}
	sent.Wait()
	if first[0].err != nil {
		t.Error(first[0].err)
	}
	if a := burst(t.Context(), d, 1, echo)[0]; a.err != nil || a.Evidence.Start != sample.Warm {
		t.Errorf("after that: %v, %v", a.Evidence.Start, a.err)
	}
	records, err := client.Instances(t.Context())
	if err != nil || len(records) != 1 || records[0].Invocations != 2 {
		t.Errorf("instances %+v, %v: want one with two invocations", records, err)
	}
}

func TestRemoveIsIdempotentAndOutlivesItsContext(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, build(t, "hello", platform.Go))
	burst(t.Context(), d, 1, `{}`)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := d.Remove(ended); err != nil {
			t.Errorf("Remove: %v", err)
		}
	}
	if processes := descendants(t, pid(t, client)); len(processes) > 0 {
		t.Errorf("after Remove: %v", processes)
	}
	for range 2 {
		if err := client.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func TestOpenTellsWhyTheChildEnded(t *testing.T) {
	_, err := reference.Open(t.Context(), reference.ClientOptions{Executable: os.Args[0], Settings: reference.Settings{Sandboxes: []string{"sand"}}})
	if err == nil || !strings.Contains(err.Error(), `no sandbox "sand"`) {
		t.Errorf("Open: %v, want the child's own words", err)
	}
	_, err = reference.Open(t.Context(), reference.ClientOptions{Executable: "/nonexistent"})
	if err == nil {
		t.Error("Open started a program that is not there")
	}
}

func TestDescribe(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: 90 * time.Second}, NoCgroups: true}})
	got, err := client.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "reference" || got.Process == 0 || !got.Clock || got.Facts["keep_alive"] != "1m30s" || len(got.Notes) == 0 {
		t.Errorf("description %+v; want a note on limits that are not enforced", got)
	}
}
