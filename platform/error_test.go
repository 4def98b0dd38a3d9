package platform

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

func TestKindOf(t *testing.T) {
	cause := errors.New("exit status 1")
	tests := []struct {
		err  error
		want sample.ErrorKind
	}{
		{nil, sample.NoError},
		{cause, sample.Platform},
		{&Error{Kind: sample.Crash, Op: "invoke hello", Err: cause}, sample.Crash},
		{fmt.Errorf("run: %w", &Error{Kind: sample.Throttled, Op: "invoke hello", Err: cause}), sample.Throttled},
	}
	for _, tt := range tests {
		if got := KindOf(tt.err); got != tt.want {
			t.Errorf("KindOf(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestErrorKeepsItsCause(t *testing.T) {
	cause := errors.New("exit status 1")
	err := &Error{Kind: sample.Crash, Op: "invoke hello", Err: cause}
	if got, want := err.Error(), "invoke hello: exit status 1"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}
