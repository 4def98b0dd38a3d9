package ci_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/reports/ci"
)

var update = flag.Bool("update", false, "rewrite golden files")

// hostile is a phase's name that tries to get out of wherever it is written to.
const hostile = "sale | <b>@all</b>\n::error::x %0A `\"& http://example.org"

// figures is a run that has nothing but a few figures.
type figures map[string]float64

func (f figures) Select(s summary.Selection) summary.Pool {
	p := summary.Pool{Cold: 5, Known: 100, PerSecond: f["throughput"]}
	p.N = 100
	if v := int64(f["latency "+s.Phase]); v > 0 {
		p.Latency.P50 = &v
	}
	return p
}

func document() *gate.Document {
	rng := rand.New(rand.NewPCG(1, 1))
	side := func(cold, hostileLatency, rate float64) []gate.Trial {
		trials := make([]gate.Trial, 12)
		for i := range trials {
			noise := math.Exp(.02 * rng.NormFloat64())
			trials[i] = gate.Trial{Name: "run", Figures: figures{"latency ": cold * noise, "latency " + hostile: hostileLatency * noise, "throughput": rate * noise}}
			trials[i].Cost = func(summary.Selection) (gate.Cost, error) {
				return gate.Cost{Million: units.Money(cold * noise * 2.5)}, nil
			}
		}
		return trials
	}
	margin := func(b budget.Budget, severity gate.Severity) gate.Rule {
		return gate.Rule{Budget: b, Margin: .05, Severity: severity}
	}
	lost := side(1e9, 1e9, 1)[:1]
	lost[0].Name, lost[0].Invalid = "lost", []string{"50 of 289 arrivals were dropped at " + hostile}
	p := &gate.Policy{Rules: []gate.Rule{
		margin(budget.Budget{Metric: "latency.p50", Start: "cold"}, gate.Fail),
		margin(budget.Budget{Metric: "latency.p50", Phase: hostile}, gate.Warn),
		margin(budget.Budget{Metric: "latency.p99"}, gate.Fail),
		margin(budget.Budget{Metric: "cold_share"}, gate.Fail),
		margin(budget.Budget{Metric: "throughput"}, gate.Fail),
		margin(budget.Budget{Metric: "cost.million"}, gate.Warn),
		{Budget: budget.Budget{Metric: "latency.p50", Start: "cold", Max: &budget.Bound{Text: "110ms", Value: 110e6}}},
	}}
	c := gate.Comparison{Base: side(1e8, 1e6, 50), Head: append(side(1.2e8, 1.5e6, 70), lost...)}
	d := gate.NewDocument(p, c, gate.Judge(p, c, gate.Look{}))
	d.Base.Name, d.Head.Name = "main", "runs/*-shop"
	d.Notes = []string{"a note on " + hostile}
	return d
}

func none() *gate.Document {
	d := gate.NewDocument(&gate.Policy{}, gate.Comparison{}, nil)
	d.Notes = []string{"no baseline main: nothing was compared"}
	return d
}

type renderer struct {
	file  string
	write func(io.Writer, *gate.Document) error
}

func renderers() []renderer {
	return []renderer{
		{"junit.xml", ci.JUnit}, {"comment.md", ci.Markdown}, {"annotations.txt", ci.Annotations}, {"badge.json", ci.Badge}, {"bench.txt", ci.Benchmarks},
	}
}

