package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/stats"
)

// The figures named R are R's, version 4.2.2 (Debian 12), with
//
//	d <- c(1.83,.50,1.62,2.48,1.68,1.88,1.55,3.06,1.30) - c(.878,.647,.598,2.05,1.06,1.29,1.06,3.14,1.29)
//	a <- c(.80,.83,1.89,1.04,1.45,1.38,1.91,1.64,.73,1.46); b <- c(1.15,.88,.90,.74,1.21)
//
// and the command that stands beside each. (d is the depression data of
// Hollander and Wolfe, a and b their permeability data.)
var (
	d = []float64{.952, -.147, 1.022, .430, .620, .590, .490, -.080, .010}
	a = []float64{.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46}
	b = []float64{1.15, .88, .90, .74, 1.21}
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got != want && !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

func TestAgainstR(t *testing.T) {
	near(t, `wilcox.test(d, alternative="greater", exact=TRUE)$p.value`, stats.SignedRankGreater(d), .01953125)
	near(t, `wilcox.test(-d, ...): the other side`, stats.SignedRankGreater(minus(d)), .986328125)
	near(t, `wilcox.test(d, conf.int=TRUE)$estimate`, stats.HodgesLehmann(d), .46)
	lower, upper := stats.SignedRankLimits(d, .95)
	near(t, `wilcox.test(d, alternative="greater", conf.int=TRUE)$conf.int[1]`, lower, .175)
	near(t, `wilcox.test(d, alternative="less", conf.int=TRUE)$conf.int[2]`, upper, .726)
	lower, _ = stats.SignedRankLimits(d, .9875)
	near(t, `wilcox.test(d, alternative="greater", conf.int=TRUE, conf.level=.9875)$conf.int[1]`, lower, -.0685)

	// ends <- function(x,a){r<-qbinom(a,length(x),.5);sort(x)[c(r,length(x)+1-r)]}
	lower, upper = stats.MedianLimits(d, .95)
	near(t, `ends(d, .05)[1]`, lower, -.08)
	near(t, `ends(d, .05)[2]`, upper, .952)
	lower, upper = stats.MedianLimits(a, .9875)
	near(t, `ends(a, .0125)[1]`, lower, .80)
	near(t, `ends(a, .0125)[2]`, upper, 1.89)
	// need <- function(p,a,w)for(n in 1:1000){c<-qbinom(1-a,n,.5)+1;if(c<=n&&1-pbinom(c-1,n,p)>=w)return(n)}
	near(t, `need(.9, .0125, .9)`, stats.SignNeeded(.9, .0125, .9), 16)
	near(t, `need(.65, .05, .9)`, stats.SignNeeded(.65, .05, .9), 93)
	near(t, `need(1, .003, .9)`, stats.SignNeeded(1, .003, .9), 9)
	near(t, `ceiling(((qnorm(.95)+qnorm(.9))/.04)^2): beyond 200`, stats.SignNeeded(.52, .05, .9), 5353)

	near(t, `wilcox.test(a, b, alternative="greater")$p.value`, stats.RankSumGreater(b, a), .127206127206)
	near(t, `wilcox.test(a, b, conf.int=TRUE)$estimate`, stats.Shift(b, a), .305)

	lower, _ = stats.RankSumLimits(b, a, .95)
	near(t, `wilcox.test(a, b, alternative="greater", conf.int=TRUE)$conf.int[1]`, lower, -.08)
	_, upper = stats.RankSumLimits(b, a, .95)
	near(t, `wilcox.test(a, b, alternative="less", conf.int=TRUE)$conf.int[2]`, upper, .72)

	// hd <- function(x,q){n<-length(x);x<-sort(x);p<-(n+1)*q;s<-(n+1)*(1-q);i<-1:n;sum((pbeta(i/n,p,s)-pbeta((i-1)/n,p,s))*x)}
	near(t, `hd(a, .5)`, stats.HarrellDavis(a, .5), 1.33111407631)
	near(t, `hd(a, .9)`, stats.HarrellDavis(a, .9), 1.86362995477)
	near(t, `hd(d, .25)`, stats.HarrellDavis(d, .25), .070000669027)

	// g <- expand.grid(rep(list(c(-1,1)),9)); mean(as.matrix(g) %*% d >= sum(d)-1e-12)
	near(t, `sign flips of d`, stats.SignFlipGreater(d, 0, nil), .013671875)

	lower, upper = stats.ClopperPearson(3, 60, .95)
	near(t, `binom.test(3, 60)$conf.int[1]`, lower, .0104323296443)
	near(t, `binom.test(3, 60)$conf.int[2]`, upper, .1392432467211)
	lower, upper = stats.ClopperPearson(17, 20, .99)
	near(t, `binom.test(17, 20, conf.level=.99)$conf.int[1]`, lower, .550534593261)
	near(t, `binom.test(17, 20, conf.level=.99)$conf.int[2]`, upper, .982357362046)
	near(t, `binom.test(0, 59, alternative="less")$conf.int[2]`, stats.RateAtMost(0, 59, .95), .0495076098882)
	near(t, `binom.test(6, 60, alternative="less")$conf.int[2]`, stats.RateAtMost(6, 60, .95), .187857381989)

	for i, want := range []float64{.040, .090, .090, .025, .5} {
		near(t, fmt.Sprintf(`p.adjust(c(.01,.04,.03,.005,.5), "holm")[%d]`, i+1), stats.Holm([]float64{.01, .04, .03, .005, .5})[i], want)
	}
}

// TestMedianLimitsAtTheirEdges: too few values have no limits, one has itself at
// even chances, and half of the values on a side tell nothing.
func TestMedianLimitsAtTheirEdges(t *testing.T) {
	lower, upper := stats.MedianLimits([]float64{1, 2, 3, 4}, .95)
	near(t, "lower limit of 4 at 95%", lower, math.Inf(-1))
	near(t, "upper limit of 4 at 95%", upper, math.Inf(1))
	lower, upper = stats.MedianLimits([]float64{7}, .5)
	near(t, "lower limit of 1 at 50%", lower, 7)
	near(t, "upper limit of 1 at 50%", upper, 7)
	near(t, "values needed where half lie on a side", stats.SignNeeded(.5, .05, .9), math.Inf(1))
	if lower, upper := stats.MedianLimits([]float64{1, math.NaN()}, .95); !math.IsNaN(lower) || !math.IsNaN(upper) {
		t.Errorf("limits with a NaN: %v to %v", lower, upper)
	}
}

func minus(values []float64) []float64 {
	out := slices.Clone(values)
	for i := range out {
		out[i] = -out[i]
	}
	return out
}

// TestSignedRankIsTheShareOfSigns holds the test, with equal values and zeros,
// against going through all patterns of signs of the ranks.
func TestSignedRankIsTheShareOfSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		values := make([]float64, 1+rng.IntN(9))
		for i := range values {
			values[i] = float64(rng.IntN(9) - 4) // few sizes: many ties, some zeros
		}
		near(t, fmt.Sprintf("SignedRankGreater(%v)", values), stats.SignedRankGreater(values), shareOfSigns(values))
	}
}

