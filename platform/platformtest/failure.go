package platformtest

import (
	"context"
	"strings"
	"testing"
	"time"

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

// ExpectDeadlineKept wants the removal of a deployment that nobody answers for to
// end with its context's deadline, and to say so.
func ExpectDeadlineKept(t testing.TB, d platform.Deployment) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := d.Remove(ctx)
	if platform.KindOf(err) != sample.Timeout || !strings.HasSuffix(err.Error(), "no answer before the time for clearing up was over") {
		t.Errorf("got %v (%v), want one of kind %v that says that the time was over", err, platform.KindOf(err), sample.Timeout)
	}
}
