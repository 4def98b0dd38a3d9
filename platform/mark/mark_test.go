package mark_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/mark"
)

// TestMark wants a function's mark to be found again, and no other function
// taken for ours.
func TestMark(t *testing.T) {
	m := mark.Mark{Run: "abc", Host: "ci-1", Process: 4711, Since: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
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
