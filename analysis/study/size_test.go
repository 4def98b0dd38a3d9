package study_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

const ms = time.Millisecond

func cpu(t testing.TB, text string) study.CPUTime {
	t.Helper()
	d, err := dist.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := study.CPUOf(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func need(t testing.TB, rate units.Rate) study.Need {
	return study.Need{
		Rates: []study.Stretch{{Length: time.Hour, Rate: rate}}, CPU: cpu(t, "exp:100ms"),
		Goal: queue.Goal{Quantile: .99, Within: time.Second},
	}
}

func size(t testing.TB, n study.Need, s study.Shape, o study.SizeOptions) study.Fleet {
	t.Helper()
	f, err := study.Size(n, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSizeIsTheLeast holds it to the queue's own answers: so many instances hold
// the goal, and one less does not.
func TestSizeIsTheLeast(t *testing.T) {
	for _, balancing := range []study.Balancing{study.Pooled, study.Split} {
		for _, rate := range []units.Rate{0, 1, 30, 333, 4000} {
			n := need(t, rate)
			f := size(t, n, study.Shape{VCPU: 2}, study.SizeOptions{Balancing: balancing})
			holds := func(instances int) bool {
				s := queue.System{Rate: float64(rate), Service: queue.Exponential(100 * ms), Servers: 2 * instances}
				if balancing == study.Split {
					s.Rate, s.Servers = s.Rate/float64(instances), 2
				}
				return n.Goal.Holds(s)
			}
			if !holds(f.Instances) || f.Instances > 1 && holds(f.Instances-1) {
				t.Errorf("balancing %d, %v: %d instances are not the least", balancing, rate, f.Instances)
			}
			if f.InstanceHours != float64(f.Instances) || f.Response > time.Second {
				t.Errorf("%v: %v instance-hours in an hour of %d, p99 %v", rate, f.InstanceHours, f.Instances, f.Response)
			}
			if want := float64(rate) * .1 / float64(2*f.Instances); math.Abs(f.Utilisation-want) > 1e-9 {
				t.Errorf("%v: utilisation %v, want %v", rate, f.Utilisation, want)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	large := study.Shape{Name: "large", VCPU: 2, Memory: 4 * units.GB}
	for name, c := range map[string]struct {
		change func(n *study.Need, s *study.Shape)
		want   int
		bound  study.Bound
	}{
		"target":       {func(*study.Need, *study.Shape) {}, 3, study.ByTarget},
		"availability": {func(n *study.Need, _ *study.Shape) { n.MinInstances = 5 }, 5, study.ByAvailability},
		// 4 erlangs, of which few wait, and 40/s x 1 s of idling: 44 there, 27 more by chance, 10 to a machine
		"memory": {func(n *study.Need, _ *study.Shape) {
			n.Idle, n.Goal.Within, n.PerRequest, n.BaseMemory = time.Second, 2*time.Second, 300*units.MB, units.GB
		}, 8, study.ByMemory},
		// 4 vCPUs of work, and a machine may use 2 x 20% for ever
		"credits": {func(_ *study.Need, s *study.Shape) { s.Burst = study.Burst{Baseline: .2, Credits: time.Hour} }, 10, study.ByCredits},
		"unlimited": {func(_ *study.Need, s *study.Shape) {
			s.Burst = study.Burst{Baseline: .2, Credits: time.Hour, Unlimited: true}
		}, 3, study.ByTarget},
		// a quarter of a vCPU takes four times as long: more machines than four times as many
		"quarter": {func(n *study.Need, s *study.Shape) { s.VCPU, n.Goal.Within = .25, 3*time.Second }, 17, study.ByTarget},
	} {
		n, s := need(t, 40), large
		c.change(&n, &s)
		if f := size(t, n, s, study.SizeOptions{}); f.Instances != c.want || f.Bound != c.bound {
			t.Errorf("%s: %d instances by %s, want %d by %s", name, f.Instances, f.Bound, c.want, c.bound)
		}
	}
}

// TestStretches has a night, a day and an evening: with and without a fleet that
// follows.
func TestStretches(t *testing.T) {
	n := need(t, 0)
	n.Rates = []study.Stretch{{8 * time.Hour, 5}, {10 * time.Hour, 400}, {6 * time.Hour, 50}}
	shape := study.Shape{VCPU: 2}
	constant, following := size(t, n, shape, study.SizeOptions{}), size(t, n, shape, study.SizeOptions{Follow: true})
	if constant.Instances != following.Instances || constant.InstanceHours != 24*float64(constant.Instances) {
		t.Errorf("a constant fleet has %d instances and %v hours, one that follows at most %d", constant.Instances, constant.InstanceHours, following.Instances)
	}
	sum := 0.0
	for i, s := range following.Steps {
		alone := n
		alone.Rates = n.Rates[i : i+1]
		if got := size(t, alone, shape, study.SizeOptions{}); got.Instances != s.Instances {
			t.Errorf("stretch %d: %d instances, %d alone", i, s.Instances, got.Instances)
		}
		sum += float64(s.Instances) * s.Length.Hours()
	}
	if following.InstanceHours != sum || sum >= constant.InstanceHours {
		t.Errorf("%v hours, want %v, less than %v", following.InstanceHours, sum, constant.InstanceHours)
	}
	if constant.Bound != study.ByTarget || constant.Steps[0].Bound != study.ByPeak {
		t.Errorf("bound by %s, and by %s at night", constant.Bound, constant.Steps[0].Bound)
	}
}

// TestCreditsAreSavedUp has a busy hour that a quiet night has saved up for, and
// one that lasts longer than that.
func TestCreditsAreSavedUp(t *testing.T) {
	shape := study.Shape{VCPU: 2, Burst: study.Burst{Baseline: .2, Credits: 24 * time.Hour}}
	n := need(t, 0)
	n.Rates = []study.Stretch{{12 * time.Hour, .1}, {time.Hour, 12}}
	if f := size(t, n, shape, study.SizeOptions{}); f.Instances != 1 || f.Bound != study.ByTarget {
		t.Errorf("%d instances by %s, want 1: the night has saved up 4.7 vCPU-hours, the hour takes .8 beyond what it earns", f.Instances, f.Bound)
	}
	n.Rates[1].Length = 12 * time.Hour
	if f := size(t, n, shape, study.SizeOptions{}); f.Instances != 2 || f.Bound != study.ByCredits {
		t.Errorf("%d instances by %s, want 2: twelve hours take 9.6", f.Instances, f.Bound)
	}
	n.Rates[0], n.Rates[1] = n.Rates[1], n.Rates[0]
	if f := size(t, n, shape, study.SizeOptions{}); f.Instances != 3 {
		t.Errorf("%d instances, want 3: nothing is saved up at the beginning", f.Instances)
	}
}

// TestQuantilesKeepTheMean holds the points to distributions with long tails.
func TestQuantilesKeepTheMean(t *testing.T) {
	for _, text := range []string{"lognormal:680ms,2.36", "gamma:100ms,.5", "weibull:80ms,.7"} {
		d, err := dist.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		n := need(t, units.Rate(1/d.Mean().Seconds()))
		n.CPU, n.Goal.Within = cpu(t, text), 10*d.Quantile(.99)
		f := size(t, n, study.Shape{VCPU: 4}, study.SizeOptions{})
		if got := f.Utilisation * 4 * float64(f.Instances); math.Abs(got-1) > 1e-3 {
			t.Errorf("%s: a load of %v erlangs, want 1", text, got)
		}
	}
}

func TestSizeRefusals(t *testing.T) {
	for want, change := range map[string]func(n *study.Need, s *study.Shape){
		"rates: there are none":                                          func(n *study.Need, _ *study.Shape) { n.Rates = nil },
		"cpu time: it is not known; measure it":                          func(n *study.Need, _ *study.Shape) { n.CPU = study.CPUTime{} },
		"length 0s and rate 1 are not":                                   func(n *study.Need, _ *study.Shape) { n.Rates = []study.Stretch{{0, 1}} },
		"idle 1s leaves nothing of the target of 1s":                     func(n *study.Need, _ *study.Shape) { n.Idle = time.Second },
		"0 vCPUs are not above 0":                                        func(_ *study.Need, s *study.Shape) { s.VCPU = 0 },
		"baseline 2 is not from 0 to 1":                                  func(_ *study.Need, s *study.Shape) { s.Burst.Baseline = 2 },
		"quantile 0 is not above 0":                                      func(n *study.Need, _ *study.Shape) { n.Goal.Quantile = 0 },
		"take longer than 200ms in service alone":                        func(n *study.Need, _ *study.Shape) { n.Goal.Within = 200 * ms },
		"has 1 GB of memory, and one server with one request needs 2 GB": func(n *study.Need, s *study.Shape) { s.Memory, n.BaseMemory = units.GB, 2*units.GB },
	} {
		n, s := need(t, 40), study.Shape{Name: "small", VCPU: 2}
		change(&n, &s)
		if _, err := study.Size(n, s, study.SizeOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// BenchmarkCurve is 200 sizings from .01/s to 1,000/s.
func BenchmarkCurve(b *testing.B) {
	for _, text := range []string{"const:100ms", "exp:100ms", "lognormal:50ms,1"} {
		b.Run("cpu="+text, func(b *testing.B) {
			n := need(b, 0)
			n.CPU = cpu(b, text)
			for b.Loop() {
				for i := range 200 {
					n.Rates[0].Rate = units.Rate(.01 * math.Pow(1e5, float64(i)/199))
					n.Goal.Within = 3 * time.Second
					size(b, n, study.Shape{VCPU: 2}, study.SizeOptions{})
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/200*1e6, "us/sizing")
		})
	}
}
