//go:build linux

package reference_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/floor"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// promises are the runtime's, each with both sides measured in every round.
// Cold is from a request's arrival at the runtime to its answer.
func promises() []promise {
	return []promise{
		{what: "process, Go: cold / bare floor", ours: "process", other: "floor", of: over, most: 1.25},
		{what: "namespace, Go: cold - process", ours: "namespace", other: "process", of: beyond, most: 1, unit: " ms"},
		{what: "wasm, hello written by hand: cold", ours: "wasm minimal, by its truth", of: itself, most: .2, unit: " ms"},
		{what: "wasm, hello built by Go, whose runtime inits: cold", ours: "wasm, by its truth", of: itself, unit: " ms"},
		{what: "Python, zygote / plain: cold", ours: "python zygote", other: "python", of: over, most: .1},
		{what: "Node.js, pool / plain: cold", ours: "nodejs pool", other: "nodejs", of: over, most: .1},
		{what: "starts a second, 8 at a time / bare fork and exec", ours: "starts", other: "floor starts", of: over, least: .8},
		{what: "processor time of such a start / of a bare one", ours: "start cpu", other: "floor start cpu", of: over, most: 1.25},
		{what: "warm a second, Lambda's API / net/http echo: a connection a processor", ours: "api, few", other: "echo, few", of: over, least: leastWireShare},
		{what: fmt.Sprintf("the same with %d connections", wireConnections), ours: "api", other: "echo", of: over},
		{what: "the same / the least relay to a process of its own", ours: "api", other: "relay", of: over, least: leastRelayShare},
		{what: "warm p99 at half that rate, from intended times", ours: "api p99", other: "api lag p99", of: itself, unit: " ms"},
	}
}

const (
	lapsPerRound  = 20
	starters      = 8
	startsPerTurn = 96
	startTurns    = 3                      // of each side in a round
	posting       = 500 * time.Millisecond // of each side's turn at full rate
	halfRate      = time.Second
)

// BenchmarkPromises measures what the runtime promises of its tiers, both sides
// of each promise by turns in every round, prints one table and fails if a
// promise is broken. Run it with -benchtime 9x.
func BenchmarkPromises(b *testing.B) {
	t := newTiers(b)
	begin, rate := newStartRates(b, t), newWireRates(b)
	var rounds []figures
	repeats := 0
	for b.Loop() {
		rounds = append(rounds, calm(&repeats, func() figures {
			f := t.round(b)
			begin.round(b, f)
			rate.round(b, f)
			return f
		}))
	}
	b.ReportMetric(0, "ns/op") // of everything
	for _, w := range t.ways {
		if w.misses > 0 {
			fmt.Printf("%s: %d starts of another kind are left out\n", w.name, w.misses)
		}
	}
	judge(b, promises(), rounds, t.missing)
	fmt.Print("\n", t.parts())
}

// tiers are the ways to a cold start, in one runtime and without one.
type tiers struct {
	rt      *engine.Runtime
	ways    []*way
	missing map[string]string // by way: why it is not among them
	truths  map[string][]engine.Truth
}

func newTiers(b *testing.B) *tiers {
	b.Helper()
	t := &tiers{missing: make(map[string]string), truths: make(map[string][]engine.Truth)}
	t.rt = newEngine(b, t.sandboxes(b), 0)
	code := build(b, "hello", platform.Go).Code
	t.ways = append(t.ways, bareWay(b, code))
	t.add(b, "process", "hello", platform.Go, "process", "")
	t.add(b, "namespace", "hello", platform.Go, "namespace", "")
	t.add(b, "wasm", "hello", platform.Wasm, "wasm", "")
	t.add(b, "wasm minimal", fixtures.Minimal, platform.Wasm, "wasm", "")
	t.add(b, "python", "hello", platform.Python, "process", "")
	t.add(b, "python zygote", "hello", platform.Python, "process", engine.StartZygote)
	t.add(b, "nodejs", "hello", platform.NodeJS, "process", "")
	t.add(b, "nodejs pool", "hello", platform.NodeJS, "process", engine.StartPool)
	return t
}

