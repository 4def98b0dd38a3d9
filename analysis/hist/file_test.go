package hist_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/hist/histtest"
)

func origin() time.Time { return time.Date(2026, 11, 21, 22, 54, 11, 250e6, time.UTC) }

func TestWriteHGRM(t *testing.T) {
	var got bytes.Buffer
	if err := of(time.Millisecond, 2*time.Millisecond, 100*time.Millisecond).WriteHGRM(&got); err != nil {
		t.Fatal(err)
	}
	want := `       Value     Percentile TotalCount 1/(1-Percentile)

       1.000 0.000000000000          1           1.00
       1.000 0.100000000000          1           1.11
       1.000 0.200000000000          1           1.25
       1.000 0.300000000000          1           1.43
       2.001 0.400000000000          2           1.67
       2.001 0.500000000000          2           2.00
       2.001 0.550000000000          2           2.22
       2.001 0.600000000000          2           2.50
       2.001 0.650000000000          2           2.86
     100.008 0.700000000000          3           3.33
     100.008 1.000000000000          3
#[Mean    =       34.325, StdDeviation   =       46.423]
#[Max     =      100.008, Total count    =            3]
#[Buckets =           32, SubBuckets     =         2048]
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestWriteHGRMOfNothing(t *testing.T) {
	var got bytes.Buffer
	if err := hist.New().WriteHGRM(&got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.String(), "Total count    =            0]") {
		t.Errorf("an empty histogram is written as\n%s", &got)
	}
}

func TestLogReadsBack(t *testing.T) {
	var file bytes.Buffer
	log, err := hist.NewLogWriter(&file, origin())
	if err != nil {
		t.Fatal(err)
	}
	cold := of(mixed(100, 1)...)
	all := of(mixed(1000, 2)...)
	for _, err := range []error{
		log.Interval("cold", cold, time.Second, 2*time.Second),
		log.Interval("", all, time.Second, 2*time.Second),
		log.Interval("warm", hist.New(), 2*time.Second, 3001*time.Millisecond),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	head, _, _ := strings.Cut(file.String(), "\n\"StartTimestamp\"")
	want := "#[Histogram log format version 1.3]\n#[BaseTime: 1795301651.250 (seconds since epoch)]\n" +
		"#[StartTime: 1795301651.250 (seconds since epoch), 2026-11-21T22:54:11Z]"
	if diff := cmp.Diff(want, head); diff != "" {
		t.Errorf("head: -want +got\n%s", diff)
	}

	intervals, err := histtest.ReadLog(&file)
	if err != nil || len(intervals) != 3 {
		t.Fatalf("read %d intervals, %v; want 3", len(intervals), err)
	}
	for i, want := range []struct {
		tag        string
		start, end time.Duration
		h          *hist.Histogram
	}{{"cold", 1e9, 2e9, cold}, {"", 1e9, 2e9, all}, {"warm", 2e9, 3001e6, hist.New()}} {
		got := intervals[i]
		if got.Tag != want.tag || !near(got.Start, want.start) || !near(got.End, want.end) {
			t.Errorf("interval %d is %q from %v to %v, want %q %v %v", i, got.Tag, got.Start, got.End, want.tag, want.start, want.end)
		}
		if diff := cmp.Diff(slices.Collect(want.h.Bars()), slices.Collect(got.Histogram.Bars())); diff != "" {
			t.Errorf("interval %d: bars -want +got\n%s", i, diff)
		}
		if got.Histogram.N() != want.h.N() || (want.h.N() > 0 && ratio(got.Histogram.Mean(), want.h.Mean()) > .001) {
			t.Errorf("interval %d: n %d mean %v, want %d %v", i, got.Histogram.N(), got.Histogram.Mean(), want.h.N(), want.h.Mean())
		}
	}
}

// near allows for the millisecond that a log's decimal seconds are cut to.
func near(got time.Time, want time.Duration) bool {
	return origin().Add(want).Sub(got).Abs() <= time.Millisecond
}

func ratio(a, b time.Duration) float64 { return float64((a - b).Abs()) / float64(b) }

func TestLogRefusesTagsThatBreakItsLines(t *testing.T) {
	var file bytes.Buffer
	log, err := hist.NewLogWriter(&file, origin())
	if err != nil {
		t.Fatal(err)
	}
	before := file.Len()
	for _, tag := range []string{",", " ", "a,", " a", "a b", "a\n", "\r"} {
		if err := log.Interval(tag, of(1), 0, 1); err == nil {
			t.Errorf("the tag %q was accepted", tag)
		}
	}
	if file.Len() != before {
		t.Errorf("a refused tag wrote %q", file.Bytes()[before:])
	}
}

type full struct{ room int }

var errFull = errors.New("no space left")

func (w *full) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, errFull
	}
	w.room -= len(p)
	return len(p), nil
}

func TestWriteErrorsArePassedOn(t *testing.T) {
	if err := of(1).WriteHGRM(&full{}); !errors.Is(err, errFull) {
		t.Errorf("WriteHGRM on a full disk: %v", err)
	}
	if _, err := hist.NewLogWriter(&full{60}, origin()); !errors.Is(err, errFull) {
		t.Errorf("NewLogWriter on a full disk: %v", err)
	}
	log, err := hist.NewLogWriter(&full{300}, origin())
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Interval("cold", of(mixed(1000, 1)...), 0, time.Second); !errors.Is(err, errFull) {
		t.Errorf("Interval on a full disk: %v", err)
	}
}

func TestReadLogNamesTheBrokenInterval(t *testing.T) {
	var file bytes.Buffer
	log, err := hist.NewLogWriter(&file, origin())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := log.Interval("", of(mixed(100, 1)...), 0, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	got, err := histtest.ReadLog(bytes.NewReader(file.Bytes()[:file.Len()-40]))
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "interval 2") {
		t.Errorf("a torn log gives %d intervals and %v", len(got), err)
	}
}

// TestJavaReadsTheSame writes logs and percentile distributions, has Java read
// the logs, and holds Java's own distributions against ours, line by line.
func TestJavaReadsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latency.hlog")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log, err := hist.NewLogWriter(file, origin())
	if err != nil {
		t.Fatal(err)
	}
	totals := map[string]*hist.Histogram{}
	rng := rand.New(rand.NewPCG(1, 2))
	for second := range 5 {
		for i, tag := range []string{"", "cold", "warm", "queued"} {
			h := of(mixed(1+rng.IntN(1+20_000*i), rng.Uint64())...)
			h.Record(time.Duration(rng.Int64N(int64(hist.Highest))))
			if totals[tag] == nil {
				totals[tag] = hist.New()
			}
			totals[tag].Merge(h)
			start := time.Duration(second) * time.Second
			if err := log.Interval(tag, h, start, start+time.Second); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := histtest.Tags(t, path), "[NO TAG (default)]\ncold\nqueued\nwarm\n"; !strings.HasSuffix(got, want) {
		t.Errorf("Java finds the tags\n%swant\n%s", got, want)
	}
	for tag, total := range totals {
		t.Run(fmt.Sprintf("tag=%s", tag), func(t *testing.T) {
			var ours bytes.Buffer
			if err := total.WriteHGRM(&ours); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(histtest.Percentiles(t, path, tag), ours.String()); diff != "" {
				t.Errorf("-Java +ours\n%s", diff)
			}
		})
	}
}
