package pairs_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

const policy = `looks: [7, 9, 11]
rules:
  - {metric: latency.p50, start: cold, margin: 5%}
  - {metric: latency.p99, start: cold, margin: 5%}
`

// bench makes runs that never were: starts of 100 ms, most of it init, in a
// machine that is up to a quarter slower from one pair to the next. Head's init
// is slower by a factor. Its clock moves a minute a run.
type bench struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	slower  float64
	lagging int // this run, from 1, has no evidence
	order   []string
	after   func(runs int) // told after each run
}

func newBench(t *testing.T, slower float64) *bench {
	return &bench{t: t, rng: rand.New(rand.NewPCG(1, 2)), now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), slower: slower}
}

func (b *bench) measure(_ context.Context, side string, seed uint64, dir string) error {
	b.order = append(b.order, side)
	b.now = b.now.Add(time.Minute)
	weather := rand.New(rand.NewPCG(seed, 9)).Float64()/4 + 1
	w, err := rundir.Create(dir, rundir.Manifest{
		Scenario: "cold", Seed: seed, Platform: platform.Description{Name: "reference"},
		Phases:    []rundir.Phase{{Name: "idle", End: time.Second, Offered: 20}},
		Functions: []string{"shop"}, Offered: 20, InFlight: rundir.InFlight{Max: 10, When: "drop"},
		Host: rundir.Host{OS: "linux", Arch: "amd64", CPU: "one", Cores: 2},
	}, []byte("name: cold\n"))
	if err != nil {
		return err
	}
	for i := range 20 {
		at := time.Duration(i) * 50 * time.Millisecond
		init := 80e6 * weather * math.Exp(.01*b.rng.NormFloat64())
		if side == comparison.Head {
			init *= b.slower
		}
		boot := 20e6 * weather * math.Exp(.01*b.rng.NormFloat64())
		s := sample.Sample{
			Seq: uint64(i), Phase: "idle", Function: "shop", Intended: at, Sent: at, Done: at + time.Duration(init+boot),
			Start: sample.Cold, Grade: sample.Attested, Breakdown: sample.Breakdown{Boot: time.Duration(boot), Init: time.Duration(init)},
		}
		if len(b.order) == b.lagging {
			s.Start, s.Grade = sample.Unknown, 0
		}
		if err := w.Append(&s); err != nil {
			return err
		}
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); err != nil {
		return err
	}
	if b.after != nil {
		b.after(len(b.order))
	}
	return nil
}

func (b *bench) options() pairs.Options {
	return pairs.Options{Measure: b.measure, Now: func() time.Time { return b.now }, Expected: 2 * time.Minute}
}

func begin(t *testing.T) *comparison.Comparison {
	t.Helper()
	return beginBy(t, []byte(policy), false)
}

