// Package drive owns the load generator: it sends a schedule's arrivals at
// their intended times, whatever the platform does, and records what became of
// each.
//
// In: a [Plan], which is the schedule and the deployments that it names. Out:
// exactly one sample for every arrival that was reached, to a [Sink] as they
// come, live figures while it runs, and an [Outcome].
//
//	Schedule -> pacer -> vegeta.Attacker -> transport -> Deployment.Invoke
//	            waits    one goroutine      finds the        |
//	            for T    a request          arrival       Sample -> recorder -> Sink
//
// The loop is open: a slow answer delays no later arrival. It computes no
// latency and no figure that is kept, retries nothing, probes nothing and sends
// no request that the schedule does not hold. Where the schedule wants it, a
// function is put away after its answer.
//
// Its promises are measured by
//
//	go test -run '^$' -bench '^BenchmarkPacing' -benchtime 1x -timeout 10m ./scenarios/drive
//	go test -run '^$' -bench '^BenchmarkRecording' -benchtime 1x ./scenarios/drive
//
// which fail if one is missed.
package drive

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/priority"
	"github.com/coldcurve/coldcurve/scenarios"
)

// DefaultGrace is how long requests under way may go on after an interrupt.
const DefaultGrace = 2 * time.Second

// lead is the time from the start of the attack to offset 0. It lets the
// attack's goroutines come up, so that an arrival at 0 is not late already.
const lead = 2 * time.Millisecond

// A Sink takes a run's samples. [rundir.Writer] is one. Both methods are called
// by one goroutine. Append does not keep the sample; Flush, called about once a
// second and at the end, makes all that was appended so far last.
type Sink interface {
	Append(*sample.Sample) error
	Flush(at time.Duration) error
}

// Plan is what a run is to do.
type Plan struct {
	Schedule    *scenarios.Schedule
	Deployments map[string]platform.Deployment // by function; every function of the schedule has one
	Payloads    map[string]platform.Request    // by function; none sends an empty request. Consumer, stage and trigger are the schedule's.
	InFlight    scenarios.InFlight             // cap on requests under way; the default is drop at 10000
	Grace       time.Duration                  // how long requests may go on after an interrupt; the default is DefaultGrace, negative is not at all
	Clock       clock.Monotonic
}

// Outcome is what a run came to. Offered = Sent + Dropped, always: arrivals
// that an interrupted run did not reach are in none of them.
type Outcome struct {
	Offered uint64 // arrivals reached
	Sent    uint64 // handed to a deployment
	Dropped uint64 // reached and not sent, because of the in-flight cap

	// Interrupted: the context ended before every arrival had been sent and
	// answered.
	Interrupted bool

	Started, Ended  time.Time // wall time around the whole of it
	Origin          time.Time // offset 0, with a monotonic reading
	MonotonicOrigin int64     // the same, of the machine's monotonic clock, in ns
	Generator       rundir.Generator

	// Causes say why requests failed; those that the run itself cancelled and
	// those that it dropped are not among them.
	Causes []Cause

	Evictions Evictions
}

// Run drives the plan and returns when every arrival that was reached has its
// sample in sink.
//
// When ctx ends nothing more is sent; requests under way get the plan's grace
// and are then cancelled. That is no error: the outcome says Interrupted. When
// sink fails the run ends at once, and the error is returned beside the outcome
// of what was done until then.
//
// progress, if not nil, is called about four times a second and once at the
// end, from the goroutine that writes the samples: what it takes delays no
// request, only the next write.
func Run(ctx context.Context, plan Plan, sink Sink, progress func(Progress)) (Outcome, error) {
	return run(ctx, plan, sink, progress, newWaiter())
}

