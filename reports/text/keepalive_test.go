package text_test

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/reports/reportstest"
	"github.com/coldcurve/coldcurve/reports/text"
)

// TestKeepAlive: a terminal of 80 columns has the answer and every gap with its
// interval, and what a platform says of itself moves no cursor.
func TestKeepAlive(t *testing.T) {
	k := reportstest.KeepAlive()
	k.Document.Failed, k.Document.Failure = 1, "nobody\x1b[2J answers"
	var b strings.Builder
	if err := text.KeepAlive(&b, text.Options{Width: 80, Terminal: true, Color: true}, k); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "\x1b[2J") {
		t.Error("a platform's words clear the screen")
	}
	got := plain(b.String())
	for line := range strings.Lines(got) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	for _, want := range []string{
		"How long reference keeps an idle instance of hello\n",
		"reference keeps an idle instance for 2.00 s to 2.10 s.\n",
		"│   2.00 s │      2 │           2 │  100% │ 15.8% to 100% │",
		"│   4.00 s │      1 │           0 │    0% │   0% to 97.5% │",
		"9 probes, 2 instances at a time",
		"the first: nobody\ufffd[2J answers",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}
