package study

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestKeepWarm: with requests that seldom come within the keep-alive, pings hold
// what the law of Poisson arrivals says they cost without: exp(-rate x keep-alive).
func TestKeepWarm(t *testing.T) {
	lambda, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := KeepWarmOf(context.Background(), Plan{
		Source: poisson("a"), Override: true,
		Options: sim.Options{Policy: lifecycle.Policy{KeepAlive: 100 * time.Millisecond}, Service: dist.Constant(time.Millisecond),
			StartDelay: dist.Constant(time.Millisecond), Memory: units.GB, Seed: 1},
	}, WarmOptions{Option: lambda, Share: .05, PingEvery: 50 * time.Millisecond, PingTakes: time.Millisecond, Restore: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]Warmer)
	for _, w := range k.Ways {
		byName[w.Name] = w
	}
	if w := byName[nothing]; w.Extra != 0 || w.Each != nil || k.Share < .34 || k.Share > .40 {
		t.Errorf("doing nothing: %+v, share %v; want about exp(-1)", w, k.Share)
	}
	if w := byName["pings to 1 instance"]; w.Avoided == 0 || w.Cold >= k.Cold {
		t.Errorf("pings: %+v of %d cold", w, k.Cold)
	}
	if w := byName["snapshots"]; w.Cold != 0 || !w.Holds {
		t.Errorf("snapshots: %+v", w)
	}
	if k.PaysAt < .5999 || k.PaysAt > .6001 {
		t.Errorf("an instance kept ready pays above %v of its time, want .6", k.PaysAt)
	}
	best := byName[k.Held]
	for _, w := range k.Ways {
		if w.Holds && w.Month < best.Month {
			t.Errorf("%s holds for %v, and %s was chosen at %v", w.Name, w.Month, best.Name, best.Month)
		}
	}
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	valid := compiled(t, KeepWarmSchemaJSON())
	if err := valid(string(text)); err != nil {
		t.Error(err)
	}
	if valid(strings.Replace(string(text), `"held"`, `"kept"`, 1)) == nil {
		t.Error("the schema takes a document without held")
	}
}
