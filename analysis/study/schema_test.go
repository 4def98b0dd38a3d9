package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

func compiled(t *testing.T, text []byte) func(document string) error {
	t.Helper()
	s := stricttest.Schema(t, text)
	return func(document string) error {
		doc := stricttest.Value(t, []byte(document))
		return s.Validate(doc)
	}
}

// simulations are one of each kind of document.
func simulations(t *testing.T) map[string]*Simulation {
	t.Helper()
	lambda, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]*Simulation)
	for name, change := range map[string]func(*Plan){
		"levels": func(p *Plan) {
			p.Source, p.Engine, p.Options.Policy.KeepAlive = minutes(t), sim.EngineLevels, 2*time.Minute
		},
		"one":    func(*Plan) {},
		"many":   func(p *Plan) { p.Source = poisson("a", "b") },
		"budget": func(p *Plan) { p.Source, p.Budget = poisson("a", "b"), 8*units.GB },
		"provisioned": func(p *Plan) {
			p.Options.Policy.Provisioned = []lifecycle.Level{{Count: 2}, {From: time.Minute, Count: 3}}
		},
		"fleet": func(p *Plan) {
			p.Source, p.Machines, p.Target = poisson("a", "b"), machinesOf(t, "aws/ec2/c7g.large"), queue.Goal{Quantile: .99, Within: 300 * time.Millisecond}
		},
		"unpriced": func(p *Plan) { p.Source, p.Option = poisson("a"), nil },
	} {
		plan := planOf(poisson("a"), 10*time.Second)
		plan.Option = lambda
		change(&plan)
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = s
	}
	fitted := predicting(t, time.Second, "a", "b")
	fitted.Fit.Functions["a"].StartBeside = fitted.Fit.Functions["a"].StartDelay
	fitted.Fit.Functions["b"] = fitted.Fit.Functions["a"]
	s, err := Predict(t.Context(), fitted)
	if err != nil {
		t.Fatal(err)
	}
	all["fitted"] = s
	all["one"].Changed = []string{"--keep-alive"}
	all["one"].Measured, all["one"].Beside = []Measured{{Requests: 3, Cold: 1, P50: time.Millisecond, P99: time.Second, N: 3}}, time.Millisecond
	return all
}

// minutes is counts of two hours.
func minutes(t *testing.T) traffic.Source {
	t.Helper()
	text := "minute,count\n"
	for i := range 120 {
		text += fmt.Sprintf("%d,%d\n", i, 70+i%7)
	}
	source, err := traffic.OpenFiles(t.Context(), traffic.File{
		Name: "counts.csv", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocumentsFollowTheirSchemas: what is printed is as the schema says, and
// what is not is refused.
func TestDocumentsFollowTheirSchemas(t *testing.T) {
	validate := compiled(t, SimulationSchemaJSON())
	all := simulations(t)
	for name, s := range all {
		if err := validate(marshalled(t, s)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	sweep, err := Sweeping(t.Context(), []Axis{{"keep_alive", []string{"1s", "1m"}}}, func(values []string) (Plan, error) {
		keep, err := time.ParseDuration(values[0])
		return planOf(poisson("a"), keep), err
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	validateSweep := compiled(t, SweepSchemaJSON())
	if err := validateSweep(marshalled(t, sweep)); err != nil {
		t.Error(err)
	}
	for _, change := range []struct {
		validate func(string) error
		doc      string
		from, to string
	}{
		{validate, marshalled(t, all["one"]), `"coldcurve.simulation/v1"`, `"coldcurve.simulation/v2"`},
		{validate, marshalled(t, all["one"]), `"cold":`, `"cold":-`},
		{validate, marshalled(t, all["many"]), `"pings"`, `"Pings"`},
		{validateSweep, marshalled(t, sweep), `"pareto":`, `"front":`},
		{validateSweep, marshalled(t, sweep), `"idle_instance_h":`, `"idle_instance_h":-`},
	} {
		wrong := strings.Replace(change.doc, change.from, change.to, 1)
		if wrong == change.doc {
			t.Fatalf("the document has no %s", change.from)
		}
		if change.validate(wrong) == nil {
			t.Errorf("the schema takes %s", change.to)
		}
	}
}

// TestEveryProductAnswers: a simulation has a bill by every product that serves
// requests by itself, or the limit or the missing quantity that keeps it from one.
func TestEveryProductAnswers(t *testing.T) {
	plan := planOf(poisson("a"), 10*time.Second)
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	billed := 0
	for _, name := range cost.Products() {
		option, err := cost.New(prices.Open(), name, cost.Terms{})
		if err != nil {
			continue // a machine without its type
		}
		bill, err := s.MonthlyBill(option)
		_, impossible := errors.AsType[*cost.Impossible](err)
		_, missing := errors.AsType[*cost.Missing](err)
		switch {
		case err == nil && bill.Region == "":
			t.Errorf("%s: a bill of no region", name)
		case err == nil && bill.Total > 0: // what only carries payloads costs nothing here
			billed++
		case err == nil:
		case !impossible && !missing:
			t.Errorf("%s: %v", name, err)
		}
	}
	if billed < 15 {
		t.Errorf("%d products have a bill, want 15 and more", billed)
	}
}
