package study

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// published is the comparison that an architect asks for first.
func published(options ...string) Comparison {
	return Comparison{
		Book: prices.Open(), Options: options,
		Work: cost.Work{Requests: 1, Durations: cost.Constant(100 * time.Millisecond), Memory: 1769 * units.MB},
		CPU:  100 * time.Millisecond, CPUBasis: "given", Goal: queue.Goal{Quantile: .99, Within: 300 * time.Millisecond},
		Over: OverRate, From: .01, To: 1000,
	}
}

func compare(t *testing.T, c Comparison) *Curves {
	t.Helper()
	curves, err := c.Compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return curves
}

// billed is what an option costs, without the curve's own way there: the
// function side by its requests, a fleet by its instances.
func billed(t *testing.T, name string, requests uint64, instances int) units.Money {
	t.Helper()
	o, err := cost.New(prices.Open(), name, cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	w := cost.Work{Requests: requests, Durations: cost.Constant(100 * time.Millisecond), Memory: 1769 * units.MB}
	if instances > 0 {
		w.Fleet = cost.Always(uint64(instances))
		w.Memory = 2 * units.GB
	}
	b, err := o.Bill(&w)
	if err != nil {
		t.Fatal(err)
	}
	return b.Total
}

func TestBreakevenBills(t *testing.T) {
	curves := compare(t, published("aws/lambda", "aws/ec2/c7g.large", "aws/fargate"))
	if len(curves.Breakeven) < 3 {
		t.Fatalf("got %d break-even points, want some of both kinds", len(curves.Breakeven))
	}
	kinds := make(map[bool]bool)
	for _, b := range curves.Breakeven {
		kinds[b.Step] = true
		requests := cost.PerMonth(b.Rate)
		if requests != b.Requests {
			t.Errorf("at %v: %d requests, and the rate makes them %d", b.Rate, b.Requests, requests)
		}
		for k, option := range b.Between {
			if got := billed(t, option, requests, b.Instances[k]); got != b.After[k] {
				t.Errorf("at %v %d x %s costs %v by its bill, and %v by the curve", b.Rate, b.Instances[k], option, got, b.After[k])
			}
		}
		near := b.After[0] - b.After[1]
		if smooth := -units.Cent < near && near < units.Cent; smooth == b.Step {
			t.Errorf("at %v %v and %v: step is %v", b.Rate, b.After[0], b.After[1], b.Step)
		}
		if b.Before[0] >= b.Before[1] || b.After[1] > b.After[0] {
			t.Errorf("at %v between %v: %v below and %v there: want the first cheaper below, and not there", b.Rate, b.Between, b.Before, b.After)
		}
	}
	if !kinds[true] || !kinds[false] {
		t.Errorf("kinds of break-even points: %v, want crossings and steps", kinds)
	}
}

// TestBreakevenComplete looks between the break-even points for more of them.
func TestBreakevenComplete(t *testing.T) {
	c := published("aws/lambda", "aws/fargate")
	c.From, c.To, c.Points, c.MinInstances = 1, 60, 7, 1 // wide gaps: the solver has to find the steps by itself
	curves := compare(t, c)
	run, err := c.begin()
	if err != nil {
		t.Fatal(err)
	}
	s := &solver{comparison: run}
	side := func(tick uint64) int {
		p, err := s.place([2]int{0, 1}, tick)
		if err != nil {
			t.Fatal(err)
		}
		return p.side()
	}
	first, last, points := run.tick(c.From), run.tick(c.To), 3000
	changes, now := 0, side(first)
	for i := 1; i <= points; i++ {
		if next := side(first + (last-first)/uint64(points)*uint64(i)); next != now && next != 0 {
			changes, now = changes+1, next
		}
	}
	if got := len(curves.Breakeven); got != changes || got < 3 {
		t.Errorf("%d break-even points, and at %d rates the cheaper one changes %d times (want at least 3)", got, points, changes)
	}
}

func TestCurveIsMonotone(t *testing.T) {
	for _, over := range []Over{OverRate, OverDuty, OverMemory, OverDuration} {
		c := published("aws/lambda", "aws/lambda+aws/api-gateway-http", "aws/ec2/c7g.large+aws/alb", "aws/fargate", "aws/app-runner")
		c.Over, c.Rate, c.Points = over, 20, 50
		switch over {
		case OverDuty:
			c.From, c.To = .01, 1
		case OverMemory:
			c.From, c.To = float64(128*units.MB), float64(4*units.GB)
		case OverDuration:
			c.From, c.To = .001, .25
		}
		for _, s := range compare(t, c).Series {
			last := units.Money(-1)
			for _, p := range s.Points {
				sum := units.Money(0)
				for _, amount := range p.Shares {
					sum += amount
				}
				if p.Err != nil || p.Total < last || sum != p.Total {
					t.Errorf("over %s at %v %s costs %v (%v) after %v, its shares sum to %v", over, p.X, s.Option, p.Total, p.Err, last, sum)
				}
				last = p.Total
			}
		}
	}
}

func TestCurveLimits(t *testing.T) {
	quota := published("aws/lambda", "aws/ec2/c7g.large")
	quota.To = 50_000
	slow := published("aws/lambda", "aws/ec2/c7g.large")
	slow.Over, slow.Rate, slow.From, slow.To, slow.Goal.Within = OverDuration, 1, 1, 2000, time.Hour
	slow.CPU = time.Millisecond
	for name, test := range map[string]struct {
		c      Comparison
		option int
		from   float64
		limit  string
	}{
		"quota":    {quota, 0, 10_000, "1,000 calls under way"},
		"duration": {slow, 0, 900, "longest duration is 15 min"},
	} {
		s := compare(t, test.c).Series[test.option]
		if len(s.Limits) != 1 {
			t.Fatalf("%s: limits %+v, want one", name, s.Limits)
		}
		l := s.Limits[0]
		if math.Abs(l.From/test.from-1) > 1e-5 || l.To != test.c.To {
			t.Errorf("%s: impossible from %v to %v, want from %v to the end", name, l.From, l.To, test.from)
		}
		if e, ok := errors.AsType[*cost.Impossible](l.Err); !ok || !strings.Contains(e.Error(), test.limit) {
			t.Errorf("%s: %v, want the limit %q", name, l.Err, test.limit)
		}
	}

	missed := published("aws/lambda", "aws/ec2/c7g.large")
	missed.Goal.Within = 90 * time.Millisecond
	for _, s := range compare(t, missed).Series {
		if len(s.Limits) != 1 || !strings.Contains(s.Limits[0].Err.Error(), "p99 must be within 90.0 ms") {
			t.Errorf("%s with a target below its own time: %+v, want impossible everywhere", s.Option, s.Limits)
		}
	}
}

func TestUnknownCapacity(t *testing.T) {
	c := published("aws/lambda", "aws/fargate")
	c.CPU = 0
	_, err := c.Compare(t.Context())
	if _, ok := errors.AsType[*UnknownCapacity](err); !ok {
		t.Errorf("a fleet without a CPU time: %v, want an UnknownCapacity", err)
	}
	c.Options = c.Options[:1]
	compare(t, c)
}

// TestSensitivity holds what moves the break-even point against what is plain:
// a function's price grows with memory times duration, a small fee for requests
// aside, and a fleet at its least number does not care about a little CPU time.
func TestSensitivity(t *testing.T) {
	c := compare(t, published("aws/lambda", "aws/fargate"))
	if err := c.Sensitivity(t.Context()); err != nil {
		t.Fatal(err)
	}
	swings := make(map[string]Swing)
	for i, s := range c.Swings {
		swings[s.Input] = s
		if i > 0 && s.Most > c.Swings[i-1].Most {
			t.Errorf("%s moves it by %v and stands below %s with %v", s.Input, s.Most, c.Swings[i-1].Input, c.Swings[i-1].Most)
		}
	}
	for _, input := range []string{"memory", "duration"} {
		s := swings[input]
		if s.Less == nil || s.More == nil || *s.Less < c.Swung.X/.95 || *s.Less > c.Swung.X/.9 || *s.More > c.Swung.X/1.05 || *s.More < c.Swung.X/1.1 {
			t.Errorf("%s: %+v around %v, want nearly in inverse proportion", input, s, c.Swung.X)
		}
	}
	if s := swings["target"]; s.More == nil || *s.More != c.Swung.X {
		t.Errorf("a longer target moves the break-even point of a fleet that is as small as may be: %+v", s)
	}
	if s := swings["min instances"]; s.Less != nil || s.Twice == nil || *s.Twice <= c.Swung.X {
		t.Errorf("min instances: %+v, want a later break-even point with twice as many, and no 10%% of 2", s)
	}
}

// TestCurveSchema: what is printed is as the schema says, and what is not is
// refused.
func TestCurveSchema(t *testing.T) {
	validate := compiled(t, CurveSchemaJSON())
	c := published("aws/lambda", "aws/ec2/c7g.large", "aws/fargate")
	c.Points, c.To = 20, 50_000 // beyond a quota
	curves := compare(t, c)
	if err := curves.Sensitivity(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole := marshalled(t, curves.Document([]string{"an answer"}, nil))
	if err := validate(whole); err != nil {
		t.Fatal(err)
	}
	missed := published("aws/fargate")
	missed.Points, missed.Goal.Within = 2, time.Millisecond
	if err := validate(marshalled(t, compare(t, missed).Document([]string{}, nil))); err != nil {
		t.Errorf("curves of nothing: %v", err)
	}
	for from, to := range map[string]string{`"kind":"step"`: `"kind":"jump"`, `"usd_month":"`: `"usd_month":"$`, `"limit":`: `"limits":`, `"rate_per_s":`: `"rate_per_s":-`} {
		wrong := strings.Replace(whole, from, to, 1)
		if wrong == whole {
			t.Fatalf("the document has no %s", from)
		}
		if validate(wrong) == nil {
			t.Errorf("the schema takes %s", to)
		}
	}
}
