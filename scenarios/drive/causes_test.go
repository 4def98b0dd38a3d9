package drive

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

func TestCausesAreTheFirstOfTheirKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		d := invoke(func(context.Context, platform.Request) (platform.Response, error) {
			n++
			switch {
			case n == 1:
				return platform.Response{}, &platform.Error{Kind: sample.Init, Op: "invoke f", Err: errors.New("fork/exec:\n permission denied")}
			case n < 5:
				return platform.Response{}, &platform.Error{Kind: sample.Init, Op: "invoke f", Err: errors.New("another")}
			case n == 5:
				return platform.Response{}, &platform.Error{Kind: sample.Timeout, Op: "invoke f", Err: errors.New("too slow"), Hint: "be\nquick"}
			}
			return platform.Response{Status: 200}, nil
		})
		out := drive(t, t.Context(), planOf(every(time.Second, 8), d), &memory{})
		want := []Cause{
			{"f", sample.Init, "fork/exec: permission denied", "", 4},
			{"f", sample.Timeout, "too slow", "be quick", 1},
		}
		if diff := cmp.Diff(want, out.Causes); diff != "" {
			t.Errorf("causes (-want +got):\n%s", diff)
		}
	})
}

func TestCauseTextIsBounded(t *testing.T) {
	got := causeText(errors.New(strings.Repeat("ä\x1b[31m\xff", 1000)))
	if len(got) > causeLimit || !utf8.ValidString(got) || strings.ContainsRune(got, '\x1b') || !strings.HasSuffix(got, "...") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
