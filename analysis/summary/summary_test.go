package summary_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

var update = flag.Bool("update", false, "rewrite golden files")

const ms = time.Millisecond

// answer is a sample of an answered request, sent 10 µs after its time.
func answer(phase, function string, at, service time.Duration, start sample.Start) *sample.Sample {
	return &sample.Sample{
		Phase: phase, Function: function,
		Intended: at, Sent: at + 10*time.Microsecond, Done: at + 10*time.Microsecond + service,
		Start: start, Grade: sample.Observed,
	}
}

func onePhase(offered uint64) summary.Input {
	return summary.Input{
		Scenario: "s", Platform: "p", Complete: true,
		Phases: []summary.PhaseSpan{{Name: "one", End: time.Second, Offered: offered}},
	}
}

func build(in summary.Input, samples ...*sample.Sample) *summary.Builder {
	b := summary.New(in)
	for _, s := range samples {
		b.Add(s)
	}
	return b
}

// repeat is n answers with service times 1 ms, 2 ms, ... n ms.
func repeat(n int, start sample.Start) []*sample.Sample {
	var out []*sample.Sample
	for i := range n {
		out = append(out, answer("one", "f", time.Duration(i)*ms, time.Duration(i+1)*ms, start))
	}
	return out
}

func codes(r summary.Run) []string {
	out := []string{}
	for _, w := range r.Warnings {
		out = append(out, w.Code)
	}
	return out
}

func TestFiguresByHand(t *testing.T) {
	r := build(onePhase(11), repeat(11, sample.Cold)...).Run()
	if len(r.Groups) != 1 {
		t.Fatalf("groups = %d, want 1", len(r.Groups))
	}
	g := r.Groups[0]
	// Of 11, the median is the 6th. The 95% interval of the median runs from the
	// 2nd to the 10th: P(B(11, 1/2) <= 1) = 12/2048 <= .025 < 67/2048.
	if got, want := *g.Service.P50, int64(6*ms); !near(got, want) {
		t.Errorf("service p50 = %d, want %d", got, want)
	}
	if got, want := *g.Latency.P50, int64(6*ms+10*time.Microsecond); !near(got, want) {
		t.Errorf("latency p50 = %d, want %d", got, want)
	}
	if iv := *g.Interval.P50; !near(iv[0], int64(2*ms+10*time.Microsecond)) || !near(iv[1], int64(10*ms+10*time.Microsecond)) {
		t.Errorf("interval of p50 = %v, want the 2nd and the 10th", iv)
	}
	if g.Latency.P90 != nil || g.Interval.P90 != nil {
		t.Errorf("p90 of 11 is printed: %v", *g.Latency.P90)
	}
	if got, want := *g.Latency.Max, int64(11*ms+10*time.Microsecond); got != want {
		t.Errorf("max = %d, want %d exactly", got, want)
	}
	if got, want := *g.Service.Mean, int64(6*ms); got != want {
		t.Errorf("mean service = %d, want %d exactly", got, want)
	}
	if *r.ColdShare != 1 || r.Cold != 11 || r.Known != 11 {
		t.Errorf("cold share = %v of %d/%d, want all", *r.ColdShare, r.Cold, r.Known)
	}
}

// near allows for the histogram's three digits.
func near(got, want int64) bool {
	d := got - want
	return max(d, -d)*1000 <= want
}

func TestUnsupportedQuantilesAreOneWarningAGroup(t *testing.T) {
	r := build(onePhase(20), repeat(20, sample.Warm)...).Run()
	var messages []string
	for _, w := range r.Warnings {
		if w.Code == summary.QuantileUnsupported {
			messages = append(messages, w.Group+" in "+w.Phase+": "+w.Message)
		}
	}
	want := []string{"f/warm in one: p90 needs n >= 36, have 20; p95 needs n >= 72, have 20; " +
		"p99 needs n >= 368, have 20; p99.9 needs n >= 3688, have 20"}
	if d := cmp.Diff(want, messages); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
}