// sandboxes opens those that this machine can run.
func (t *tiers) sandboxes(b *testing.B) map[string]sandbox.Sandbox {
	b.Helper()
	clients, err := fixtures.RuntimeClients(cache)
	if err != nil {
		b.Fatal(err)
	}
	boxes := make(map[string]sandbox.Sandbox)
	if boxes["process"], err = process.New(process.Options{RuntimeClients: clients, Adopt: true}); err != nil {
		b.Fatal(err)
	}
	if boxes["wasm"], err = wasm.New(wasm.Options{Cache: filepath.Join(cache, "compiled")}); err != nil {
		b.Fatal(err)
	}
	if err := namespace.Available(); err != nil {
		t.missing["namespace"] = err.Error()
	} else if boxes["namespace"], err = namespace.New(namespace.Options{}); err != nil {
		b.Fatal(err)
	}
	return boxes
}

// bareWay is the least that a cold start can take.
func bareWay(b *testing.B, code string) *way {
	loop := newLoop(b, code)
	return &way{
		name: "floor", pause: tidy,
		cold: func(b *testing.B) bool { begin(b, loop); return true },
		end:  func(*testing.B) { loop.End() },
	}
}

func newLoop(b *testing.B, code string) *floor.Loop {
	b.Helper()
	loop, err := floor.New(code)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(loop.Close)
	return loop
}

func begin(b *testing.B, loop *floor.Loop) {
	if err := loop.Start(); err != nil {
		b.Fatal(err)
	}
	if _, err := loop.Invoke(payload); err != nil {
		b.Fatal(err)
	}
}

// kinds are how the starts of a tier are told, by the runtime.
var kinds = map[string]sample.Start{"": sample.Cold, engine.StartPool: sample.Prewarmed, engine.StartZygote: sample.Restored}

const (
	tidy   = 8 * time.Millisecond   // lets the last instance go
	refill = 150 * time.Millisecond // lets the next stem boot
)

// add makes a function, or notes why this machine cannot run it.
func (t *tiers) add(b *testing.B, name, fixture string, language platform.Runtime, box, start string) {
	b.Helper()
	if why := noInterpreter(language); why != "" {
		t.missing[name] = why
	}
	if t.missing[name] != "" {
		return
	}
	fn := build(b, fixture, language)
	fn.Name, fn.Sandbox, fn.Start = strings.ReplaceAll(name, " ", "-"), box, start
	version := newVersion(b, t.rt, fn)
	w := &way{name: name, pause: tidy, cold: func(b *testing.B) bool {
		out := request(b, version)
		if out.Start != kinds[start] {
			return false
		}
		t.truths[name] = append(t.truths[name], out.Truth)
		return true
	}}
	if start == engine.StartPool {
		w.pause = refill
	}
	t.ways = append(t.ways, w)
}

// noInterpreter says what of a language is not here, "" if nothing is wanting.
func noInterpreter(language platform.Runtime) string {
	program := map[platform.Runtime]string{platform.NodeJS: "node", platform.Python: "python3"}[language]
	if program == "" {
		return ""
	}
	if _, err := exec.LookPath(program); err != nil {
		return program + " is not on the PATH"
	}
	return ""
}

// request asks for one answer.
func request(b *testing.B, version *engine.Version) engine.Outcome {
	out, err := version.Invoke(b.Context(), engine.Invocation{Payload: []byte(payload)})
	if err != nil || out.Kind != sample.NoError {
		b.Errorf("%s: %+v, %v", version.Spec().Function.Name, out, err)
	}
	return out
}

// byTruth is behind a way's name for the median that the runtime tells itself,
// from a request's arrival to its answer: an absolute promise is about that,
// not about when this benchmark's goroutine runs again.
const byTruth = ", by its truth"

