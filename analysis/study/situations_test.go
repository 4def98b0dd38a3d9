package study

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestSituationsAreTheSites counts again what the situations are said to be of.
func TestSituationsAreTheSites(t *testing.T) {
	perMinute := worldCup(t)
	mean := func(prefix string) float64 {
		sum, n := 0.0, 0.0
		for minute, count := range perMinute {
			if strings.HasPrefix(minute, prefix) {
				sum, n = sum+count, n+1
			}
		}
		return sum / n / 60
	}
	list, _ := UsualSituations()
	rate := make(map[string]*Situation)
	for i := range list {
		rate[list[i].Name] = &list[i]
	}
	for name, prefix := range map[string]string{"moderate": "1998-05", "sustained": "1998-"} {
		if got, want := float64(rate[name].Rate), mean(prefix); math.Abs(got/want-1) > .005 {
			t.Errorf("%s: %.1f/s, and the trace has %.2f/s in %s", name, got, want, prefix)
		}
	}
	var busy []float64
	for minute, count := range perMinute {
		if strings.HasPrefix(minute, "1998-07-08") {
			busy = append(busy, count)
		}
	}
	slices.Sort(busy)
	median, most := busy[len(busy)/2], busy[len(busy)-1]
	s := rate["spikes"]
	if got, want := float64(s.Peak/s.Rate), most/median; math.Abs(got/want-1) > .005 {
		t.Errorf("spikes: a peak of %.2f times the rate, and the trace has one of %.2f", got, want)
	}
	above := time.Duration(0)
	for _, part := range s.Day() {
		if part.Rate > s.Peak/2 {
			above += part.Length
		}
	}
	minutes := len(busy) - 1 - slices.IndexFunc(busy, func(v float64) bool { return v > most/2 }) + 1
	if minutes != 93 || math.Abs(above.Minutes()-93) > 5 {
		t.Errorf("spikes: %v above half the peak, and the trace has %d minutes, said to be 93", above, minutes)
	}
}

// worldCup is the requests of each minute.
func worldCup(t testing.TB) map[string]float64 {
	t.Helper()
	file, err := fixtures.Trace("worldcup98")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	minutes := make(map[string]float64)
	for _, row := range rows[1:] {
		if minutes[row[0]], err = strconv.ParseFloat(row[1], 64); err != nil {
			t.Fatal(err)
		}
	}
	return minutes
}

func TestDay(t *testing.T) {
	for _, s := range []Situation{
		{Rate: 3}, {Rate: 3, Peak: 9, Peaks: 1, Lasts: time.Hour}, {Rate: 3, Peak: 9, Peaks: 5, Lasts: time.Hour, Rise: 17 * time.Minute},
	} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		length, peaks := time.Duration(0), 0
		for i, part := range s.Day() {
			length += part.Length
			if part.Rate == 9 {
				peaks++
			}
			if part.Rate < 3 || part.Length <= 0 {
				t.Errorf("%+v: stretch %d is %+v", s, i, part)
			}
		}
		if length != 24*time.Hour || peaks != s.Peaks {
			t.Errorf("%+v: a day of %v with %d peaks", s, length, peaks)
		}
		want := 3 + float64(s.Peaks)*6*(s.Lasts+s.Rise).Hours()/24 // a slope is half a peak
		if got := float64(s.Mean()); math.Abs(got-want) > 1e-9 {
			t.Errorf("%+v: mean %v, want %v", s, got, want)
		}
	}
}

func TestSituationFaults(t *testing.T) {
	_, _, err := ParseSituations("s.yaml", []byte(`situations:
  - {name: a, rate: 5/s, source: ours, as_of: "2026"}
  - {name: a, rate: 5/s, source: ours, as_of: "2026"}
  - {name: b, rate: 5/s, peak: 4/s, peaks: 1, lasts: 1h, source: ours, as_of: "2026"}
  - {name: c, rate: 5/s, peak: 9/s, peaks: 24, lasts: 1h, source: ours, as_of: "2026"}
  - {name: d, rate: 0/s, source: ours, as_of: "2026"}
  - {name: e, rate: 1/s, lasts: 1h, as_of: "2026"}
fleet: {}
fleets: {utilisation: 150%}
`))
	for _, want := range []string{
		"s.yaml:3:5: a second situation", "s.yaml:4:5: b: its peak of 4/s is not above its rate of 5/s", "s.yaml:5:5: c: its peaks take 24h", "s.yaml:6:21: a rate of 0",
		"s.yaml:7:5: a situation has no source", "s.yaml:7:5: e has peaks without a rate", "s.yaml:8:1: ", "s.yaml:9:23: ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the faults lack %q:\n%v", want, err)
		}
	}
	_, _, err = ParseSituations("s.yaml", []byte("situations: []"))
	if _, ok := err.(strict.Faults); !ok {
		t.Errorf("no situations: %v", err)
	}
}