func TestErrorsAndDropsAreNotLatency(t *testing.T) {
	samples := repeat(10, sample.Warm)
	for i, kind := range []sample.ErrorKind{sample.Timeout, sample.Timeout, sample.Cancelled} {
		samples[i].Err = kind
		samples[i].Billed = 5 * ms
	}
	samples = append(samples, &sample.Sample{Phase: "one", Function: "f", Intended: ms, Err: sample.Dropped})
	r := build(onePhase(11), samples...).Run()
	g := r.Groups[0]
	if r.Sent != 10 || r.Dropped != 1 || r.Errors != 3 || r.Offered != 11 {
		t.Errorf("sent %d, dropped %d, errors %d, offered %d; want 10, 1, 3, 11", r.Sent, r.Dropped, r.Errors, r.Offered)
	}
	if g.N != 10 || g.Errors != 3 {
		t.Errorf("n %d, errors %d; want 10, 3", g.N, g.Errors)
	}
	if d := cmp.Diff(map[string]uint64{"timeout": 2, "cancelled": 1}, g.ErrorKinds); d != "" {
		t.Errorf("errors by kind (-want +got):\n%s", d)
	}
	if got, want := *g.Service.Mean, int64(7*ms); got != want { // of 4..10 ms
		t.Errorf("mean service = %d, want %d", got, want)
	}
	if got, want := *g.Billed, int64(15*ms); got != want {
		t.Errorf("billed = %d, want %d: a failed call costs too", got, want)
	}
	if r.Valid || len(r.Invalid) != 1 || r.Invalid[0] != "1 of 11 arrivals were dropped at the in-flight cap" {
		t.Errorf("valid %v, %q", r.Valid, r.Invalid)
	}
}

func TestBreakdownAddsUpToTheMeanService(t *testing.T) {
	a, b := answer("one", "f", 0, 10*ms+1, sample.Cold), answer("one", "f", ms, 20*ms, sample.Cold)
	a.Breakdown = sample.Breakdown{Provision: 2*ms + 1, Init: 3 * ms, Handler: ms}
	b.Breakdown = sample.Breakdown{Provision: 4 * ms, Init: 5 * ms, Handler: ms}
	without := answer("one", "f", 2*ms, 900*ms, sample.Cold)
	g := build(onePhase(3), a, b, without).Run().Groups[0].Breakdown
	want := summary.Breakdown{N: 2, Provision: new(int64(3 * ms)), Init: new(int64(4 * ms)), Handler: new(int64(ms)), Rest: new(int64(7 * ms))}
	if d := cmp.Diff(want, g); d != "" {
		t.Errorf("breakdown (-want +got):\n%s", d)
	}
}

func TestBreakdownBeyondServiceWarns(t *testing.T) {
	s := answer("one", "f", 0, ms, sample.Cold)
	s.Breakdown.Init = 3 * ms
	r := build(onePhase(1), s).Run()
	if got := *r.Groups[0].Breakdown.Rest; got != int64(-2*ms) {
		t.Errorf("rest = %d, want -2 ms", got)
	}
	if !strings.Contains(strings.Join(codes(r), " "), summary.BreakdownExceedsWait) {
		t.Errorf("warnings = %v, want %s", codes(r), summary.BreakdownExceedsWait)
	}
}

func TestInferredEvidenceIsUnknown(t *testing.T) {
	s := repeat(20, sample.Warm)
	s[0].Start, s[0].Grade = sample.Cold, sample.Inferred
	s[1].Start, s[1].Grade = sample.Cold, sample.NoGrade
	s[2].Grade = sample.Beacon
	r := build(onePhase(20), s...).Run()
	if r.Cold != 0 || r.Known != 18 || r.Unknown != 2 {
		t.Errorf("cold %d, known %d, unknown %d; want 0, 18, 2", r.Cold, r.Known, r.Unknown)
	}
	type row struct {
		Start, Grade string
		N            uint64
	}
	var got []row
	for _, g := range r.Groups {
		got = append(got, row{g.Start, g.Grade, g.N})
	}
	want := []row{{"warm", "beacon", 18}, {"unknown", "none", 2}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("groups (-want +got):\n%s", d)
	}
}

