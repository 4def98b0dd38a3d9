package queue_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/queue"
)

// near holds figures to each other by their ratio.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) || math.IsNaN(got) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func TestErlangPublished(t *testing.T) {
	near(t, "B(8, 10)", queue.ErlangB(8, 10), .1216610643, 1e-9)
	near(t, "C(.8, 1)", queue.ErlangC(.8, 1), .8, 1e-12)
	near(t, "C(1.6, 2)", queue.ErlangC(1.6, 2), .7111111, 1e-7)
	near(t, "C(8, 10)", queue.ErlangC(8, 10), .4091802, 2e-7)
}

func TestErlangEdges(t *testing.T) {
	for _, c := range []struct {
		load    float64
		servers int
		b, c    float64
	}{
		{0, 1, 0, 0}, {0, 0, 1, 0}, {5, 0, 1, 1}, {1, 1, .5, 1}, {3, 2, 4.5 / 8.5, 1}, {1e-300, 4, 0, 0}, {1, 100_000, 0, 0},
	} {
		if got := queue.ErlangB(c.load, c.servers); math.Abs(got-c.b) > 1e-15 {
			t.Errorf("B(%v, %d) = %v, want %v", c.load, c.servers, got, c.b)
		}
		if got := queue.ErlangC(c.load, c.servers); math.Abs(got-c.c) > 1e-15 {
			t.Errorf("C(%v, %d) = %v, want %v", c.load, c.servers, got, c.c)
		}
	}
}

// erlangBig is Erlang's B by its recurrence with 200 bits, and C from it by the
// definition.
func erlangBig(load float64, servers int) (b, c float64) {
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	inverse, a := number(1), number(load)
	for n := 1; n <= servers; n++ {
		inverse.Mul(inverse, number(float64(n)))
		inverse.Quo(inverse, a)
		inverse.Add(inverse, number(1))
	}
	blocked := number(1)
	blocked.Quo(blocked, inverse)
	rho := number(load)
	rho.Quo(rho, number(float64(servers)))
	rest := number(1)
	rest.Sub(rest, blocked)
	rest.Mul(rest, rho)
	rest.Sub(number(1), rest)
	waits := number(0).Quo(blocked, rest)
	b, _ = blocked.Float64()
	c, _ = waits.Float64()
	return b, c
}

func TestErlangAgainstBigNumbers(t *testing.T) {
	for _, c := range []struct {
		load    float64
		servers int
	}{
		{.001, 1}, {.5, 3}, {8, 10}, {9.999999, 10}, {90, 100}, {99.9999, 100}, {950, 1000}, {999.99, 1000}, {1200, 1000},
		{99_000, 100_000}, {99_999, 100_000}, {99_999.999, 100_000}, {105_000, 100_000}, {1e7, 1000},
	} {
		wantB, wantC := erlangBig(c.load, c.servers)
		near(t, "B", queue.ErlangB(c.load, c.servers), wantB, 1e-11)
		if c.load < float64(c.servers) {
			near(t, "C", queue.ErlangC(c.load, c.servers), wantC, 1e-11)
		}
	}
}

func system(rate float64, service queue.Service, servers int) queue.System {
	return queue.System{Rate: rate, Service: service, Servers: servers}
}

// TestWaitByBirthAndDeath solves M/M/c state by state.
func TestWaitByBirthAndDeath(t *testing.T) {
	for _, c := range []struct {
		load    float64
		servers int
	}{{.3, 1}, {.8, 1}, {1.6, 2}, {8, 10}, {45, 50}} {
		const states = 4000
		weight, total, queued := 1.0, 1.0, 0.0
		for n := 1; n < states; n++ {
			weight *= c.load / float64(min(n, c.servers))
			total += weight
			if n > c.servers {
				queued += float64(n-c.servers) * weight
			}
		}
		s := system(c.load/.25, queue.Exponential(250*time.Millisecond), c.servers)
		near(t, "mean wait by Little's law", s.MeanWait().Seconds(), queued/total/s.Rate, 5e-8)
		near(t, "mean wait by Erlang C", s.MeanWait().Seconds(), queue.ErlangC(c.load, c.servers)/(float64(c.servers)/.25-s.Rate), 5e-8)
	}
}

