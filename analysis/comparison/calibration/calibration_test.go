package calibration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

var update = flag.Bool("update", false, "rewrite golden files")

func header() calibration.Header {
	return calibration.Header{
		Started: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
		Setup: calibration.Setup{
			Metric: "init.mean", Start: "cold", Margin: .05, Risk: .05, Power: .9, Detect: .1,
			Looks: []int{10, 14, 20, 28}, Scenario: "name: calibration\n",
		},
		Host: rundir.Host{OS: "linux", Arch: "amd64", CPU: "one", Cores: 2},
	}
}

func open(t *testing.T, path string) *calibration.Log {
	t.Helper()
	l, err := calibration.Open(path, header())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// bench makes comparisons that nobody measures, each in ten seconds.
type bench struct {
	at    time.Time
	tasks []calibration.Task
	// judge gives the verdict and the figures; the base takes 40 ms if nil.
	judge func(calibration.Task) (gate.Verdict, [][2]float64)
	until int // comparisons, then it is interrupted; 0 for never
}

var errInterrupted = errors.New("interrupted")

func (b *bench) compare(_ context.Context, t calibration.Task) (calibration.Outcome, error) {
	if b.until > 0 && len(b.tasks) == b.until {
		return calibration.Outcome{}, errInterrupted
	}
	b.tasks = append(b.tasks, t)
	began := b.at
	b.at = b.at.Add(10 * time.Second)
	verdict, figures := gate.Equivalent, [][2]float64{{40e6, 40e6 + float64(t.Delay)}}
	if b.judge != nil {
		verdict, figures = b.judge(t)
	}
	change := float64(t.Delay) / 40e6
	return calibration.Outcome{
		Effect: t.Effect, Number: t.Number, Seed: t.Seed, Delay: t.Delay, Verdict: verdict, Change: &change, Pairs: figures,
		Version: "devel", Began: began, Ended: b.at, Load: float64(len(b.tasks)),
	}, nil
}

func newBench() *bench { return &bench{at: header().Started} }

func (b *bench) options(comparisons int, effects ...float64) calibration.Options {
	return calibration.Options{Effects: effects, Comparisons: comparisons, Compare: b.compare}
}

// TestRates: of known outcomes, held against binom.test of R 4.2.2, two-sided at
// .9, whose ends are one-sided at .95.
func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name           string
		effect         float64
		n, hits, spoil int
		least, most    float64
		held           bool
	}{
		{"no alarm", 0, 59, 0, 0, 0, .0495076099, true},                                // binom.test(0, 59, conf.level=.9)
		{"as many as the risk lets pass", 0, 60, 6, 0, .0444529678, .1878573820, true}, // binom.test(6, 60, conf.level=.9)
		{"one too many", 0, 60, 7, 0, .0560548816, .2079909372, false},                 // binom.test(7, 60, conf.level=.9)
		{"what could not be judged is no alarm that stayed away", 0, 63, 7, 3, .0560548816, .2079909372, false},
		{"found", .1, 60, 54, 0, .8121426180, .9555470322, true},             // binom.test(54, 60, conf.level=.9)
		{"found too rarely", .1, 60, 53, 0, .7920090628, .9439451184, false}, // binom.test(53, 60, conf.level=.9)
		{"what could not be judged was not found", .1, 60, 53, 7, .7920090628, .9439451184, false},
		{"nothing is promised of it", .05, 20, 3, 0, .0421694079, .3436638043, true}, // binom.test(3, 20, conf.level=.9)
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			b.judge = func(task calibration.Task) (gate.Verdict, [][2]float64) {
				figures := [][2]float64{{40e6, 44e6}}
				switch {
				case task.Number == 0 || task.Number > tt.hits+tt.spoil:
					return gate.Equivalent, figures
				case task.Number > tt.hits:
					return gate.Invalid, nil
				}
				return gate.Regressed, figures
			}
			l := open(t, filepath.Join(t.TempDir(), "log"))
			if err := calibration.Make(t.Context(), l, b.options(tt.n, tt.effect)); err != nil {
				t.Fatal(err)
			}
			d := l.Document()
			e := d.Effects[0]
			if e.Alarms() != tt.hits || e.Held != tt.held || d.Held != tt.held {
				t.Errorf("%d called regressed, held %v (document %v); want %d, %v", e.Alarms(), e.Held, d.Held, tt.hits, tt.held)
			}
			if math.Abs(e.AtLeast-tt.least) > 1e-9 || math.Abs(e.AtMost-tt.most) > 1e-9 {
				t.Errorf("limits %v to %v, want %v to %v", e.AtLeast, e.AtMost, tt.least, tt.most)
			}
		})
	}
}

