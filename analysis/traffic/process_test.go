package traffic

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// TestPhases: phases that follow each other and ones that overlap are walked in
// order, and one that has its own seed has the same arrivals whatever the walk's.
func TestPhases(t *testing.T) {
	const s = time.Second
	poisson := arrival.Poisson{Rate: 50}
	own := func() *rand.Rand { return rand.New(rand.NewPCG(9, 9)) }
	f := Phases(&Function{Name: "f"},
		Phase{Duration: 10 * s, Process: arrival.Constant{Rate: 1}},
		Phase{Start: 2 * s, Duration: 4 * s, Process: arrival.Gap{Gap: 2 * s, At: s / 2}},
		Phase{Start: 10 * s, Duration: 5 * s, Process: poisson, Seed: own},
	)
	var want []time.Duration
	for i := range 10 {
		want = append(want, time.Duration(i)*s)
	}
	want = append(want, 2500*time.Millisecond, 4500*time.Millisecond)
	for at := range poisson.Times(5*s, own()) {
		want = append(want, 10*s+at)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Collect(f.Arrivals(seeded()))); diff != "" {
		t.Errorf("arrivals (-want +got):\n%s", diff)
	}
	if f.Span != 15*s || f.Expected != 262 {
		t.Errorf("%v requests in %v, want 262 in 15s", f.Expected, f.Span)
	}
	for range f.Arrivals(seeded()) {
		break // a walk may be left
	}
}

// TestPopulation holds the drawn functions against the quantiles that the fits
// were made through.
func TestPopulation(t *testing.T) {
	const n = 4000
	p := Population{Functions: n, Seed: 3, Span: 24 * time.Hour}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	hourly, minutely, fast, light := 0, 0, 0, 0
	for _, f := range functions(t, p.Source()) {
		if f.Expected <= 24 {
			hourly++
		}
		if f.Expected <= 1440 {
			minutely++
		}
		if f.Service.Mean() <= time.Duration(math.Exp(serviceMu)*1e9) {
			fast++
		}
		if f.Memory <= 170<<20 { // its F(170) is .9
			light++
		}
	}
	for _, c := range []struct {
		what string
		n    int
		p    float64
	}{{"at most one an hour", hourly, .45}, {"at most one a minute", minutely, .81}, {"below the median service", fast, .5}} {
		if off := math.Abs(float64(c.n)-n*c.p) / math.Sqrt(n*c.p*(1-c.p)); off > 4 {
			t.Errorf("%s: %d of %d, which is %.1f standard errors from %v", c.what, c.n, n, off, c.p)
		}
	}
	if want := 1 - math.Pow(1+math.Pow(170/burrMB, burrC), -burrK); math.Abs(float64(light)/n-want) > 4*math.Sqrt(want*(1-want)/n) {
		t.Errorf("memory up to 170 MB: %d of %d, want a share of %.3f", light, n, want)
	}
	first, more := functions(t, Population{Functions: 3, Seed: 3}.Source()), functions(t, p.Source())
	for i, f := range first {
		if f.Expected != more[i].Expected || f.Memory != more[i].Memory {
			t.Errorf("function %d is another one in a greater population", i)
		}
	}
}

func TestPopulationRefuses(t *testing.T) {
	err := Population{Functions: -1, Span: -1, Scale: math.NaN(), CV: .01}.Validate()
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 4 {
		t.Errorf("Validate = %v, want four faults", err)
	}
}

// TestRunDirectory reads a run's requests, those that failed too, in the order
// in which they were meant to come.
func TestRunDirectory(t *testing.T) {
	const ms = time.Millisecond
	dir := t.TempDir() + "/run"
	w, err := rundir.Create(dir, rundir.Manifest{Scenario: "x", Phases: []rundir.Phase{{Name: "p", End: time.Second}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []sample.Sample{
		{Seq: 1, Function: "f", Intended: 20 * ms, Sent: 21 * ms, Done: 26 * ms, Start: sample.Warm, Grade: sample.Attested},
		{Seq: 2, Function: "g", Intended: 30 * ms, Err: sample.Dropped},
		{Seq: 0, Function: "f", Intended: 10 * ms, Sent: 10 * ms, Done: 60 * ms, Start: sample.Cold, Grade: sample.Attested, Breakdown: sample.Breakdown{Init: 40 * ms, Handler: 7 * ms}},
		{Seq: 3, Function: "f", Intended: 40 * ms, Sent: 40 * ms, Done: 90 * ms, Start: sample.Cold, Grade: sample.Attested},
	} {
		s.Phase = "p"
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
	}
	account := usage.Account{Entries: []usage.Entry{{Key: usage.Key{Function: "f"}, Usage: usage.Usage{Billed: 10 * ms, MemoryTime: 10 * 512}}}}
	if err := w.Usage(account); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := make(map[string][]Request)
	for _, f := range functions(t, s) {
		got[f.Name] = requests(t, f)
		if f.Name == "f" && (f.Memory != 512<<20 || f.Service.Mean() != 6*ms) {
			t.Errorf("f has %d bytes and a mean service of %v, want 512 MB and 6ms", f.Memory, f.Service.Mean())
		}
	}
	want := map[string][]Request{"f": {{10 * ms, 7 * ms}, {20 * ms, 5 * ms}, {40 * ms, Unknown}}, "g": {{30 * ms, Unknown}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if s.About().Span < 40*ms {
		t.Errorf("span %v", s.About().Span)
	}
}
