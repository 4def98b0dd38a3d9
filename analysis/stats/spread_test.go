package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/stats"
)

// TestSpreadAgainstR: with R's dist, choose and qnorm,
//
//	qn <- function(x){n<-length(x);h<-n%/%2+1;s<-sort(as.vector(dist(x)))[choose(h,2)]/(sqrt(2)*qnorm(5/8))
//	 s*(if(n<=9)c(NA,.399,.994,.512,.844,.611,.857,.669,.872)[n] else if(n%%2)n/(n+1.4) else n/(n+3.8))}
func TestSpreadAgainstR(t *testing.T) {
	near(t, "qn(d)", stats.Spread(d), 0.3676678551244)
	near(t, "qn(a)", stats.Spread(a), 0.4985034669966)
	near(t, "qn(c(d, 5, 7))", stats.Spread(append(slices.Clone(d), 5, 7)), 0.8504334276098)
}

// TestSpreadOfNormalValues is their standard deviation, in the mean over many
// samples, at each size.
func TestSpreadOfNormalValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for _, n := range []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 29, 60} {
		const draws = 10_000
		sum, values := 0.0, make([]float64, n)
		for range draws {
			for i := range values {
				values[i] = 7 + 2*rng.NormFloat64()
			}
			sum += stats.Spread(values)
		}
		if mean := sum / draws; math.Abs(mean/2-1) > .03 {
			t.Errorf("n=%d: %.3f in the mean, want 2", n, mean)
		}
	}
}

func TestSpreadEdges(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, math.Inf(1)},
		{[]float64{3}, math.Inf(1)},
		{[]float64{3, 3, 3}, 0},
		{[]float64{0, 0, 0, 0, 2}, math.Sqrt(.8)}, // most are equal
	} {
		near(t, "Spread", stats.Spread(c.values), c.want)
	}
}