func TestGeneratorLimited(t *testing.T) {
	lagging := func(n int, lag func(i int) time.Duration) []*sample.Sample {
		var out []*sample.Sample
		for i := range n {
			s := answer("one", "f", time.Duration(i)*ms, 10*ms, sample.Warm)
			s.Sent = s.Intended + lag(i)
			s.Done = s.Sent + 10*ms
			out = append(out, s)
		}
		return out
	}
	all := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	for _, tt := range []struct {
		name    string
		n       int
		lag     func(int) time.Duration
		waitAt  int // arrivals were held at it somewhere in the run
		limited []string
		pooled  []string // of a selection, beside those
	}{
		{"on time", 400, all(6 * time.Microsecond), 0, nil, nil},
		{"within 5%", 400, all(480 * time.Microsecond), 0, nil, nil},
		{"beyond 5%", 400, all(600 * time.Microsecond), 0, []string{"p50", "p90", "p95", "p99"}, []string{"mean", "max"}},
		{"only what is printed", 20, all(600 * time.Microsecond), 0, []string{"p50"}, []string{"mean", "max"}},
		{"the tail alone", 400, func(i int) time.Duration {
			if i%40 == 0 {
				return 2 * ms
			}
			return 0
		}, 0, []string{"p99"}, []string{"max"}},
		{"one sample of 4,000 moves the greatest only", 4000, func(i int) time.Duration {
			if i == 9 {
				return time.Second
			}
			return 0
		}, 0, nil, []string{"max"}},
		{"and with ten times as much the mean", 4000, func(i int) time.Duration {
			if i == 9 {
				return 10 * time.Second
			}
			return 0
		}, 0, nil, []string{"mean", "max"}},
		{"held back at the cap on request", 400, all(600 * time.Microsecond), 8, nil, nil},
		{"held back elsewhere", 400, all(600 * time.Microsecond), 50, []string{"p50", "p90", "p95", "p99"}, []string{"mean", "max"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := onePhase(uint64(tt.n))
			if in.WaitAt = tt.waitAt; tt.waitAt > 0 {
				in.Held = 1
			}
			b := build(in, lagging(tt.n, tt.lag)...)
			r := b.Run()
			if d := cmp.Diff(append(slices.Clone(tt.limited), tt.pooled...), b.Select(summary.Selection{}).Limited); d != "" {
				t.Errorf("limited in the pool (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.limited, r.Groups[0].Limited); d != "" {
				t.Errorf("limited (-want +got):\n%s", d)
			}
			if got, want := r.Valid, tt.limited == nil; got != want {
				t.Errorf("valid = %v, want %v (%q)", got, want, r.Invalid)
			}
		})
	}
	r := build(onePhase(20), lagging(20, all(time.Millisecond))...).Run()
	want := "generator-limited: f/warm in one, p50 10.0 ms to 11.0 ms from service to response, more than 5% apart by the load generator's own lag"
	if d := cmp.Diff([]string{want}, r.Invalid); d != "" {
		t.Errorf("invalid (-want +got):\n%s", d)
	}
	if r.Condemned {
		t.Error("one limited quantile condemns every figure")
	}
	limit := summary.Limit{Phase: "one", Function: "f", Start: "warm", Name: "p50", Service: int64(10 * ms), Latency: int64(11 * ms)}
	if d := cmp.Diff([]summary.Limit{limit}, r.Limits(), cmp.Transformer("near", func(ns int64) time.Duration { return time.Duration(ns).Round(ms) })); d != "" {
		t.Errorf("limits (-want +got):\n%s", d)
	}
}

// TestPlatformFailure: a run can go to its end on a platform that died under it.
func TestPlatformFailure(t *testing.T) {
	in := onePhase(20)
	in.Failure = "the reference runtime was killed"
	r := build(in, repeat(20, sample.Cold)...).Run()
	if d := cmp.Diff([]string{"the platform failed: the reference runtime was killed"}, r.Invalid); d != "" || r.Valid || !r.Condemned || !r.Complete {
		t.Errorf("valid %v, condemned %v, complete %v, want false, true, true; invalid (-want +got):\n%s", r.Valid, r.Condemned, r.Complete, d)
	}
	if r.Failure != "" {
		t.Errorf("%q is said twice", r.Failure)
	}
	in.Failure = strings.Repeat("goroutine 1 ", 40)
	r = build(in, repeat(20, sample.Cold)...).Run()
	if got := len(r.Invalid[0]); got > len("the platform failed: ")+summary.Brief || r.Failure != in.Failure {
		t.Errorf("a long text takes %d bytes of the reasons, and in full it is %q", got, r.Failure)
	}
}

func TestDoubts(t *testing.T) {
	slow := func(s *sample.Sample) { s.Done = s.Sent + 50*ms }
	for _, tt := range []struct {
		name    string
		in      func(*summary.Input)
		samples func() []*sample.Sample
		want    string
		message string
	}{
		{"nothing", nil, func() []*sample.Sample { return repeat(20, sample.Warm) }, "", ""},
		{"cold faster than warm", func(in *summary.Input) { in.Phases[0].Offered = 40 }, func() []*sample.Sample {
			s := append(repeat(20, sample.Cold), repeat(20, sample.Warm)...)
			for _, w := range s[20:] {
				slow(w)
			}
			return s
		}, summary.ColdFasterThanWarm, "cold p50 10.0 ms is below warm p50 50.0 ms: the start kinds are in doubt"},
		{"cold faster than warm, apart", func(in *summary.Input) {
			in.Phases[0].Offered = 20
			in.Phases = append(in.Phases, summary.PhaseSpan{Name: "two", Start: time.Second, End: 2 * time.Second, Offered: 20})
		}, func() []*sample.Sample {
			s := append(repeat(20, sample.Cold), repeat(20, sample.Warm)...)
			for _, w := range s[20:] {
				slow(w)
				w.Phase = "two"
			}
			return s
		}, summary.ColdFasterThanWarm, "cold p50 10.0 ms is below warm p50 50.0 ms: the start kinds are in doubt"},
		{"too few cold to compare", func(in *summary.Input) { in.Phases[0].Offered = 25 }, func() []*sample.Sample {
			s := append(repeat(5, sample.Cold), repeat(20, sample.Warm)...)
			for _, w := range s[5:] {
				slow(w)
			}
			return s
		}, "", ""},
		{"unknown share", func(in *summary.Input) { in.Phases[0].Offered = 40 }, func() []*sample.Sample {
			s := append(repeat(20, sample.Warm), repeat(20, sample.Warm)...)
			s[0].Grade = sample.NoGrade
			return s
		}, summary.UnknownShare, "how 1 of 40 answered requests started is unknown (2.5%): they are in no cold or warm figure"},
		{"failures need no evidence", func(in *summary.Input) { in.Phases[0].Offered = 40 }, func() []*sample.Sample {
			s := append(repeat(20, sample.Warm), repeat(20, sample.Warm)...)
			s[0].Grade, s[0].Err = sample.NoGrade, sample.Throttled
			return s
		}, "", ""},
		{"no success", nil, func() []*sample.Sample {
			s := repeat(20, sample.Warm)
			for _, failed := range s {
				failed.Err = sample.Timeout
			}
			return s
		}, summary.NoSuccess, "no request was answered with success: there is no latency to tell"},
		{"few known", func(in *summary.Input) { in.Phases[0].Offered = 7 }, func() []*sample.Sample { return repeat(7, sample.Cold) },
			summary.FewKnown, "the cold share rests on 7 requests"},
		{"empty phase", func(in *summary.Input) {
			in.Phases = append(in.Phases, summary.PhaseSpan{Name: "two", Start: time.Second, End: 2 * time.Second, Offered: 3})
		}, func() []*sample.Sample { return repeat(20, sample.Warm) }, summary.EmptyPhase, "the phase has no samples"},
		{"pause", func(in *summary.Input) {
			in.Phases = append(in.Phases, summary.PhaseSpan{Name: "two", Start: time.Second, End: 2 * time.Second})
		}, func() []*sample.Sample { return repeat(20, sample.Warm) }, "", ""},
		{"one known", func(in *summary.Input) { in.Phases[0].Offered = 1 }, func() []*sample.Sample { return repeat(1, sample.Cold) },
			summary.FewKnown, "the cold share rests on 1 request"},
		{"rate not achieved", nil, func() []*sample.Sample {
			s := repeat(20, sample.Warm)
			s[19].Sent += 1100 * ms
			s[19].Done += 1100 * ms
			return s
		}, summary.RateNotAchieved, "20/s were offered and 17.9/s achieved"},
		{"out of range", nil, func() []*sample.Sample {
			s := repeat(20, sample.Warm)
			s[19].Done += 2 * time.Hour
			return s
		}, summary.OutOfRange, "latencies beyond what the histogram can hold are in no quantile: 1 request"},
		{"gap too short", func(in *summary.Input) { in.Phases[0].Gap = 18 * ms }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.GapTooShort, "2 probes took longer than the gap of 18.0 ms to the next: they were not alone"},
		{"note", func(in *summary.Input) { in.Notes = []string{"100% emulated"} }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.PlatformNote, "100% emulated"},
		{"note of the runs before, too", func(in *summary.Input) { in.SoFar = []string{"100% of 9 starts"} }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.NoteSoFar, "100% of 9 starts"},
		{"held back", func(in *summary.Input) { in.WaitAt, in.Held = 8, 1200 }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.HeldBack, "1,200 arrivals waited at the in-flight cap of 8, as the scenario asks for; their waiting is part of latency, not of service; " +
				"the 5% check of the generator's own lag was not made in one"},
		{"held back elsewhere", func(in *summary.Input) { in.WaitAt, in.Held = 21, 1 }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.HeldBack, "1 arrival waited at the in-flight cap of 21, as the scenario asks for; their waiting is part of latency, not of service"},
		{"a third of the machine", func(in *summary.Input) { in.GeneratorCPU = 1. / 3 }, func() []*sample.Sample { return repeat(20, sample.Warm) }, "", ""},
		{"more than a third of the machine", func(in *summary.Input) { in.GeneratorCPU = .41 }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.GeneratorCPU, "the load generator took 41% of the machine's CPU time; what it shares the machine with may have waited for it"},
		{"phase out of nowhere", func(in *summary.Input) { in.Phases = nil }, func() []*sample.Sample { return repeat(20, sample.Warm) },
			summary.UnscheduledPhase, "samples name a phase that the schedule does not have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := onePhase(20)
			if tt.in != nil {
				tt.in(&in)
			}
			r := build(in, tt.samples()...).Run()
			found := false
			for _, w := range r.Warnings {
				switch w.Code {
				case summary.QuantileUnsupported:
				case tt.want:
					found = true
					if w.Message != tt.message {
						t.Errorf("message = %q, want %q", w.Message, tt.message)
					}
				default:
					t.Errorf("unwanted warning %s: %s", w.Code, w.Message)
				}
			}
			if !found && tt.want != "" {
				t.Errorf("warnings = %v, want %s", codes(r), tt.want)
			}
		})
	}
}

