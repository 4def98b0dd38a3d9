package sim_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

func tenants(t testing.TB, n int, memory units.Bytes, policy lifecycle.Policy) (jobs []*sim.Job) {
	for k := range n {
		load := poisson(.05 * float64(1+k%4))
		load.Name, load.Span = fmt.Sprintf("function %d", k), 50*time.Hour
		jobs = append(jobs, &sim.Job{Load: load, Options: sim.Options{
			Policy: policy, Service: text(t, "exp:2s"), StartDelay: text(t, "exp:500ms"), Memory: memory, Seed: 3,
		}})
	}
	return jobs
}

// TestAmpleMemoryChangesNothing: functions that share more than they need are
// as if each were alone.
func TestAmpleMemoryChangesNothing(t *testing.T) {
	policy := lifecycle.Policy{KeepAlive: 5 * time.Minute}
	_, all, err := sim.Shared(context.Background(), tenants(t, 20, 128<<20, policy), 1<<50)
	if err != nil {
		t.Fatal(err)
	}
	for k, job := range tenants(t, 20, 128<<20, policy) {
		alone, err := sim.Events(context.Background(), job.Load, job.Options)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(alone, all[k], cmpopts.IgnoreUnexported(sim.Result{}), cmpopts.IgnoreFields(sim.Result{}, "Response", "Service"), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
			t.Fatalf("alone (-) and among others (+):\n%s", diff)
		}
	}
}

// TestScarceMemory: with no time to expire in, and room for n instances, an
// instance goes only for another, and there are never more than n.
func TestScarceMemory(t *testing.T) {
	const n = 12
	before := 1.
	for _, room := range []int64{n, 4 * n, 16 * n} {
		sum, all, err := sim.Shared(context.Background(), tenants(t, 20, 128<<20, lifecycle.Policy{KeepAlive: -1, QueueLimit: math.MaxInt}), units.Bytes(room<<27))
		if err != nil {
			t.Fatal(err)
		}
		if sum.InstancesMean > float64(room)+1e-6 || sum.InstancesMean < .8*min(float64(room), 60) || sum.Functions != 20 {
			t.Errorf("room for %d instances holds %.2f of %d functions", room, sum.InstancesMean, sum.Functions)
		}
		if peak := int64(sum.InstancesPeak); peak > room || float64(peak) < sum.InstancesMean-1e-6 || sum.PeakSummed {
			t.Errorf("room for %d instances, of which there are %.2f, holds %d at once", room, sum.InstancesMean, peak)
		}
		if sum.Unserved > 0 || sum.Throttled > 0 || sum.Served != sum.Requests {
			t.Errorf("room for %d: %d of %d served, %d throttled, %d left", room, sum.Served, sum.Requests, sum.Throttled, sum.Unserved)
		}
		if sum.PCold >= before {
			t.Errorf("room for %d: cold share %.4f, with less room it was %.4f", room, sum.PCold, before)
		}
		before = sum.PCold
		for _, r := range all {
			if r.Requests == 0 {
				t.Errorf("%s had no requests", r.Name)
			}
		}
	}
}

func TestSharedSaysWhatIsWrong(t *testing.T) {
	jobs := tenants(t, 2, 0, lifecycle.Policy{})
	if _, _, err := sim.Shared(context.Background(), jobs, 1<<30); err == nil {
		t.Error("functions of no size were accepted")
	}
	if _, _, err := sim.Shared(context.Background(), tenants(t, 2, 1, lifecycle.Policy{}), 0); err == nil {
		t.Error("a budget of nothing was accepted")
	}
}
