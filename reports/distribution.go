package reports

import (
	"math"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
)

const (
	curvePoints = 40 // a tenfold of 1/(1-share)
	decadeBars  = 12 // bars a tenfold of latency
	confidence  = 0.95
)

// DistributionOf is what is shown of a histogram.
func DistributionOf(start sample.Start, h *hist.Histogram) Distribution {
	return Distribution{Start: start, N: h.N(), Curve: curve(h), Bars: bars(h)}
}

// curve takes order statistics that stand evenly on the axis of 1/(1-share).
// The plotting position of rank k of n is k/(n+1), the mean of the share below
// that order statistic (Weibull 1939); k/n would put the maximum at infinity.
func curve(h *hist.Histogram) []Quantile {
	n := h.N()
	var out []Quantile
	var last uint64
	for i := 0; ; i++ {
		share := 1 - math.Pow(10, -float64(i)/curvePoints)
		rank := min(max(uint64(math.Ceil(share*float64(n+1))), 1), n)
		if rank > last {
			at := float64(rank) / float64(n+1)
			_, _, ok := stats.QuantileRanks(n, at, confidence)
			out = append(out, Quantile{Share: at, Latency: h.AtRank(rank), Supported: ok})
			last = rank
		}
		if rank == n {
			return out
		}
	}
}

// bars gathers the histogram into bars of equal width on a log axis.
func bars(h *hist.Histogram) []Bar {
	var out []Bar
	for b := range h.Bars() {
		i := math.Floor(math.Log10(max(float64(b.Low+b.High)/2, 1)) * decadeBars)
		low := edge(i)
		if n := len(out); n > 0 && out[n-1].Low == low {
			out[n-1].Count += b.Count
			continue
		}
		out = append(out, Bar{Low: low, High: edge(i + 1), Count: b.Count})
	}
	return out
}

func edge(i float64) time.Duration { return time.Duration(math.Round(math.Pow(10, i/decadeBars))) }
