package strict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorder collects faults as line:column: problem.
type recorder []string

func (r *recorder) report(at Position, problem, _ string) {
	*r = append(*r, fmt.Sprintf("%d:%d: %s", at.Line, at.Column, problem))
}

// The library counts lines in two ways; here they are what an editor shows.
func TestSyntaxErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"a: x\nb: [\nc: 3\n":    "2:1: not YAML: did not find expected ',' or ']'",
		"a: x\nb: {\nc: 3\nd":   "2:1: not YAML: did not find expected ',' or '}'",
		"a: x\n\nb: \"x\nc: 3":  "3:1: not YAML: found unexpected end of stream",
		"a: b\n  c: d\n":        "2:1: not YAML: mapping values are not allowed in this context",
		"a:\n  - b\n c: d":      "3:1: not YAML: did not find expected key",
		"- a\nb: c":             "2:1: not YAML: did not find expected '-' indicator",
		"a: b: c":               "1:1: not YAML: mapping values are not allowed in this context",
		"a: [1,\n2\n3]\nb: [":   "4:1: not YAML: did not find expected node content",
		"a: 1\nb: 2\nc: *there": "3:1: not YAML: unknown anchor 'there' referenced",
		"a: 1\n---\nb: [":       "3:1: not YAML: did not find expected node content",
		"a: 1\n\n\tb: 2":        "3:1: not YAML: found a tab character that violates indentation",
	} {
		var got recorder
		Parse([]byte(text), got.report)
		if diff := cmp.Diff(recorder{want}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestJSONKeepsOrderAndKinds(t *testing.T) {
	for text, want := range map[string]string{
		"{z: 1, a: [1.5, 2e3, 0x10, null, ~, true]}": `{"z":1,"a":[1.5,2000,16,null,null,true]}`,
		`{"1": "1", 2: yes, d: 2026-01-02}`:          `{"1":"1","2":"yes","d":"2026-01-02"}`,
		"18446744073709551615":                       `18446744073709551615`,
		"|\n  two\n  lines":                          `"two\nlines"`,
		"[]":                                         `[]`,
		"{}":                                         `{}`,
	} {
		var faults recorder
		v, ok := Parse([]byte(text), faults.report)
		if !ok {
			t.Errorf("%s: %q", text, faults)
			continue
		}
		if got, ok := v.JSON(); !ok || string(got) != want {
			t.Errorf("%s\n got %s, %v %q\nwant %s", text, got, ok, faults, want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"name", "duration", "warmup", "arrivals"}
	for word, want := range map[string]string{
		"nmae": "name", "Name": "name", "durration": "duration", "arrival": "arrivals", "warm_up": "warmup",
		"colour": "", "x": "", "": "", strings.Repeat("arrivals", 100): "",
	} {
		if got, _ := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}, {"größe", "grösse", 2},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestQuoteIsShort(t *testing.T) {
	if got := Quote("a\nb"); got != `"a\nb"` {
		t.Errorf("got %s", got)
	}
	if got := Quote(strings.Repeat("ä", 1000)); len([]rune(got)) > 70 || !strings.HasSuffix(got, `..."`) {
		t.Errorf("got %s", got)
	}
}

func TestMissingValuesSayNo(t *testing.T) {
	var faults recorder
	v, _ := Parse([]byte("{a: 1}"), faults.report)
	m, ok := v.Map("it")
	if !ok {
		t.Fatal(faults)
	}
	missing := m.Get("b")
	if _, ok := missing.Text(); ok || missing.Given() {
		t.Error("a missing value has a text")
	}
	missing.Fault("x", "y")
	missing.JSON()
	missing.List("things")
	if len(faults) > 0 {
		t.Errorf("a missing value reports %q", faults)
	}
}
