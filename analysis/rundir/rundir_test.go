package rundir_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/hist/histtest"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

func started() time.Time { return time.Date(2026, 11, 21, 22, 54, 11, 0, time.UTC) }

func manifest() rundir.Manifest {
	return rundir.Manifest{
		Version: "test", Scenario: "quick", Source: "embedded:quick", Seed: 7, Scale: 1, TimeScale: 1,
		Platform: platform.Description{Name: "reference", Facts: map[string]string{"sandbox": "process"}, Clock: true},
		Phases: []rundir.Phase{
			{Name: "warm-up", End: time.Second, Warmup: true, Offered: 2},
			{Name: "idle", Start: time.Second, End: 3 * time.Second, Offered: 100},
		},
		Functions: []string{"hello"}, Offered: 102, InFlight: rundir.InFlight{Max: 10000, When: "drop"},
		Started: started(), Host: rundir.HostFacts(), Warnings: []string{"a doubt"},
	}
}

// nth is a sample of its own: cold for every tenth, failed for every seventh,
// in warm-up for the first two.
func nth(i int) sample.Sample {
	at := time.Duration(i) * 10 * time.Millisecond
	s := sample.Sample{
		Seq: uint64(i), Phase: "idle", Function: "hello", Intended: at, Sent: at + 5000,
		FirstByte: at + 2e6, Done: at + 2e6 + time.Duration(i)*1000,
		Start: sample.Warm, Grade: sample.Observed, Instance: fmt.Sprintf("hello-%d", i%5), Billed: 3e6,
	}
	if i%10 == 0 {
		s.Start, s.Done = sample.Cold, s.Done+100e6
	}
	if i%7 == 3 {
		s.Err = sample.Timeout
	}
	if i < 2 {
		s.Phase = "warm-up"
	}
	return s
}

