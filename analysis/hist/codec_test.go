package hist_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

func recorded(seed uint64, n int) *hist.Histogram {
	rng := rand.New(rand.NewPCG(seed, 0))
	h := hist.New()
	for range n {
		h.RecordN(time.Duration(rng.Int64N(int64(1)<<(1+rng.IntN(41)))), uint64(1+rng.IntN(3)))
	}
	return h
}

func TestJSONKeepsEverything(t *testing.T) {
	for _, n := range []int{0, 1, 7, 5000} {
		want := recorded(uint64(n), n)
		want.Record(-1) // out of range
		want.Record(hist.Highest + 7)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := hist.New()
		if err := json.Unmarshal(text, got); err != nil {
			t.Fatalf("n=%d: %v", n, err)
		}
		same(t, got, want)
	}
}

func same(t *testing.T, got, want *hist.Histogram) {
	t.Helper()
	if got.N() != want.N() || got.Min() != want.Min() || got.Max() != want.Max() || got.Mean() != want.Mean() || got.OutOfRange() != want.OutOfRange() || got.Longest() != want.Longest() {
		t.Errorf("read back n=%d min=%v max=%v mean=%v out=%d longest=%v, want n=%d min=%v max=%v mean=%v out=%d longest=%v",
			got.N(), got.Min(), got.Max(), got.Mean(), got.OutOfRange(), got.Longest(), want.N(), want.Min(), want.Max(), want.Mean(), want.OutOfRange(), want.Longest())
	}
	if !slices.Equal(slices.Collect(got.Bars()), slices.Collect(want.Bars())) {
		t.Error("the bars differ")
	}
}

func TestJSONRefusesWhatContradictsItself(t *testing.T) {
	text, err := json.Marshal(recorded(1, 10))
	if err != nil {
		t.Fatal(err)
	}
	var good map[string]any
	if err := json.Unmarshal(text, &good); err != nil {
		t.Fatal(err)
	}
	for key, c := range map[string]struct {
		value any
		want  string
	}{
		"n":         {1, "values are there"},
		"min_ns":    {-5, "values from"},
		"max_ns":    {0, "values from"},
		"sum_high":  {1, "the sum is none of"},
		"beyond_ns": {int64(2 * hist.Highest), "of 0"},
		"hdr":       {"HISTFAAA", "its counts (hdr) were cut off or changed"},
	} {
		bad := map[string]any{}
		for k, v := range good {
			bad[k] = v
		}
		bad[key] = c.value
		text, _ := json.Marshal(bad)
		if err := json.Unmarshal(text, hist.New()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: %v, want an error that says %q", key, c.value, err, c.want)
		}
	}
}

func FuzzUnmarshalJSON(f *testing.F) {
	for _, n := range []int{0, 3, 100} {
		text, _ := json.Marshal(recorded(1, n))
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h := hist.New()
		if json.Unmarshal(text, h) != nil {
			return
		}
		again, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		back := hist.New()
		if err := json.Unmarshal(again, back); err != nil {
			t.Fatal(err)
		}
		same(t, back, h)
	})
}
