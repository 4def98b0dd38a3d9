package keepalive_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
)

// lab tries gaps in virtual time, on so many copies at once: each is left idle,
// and what is due first is answered first.
type lab struct {
	copies int
	budget time.Duration
	kept   func(gap time.Duration) bool
	now    time.Duration
	probes []keepalive.Probe
	done   bool // the search has tried all that it wanted to
}

func (l *lab) run(t *testing.T, o keepalive.Options) {
	t.Helper()
	s, err := keepalive.NewSearch(o)
	if err != nil {
		t.Fatal(err)
	}
	due := make([]time.Duration, l.copies) // when each copy's probe is answered; MaxInt64 for none
	asked := make([]time.Duration, l.copies)
	take := func(i int) {
		due[i] = math.MaxInt64
		if gap, ok := s.Next(l.budget - l.now); ok {
			asked[i], due[i] = gap, l.now+gap
		}
	}
	for i := range due {
		take(i)
	}
	for {
		first := 0
		for i := range due {
			if due[i] < due[first] {
				first = i
			}
		}
		if due[first] == math.MaxInt64 {
			l.done = s.Done()
			return
		}
		l.now = due[first]
		p := keepalive.Probe{Asked: asked[first], Gap: asked[first] + time.Duration(len(l.probes)%3)*time.Millisecond}
		p.AtMost = p.Gap + 200*time.Microsecond
		p.Kept = l.kept(p.Gap)
		l.probes = append(l.probes, p)
		s.Add(p)
		take(first)
	}
}

// TestAKeepAliveIsFound: whatever it is and however many copies there are, it
// lies in the bracket, which is as narrow as was asked for, and the time that
// it takes is in proportion to it.
func TestAKeepAliveIsFound(t *testing.T) {
	for _, truth := range []time.Duration{30 * time.Millisecond, 100 * time.Millisecond, 2 * time.Second, 61 * time.Second, 10 * time.Minute} {
		for _, copies := range []int{1, 4} {
			l := &lab{copies: copies, budget: 100 * time.Hour, kept: func(gap time.Duration) bool { return gap < truth }}
			l.run(t, keepalive.Options{From: 50 * time.Millisecond, Seed: 1})
			f := keepalive.FindingOf(l.probes, 0)
			if !f.Sudden || f.Gone == nil || *f.Gone < truth {
				t.Errorf("%v, %d copies: %+v", truth, copies, f)
				continue
			}
			if truth < 50*time.Millisecond {
				if f.Kept != nil && *f.Kept >= truth {
					t.Errorf("%v, %d copies: kept %v", truth, copies, *f.Kept)
				}
				continue
			}
			if *f.Kept >= truth || float64(*f.Gone-*f.Kept) > .051*float64(truth)+1e6 {
				t.Errorf("%v, %d copies: between %v and %v", truth, copies, *f.Kept, *f.Gone)
			}
			both := 0 // where a clock's grain decides
			for _, o := range f.Points {
				if o.Kept > 0 && o.Kept < o.N {
					both += o.N
				}
			}
			if f.KeptShare < .8 || f.GoneShare > .2 || f.KeptN+f.GoneN+both != len(l.probes) || both > 5 {
				t.Errorf("%v, %d copies: %d kept (at least %.2f), %d gone (at most %.2f), %d probes", truth, copies, f.KeptN, f.KeptShare, f.GoneN, f.GoneShare, len(l.probes))
			}
			if most := 60 * truth / time.Duration(copies); l.now > most+time.Minute {
				t.Errorf("%v, %d copies: it takes %v", truth, copies, l.now)
			}
		}
	}
}

// TestLivesOfDifferentLengths: instances that live 1 to 3 s, evenly spread, are
// not taken for a keep-alive, and the curve is the truth within its intervals.
func TestLivesOfDifferentLengths(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	truth := func(gap time.Duration) float64 { return min(1, max(0, (3-gap.Seconds())/2)) }
	l := &lab{copies: 3, budget: 100 * time.Hour, kept: func(gap time.Duration) bool { return rng.Float64() < truth(gap) }}
	l.run(t, keepalive.Options{From: 100 * time.Millisecond, Repeats: 15, Most: 400, Seed: 2})
	f := keepalive.FindingOf(l.probes, 50*time.Millisecond)
	if f.Sudden {
		t.Fatalf("taken for one keep-alive: %+v", f)
	}
	rungs := 0
	for _, p := range f.Points {
		if p.N < 10 {
			continue
		}
		rungs++
		// 99.99% of each side: seven rungs of a fixed seed.
		if want := truth(p.Asked); want < p.Lower-.15 || want > p.Upper+.15 {
			t.Errorf("%v: %.2f to %.2f, want %.2f", p.Asked, p.Lower, p.Upper, want)
		}
	}
	if rungs < 5 {
		t.Errorf("%d rungs of ten probes, want a curve: %+v", rungs, f.Points)
	}
	for i, s := range f.Steps {
		if i > 0 && s.Share >= f.Steps[i-1].Share {
			t.Errorf("the curve rises at %v", s.From)
		}
	}
}

