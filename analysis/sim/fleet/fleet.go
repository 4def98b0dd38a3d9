// Package fleet owns what becomes of traffic on a fleet of virtual machines or
// containers: alike instances that serve several requests at a time, are
// started and stopped by their utilisation, take time to boot, and fail.
//
// In: arrivals, and [Options]: service times, workers, balancing, autoscaling,
// failures, billing steps. Out: a [Result] of response times, missed targets,
// errors and instance-hours. It is driven by events in virtual time: it reads
// no clock, and the same options and arrivals give the same result anywhere.
// Memory does not grow with the number of requests, and no request allocates.
// It knows no prices, and no function platform: those are package sim's.
package fleet

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/stream"
)

// Sampler draws durations; those below 0 are taken as 0.
type Sampler interface {
	Sample(*rand.Rand) time.Duration
}

// Run serves arrivals, ascending offsets from the start, until there are no
// more and all of them have been served. It is for one goroutine. Where the
// context ends it, the result is of what was done until then, and marked.
func Run(ctx context.Context, arrivals iter.Seq[time.Duration], options Options) (*Result, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("simulate fleet: %w", err)
	}
	e := newEngine(options.withDefaults())
	const glances = 1 << 14 // requests between two looks at the context
	count, last := uint64(0), int64(0)
	for arrival := range arrivals {
		at := int64(arrival)
		if at < last {
			return nil, fmt.Errorf("simulate fleet: arrival %d is at %v, before the one at %v ahead of it", count, arrival, time.Duration(last))
		}
		if e.options.Span > 0 && arrival > e.options.Span {
			return nil, fmt.Errorf("simulate fleet: arrival %d is at %v, after the span of %v", count, arrival, e.options.Span)
		}
		if count++; count%glances == 0 && ctx.Err() != nil {
			e.result.Interrupted = true
			break
		}
		last = at
		e.advance(at)
		e.arrive(at)
	}
	end := last
	if !e.result.Interrupted {
		end = max(last, int64(e.options.Span))
	}
	if end < e.warmup {
		return nil, &WarmupError{Ends: time.Duration(end), Warmup: options.Warmup}
	}
	e.finish(end)
	return e.report(), nil
}

// WarmupError says that no request came after the warm-up, so that figures
// would be about nothing.
type WarmupError struct{ Ends, Warmup time.Duration }

func (e *WarmupError) Error() string {
	return fmt.Sprintf("simulate fleet: traffic ends at %v, within the warm-up of %v", e.Ends, e.Warmup)
}

// never is later than any event.
const never = int64(math.MaxInt64)

// engine is a fleet at one moment. Times are nanoseconds.
type engine struct {
	options Options
	now     int64
	workers int32 // of an instance
	warmup  int64 // arrivals from here on are counted

	slots     []slot
	spare     []int32 // slots of instances that are gone
	roster    roster
	turns     turns
	shared    line // of requests that wait for any instance
	inService departures
	agenda    agenda

	// How many there are. alive is booting, serving and draining.
	booting, serving, alive int
	busy, busyServing       int // workers; those of instances that take requests
	system                  int // requests waiting and in service

	scaler  scaler
	service *rand.Rand // draws of service times, one an arrival, whatever the fleet does
	choice  *rand.Rand
	fate    *rand.Rand // draws of failures and boot times

	result Result
	books  books
}

func newEngine(o Options) *engine {
	e := &engine{
		options: o,
		workers: int32(o.Workers),
		result:  Result{Response: hist.New()},
		warmup:  int64(o.Warmup),
		service: stream.New(o.Seed, "fleet", 1),
		choice:  stream.New(o.Seed, "fleet", 2),
		fate:    stream.New(o.Seed, "fleet", 3),
	}
	e.books.counting = true
	for range o.Instances {
		e.join(e.start())
	}
	e.scaler.wanted = o.Instances
	if a := o.Autoscaling; a != nil {
		e.agenda.add(task{at: int64(a.Period), kind: measure})
	}
	e.agenda.add(task{at: e.warmup, kind: count})
	e.agenda.add(task{at: firstStep, kind: mark})
	return e
}

// advance does what is due until to: first whoever is done, then the fleet's
// own affairs.
func (e *engine) advance(to int64) {
	for {
		done, due := e.inService.next(), e.agenda.next()
		switch {
		case done <= due && done <= to:
			e.depart()
		case due < done && due <= to:
			e.attend(e.agenda.pop())
		default:
			return
		}
	}
}

// arrive serves a request, lets it wait, or refuses it.
func (e *engine) arrive(at int64) {
	e.settle(at)
	r := request{arrived: at, service: max(0, int64(e.options.Service.Sample(e.service)))}
	if at >= e.warmup {
		e.result.Requests++
	} else {
		e.result.WarmupRequests++
	}
	e.books.arrivals++
	if e.options.Balancing == SharedQueue {
		e.arriveShared(r)
		return
	}
	if e.roster.empty() {
		e.fail(r.arrived, unserved)
		return
	}
	chosen := e.choose()
	s := &e.slots[chosen]
	if s.busy < e.workers {
		e.system++
		e.roster.raise(e.slots, chosen)
		e.begin(chosen, r)
		return
	}
	e.lower(chosen, s, e.expire(&s.line))
	if e.enqueue(&s.line, r) {
		e.roster.raise(e.slots, chosen)
	}
}

