package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

func TestFailedInitIsTakenApartAndBilled(t *testing.T) {
	box := slowStart()
	box.InitErr = func(string) error {
		return &sandbox.Failure{Kind: sample.Init, Cause: errors.New("exit status 7"), Type: "Runtime.ExitError", Message: "exit status 7"}
	}
	run(t, box, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		const ms = time.Millisecond
		out := invoke(t, rt)
		if diff := cmp.Diff(sample.Breakdown{Provision: 1 * ms, Boot: 2 * ms, Init: 4 * ms}, out.Truth.Breakdown()); diff != "" {
			t.Errorf("breakdown (-want +got):\n%s", diff)
		}
		if out.Billed != 6*ms {
			t.Errorf("billed %v, want boot and init, 6ms", out.Billed)
		}
		records, _ := rt.Instances()
		r := records[0]
		if r.Provisioned == 0 || r.Booted != r.Provisioned+int64(2*ms) || r.Ready != 0 || r.InitAttempts != 1 {
			t.Errorf("the instance's record is %+v, want the instants that were reached", r)
		}
	})
}
