package mark_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/mark"
)

// TestMark wants a function's mark to be found again, and no other function
// taken for ours.
func TestMark(t *testing.T) {
	m := mark.Mark{Run: "abc", Host: "ci-1", Process: "4026531836-4711-99", Since: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	got, ours := mark.Read(m.Name("hello", 64), m.Text())
	if diff := cmp.Diff(m, got); diff != "" || !ours {
		t.Errorf("ours %v, -want +got:\n%s", ours, diff)
	}
	for name, text := range map[string]string{
		"coldcurve-abc-hello":  "",
		"my-coldcurve":         m.Text(),
		"coldcurve-abd-hello":  m.Text(),
		"coldcurve-abc-hello ": m.Text() + " not",
		"coldcurve-abc-hi":     "coldcurve run=abc host=ci-1 process=4711 since=yesterday; coldcurve cleanup removes it",
		"coldcurve-abc-hey":    "coldcurve run=abc host=ci-1 process=me since=2026-11-22T09:00:00Z; coldcurve cleanup removes it",
	} {
		if _, ours := mark.Read(name, text); ours {
			t.Errorf("%s, %q is taken for ours", name, text)
		}
	}
	const most = 64
	long := "a-function-with-a-name-that-is-as-long-as-a-name-may-be-at-most-"
	one, two := m.Name(long+"1", most), m.Name(long+"2", most)
	if len(one) > most || one == two {
		t.Errorf("%s (%d) and %s, want at most %d and two names", one, len(one), two, most)
	}
}

// TestLeftover tells a run that is under way from one whose process has gone,
// also where another process has its number now.
func TestLeftover(t *testing.T) {
	own := mark.Own("abc")
	changed := func(change func(*mark.Mark)) mark.Mark {
		m := own
		change(&m)
		return m
	}
	type row struct {
		name        string
		mark        mark.Mark
		mine, alive bool
	}
	rows := []row{
		{"this process", own, true, true},
		{"this process, by its number alone", changed(func(m *mark.Mark) { m.Process = strconv.Itoa(os.Getpid()) }), true, true},
		{"the number of nobody", changed(func(m *mark.Mark) { m.Process = "2147483646" }), true, false},
		{"on another machine", changed(func(m *mark.Mark) { m.Host += "-2" }), false, false},
	}
	if namespace, rest, named := strings.Cut(own.Process, "-"); named {
		pid, _, _ := strings.Cut(rest, "-")
		rows = append(rows,
			row{"an earlier process of this number", changed(func(m *mark.Mark) { m.Process = namespace + "-" + pid + "-1" }), true, false},
			row{"in another container of this name", changed(func(m *mark.Mark) { m.Process = namespace + "0-" + rest }), false, false})
	}
	for _, r := range rows {
		if l := r.mark.Leftover("coldcurve-abc-hello", own); l.Mine != r.mine || l.Alive != r.alive {
			t.Errorf("%s (%s): mine %v, alive %v, want %v and %v", r.name, r.mark.Process, l.Mine, l.Alive, r.mine, r.alive)
		}
	}
}
