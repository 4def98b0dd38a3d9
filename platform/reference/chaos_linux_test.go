package reference_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// killer kills a random instance now and then, from outside and unasked.
type killer struct {
	rng    *rand.Rand
	killed int
	stop   chan struct{}
	done   chan struct{}
}

// prowl begins to kill at each word.
func prowl(t *testing.T, serving int, seed uint64, word <-chan struct{}) *killer {
	k := &killer{rng: rand.New(rand.NewPCG(seed, 0)), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(k.done)
		for {
			select {
			case <-k.stop:
				return
			case <-word:
			}
			victims := descendants(t, serving)
			if len(victims) == 0 {
				continue
			}
			if syscall.Kill(victims[k.rng.IntN(len(victims))], syscall.SIGKILL) == nil {
				k.killed++
			}
		}
	}()
	return k
}

func (k *killer) end() int {
	close(k.stop)
	<-k.done
	return k.killed
}

// tally is what the callers have seen, in the words of the runtime's account.
type tally struct {
	mu    sync.Mutex
	usage usage.Usage
	kinds map[sample.ErrorKind]int
	ids   map[string]bool // instances
	word  chan struct{}   // one now and then
}

// seldom is after how many requests the next word is given: by the time and not
// by requests, a slow machine would have most of them killed.
const seldom = 20

func (y *tally) note(r platform.Response, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	kind := platform.KindOf(err)
	y.kinds[kind]++
	y.usage.Requests++
	if y.usage.Requests%seldom == 0 {
		select {
		case y.word <- struct{}{}:
		default: // it is at it
		}
	}
	switch kind {
	case sample.Throttled:
		y.usage.Throttled++
	case sample.Platform:
		y.usage.Refused++
	default:
		if kind != sample.NoError {
			y.usage.Errors++
		}
		y.started(r.Evidence.Start)
	}
	if id := r.Evidence.Instance; id != "" {
		y.ids[id] = true
	}
	y.usage.Billed += r.Billed
}

// started counts how a request's instance came to be there.
func (y *tally) started(start sample.Start) {
	switch start {
	case sample.Cold:
		y.usage.Cold++
	case sample.Prewarmed:
		y.usage.Prewarmed++
	case sample.Restored:
		y.usage.Restored++
	}
}

// TestChaos: requests while instances are killed at random, by faults in the
// middle of requests and by a stranger at any time. Each request has one
// outcome, the runtime's account agrees with what the callers were told, and
// nothing is left.
func TestChaos(t *testing.T) {
	tests := []struct {
		name    string
		n       int
		runtime platform.Runtime
		start   string
		without bool // control groups
	}{
		{"cgroups", 10_000, platform.Go, "", false},
		{"no cgroups", 3_000, platform.Go, "", true},
		{"pool", 500, platform.Python, "pool", false},
		{"zygote", 500, platform.Python, "zygote", false},
		{"zygote without cgroups", 300, platform.Python, "zygote", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !stress() {
				tt.n /= 5
			}
			fn := build(t, "hello", tt.runtime)
			fn.Start = tt.start
			client := open(t, reference.ClientOptions{Settings: reference.Settings{
				Policy: lifecycle.Policy{KeepAlive: time.Minute}, NoCgroups: tt.without, Seed: 7,
				Faults: []platform.Fault{
					{Kind: platform.Kill, Share: .02}, {Kind: platform.Kill, Share: .02, Delay: 500 * time.Microsecond},
					{Kind: platform.Crash, Share: .01}, {Kind: platform.StartFailure, Share: .05}, {Kind: platform.CrashInit, Share: .05},
				},
			}})
			d := deploy(t, client, fn)
			serving := pid(t, client)
			seen := &tally{kinds: make(map[sample.ErrorKind]int), ids: make(map[string]bool), word: make(chan struct{})}
			killer := prowl(t, serving, 7, seen.word)
			began := time.Now()
			assail(t, d, tt.n, seen)
			took := time.Since(began)
			killed := killer.end()

			account, err := client.Usage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Remove(t.Context()); err != nil {
				t.Error(err)
			}
			t.Logf("%d requests in %v, %d processes killed besides: %v, %d instances", tt.n, took, killed, seen.kinds, len(seen.ids))
			checkAccount(t, account, seen, tt.n)
			checkLives(t, client, seen)
			if seen.kinds[sample.Crash] == 0 {
				t.Error("no request has lost its instance: there was no chaos")
			}
			if most := tt.n / 4; tt.n-seen.kinds[sample.NoError] > most {
				t.Errorf("%v: more than %d requests failed", seen.kinds, most)
			}
		})
	}
}

// assail sends n requests, 16 at a time.
func assail(t *testing.T, d platform.Deployment, n int, seen *tally) {
	var sent atomic.Int64
	var all sync.WaitGroup
	payload := fixtures.Payload("hello")
	for range 16 {
		all.Go(func() {
			for sent.Add(1) <= int64(n) {
				seen.note(d.Invoke(t.Context(), platform.Request{Payload: payload}))
			}
		})
	}
	all.Wait()
}