// TestOneServer holds the response of M/M/1 to what it is: exponential with the
// rate mu - lambda.
func TestOneServer(t *testing.T) {
	s := system(8, queue.Exponential(100*time.Millisecond), 1)
	for _, q := range []float64{0, .01, .5, .9, .99, .999999} {
		near(t, "response quantile", s.ResponseQuantile(q).Seconds()+1, -math.Log1p(-q)/2+1, 1e-8)
	}
	near(t, "response tail", s.ResponseTail(time.Second), math.Exp(-2), 1e-12)
	near(t, "p90 of the wait", s.WaitQuantile(.9).Seconds(), math.Log(.8/.1)/2, 1e-8)
	if got := s.WaitQuantile(.2); got != 0 {
		t.Errorf("p20 of the wait is %v, want 0: 20%% do not wait", got)
	}
}

// TestResponseTailByIntegral adds the wait and the service up numerically,
// where the two rates are far apart, near and the same.
func TestResponseTailByIntegral(t *testing.T) {
	for _, c := range []struct {
		rate    float64
		servers int
	}{{5, 1}, {19, 2}, {10, 2}, {10.0000001, 2}, {9.9999999, 2}, {85, 10}, {4, 10}} {
		s := system(c.rate, queue.Exponential(100*time.Millisecond), c.servers)
		for _, at := range []float64{0, .01, .1, .5, 2} {
			const steps = 40_000
			sum := math.Exp(-10 * at) // service alone, from all waits above it, is added below
			sum *= 1 - s.Delayed()
			decay := float64(c.servers)*10 - c.rate
			sum += s.Delayed() * math.Exp(-decay*at)
			for i := range steps {
				w := (float64(i) + .5) * at / steps
				sum += s.Delayed() * decay * math.Exp(-decay*w) * math.Exp(-10*(at-w)) * at / steps
			}
			near(t, "tail", s.ResponseTail(time.Duration(at*1e9)), sum, 1e-6)
		}
	}
}

// TestDiscreteTendsToExponential gives the exponential distribution by points.
func TestDiscreteTendsToExponential(t *testing.T) {
	const n = 20_000
	points := make([]queue.Point, n)
	for i := range points {
		q := (float64(i) + .5) / n
		points[i] = queue.Point{Time: time.Duration(-math.Log1p(-q) * 1e8), Weight: 3}
	}
	service, err := queue.Discrete(points)
	if err != nil {
		t.Fatal(err)
	}
	exact, drawn := system(70, queue.Exponential(100*time.Millisecond), 8), system(70, service, 8)
	near(t, "mean", service.Mean().Seconds(), .1, 1e-3)
	near(t, "cv2", service.CV2(), 1, 2e-3)
	for _, q := range []float64{.5, .9, .99} {
		near(t, "quantile", drawn.ResponseQuantile(q).Seconds(), exact.ResponseQuantile(q).Seconds(), 2e-3)
	}
}

func TestConstantService(t *testing.T) {
	s := system(9, queue.Constant(100*time.Millisecond), 1)
	near(t, "Pollaczek-Khinchine", s.MeanWait().Seconds(), .9*.1/(2*.1), 1e-8)
	near(t, "Kingman", s.Kingman().Seconds(), 9*(1/81.)/(2*.1), 1e-8)
	if got := s.ResponseQuantile(.05); got != 100*time.Millisecond {
		t.Errorf("p5 is %v, want the service time: 10%% do not wait", got)
	}
	lone := system(0, queue.Constant(time.Second), 1)
	if got := lone.ResponseQuantile(.99); got != time.Second || lone.MeanWait() != 0 || lone.Kingman() != 0 {
		t.Errorf("without traffic p99 is %v, mean wait %v, want 1s and 0", got, lone.MeanWait())
	}
}

func TestOverload(t *testing.T) {
	for _, rate := range []float64{10, 11} {
		s := system(rate, queue.Exponential(time.Second), 10)
		if s.Stable() || s.MeanWait() != queue.Forever || s.ResponseQuantile(.01) != queue.Forever || s.WaitQuantile(.01) != queue.Forever {
			t.Errorf("%v erlangs on 10 servers: mean wait %v, want forever", rate, s.MeanWait())
		}
		if s.ResponseTail(time.Hour) != 1 || s.WaitTail(time.Hour) != 1 || s.Delayed() != 1 {
			t.Errorf("%v erlangs on 10 servers: not everybody waits for ever", rate)
		}
		if s.Servers = 1; s.Kingman() != queue.Forever {
			t.Errorf("Kingman's bound of an overloaded server is %v", s.Kingman())
		}
	}
}

