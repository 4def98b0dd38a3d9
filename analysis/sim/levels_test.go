package sim_test

import (
	"context"
	"math"
	"slices"
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

// ramps is counts of minutes that rise for two hours from none, again and again.
func ramps(minutes int) sim.Load {
	l := sim.Load{Name: "ramps", Span: time.Duration(minutes) * time.Minute}
	for i := range minutes {
		l.Counts = append(l.Counts, 2*uint32(i%120))
	}
	l.Arrivals = sim.Drawn(l)
	return l
}

// square is counts of minutes of which the first few of each period are high,
// and the others low.
func square(name string, high, low uint32, few, period, minutes int) sim.Load {
	l := sim.Load{Name: name, Span: time.Duration(minutes) * time.Minute}
	for i := range minutes {
		n := low
		if i%period < few {
			n = high
		}
		l.Counts = append(l.Counts, n)
	}
	l.Arrivals = sim.Drawn(l)
	return l
}

// both are a load's results by levels and by events.
func both(t *testing.T, load sim.Load, options sim.Options) (levels, events *sim.Result) {
	t.Helper()
	levels, err := sim.Levels(context.Background(), load, options)
	if err != nil {
		t.Fatal(err)
	}
	if events, err = sim.Events(context.Background(), load, options); err != nil {
		t.Fatal(err)
	}
	return levels, events
}

// held wants what levels say to be no further off than they say, but for four
// standard errors of what the events met, and says whether a share as great as
// blind could hide in those.
func held(t *testing.T, levels, events *sim.Result, blind float64) {
	t.Helper()
	off := levels.PCold/events.PCold - 1
	chance := 4 * *events.PColdStderr / events.PCold
	if math.Abs(off) > levels.ColdError+chance {
		t.Errorf("cold share is off by %+.3f, stated is %.3f, and chance %.3f", off, levels.ColdError, chance)
	}
	if chance > blind {
		t.Errorf("chance may have the cold share off by %.2f: the test is blind", chance)
	}
	if off := levels.InstancesMean/events.InstancesMean - 1; math.Abs(off) > levels.InstancesError {
		t.Errorf("%.3f instances, want %.3f: off by %+.3f, stated is %.3f", levels.InstancesMean, events.InstancesMean, off, levels.InstancesError)
	}
}

// TestLevelsAgree holds the level engine to what it says of requests, and to
// the events' other figures, on arrivals drawn from the same counts.
func TestLevelsAgree(t *testing.T) {
	survival := []lifecycle.Survivor{{Idle: 240 * time.Second, Alive: 1}, {Idle: 300 * time.Second, Alive: .92}, {Idle: 330 * time.Second, Alive: .32}, {Idle: 360 * time.Second}}
	for _, c := range []struct {
		name           string
		load           sim.Load
		service, start string
		policy         lifecycle.Policy
	}{
		{"busy", wave(600, 0, 3000), "exp:1s", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"keep-alive of no whole minutes", wave(60, 0, 10000), "exp:1s", "", lifecycle.Policy{KeepAlive: 150 * time.Second}},
		{"days and nights", wave(70, 50, 20000), "exp:100ms", "", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"start delay", wave(70, 50, 20000), "exp:100ms", "const:5s", lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{"survival", wave(70, 50, 20000), "exp:500ms", "", lifecycle.Policy{Survival: survival}},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := sim.Options{Policy: c.policy, Service: text(t, c.service), Seed: 1, Warmup: 30 * time.Minute}
			if c.start != "" {
				options.StartDelay = text(t, c.start)
			}
			levels, events := both(t, c.load, options)
			if levels.Engine != sim.EngineLevels || levels.WarmupRequests == 0 || levels.Requests != events.Requests || levels.WarmupRequests != events.WarmupRequests {
				t.Errorf("levels counted %d requests after %d, events %d after %d", levels.Requests, levels.WarmupRequests, events.Requests, events.WarmupRequests)
			}
			held(t, levels, events, .4)
			if off := levels.BusyMean/events.BusyMean - 1; math.Abs(off) > .03 && c.start == "" {
				t.Errorf("%.4f busy, want %.4f", levels.BusyMean, events.BusyMean)
			}
			if off := float64(levels.Usage.Billed)/float64(events.Usage.Billed) - 1; math.Abs(off) > .03 {
				t.Errorf("billed %v, want %v", levels.Usage.Billed, events.Usage.Billed)
			}
		})
	}
}