func shareOfSigns(values []float64) float64 {
	rank := func(v float64) float64 {
		below, equal := 0, 0
		for _, o := range values {
			switch {
			case math.Abs(o) < math.Abs(v):
				below++
			case math.Abs(o) == math.Abs(v):
				equal++
			}
		}
		return float64(below) + float64(equal+1)/2
	}
	found, n := 0.0, len(values)
	for _, v := range values {
		if v > 0 {
			found += rank(v)
		}
	}
	great := 0
	for signs := range 1 << n {
		sum := 0.0
		for i, v := range values {
			if v != 0 && signs>>i&1 == 1 {
				sum += rank(v)
			}
		}
		if sum >= found {
			great++
		}
	}
	return float64(great) / float64(int(1)<<n)
}

// TestLimitsAreWhereTheTestTurns shifts values until the test refuses: just
// beyond the lower limit it does, just inside it does not.
func TestLimitsAreWhereTheTestTurns(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		n := 5 + rng.IntN(20)
		values := make([]float64, n)
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		const alpha = .05
		lower, upper := stats.SignedRankLimits(values, 1-alpha)
		const step = 1e-9
		for _, c := range []struct {
			what    string
			p       float64
			refuses bool
		}{
			{"below the lower limit", stats.SignedRankGreater(shifted(values, lower-step)), true},
			{"above the lower limit", stats.SignedRankGreater(shifted(values, lower+step)), false},
			{"above the upper limit", stats.SignedRankGreater(minus(shifted(values, upper+step))), true},
			{"below the upper limit", stats.SignedRankGreater(minus(shifted(values, upper-step))), false},
		} {
			if got := c.p <= alpha; got != c.refuses {
				t.Errorf("n=%d, %s: p = %v, refused %v, want %v", n, c.what, c.p, got, c.refuses)
			}
		}
	}
}

func shifted(values []float64, by float64) []float64 {
	out := slices.Clone(values)
	for i := range out {
		out[i] -= by
	}
	return out
}