// simulated draws one wait after the other: a request takes the worker that is
// free first (Kiefer and Wolfowitz 1955). It gives the mean wait.
func simulated(rate float64, servers, requests int, service func(*rand.Rand) float64) float64 {
	rng := rand.New(rand.NewPCG(5, 6))
	free := make([]float64, servers)
	now, total, counted := 0.0, 0.0, 0
	for i := range requests {
		now += rng.ExpFloat64() / rate
		first := 0
		for j := range free {
			if free[j] < free[first] {
				first = j
			}
		}
		start := max(now, free[first])
		free[first] = start + service(rng)
		if i > requests/20 {
			total += start - now
			counted++
		}
	}
	return total / float64(counted)
}

// TestStatedError is how far Allen and Cunneen's formula is off, as MeanWait's
// doc tells it.
func TestStatedError(t *testing.T) {
	lognormal := func(cv2 float64) func(*rand.Rand) float64 {
		sigma := math.Sqrt(math.Log(1 + cv2))
		return func(rng *rand.Rand) float64 { return math.Exp(sigma*rng.NormFloat64() - sigma*sigma/2) }
	}
	constant := func(*rand.Rand) float64 { return 1 }
	for _, c := range []struct {
		name      string
		cv2       float64
		servers   int
		rho       float64
		draw      func(*rand.Rand) float64
		low, high float64
	}{
		{"constant", 0, 2, .7, constant, .94, 1},
		{"constant", 0, 2, .9, constant, .96, 1.01},
		{"constant", 0, 8, .7, constant, .88, .94},
		{"constant", 0, 8, .9, constant, .93, 1},
		{"lognormal", 4, 1, .7, lognormal(4), .95, 1.05},
		{"lognormal", 4, 2, .9, lognormal(4), .94, 1.08},
		{"lognormal", 4, 8, .7, lognormal(4), 1.2, 1.5},
		{"lognormal", 4, 8, .9, lognormal(4), .97, 1.15},
	} {
		spread := (1 + c.cv2) / 2
		load := c.rho * float64(c.servers)
		approximate := queue.ErlangC(load, c.servers) / (float64(c.servers) - load) * spread
		ratio := approximate / simulated(load, c.servers, 3_000_000, c.draw)
		t.Logf("%s, %d servers, rho %v: the formula is %.3f of the simulation", c.name, c.servers, c.rho, ratio)
		if ratio < c.low || ratio > c.high {
			t.Errorf("%s, %d servers, rho %v: the formula is %.3f of the simulation, stated %v to %v", c.name, c.servers, c.rho, ratio, c.low, c.high)
		}
	}
}

