package baseline_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

func day(t *testing.T, name string) *baseline.Baseline {
	t.Helper()
	text, err := os.ReadFile("testdata/lambda_perf/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := baseline.Import(text, "")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func trialsOf(t *testing.T, b *baseline.Baseline) []gate.Trial {
	t.Helper()
	list, err := b.Trials()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// inits are a function's, of all the runs of a baseline that have it.
func inits(b *baseline.Baseline, function string) []float64 {
	var list []float64
	for _, r := range b.Runs {
		if d, ok := r.Inits[function]; ok {
			list = append(list, float64(d))
		}
	}
	return list
}

func functions(b *baseline.Baseline) []string {
	var names []string
	for name := range b.Runs[0].Inits {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func rulesOf(functions ...string) *gate.Policy {
	p := new(gate.Policy)
	for _, name := range functions {
		p.Rules = append(p.Rules, gate.Rule{Budget: budget.Budget{Metric: "init.mean", Function: name}, Margin: .1})
	}
	return p
}

// regressed are the functions that the gate says got worse.
func regressed(p *gate.Policy, base, head []gate.Trial) []string {
	var names []string
	for _, f := range gate.Judge(p, gate.Comparison{Base: base, Head: head}, gate.Look{}) {
		if f.Verdict == gate.Regressed {
			names = append(names, f.Rule.Function)
		}
	}
	return names
}

func mean(values []float64) float64 {
	sum := 0.
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// TestNeighbouringDays: nothing was changed from one day to the next by anybody
// but AWS. Rules that people write ("mean +10%", "max +10%") call many of the
// functions slower; the gate, asked the same of each function by itself, few;
// asked of all together, fewer.
func TestNeighbouringDays(t *testing.T) {
	before, after := day(t, "2026-08-20"), day(t, "2026-08-21")
	base, head := trialsOf(t, before), trialsOf(t, after)
	names := functions(before)
	alarms := map[string]int{}
	for _, name := range names {
		b, h := inits(before, name), inits(after, name)
		if mean(h) > 1.1*mean(b) {
			alarms["mean +10%"]++
		}
		if slices.Max(h) > 1.1*slices.Max(b) {
			alarms["max +10%"]++
		}
		alarms["gate, each by itself"] += len(regressed(rulesOf(name), base, head))
	}
	alarms["gate, all together"] = len(regressed(rulesOf(names...), base, head))
	t.Logf("alarms on %d functions: %v", len(names), alarms)
	if len(names) < 70 || alarms["mean +10%"] < 10 || alarms["max +10%"] < 10 {
		t.Fatalf("of %d functions %v: not the days that they were", len(names), alarms)
	}
	if 3*alarms["gate, each by itself"] > alarms["mean +10%"] {
		t.Errorf("%v: want the gate to call at most a third of what the mean does", alarms)
	}
	if 10*alarms["gate, all together"] > alarms["mean +10%"] {
		t.Errorf("%v: want the gate on all functions together to call at most a tenth of what the mean does", alarms)
	}
}

// TestATripledInit is found, whichever function's it is, though as many rules
// are judged as there are functions; but for a few whose cold starts of one day
// differ about threefold.
func TestATripledInit(t *testing.T) {
	before, after := day(t, "2026-08-20"), day(t, "2026-08-21")
	names := functions(before)
	scale := func(name string, by float64) {
		for _, r := range after.Runs {
			if d, ok := r.Inits[name]; ok {
				r.Inits[name] = time.Duration(float64(d) * by)
			}
		}
	}
	missed := 0
	for _, name := range names {
		scale(name, 3)
		if found := regressed(rulesOf(names...), trialsOf(t, before), trialsOf(t, after)); !slices.Contains(found, name) {
			missed++
			if b := inits(before, name); slices.Max(b) < 2.5*slices.Min(b) {
				t.Errorf("%s three times as slow is not found, but %v", name, found)
			}
		}
		scale(name, 1./3)
	}
	if missed > len(names)/20 {
		t.Errorf("missed in %d of %d functions", missed, len(names))
	}
}

func TestImport(t *testing.T) {
	const head = `{"metadata":{"generatedAt":"2026-08-20T14:00:43.774Z"},"runtimeData":[`
	b, err := baseline.Import([]byte(head+`{"r":"lambda-perf-go","i":[1.5,2]},{"r":"lambda-perf-node","i":[3]}]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if b.Name != "lambda-perf-2026-08-20" || len(b.Runs) != 2 || b.Runs[0].Inits["go"] != 1500*time.Microsecond || len(b.Runs[1].Inits) != 1 {
		t.Errorf("imported %+v", b)
	}
	all := b.Runs[0].Inits.Select(summary.Selection{})
	if all.N != 2 || *all.Starts.Init != 2_250_000 {
		t.Errorf("all together: %d with a mean of %v", all.N, all.Starts.Init)
	}
	if p := b.Runs[0].Inits.Select(summary.Selection{Start: "warm"}); p.N != 0 || p.Starts.Init != nil {
		t.Errorf("of warm starts: %+v", p)
	}
	store := baseline.Store{Folder: t.TempDir()}
	if _, err := store.Save(b, false); err != nil {
		t.Fatal(err)
	}
	if back, err := store.Load(b.Name); err != nil || back.Runs[0].Inits["go"] != b.Runs[0].Inits["go"] {
		t.Errorf("loaded %+v, %v", back, err)
	}
	if some, err := baseline.Import([]byte(head+`{"r":"lambda-perf-go","i":[1.5,2]},{"r":"lambda-perf-node","i":[3]}]}`), "n*"); err != nil || len(some.Runs) != 1 {
		t.Errorf("only n*: %+v, %v", some, err)
	}
	for text, want := range map[string]string{
		`[]`:                              "no format that is known",
		`{"runtimeData":[]}`:              "metadata.generatedAt is missing",
		head + `]}`:                       "no cold start",
		head + `{"r":"go","i":[1,-2]}]}`:  "runtimeData[0] (go): i[1] is -2 ms",
		head + `{"r":"go","i":[9e99]}]}`:  "up to an hour",
		head + `{"r":"a"},{"r":"a"}]}`:    `runtimeData[1].r is "a"`,
		head + `{"r":"a","i":["fast"]}]}`: "import lambda-perf: json",
		head + `{"r":"a","i":[1]}],"x":1`: "no format that is known",
	} {
		if _, err := baseline.Import([]byte(text), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := baseline.Import([]byte(head+`]}`), "["); err == nil || !strings.Contains(err.Error(), "pattern") {
		t.Errorf("a bad pattern: %v", err)
	}
}

// FuzzImport: what is imported can be stored, read again and is the same.
func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"metadata":{"generatedAt":"2026-08-20T14:00:43.774Z"},"runtimeData":[{"r":"lambda-perf-go","i":[1.5,2]}]}`))
	f.Add([]byte(`{"runtimeData":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := baseline.Import(text, "")
		if err != nil {
			return
		}
		first, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := baseline.Decode(first)
		if err != nil {
			t.Fatalf("imported and not readable: %v\n%s", err, first)
		}
		if second, err := json.Marshal(back); err != nil || !bytes.Equal(first, second) {
			t.Errorf("not the same once read again (%v):\n%s\n%s", err, first, second)
		}
	})
}

// TestImportsTellInitsAlone: what a day of cold starts does not hold is no figure.
func TestImportsTellInitsAlone(t *testing.T) {
	trial := gate.Trial{Figures: baseline.Inits{"one": 80 * time.Millisecond}}
	for name, want := range map[string]string{
		"init.mean": "", "cold_share": "tells no cold_share", "error_share": "tells no error_share", "errors": "tells no errors",
		"dropped": "tells no dropped", "throughput": "tells no throughput",
	} {
		rule := gate.Rule{Budget: budget.Budget{Metric: name}}
		if _, why := rule.Figure(&trial); (why == "") != (want == "") || !strings.HasSuffix(why, want) {
			t.Errorf("%s: %q, want %q", name, why, want)
		}
	}
}