func TestEndings(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*summary.Input)
		offered uint64
		invalid []string
	}{
		{"complete", func(*summary.Input) {}, 20, []string{}},
		{"interrupted", func(in *summary.Input) { in.Interrupted, in.Phases[0].Offered = true, 900 }, 20, []string{"the run was interrupted"}},
		{"killed", func(in *summary.Input) { in.Complete, in.Phases[0].Offered = false, 900 }, 20,
			[]string{"the run is incomplete: it ended before its last sample was written"}},
		{"samples lost", func(in *summary.Input) { in.Phases[0].Offered = 21 }, 21, []string{"the schedule has 21 arrivals, but 20 have a sample"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := onePhase(20)
			tt.change(&in)
			r := build(in, repeat(20, sample.Warm)...).Run()
			if d := cmp.Diff(tt.invalid, r.Invalid); d != "" {
				t.Errorf("invalid (-want +got):\n%s", d)
			}
			if r.Valid != (len(tt.invalid) == 0) || r.Offered != tt.offered {
				t.Errorf("valid %v, offered %d; want %v, %d", r.Valid, r.Offered, len(tt.invalid) == 0, tt.offered)
			}
		})
	}
}

func TestNothingAtAll(t *testing.T) {
	r := summary.New(summary.Input{}).Run()
	if r.Valid || r.ColdShare != nil || r.Groups == nil || r.Phases == nil || r.Warnings == nil || r.Invalid == nil {
		t.Errorf("a run of nothing is %+v", r)
	}
	if p := summary.New(summary.Input{}).Select(summary.Selection{}); p.N != 0 || p.Latency.P50 != nil || p.PerSecond != 0 {
		t.Errorf("a pool of nothing is %+v", p)
	}
}