func (e *engine) arriveShared(r request) {
	if !e.roster.empty() {
		if idlest := e.roster.least(); e.slots[idlest].busy < e.workers {
			e.system++
			e.roster.raise(e.slots, idlest)
			e.begin(idlest, r)
			return
		}
	}
	e.expire(&e.shared)
	e.enqueue(&e.shared, r)
}

// enqueue lets a request wait, if there is room.
func (e *engine) enqueue(l *line, r request) bool {
	if limit := e.options.QueueLimit; limit > 0 && l.n >= limit {
		e.fail(r.arrived, rejected)
		return false
	}
	l.push(r)
	e.system++
	return true
}

// expire takes those from the head of a queue whose patience has ended. A queue
// is in order of arrival, so that its head is the least patient.
func (e *engine) expire(l *line) (gone int) {
	patience := int64(e.options.QueueTimeout)
	for patience > 0 && l.n > 0 && e.now-l.head().arrived > patience {
		r := l.pop()
		e.forsake(r, r.arrived+patience)
		gone++
	}
	return gone
}

// forsake counts a request that gave up waiting at a time that may be past: no
// event tells of it when it happens.
func (e *engine) forsake(r request, at int64) {
	e.books.system -= float64(e.now - max(at, e.books.since))
	e.system--
	e.fail(r.arrived, timedOut)
}

// begin puts a request on a worker that is free.
func (e *engine) begin(instance int32, r request) {
	s := &e.slots[instance]
	s.busy++
	e.busy++
	if s.state == serving {
		e.busyServing++
	}
	if r.arrived >= e.warmup {
		wait := e.now - r.arrived
		e.books.waits.add(float64(wait))
		delayed := 0.0
		if wait > 0 {
			delayed = 1
		}
		e.books.delays.add(delayed)
	}
	e.inService.push(departure{at: e.now + r.service, arrived: r.arrived, instance: instance, life: s.life})
}

// depart ends the request that is done next, and gives its worker the next one.
func (e *engine) depart() {
	d := e.inService.pop()
	s := &e.slots[d.instance]
	if s.life != d.life {
		e.fail(d.arrived, failed) // its instance went before it; its worker's time was booked then
		return
	}
	e.settle(d.at)
	e.release(s)
	e.system--
	e.complete(d)
	if e.options.Balancing != SharedQueue {
		e.lower(d.instance, s, 1+e.expire(&s.line))
		if s.line.n > 0 {
			e.begin(d.instance, s.line.pop())
		}
	} else {
		e.lower(d.instance, s, 1)
		e.feed(d.instance)
	}
	if s.state == draining && s.busy == 0 {
		e.end(d.instance)
		e.observe(Drained, 0, 0)
	}
}

func (e *engine) release(s *slot) {
	s.busy--
	e.busy--
	if s.state == serving {
		e.busyServing--
	}
}

// lower takes n requests off an instance's load.
func (e *engine) lower(instance int32, s *slot, n int) {
	for range n {
		if s.state == serving {
			e.roster.lower(e.slots, instance)
		} else {
			s.load--
		}
	}
}

// feed gives the workers of an instance what waits in the shared queue.
func (e *engine) feed(instance int32) {
	s := &e.slots[instance]
	for s.state == serving && s.busy < e.workers {
		e.expire(&e.shared)
		if e.shared.n == 0 {
			return
		}
		e.roster.raise(e.slots, instance)
		e.begin(instance, e.shared.pop())
	}
}

// complete counts a success.
func (e *engine) complete(d departure) {
	if d.arrived < e.warmup {
		return
	}
	took := time.Duration(d.at - d.arrived)
	e.result.Response.Record(took)
	e.books.responses.add(float64(took))
	missed := 0.0
	if e.options.Target > 0 && took > e.options.Target {
		e.result.Late++
		missed = 1
	}
	e.books.misses.add(missed)
	e.result.Served++
}

// fail counts an error.
func (e *engine) fail(arrived int64, how outcome) {
	if arrived < e.warmup {
		return
	}
	e.books.misses.add(1)
	switch how {
	case rejected:
		e.result.Rejected++
	case timedOut:
		e.result.TimedOut++
	case unserved:
		e.result.Unserved++
	case failed:
		e.result.Failed++
	}
}

type outcome uint8

const (
	rejected outcome = iota // the queue was full
	timedOut                // waited too long
	unserved                // no instance took requests
	failed                  // the instance went while it had the request
)

// choose picks the instance of a request by the balancing policy. There is one.
func (e *engine) choose() int32 {
	switch e.options.Balancing {
	case RoundRobin:
		return e.turns.take()
	case RandomTwo:
		a, b := e.roster.pick(e.choice), e.roster.pick(e.choice)
		if e.slots[b].load < e.slots[a].load {
			return b
		}
		return a
	case Random:
		return e.roster.pick(e.choice)
	default:
		return e.roster.pickLeast(e.choice)
	}
}

// finish ends the time that figures are about, and serves those who still wait.
func (e *engine) finish(end int64) {
	e.advance(end)
	e.settle(end)
	e.expire(&e.shared)
	for i := range e.slots {
		gone := e.expire(&e.slots[i].line)
		e.lower(int32(i), &e.slots[i], gone)
	}
	e.books.close(e, end)
	for e.inService.len() > 0 || e.system > 0 {
		next := min(e.inService.next(), e.agenda.next())
		if next == never {
			break
		}
		e.advance(next)
	}
}
