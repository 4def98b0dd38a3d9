package cost

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/units"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		amount  units.Money
		weights []uint64
		want    []units.Money
	}{
		{10, []uint64{1, 1, 1}, []units.Money{4, 3, 3}},
		{-10, []uint64{1, 1, 1}, []units.Money{-4, -3, -3}},
		{10, []uint64{0, 0, 0, 0}, []units.Money{3, 3, 2, 2}},
		{100, []uint64{47, 16, 16, 12, 6, 3}, []units.Money{47, 16, 16, 12, 6, 3}},
		{10, []uint64{47, 16, 16, 12, 6, 3}, []units.Money{5, 2, 2, 1, 0, 0}}, // remainders .7 .6 .6 .2 .6 .3
		{0, []uint64{5}, []units.Money{0}},
		{math.MaxInt64, []uint64{math.MaxUint64, math.MaxUint64}, []units.Money{1 << 62, 1<<62 - 1}},
	} {
		if d := cmp.Diff(c.want, Split(c.amount, c.weights)); d != "" {
			t.Errorf("Split(%d, %v) (-want +got):\n%s", c.amount, c.weights, d)
		}
	}
}

// TestSplitLosesNothing: whatever is split, the parts sum to it, and each is
// within a nano-dollar of its share.
func TestSplitLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		amount := units.Money(rng.Int64N(1<<uint(1+rng.IntN(61))) - rng.Int64N(1<<uint(1+rng.IntN(61))))
		weights := make([]uint64, 1+rng.IntN(20))
		total := 0.0
		for i := range weights {
			if rng.IntN(4) > 0 {
				weights[i] = rng.Uint64() >> uint(rng.IntN(64))
			}
			total += float64(weights[i])
		}
		var sum units.Money
		for i, part := range Split(amount, weights) {
			sum += part
			if total == 0 {
				continue
			}
			share := float64(amount) * (float64(weights[i]) / total)
			if math.Abs(float64(part)-share) > 1+math.Abs(share)*1e-12 {
				t.Fatalf("%d of %v: part %d is %d, its share %f", amount, weights, i, part, share)
			}
		}
		if sum != amount {
			t.Fatalf("%d split by %v sums to %d", amount, weights, sum)
		}
	}
}