func TestSmallest(t *testing.T) {
	halfAndHalf, err := queue.Discrete([]queue.Point{{Time: 20 * time.Millisecond, Weight: 1}, {Time: 180 * time.Millisecond, Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	goal := queue.Goal{Quantile: .99, Within: 500 * time.Millisecond}
	for _, rate := range []float64{0, .1, 1, 9.99, 10, 100, 3000, 45_000} {
		for _, service := range []queue.Service{queue.Exponential(100 * time.Millisecond), queue.Constant(100 * time.Millisecond), halfAndHalf} {
			s := system(rate, service, 0)
			got, err := queue.Smallest(s, goal)
			if err != nil {
				t.Fatal(err)
			}
			s.Servers = got
			if s.ResponseQuantile(.99) > goal.Within {
				t.Errorf("rate %v: %d servers have a p99 of %v", rate, got, s.ResponseQuantile(.99))
			}
			if s.Servers--; got > 1 && s.ResponseQuantile(.99) <= goal.Within {
				t.Errorf("rate %v: %d servers are not the fewest", rate, got)
			}
		}
	}
}

func TestErrorBudgetNeedsMore(t *testing.T) {
	s := system(100, queue.Exponential(100*time.Millisecond), 0)
	loose := queue.Goal{Quantile: .9, Within: 300 * time.Millisecond}
	tight := loose
	tight.Timeout, tight.ErrorBudget = time.Second, 5e-5
	few, err := queue.Smallest(s, loose)
	if err != nil {
		t.Fatal(err)
	}
	many, err := queue.Smallest(s, tight)
	if err != nil || many <= few {
		t.Fatalf("%d servers with an error budget, %v; %d without", many, err, few)
	}
	if s.Servers = many; s.ResponseTail(time.Second) > 5e-5 {
		t.Errorf("%v of the requests exceed the timeout", s.ResponseTail(time.Second))
	}
	if s.Servers = many - 1; s.ResponseTail(time.Second) <= 5e-5 {
		t.Errorf("%d servers hold the error budget too", many-1)
	}
}

func TestSmallestRefusals(t *testing.T) {
	good := queue.Goal{Quantile: .99, Within: 300 * time.Millisecond}
	for want, c := range map[string]struct {
		system queue.System
		goal   queue.Goal
	}{
		"no number of workers is enough: 5% of requests": {system(1, queue.Exponential(100143*time.Microsecond), 0), good}, // exp(-300/100.143) is .05
		"take longer than 2s in service alone":           {system(1, queue.Constant(3*time.Second), 0), queue.Goal{Quantile: .99, Within: 4 * time.Second, Timeout: 2 * time.Second, ErrorBudget: .01}},
		"rate -1 is not":                                 {system(-1, queue.Constant(time.Second), 0), good},
		"rate NaN is not":                                {system(math.NaN(), queue.Constant(time.Second), 0), good},
		"service: its mean is not above 0":               {system(1, queue.Service{}, 0), good},
		"quantile 1 is not above 0 and below 1":          {system(1, queue.Constant(time.Second), 0), queue.Goal{Quantile: 1, Within: 1}},
		"target 0s is not above 0":                       {system(1, queue.Constant(time.Second), 0), queue.Goal{Quantile: .5}},
		"error budget 2 is not":                          {system(1, queue.Constant(time.Second), 0), queue.Goal{Quantile: .5, Within: 1, ErrorBudget: 2}},
		"an error budget of 0 with a timeout":            {system(1, queue.Constant(time.Second), 0), queue.Goal{Quantile: .5, Within: 1, Timeout: 1}},
		"takes more than 10000000 workers":               {system(1e9, queue.Constant(time.Second), 0), queue.Goal{Quantile: .5, Within: 2 * time.Second}},
		"burstiness -1 is not a number of at least 0":    {queue.System{Rate: 1, Service: queue.Constant(time.Second), Burstiness: -1}, good},
	} {
		if _, err := queue.Smallest(c.system, c.goal); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := system(1, queue.Constant(1), 0).Validate(); err == nil {
		t.Error("a system without servers is valid")
	}
	for _, points := range [][]queue.Point{nil, {{-1, 1}}, {{1, 0}}, {{1, math.NaN()}}, {{0, 1}}} {
		if _, err := queue.Discrete(points); err == nil {
			t.Errorf("points %v were accepted", points)
		}
	}
}

// TestScaled doubles all times, and with half the rate everything but time
// stays as it is.
func TestScaled(t *testing.T) {
	service, err := queue.Discrete([]queue.Point{{10, 1}, {1e8, 2}, {3e8, 1}})
	if err != nil {
		t.Fatal(err)
	}
	slow := service.Scaled(2)
	near(t, "mean", slow.Mean().Seconds(), 2*service.Mean().Seconds(), 1e-7)
	near(t, "tail", system(10, slow, 4).ResponseTail(time.Second), system(20, service, 4).ResponseTail(500*time.Millisecond), 1e-9)
	tails := []float64{service.Tail(0), service.Tail(10), service.Tail(1e8), service.Tail(3e8)}
	if want := []float64{1, .75, .25, 0}; !slices.Equal(tails, want) {
		t.Errorf("tails %v, want %v", tails, want)
	}
}

func BenchmarkSmallest(b *testing.B) {
	for _, load := range []float64{10, 1000, 99_000} {
		b.Run(fmt.Sprintf("erlangs=%v", load), func(b *testing.B) {
			s := system(load*10, queue.Exponential(100*time.Millisecond), 0)
			for b.Loop() {
				if _, err := queue.Smallest(s, queue.Goal{Quantile: .99, Within: 500 * time.Millisecond}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