// random makes samples of every sort over three phases, the first a warm-up.
func random(rng *rand.Rand, n int) (summary.Input, []*sample.Sample) {
	in := summary.Input{Complete: true}
	for i, name := range []string{"heat", "a", "b"} {
		in.Phases = append(in.Phases, summary.PhaseSpan{
			Name: name, Warmup: i == 0, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second,
		})
	}
	var out []*sample.Sample
	for range n {
		p := rng.IntN(3)
		in.Phases[p].Offered++
		at := in.Phases[p].Start + time.Duration(rng.Int64N(int64(time.Second)))
		s := answer(in.Phases[p].Name, []string{"f", "g"}[rng.IntN(2)], at, time.Duration(rng.ExpFloat64()*float64(ms)), sample.Start(rng.IntN(7)))
		s.Grade = sample.Grade(rng.IntN(5))
		if rng.IntN(5) == 0 {
			s.Err = sample.ErrorKind(rng.IntN(13))
		}
		out = append(out, s)
	}
	return in, out
}

func TestCountsAddUp(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		in, samples := random(rng, rng.IntN(2000))
		b := build(in, samples...)
		r := b.Run()
		var n, errors, known, unknown, warmup, dropped uint64
		for _, g := range r.Groups {
			n += g.N
			errors += g.Errors
			if g.Start == "unknown" {
				unknown += g.N
			} else {
				known += g.N
			}
			var kinds uint64
			for _, k := range g.ErrorKinds {
				kinds += k
			}
			if kinds != g.Errors {
				t.Errorf("seed %d: kinds add up to %d, errors %d", seed, kinds, g.Errors)
			}
		}
		for _, p := range r.Phases {
			dropped += p.Dropped
			if p.Warmup {
				warmup += p.Sent
			}
			if p.Offered != p.Sent+p.Dropped {
				t.Errorf("seed %d: %s offered %d, sent %d, dropped %d", seed, p.Name, p.Offered, p.Sent, p.Dropped)
			}
		}
		if n != r.Sent || errors != r.Errors || known != r.Known || unknown != r.Unknown || r.Offered != r.Sent+r.Dropped {
			t.Errorf("seed %d: groups say n %d, errors %d, known %d, unknown %d; the run %d, %d, %d, %d of %d offered",
				seed, n, errors, known, unknown, r.Sent, r.Errors, r.Known, r.Unknown, r.Offered)
		}
		if got := n + warmup + dropped; got != uint64(len(samples)) {
			t.Errorf("seed %d: %d accounted for, %d samples", seed, got, len(samples))
		}
		if p := b.Select(summary.Selection{}); p.N != r.Sent || p.Errors != r.Errors || p.Dropped != r.Dropped || p.Cold != r.Cold || p.Known != r.Known {
			t.Errorf("seed %d: pool of all %+v differs from the run", seed, p)
		}
	}
}

