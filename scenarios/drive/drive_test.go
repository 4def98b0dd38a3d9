package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/scenarios"
)

// invoke is a deployment of one function value.
type invoke func(context.Context, platform.Request) (platform.Response, error)

func (f invoke) Invoke(ctx context.Context, r platform.Request) (platform.Response, error) {
	return f(ctx, r)
}
func (invoke) Remove(context.Context) error { return nil }

func instant(context.Context, platform.Request) (platform.Response, error) {
	return platform.Response{Status: 200}, nil
}

// takes answers after d, or not at all if the context ends first.
func takes(d time.Duration) invoke {
	return func(ctx context.Context, _ platform.Request) (platform.Response, error) {
		select {
		case <-time.After(d):
			return platform.Response{Status: 200}, nil
		case <-ctx.Done():
			return platform.Response{}, ctx.Err()
		}
	}
}

// memory is a sink that keeps everything.
type memory struct {
	samples []sample.Sample
	flushes []time.Duration
}

func (m *memory) Append(s *sample.Sample) error { m.samples = append(m.samples, *s); return nil }
func (m *memory) Flush(at time.Duration) error  { m.flushes = append(m.flushes, at); return nil }

// bySeq is the samples in the order of the schedule.
func (m *memory) bySeq() []sample.Sample {
	s := slices.Clone(m.samples)
	slices.SortFunc(s, func(a, b sample.Sample) int { return int(a.Seq) - int(b.Seq) })
	return s
}

// every is a schedule of n arrivals at one function, gap apart.
func every(gap time.Duration, n int) *scenarios.Schedule {
	s := &scenarios.Schedule{
		Times:   make([]time.Duration, n),
		Source:  make([]uint16, n),
		Sources: []scenarios.Source{{Function: "f"}},
		Phases:  []scenarios.PhaseSpan{{Name: "p", End: max(gap, 1) * time.Duration(n), Offered: uint64(n)}},
	}
	for i := range s.Times {
		s.Times[i] = gap * time.Duration(i)
	}
	return s
}

func planOf(s *scenarios.Schedule, d platform.Deployment) Plan {
	return Plan{Schedule: s, Deployments: map[string]platform.Deployment{"f": d}, Clock: clock.New()}
}

// drive runs a plan in virtual time.
func drive(t *testing.T, ctx context.Context, p Plan, sink Sink) Outcome {
	t.Helper()
	out, err := run(ctx, p, sink, nil, newTimerWaiter())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkOnce holds a run to its promise: every arrival that was reached has
// exactly one sample, and the counts add up.
func checkOnce(t *testing.T, out Outcome, m *memory) {
	t.Helper()
	if out.Offered != out.Sent+out.Dropped {
		t.Errorf("offered %d, want sent %d + dropped %d", out.Offered, out.Sent, out.Dropped)
	}
	if got := uint64(len(m.samples)); got != out.Offered {
		t.Errorf("%d samples, want one for each of %d arrivals", got, out.Offered)
	}
	var sent uint64
	for i, s := range m.bySeq() {
		if s.Seq != uint64(i) {
			t.Fatalf("sample %d is of arrival %d: one is missing or there twice", i, s.Seq)
		}
		if s.Err != sample.Dropped {
			sent++
			if s.Sent < s.Intended || s.Done < s.Sent {
				t.Errorf("arrival %d: intended %v, sent %v, done %v: out of order", i, s.Intended, s.Sent, s.Done)
			}
		}
	}
	if sent != out.Sent {
		t.Errorf("%d samples of sent requests, outcome says %d", sent, out.Sent)
	}
}

func TestOnScheduleWhateverTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		out := drive(t, t.Context(), planOf(every(10*time.Millisecond, 200), takes(3*time.Second)), m)
		checkOnce(t, out, m)
		for _, s := range m.samples {
			if s.Lag() != 0 || s.Latency() != 3*time.Second {
				t.Fatalf("arrival %d: lag %v, latency %v, want 0 and 3s", s.Seq, s.Lag(), s.Latency())
			}
		}
		if out.Generator.Backlog != 200 {
			t.Errorf("peak in flight %d, want 200", out.Generator.Backlog)
		}
		if out.Interrupted || out.Generator.PeakBacklog != 0 || out.Generator.Held != 0 {
			t.Errorf("interrupted %v, peak backlog %d, held %d; want nothing of it", out.Interrupted, out.Generator.PeakBacklog, out.Generator.Held)
		}
	})
}