// round gives each way's median.
func (t *tiers) round(b *testing.B) figures {
	for _, w := range t.ways {
		w.took = w.took[:0]
	}
	for range lapsPerRound {
		for _, w := range t.ways {
			w.lap(b, 0)
		}
	}
	f := make(figures)
	for _, w := range t.ways {
		f[w.name] = w.took.p50()
		if all := t.truths[w.name]; len(all) >= lapsPerRound { // the floor tells none
			var own times
			for _, truth := range all[len(all)-lapsPerRound:] {
				own = append(own, time.Duration(truth.Replied-truth.Arrived))
			}
			f[w.name+byTruth] = own.p50()
		}
	}
	return f
}

// parts is a table of where each tier's time goes, by the runtime's own record,
// in microseconds. They are medians, so they need not add up; the last column is
// what is left of the median of the whole.
func (t *tiers) parts() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "where it goes (us)\tn\tcold p50\tqueue\tprovision\tboot\tinit\thandler\trest")
	for _, way := range t.ways {
		truths := t.truths[way.name]
		if len(truths) == 0 {
			continue
		}
		of := func(part func(*engine.Truth) time.Duration) float64 {
			var all times
			for i := range truths {
				all = append(all, part(&truths[i]))
			}
			return all.p50()
		}
		whole := of(func(t *engine.Truth) time.Duration { return time.Duration(t.Replied - t.Arrived) })
		rest := whole
		fmt.Fprintf(w, "%s\t%d\t%.0f", way.name, len(truths), whole)
		for _, part := range []func(sample.Breakdown) time.Duration{
			func(b sample.Breakdown) time.Duration { return b.Queue },
			func(b sample.Breakdown) time.Duration { return b.Provision },
			func(b sample.Breakdown) time.Duration { return b.Boot },
			func(b sample.Breakdown) time.Duration { return b.Init },
			func(b sample.Breakdown) time.Duration { return b.Handler },
		} {
			share := of(func(t *engine.Truth) time.Duration { return part(t.Breakdown()) })
			rest -= share
			fmt.Fprintf(w, "\t%.0f", share)
		}
		fmt.Fprintf(w, "\t%.0f\n", rest)
	}
	w.Flush()
	return text.String()
}

// startRates compare how many cold requests are answered a second and their
// instances put away, by the runtime and by bare loops, and the processor time
// that each takes: that is the steadier figure on a machine that others use.
type startRates struct {
	rt    *tiers
	fam   *engine.Family
	fn    platform.Function
	loops []*floor.Loop
}

func newStartRates(b *testing.B, t *tiers) *startRates {
	b.Helper()
	s := &startRates{rt: t, fn: build(b, "hello", platform.Go)}
	s.fn.Name, s.fn.Sandbox = "starts", "process"
	var err error
	if s.fam, err = t.rt.Family(s.fn.Name); err != nil {
		b.Fatal(err)
	}
	for range starters {
		s.loops = append(s.loops, newLoop(b, s.fn.Code))
	}
	return s
}

func (s *startRates) round(b *testing.B, f figures) {
	var bare, ours turn
	for range startTurns {
		bare.add(b, func(starter int) {
			begin(b, s.loops[starter])
			s.loops[starter].End()
		}, func() {})
		version, err := s.fam.Add(b.Context(), sandbox.Spec{Function: s.fn}, engine.Settings{})
		if err != nil {
			b.Fatal(err)
		}
		ours.add(b, func(int) {
			if out := request(b, version); out.Start != sample.Cold {
				b.Errorf("a %v start among cold ones", out.Start)
			}
		}, func() {
			if err := version.Retire(b.Context()); err != nil { // when nothing is left of its instances
				b.Error(err)
			}
		})
	}
	f["floor starts"], f["floor start cpu"] = bare.figures()
	f["starts"], f["start cpu"] = ours.figures()
}

// turn is what one side's starts of a round took together.
type turn struct {
	n         int
	took, cpu time.Duration
}

// add has all starters start one after the other, until the last has gone.
func (t *turn) add(b *testing.B, start func(starter int), end func()) {
	var begun atomic.Int64
	var all sync.WaitGroup
	at, used := time.Now(), processorTime(b)
	for starter := range starters {
		all.Go(func() {
			for begun.Add(1) <= startsPerTurn {
				start(starter)
			}
		})
	}
	all.Wait()
	end()
	t.n += startsPerTurn
	t.took += time.Since(at)
	t.cpu += processorTime(b) - used
}

