package baseline_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/rundir"
)

// TestDistinct: a run is itself by whatever name, and after it was saved and
// read; one of another instant, seed or machine is another.
func TestDistinct(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	run := func(name string, at time.Time, seed, cpu string) baseline.Run {
		return baseline.Run{Name: name, Started: at, Kind: map[string]string{"seed": seed, "scenario": "shop"}, Host: rundir.Host{CPU: cpu}}
	}
	first := run("first", at, "7", "one")
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	var saved baseline.Run
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	saved.Name = "copy"
	runs := []baseline.Run{
		first, saved, run("later", at.Add(1), "7", "one"), run("seed", at, "8", "one"), run("cpu", at, "7", "two"), run("base's", at.Add(2), "7", "one"), run("base's", at.Add(2), "7", "one"),
	}
	distinct, again, shared := baseline.Distinct(runs, []baseline.Run{run("main", at.Add(2).UTC(), "7", "one")})
	var names []string
	for _, r := range distinct {
		names = append(names, r.Name)
	}
	got := [][]string{names, again, shared}
	if d := cmp.Diff([][]string{{"first", "later", "seed", "cpu"}, {"copy", "base's"}, {"base's"}}, got); d != "" {
		t.Errorf("distinct, again and shared (-want +got):\n%s", d)
	}
	day := baseline.Run{Name: "lambda-perf-1", Started: at, Inits: baseline.Inits{"go": 1}}
	next := day
	next.Name = "lambda-perf-2"
	if distinct, _, _ := baseline.Distinct([]baseline.Run{day, next}, nil); len(distinct) != 2 {
		t.Errorf("two cold starts of a day are %d runs", len(distinct))
	}
}