func TestArrivalDecidesFunctionAndPayload(t *testing.T) {
	// Many at once: vegeta asks for targets in another order than it numbers hits.
	s := &scenarios.Schedule{
		Sources: []scenarios.Source{
			{Phase: 0, Function: "a", Consumer: "left"},
			{Phase: 0, Function: "b"},
			{Phase: 1, Function: "a", Consumer: "right"},
		},
		Phases: []scenarios.PhaseSpan{{Name: "one", End: 50 * time.Millisecond}, {Name: "two", Start: 50 * time.Millisecond, End: 100 * time.Millisecond}},
	}
	for i := range 4000 {
		at := time.Duration(i/100) * 2500 * time.Microsecond
		src := uint16(i * 7 % 2)
		if at >= 50*time.Millisecond {
			src = uint16(1 + i*7%2)
			if src == 1 {
				src = 2
			}
		}
		s.Times, s.Source = append(s.Times, at), append(s.Source, src)
	}
	var wrong atomic.Uint64
	want := func(payload string) invoke {
		return func(_ context.Context, r platform.Request) (platform.Response, error) {
			if string(r.Payload) != payload {
				wrong.Add(1)
			}
			return platform.Response{Status: 200, Evidence: platform.Evidence{Instance: payload + "/" + r.Consumer}}, nil
		}
	}
	m := &memory{}
	out, err := Run(t.Context(), Plan{
		Schedule:    s,
		Deployments: map[string]platform.Deployment{"a": want("for a"), "b": want("for b")},
		Payloads:    map[string]platform.Request{"a": {Payload: []byte("for a")}, "b": {Payload: []byte("for b")}},
		Clock:       clock.New(),
	}, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkOnce(t, out, m)
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d requests carried another function's payload", n)
	}
	for _, got := range m.samples {
		src := s.Sources[s.Source[got.Seq]]
		want := sample.Sample{
			Seq: got.Seq, Phase: s.Phases[src.Phase].Name, Function: src.Function, Consumer: src.Consumer,
			Intended: s.Times[got.Seq], Instance: "for " + src.Function + "/" + src.Consumer,
			Sent: got.Sent, Done: got.Done,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("sample of arrival %d (-want +got):\n%s", got.Seq, diff)
		}
	}
}

func TestWhatThePlatformSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		evidence := platform.Evidence{
			Start: sample.Cold, Grade: sample.Attested, Instance: "i-1",
			Breakdown: sample.Breakdown{Queue: 1, Provision: 2, Boot: 3, Init: 4, Handler: 5},
		}
		m := &memory{}
		out := drive(t, t.Context(), planOf(every(0, 1), invoke(func(context.Context, platform.Request) (platform.Response, error) {
			time.Sleep(20 * time.Millisecond)
			first := time.Now()
			time.Sleep(5 * time.Millisecond)
			answered := time.Now()
			time.Sleep(time.Second) // the adapter looks after its evidence
			return platform.Response{FirstByte: first, Answered: answered, Evidence: evidence, Billed: 26 * time.Millisecond},
				&platform.Error{Kind: sample.Timeout, Op: "invoke f", Err: errors.New("too slow")}
		})), m)
		checkOnce(t, out, m)
		want := []sample.Sample{{
			Phase: "p", Function: "f", FirstByte: 20 * time.Millisecond, Done: 25 * time.Millisecond,
			Start: sample.Cold, Grade: sample.Attested, Instance: "i-1", Breakdown: evidence.Breakdown,
			Billed: 26 * time.Millisecond, Err: sample.Timeout,
		}}
		if diff := cmp.Diff(want, m.samples); diff != "" {
			t.Errorf("sample (-want +got):\n%s", diff)
		}
	})
}