// figures are starts a second, and the microseconds of a processor that each took.
func (t *turn) figures() (rate, cpu float64) {
	return float64(t.n) / t.took.Seconds(), float64(t.cpu.Microseconds()) / float64(t.n)
}

// processorTime is what this process and the children that it has reaped have used.
func processorTime(b *testing.B) (used time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		used += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return used
}

// wireRates compare Lambda's API with a bare echo and with the least relay, each
// a process of its own with as many kept connections.
type wireRates struct{ echo, relay, api []*poster }

func newWireRates(b *testing.B) *wireRates {
	b.Helper()
	fn := build(b, "hello", platform.Go)
	create := func(addr string) error { return create(b, addr, fn) }
	w := &wireRates{
		echo:  newSide(b, "echo", wireConnections, "/", nil, "echo").posters,
		relay: newSide(b, "relay", wireConnections, "/", nil, "relay").posters,
		api: newSide(b, "api", wireConnections, "/2015-03-31/functions/hello/invocations", create,
			"serve", "--ready-fd=3", "--addr=127.0.0.1:0", "--cache="+cache).posters,
	}
	for _, posters := range [][]*poster{w.echo, w.relay, w.api} { // starts the instances
		load(b, posters, posting)
	}
	return w
}

func (w *wireRates) round(b *testing.B, f figures) {
	few := runtime.NumCPU()
	f["echo, few"] = load(b, w.echo[:few], posting)
	f["api, few"] = load(b, w.api[:few], posting)
	f["echo"] = load(b, w.echo, posting)
	f["relay"] = load(b, w.relay, posting)
	f["api"] = load(b, w.api, posting)
	latency, lag := driven(b, w.api, f["api"]/2)
	f["api p99"], f["api lag p99"] = float64(latency)/1e3, float64(lag)/1e3
}

// driven has the load generator post at a rate, and gives the 99th percentile
// of what callers waited, and of its own lag in that.
func driven(b *testing.B, posters []*poster, rate float64) (latency, lag time.Duration) {
	b.Helper()
	kept := make(kept, len(posters))
	for _, p := range posters {
		kept <- p
	}
	const name = "hello"
	n := int(rate * halfRate.Seconds())
	s := &scenarios.Schedule{
		Times:   make([]time.Duration, n),
		Source:  make([]uint16, n),
		Sources: []scenarios.Source{{Function: name}},
		Phases:  []scenarios.PhaseSpan{{Name: name, End: halfRate, Offered: uint64(n)}},
	}
	for i := range s.Times {
		s.Times[i] = time.Duration(float64(i) * float64(time.Second) / rate)
	}
	seen := waits{latency: hist.New(), lag: hist.New()}
	out, err := drive.Run(b.Context(), drive.Plan{
		Schedule: s, Deployments: map[string]platform.Deployment{name: kept}, Clock: clock.New(),
	}, seen, nil)
	if err != nil || out.Sent != uint64(n) || seen.latency.N() != out.Sent {
		b.Fatalf("%d of %d were sent, %d answered: %v %v", out.Sent, n, seen.latency.N(), err, out.Causes)
	}
	return seen.latency.Quantile(.99), seen.lag.Quantile(.99)
}

// kept are connections, of which each request takes one that is free.
type kept chan *poster

func (k kept) Invoke(context.Context, platform.Request) (platform.Response, error) {
	p := <-k
	defer func() { k <- p }()
	return platform.Response{Status: 200}, p.post()
}

func (kept) Remove(context.Context) error { return nil }

// waits are what successful requests waited.
type waits struct{ latency, lag *hist.Histogram }

func (w waits) Append(s *sample.Sample) error {
	if s.Err == sample.NoError {
		w.latency.Record(s.Latency())
		w.lag.Record(s.Lag())
	}
	return nil
}

func (waits) Flush(time.Duration) error { return nil }