// TestTheGateItself calibrates gate.Sequence with runs whose noise is known: it
// must keep its promises, and the test below it the nominal level.
func TestTheGateItself(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	policy := &gate.Policy{Rules: []gate.Rule{{Budget: budget.Budget{Metric: "init.mean", Start: "cold"}, Margin: .05}}}
	b := newBench()
	b.judge = func(task calibration.Task) (gate.Verdict, [][2]float64) {
		var c gate.Comparison
		var figures [][2]float64
		for s := gate.NewSequence(policy); ; {
			mood := 40e6 * math.Exp(.2*rng.NormFloat64()) // of the machine: both runs of a pair meet it
			pair := [2]float64{mood * math.Exp(.03*rng.NormFloat64()), (mood + float64(task.Delay)) * math.Exp(.03*rng.NormFloat64())}
			figures = append(figures, pair)
			c.Base, c.Head = append(c.Base, trial(pair[0])), append(c.Head, trial(pair[1]))
			if len(figures) < s.Next() {
				continue
			}
			if verdict := s.Look(c)[0].Verdict; s.Settled() || s.Next() == 0 {
				return verdict, figures
			}
		}
	}
	l := open(t, filepath.Join(t.TempDir(), "log"))
	if err := calibration.Make(t.Context(), l, b.options(300, 0, .1)); err != nil {
		t.Fatal(err)
	}
	d := l.Document()
	if !d.Held {
		t.Errorf("the gate does not keep its promises: %+v", d.Effects)
	}
	// No alarm hides behind the margin alone: the test's exact level with ten
	// pairs is 4.2%, its standard error here 1.2%.
	if v := d.Level; v.Comparisons != 300 || v.Slower > v.Allowed || v.Faster > v.Allowed || v.Slower+v.Faster == 0 {
		t.Errorf("without a margin: %+v", v)
	}
}

// init has one figure.
type initOf float64

func (v initOf) Select(summary.Selection) (p summary.Pool) {
	ns := int64(v)
	p.N, p.Starts.Init = 1, &ns
	return p
}

func trial(ns float64) gate.Trial { return gate.Trial{Figures: initOf(ns)} }

// TestDelays follow the base as it was measured last.
func TestDelays(t *testing.T) {
	b, base := newBench(), 40e6
	b.judge = func(task calibration.Task) (gate.Verdict, [][2]float64) {
		base += 10e6
		return gate.Equivalent, [][2]float64{{base, base}, {base - 1, base}, {base + 1, base}}
	}
	l := open(t, filepath.Join(t.TempDir(), "log"))
	if err := calibration.Make(t.Context(), l, b.options(2, .1, 0)); err != nil {
		t.Fatal(err)
	}
	want := []calibration.Task{{}, {Effect: .1, Number: 1, Delay: 5 * time.Millisecond}, {Effect: .1, Number: 2, Delay: 6 * time.Millisecond}, {Number: 1}, {Number: 2}}
	seeds := make(map[uint64]bool)
	for i := range b.tasks {
		seeds[b.tasks[i].Seed] = true
		b.tasks[i].Seed = 0
	}
	if diff := cmp.Diff(want, b.tasks); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	if len(seeds) != len(want) {
		t.Errorf("%d seeds for %d comparisons", len(seeds), len(want))
	}
	if len(l.Outcomes) != 4 {
		t.Errorf("%d outcomes, want 4: what only measured the base does not count", len(l.Outcomes))
	}
	if got := *l.Document().Effects[1].Injected; math.Abs(got-(5./60+6./70)/2) > 1e-9 {
		t.Errorf("injected %v of the base, want 5/60 and 6/70", got)
	}
}

func TestNoBase(t *testing.T) {
	b := newBench()
	b.judge = func(calibration.Task) (gate.Verdict, [][2]float64) { return gate.Invalid, nil }
	err := calibration.Make(t.Context(), open(t, filepath.Join(t.TempDir(), "log")), b.options(1, .1))
	if err == nil || !strings.Contains(err.Error(), "measure the base") {
		t.Errorf("a base without a figure: %v", err)
	}
}

// TestResume: what was made before an interruption counts, and is not made again.
func TestResume(t *testing.T) {
	whole := open(t, filepath.Join(t.TempDir(), "log"))
	if err := calibration.Make(t.Context(), whole, newBench().options(5, 0, .1)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "folder", "log")
	for _, until := range []int{3, 4, 0} {
		b := newBench()
		b.until = until
		var told []int
		o := b.options(5, 0, .1)
		o.Progress = func(p calibration.Progress) {
			told = append(told, p.Left)
			if want := time.Duration(p.Left) * 10 * time.Second; p.Estimate != want {
				t.Errorf("%v for %d more of ten seconds", p.Estimate, p.Left)
			}
		}
		err := calibration.Make(t.Context(), open(t, path), o)
		if (until > 0) != errors.Is(err, errInterrupted) {
			t.Fatalf("interrupted after %d: %v", until, err)
		}
		if left := 10 - len(open(t, path).Outcomes); told[len(told)-1] != left {
			t.Errorf("told of %v left, the last must be %d", told, left)
		}
	}
	again, err := calibration.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(l *calibration.Log) (list []calibration.Task) {
		for _, o := range l.Outcomes {
			list = append(list, calibration.Task{Effect: o.Effect, Number: o.Number, Seed: o.Seed, Delay: o.Delay})
		}
		return list
	}
	if diff := cmp.Diff(plain(whole), plain(again)); diff != "" {
		t.Errorf("outcomes (-in one go +interrupted):\n%s", diff)
	}
}