func TestErrorsAreSamples(t *testing.T) {
	kinds := []sample.ErrorKind{
		sample.Throttled, sample.Timeout, sample.Handler, sample.Init, sample.Crash, sample.OutOfMemory,
		sample.Payload, sample.Refused, sample.Platform, sample.Network, sample.Cancelled,
	}
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		m := &memory{}
		var last Progress
		out, err := run(t.Context(), planOf(every(time.Millisecond, len(kinds)+1), invoke(func(context.Context, platform.Request) (platform.Response, error) {
			i := int(n.Add(1)) - 1
			if i == len(kinds) {
				return platform.Response{}, errors.New("an adapter that gives no kind")
			}
			return platform.Response{}, fmt.Errorf("wrapped: %w", &platform.Error{Kind: kinds[i], Op: "invoke f", Err: io.EOF})
		})), m, func(p Progress) { last = p }, newTimerWaiter())
		if err != nil {
			t.Fatal(err)
		}
		checkOnce(t, out, m)
		var got []sample.ErrorKind
		for _, s := range m.bySeq() {
			got = append(got, s.Err)
		}
		if diff := cmp.Diff(append(slices.Clone(kinds), sample.Platform), got); diff != "" {
			t.Errorf("kinds (-want +got):\n%s", diff)
		}
		if out.Interrupted {
			t.Error("an error of kind cancelled that is the platform's own made the run interrupted")
		}
		if want := uint64(len(kinds) + 1); last.Errors != want {
			t.Errorf("live errors %d, want %d", last.Errors, want)
		}
	})
}

func TestDropAtTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(every(10*time.Millisecond, 100), takes(95*time.Millisecond))
		p.InFlight = scenarios.InFlight{Max: 3, When: "drop"}
		m := &memory{}
		out := drive(t, t.Context(), p, m)
		checkOnce(t, out, m)
		// Three are let in, the next seven find it full, the eleventh finds the first gone.
		if out.Sent != 30 || out.Dropped != 70 || out.Generator.Backlog != 3 || out.Generator.Held != 0 {
			t.Errorf("sent %d, dropped %d, peak %d, held %d, want 30, 70, 3, 0", out.Sent, out.Dropped, out.Generator.Backlog, out.Generator.Held)
		}
		for _, s := range m.bySeq() {
			want := sample.NoError
			if s.Seq%10 >= 3 {
				want = sample.Dropped
			}
			if s.Err != want {
				t.Fatalf("arrival %d is %v, want %v", s.Seq, s.Err, want)
			}
			if s.Err == sample.Dropped && (s.Sent != 0 || s.Done != 0) {
				t.Fatalf("dropped arrival %d was sent at %v, done at %v", s.Seq, s.Sent, s.Done)
			}
		}
	})
}

func TestWaitAtTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(every(10*time.Millisecond, 10), takes(100*time.Millisecond))
		p.InFlight = scenarios.InFlight{Max: 2, When: "wait"}
		m := &memory{}
		out := drive(t, t.Context(), p, m)
		checkOnce(t, out, m)
		if out.Sent != 10 || out.Generator.Held != 8 || out.Generator.Backlog != 2 {
			t.Errorf("sent %d, held %d, peak %d, want 10, 8, 2", out.Sent, out.Generator.Held, out.Generator.Backlog)
		}
		// At 100 ms the third goes out, and seven more are due.
		if g := out.Generator; g.PeakBacklog != 8 || g.Held != 8 {
			t.Errorf("the generator's peak backlog %d, held %d, want 8 and 8", g.PeakBacklog, g.Held)
		}
		for i, s := range m.bySeq() {
			sent := time.Duration(i/2)*100*time.Millisecond + time.Duration(i%2)*10*time.Millisecond
			if s.Sent != sent || s.Lag() != sent-s.Intended {
				t.Errorf("arrival %d sent at %v, want %v", i, s.Sent, sent)
			}
		}
	})
}

func TestInterruptWhileWaitingAtTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 55*time.Millisecond+lead)
		defer cancel()
		p := planOf(every(10*time.Millisecond, 10), takes(time.Hour))
		p.InFlight = scenarios.InFlight{Max: 2, When: "wait"}
		m := &memory{}
		out := drive(t, ctx, p, m)
		checkOnce(t, out, m)
		// 0 to 5 were due: two under way, four that waited and were never sent.
		if out.Sent != 2 || out.Dropped != 4 || !out.Interrupted {
			t.Errorf("sent %d, dropped %d, interrupted %v, want 2, 4, true", out.Sent, out.Dropped, out.Interrupted)
		}
		if out.Generator.PeakBacklog != 4 {
			t.Errorf("peak backlog %d, want the 4 that were never sent", out.Generator.PeakBacklog)
		}
	})
}

func TestInterrupt(t *testing.T) {
	for _, tt := range []struct {
		name        string
		service     time.Duration
		grace       time.Duration
		at          time.Duration // of the interrupt
		offered     uint64
		cancelled   int
		interrupted bool
		end         time.Duration
	}{
		{"before the first", time.Second, 0, -lead, 0, 0, true, -lead},
		{"answers within the grace", 150 * time.Millisecond, 0, 55 * time.Millisecond, 6, 0, true, 200 * time.Millisecond},
		{"answers too late", time.Hour, 0, 55 * time.Millisecond, 6, 6, true, 2055 * time.Millisecond},
		{"own grace", time.Hour, 100 * time.Millisecond, 55 * time.Millisecond, 6, 6, true, 155 * time.Millisecond},
		{"no grace", time.Hour, -1, 55 * time.Millisecond, 6, 6, true, 55 * time.Millisecond},
		{"some within the grace", 100 * time.Millisecond, 70 * time.Millisecond, 55 * time.Millisecond, 6, 3, true, 125 * time.Millisecond},
		{"all sent, answers out", time.Hour, 0, 150 * time.Millisecond, 10, 10, true, 2150 * time.Millisecond},
		{"all sent and answered in time", 500 * time.Millisecond, 0, 150 * time.Millisecond, 10, 0, false, 590 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.at <= -lead {
					cancel()
				}
				time.AfterFunc(lead+tt.at, cancel)
				p := planOf(every(10*time.Millisecond, 10), takes(tt.service))
				p.Grace = tt.grace
				m := &memory{}
				out := drive(t, ctx, p, m)
				checkOnce(t, out, m)
				cancelled := 0
				for _, s := range m.samples {
					if s.Err == sample.Cancelled {
						cancelled++
					}
				}
				if out.Offered != tt.offered || cancelled != tt.cancelled || out.Interrupted != tt.interrupted {
					t.Errorf("offered %d, cancelled %d, interrupted %v, want %d, %d, %v",
						out.Offered, cancelled, out.Interrupted, tt.offered, tt.cancelled, tt.interrupted)
				}
				if end := out.Ended.Sub(out.Origin); end != tt.end {
					t.Errorf("ended at %v, want %v", end, tt.end)
				}
			})
		})
	}
}

// A failure that is an answer stays one, even when it comes after the run has
// given up; without an answer nobody can tell, and the run takes the blame.
func TestCancelledOnlyWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		var n atomic.Int64
		p := planOf(every(time.Millisecond, 2), invoke(func(ctx context.Context, _ platform.Request) (platform.Response, error) {
			status := 0
			if n.Add(1) == 1 {
				status = 502
			}
			<-ctx.Done()
			return platform.Response{Status: status}, &platform.Error{Kind: sample.Network, Op: "invoke f", Err: errors.New("connection closed")}
		}))
		m := &memory{}
		checkOnce(t, drive(t, ctx, p, m), m)
		got := []sample.ErrorKind{m.bySeq()[0].Err, m.bySeq()[1].Err}
		if diff := cmp.Diff([]sample.ErrorKind{sample.Network, sample.Cancelled}, got); diff != "" {
			t.Errorf("kinds (-want +got):\n%s", diff)
		}
	})
}