func beginBy(t *testing.T, policy []byte, usual bool) *comparison.Comparison {
	t.Helper()
	c, err := comparison.Create(t.TempDir()+"/c", comparison.Document{
		Scenario: "cold", Seed: 7, Started: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), UsualPolicy: usual,
		Base: comparison.Side{What: "old"}, Head: comparison.Side{What: "new"}, Command: []string{"compare"}, Folder: "/",
	}, policy, []byte("name: cold\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reopened is what somebody else reads of the comparison's directory.
func reopened(t *testing.T, c *comparison.Comparison) *comparison.Comparison {
	t.Helper()
	again, err := comparison.Open(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c.Document, again.Document); d != "" {
		t.Errorf("read again, the comparison is another (-made +read):\n%s", d)
	}
	return again
}

func TestASlowerInitIsFoundAndNamed(t *testing.T) {
	b, c := newBench(t, 1.25), begin(t)
	if err := pairs.Make(t.Context(), c, b.options()); err != nil {
		t.Fatal(err)
	}
	f := c.Document.Findings[0]
	if f.Verdict != gate.Regressed || f.Look != 7 || *f.Lower > .2 || *f.Upper < .2 {
		t.Errorf("a fifth more of a start: %s at %d pairs (%s), %v to %v", f.Verdict, f.Look, f.Why, *f.Lower, *f.Upper)
	}
	if len(f.Parts) == 0 || f.Parts[0].Name != "init" || !f.Parts[0].Moved() || f.Parts[1].Moved() {
		t.Errorf("parts %+v; want init moved and boot not", f.Parts)
	}
	if p99 := c.Document.Findings[1]; p99.Verdict != gate.Inconclusive || !strings.Contains(p99.Why, "p99 needs n >= 368, have 20") {
		t.Errorf("p99 of 20: %s (%s)", p99.Verdict, p99.Why)
	}
	if got := len(c.Document.Pairs); got != 7 || c.Document.State != comparison.Complete {
		t.Errorf("%d pairs, %s; want 7: more bring no verdict", got, c.Document.State)
	}
	if got := strings.Join(b.order, " "); !strings.Contains(got, "base head") || !strings.Contains(got, "head base") {
		t.Errorf("order %s: one side is always first", got)
	}
	reopened(t, c)
}

func TestNothingChanged(t *testing.T) {
	b, c := newBench(t, 1), begin(t)
	if err := pairs.Make(t.Context(), c, b.options()); err != nil {
		t.Fatal(err)
	}
	if f := c.Document.Findings[0]; f.Verdict != gate.Equivalent {
		t.Errorf("%s (%s)", f.Verdict, f.Why)
	}
	for _, s := range c.Document.Shifts {
		for _, d := range s.Deciles {
			if s.Start != "cold" || math.Abs(d.Change) > .05 || *d.Lower > d.Change || *d.Upper < d.Change {
				t.Errorf("%s, decile %v: %v in %v to %v", s.Start, d.Share, d.Change, *d.Lower, *d.Upper)
			}
		}
	}
}

// TestAScenarioWithoutWarmStarts: coldcurve's own policy judges what there is and
// says what it leaves out; somebody else's is not told what it may not expect.
func TestAScenarioWithoutWarmStarts(t *testing.T) {
	const policy = "looks: [6]\nrules: [{metric: latency.p50, start: cold, margin: 20%}, {metric: latency.p50, start: warm, margin: 20%}]\n"
	for usual, want := range map[bool]gate.Verdict{true: gate.Equivalent, false: gate.Inconclusive} {
		b, c := newBench(t, 1), beginBy(t, []byte(policy), usual)
		if err := pairs.Make(t.Context(), c, b.options()); err != nil {
			t.Fatal(err)
		}
		const note = "latency.p50 of warm is not judged: neither side has such requests"
		if d := c.Document; d.Verdict != want || len(d.Pairs) != 6 || slices.Contains(d.NotJudged, note) != usual {
			t.Errorf("usual policy %v: %s after %d pairs, not judged %q; want %s after 6", usual, d.Verdict, len(d.Pairs), d.NotJudged, want)
		}
		reopened(t, c)
	}
}

// TestAnInvalidPairIsReplaced: it is listed with its reason, and the look waits
// for another one.
func TestAnInvalidPairIsReplaced(t *testing.T) {
	b, c := newBench(t, 1.25), begin(t)
	b.lagging = 3
	if err := pairs.Make(t.Context(), c, b.options()); err != nil {
		t.Fatal(err)
	}
	d := c.Document
	if len(d.Pairs) != 8 || d.Pairs[1].Usable() || d.Findings[0].Runs != [2]int{7, 7} || !cmp.Equal(d.Taken, []int{7}) {
		t.Errorf("%d pairs, looks at %v, the finding rests on %v; pair 2: %+v", len(d.Pairs), d.Taken, d.Findings[0].Runs, d.Pairs[1])
	}
}

func TestTheTimeIsUp(t *testing.T) {
	b, c := newBench(t, 1.25), begin(t)
	o := b.options()
	o.Budget = 11 * time.Minute // five pairs
	if err := pairs.Make(t.Context(), c, o); err != nil {
		t.Fatal(err)
	}
	d := c.Document
	if d.State != comparison.OutOfTime || len(d.Pairs) != 5 || !cmp.Equal(d.Taken, []int{5}) || d.Findings[0].Verdict != gate.Inconclusive {
		t.Fatalf("%s after %d pairs, looks at %v: %s (%s)", d.State, len(d.Pairs), d.Taken, d.Findings[0].Verdict, d.Findings[0].Why)
	}
	again := reopened(t, c)
	if got := again.Next(); got != 9 {
		t.Errorf("the next look comes at %d pairs, want 9: the early one took the place of that at 7", got)
	}
	if err := pairs.Make(t.Context(), again, b.options()); err != nil {
		t.Fatal(err)
	}
	if f := again.Document.Findings[0]; f.Verdict != gate.Regressed || f.Look != 9 {
		t.Errorf("resumed: %s at %d pairs (%s)", f.Verdict, f.Look, f.Why)
	}
	if text := b.order; len(text) != 18 {
		t.Errorf("%d runs were made for 9 pairs", len(text))
	}
}

func TestInterrupted(t *testing.T) {
	b, c := newBench(t, 1.25), begin(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.after = func(runs int) {
		if runs == 5 {
			cancel()
		}
	}
	if err := pairs.Make(ctx, c, b.options()); err != nil {
		t.Fatal(err)
	}
	d := c.Document
	if d.State != comparison.Interrupted || len(d.Pairs) != 3 || d.Pairs[2].Usable() || len(d.Taken) != 0 {
		t.Fatalf("%s after %d pairs, looks at %v; the last: %+v", d.State, len(d.Pairs), d.Taken, d.Pairs[len(d.Pairs)-1])
	}
	if f := d.Findings[0]; f.Verdict != gate.Inconclusive || f.Change == nil {
		t.Errorf("before a look: %s (%s), change %v", f.Verdict, f.Why, f.Change)
	}
	again := reopened(t, c)
	if err := pairs.Make(t.Context(), again, b.options()); err != nil {
		t.Fatal(err)
	}
	if f := again.Document.Findings[0]; f.Verdict != gate.Regressed || f.Look != 7 || len(again.Document.Pairs) != 8 {
		t.Errorf("resumed: %s at %d pairs (%s), %d pairs", f.Verdict, f.Look, f.Why, len(again.Document.Pairs))
	}
}

func TestAFailedRun(t *testing.T) {
	b, c := newBench(t, 1), begin(t)
	broken := errors.New("no such sandbox")
	o := b.options()
	o.Measure = func(ctx context.Context, side string, seed uint64, dir string) error {
		if len(b.order) == 2 {
			return broken
		}
		return b.measure(ctx, side, seed, dir)
	}
	if err := pairs.Make(t.Context(), c, o); !errors.Is(err, broken) || !strings.Contains(err.Error(), "pair 2") {
		t.Errorf("error %v, want that of pair 2", err)
	}
	if d := reopened(t, c).Document; d.State != comparison.Failed || !strings.Contains(d.Failure, "no such sandbox") {
		t.Errorf("%s: %q", d.State, d.Failure)
	}
}

// TestSchema holds the document to its schema.
func TestSchema(t *testing.T) {
	b, c := newBench(t, 1.25), begin(t)
	b.lagging = 3
	if err := pairs.Make(t.Context(), c, b.options()); err != nil {
		t.Fatal(err)
	}
	compiled := stricttest.Schema(t, comparison.SchemaJSON())
	text, err := json.Marshal(c.Document)
	if err != nil {
		t.Fatal(err)
	}
	document := stricttest.Value(t, text)
	if err := compiled.Validate(document); err != nil {
		t.Error(err)
	}
}