// TestSmallSamplesSayNothing: with 4 pairs no signed-rank test at 5% can be
// significant; with 5 the extremes are the limits.
func TestSmallSamplesSayNothing(t *testing.T) {
	if lower, upper := stats.SignedRankLimits([]float64{1, 2, 3, 4}, .95); !math.IsInf(lower, -1) || !math.IsInf(upper, 1) {
		t.Errorf("limits from 4 values at 95%%: %v to %v, want none", lower, upper)
	}
	if lower, upper := stats.SignedRankLimits([]float64{1, 2, 3, 4, 5}, .95); lower != 1 || upper != 5 {
		t.Errorf("limits from 5 values at 95%%: %v to %v, want 1 to 5", lower, upper)
	}
	if got := stats.LeastPairs(.05); got != 5 {
		t.Errorf("LeastPairs(.05) = %d, want 5", got)
	}
	// Four looks and Holm over two metrics: seven pairs can clear nothing.
	for _, alpha := range []float64{.5, .05, .0125, .05 / 620} {
		n := stats.LeastRuns(alpha)
		low, high := make([]float64, n), make([]float64, n)
		for i := range n {
			low[i], high[i] = float64(i), float64(n+i)
		}
		if p, less := stats.RankSumGreater(low, high), stats.RankSumGreater(low[1:], high[1:]); p > alpha*(1+1e-9) || (n > 1 && less <= alpha) {
			t.Errorf("LeastRuns(%v) = %d, whose smallest p-value is %v, and of one less %v", alpha, n, p, less)
		}
	}
	if got := stats.LeastPairs(.05 / 4 / 2); got != 8 {
		t.Errorf("LeastPairs(.05/8) = %d, want 8", got)
	}
}

func TestEdges(t *testing.T) {
	nan := math.NaN()
	for what, got := range map[string]float64{
		"HarrellDavis of nothing":     stats.HarrellDavis(nil, .5),
		"HarrellDavis at 0":           stats.HarrellDavis(a, 0),
		"HarrellDavis with NaN":       stats.HarrellDavis([]float64{1, nan}, .5),
		"HodgesLehmann of nothing":    stats.HodgesLehmann(nil),
		"HodgesLehmann with NaN":      stats.HodgesLehmann([]float64{1, nan}),
		"Shift of nothing":            stats.Shift(nil, a),
		"SignedRankGreater with NaN":  stats.SignedRankGreater([]float64{1, nan}),
		"SignFlipGreater with NaN":    stats.SignFlipGreater([]float64{1, nan}, 0, nil),
		"RankSumGreater with nothing": stats.RankSumGreater(nil, a),
	} {
		if !math.IsNaN(got) {
			t.Errorf("%s = %v, want NaN", what, got)
		}
	}
	near(t, "HarrellDavis of one", stats.HarrellDavis([]float64{7}, .9), 7)
	near(t, "HodgesLehmann of one", stats.HodgesLehmann([]float64{7}), 7)
	near(t, "SignedRankGreater of nothing", stats.SignedRankGreater(nil), 1)
	near(t, "SignedRankGreater of zeros", stats.SignedRankGreater([]float64{0, 0, 0}), 1)
	near(t, "SignFlipGreater of nothing", stats.SignFlipGreater(nil, 0, nil), 1)
	near(t, "RankSumGreater of equals", stats.RankSumGreater([]float64{1, 1}, []float64{1, 1}), 1)
	if lower, upper := stats.ClopperPearson(0, 0, .95); lower != 0 || upper != 1 {
		t.Errorf("ClopperPearson of no trials: %v to %v, want 0 to 1", lower, upper)
	}
	if got := stats.Holm(nil); len(got) != 0 {
		t.Errorf("Holm of nothing: %v", got)
	}
}

