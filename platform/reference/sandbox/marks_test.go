package sandbox_test

import (
	"testing"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

func TestMarksToldLate(t *testing.T) {
	got := (sandbox.Marks{Begun: 10, Provisioned: 50, Booted: 40, Ready: 45}).Ordered()
	if want := (sandbox.Marks{Begun: 10, Provisioned: 40, Booted: 40, Ready: 45}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	early := sandbox.Marks{Begun: 10, Provisioned: 20}
	if got := early.Ordered(); got != early {
		t.Errorf("a start under way: %+v, want %+v", got, early)
	}
}
