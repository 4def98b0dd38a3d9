package text_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
	"github.com/coldcurve/coldcurve/reports/text"
)

var update = flag.Bool("update", false, "rewrite golden files")

func render(t *testing.T, r *reports.Report, o text.Options) string {
	t.Helper()
	var b strings.Builder
	if err := text.Write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	made := map[string]*reports.Report{
		"quick": reportstest.Quick(), "broken": reportstest.Broken(), "empty": reportstest.Empty(), "languages": reportstest.Languages(),
		"limited": reportstest.Limited(),
	}
	for _, tt := range []struct {
		report, name string
		o            text.Options
	}{
		{"quick", "pipe", text.Options{}},
		{"quick", "60", text.Options{Terminal: true, Width: 60}},
		{"quick", "80", text.Options{Terminal: true, Width: 80}},
		{"quick", "120", text.Options{Terminal: true, Width: 120}},
		{"quick", "color", text.Options{Terminal: true, Width: 120, Color: true}},
		{"languages", "pipe", text.Options{}},
		{"languages", "60", text.Options{Terminal: true, Width: 60}},
		{"broken", "pipe", text.Options{}},
		{"broken", "80", text.Options{Terminal: true, Width: 80}},
		{"limited", "pipe", text.Options{}},
		{"limited", "80", text.Options{Terminal: true, Width: 80}},
		{"empty", "pipe", text.Options{}},
	} {
		t.Run(tt.report+"-"+tt.name, func(t *testing.T) {
			golden(t, tt.report+"-"+tt.name+".txt", []byte(render(t, made[tt.report], tt.o)))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-want +got):\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestAFailureInFull: a sentence has it cut short, and the whole is there once.
func TestAFailureInFull(t *testing.T) {
	r := reportstest.Broken()
	run := &r.Document.Runs[0]
	run.Failure = "close the runtime: " + strings.Repeat("goroutine 1 ", 40) + "[running]"
	run.Invalid = append(run.Invalid, "the platform failed: "+run.Failure[:summary.Brief]+"...")
	words := strings.Join(strings.Fields(render(t, r, text.Options{Width: 80})), " ")
	if brief, full := strings.Count(words, run.Failure[:summary.Brief]+"..."), strings.Count(words, run.Failure); brief != 1 || full != 1 {
		t.Errorf("in brief %d times and in full %d times, want once each:\n%s", brief, full, words)
	}
}

func TestFitsTheWidth(t *testing.T) {
	for _, r := range []*reports.Report{reportstest.Quick(), reportstest.Broken(), reportstest.Empty(), reportstest.Languages(), reportstest.Limited()} {
		for _, width := range []int{60, 80, 100, 120, 200} {
			for _, color := range []bool{false, true} {
				for i, line := range strings.Split(render(t, r, text.Options{Terminal: true, Width: width, Color: color}), "\n") {
					line = colors.ReplaceAllString(line, "")
					// A single word may be longer than any terminal.
					if n := len([]rune(line)); n > width && strings.Contains(strings.TrimSpace(line), " ") {
						t.Errorf("width %d: line %d has %d columns: %s", width, i+1, n, line)
					}
				}
			}
		}
	}
}

func TestColorChangesNoLetter(t *testing.T) {
	r := reportstest.Broken()
	plain := render(t, r, text.Options{Terminal: true, Width: 100})
	colored := render(t, r, text.Options{Terminal: true, Width: 100, Color: true})
	if plain == colored {
		t.Error("there is no colour")
	}
	if d := cmp.Diff(plain, colors.ReplaceAllString(colored, "")); d != "" {
		t.Errorf("without its colours (-want +got):\n%s", d)
	}
}

func TestPipeIsPlain(t *testing.T) {
	for _, r := range []*reports.Report{reportstest.Quick(), reportstest.Broken(), reportstest.Languages()} {
		for _, c := range render(t, r, text.Options{}) {
			if c > '~' || (c < ' ' && c != '\n') {
				t.Fatalf("%q goes into a pipe", c)
			}
		}
	}
}

func TestFor(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == k {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, tt := range []struct {
		terminal bool
		env      func(string) string
		want     text.Options
	}{
		{false, env(), text.Options{}},
		{true, env("TERM", "xterm"), text.Options{Terminal: true, Width: 90, Color: true}},
		{true, env("NO_COLOR", "1"), text.Options{Terminal: true, Width: 90}},
		{true, env("NO_COLOR", ""), text.Options{Terminal: true, Width: 90, Color: true}},
		{true, env("TERM", "dumb"), text.Options{Terminal: true, Width: 90}},
	} {
		if got := text.For(tt.terminal, 90, tt.env); got != tt.want {
			t.Errorf("For(%v) = %+v, want %+v", tt.terminal, got, tt.want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteFails(t *testing.T) {
	err := text.Write(full{}, reportstest.Quick(), text.Options{})
	if got, want := fmt.Sprint(err), "write report: disk full"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}
