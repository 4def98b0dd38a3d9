package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// rankEfficiency is how much of its sample the signed-rank (or rank-sum) test
// uses beside the t-test where values are normal: 3/pi. It is never below .864
// and above 1 where tails are heavy, so that plans made with it are safe.
//
// Source: E. L. Lehmann, Nonparametrics, 1975, appendix A.3.
const rankEfficiency = 3 / math.Pi

// LeastPairs is the least number of pairs with which the one-sided signed-rank
// test can be significant at alpha at all, 0 < alpha < 1: its smallest p-value
// is 2^-n.
func LeastPairs(alpha float64) int {
	return max(1, int(math.Ceil(-math.Log2(alpha)-tolerance)))
}

// LeastRuns is the least number of runs of each side with which the one-sided
// rank-sum test can be significant at alpha at all, 0 < alpha < 1: its smallest
// p-value is 1 / (2n choose n).
func LeastRuns(alpha float64) int {
	n, smallest := 1, .5
	for smallest > alpha*(1+tolerance) {
		n++
		smallest *= float64(n) / float64(2*(2*n-1))
	}
	return n
}

// Test is a one-sided rank test that runs can be planned for.
type Test uint8

const (
	SignedRank Test = iota // of paired differences; effects are in their standard deviations
	RankSum                // of as many runs a side; effects are in a side's standard deviations
)

// Planner works out what a test at a level can see where values are normal. It
// remembers what it has worked out, and is for one goroutine. The zero value is
// ready.
type Planner struct{ known map[plan]float64 }

type plan struct {
	test         Test
	n            int
	alpha, power float64
}

// drawn is up to how many values what is detectable is found by drawing samples.
// Approximations are far off there where alpha is small: with 9 pairs at .003 all
// must be positive, which takes 1.7 times the effect that the normal one says.
// Beyond, Student's is within 3%.
const drawn = 20

// Detectable is the least effect above the margin that n pairs, or n runs of
// each side, see with the given power; +Inf where they cannot see any.
func (p *Planner) Detectable(t Test, n int, alpha, power float64) float64 {
	if n < t.least(alpha) {
		return math.Inf(1)
	}
	if n > drawn {
		return t.beyond(n, alpha, power)
	}
	key := plan{t, n, alpha, power}
	effect, ok := p.known[key]
	if !ok {
		effect = t.threshold(n, alpha, power)
		if p.known == nil {
			p.known = make(map[plan]float64)
		}
		p.known[key] = effect
	}
	return effect
}

// Needed is how many pairs, or runs of each side, it takes to see an effect
// above the margin with the given power. It is +Inf where effect is not above 0.
func (p *Planner) Needed(t Test, effect, alpha, power float64) float64 {
	if !(effect > 0) {
		return math.Inf(1)
	}
	about := math.Ceil(t.normal(alpha, power) / (effect * effect)) // a little too few
	if about > math.MaxInt32 {
		return about
	}
	few := func(n int) bool { return p.Detectable(t, n, alpha, power) > effect }
	least := t.least(alpha)
	most := max(least, int(about))
	for few(most) {
		least, most = most+1, most+1+most/10
	}
	return float64(least + sort.Search(most-least, func(k int) bool { return !few(least + k) }))
}

func (t Test) least(alpha float64) int {
	if t == RankSum {
		return LeastRuns(alpha)
	}
	return LeastPairs(alpha)
}

// normal is how many values a squared effect takes, by the normal approximation:
//
//	n effect^2 = sides (z_(1-alpha) + z_power)^2 / (3/pi)
//
// Source: G. E. Noether, Sample size determination for some common
// nonparametric tests, JASA 82 (1987) 645-647, under normal differences.
func (t Test) normal(alpha, power float64) float64 {
	return t.sides() * math.Pow(z(1-alpha)+z(power), 2) / rankEfficiency
}

// beyond is what many values detect: as normal, with Student's quantiles.
func (t Test) beyond(n int, alpha, power float64) float64 {
	student := distuv.StudentsT{Sigma: 1, Nu: t.sides() * float64(n-1)}
	return (student.Quantile(1-alpha) + student.Quantile(power)) * math.Sqrt(t.sides()/(float64(n)*rankEfficiency))
}

func (t Test) sides() float64 {
	if t == RankSum {
		return 2
	}
	return 1
}

// threshold finds what is detectable by drawing samples. The statistic of both
// tests counts how many of the sample's Walsh means (or differences between the
// sides) lie above 0, and the test finds the effect where that are enough: so a
// sample finds every effect that lifts the last one needed above 0.
func (t Test) threshold(n int, alpha, power float64) float64 {
	const samples = 1000
	rng := rand.New(rand.NewPCG(uint64(n), uint64(t)))
	enough := t.enough(n, alpha)
	values, others := make([]float64, n), make([]float64, n)
	found := make([]float64, samples)
	for k := range found {
		for i := range n {
			values[i], others[i] = rng.NormFloat64(), rng.NormFloat64()
		}
		var counted []float64
		if t == RankSum {
			counted = gaps(others, values)
		} else {
			counted = walsh(values)
		}
		found[k] = -counted[len(counted)-enough]
	}
	slices.Sort(found)
	return found[int(math.Ceil(power*samples))-1]
}

// enough is the least value of the statistic that the test at alpha refuses.
func (t Test) enough(n int, alpha float64) int {
	var chance []float64 // of the statistic's values; symmetric
	if t == RankSum {
		chance = rankSumChances(n, n)
	} else {
		chance = sumChances(firstRanks(n))
	}
	tail := 0.0
	for k, c := range chance {
		if tail += c; tail > alpha*(1+tolerance) {
			return len(chance) - k
		}
	}
	return 0
}

// SamplesFor is how many values a side a two-sided two-sample test at alpha
// takes to see with the given power that means differ by the share change of
// the mean, where the coefficient of variation is cv. +Inf where change is not
// above 0.
//
//	n = 2 ((z_(1-alpha/2) + z_power) cv / change)^2
//
// Source: J. Cohen, Statistical Power Analysis for the Behavioral Sciences,
// 2nd ed. 1988, section 2.4, by the normal approximation.
func SamplesFor(change, cv, alpha, power float64) float64 {
	if !(change > 0) {
		return math.Inf(1)
	}
	return math.Ceil(2*math.Pow((z(1-alpha/2)+z(power))*cv/change, 2) - tolerance)
}

func z(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