// In real time and at any moment: an interrupt neither loses nor doubles one.
func TestInterruptAnywhere(t *testing.T) {
	for i := range 20 {
		for _, when := range []string{"drop", "wait"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*1300*time.Microsecond)
			p := planOf(every(20*time.Microsecond, 1000), takes(300*time.Microsecond))
			p.InFlight = scenarios.InFlight{Max: 8, When: when}
			p.Grace = time.Millisecond
			m := &memory{}
			out, err := Run(ctx, p, m, nil)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			checkOnce(t, out, m)
			if out.Generator.Backlog > 8 {
				t.Errorf("%s: %d in flight, the cap is 8", when, out.Generator.Backlog)
			}
		}
	}
}

func TestNothingToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		out := drive(t, t.Context(), planOf(every(time.Second, 0), invoke(instant)), m)
		checkOnce(t, out, m)
		if out.Offered != 0 || out.Interrupted {
			t.Errorf("offered %d, interrupted %v, want 0, false", out.Offered, out.Interrupted)
		}
	})
}

func TestBurst(t *testing.T) {
	const n = 5000
	var together sync.WaitGroup
	together.Add(n)
	m := &memory{}
	// Nobody answers before all have been sent.
	out, err := Run(t.Context(), planOf(every(0, n), invoke(func(context.Context, platform.Request) (platform.Response, error) {
		together.Done()
		together.Wait()
		return platform.Response{Status: 200}, nil
	})), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkOnce(t, out, m)
	if out.Generator.Backlog != n {
		t.Errorf("%d in flight, want %d", out.Generator.Backlog, n)
	}
}

// full is a sink whose disk is full after so many samples.
type full struct {
	memory
	room    int
	onFlush bool
}

func (f *full) Append(s *sample.Sample) error {
	if !f.onFlush && len(f.samples) == f.room {
		return fmt.Errorf("write samples: %w", syscall.ENOSPC)
	}
	return f.memory.Append(s)
}

func (f *full) Flush(at time.Duration) error {
	if f.onFlush && len(f.samples) >= f.room {
		return fmt.Errorf("flush samples: %w", syscall.ENOSPC)
	}
	return f.memory.Flush(at)
}

func TestDiskFullEndsTheRun(t *testing.T) {
	for _, onFlush := range []bool{false, true} {
		t.Run(fmt.Sprintf("onFlush=%v", onFlush), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &full{room: 40, onFlush: onFlush}
				p := planOf(every(10*time.Millisecond, 100_000), takes(40*time.Millisecond))
				p.Grace = time.Hour
				out, err := run(t.Context(), p, sink, nil, newTimerWaiter())
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("error %v, want %v", err, syscall.ENOSPC)
				}
				if end := out.Ended.Sub(out.Origin); end > 2*time.Second {
					t.Errorf("went on until %v after the disk was full", end)
				}
				if out.Interrupted {
					t.Error("interrupted, and nobody did")
				}
				if out.Offered < 40 || out.Offered != out.Sent+out.Dropped {
					t.Errorf("offered %d, sent %d, dropped %d", out.Offered, out.Sent, out.Dropped)
				}
			})
		})
	}
}

func TestPlanFaults(t *testing.T) {
	s := every(time.Second, 2)
	s.Source = s.Source[:1]
	s.Sources = append(s.Sources, scenarios.Source{Function: "g", Phase: 3})
	_, err := Run(t.Context(), Plan{Schedule: s, InFlight: scenarios.InFlight{Max: -1, When: "pray"}}, &memory{}, nil)
	want := `drive: schedule has 2 times and 1 sources, want as many
function "f" is scheduled but not deployed
function "g" is scheduled but not deployed
source 1 is of phase 3, the schedule has 1
in-flight cap is -1, want at least 0 (0 is the default of 10000)
at the in-flight cap "pray", want "drop" or "wait"`
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
	if _, err := Run(t.Context(), Plan{}, &memory{}, nil); err == nil {
		t.Error("a plan without a schedule was driven")
	}
}