// TestOrderDoesNotMatter: samples arrive as they complete, not as they were sent.
func TestOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	in, samples := random(rng, 3000)
	want := build(in, samples...).Run()
	rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	if d := cmp.Diff(want, build(in, samples...).Run()); d != "" {
		t.Errorf("shuffled (-want +got):\n%s", d)
	}
}

func TestSelectPoolsSamplesAndNotQuantiles(t *testing.T) {
	in := onePhase(0)
	in.Phases = append(in.Phases, summary.PhaseSpan{Name: "two", Start: time.Second, End: 3 * time.Second})
	var samples []*sample.Sample
	for i := range 99 { // 1..99 ms, every third in the second phase
		s := answer("one", "f", 0, time.Duration(i+1)*ms, sample.Warm)
		if i%3 == 0 {
			s.Phase = "two"
			s.Intended, s.Sent, s.Done = s.Intended+time.Second, s.Sent+time.Second, s.Done+time.Second
		}
		samples = append(samples, s)
	}
	b := build(in, samples...)
	p := b.Select(summary.Selection{Start: "warm"})
	if got := *p.Service.P50; !near(got, int64(50*ms)) {
		t.Errorf("pooled p50 = %d, want 50 ms", got)
	}
	if p.N != 99 || p.PerSecond != 33 {
		t.Errorf("n %d, %v/s; want 99, 33/s", p.N, p.PerSecond)
	}
	if p := b.Select(summary.Selection{Phase: "two"}); p.N != 33 || p.PerSecond != 16.5 {
		t.Errorf("two: n %d, %v/s; want 33, 16.5/s", p.N, p.PerSecond)
	}
	if p := b.Select(summary.Selection{Start: "cold"}); p.N != 0 {
		t.Errorf("cold: n %d, want 0", p.N)
	}
}