func rendered(t *testing.T, write func(io.Writer, *gate.Document) error, d *gate.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, r := range renderers() {
		for prefix, d := range map[string]*gate.Document{"": document(), "none_": none()} {
			got := rendered(t, r.write, d)
			path := filepath.Join("testdata", prefix+r.file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
}

// TestWritersThatFail: what could not be written is an error.
func TestWritersThatFail(t *testing.T) {
	for _, r := range renderers() {
		if r.write(full{}, document()) == nil {
			t.Errorf("%s: a full disk is no error", r.file)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestJUnit(t *testing.T) {
	var got struct {
		Suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Cases    []struct {
				Class      string `xml:"classname,attr"`
				Name       string `xml:"name,attr"`
				Properties []struct {
					Name  string `xml:"name,attr"`
					Value string `xml:"value,attr"`
				} `xml:"properties>property"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(rendered(t, ci.JUnit, document())), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Suite
	if s.Tests != 7 || s.Failures != 2 || s.Errors != 3 {
		t.Errorf("%d tests, %d failures, %d errors; want 7, 2 (cold, by its margin and its limit), 3 (no p99, and two that a lost run makes invalid)", s.Tests, s.Failures, s.Errors)
	}
	if s.Cases[0].Name != s.Cases[6].Name || s.Cases[0].Class == s.Cases[6].Class {
		t.Errorf("two rules on one figure are %s %s and %s %s", s.Cases[0].Class, s.Cases[0].Name, s.Cases[6].Class, s.Cases[6].Name)
	}
	if want := "latency.p50 in " + hostile; s.Cases[1].Name != want {
		t.Errorf("name %q, want %q as it was", s.Cases[1].Name, want)
	}
	if p := s.Cases[5].Properties; p[2].Name != "unit" || p[2].Value != "nano-dollars" {
		t.Errorf("money has the unit %+v", p[2])
	}
	names := map[string]bool{}
	for _, p := range s.Cases[0].Properties {
		names[p.Name] = p.Value != ""
	}
	for _, want := range []string{"unit", "effect.unit", "left_out.head", "effect", "effect.lower", "effect.confidence.level", "p.worse", "n.base", "n.head", "detectable", "needed"} {
		if !names[want] {
			t.Errorf("no property %s in %v", want, names)
		}
	}
}

// TestMarkdownStaysInItsCells: as many cells a row as the head has, and nothing
// that is markup by somebody else.
func TestMarkdownStaysInItsCells(t *testing.T) {
	text := rendered(t, ci.Markdown, document())
	bar := regexp.MustCompile(`(^|[^\\])\|`)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") && len(bar.FindAllString(line, -1)) != 8 {
			t.Errorf("not 7 cells: %s", line)
		}
	}
	for _, bad := range []string{"<b>", "@all", "://", "\n::"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q got through:\n%s", bad, text)
		}
	}
}

// TestAnnotationsAreOneLineEach: a command can be begun by a line only, so that
// none is that we have not written.
func TestAnnotationsAreOneLineEach(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(rendered(t, ci.Annotations, document())), "\n")
	want := []string{
		"::error title=coldcurve%3A regressed::", "::warning title=coldcurve%3A regressed::", "::error title=coldcurve%3A invalid::latency.p99", "::error title=coldcurve%3A invalid::", "::error title=coldcurve%3A invalid::", "::warning title=coldcurve%3A regressed::cost.million got ",
		"::error title=coldcurve%3A regressed::latency.p50 of cold: regressed: 1",
		"::warning title=coldcurve%3A left out::1 of 13 runs of head are left out (lost: 50 of 289 arrivals were dropped", "::warning title=coldcurve%3A left out::latency.p99: ", "::warning title=coldcurve%3A left out::latency.p99: ",
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, want := range want {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %s, want %s...", i+1, lines[i], want)
		}
	}
	if !strings.Contains(lines[1], "%0A::error::x %250A") {
		t.Errorf("not escaped: %s", lines[1])
	}
}

// TestUndecidedWarns: where what cannot be told does not fail the gate, no form
// says that it does.
func TestUndecidedWarns(t *testing.T) {
	d, first := document(), none()
	d.Findings, d.Figures, d.LeftOut = d.Findings[2:5], d.Figures[2:5], nil
	for _, of := range []struct {
		write         func(io.Writer, *gate.Document) error
		strict, loose string
		d             *gate.Document
	}{
		{ci.Annotations, "::error ", "::warning ", d}, {ci.Annotations, "::error ", "::warning ", first},
		{ci.JUnit, `errors="3"`, `errors="0"`, d}, {ci.Markdown, "**invalid**", "invalid (warns)", d},
	} {
		for _, loose := range []bool{false, true} {
			of.d.UndecidedWarns = loose
			if text := rendered(t, of.write, of.d); strings.Contains(text, of.strict) == loose || strings.Contains(text, of.loose) != loose {
				t.Errorf("undecided warns %v:\n%s", loose, text)
			}
		}
	}
}

func TestBadge(t *testing.T) {
	var badge struct {
		SchemaVersion         int
		Label, Message, Color string
	}
	if text := rendered(t, ci.Badge, &gate.Document{Verdict: gate.Warned}); !strings.Contains(text, `"warned","color":"yellow"`) {
		t.Errorf("badge where a rule warns: %s", text)
	}
	for want, d := range map[string]*gate.Document{"red": document(), "lightgrey": none(), "yellow": {Verdict: gate.Invalid}, "brightgreen": {Verdict: gate.Equivalent}} {
		if err := json.Unmarshal([]byte(rendered(t, ci.Badge, d)), &badge); err != nil {
			t.Fatal(err)
		}
		if badge.SchemaVersion != 1 || badge.Color != want || badge.Label == "" || badge.Message == "" {
			t.Errorf("badge of %s is %+v, want %s", d.Verdict, badge, want)
		}
	}
}

// TestBenchstatReadsIt runs the program itself.
func TestBenchstatReadsIt(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		need.Missing(t, "go: "+err.Error())
	}
	file := filepath.Join(t.TempDir(), "bench.txt")
	if err := os.WriteFile(file, []byte(rendered(t, ci.Benchmarks, document())), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "benchstat")
	build := exec.Command("go", "build", "-o", program, "golang.org/x/perf/cmd/benchstat") // by itself, as it says what it has to fetch
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build benchstat: %v\n%s", err, text)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, "-col", "side", file)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("benchstat: %v\n%s", err, stderr.Bytes())
	}
	for _, want := range []string{`sec/op`, `Latency\.p50/start=cold\s+10\d\.?\d*m .*12\d\.?\d*m .*\+[12]\d\.\d\d% \(p=0\.000 n=12\)`, `(?m)^\s+│\s+req/s`, `Throughput`, `(?m)^\s+│\s+usd/million`, `Cost\.million\s+2[45]\d\.\dm .*30\d\.\dm .*\+[12]\d\.\d\d%`} {
		if !regexp.MustCompile(want).Match(stdout.Bytes()) {
			t.Errorf("benchstat prints no %s:\n%s", want, stdout.Bytes())
		}
	}
}