// checkAccount holds the runtime's account against the callers'.
func checkAccount(t *testing.T, account usage.Account, seen *tally, n int) {
	t.Helper()
	got := account.Total
	want := usage.Usage{
		Requests: uint64(n), Errors: seen.usage.Errors, Throttled: seen.usage.Throttled, Refused: seen.usage.Refused,
		Cold: seen.usage.Cold, Prewarmed: seen.usage.Prewarmed, Restored: seen.usage.Restored,
		Billed: seen.usage.Billed, InitBilled: got.InitBilled, MemoryTime: got.Billed.Milliseconds() * 1769,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the account (-callers +runtime):\n%s", diff)
	}
	var sum usage.Usage
	for _, e := range account.Entries {
		sum.Add(e.Usage)
	}
	if sum != got {
		t.Errorf("the entries add up to %+v, the total is %+v", sum, got)
	}
}

// checkLives: every instance that was seen has lived and ended, for a reason.
func checkLives(t *testing.T, client *reference.Client, seen *tally) {
	t.Helper()
	records, err := client.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]int)
	for _, r := range records {
		reasons[r.Reason]++
		delete(seen.ids, r.ID)
		if r.Gone == 0 || r.Reason == "" {
			t.Errorf("it has no end: %+v", r)
		}
	}
	t.Logf("%d instances: %v", len(records), reasons)
	if len(seen.ids) > 0 {
		t.Errorf("instances without a record: %v", seen.ids)
	}
}

// stress says whether this machine is the test's alone.
func stress() bool { return os.Getenv("COLDCURVE_STRESS") != "" }

// TestCrowdOf1000 sends 1,000 requests to a cold function at once; each holds
// its instance until all have come.
func TestCrowdOf1000(t *testing.T) {
	if !stress() {
		t.Skip("make stress runs it, with nothing beside it: 1,000 processes at once spoil what others measure")
	}
	const n = 1000
	for _, tt := range []struct {
		name  string
		limit int
	}{{"an instance for each", 0}, {"300 and no more", 300}} {
		t.Run(tt.name, func(t *testing.T) {
			served := n
			if tt.limit > 0 {
				served = tt.limit
			}
			client := open(t, reference.ClientOptions{Settings: reference.Settings{
				Policy: lifecycle.Policy{KeepAlive: time.Minute, Concurrency: tt.limit},
			}})
			d := deploy(t, client, gated(t))
			serving := pid(t, client)
			gate, payload := newGate(t)
			var answers []answer
			var sent sync.WaitGroup
			refused := make(chan struct{})
			began := time.Now()
			sent.Go(func() {
				answers = burstWith(t.Context(), d, n, payload, after(n-served, func() { close(refused) }))
			})
			awaitHeld(t, gate, served)
			if served < n {
				<-refused
			}
			took := time.Since(began)
			processes := descendants(t, serving)
			if err := gate.Open(); err != nil {
				t.Fatal(err)
			}
			sent.Wait()
			files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", serving))
			if err != nil {
				t.Fatal(err)
			}

			instances, refusals := make(map[string]bool), make(map[string]int)
			var slowest time.Duration
			for _, a := range answers {
				if a.err != nil {
					refusals[a.err.Error()]++
					continue
				}
				instances[a.Evidence.Instance] = true
				b := a.Evidence.Breakdown
				slowest = max(slowest, b.Queue+b.Provision+b.Boot+b.Init)
			}
			if len(instances) != served || len(processes) != served {
				t.Errorf("%d instances and %d processes, want %d", len(instances), len(processes), served)
			}
			for text, times := range refusals {
				if times != n-served || !strings.Contains(text, "TooManyRequestsException") || !strings.Contains(text, "ConcurrentInvocationLimitExceeded") {
					t.Errorf("%d times: %s", times, text)
				}
			}
			if len(refusals) > 1 || len(refusals) == 0 && served < n {
				t.Errorf("%d instances and refusals %v", len(instances), refusals)
			}
			if err := d.Remove(t.Context()); err != nil {
				t.Error(err)
			}
			if left := running(processes); len(left) > 0 {
				t.Errorf("after Remove, still running: %v", left)
			}
			records, err := client.Instances(t.Context())
			if err != nil || len(records) != served {
				t.Fatalf("%d records of %d instances, %v", len(records), served, err)
			}
			t.Logf("%d requests are all there after %v, the slowest start %v; instances' peaks together %d MB, the runtime's own %d MB and %d files",
				n, took, slowest, peaks(records)>>20, residentPeak(t, serving)>>20, len(files))
		})
	}
}

// peaks is what the instances have used at most, together.
func peaks(records []platform.InstanceRecord) (sum int64) {
	for _, r := range records {
		sum += r.MaxMemory
	}
	return sum
}

// residentPeak is a process's high-water mark, in bytes.
func residentPeak(t *testing.T, pid int) (bytes int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscan(rest, &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes << 10
}