// TestBounds: nothing is tried that is longer than the longest gap or than the
// time that is left, and no more than the most.
func TestBounds(t *testing.T) {
	always := func(time.Duration) bool { return true }
	l := &lab{copies: 2, budget: 100 * time.Hour, kept: always}
	l.run(t, keepalive.Options{From: time.Second, To: 10 * time.Second})
	f := keepalive.FindingOf(l.probes, 0)
	if f.Gone != nil || *f.Kept < 10*time.Second || *f.Kept > 10*time.Second+2*time.Millisecond || f.GoneShare != 1 {
		t.Errorf("instances that always live: %+v", f)
	}
	if !l.done || len(l.probes) > 40 {
		t.Errorf("instances that always live: %d probes, all that it wanted: %v", len(l.probes), l.done)
	}

	l = &lab{copies: 2, budget: 100 * time.Hour, kept: func(gap time.Duration) bool { return gap < 9*time.Second }}
	l.run(t, keepalive.Options{From: time.Second, To: 10 * time.Second})
	if f := keepalive.FindingOf(l.probes, 0); !l.done || !f.Sudden || *f.Gone < 9*time.Second || *f.Kept >= 9*time.Second {
		t.Errorf("an end just below the longest gap: %+v, all that it wanted: %v", f, l.done)
	}

	l = &lab{copies: 2, budget: time.Minute, kept: always}
	l.run(t, keepalive.Options{From: time.Second, To: time.Hour})
	if l.now > time.Minute || len(l.probes) < 5 {
		t.Errorf("%d probes in %v of a minute", len(l.probes), l.now)
	}

	l = &lab{copies: 3, budget: 100 * time.Hour, kept: always}
	l.run(t, keepalive.Options{Most: 7})
	if len(l.probes) != 7 {
		t.Errorf("%d probes, want the most, 7", len(l.probes))
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []keepalive.Options{{From: -1}, {From: 2, To: 1}, {Precision: 2}, {Precision: math.NaN()}, {Repeats: -1}, {Most: -1}} {
		if _, err := keepalive.NewSearch(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// TestSteps holds the curve against one that was pooled by hand: of gaps 1 to 6
// the shares 1 0 1 1 0 0 pool to 1, then 2 of 3 over 2 to 4, then 0.
func TestSteps(t *testing.T) {
	var probes []keepalive.Probe
	for i, kept := range []bool{true, false, true, true, false, false} {
		gap := time.Duration(i+1) * time.Second
		probes = append(probes, keepalive.Probe{Asked: gap, Gap: gap, Kept: kept})
	}
	f := keepalive.FindingOf(probes, 0)
	const s = time.Second
	want := []keepalive.Step{{From: s, To: s, N: 1, Share: 1}, {From: 2 * s, To: 4 * s, N: 3, Share: 2. / 3}, {From: 5 * s, To: 6 * s, N: 2, Share: 0}}
	if diff := cmp.Diff(want, f.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if f.Sudden || *f.Kept != s || *f.Gone != 5*s {
		t.Errorf("kept %v, gone %v, sudden %v", *f.Kept, *f.Gone, f.Sudden)
	}
	if near := keepalive.FindingOf(probes, 2*s); !near.Sudden {
		t.Error("what lies within the tolerance contradicts")
	}
}

// TestFalling: limits reach from the gaps that tell most to those that tell less.
func TestFalling(t *testing.T) {
	points := []keepalive.Point{{Lower: .7, Upper: 1}, {Lower: .1, Upper: .9}, {Lower: .5, Upper: 1}, {Lower: 0, Upper: .4}, {Lower: 0, Upper: .9}}
	want := []keepalive.Point{{Lower: .7, Upper: 1}, {Lower: .5, Upper: .9}, {Lower: .5, Upper: .9}, {Lower: 0, Upper: .4}, {Lower: 0, Upper: .4}}
	if diff := cmp.Diff(want, keepalive.Falling(points)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if points[1].Lower != .1 {
		t.Error("the points themselves have changed")
	}
}

// TestLateRequests: a request that took long to arrive found the instance gone
// by a time that lies within what is told.
func TestLateRequests(t *testing.T) {
	const s = time.Second
	f := keepalive.FindingOf([]keepalive.Probe{
		{Asked: 1900 * time.Millisecond, Gap: 1900 * time.Millisecond, AtMost: 2400 * time.Millisecond, Kept: true},
		{Asked: 1940 * time.Millisecond, Gap: 1950 * time.Millisecond, AtMost: 2050 * time.Millisecond}, // of a keep-alive of 2 s
		{Asked: 2100 * time.Millisecond, Gap: 2100 * time.Millisecond, AtMost: 2110 * time.Millisecond},
	}, 0)
	if !f.Sudden || *f.Kept != 1900*time.Millisecond || *f.Gone != 2050*time.Millisecond || f.GoneN != 2 || f.GoneFrom != 1940*time.Millisecond || f.KeptTo != 1900*time.Millisecond {
		t.Errorf("kept %v, gone %v, sudden %v", *f.Kept, *f.Gone, f.Sudden)
	}
	if f := keepalive.FindingOf([]keepalive.Probe{{Gap: 2 * s, AtMost: 3 * s, Kept: true}, {Gap: s, AtMost: 2500 * time.Millisecond}}, 0); !f.Sudden {
		t.Error("a request that may have come later contradicts")
	}
}

// TestFindingIsOfItsPoints: what is said of all probes up to a gap or from one on
// is what the points up to it or from it on say, however late the requests were.
func TestFindingIsOfItsPoints(t *testing.T) {
	const ms = time.Millisecond
	probe := func(asked, late, took time.Duration, kept bool) keepalive.Probe {
		return keepalive.Probe{Asked: asked, Gap: asked + late, AtMost: asked + late + took, Kept: kept}
	}
	f := keepalive.FindingOf([]keepalive.Probe{
		probe(2900*ms, ms, 2*ms, true), probe(2990*ms, 9*ms, 9*ms, true), // one that was asked for less was idle for longer
		probe(2992*ms, ms, 2*ms, true), probe(2992*ms, 12*ms, 2*ms, false),
		probe(3070*ms, 6*ms, 11*ms, false), probe(3080*ms, ms, 20*ms, false), probe(3200*ms, ms, 2*ms, false),
	}, 0)
	if f.KeptN != 2 || f.KeptTo != 2990*ms || f.GoneN != 3 || f.GoneFrom != 3070*ms {
		t.Errorf("%d kept up to %v, %d gone from %v on, want 2 up to 2.99s and 3 from 3.07s on", f.KeptN, f.KeptTo, f.GoneN, f.GoneFrom)
	}
	if *f.Kept != 2999*ms || *f.Gone != 3006*ms {
		t.Errorf("kept %v, gone %v, want 2.999s and 3.006s", *f.Kept, *f.Gone)
	}
	var kept, gone int
	for _, o := range f.Points {
		if o.Asked <= f.KeptTo {
			kept += o.Kept
		}
		if o.Asked >= f.GoneFrom {
			gone += o.N - o.Kept
		}
	}
	if kept != f.KeptN || gone != f.GoneN {
		t.Errorf("by the points %d kept and %d gone, and %d and %d are told", kept, gone, f.KeptN, f.GoneN)
	}
}

// TestDocument: what is kept is what is read, and as the schema says.
func TestDocument(t *testing.T) {
	d := keepalive.Options{From: time.Second, To: time.Minute, Precision: .05, Seed: 3}.Begin(keepalive.Document{Platform: "reference", Function: "hello", Copies: 1, Budget: time.Hour})
	d.Add(keepalive.Probe{Asked: time.Second, Gap: time.Second, Kept: true, Function: "hello", Start: "warm", Grade: "attested"})
	d.Add(keepalive.Probe{Asked: 2 * time.Second, Gap: 2 * time.Second, Function: "hello", Start: "cold", Grade: "attested"})
	dir := t.TempDir()
	if err := d.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := keepalive.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&d, again); diff != "" {
		t.Errorf("read again (-saved +read):\n%s", diff)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := stricttest.Schema(t, keepalive.SchemaJSON()).Validate(stricttest.Value(t, text)); err != nil {
		t.Error(err)
	}
	if *d.Finding.Kept != time.Second || *d.Finding.Gone != 2*time.Second {
		t.Errorf("finding %+v", d.Finding)
	}
}
