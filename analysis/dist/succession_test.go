package dist_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/dist"
)

// numbered are durations that tell their place: k ms, beside it k µs, so many a second.
func numbered(t testing.TB, n int, rate time.Duration) *dist.Succession {
	t.Helper()
	observed := make([]dist.Observed, n)
	for k := range time.Duration(n) {
		observed[k] = dist.Observed{At: k * time.Second / rate, Took: k * time.Millisecond, Beside: k * time.Microsecond}
	}
	rand.New(rand.NewPCG(9, 9)).Shuffle(n, func(i, j int) { observed[i], observed[j] = observed[j], observed[i] })
	s, err := dist.NewSuccession(observed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWalkGoesInBlocks: durations follow each other as they were measured,
// around the end, with what goes beside each; and each comes as often as any other.
func TestWalkGoesInBlocks(t *testing.T) {
	s := numbered(t, 100, 20)
	w, rng := dist.Own(s).(*dist.Walk), rand.New(rand.NewPCG(1, 1))
	// Of the 20 that a second holds fewer are left for the last ones.
	if b := s.Block(); b < 15 || b > 20 {
		t.Fatalf("blocks of %d, want nearly the 20 of a second", b)
	}
	const rounds = 2000
	seen := make([]int, s.N())
	for range rounds {
		before := -1
		for k := range s.Block() {
			took := w.Sample(rng)
			place := int(took / time.Millisecond)
			if k > 0 && place != (before+1)%s.N() {
				t.Fatalf("in a block %d follows %d", place, before)
			}
			if w.Beside() != took/1000 {
				t.Fatalf("beside %v is %v", took, w.Beside())
			}
			seen[place]++
			before = place
		}
	}
	want := float64(rounds*s.Block()) / float64(s.N())
	for place, n := range seen {
		if float64(n) < want/2 || float64(n) > 2*want {
			t.Errorf("%d is drawn %d times, want about %.0f", place, n, want)
		}
	}
	if sparse := numbered(t, 1000, 1); sparse.Block() != 10 {
		t.Errorf("of 1000 durations, one a second, blocks are of %d, want the cube root", sparse.Block())
	}
}

// TestOwnWalks: two who draw do not disturb each other, the same seed gives the
// same again, and what draws no succession is left as it is.
func TestOwnWalks(t *testing.T) {
	s := numbered(t, 100, 20)
	draw := func(others bool) (drawn []time.Duration) {
		w, other, rng := dist.Own(s), dist.Own(s), rand.New(rand.NewPCG(2, 2))
		for range 200 {
			if others {
				other.Sample(rand.New(rand.NewPCG(3, 3)))
			}
			drawn = append(drawn, w.Sample(rng))
		}
		return drawn
	}
	if diff := cmp.Diff(draw(false), draw(true)); diff != "" {
		t.Errorf("another one's draws (-without +with):\n%s", diff)
	}
	if d := dist.Own(dist.Exponential(time.Second)); d != dist.Exponential(time.Second) {
		t.Errorf("own %v, want the exponential distribution itself", d)
	}
	if dist.Own(nil) != nil {
		t.Error("something is nobody's own")
	}
}

// TestAgain is of as many durations, in blocks, and not the same.
func TestAgain(t *testing.T) {
	s := numbered(t, 400, 20)
	again := s.Again(rand.New(rand.NewPCG(4, 4)))
	if again.N() != s.N() || again.Block() != s.Block() || again.Mean() == s.Mean() {
		t.Errorf("again %v, want as many as %v, and others", again, s)
	}
	if _, err := dist.NewSuccession(nil); err == nil {
		t.Error("a succession of nothing has no fault")
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	w, rng := dist.Own(numbered(t, 100, 20)), rand.New(rand.NewPCG(1, 1))
	if n := testing.AllocsPerRun(1000, func() { w.Sample(rng) }); n > 0 {
		t.Errorf("a draw allocates %v times", n)
	}
}
