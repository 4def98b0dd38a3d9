package cost

import (
	"encoding/csv"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// row is calls that AWS printed and billed alike.
type row struct {
	printed, billed, init time.Duration
	calls                 uint64
}

// rows reads what AWS billed.
func rows(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := make(map[string]int)
	for i, head := range lines[0] {
		column[head] = i
	}
	ms := func(line []string, name string) time.Duration {
		i, ok := column[name]
		if !ok || line[i] == "" {
			return 0
		}
		v, err := time.ParseDuration(line[i] + "ms")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var all []row
	for _, line := range lines[1:] {
		n, err := strconv.ParseUint(line[column["calls"]], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row{ms(line, "duration_ms"), ms(line, "billed_ms"), ms(line, "init_ms"), n})
	}
	return all
}

// printing is half of the last place that AWS prints of a duration.
const printing = 5 * time.Microsecond

// asPrinted is a duration that is known as far as it was printed.
func asPrinted(r row) Group { return Group{r.printed - printing, r.printed + printing, r.calls} }

// TestBilledAsAWSBilled: each call's billed duration is that of its duration,
// up to what the printing of two decimals hides; so is their sum.
func TestBilledAsAWSBilled(t *testing.T) {
	for _, c := range []struct {
		file     string
		calls    uint64
		rounding Rounding
		hidden   uint64 // calls that printed a whole number of steps and were billed one more
	}{
		{"lambda_2025.csv", 13_555, Rounding{Step: time.Millisecond}, 61},
		{"lambda_2020.csv", 5_772, Rounding{Step: 100 * time.Millisecond}, 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			var groups []Group
			var calls, hidden uint64
			var charged, naive time.Duration
			for _, r := range rows(t, c.file) {
				one, err := Groups(asPrinted(r))
				if err != nil {
					t.Fatal(err)
				}
				most, doubt := one.Steps(c.rounding, 1)
				step := new(big.Int).SetInt64(int64(r.billed / c.rounding.Step))
				if least := new(big.Int).Sub(most, doubt); step.Cmp(least) < 0 || step.Cmp(most) > 0 {
					t.Errorf("%v was billed %v, here %v to %v steps of %v", r.printed, r.billed, least, most, c.rounding.Step)
				}
				exact, _ := Constant(r.printed).Steps(c.rounding, 1)
				if exact.Cmp(step) != 0 {
					hidden += r.calls
				}
				calls += r.calls
				charged += r.billed * time.Duration(r.calls)
				naive += r.printed * time.Duration(r.calls)
				groups = append(groups, asPrinted(r))
			}
			if calls != c.calls || hidden != c.hidden {
				t.Errorf("%d calls, %d of them with a fraction that the printing hides; want %d and %d", calls, hidden, c.calls, c.hidden)
			}
			all, err := Groups(groups...)
			if err != nil {
				t.Fatal(err)
			}
			most, doubt := all.Steps(c.rounding, all.N())
			want := big.NewInt(int64(charged / c.rounding.Step))
			if least := new(big.Int).Sub(most, doubt); want.Cmp(least) < 0 || want.Cmp(most) > 0 {
				t.Errorf("the sum is %v steps, here %v to %v", want, least, most)
			}
			// Rounding the mean would have billed less than AWS did.
			mean := naive / time.Duration(calls)
			onMean, _ := Constant(mean).Steps(c.rounding, calls)
			if onMean.Cmp(want) == 0 {
				t.Errorf("ceil of the mean gives the right sum: these rows cannot tell the two apart")
			}
		})
	}
}

// TestHistogramIsBoundedByItsBars: what a histogram bills is no less than the
// durations themselves, and no more than its stated doubt above them.
func TestHistogramIsBoundedByItsBars(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, r := range []Rounding{{}, {Step: time.Millisecond}, {Step: 100 * time.Millisecond}, {Step: time.Millisecond, Minimum: 100 * time.Millisecond}} {
		h := hist.New()
		var groups []Group
		for range 5000 {
			d := time.Duration(rng.ExpFloat64() * float64(80*time.Millisecond))
			h.Record(d)
			groups = append(groups, Group{d, d, 1})
		}
		exact, err := Groups(groups...)
		if err != nil {
			t.Fatal(err)
		}
		binned, err := FromHistogram(h)
		if err != nil {
			t.Fatal(err)
		}
		want, none := exact.Steps(r, 5000)
		most, doubt := binned.Steps(r, 5000)
		if none.Sign() != 0 {
			t.Errorf("%+v: exact durations with a doubt of %v", r, none)
		}
		if least := new(big.Int).Sub(most, doubt); want.Cmp(most) > 0 || want.Cmp(least) < 0 {
			t.Errorf("%+v: %v steps, by histogram %v to %v", r, want, least, most)
		}
		if h.Record(2 * hist.Highest); h.OutOfRange() == 0 {
			t.Fatal("nothing out of range")
		}
		if _, err := FromHistogram(h); err == nil {
			t.Error("a histogram with a call out of range was priced")
		}
	}
}

func TestSteps(t *testing.T) {
	ms := time.Millisecond
	two, err := Groups(Group{1 * ms, 1 * ms, 1}, Group{101 * ms, 101 * ms, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		d        *Durations
		r        Rounding
		requests uint64
		want     string
	}{
		{Constant(1), Rounding{Step: ms}, 1, "1"},
		{Constant(ms), Rounding{Step: ms}, 1, "1"},
		{Constant(ms + 1), Rounding{Step: ms}, 1, "2"},
		{Constant(0), Rounding{Step: ms}, 5, "0"},
		{Constant(0), Rounding{Step: ms, Minimum: 100 * ms}, 5, "500"},
		{two, Rounding{Step: 100 * ms}, 3, "5"},
		{two, Rounding{Step: 100 * ms}, 30, "50"},
		{two, Rounding{Step: 100 * ms}, 1, "2"}, // 5/3 to nearest
		{Constant(2048 * ms), Rounding{}, 15_000_000_000, "30720000000000000000"},
		{Constant(900 * time.Second), Rounding{Step: ms}, 1 << 63, "8301034833169298227200000"},
	} {
		if got, _ := c.d.Steps(c.r, c.requests); got.String() != c.want {
			t.Errorf("%d requests of %v by %+v: %v steps, want %s", c.requests, c.d.Mean(), c.r, got, c.want)
		}
	}
}

func TestTogether(t *testing.T) {
	ms := time.Millisecond
	a, _ := Groups(Group{ms / 2, ms / 2, 1}, Group{ms, ms, 1})
	both, err := Together(a, Constant(ms*3/4))
	if err != nil {
		t.Fatal(err)
	}
	// 1.25 and 1.75 ms, both billed 2; apart they would be 1 + 1 and 1 + 1.
	if got, doubt := both.Steps(Rounding{Step: ms}, 2); got.Int64() != 4 || doubt.Sign() != 0 {
		t.Errorf("%v steps, doubt %v, want 4 and none", got, doubt)
	}
}

// TestTogetherIsBounded: with too many pairs to add one by one, the sum stays
// within what it says it is.
func TestTogetherIsBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	draw := func(mean time.Duration) ([]time.Duration, *Durations) {
		var all []time.Duration
		var groups []Group
		for range 700 {
			d := time.Duration(rng.ExpFloat64() * float64(mean))
			all, groups = append(all, d), append(groups, Group{d, d, 1})
		}
		d, err := Groups(groups...)
		if err != nil {
			t.Fatal(err)
		}
		return all, d
	}
	xs, x := draw(200 * time.Millisecond)
	ys, y := draw(20 * time.Millisecond)
	r := Rounding{Step: time.Millisecond}
	var want uint64
	for _, a := range xs {
		for _, b := range ys {
			want += r.steps(a + b)
		}
	}
	both, err := Together(x, y)
	if err != nil {
		t.Fatal(err)
	}
	most, doubt := both.Steps(r, both.N())
	if both.N() != 700*700 || most.Uint64() < want || most.Uint64()-doubt.Uint64() > want {
		t.Errorf("%d pairs, %v steps less %v, want %d", both.N(), most, doubt, want)
	}
	if float64(doubt.Uint64()) > .05*float64(want) {
		t.Errorf("the doubt is %v of %d steps", doubt, want)
	}
}
