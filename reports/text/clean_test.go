package text

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// hostile has an escape sequence, a bell, a turn of direction and a newline.
const hostile = "a\x1b[2J\a\u202eb\nc"

func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		hostile:               "a�[2J��b�c",
		"a plain µs – word":   "a plain µs – word",
		"\x9b31m\u009b\xff":   "�31m��",
		"\u2066\u200f\u00a0.": "���.",
		"":                    "",
	} {
		if got := clean(s); got != want {
			t.Errorf("clean(%q) = %q, want %q", s, got, want)
		}
	}
}

// TestEveryStringIsClean fills every string of a run, those of later fields
// too, and looks at what is printed.
func TestEveryStringIsClean(t *testing.T) {
	var run summary.Run
	fill(reflect.ValueOf(&run).Elem())
	for _, o := range []Options{{}, {Terminal: true, Width: 80, Color: true}} {
		for _, condemned := range []bool{false, true} {
			run.Condemned = condemned
			var out bytes.Buffer
			if err := Write(&out, &reports.Report{Document: summary.Document{Runs: []summary.Run{run}}}, o); err != nil {
				t.Fatal(err)
			}
			checkHarmless(t, out.String())
		}
	}
	if run.Scenario != hostile {
		t.Error("writing a report changes it")
	}
}

func TestListAndTableAreClean(t *testing.T) {
	var out bytes.Buffer
	o := Options{Terminal: true, Width: 80, Color: true}
	if err := List(&out, o, []Item{{hostile, hostile, hostile}}); err != nil {
		t.Fatal(err)
	}
	if err := Table(&out, o, []string{hostile, "b"}, [][]string{{hostile, hostile}}); err != nil {
		t.Fatal(err)
	}
	checkHarmless(t, out.String())
}

// fill puts hostile into every string below v, and one element into every
// list and map.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Uint64, reflect.Int, reflect.Int64:
		if v.CanUint() {
			v.SetUint(2)
		} else {
			v.SetInt(2)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key := reflect.New(v.Type().Key()).Elem()
		fill(key)
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

// checkHarmless finds what a terminal would act on, this package's own colours aside.
func checkHarmless(t *testing.T, text string) {
	t.Helper()
	for _, c := range []color{"0", bold, red, green, yellow, blue} {
		text = strings.ReplaceAll(text, escape+string(c)+"m", "")
	}
	if !strings.Contains(text, "�[2J") {
		t.Errorf("the string is not there at all:\n%s", text)
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%q reaches the terminal:\n%q", r, text)
		}
	}
	if strings.Contains(text, "b\nc") {
		t.Errorf("a newline from outside reaches the terminal:\n%s", text)
	}
}