func create(t testing.TB, dir string) *rundir.Writer {
	t.Helper()
	w, err := rundir.Create(dir, manifest(), []byte("name: quick\n"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func appendAll(t testing.TB, w *rundir.Writer, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		s := nth(i)
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, dir string) *rundir.Dir {
	t.Helper()
	d, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// seqs reads the directory and checks that every sample is as it was appended.
func seqs(t testing.TB, d *rundir.Dir) []uint64 {
	t.Helper()
	var all []uint64
	for s, err := range d.Samples() {
		if err != nil {
			t.Fatal(err)
		}
		if want := nth(int(s.Seq)); *s != want {
			t.Fatalf("sample %d: -appended +read\n%s", s.Seq, cmp.Diff(want, *s))
		}
		all = append(all, s.Seq)
	}
	return all
}

func upTo(n int) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = uint64(i)
	}
	return all
}

func TestRunReadsBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "quick")
	w := create(t, dir)
	appendAll(t, w, 0, 60)
	if err := w.Flush(time.Second); err != nil {
		t.Fatal(err)
	}
	appendAll(t, w, 60, 102)
	records := []platform.InstanceRecord{{ID: "hello-0", Function: "hello", Started: 1, Gone: 9, Reason: "idle", Invocations: 20}}
	if err := w.Instances(records); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete, m.MonotonicOrigin = true, 42 }); err != nil {
		t.Fatal(err)
	}

	d := open(t, dir)
	want := manifest()
	want.Schema, want.Complete, want.MonotonicOrigin = rundir.Schema, true, 42
	if diff := cmp.Diff(want, d.Manifest); diff != "" {
		t.Errorf("manifest: -want +got\n%s", diff)
	}
	if got := seqs(t, d); !slices.Equal(got, upTo(102)) || d.Truncated() {
		t.Errorf("read samples %v, truncated %v; want 0 to 101", got, d.Truncated())
	}
	if got, err := d.Instances(); err != nil || !slices.Equal(got, records) {
		t.Errorf("instances are %v, %v; want %v", got, err, records)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "scenario.yaml")); err != nil || string(text) != "name: quick\n" {
		t.Errorf("scenario.yaml is %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestHistogramsHoldSuccessesOutsideWarmup holds the log and the percentile
// distributions against a count over the samples.
func TestHistogramsHoldSuccessesOutsideWarmup(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	want := map[string]*hist.Histogram{"": hist.New(), "cold": hist.New(), "warm": hist.New(), "unknown": hist.New()}
	for i := range 102 {
		s := nth(i)
		tag := s.Start.String()
		if i == 50 { // a claim that nobody saw
			s.Grade, tag = sample.Inferred, "unknown"
		}
		if i >= 2 && s.Err == sample.NoError {
			want[""].Record(s.Latency())
			want[tag].Record(s.Latency())
		}
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
		if i%30 == 29 {
			if err := w.Flush(time.Duration(i/30+1) * time.Second); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Finish(func(*rundir.Manifest) {}); err != nil {
		t.Fatal(err)
	}

	file, err := os.Open(filepath.Join(dir, "latency.hlog"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	intervals, err := histtest.ReadLog(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*hist.Histogram{}
	for _, i := range intervals {
		if got[i.Tag] == nil {
			got[i.Tag] = hist.New()
		}
		got[i.Tag].Merge(i.Histogram)
		if i.Histogram.N() == 0 || i.End.Before(i.Start) || i.Start.Before(started()) {
			t.Errorf("interval %q from %v to %v holds %d", i.Tag, i.Start, i.End, i.Histogram.N())
		}
	}
	for tag, h := range want {
		if got[tag] == nil || !slices.Equal(slices.Collect(h.Bars()), slices.Collect(got[tag].Bars())) {
			t.Errorf("tag %q: the log's counts differ from the samples' %d", tag, h.N())
		}
		name := "latency-" + tag + ".hgrm"
		if tag == "" {
			name = "latency.hgrm"
		}
		var text strings.Builder
		if err := h.WriteHGRM(&text); err != nil {
			t.Fatal(err)
		}
		if onDisk, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(onDisk) != text.String() {
			t.Errorf("%s differs from the samples' distribution (%v)", name, err)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the log has %d tags, want %d", len(got), len(want))
	}
	if _, err := os.Stat(filepath.Join(dir, "latency-queued.hgrm")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a distribution of a start kind that did not occur: %v", err)
	}
}

// TestJavaReadsLog has Java sum up the log's intervals and holds what it prints
// for each tag against the distribution that stands beside the log.
func TestJavaReadsLog(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	for i := 0; i < 1000; i += 100 {
		appendAll(t, w, i, i+100)
		if err := w.Flush(time.Duration(i/100+1) * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); err != nil {
		t.Fatal(err)
	}
	for tag, file := range map[string]string{"": "latency.hgrm", "cold": "latency-cold.hgrm", "warm": "latency-warm.hgrm"} {
		ours, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(histtest.Percentiles(t, filepath.Join(dir, "latency.hlog"), tag), string(ours)); diff != "" {
			t.Errorf("tag %q: -Java +ours\n%s", tag, diff)
		}
	}
}

func TestUnfinishedRunIsReadable(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	if d := open(t, dir); len(seqs(t, d)) != 0 || d.Manifest.Complete {
		t.Error("a run without samples is not an empty incomplete one")
	}
	appendAll(t, w, 0, 10)
	if err := w.Flush(time.Second); err != nil {
		t.Fatal(err)
	}
	appendAll(t, w, 10, 12)
	d := open(t, dir)
	if got := seqs(t, d); !slices.Equal(got, upTo(10)) || d.Manifest.Complete {
		t.Errorf("between flushes %v is readable, complete %v; want what was flushed", got, d.Manifest.Complete)
	}
	if records, err := d.Instances(); records != nil || err != nil {
		t.Errorf("instances that nobody told: %v, %v", records, err)
	}
	if err := w.Finish(func(*rundir.Manifest) {}); err != nil {
		t.Fatal(err)
	}
	if d := open(t, dir); d.Manifest.Complete {
		t.Error("a run is complete though nobody said so")
	}
}

func TestCreateRefusesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	_, err := rundir.Create(dir, manifest(), nil)
	if err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("creating a run in a run: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rundir.Create(file, manifest(), nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("creating a run in a file: %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	empty, file := t.TempDir(), filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	holding := func(text string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct{ dir, want string }{
		{filepath.Join(empty, "nowhere"), "nowhere"},
		{empty, "is not a run directory: it has no manifest.json"},
		{file, "is a file: a run is a directory"},
		{holding(`{"schema":"coldcurve.run/v2","coldcurve":"9.1","scale":"big"}`),
			`schema "coldcurve.run/v2" was written by coldcurve "9.1"; this one reads "coldcurve.run/v1": use a coldcurve that knows "v2"`},
		{holding(`{"name":"an npm package"}`), `is not the manifest of a run: its schema is ""`},
		{holding(`{"schema":"coldcurve.run/v1"`), "is damaged: it was cut off at column 29"},
		{holding(`{"schema":"coldcurve.run/v1","seed":"x"}`), "seed cannot be a string"},
	} {
		if _, err := rundir.Open(c.dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v\nwant ... %s", err, c.want)
		}
	}
}

func TestSummaryReplacesTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	d := open(t, dir)
	for _, n := range []int{3, 4} {
		if err := d.WriteSummary(map[string]int{"n": n}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	var got map[string]int
	if err := errors.Join(err, json.Unmarshal(text, &got)); err != nil || got["n"] != 4 {
		t.Errorf("summary is %v, %v; want the second", got, err)
	}
}

func TestDefaultDir(t *testing.T) {
	root := t.TempDir()
	first := rundir.DefaultDir(root, "quick", started())
	if want := filepath.Join(root, "20261121-225411-quick"); first != want {
		t.Errorf("got %s, want %s", first, want)
	}
	create(t, first)
	if got, want := rundir.DefaultDir(root, "quick", started()), first+"-2"; got != want {
		t.Errorf("with the first one taken: got %s, want %s", got, want)
	}
	if got, want := rundir.DefaultDir(root, "a/../b c", started()), filepath.Join(root, "20261121-225411-a-..-b-c"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestManifestKeys holds the manifest's keys to one style.
func TestManifestKeys(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for _, part := range []map[string]any{m, m["host"].(map[string]any), m["generator"].(map[string]any)} {
		for key := range part {
			if key != strings.ToLower(key) || strings.ContainsAny(key, "- ") {
				t.Errorf("key %q is not in snake_case", key)
			}
		}
	}
}