func run(ctx context.Context, plan Plan, sink Sink, progress func(Progress), w waiter) (Outcome, error) {
	if err := plan.validate(); err != nil {
		return Outcome{}, fmt.Errorf("drive: %w", err)
	}
	before := rundir.ReadVitals()
	defer calmCollector()() // not at the priority that comes next: a collection may have to wait for others
	precedence := priority.Raise(priority.Generator)
	defer precedence.Release()
	started := time.Now()
	origin := started.Add(lead)

	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(sending, func() {
		grace := plan.grace()
		if errors.Is(context.Cause(sending), errSink) {
			grace = 0
		}
		time.AfterFunc(grace, cancel)
	})()

	g := newGate(plan.InFlight)
	tr := newTransport(requests, &plan, origin, g)
	tr.headway = w.ahead()
	p := &pacer{sending: sending, times: plan.Schedule.Times, origin: origin, waiter: w, gate: g}
	rec := newRecorder(sink, newGauge(plan.Schedule, origin, p, tr), stop)
	rec.tick = func() {
		if progress != nil {
			progress(rec.gauge.read())
		}
	}
	tr.recorder = rec
	go rec.run()
	attack(p, tr)
	tr.backlog.raise(p.overdue)
	dropHeld(p, tr)
	err := rec.close()

	out := Outcome{
		Offered:         p.reached(),
		Sent:            tr.sent.Load(),
		Dropped:         tr.dropped.Load(),
		Interrupted:     ctx.Err() != nil && (p.reached() < uint64(len(p.times)) || tr.cancelled.Load() > 0),
		Started:         started,
		Ended:           time.Now(),
		Origin:          origin,
		MonotonicOrigin: plan.Clock.At(origin),
		Generator:       rundir.ReadVitals().Since(before),
		Causes:          tr.causes.sorted(),
		Evictions:       tr.evicted.sum(),
	}
	out.Generator.Backlog = g.peak()
	out.Generator.PeakBacklog = tr.backlog.most.Load()
	out.Generator.Held = p.held
	out.Generator.Realtime = precedence.Holds()
	return out, err
}

// attack runs vegeta over the whole schedule and returns when the last request
// has ended. The results carry nothing that the transport has not recorded, but
// vegeta's workers block until each is taken.
func attack(p *pacer, tr *transport) {
	attacker := vegeta.NewAttacker(
		vegeta.MaxBody(0),
		vegeta.MaxWorkers(math.MaxUint64),
		vegeta.Client(&http.Client{Transport: tr}), // last: options after it expect vegeta's own transport
	)
	for range attacker.Attack(target, p, 0, "") {
	}
}

// target is every hit's target. Nothing is ever sent there: the transport picks
// function and payload by the hit's place in the schedule, which vegeta knows
// only after it has asked for the target.
func target(t *vegeta.Target) error {
	t.Method = http.MethodGet
	t.URL = "http://arrival/"
	return nil
}

// dropHeld gives the arrivals that were waiting at the in-flight cap when the
// run was interrupted their sample: they were due and were never sent.
func dropHeld(p *pacer, tr *transport) {
	for ; p.overdue > 0; p.overdue-- {
		seq := p.launched.Add(1) - 1
		tr.drop(seq)
	}
}

func (p *Plan) grace() time.Duration {
	if p.Grace == 0 {
		return DefaultGrace
	}
	return max(0, p.Grace)
}

// validate reports everything that keeps the plan from being driven.
func (p *Plan) validate() error {
	if p.Schedule == nil {
		return errors.New("plan without a schedule")
	}
	var faults []error
	s := p.Schedule
	if len(s.Source) != len(s.Times) {
		faults = append(faults, fmt.Errorf("schedule has %d times and %d sources, want as many", len(s.Times), len(s.Source)))
	}
	for i, src := range s.Sources {
		if p.Deployments[src.Function] == nil {
			faults = append(faults, fmt.Errorf("function %q is scheduled but not deployed", src.Function))
		}
		if err := checkEvict(src.Function, p.Deployments[src.Function], src.Evict); err != nil {
			faults = append(faults, err)
		}
		if src.Phase < 0 || src.Phase >= len(s.Phases) {
			faults = append(faults, fmt.Errorf("source %d is of phase %d, the schedule has %d", i, src.Phase, len(s.Phases)))
		}
	}
	if p.InFlight.Max < 0 {
		faults = append(faults, fmt.Errorf("in-flight cap is %d, want at least 0 (0 is the default of %d)", p.InFlight.Max, defaultInFlight))
	}
	if w := p.InFlight.When; w != "" && w != whenDrop && w != whenWait {
		faults = append(faults, fmt.Errorf("at the in-flight cap %q, want %q or %q", w, whenDrop, whenWait))
	}
	return errors.Join(faults...)
}
