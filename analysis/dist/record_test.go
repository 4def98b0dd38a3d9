package dist_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/dist"
)

const ms = time.Millisecond

// requests are n of them, so many a second, the k-th with k µs beside, in disorder.
func requests(n int, rate time.Duration) []dist.Observed {
	list := make([]dist.Observed, n)
	for k := range time.Duration(n) {
		list[k] = dist.Observed{At: k * time.Second / rate, Beside: k * time.Microsecond}
	}
	rand.New(rand.NewPCG(9, 9)).Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// TestWalkGoesInBlocks: requests follow each other as they were measured, around
// the end, with what each took beside; and each comes as often as any other.
func TestWalkGoesInBlocks(t *testing.T) {
	const n = 100
	r, rng := dist.NewRecord(requests(n, 20)), rand.New(rand.NewPCG(1, 1))
	// Of the 20 that a second holds fewer are left for the last ones.
	if b := r.Block(); b < 15 || b > 20 {
		t.Fatalf("blocks of %d, want nearly the 20 of a second", b)
	}
	const rounds = 2000
	w, seen := r.Walk(), make([]int, n)
	for range rounds {
		before := -1
		for k := range r.Block() {
			place := w.Next(rng)
			if k > 0 && place != (before+1)%n {
				t.Fatalf("in a block %d follows %d", place, before)
			}
			// Between two requests is more than any takes beside.
			if got := r.Beside(place) + r.Shut(place); got != time.Duration(place)*time.Microsecond {
				t.Fatalf("beside request %d is %v", place, got)
			}
			if got := r.Gap(place); got != 50*ms {
				t.Fatalf("around request %d they are %v apart, want 50 ms", place, got)
			}
			seen[place]++
			before = place
		}
	}
	want := float64(rounds*r.Block()) / n
	for place, times := range seen {
		if float64(times) < want/2 || float64(times) > 2*want {
			t.Errorf("%d is drawn %d times, want about %.0f", place, times, want)
		}
	}
	if sparse := dist.NewRecord(requests(1000, 1)); sparse.Block() != 10 {
		t.Errorf("of 1000 requests, one a second, blocks are of %d, want the cube root", sparse.Block())
	}
}

// TestWayIsShutByStalls: what a stall held comes through together at its end, one
// that is overtaken or behind which nobody is holds nobody, and what all take is
// nobody's stall.
func TestWayIsShutByStalls(t *testing.T) {
	sent := func(at, beside time.Duration) dist.Observed { return dist.Observed{At: at * ms, Beside: beside * ms} }
	r := dist.NewRecord([]dist.Observed{
		sent(0, 20), sent(10, 20), // the network
		sent(100, 220), sent(150, 170), sent(290, 31), sent(300, 21), // a stall until 300, one ms each to make up for it
		sent(400, 70), sent(410, 20), // the first is overtaken by the second
		sent(500, 20), sent(510, 19), sent(600, 90), sent(700, 20), sent(800, 20),
	})
	var shut, beside []time.Duration
	for place := range 13 {
		shut, beside = append(shut, r.Shut(place)/ms), append(beside, r.Beside(place)/ms)
	}
	if diff := cmp.Diff([]time.Duration{0, 0, 200, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, shut); diff != "" {
		t.Errorf("shut for (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{20, 20, 20, 20, 20, 20, 70, 20, 20, 19, 90, 20, 20}, beside); diff != "" {
		t.Errorf("beside (-want +got):\n%s", diff)
	}
}

// TestSuccessionIsOfTheMoment: a request has what was measured with it, another
// what was nearest, in turn where that is several.
func TestSuccessionIsOfTheMoment(t *testing.T) {
	at := func(at, took time.Duration) dist.Observed { return dist.Observed{At: at * ms, Took: took * ms} }
	r := dist.NewRecord([]dist.Observed{at(0, 0), at(1000, 0), at(1010, 0), at(1020, 0), at(1030, 0), at(9000, 0), at(9010, 0)})
	s, err := r.Succession([]dist.Observed{at(1020, 2), at(0, 9), at(1000, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var got []time.Duration
	for place := range 7 {
		got = append(got, s.At(place)/ms)
	}
	// Two are within 50 ms of 1010 and of 1030, all three within 12.8 s of 9000 and
	// 9010, and none within half of that.
	if diff := cmp.Diff([]time.Duration{9, 1, 1, 2, 1, 2, 9}, got); diff != "" {
		t.Errorf("at the places (-want +got):\n%s", diff)
	}
	if s.N() != 3 || s.Mean() != 4*ms {
		t.Errorf("%d of %v on average, want 3 of 4 ms", s.N(), s.Mean())
	}
	if _, err := r.Succession(nil); err == nil {
		t.Error("a succession of nothing has no fault")
	}
}

// TestAgain: another run is in blocks of the measured one, of its length.
func TestAgain(t *testing.T) {
	const n = 400
	r := dist.NewRecord(requests(n, 20))
	jumps := func(r *dist.Record) (jumps int) {
		w, rng := r.Walk(), rand.New(rand.NewPCG(2, 2))
		for range n / r.Block() {
			before := w.Next(rng)
			for range r.Block() - 1 {
				place := w.Next(rng)
				if place != (before+1)%n {
					jumps++
				}
				before = place
			}
		}
		return jumps
	}
	again := r.Again(rand.New(rand.NewPCG(4, 4)))
	// A block of a walk through the other run lies in two blocks of the measured one.
	if in, most := jumps(again), 2*n/r.Block(); jumps(r) > 0 || in == 0 || in > most || again.Block() != r.Block() {
		t.Errorf("%d jumps in blocks of %d of the run, %d in blocks of %d of another; want none, and 1 to %d", jumps(r), r.Block(), in, again.Block(), most)
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	w, rng := dist.NewRecord(requests(100, 20)).Walk(), rand.New(rand.NewPCG(1, 1))
	if n := testing.AllocsPerRun(1000, func() { w.Next(rng) }); n > 0 {
		t.Errorf("a draw allocates %v times", n)
	}
}
