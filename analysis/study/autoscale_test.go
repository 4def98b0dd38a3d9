package study_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// TestSimulationAgreesWithQueueing has constant loads and a number that does not
// scale, for its maximum is what it begins with: the minimum that it takes is
// the queueing theory's number, and so is the response time.
func TestSimulationAgreesWithQueueing(t *testing.T) {
	for _, rate := range []units.Rate{30, 111} {
		for _, balancing := range []study.Balancing{study.Pooled, study.Split} {
			n := need(t, 0)
			n.Rates = []study.Stretch{{Length: time.Hour, Rate: rate}}
			shape := study.Shape{VCPU: 2}
			want := size(t, n, shape, study.SizeOptions{Balancing: balancing})
			got := size(t, n, shape, study.SizeOptions{Balancing: balancing, Autoscaling: &study.Autoscaling{
				Rules: fleet.Autoscaling{Target: 1, Max: 1}, Seed: 5,
			}})
			// A number at the very edge of the target may come out on either side.
			if math.Abs(float64(got.Minimum-want.Instances)) > 1 || got.Instances != got.Minimum {
				t.Errorf("%v, %v: %d instances simulated, at most %d, want %d", rate, balancing, got.Minimum, got.Instances, want.Instances)
			}
			// At 94% use waits of an hour have much in common: its p99 comes out 8% off.
			if got.Minimum == want.Instances && math.Abs(float64(got.Response)/float64(want.Response)-1) > .12 {
				t.Errorf("%v, %v: response %v, want %v", rate, balancing, got.Response, want.Response)
			}
			if hours := float64(got.Minimum); math.Abs(got.InstanceHours/hours-1) > 1e-6 {
				t.Errorf("%v: %v instance-hours, want %v", rate, got.InstanceHours, hours)
			}
		}
	}
}

// TestSpike has a load that grows tenfold within a minute. As many as the spike
// takes, always, cost the most; an autoscaler takes fewer hours, and more the
// longer a boot takes; following without delay is the bound of all.
func TestSpike(t *testing.T) {
	n := need(t, 0)
	n.Rates = []study.Stretch{{Length: 20 * time.Minute, Rate: 20}, {Length: 5 * time.Minute, Rate: 200}, {Length: 20 * time.Minute, Rate: 20}}
	n.Goal.Within = 3 * time.Second
	shape := study.Shape{VCPU: 2}
	scaled := func(boot time.Duration) study.Fleet {
		return size(t, n, shape, study.SizeOptions{Autoscaling: &study.Autoscaling{
			Rules: fleet.Autoscaling{Target: .6, Period: 10 * time.Second, InCooldown: time.Minute},
			Boot:  dist.Constant(boot), Seed: 3,
		}})
	}
	always, follow := size(t, n, shape, study.SizeOptions{}), size(t, n, shape, study.SizeOptions{Follow: true})
	quick, slow := scaled(time.Second), scaled(2*time.Minute)
	if !(follow.InstanceHours < quick.InstanceHours && quick.InstanceHours < slow.InstanceHours) || quick.InstanceHours >= always.InstanceHours {
		t.Errorf("instance-hours: %v following at once, %v and %v with boots of 1s and 2m, %v always; want them to grow, and the first below the last",
			follow.InstanceHours, quick.InstanceHours, slow.InstanceHours, always.InstanceHours)
	}
	if slow.Minimum <= quick.Minimum {
		t.Errorf("minimum %d with boots of 2m, %d with 1s; what boots too late must be there before", slow.Minimum, quick.Minimum)
	}
	for _, f := range []study.Fleet{quick, slow} {
		if f.Response > n.Goal.Within || f.Simulation == nil || f.Simulation.Requests == 0 {
			t.Errorf("response %v is not within %v, or %+v", f.Response, n.Goal.Within, f.Simulation)
		}
	}
}

func TestWhatIsNotSimulated(t *testing.T) {
	o := study.SizeOptions{Autoscaling: &study.Autoscaling{Rules: fleet.Autoscaling{Target: .6}}}
	n := need(t, 1e6)
	_, err := study.Size(n, study.Shape{VCPU: 2}, o)
	if e, ok := errors.AsType[*study.LoadError](err); !ok || e.Requests != 3.6e9 {
		t.Errorf("got %v, want that 3.6e9 requests are too many", err)
	}
	if _, err := study.Size(need(t, 1), study.Shape{VCPU: 2, Burst: study.Burst{Baseline: .2}}, o); err == nil {
		t.Error("CPU credits are simulated")
	}
	if _, err := study.Size(need(t, 1), study.Shape{VCPU: 2, Burst: study.Burst{Baseline: .2, Unlimited: true}}, o); err != nil {
		t.Errorf("a machine in unlimited mode: %v", err)
	}
	o.Autoscaling.Rules.Target = 2
	if _, err := study.Size(need(t, 1), study.Shape{VCPU: 2}, o); err == nil {
		t.Error("a target of 2 is taken")
	}
}