// TestLevelsHoldTheirError asks over a grid: where services are long beside the
// keep-alive, or differ much, levels leave the load to the events, and where
// they answer they hold what they state.
func TestLevelsHoldTheirError(t *testing.T) {
	answered, left := 0, 0
	for _, load := range []sim.Load{wave(60, 0, 3000), wave(90, 80, 2880), ramps(3000)} {
		for _, service := range []string{"exp:100ms", "const:1s", "exp:5s", "lognormal:p50=100ms,p99=5s", "lognormal:p50=100ms,p99=60s"} {
			for _, life := range []time.Duration{time.Minute, 150 * time.Second, 5 * time.Minute} {
				t.Run(load.Name+","+service+","+life.String(), func(t *testing.T) {
					options := sim.Options{Policy: lifecycle.Policy{KeepAlive: life}, Service: text(t, service), Seed: 2}
					levels, err := sim.Levels(context.Background(), load, options)
					if err != nil {
						t.Fatal(err)
					}
					if levels.Engine == sim.EngineEvents {
						left++
						if levels.ColdError != 0 || !slices.ContainsFunc(levels.Warnings, func(w sim.Warning) bool { return w.Code == sim.LongService }) {
							t.Errorf("left to events with an error of %v and %+v", levels.ColdError, levels.Warnings)
						}
						return
					}
					answered++
					if levels.ColdError > .3 {
						t.Errorf("stated is %.3f: that is no estimate", levels.ColdError)
					}
					events, err := sim.Events(context.Background(), load, options)
					if err != nil {
						t.Fatal(err)
					}
					held(t, levels, events, 1)
				})
			}
		}
	}
	if answered < 20 || left < 10 {
		t.Errorf("levels answered %d of the grid and left %d to events: want at least 20 and 10", answered, left)
	}
}

// TestLevelsHoldAtJumps: instances come at once where the rate jumps up, and
// stay for a keep-alive where it falls, whatever the minute's ends say.
func TestLevelsHoldAtJumps(t *testing.T) {
	steps, spikes := square("steps", 6000, 300, 30, 60, 1200), square("spikes", 6000, 120, 1, 15, 1200)
	steady := square("steady", 3000, 3000, 1, 1, 1200)
	for _, c := range []struct {
		load    sim.Load
		service string
		life    time.Duration
	}{
		{steps, "exp:100ms", time.Minute}, {steps, "exp:100ms", 10 * time.Minute},
		{spikes, "exp:100ms", time.Minute}, {spikes, "exp:100ms", 90 * time.Second}, {spikes, "exp:100ms", 10 * time.Minute},
		{spikes, "lognormal:p50=100ms,p99=5s", time.Minute}, {spikes, "const:2s", 10 * time.Minute},
		{steady, "exp:100ms", time.Minute},
	} {
		t.Run(c.load.Name+","+c.service+","+c.life.String(), func(t *testing.T) {
			levels, events := both(t, c.load, sim.Options{Policy: lifecycle.Policy{KeepAlive: c.life}, Service: text(t, c.service), Seed: 3})
			if levels.Engine != sim.EngineLevels {
				t.Fatalf("engine %s: %+v", levels.Engine, levels.Warnings)
			}
			held(t, levels, events, .6)
		})
	}
}

// TestLevelsLeaveCrowdsToEvents: who comes while the first instances of a jump
// start has others started, and levels do not know; where so few come that
// levels do, they answer, and hold what they state.
func TestLevelsLeaveCrowdsToEvents(t *testing.T) {
	steps, spikes := square("steps", 6000, 300, 30, 60, 1200), square("spikes", 6000, 120, 1, 15, 1200)
	steady := square("steady", 3000, 3000, 1, 1, 1200)
	for _, c := range []struct {
		load        sim.Load
		start, cold string
		engine      sim.Engine
	}{
		{steps, "const:5s", "", sim.EngineEvents},
		{steps, "const:300ms", "", sim.EngineEvents},
		{steps, "", "const:5s", sim.EngineEvents},
		{steps, "const:50ms", "", sim.EngineLevels},
		{spikes, "const:300ms", "", sim.EngineEvents},
		{spikes, "const:200ms", "", sim.EngineEvents},
		{spikes, "const:100ms", "const:200ms", sim.EngineEvents},
		{spikes, "const:50ms", "", sim.EngineLevels},
		{steady, "const:1s", "", sim.EngineLevels},
		{steady, "", "const:1s", sim.EngineLevels},
	} {
		t.Run(c.load.Name+","+c.start+","+c.cold, func(t *testing.T) {
			options := sim.Options{Policy: lifecycle.Policy{KeepAlive: 3 * time.Minute}, Service: text(t, "exp:100ms"), Seed: 4}
			if c.start != "" {
				options.StartDelay = text(t, c.start)
			}
			if c.cold != "" {
				options.ColdService = text(t, c.cold)
			}
			levels, err := sim.Levels(context.Background(), c.load, options)
			if err != nil {
				t.Fatal(err)
			}
			if levels.Engine != c.engine {
				t.Fatalf("engine %s with an error of %.3f, want %s", levels.Engine, levels.ColdError, c.engine)
			}
			if c.engine == sim.EngineEvents {
				if w := levels.Warnings[len(levels.Warnings)-1]; w.Code != sim.LongService || !strings.Contains(w.Text, c.start) || !strings.Contains(w.Text, c.cold) {
					t.Errorf("left to events with %+v", w)
				}
				return
			}
			events, err := sim.Events(context.Background(), c.load, options)
			if err != nil {
				t.Fatal(err)
			}
			held(t, levels, events, .8)
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