// TestErrorRates draws where nothing differs and where something does: false
// alarms stay at alpha, and what is said to be detectable is detected as often as
// is said, at the small alphas of several rules and looks, too. The bounds are
// four standard errors of what so many repetitions show, and of what the planner
// draws itself.
func TestErrorRates(t *testing.T) {
	const power, repetitions = .9, 4000
	rng := rand.New(rand.NewPCG(5, 6))
	normal := func(n int, mean float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = mean + rng.NormFloat64()
		}
		return values
	}
	var plans stats.Planner
	for _, c := range []struct {
		test  stats.Test
		n     int
		alpha float64
	}{
		{stats.SignedRank, 10, .05}, {stats.SignedRank, 9, .003125}, {stats.SignedRank, 10, .003125}, {stats.SignedRank, 14, .003125},
		{stats.SignedRank, 20, .003125}, {stats.SignedRank, 28, .003125},
		{stats.RankSum, 5, .0125}, {stats.RankSum, 6, .0125}, {stats.RankSum, 12, .0125}, {stats.RankSum, 24, .0125},
	} {
		effect := plans.Detectable(c.test, c.n, c.alpha, power)
		p := func(shift float64) float64 {
			if c.test == stats.RankSum {
				return stats.RankSumGreater(normal(c.n, 0), normal(c.n, shift))
			}
			return stats.SignedRankGreater(normal(c.n, shift))
		}
		alarms, found := 0, 0
		for range repetitions {
			if p(0) <= c.alpha {
				alarms++
			}
			if p(effect) <= c.alpha {
				found++
			}
		}
		if rate, bound := float64(alarms)/repetitions, c.alpha+4*math.Sqrt(c.alpha*(1-c.alpha)/repetitions); rate > bound {
			t.Errorf("%+v: %.4f false alarms, want at most %.4f", c, rate, bound)
		}
		if rate, bound := float64(found)/repetitions, 4*math.Sqrt(power*(1-power)*(1./repetitions+1./1000)); math.Abs(rate-power) > bound {
			t.Errorf("%+v: power %.3f at an effect of %.3f, want %.2f +- %.3f", c, rate, effect, power, bound)
		}
	}
}

func TestPlans(t *testing.T) {
	// Samples a side to see 10% at alpha .01 with power .9, as published for
	// cold starts of the median and of the 90th percentile's variability.
	near(t, "SamplesFor(cv .105)", stats.SamplesFor(.1, .105, .01, .9), 33)
	near(t, "SamplesFor(cv .297)", stats.SamplesFor(.1, .297, .01, .9), 263)
	var plans stats.Planner
	for _, test := range []stats.Test{stats.SignedRank, stats.RankSum} {
		for _, effect := range []float64{.01, .1, .4, .5, .6, .8, 1, 1.5, 3} {
			n := plans.Needed(test, effect, .0125, .9)
			if got := plans.Detectable(test, int(n), .0125, .9); got > effect {
				t.Errorf("test %d: %v for an effect of %v, but they detect %v", test, n, effect, got)
			}
			if got := plans.Detectable(test, int(n)-1, .0125, .9); got <= effect {
				t.Errorf("test %d: %v for an effect of %v, but one fewer detects %v already", test, n, effect, got)
			}
		}
		if got := plans.Needed(test, 0, .05, .9); !math.IsInf(got, 1) {
			t.Errorf("no effect takes %v, want +Inf", got)
		}
		if got := plans.Detectable(test, 3, .0125, .9); !math.IsInf(got, 1) {
			t.Errorf("three detect %v, want +Inf", got)
		}
	}
	if got := stats.SamplesFor(-.1, 1, .05, .9); !math.IsInf(got, 1) {
		t.Errorf("SamplesFor a fall = %v, want +Inf", got)
	}
}

// TestDrawnFlipsAgreeWithAll compares the drawn p-value of 21 values with the
// normal tail of their sum, and that the same seed gives the same.
func TestDrawnFlipsAgreeWithAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	values := make([]float64, stats.ExactFlips+1)
	for i := range values {
		values[i] = .3 + rng.NormFloat64()
	}
	const draws = 20_000
	p := func(seed uint64) float64 { return stats.SignFlipGreater(values, draws, rand.New(rand.NewPCG(seed, 0))) }
	if p(1) != p(1) {
		t.Error("the same seed gives two p-values")
	}
	exact := 0.0 // the last value is fixed to either sign, the rest are all tried
	for _, sign := range []float64{1, -1} {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		exact += shareOfFlips(values[:stats.ExactFlips], sum-sign*values[stats.ExactFlips]) / 2
	}
	if got, se := p(2), math.Sqrt(exact*(1-exact)/draws); math.Abs(got-exact) > 4*se+2./draws {
		t.Errorf("p of %d drawn patterns = %v, of all %v, standard error %v", draws, got, exact, se)
	}
}

func shareOfFlips(values []float64, atLeast float64) float64 {
	sums := []float64{0}
	for _, v := range values {
		next := make([]float64, 0, 2*len(sums))
		for _, s := range sums {
			next = append(next, s+v, s-v)
		}
		sums = next
	}
	great := 0
	for _, s := range sums {
		if s >= atLeast-1e-9 {
			great++
		}
	}
	return float64(great) / float64(len(sums))
}