// TestLives holds how long instances live against how many there are over time.
func TestLives(t *testing.T) {
	const span = 24 * time.Hour
	sizes := []size{{0, 2}, {time.Hour, 4}, {3 * time.Hour, 3}, {5 * time.Hour, 1}, {20 * time.Hour, 2}}
	for n, want := range map[int][]time.Duration{1: {span}, 2: {9 * time.Hour}, 3: {4 * time.Hour}, 4: {2 * time.Hour}, 5: nil} {
		if got := lives(sizes, n, span); !slices.Equal(got, want) {
			t.Errorf("instance %d lives %v, want %v", n, got, want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f := Fleet{Span: span.Seconds(), sizes: []size{{0, 3}}}
		total := time.Duration(0)
		for at := time.Duration(0); at < span; {
			next := at + time.Duration(rng.Int64N(int64(2*time.Hour))) + time.Minute
			last := f.sizes[len(f.sizes)-1].instances
			total += (min(next, span) - at) * time.Duration(last)
			f.Instances = max(f.Instances, last)
			f.sizes = append(f.sizes, size{next, max(1, last+rng.IntN(5)-2)})
			at = next
		}
		f.sizes = f.sizes[:len(f.sizes)-1]
		month, err := f.monthOfLives()
		if err != nil {
			t.Fatal(err)
		}
		got := month.Mean().Hours() * float64(month.N())
		want := total.Hours() * cost.Month.Hours() / 24
		if most := month.Quantile(.999); math.Abs(got-want) > min(most, span).Hours() { // a life more or less
			t.Errorf("lives of %.1f h, and instances were there for %.1f h: %v", got, want, f.sizes)
		}
	}
}

// outlook is of short days, so that it is soon simulated.
func outlook(t *testing.T, options ...string) *Outlook {
	t.Helper()
	list := []Situation{
		{Name: "idle", Title: "idle", Rate: 1. / 60, Source: "ours", AsOf: "2026"},
		{Name: "steady", Title: "steady", Rate: 20, Source: "ours", AsOf: "2026"},
		{Name: "spikes", Title: "spikes", Rate: 1, Peak: 60, Peaks: 2, Lasts: 20 * time.Minute, Rise: 10 * time.Minute, Source: "ours", AsOf: "2026"},
	}
	_, following := UsualSituations()
	c := published(options...)
	c.From, c.To = 0, 0 // there is no axis
	o, err := c.Outlook(t.Context(), list, following, func(string) (Serving, error) {
		return Serving{Policy: lifecycle.Policy{KeepAlive: 5 * time.Minute}, Start: dist.Constant(500 * time.Millisecond)}, nil
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutlook(t *testing.T) {
	o := outlook(t, "aws/lambda", "aws/ec2/c7g.large", "aws/fargate")
	curves := published("aws/lambda", "aws/ec2/c7g.large", "aws/fargate")
	curves.From, curves.To, curves.At, curves.Points = 1, 100, 20, 2
	at := compare(t, curves).Here
	steady := o.Cases[1]
	for i, s := range steady.Served {
		// Of a constant load fleets are the curve's, and functions' bills but for the cold starts.
		if near := float64(s.Bill.Total)/float64(at[i].Total) - 1; math.Abs(near) > 1e-3 {
			t.Errorf("steady: %s costs %v, and %v on the curve", s.Option, s.Bill.Total, at[i].Total)
		}
		if s.Host != nil && (s.Peak != at[i].Instances || s.Mean != float64(s.Peak) || int64(s.Response) != at[i].Response) {
			t.Errorf("steady: %d instances of %s, %v on average, %v; the curve has %+v", s.Peak, s.Option, s.Mean, s.Response, at[i])
		}
	}
	idle := o.Cases[0].Served[0]
	// Nobody came in the keep-alive before, or the only instance is busy.
	if want := math.Exp(-5) + .1/60; math.Abs(idle.Cold/want-1) > .05 {
		t.Errorf("idle: %v of the requests are cold, want about %v", idle.Cold, want)
	}
	if idle.Holds != (idle.Response <= 300*time.Millisecond) || math.Abs(idle.Late-idle.Cold) > 1e-9 {
		t.Errorf("idle: %+v: each cold start of 500 ms is late, and nothing else", idle)
	}
	for _, s := range o.Cases[2].Served[1:] {
		if !(s.Mean < float64(s.Peak)) || s.Peak <= 2 || s.Response > 300*time.Millisecond || s.Late > .01 || s.Cold != -1 {
			t.Errorf("spikes: %+v: want a fleet that follows the load and holds the target", s)
		}
		always, err := Size(Need{Rates: []Stretch{{time.Hour, 60}}, CPU: cpuOf(t, 100*time.Millisecond), Goal: o.Goal}, shapeOf(s.Host), SizeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if most := s.Bill.Total / units.Money(s.Peak) * units.Money(always.Instances); s.Mean >= float64(always.Instances) || most == 0 {
			t.Errorf("spikes: %v of %s on average, no fewer than the %d that always hold the peak", s.Mean, s.Option, always.Instances)
		}
	}
	for _, k := range o.Cases {
		if best := k.Cheapest(); best == nil || slices.ContainsFunc(k.Served, func(s Served) bool { return s.Holds && s.Bill.Total < best.Bill.Total }) {
			t.Errorf("%s: %+v is not the cheapest that holds the target", k.Name, best)
		}
	}
}

func cpuOf(t *testing.T, d time.Duration) CPUTime {
	t.Helper()
	cpu, err := CPUOf(dist.Constant(d))
	if err != nil {
		t.Fatal(err)
	}
	return cpu
}

// TestOutlookOfWhatCannotBe has an option with its limit in place of a bill.
func TestOutlookOfWhatCannotBe(t *testing.T) {
	list := []Situation{{Name: "flood", Title: "flood", Rate: 10, Peak: 20_000, Peaks: 1, Lasts: time.Minute, Source: "ours", AsOf: "2026"}}
	_, following := UsualSituations()
	c := published("aws/lambda")
	o, err := c.Outlook(t.Context(), list, following, func(string) (Serving, error) { return Serving{}, nil }, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := o.Cases[0].Served[0]
	if s.Err == nil || !strings.Contains(s.Err.Error(), "calls under way") || o.Cases[0].Cheapest() != nil {
		t.Errorf("20,000 calls a second with 1,000 at once: %v", s.Err)
	}
	validate := compiled(t, SituationsSchemaJSON())
	if err := validate(marshalled(t, o.Document([]string{"a"}, nil))); err != nil {
		t.Error(err)
	}
}

// TestOutlookSchema: what is printed is as the schema says, and what is not is
// refused.
func TestOutlookSchema(t *testing.T) {
	validate := compiled(t, SituationsSchemaJSON())
	doc := marshalled(t, outlook(t, "aws/lambda", "aws/fargate").Document([]string{"a"}, nil))
	if err := validate(doc); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{
		{`"coldcurve.situations/v1"`, `"coldcurve.situations/v2"`}, {`"usd_month":"`, `"usd_month":"-`}, {`"late_share":`, `"late":`}, {`"peaks_a_day":`, `"peaks_a_day":-`},
	} {
		wrong := strings.Replace(doc, change[0], change[1], 1)
		if wrong == doc {
			t.Fatalf("the document has no %s", change[0])
		}
		if validate(wrong) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
	file := compiled(t, SituationsFileSchemaJSON())
	if err := file(`{"situations": [{"name": "a", "rate": "5/s", "source": "ours", "as_of": "2026"}]}`); err != nil {
		t.Error(err)
	}
	if file(`{"situations": [{"name": "a"}]}`) == nil {
		t.Error("a situation without a rate is taken")
	}
}
