package study

import (
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

func measurement(t *testing.T) Measurement {
	t.Helper()
	w := cost.Work{Name: "a", Memory: units.GB, Requests: 200, Durations: cost.Constant(10 * time.Millisecond)}
	return Measurement{Book: prices.Open(), Span: 10 * time.Second, Works: []cost.Work{w}, Told: true, Arch: "amd64"}
}

// TestMonthOfARun holds the functions' side to the price list: 20 requests a
// second for 730 hours are 52,560,000, of 10 ms with 1 GB.
func TestMonthOfARun(t *testing.T) {
	m := measurement(t)
	c, err := m.Month()
	if err != nil {
		t.Fatal(err)
	}
	if c.Rate != 20 || c.Requests != 52_560_000 || len(c.Options) != 2 {
		t.Fatalf("rate %v, %d requests, %d options; want 20, 52,560,000, 2", c.Rate, c.Requests, len(c.Options))
	}
	functions, machines := c.Options[0], c.Options[1]
	if got := functions.Month.String(); functions.Option != "aws/lambda" || got != "$19.27" { // 10.512 + 8.76002
		t.Errorf("%s costs %s, want aws/lambda at $19.27", functions.Option, got)
	}
	if machines.Month != nil || !strings.Contains(machines.Why, "too few requests") {
		t.Errorf("machines without a target: %v, %q", machines.Month, machines.Why)
	}
}

// TestMonthOfUnknownCPUTime has calls that may compute all the time that they
// take: 2,000 of 10 ms a second are 20 vCPUs, and ten machines are full.
func TestMonthOfUnknownCPUTime(t *testing.T) {
	m := measurement(t)
	m.Target, m.Span = 50*time.Millisecond, 100*time.Millisecond
	c, err := m.Month()
	if err != nil {
		t.Fatal(err)
	}
	if o := c.Options[1]; o.Instances < 11 || o.Instances > 13 || o.Month == nil || !strings.Contains(o.Serves, "instances at most, p99 ") ||
		!strings.Contains(strings.Join(c.Notes, " "), "for it was not measured (--cpu-time") {
		t.Errorf("%+v, %q; want a little more than ten machines, at most", o, c.Notes)
	}
}

func TestMonthOnMachines(t *testing.T) {
	m := measurement(t)
	m.CPU, m.Target = map[string]time.Duration{"": 10 * time.Millisecond}, 50*time.Millisecond
	c, err := m.Month()
	if err != nil {
		t.Fatal(err)
	}
	// 20 requests of 10 ms a second are a fifth of one vCPU: two of them for availability.
	if o := c.Options[1]; o.Instances != 2 || o.Month.String() != "$130.30" || !strings.Contains(strings.Join(c.Notes, " "), "follows from the availability, and 5%") {
		t.Errorf("%d instances, %v, %q; want 2 c7i.large for availability at $130.30, 5%% busy", o.Instances, o.Month, c.Notes)
	}
	m.Arch, m.Span = "arm64", 10*time.Millisecond // 20,000 requests a second are 200 vCPUs
	if c, err = m.Month(); err != nil {
		t.Fatal(err)
	}
	if o := c.Options[1]; o.Option != "aws/ec2/c7g.large" || o.Instances < 100 || o.Instances > 120 {
		t.Errorf("%d of %s, want a little more than 100 of c7g.large", o.Instances, o.Option)
	}
	m.Target = time.Millisecond
	if c, err = m.Month(); err != nil {
		t.Fatal(err)
	}
	if o := c.Options[1]; o.Month != nil || o.Why == "" {
		t.Errorf("a target below the CPU time is priced: %v", o.Month)
	}
	m.Told = false
	if c, err = m.Month(); err != nil || len(c.Options) != 1 || c.Options[0].Option == "aws/lambda" {
		t.Errorf("calls that nobody billed are priced as functions: %+v, %v", c, err)
	}
}

func TestMonthOfNothingKnown(t *testing.T) {
	m := measurement(t)
	m.Told = false
	if c, err := m.Month(); c != nil || err != nil {
		t.Errorf("neither durations nor CPU time: %+v, %v; want nothing", c, err)
	}
}
