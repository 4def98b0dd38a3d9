package dist_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
)

func parse(t testing.TB, text string) dist.Distribution {
	t.Helper()
	d, err := dist.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// measured is an empirical distribution of n lognormal draws.
func measured(t testing.TB, n int) *dist.Empirical {
	t.Helper()
	rng, h := rand.New(rand.NewPCG(3, 4)), hist.New()
	for range n {
		h.Record(dist.Lognormal{Mu: -2, Sigma: 1}.Sample(rng))
	}
	e, err := dist.NewEmpirical(h)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func continuous(t testing.TB) []dist.Distribution {
	var all []dist.Distribution
	for _, text := range []string{
		"exp:2.016s", "lognormal:680ms,0.8", "lognormal:p50=100ms,p99=500ms", "weibull:1s,0.7", "weibull:20ms,3",
		"gamma:1s,0.5", "gamma:1s,1.6", "table:p0=10ms,p1=11ms,p25=40ms,p50=80ms,p75=200ms,p99=2s,p100=9s", "table:p0=0,p50=1ms,p100=3ms",
	} {
		all = append(all, parse(t, text))
	}
	return append(all, measured(t, 5000))
}

// TestDrawsFollowTheQuantiles is the Kolmogorov-Smirnov test: D sqrt(n) exceeds
// 1.95 with probability .001. The seed is fixed, so that the test is too.
func TestDrawsFollowTheQuantiles(t *testing.T) {
	const n = 20000
	for _, d := range continuous(t) {
		rng := rand.New(rand.NewPCG(1, 2))
		draws := make([]time.Duration, n)
		for i := range draws {
			draws[i] = d.Sample(rng)
		}
		slices.Sort(draws)
		worst := 0.
		for k := 1; k < 1000; k++ {
			q := float64(k) / 1000
			at, _ := slices.BinarySearch(draws, d.Quantile(q)+1)
			worst = max(worst, math.Abs(float64(at)/n-q))
		}
		if worst*math.Sqrt(n) > 1.95 {
			t.Errorf("%v: the share of draws below a quantile is off by %.4f, which chance does less often than once in 1000", d, worst)
		}
	}
}

// TestMoments integrates the quantile function, in steps that grow finer
// towards its ends, and compares with the closed forms.
func TestMoments(t *testing.T) {
	for _, d := range append(continuous(t), parse(t, "const:100ms"), parse(t, "3ms")) {
		mean, square, mass := 0., 0., 0.
		for x := -16.; x < 16; x += 1. / 256 { // q is the logistic function of x
			q, after := 1/(1+math.Exp(-x)), 1/(1+math.Exp(-x-1./256))
			s := d.Quantile((q + after) / 2).Seconds()
			mean += s * (after - q)
			square += s * s * (after - q)
			mass += after - q
		}
		mean, square = mean/mass, square/mass
		if got := d.Mean().Seconds(); math.Abs(got-mean) > .002*mean {
			t.Errorf("%v: mean %v s, its quantiles say %v", d, got, mean)
		}
		if got, want := d.Variance(), square-mean*mean; math.Abs(got-want) > .02*want+1e-12 {
			t.Errorf("%v: variance %v s^2, its quantiles say %v", d, got, want)
		}
	}
}

func TestTextReadsBack(t *testing.T) {
	for _, text := range []string{"const:100ms", "exp:2.016s", "lognormal:680ms,2.36", "weibull:1s,0.7", "gamma:1s,0.5", "table:p0=10ms,p50=80ms,p99.9=1s,p100=2s"} {
		if got := parse(t, text).String(); got != text {
			t.Errorf("%q reads back as %q", text, got)
		}
	}
	if got := parse(t, "lognormal:p50=100ms,p99=2s"); got.Quantile(.5) != 100*time.Millisecond || (got.Quantile(.99)-2*time.Second).Abs() > time.Microsecond {
		t.Errorf("lognormal through p50=100ms and p99=2s has p50 %v and p99 %v", got.Quantile(.5), got.Quantile(.99))
	}
}

func TestFaultsSayWhatToWrite(t *testing.T) {
	for _, c := range []struct{ text, problem string }{
		{"", "write one of const:100ms"},
		{"100", "write one of const:100ms"},
		{"expo:2s", `"expo" is not a form`},
		{"exp:0", "must be longer than 0"},
		{"exp:-2s", "cannot be negative"},
		{"exp:2s,3", "has 2 parameters, needs 1"},
		{"exp:106000d", "is too long"},
		{"lognormal:1s", "write lognormal:680ms,2.36"},
		{"lognormal:1s,NaN", "sigma NaN is out of range"},
		{"lognormal:p99=1s,p50=2s", "must ascend"},
		{"weibull:1s,0", "shape 0 is out of range"},
		{"gamma:1s,x", `"x" is not a number`},
		{"table:p0=1s,p100=500ms", "cannot be shorter"},
		{"table:p1=1s,p100=2s", "need p0"},
		{"table:p0=1s,p101=2s", "is not a percentile"},
	} {
		d, err := dist.Parse(c.text)
		if err == nil {
			t.Errorf("%q is read as %v", c.text, d)
		} else if !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q: %v: want %q in it", c.text, err, c.problem)
		}
	}
}

func TestDrawsAllocateNothing(t *testing.T) {
	for _, d := range append(continuous(t), parse(t, "const:1s")) {
		rng := rand.New(rand.NewPCG(1, 2))
		var sum time.Duration
		if n := testing.AllocsPerRun(100, func() { sum += d.Sample(rng) }); n != 0 {
			t.Errorf("%v allocates %v times a draw", d, n)
		}
	}
}

// FuzzParse: what is read has quantiles that ascend, draws that are not
// negative, and a text that reads back as the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"exp:2s", "lognormal:p50=1ms,p99=1s", "weibull:1s,0.7", "gamma:1s,9", "table:p0=0,p50=1ms,p100=3ms", "const:0", "5s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dist.Parse(text)
		if err != nil {
			return
		}
		again, err := dist.Parse(d.String())
		if err != nil {
			t.Fatalf("%q reads as %v, which does not read: %v", text, d, err)
		}
		before := time.Duration(0)
		for q := 0.; q <= 1; q += .125 {
			v := d.Quantile(q)
			if v < before || v > dist.Longest {
				t.Fatalf("%q: quantile %v is %v, the one before %v", text, q, v, before)
			}
			if w := again.Quantile(q); math.Abs(float64(v-w)) > 1e-3*float64(v)+2 && v < dist.Longest/2 {
				t.Fatalf("%q: quantile %v is %v, read back as %v it is %v", text, q, v, again, w)
			}
			before = v
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for range 10 {
			if v := d.Sample(rng); v < 0 || v > dist.Longest {
				t.Fatalf("%q draws %v", text, v)
			}
		}
	})
}