// TestAddKeepsNoSample: the builder's memory does not grow with the run.
func TestAddKeepsNoSample(t *testing.T) {
	samples := repeat(100, sample.Warm)
	b := build(onePhase(100), samples...)
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range samples {
			b.Add(s)
		}
	}); n > 0 {
		t.Errorf("adding 100 samples allocates %v times", n)
	}
}

func TestGoldenDocument(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 42))
	in, samples := random(rng, 600)
	in.Scenario, in.Platform, in.Dir, in.Seed, in.Backlog, in.PeakBacklog = "quick", "reference", "runs/x", 42, 17, 3
	in.Notes = []string{"memory limits are not enforced"}
	for _, s := range samples {
		if s.Start == sample.Cold {
			s.Breakdown = sample.Breakdown{Provision: s.Service() / 4, Init: s.Service() / 2}
			s.Billed = ms
		}
	}
	r := build(in, samples...).Run()
	r.Expect = []summary.Check{{Metric: "latency.p99", Start: "warm", Max: "50ms", Value: new(6.12e7), Message: "latency.p99 of warm: 61.2 ms, allowed 50ms"}}
	got, err := json.MarshalIndent(summary.Document{Schema: summary.Schema, Runs: []summary.Run{r}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "document.json", append(got, '\n'))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-want +got):\n%s", path, cmp.Diff(string(want), string(got)))
	}
}
