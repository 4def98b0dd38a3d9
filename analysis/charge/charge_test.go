package charge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/charge"
	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// ran is a run of which n requests were served warm, each for so long.
func ran(service time.Duration, memory units.Bytes) *gate.Trial {
	b := summary.New(summary.Input{})
	for range 20 {
		b.Add(&sample.Sample{Function: "shop", Start: sample.Warm, Grade: sample.Attested, Done: 2 * service, Breakdown: sample.Breakdown{Handler: service}})
	}
	return &gate.Trial{Name: "run", Figures: b, Memory: map[string]units.Bytes{"shop": memory}}
}

func priced(t *testing.T, b gate.Basis, runs ...*gate.Trial) []gate.Cost {
	t.Helper()
	l, err := charge.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var costs []gate.Cost
	for _, r := range runs {
		l.Price(r)
		c, err := r.Cost(summary.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		costs = append(costs, c)
	}
	if words := l.Words(); !strings.Contains(words, b.On.String()) || !strings.Contains(words, b.Product) {
		t.Errorf("words %q name neither day nor product", words)
	}
	return costs
}

// trace is a recorded day of so many requests, one a minute.
func trace(t *testing.T, minutes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	text := "minute,count\n"
	for i := range minutes {
		text += time.Unix(int64(i)*60, 0).UTC().Format("2006-01-02T15:04:05Z") + ",1\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestACostIsTheBill: a request a minute, each of so many milliseconds, costs
// what the price book says of as many calls.
func TestACostIsTheBill(t *testing.T) {
	const minutes, service, memory = 600, 100 * time.Millisecond, 1024 * units.MB
	basis := gate.Basis{Trace: trace(t, minutes), Until: minutes * time.Minute, Product: "aws/lambda", On: 20260801}
	got := priced(t, basis, ran(service, memory))[0]

	option, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{On: 20260801})
	if err != nil {
		t.Fatal(err)
	}
	month := uint64(cost.Month / time.Minute)
	want, err := option.Bill(&cost.Work{Memory: memory, Requests: month, Durations: cost.Constant(service)})
	if err != nil {
		t.Fatal(err)
	}
	// The simulator's warm-up ends between two requests: a month has one more or less.
	if off := got.Month - want.Total; max(off, -off) > want.Total/200 {
		t.Errorf("a month costs %v, want %v", got.Month, want.Total)
	}
	if off := got.Million - want.PerMillion(month); max(off, -off) > want.PerMillion(month)/200 {
		t.Errorf("a million requests cost %v, want %v", got.Million, want.PerMillion(month))
	}
}

// TestCostsAreExact: the same measurements cost the same to the nano-dollar,
// and a day and a product decide the prices.
func TestCostsAreExact(t *testing.T) {
	basis := gate.Basis{Trace: "nasa", Until: 24 * time.Hour, Product: "aws/lambda", On: 20260801}
	costs := priced(t, basis, ran(50*time.Millisecond, 512*units.MB), ran(50*time.Millisecond, 512*units.MB), ran(100*time.Millisecond, 512*units.MB))
	if costs[0] != costs[1] || costs[2].Month <= costs[0].Month || costs[0].Month <= 0 {
		t.Errorf("costs %v: want the first two the same and the third higher", costs)
	}
	basis.Memory = 1024 * units.MB
	if more := priced(t, basis, ran(50*time.Millisecond, 512*units.MB)); more[0].Month <= costs[0].Month {
		t.Errorf("with twice the memory %v, with the run's %v", more[0], costs[0])
	}
}

func TestWhatCannotBePriced(t *testing.T) {
	if _, err := charge.Open(t.Context(), gate.Basis{Trace: "naza"}); err == nil || !strings.Contains(err.Error(), "write nasa") {
		t.Errorf("an unknown trace: %v", err)
	}
	if _, err := charge.Open(t.Context(), gate.Basis{Product: "aws/lamda"}); err == nil || !strings.Contains(err.Error(), "aws/lambda") {
		t.Errorf("an unknown product: %v", err)
	}
	l, err := charge.Open(t.Context(), gate.Basis{Until: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	two := ran(time.Millisecond, 128*units.MB)
	two.Memory["cart"] = 256 * units.MB
	for want, run := range map[string]*gate.Trial{
		"policy's cost a memory": ran(time.Millisecond, 0),
		"functions differ":       two,
		"no request says":        {Figures: summary.New(summary.Input{})},
		"is not known of this":   {Figures: nobody{}},
	} {
		l.Price(run)
		if _, err := run.Cost(summary.Selection{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := two.Cost(summary.Selection{Function: "cart"}); err == nil || !strings.Contains(err.Error(), "no request says") {
		t.Errorf("of one function: %v, want its memory to be told", err)
	}
}

// nobody knows how its requests were served.
type nobody struct{}

func (nobody) Select(summary.Selection) summary.Pool { return summary.Pool{} }
