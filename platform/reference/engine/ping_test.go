package engine_test

import (
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// TestPings keep two instances warm, and cost.
func TestPings(t *testing.T) {
	box := slowStart()
	pings := make(chan string, 100)
	box.Handler = func(_ string, inv *sandbox.Invocation, _ <-chan struct{}) ([]byte, error) {
		if string(inv.Payload) == engine.PingPayload {
			pings <- inv.RequestID
		}
		time.Sleep(8 * ms)
		return inv.Payload, nil
	}
	var meter ledger
	o := engine.Options{Meter: &meter, Policy: lifecycle.Policy{KeepAlive: 6 * time.Minute, Ping: lifecycle.Pings{Every: 5 * time.Minute, Count: 2}}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		time.Sleep(time.Hour) // what was missed before there was a version is not made up for
		rt.create(platform.Function{Name: "hello"})
		time.Sleep(time.Minute)
		if len(pings) != 0 {
			t.Errorf("%d pings in a version's first minute", len(pings))
		}
		time.Sleep(15 * time.Minute)
		if len(pings) != 6 {
			t.Errorf("%d pings in 16 minutes, want 2 each 5 minutes", len(pings))
		}
		outs, _ := spike(t.Context(), rt, 2)
		if got := starts(outs); got[sample.Warm] != 2 {
			t.Errorf("2 requests beside 2 pings were served %v", got)
		}
		if err := rt.version("hello").Retire(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if len(pings) != 6 {
			t.Errorf("a retired version was pinged %d times", len(pings)-6)
		}
	})
	got := meter.usage[usage.Key{Function: "hello", Version: engine.Latest, Consumer: usage.KeepWarm}]
	want := usage.Usage{Requests: 6, Cold: 2, Billed: 6*8*ms + 2*6*ms, InitBilled: 2 * 6 * ms, MemoryTime: 128 * (6*8 + 2*6)}
	if got != want {
		t.Errorf("charged %+v, want %+v", got, want)
	}
}
