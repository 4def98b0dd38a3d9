package scenarios

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write golden files anew")

// Each archive under testdata/faults holds scenarios, the files that they
// refer to, and for each what must be said of it.
func TestFaults(t *testing.T) {
	archives, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives of faults: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			checkFaults(t, archive)
		})
	}
}

func checkFaults(t *testing.T, archive string) {
	path, err := filepath.Abs(archive)
	if err != nil {
		t.Fatal(err)
	}
	files, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(extracted(t, files))
	for i, f := range files.Files {
		name, isWant := strings.CutSuffix(f.Name, ".want")
		if !isWant {
			continue
		}
		got := ""
		if _, err := Load(name+".yaml", Overrides{}); err != nil {
			got = err.Error() + "\n"
		}
		if *update {
			files.Files[i].Data = []byte(got)
		} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
			t.Errorf("faults of %s.yaml (-want +got):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(files), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// extracted is a folder with the files of an archive.
func extracted(t *testing.T, files *txtar.Archive) string {
	dir := t.TempDir()
	for _, f := range files.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFiveFaultsAreFiveLines(t *testing.T) {
	files, err := txtar.ParseFile("testdata/faults/five.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse("five.yaml", files.Files[0].Data, Overrides{})
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) != 5 {
		t.Fatalf("got %d faults, want 5:\n%v", len(faults), err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 5 {
		t.Errorf("got %d lines, want 5:\n%v", len(lines), err)
	}
}

// Whatever the text, the answer is a sound scenario or faults with a place.
func FuzzParse(f *testing.F) {
	for _, name := range Suite() {
		text, err := suite.ReadFile("suite/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	archives, _ := filepath.Glob("testdata/faults/*.txtar")
	for _, archive := range archives {
		files, err := txtar.ParseFile(archive)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files.Files {
			if strings.HasSuffix(file.Name, ".yaml") {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sources := GoSources(text)
		s, err := Parse("fuzz.yaml", text, Overrides{})
		if err == nil {
			checkSound(t, s)
			for name := range sources {
				if !slices.ContainsFunc(s.Functions, func(f Function) bool { return f.Name == name }) {
					t.Errorf("source of %q, which is no function", name)
				}
			}
			return
		}
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) == 0 {
			t.Fatalf("error is %T, want Faults: %v", err, err)
		}
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, fault := range faults {
			if fault.File != "fuzz.yaml" || fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.Problem == "" {
				t.Errorf("fault %+v has no place in %d lines", fault, lines)
			}
			if strings.ContainsAny(fault.String(), "\n\r") {
				t.Errorf("fault %q is more than a line", fault)
			}
		}
	})
}

// checkSound looks at what every scenario without faults must keep.
func checkSound(t *testing.T, s *Scenario) {
	t.Helper()
	if s.Name == "" || len(s.Functions) == 0 || len(s.Phases) == 0 || s.InFlight.Max < 1 {
		t.Errorf("incomplete scenario: %+v", s)
	}
	functions := make(map[string]bool)
	for _, f := range s.Functions {
		functions[f.Name] = true
	}
	for _, p := range s.Phases {
		if p.Duration <= 0 {
			t.Errorf("phase %s lasts %v", p.Name, p.Duration)
		}
	}
	for a := range s.arrivals() {
		if !functions[a.Function] {
			t.Errorf("arrivals at %q, which is not one of the functions", a.Function)
		}
	}
	if s.expected() > 100_000 {
		return // too slow for a fuzz test
	}
	if _, err := s.Schedule(); err != nil && !strings.Contains(err.Error(), "no arrivals") {
		t.Error(err)
	}
}
