package digest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/digest"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/platform"
)

const origin = int64(5e9)

// ms is a time of the run in milliseconds.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// story is a run of starts: each instance with why it went and when its
// requests were sent and done, of which the first is cold.
type story []struct {
	id, function, reason string
	requests             [][2]int // ms
}

func (s story) write(t *testing.T, clock bool) *rundir.Dir {
	t.Helper()
	path := t.TempDir() + "/run"
	w, err := rundir.Create(path, rundir.Manifest{
		Scenario: "starts", Platform: platform.Description{Name: "reference", Clock: clock},
		Phases: []rundir.Phase{{Name: "all", End: ms(1000), Offered: 9}}, InFlight: rundir.InFlight{Max: 10, When: "drop"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lives []platform.InstanceRecord
	seq := uint64(0)
	for _, i := range s {
		lives = append(lives, platform.InstanceRecord{ID: i.id, Function: i.function, Reason: i.reason, Started: origin + int64(ms(i.requests[0][0]))})
		for n, r := range i.requests {
			start := sample.Warm
			if n == 0 {
				start = sample.Cold
			}
			one := sample.Sample{Seq: seq, Phase: "all", Function: i.function, Instance: i.id, Start: start, Grade: sample.Attested, Intended: ms(r[0]), Sent: ms(r[0]), Done: ms(r[1])}
			if err := w.Append(&one); err != nil {
				t.Fatal(err)
			}
			seq++
		}
	}
	if err := w.Instances(lives); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete, m.MonotonicOrigin = true, origin }); err != nil {
		t.Fatal(err)
	}
	dir, err := rundir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOccasions: what had become of the instances before is what made a start
// necessary.
func TestOccasions(t *testing.T) {
	all := story{
		{"first", "shop", "idle", [][2]int{{0, 10}, {20, 30}}},
		{"idle", "shop", "evicted", [][2]int{{100, 110}, {120, 300}}},
		{"busy", "shop", "shutdown", [][2]int{{200, 210}}}, // beside the one before, which answers at 300
		{"evicted", "shop", "crash", [][2]int{{400, 410}}},
		{"replaced", "shop", "shutdown", [][2]int{{500, 510}}},
		{"why", "shop", "shutdown", [][2]int{{600, 610}}}, // the one before lived, was free, and was not used
		{"other", "cart", "shutdown", [][2]int{{700, 710}}},
	}
	b, err := digest.Read(all.write(t, true))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]uint64)
	for _, start := range []string{"cold", "forced-cold", "idle-cold", "scaled-cold", "replaced-cold"} {
		got[start] = b.Select(summary.Selection{Start: start}).N
	}
	if diff := cmp.Diff(map[string]uint64{"cold": 7, "forced-cold": 3, "idle-cold": 1, "scaled-cold": 1, "replaced-cold": 1}, got); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
	if n := b.Select(summary.Selection{Start: "forced-cold", Function: "cart"}).N; n != 1 {
		t.Errorf("%d forced starts of cart, want 1", n)
	}

	record := b.Record()
	kept, err := record.Restore()
	if err != nil {
		t.Fatal(err)
	}
	idle := summary.Selection{Start: "idle-cold"}
	if diff := cmp.Diff(b.Select(idle), kept.Select(idle)); diff != "" {
		t.Errorf("a record has other idle starts (-builder +record):\n%s", diff)
	}
}

// TestOccasionsWithoutACommonClock: where the platform's times say nothing of
// ours, no start has an occasion.
func TestOccasionsWithoutACommonClock(t *testing.T) {
	b, err := digest.Read(story{{"first", "shop", "idle", [][2]int{{0, 10}}}}.write(t, false))
	if err != nil {
		t.Fatal(err)
	}
	if n := b.Select(summary.Selection{Start: "forced-cold"}).N; n != 0 || b.Select(summary.Selection{Start: "cold"}).N != 1 {
		t.Errorf("%d forced starts, want none that is known", n)
	}
}
