package platformtest

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// ExpectFailure wants an error of one line that begins so, of a kind, with a
// hint that says so; "" is none.
func ExpectFailure(t testing.TB, err error, kind sample.ErrorKind, begins, hint string) {
	t.Helper()
	if err == nil || platform.KindOf(err) != kind || !strings.HasPrefix(err.Error(), begins) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v (%v), want one line of kind %v that begins %q", err, platform.KindOf(err), kind, begins)
	}
	if got := platform.HintOf(err); !strings.Contains(got, hint) || hint == "" && got != "" {
		t.Errorf("hint %q, want %q in it", got, hint)
	}
}
