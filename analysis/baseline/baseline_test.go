package baseline_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/digest"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/platform"
)

// ran makes the directory of a run whose every tenth request was cold.
func ran(t *testing.T, name string, change func(*rundir.Manifest)) *rundir.Dir {
	t.Helper()
	m := rundir.Manifest{
		Scenario: "idle", Seed: 7, Platform: platform.Description{Name: "reference"},
		Phases:    []rundir.Phase{{Name: "idle", End: time.Second, Offered: 100}},
		Functions: []string{"hello"}, Offered: 100, InFlight: rundir.InFlight{Max: 10, When: "drop"},
		Started: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Host: rundir.Host{OS: "linux", Arch: "amd64", CPU: "one", Cores: 2},
	}
	if change != nil {
		change(&m)
	}
	path := filepath.Join(t.TempDir(), name)
	w, err := rundir.Create(path, m, []byte("name: idle\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		at := time.Duration(i) * 10 * time.Millisecond
		s := sample.Sample{Seq: uint64(i), Phase: "idle", Function: "hello", Intended: at, Sent: at, Done: at + time.Duration(1+i)*time.Millisecond, Start: sample.Warm, Grade: sample.Attested}
		if i%10 == 0 {
			s.Start = sample.Cold
		}
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(func(done *rundir.Manifest) { done.Complete = true; done.Interrupted = m.Interrupted }); err != nil {
		t.Fatal(err)
	}
	dir, err := rundir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func of(t *testing.T, dir *rundir.Dir) baseline.Run {
	t.Helper()
	run, err := baseline.Of(dir)
	if err != nil {
		t.Fatal(err)
	}
	return *run
}

func TestASavedRunHasTheSameFigures(t *testing.T) {
	dir := ran(t, "one", nil)
	store := baseline.Store{Folder: filepath.Join(t.TempDir(), "baselines")}
	path, err := store.Save(&baseline.Baseline{Name: "main-1", Saved: time.Unix(1, 0).UTC(), Runs: []baseline.Run{of(t, dir)}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 20_000 {
		t.Errorf("the baseline of one run: %v, %d bytes", err, info.Size())
	}
	b, err := store.Load("main-1")
	if err != nil {
		t.Fatal(err)
	}
	trials, err := b.Trials()
	if err != nil {
		t.Fatal(err)
	}
	builder, err := digest.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []summary.Selection{{}, {Start: "cold"}, {Phase: "idle", Start: "warm"}} {
		if diff := cmp.Diff(builder.Select(s), trials[0].Figures.Select(s)); diff != "" {
			t.Errorf("%+v (-run +baseline):\n%s", s, diff)
		}
	}
}

// TestKinds: what makes two runs incomparable.
func TestKinds(t *testing.T) {
	base := of(t, ran(t, "base", nil))
	for want, change := range map[string]func(*rundir.Manifest){
		"seed (7, 8)":               func(m *rundir.Manifest) { m.Seed = 8 },
		"processor (one, two)":      func(m *rundir.Manifest) { m.Host.CPU = "two" },
		"--sandbox (none, process)": func(m *rundir.Manifest) { m.Flags = map[string]string{"sandbox": "process"} },
		"":                          func(m *rundir.Manifest) { m.Started = m.Started.Add(time.Hour) },
	} {
		head := of(t, ran(t, "head", change))
		f := gate.Judge(&gate.Policy{Rules: []gate.Rule{{Margin: .05}}}, gate.Comparison{Base: trials(t, base), Head: trials(t, head)}, gate.Look{})[0]
		if got := f.Verdict == gate.Incomparable; got != (want != "") || !strings.Contains(f.Why, want) {
			t.Errorf("%s (%s), want incomparable for %q", f.Verdict, f.Why, want)
		}
	}
}

func trials(t *testing.T, runs ...baseline.Run) []gate.Trial {
	t.Helper()
	list, err := (&baseline.Baseline{Runs: runs}).Trials()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAnUnfinishedRunIsInvalid(t *testing.T) {
	run := of(t, ran(t, "cut", func(m *rundir.Manifest) { m.Interrupted = true }))
	if len(run.Invalid) == 0 {
		t.Error("an interrupted run may be used")
	}
}

func TestStore(t *testing.T) {
	store := baseline.Store{Folder: filepath.Join(t.TempDir(), "baselines")}
	var missing *baseline.MissingError
	if _, err := store.Load("main"); !errors.As(err, &missing) || !strings.Contains(err.Error(), "holds none") {
		t.Errorf("load from no folder: %v", err)
	}
	run := of(t, ran(t, "one", nil))
	save := func(name string, at int64, replace bool) error {
		_, err := store.Save(&baseline.Baseline{Name: name, Saved: time.Unix(at, 0).UTC(), Runs: []baseline.Run{run}}, replace)
		return err
	}
	for i, name := range []string{"c", "a", "b"} {
		if err := save(name, int64(i), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := save("a", 9, false); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a second a: %v", err)
	}
	if err := save("a", 9, true); err != nil {
		t.Errorf("a replaced: %v", err)
	}
	for _, name := range []string{"", "../x", ".hidden", "a b"} {
		if err := save(name, 0, false); err == nil {
			t.Errorf("%q is taken as a name", name)
		}
	}
	if _, err := store.Load("d"); !errors.As(err, &missing) || !strings.Contains(err.Error(), "which holds a, b, c") {
		t.Errorf("load d: %v", err)
	}
	if err := os.WriteFile(filepath.Join(store.Folder, "bad.baseline.json"), []byte(`{"schema":"coldcurve.baseline/v2"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	list, err := store.List()
	if got := names(list); got != "c b a" || err == nil || !strings.Contains(err.Error(), "bad.baseline.json") {
		t.Errorf("list: %s, %v", got, err)
	}
	if err := os.Remove(filepath.Join(store.Folder, "bad.baseline.json")); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		removed, err := store.Prune(1, dry)
		if diff := cmp.Diff([]string{"c", "b"}, removed); diff != "" || err != nil {
			t.Errorf("prune (dry %v): %v\n%s", dry, err, diff)
		}
		want := map[bool]string{true: "c b a", false: "a"}[dry]
		if list, err := store.List(); names(list) != want || err != nil {
			t.Errorf("after prune (dry %v): %s, %v; want %s", dry, names(list), err, want)
		}
	}
	if left, _ := os.ReadDir(store.Folder); len(left) != 1 {
		t.Errorf("the folder holds %d files, want 1", len(left))
	}
}

// TestDamagedFiles: a file that was cut off anywhere, or is something else, is
// refused by its name, with what to do, and in nobody else's words.
func TestDamagedFiles(t *testing.T) {
	store := baseline.Store{Folder: t.TempDir()}
	path, err := store.Save(&baseline.Baseline{Name: "main", Runs: []baseline.Run{of(t, ran(t, "one", nil))}}, false)
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	refused := func(what, text, want string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := store.Load("main")
		var damaged *baseline.DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "main.baseline.json cannot be used: ") ||
			!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "save it again") {
			t.Errorf("%s: %v, want it refused for %q", what, err, want)
			return
		}
		for _, word := range []string{"EOF", "unexpected", "json:", "base64", "zlib", "flate", "invalid character", "runtime error", "Go struct", "parsing time"} {
			if strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v: %q tells no reader anything", what, err, word)
			}
		}
	}
	refused("an empty file", "", "it is empty")
	for at := 1; at < len(text)-2; at += 397 { // up to its last brace
		refused("a cut-off file", text[:at], "it was cut off at ")
	}
	refused("another file's text", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "this is no JSON")
	refused("two in one", text+text, "something follows after its end")
	refused("a page", "<!DOCTYPE html>", "column 1: this is no JSON")
	refused("another document", `{"schema": "coldcurve.gate/v1"}`, `its schema is "coldcurve.gate/v1"`)
	refused("a list", "[]", "it cannot be an array")
	refused("a changed time", strings.Replace(text, `"saved": "0`, `"saved": "yesterday 0`, 1), "is no time")
	refused("a changed count", strings.Replace(text, `"cores": 2`, `"cores": "two"`, 1), "cores cannot be a string")
	counts := regexp.MustCompile(`"hdr": "([^"]+)"`).FindStringSubmatch(text)[1]
	for at := 1; at < len(counts); at += 11 {
		refused("cut-off counts", strings.Replace(text, counts, counts[:at], 1), "decode histogram: ")
		changed := counts[:at] + "!" + counts[at+1:]
		refused("changed counts", strings.Replace(text, counts, changed, 1), "its counts (hdr) were cut off or changed")
	}
}

func names(list []*baseline.Baseline) string {
	var all []string
	for _, b := range list {
		all = append(all, b.Name)
	}
	return strings.Join(all, " ")
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"schema":"coldcurve.baseline/v1","name":"a","runs":[{"name":"r","record":{"phases":[{"name":"p"}],"groups":[{"phase":"p","start":"cold","grade":"attested","latency":{"n":0},"service":{"n":0},"lag":{"n":0}}]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := baseline.Decode(text)
		if err != nil {
			return
		}
		trials, err := b.Trials()
		if err != nil {
			t.Fatal(err)
		}
		for _, trial := range trials {
			trial.Figures.Select(summary.Selection{})
		}
	})
}

// TestFilesMeetTheirSchema: of runs, and of imported history.
func TestFilesMeetTheirSchema(t *testing.T) {
	schema := stricttest.Schema(t, baseline.SchemaJSON())
	store := baseline.Store{Folder: t.TempDir()}
	for _, b := range []*baseline.Baseline{{Name: "main", Saved: time.Unix(1, 0).UTC(), Runs: []baseline.Run{of(t, ran(t, "one", nil))}}, day(t, "2026-08-20")} {
		path, err := store.Save(b, false)
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		value := stricttest.Value(t, file)
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
		value.(map[string]any)["runs"] = []any{}
		if schema.Validate(value) == nil {
			t.Errorf("%s without runs meets the schema", b.Name)
		}
	}
}