// TestACrash: a line that was not written whole does not count, wherever it was cut.
func TestACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := calibration.Make(t.Context(), open(t, path), newBench().options(3, 0)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(text) + 1 {
		if err := os.WriteFile(path, text[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		want := max(0, bytes.Count(text[:cut], []byte("\n"))-1)
		l := open(t, path)
		if len(l.Outcomes) != want {
			t.Fatalf("cut to %d bytes: %d outcomes, want %d", cut, len(l.Outcomes), want)
		}
		if err := calibration.Make(t.Context(), l, newBench().options(3, 0)); err != nil {
			t.Fatal(err)
		}
		if whole, err := calibration.Read(path); err != nil || len(whole.Outcomes) != 3 {
			t.Fatalf("cut to %d bytes and gone on with: %+v, %v", cut, whole, err)
		}
	}
}

func TestDamage(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":       {"", "it holds nothing"},
		"another file":  {"{\"schema\":\"coldcurve.baseline/v1\"}\n", ":1: its schema is \"coldcurve.baseline/v1\": want coldcurve.calibration-log/v1"},
		"no JSON":       {"{\"schema\":\"coldcurve.calibration-log/v1\"}\nnonsense\n{}\n", ":2: "},
		"no first line": {"nonsense\n", ":1: "},
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := calibration.Read(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestForeign: outcomes of other things or another machine are not added to.
func TestForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	open(t, path)
	for want, change := range map[string]func(*calibration.Header){
		"metric (latency.p50 of cold, init.mean of cold)": func(h *calibration.Header) { h.Setup.Metric = "latency.p50" },
		"margin (0.1, 0.05)":                              func(h *calibration.Header) { h.Setup.Margin = .1 },
		"risk (0.01, 0.05)":                               func(h *calibration.Header) { h.Setup.Risk = .01 },
		"power (0.8, 0.9)":                                func(h *calibration.Header) { h.Setup.Power = .8 },
		"effect to detect (0.2, 0.1)":                     func(h *calibration.Header) { h.Setup.Detect = .2 },
		"looks ([6], [10 14 20 28])":                      func(h *calibration.Header) { h.Setup.Looks = []int{6} },
		"the scenario":                                    func(h *calibration.Header) { h.Setup.Scenario = "name: other\n" },
		"processor (two, one)":                            func(h *calibration.Header) { h.Host.CPU = "two" },
		"cores (8, 2)":                                    func(h *calibration.Header) { h.Host.Cores = 8 },
		"governor (powersave, none)":                      func(h *calibration.Header) { h.Host.Governor = "powersave" },
	} {
		h := header()
		change(&h)
		_, err := calibration.Open(path, h)
		if foreign, ok := errors.AsType[*calibration.ForeignError](err); !ok || !strings.HasSuffix(foreign.Error(), want) {
			t.Errorf("%v, want one that differs in %s", err, want)
		}
	}
	h := header()
	h.Started, h.Host.Kernel = h.Started.Add(time.Hour), "6.99"
	if _, err := calibration.Open(path, h); err != nil {
		t.Errorf("on the same machine with another kernel: %v", err)
	}
}

// TestDocument: the document of a calibration, and that it meets its schema, as
// one without a comparison does.
func TestDocument(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "log"))
	s := compiled(t)
	valid(t, s, l.Document())
	b := newBench()
	b.judge = func(task calibration.Task) (gate.Verdict, [][2]float64) {
		figures := make([][2]float64, 10)
		for i := range figures {
			figures[i] = [2]float64{40e6, 40e6 + float64(task.Delay) + float64(i-4)*1e5}
		}
		switch {
		case task.Effect > 0:
			return gate.Regressed, figures
		case task.Number == 2:
			return gate.Invalid, nil
		}
		return gate.Equivalent, figures
	}
	if err := calibration.Make(t.Context(), l, b.options(3, 0, .1, .05)); err != nil {
		t.Fatal(err)
	}
	text := valid(t, s, l.Document())
	const golden = "testdata/document.json"
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	return stricttest.Schema(t, calibration.SchemaJSON())
}

func valid(t *testing.T, s *jsonschema.Schema, d *calibration.Document) []byte {
	t.Helper()
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	value := stricttest.Value(t, text)
	if err := s.Validate(value); err != nil {
		t.Error(err)
	}
	return append(text, '\n')
}
