package sim_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// wave is counts of minutes that go up and down once a day.
func wave(mean, amplitude float64, minutes int) sim.Load {
	l := sim.Load{Name: "wave", Span: time.Duration(minutes) * time.Minute}
	for i := range minutes {
		l.Counts = append(l.Counts, uint32(mean+amplitude*math.Sin(2*math.Pi*float64(i)/1440)))
	}
	l.Arrivals = sim.Drawn(l)
	return l
}

// TestLevelsAgree holds the level engine to the error that it states, by the
// event engine on arrivals drawn from the same counts.
func TestLevelsAgree(t *testing.T) {
	survival := []lifecycle.Survivor{{Idle: 240 * time.Second, Alive: 1}, {Idle: 300 * time.Second, Alive: .92}, {Idle: 330 * time.Second, Alive: .32}, {Idle: 360 * time.Second}}
	for _, c := range []struct {
		name           string
		load           sim.Load
		service, start string
		policy         lifecycle.Policy
	}{
		{"steady", wave(12, 0, 100000), "exp:3s", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"constant service", wave(18, 0, 100000), "const:3s", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"busy", wave(600, 0, 6000), "exp:1s", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"long service", wave(60, 0, 20000), "exp:10s", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"short keep-alive", wave(60, 0, 20000), "exp:1s", "", lifecycle.Policy{KeepAlive: time.Minute}},
		{"keep-alive of no whole minutes", wave(60, 0, 20000), "exp:1s", "", lifecycle.Policy{KeepAlive: 150 * time.Second}},
		{"days and nights", wave(60, 50, 40000), "exp:100ms", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"start delay", wave(60, 50, 40000), "exp:100ms", "const:5s", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"survival", wave(60, 50, 40000), "exp:500ms", "", lifecycle.Policy{Survival: survival}},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := sim.Options{Policy: c.policy, Service: text(t, c.service), Seed: 1, Warmup: 30 * time.Minute}
			if c.start != "" {
				options.StartDelay = text(t, c.start)
			}
			levels, err := sim.Levels(context.Background(), c.load, options)
			if err != nil {
				t.Fatal(err)
			}
			events, err := sim.Events(context.Background(), c.load, options)
			if err != nil {
				t.Fatal(err)
			}
			if levels.Engine != sim.EngineLevels || levels.WarmupRequests == 0 || levels.Requests != events.Requests || levels.WarmupRequests != events.WarmupRequests {
				t.Errorf("levels counted %d requests after %d, events %d after %d", levels.Requests, levels.WarmupRequests, events.Requests, events.WarmupRequests)
			}
			off := levels.PCold/events.PCold - 1
			chance := 4 * *events.PColdStderr / events.PCold
			if math.Abs(off) > levels.ColdError+chance {
				t.Errorf("cold share is off by %+.3f, stated is %.3f, and chance %.3f", off, levels.ColdError, chance)
			}
			if chance > .25 {
				t.Errorf("chance may have the cold share off by %.2f: the test is blind", chance)
			}
			if off := levels.InstancesMean/events.InstancesMean - 1; math.Abs(off) > .03 {
				t.Errorf("%.3f instances, want %.3f", levels.InstancesMean, events.InstancesMean)
			}
			if off := levels.BusyMean/events.BusyMean - 1; math.Abs(off) > .03 && c.start == "" {
				t.Errorf("%.4f busy, want %.4f", levels.BusyMean, events.BusyMean)
			}
			if off := float64(levels.Usage.Billed)/float64(events.Usage.Billed) - 1; math.Abs(off) > .03 {
				t.Errorf("billed %v, want %v", levels.Usage.Billed, events.Usage.Billed)
			}
		})
	}
}

// TestThinLoadsGoToEvents: a request an hour is no rate.
func TestThinLoadsGoToEvents(t *testing.T) {
	load := sim.Load{Name: "thin", Counts: make([]uint32, 60000)}
	for i := 0; i < len(load.Counts); i += 60 {
		load.Counts[i] = 1
	}
	r, err := sim.Levels(context.Background(), load, sim.Options{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(t, "exp:1s")})
	if err != nil {
		t.Fatal(err)
	}
	if r.Engine != sim.EngineEvents || r.PCold != 1 {
		t.Errorf("engine %s, cold share %v, want events and 1", r.Engine, r.PCold)
	}
}

func TestLevelsSayWhatTheyCannot(t *testing.T) {
	good := lifecycle.Policy{KeepAlive: 10 * time.Minute}
	slots := good
	slots.Slots = 2
	for _, c := range []struct {
		options sim.Options
		problem string
	}{
		{sim.Options{Policy: slots, Service: text(t, "1s")}, "more than a keep-alive"},
		{sim.Options{Policy: lifecycle.Policy{KeepAlive: time.Second}, Service: text(t, "1s")}, "at least a minute"},
		{sim.Options{Policy: good, Service: text(t, "1m")}, "at most 10s"},
		{sim.Options{Policy: good}, "service: missing"},
	} {
		_, err := sim.Levels(context.Background(), wave(60, 0, 100), c.options)
		if err == nil || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%v: want %q in it", err, c.problem)
		}
	}
}
