package gate

import (
	"math"

	"github.com/coldcurve/coldcurve/analysis/stats"
)

// evidence is the ys of two sides, and what can be asked of them.
type evidence interface {
	above(d float64) float64 // p-value: head lies above base by more than d
	below(d float64) float64 // p-value: by less than d
	shift() float64
	limits(confidence float64) (lower, upper float64)
	size() int    // pairs, or runs of the smaller side
	unit() string // what is counted, in words
	// least is the size below which no outcome whatever is significant at alpha.
	least(alpha float64) int
	spread() float64
	test() stats.Test
}

// digits is the size below which a difference is the rounding of a logarithm.
const digits = 1e-12

// paired are the differences of pairs.
type paired []float64

func differences(base, head []float64) paired {
	ys := make(paired, len(head))
	for i := range ys {
		ys[i] = head[i] - base[i]
	}
	return ys
}

func (ys paired) above(d float64) float64 { return stats.SignedRankGreater(ys.from(d, 1)) }
func (ys paired) below(d float64) float64 { return stats.SignedRankGreater(ys.from(d, -1)) }
func (ys paired) shift() float64          { return stats.HodgesLehmann(ys) }
func (ys paired) limits(confidence float64) (lower, upper float64) {
	return stats.SignedRankLimits(ys, confidence)
}
func (ys paired) size() int               { return len(ys) }
func (ys paired) unit() string            { return "pairs" }
func (ys paired) least(alpha float64) int { return stats.LeastPairs(alpha) }
func (ys paired) spread() float64         { return stats.Spread(ys) }
func (ys paired) test() stats.Test        { return stats.SignedRank }

// from is how far each lies above d, or (sign -1) below.
func (ys paired) from(d, sign float64) []float64 {
	out := make([]float64, len(ys))
	for i, y := range ys {
		if out[i] = sign * (y - d); math.Abs(out[i]) < digits {
			out[i] = 0
		}
	}
	return out
}

// unpaired are two sides that were not made side by side.
type unpaired struct{ base, head []float64 }

func (u unpaired) above(d float64) float64 { return ranked(u.base, u.head, d+digits) }
func (u unpaired) below(d float64) float64 {
	return ranked(minus(u.base), minus(u.head), digits-d)
}
func (u unpaired) shift() float64 { return stats.Shift(u.base, u.head) }
func (u unpaired) limits(confidence float64) (lower, upper float64) {
	return stats.RankSumLimits(u.base, u.head, confidence)
}
func (u unpaired) size() int               { return min(len(u.base), len(u.head)) }
func (u unpaired) unit() string            { return "runs of each side" }
func (u unpaired) least(alpha float64) int { return stats.LeastRuns(alpha) }
func (u unpaired) spread() float64 {
	return math.Hypot(stats.Spread(u.base), stats.Spread(u.head)) / math.Sqrt2
}
func (u unpaired) test() stats.Test { return stats.RankSum }

// ranked is the p-value of head lying above base by more than d.
func ranked(base, head []float64, d float64) float64 {
	if len(base) == 0 || len(head) == 0 {
		return 1
	}
	raised := make([]float64, len(base))
	for i, b := range base {
		raised[i] = b + d
	}
	return stats.RankSumGreater(raised, head)
}

func minus(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = -v
	}
	return out
}
