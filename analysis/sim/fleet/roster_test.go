package fleet

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRoster holds the roster to a plain list through 100,000 random changes.
func TestRoster(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	slots := make([]slot, 40)
	var r roster
	in := map[int32]bool{}
	for step := range 100_000 {
		i := int32(rng.IntN(len(slots)))
		switch change := rng.IntN(10); {
		case !in[i]:
			r.join(slots, i)
			in[i] = true
		case change == 0:
			r.leave(slots, i)
			delete(in, i)
		case change < 6:
			r.raise(slots, i)
		case slots[i].load > 0:
			r.lower(slots, i)
		}
		if len(r.order) != len(in) {
			t.Fatalf("step %d: %d instances, want %d", step, len(r.order), len(in))
		}
		least := int32(1 << 30)
		for place, i := range r.order {
			if !in[i] || slots[i].place != int32(place) || place > 0 && slots[r.order[place-1]].load > slots[i].load {
				t.Fatalf("step %d: instance %d with load %d stands at %d", step, i, slots[i].load, place)
			}
			least = min(least, slots[i].load)
		}
		if len(in) > 0 && (slots[r.least()].load != least || slots[r.pickLeast(rng)].load != least || !in[r.pick(rng)]) {
			t.Fatalf("step %d: the least load is %d", step, least)
		}
	}
}

func TestDeparturesComeInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var h departures
	var want []int64
	for range 20_000 {
		if rng.IntN(5) > 1 || h.len() == 0 {
			d := departure{at: rng.Int64N(1000)}
			h.push(d)
			at, _ := slices.BinarySearch(want, d.at)
			want = slices.Insert(want, at, d.at)
			continue
		}
		if got := h.next(); got != want[0] || h.pop().at != want[0] {
			t.Fatalf("the next is at %d, want %d", got, want[0])
		}
		want = want[1:]
	}
}

func TestLineIsFirstComeFirstServed(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var l line
	in, out := int64(0), int64(0)
	for range 20_000 {
		if rng.IntN(2) == 0 || l.n == 0 {
			l.push(request{arrived: in})
			in++
			continue
		}
		if head, got := l.head(), l.pop(); head != got || got.arrived != out {
			t.Fatalf("got %d, want %d", got.arrived, out)
		}
		out++
	}
}

func TestBatches(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var b batches
	if mean, stderr := b.mean(); mean != 0 || stderr != nil {
		t.Errorf("the mean of nothing is %v with error %v", mean, stderr)
	}
	sum, n := 0.0, 100_003
	for range n {
		v := rng.ExpFloat64()
		sum += v
		b.add(v)
	}
	mean, stderr := b.mean()
	if want := sum / float64(n); mean < want*(1-1e-12) || mean > want*(1+1e-12) {
		t.Errorf("mean %v, want %v", mean, want)
	}
	// Of independent values the error is 1/sqrt(n), known to some 13% from 48 batches.
	if stderr == nil || *stderr < .6/316 || *stderr > 1.5/316 {
		t.Errorf("standard error %v, want about %v", stderr, 1/316.)
	}
}
