package sim

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// Events follows each request of a load. It allocates nothing a request, and
// its memory follows the most instances and waiting requests at once. A context
// that ends leaves a result of what was done until then, which says so.
//
// Where there is a second processor, arrivals and service times are drawn there.
func Events(ctx context.Context, load Load, options Options) (*Result, error) {
	source := chunks
	if runtime.GOMAXPROCS(0) > 1 {
		source = chunksAside
	}
	d := newDurations()
	r, err := follow(ctx, load, options, source, d)
	if err != nil {
		return nil, err
	}
	r.Response, r.Service = d.histograms()
	if d.latency != nil {
		r.Latency = hist.New()
		r.Latency.Absorb(d.latency)
	}
	return r, nil
}

// follow leaves the durations of requests in d, which is empty.
func follow(ctx context.Context, load Load, options Options, source func(*Load, *Options) iter.Seq[*chunk], d *durations) (*Result, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if load.Arrivals == nil {
		return nil, fmt.Errorf("simulation of %q: the load has no arrivals, only counts: the level engine can do with these", load.Name)
	}
	e := newEngine(&load, &options, d)
	for c := range source(&load, &options) {
		if err := e.run(c); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			e.interrupted = true
			break
		}
		e.progress()
	}
	if load.Err != nil && !e.interrupted {
		if err := load.Err(); err != nil {
			return nil, fmt.Errorf("arrivals of %q: %w", load.Name, err)
		}
	}
	e.end()
	return e.result(), nil
}

// request is one that is not being served.
type request struct {
	arrived time.Duration
	service time.Duration
	place   int           // in the record that is followed
	beside  time.Duration // what it takes beside an instance
	delay   time.Duration // of the instance that it had started, once that is ready
}

// pingMark is above every ping's name, which are above all others, and below readyMark.
const pingMark lifecycle.Request = 1 << 62

// engine is one function's simulation.
type engine struct {
	load    *Load
	options *Options
	pool    *lifecycle.Pool
	out     []lifecycle.Action

	cold, start, ping *rand.Rand
	even              bool // every request is served for the same time
	sharing           *sharing
	house             *house // nil without a budget of memory that others draw on, too

	dues    dues
	mark    time.Duration // when the next bin begins, or the warm-up ends
	now     time.Duration
	came    lifecycle.Request // requests so far; the name of the last
	pinged  lifecycle.Request // pings so far
	parked  map[lifecycle.Request]request
	current request           // the one that is arriving
	name    lifecycle.Request // its name; 0: none is
	place   int               // in the record that is followed, of the request that came last
	beside  time.Duration     // what that takes beside an instance
	delay   time.Duration     // the start delay of the instance that has become ready

	warm        time.Duration
	doubt       *Warning
	before      lifecycle.Request // requests during the warm-up
	counting    bool
	ended       time.Duration
	over        bool // what is over time has ended
	interrupted bool

	busy, instances, starting gauge
	peak                      int
	*durations
	totals   totals
	timeline timeline
	closed   ledger
}

func newEngine(load *Load, options *Options, d *durations) *engine {
	policy := options.Policy
	if policy.Seed == 0 {
		policy.Seed = load.stream(options.Seed, 5).Uint64()
	}
	e := &engine{
		load:      load,
		options:   options,
		pool:      lifecycle.New(policy),
		cold:      load.stream(options.Seed, 2),
		start:     load.stream(options.Seed, 3),
		ping:      load.stream(options.Seed, 4),
		dues:      newDues(options.Service.Mean()),
		parked:    map[lifecycle.Request]request{},
		durations: d,
	}
	if options.Record != nil && d.latency == nil {
		d.latency = hist.NewTally()
	}
	_, constant := options.Service.(dist.Constant)
	e.even = constant && load.Timed == nil && options.ColdService == nil && options.Contention == Contention{}
	if options.Policy.Slots > 1 && options.Contention != (Contention{}) {
		e.sharing = newSharing(options.Contention)
	}
	e.warm, e.doubt = options.warmup(cmp.Or(load.About, load.Span))
	e.mark = e.warm
	return e
}

// run takes some arrivals. Those that would run backwards end the simulation.
func (e *engine) run(c *chunk) error {
	for k, t := range c.times {
		if t < e.now {
			return e.backwards(t)
		}
		for e.dues.next <= t || e.mark <= t {
			e.advance()
		}
		e.now = t
		e.arrive(t, c, k)
	}
	return nil
}

func (e *engine) backwards(t time.Duration) error {
	return fmt.Errorf("arrivals of %q: request %d comes at %v, after one at %v: they must ascend", e.load.Name, e.came+1, t, e.now)
}

// advance does the next of what is due, or ends a bin of the timeline.
func (e *engine) advance() {
	if e.mark < e.dues.next {
		e.step(e.mark, lifecycle.Event{})
		e.tick(e.mark)
		return
	}
	d := e.dues.pop()
	e.now = d.at
	switch {
	case d.request < readyMark:
		e.finish(d)
	case d.request >= sharedMark:
		e.sharedDue(d)
	default:
		e.starting.add(d.at, -1)
		e.settle(d.at)
		e.delay = time.Duration(d.request - readyMark)
		e.act(d.at, lifecycle.Event{Kind: lifecycle.Ready, Instance: d.instance})
	}
}

// arrive has the k-th request of a chunk come.
func (e *engine) arrive(now time.Duration, c *chunk, k int) {
	e.came++
	service := c.services[k]
	if len(c.places) > 0 {
		e.place, e.beside = c.places[k], c.besides[k]
	}
	if i, ok := e.pool.Reuse(now, e.came); ok {
		e.direct.Record(service)
		if e.latency != nil {
			e.latency.Record(service + e.beside)
		}
		e.totals.usage.Billed += wholeMilliseconds(service)
		if e.options.Watch != nil {
			e.options.Watch(now, lifecycle.Action{Kind: lifecycle.Serve, How: lifecycle.ByReuse, Instance: i, Request: e.came})
		}
		e.begin(due{now + service, i, e.came})
		return
	}
	e.settle(now)
	for e.dues.next <= now { // what a ping began and ends at this very instant
		e.advance()
	}
	e.name, e.current = e.came, request{arrived: now, service: service, place: e.place, beside: e.beside}
	e.act(now, lifecycle.Event{Kind: lifecycle.Arrive, Request: e.came})
	if e.name != 0 {
		e.parked[e.name] = e.current
		e.name = 0
	}
}

// begin has an instance serve a request until it is due.
func (e *engine) begin(d due) {
	e.busy.add(e.now, 1)
	if e.even {
		e.dues.follow(d)
	} else {
		e.dues.push(e.now, d)
	}
}

func (e *engine) finish(d due) {
	e.busy.add(d.at, -1)
	if e.pool.Rest(d.at, d.instance, d.request) {
		return
	}
	e.step(d.at, lifecycle.Event{Kind: lifecycle.Finish, Instance: d.instance, Request: d.request})
}

// step tells the pool of an event, after all that is due before.
func (e *engine) step(now time.Duration, ev lifecycle.Event) {
	e.settle(now)
	e.act(now, ev)
}

// settle does what is due before an instant: by the policy, and what that began
// and ended since, such as pings.
func (e *engine) settle(now time.Duration) {
	for {
		at, ok := e.pool.NextDeadline()
		if !ok || at > now {
			at = now
		}
		switch {
		case e.dues.next < at:
			e.advance()
		case at < now:
			e.act(at, lifecycle.Event{})
		default:
			return
		}
	}
}

// act tells the pool of an event and does what it asks for, at that instant.
func (e *engine) act(now time.Duration, ev lifecycle.Event) {
	e.now = now
	e.tell(ev)
	e.perform()
}

// tell tells the pool of an event, and notes what is to be done.
func (e *engine) tell(ev lifecycle.Event) {
	e.out = e.pool.Step(e.now, ev, e.out)
	if e.house != nil {
		e.house.deliver(e.now)
	}
}

// perform does what is to be done, and what that leads to.
func (e *engine) perform() {
	for k := 0; k < len(e.out); k++ {
		e.do(e.out[k])
	}
	e.out = e.out[:0]
}

func (e *engine) do(a lifecycle.Action) {
	if e.options.Watch != nil {
		e.options.Watch(e.now, a)
	}
	switch a.Kind {
	case lifecycle.Start:
		e.startUp(a.Instance)
	case lifecycle.Serve:
		e.serve(a)
	case lifecycle.Reap:
		e.instances.add(e.now, -1)
		if e.house != nil {
			e.house.count(e.now, -1)
		}
		e.tell(lifecycle.Event{Kind: lifecycle.Cleared, Instance: a.Instance})
	case lifecycle.Throttle:
		if e.take(a.Request).arrived >= e.warm && a.Request < pingMark {
			e.totals.throttled++
		}
	case lifecycle.Ping:
		e.invoke()
	}
}

// startUp has an instance start. One that needs no time is ready at once.
func (e *engine) startUp(i lifecycle.Instance) {
	e.totals.started++
	e.instances.add(e.now, 1)
	e.peak = max(e.peak, e.instances.n)
	if e.house != nil {
		e.house.count(e.now, 1)
	}
	if e.options.StartDelay == nil {
		e.delay = 0
		e.tell(lifecycle.Event{Kind: lifecycle.Ready, Instance: i})
		return
	}
	delays := e.options.StartDelay
	if e.starting.n > 0 && e.options.StartBeside != nil {
		delays = e.options.StartBeside
	}
	delay := e.lasts(delays, e.place, e.start)
	e.totals.starting += float64(delay)
	e.starting.add(e.now, 1)
	e.dues.push(e.now, due{e.now + delay, i, readyMark + lifecycle.Request(delay)})
}

// lasts is how long something takes: as at a place of the record that is
// followed, if it tells.
func (e *engine) lasts(d dist.Distribution, place int, rng *rand.Rand) time.Duration {
	if s, ok := d.(*dist.Succession); ok && e.options.Record != nil {
		return s.At(place)
	}
	return d.Sample(rng)
}

// invoke pings the function.
func (e *engine) invoke() {
	if e.over { // who still waits is all that is of interest
		return
	}
	e.totals.pings++
	e.pinged++
	name := pingMark + e.pinged
	e.parked[name] = request{arrived: e.now, service: e.lasts(e.options.Service, e.place, e.ping), place: e.place}
	e.tell(lifecycle.Event{Kind: lifecycle.Arrive, Request: name})
}

// take gives a request that has been served or refused.
func (e *engine) take(name lifecycle.Request) request {
	if name == e.name {
		e.name = 0
		return e.current
	}
	r := e.parked[name]
	delete(e.parked, name)
	return r
}

// serve has an instance serve a request.
func (e *engine) serve(a lifecycle.Action) {
	r := e.take(a.Request)
	if a.How == lifecycle.ByStart {
		r.delay = e.delay
		if e.options.ColdService != nil {
			r.service = e.lasts(e.options.ColdService, r.place, e.cold)
		}
	}
	if e.sharing != nil {
		e.share(a, r)
		return
	}
	e.begin(due{e.now + r.service, a.Instance, a.Request})
	e.count(a, r, e.now-r.arrived, r.service)
}

// count notes a request that has been served: how, after what wait and for how long.
func (e *engine) count(a lifecycle.Action, r request, wait, service time.Duration) {
	if r.arrived < e.warm {
		return
	}
	t := &e.totals
	billed := wholeMilliseconds(service)
	if a.How == lifecycle.ByStart && e.options.BillStart {
		billed = wholeMilliseconds(service + r.delay)
		t.usage.InitBilled += billed - wholeMilliseconds(service)
	}
	t.usage.Billed += billed
	if a.How == lifecycle.ByProvision {
		t.aheadBilled += billed
	}
	if a.Request >= pingMark {
		if a.How == lifecycle.ByStart {
			t.pingsCold++
		}
		return
	}
	switch a.How {
	case lifecycle.ByReuse:
	case lifecycle.ByStart:
		t.cold++
	case lifecycle.ByQueue:
		t.queued++
	case lifecycle.ByResume:
		t.resumed++
	case lifecycle.ByProvision:
		t.ahead++
	}
	t.served++
	t.waited += float64(wait)
	e.response.Record(wait + service)
	e.service.Record(service)
	if e.latency != nil {
		e.latency.Record(wait + service + r.beside)
	}
}

// wholeMilliseconds rounds up.
func wholeMilliseconds(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1) / time.Millisecond * time.Millisecond
}

// tick ends the warm-up or a bin of the timeline.
func (e *engine) tick(at time.Duration) {
	e.busy.to(at)
	e.instances.to(at)
	e.starting.to(at)
	if !e.counting {
		e.reset(at)
	} else {
		e.timeline.close(at, e.sofar())
	}
	e.mark = e.timeline.next()
}

// reset begins to count.
func (e *engine) reset(at time.Duration) {
	e.counting = true
	e.before = e.came
	e.busy.area, e.instances.area, e.starting.area = 0, 0, 0
	e.peak = e.instances.n
	if e.house != nil {
		e.house.counting = true
	}
	e.durations.reset()
	e.totals = totals{}
	e.timeline = newTimeline(at, e.load.Span)
}

// sofar is what has been counted.
func (e *engine) sofar() bin {
	return bin{
		requests: uint64(e.came - e.before), cold: e.totals.cold, served: e.totals.served + e.direct.N(),
		throttled: e.totals.throttled, instances: e.instances.area, busy: e.busy.area,
	}
}

// end does what is due until the load ends, and then sees to those who wait.
func (e *engine) end() {
	end := e.now
	if e.load.Span > end && !e.interrupted && (e.options.Requests == 0 || uint64(e.came) < e.options.Requests) {
		end = e.load.Span
	}
	for e.dues.next <= end || e.mark <= end {
		e.advance()
	}
	e.step(end, lifecycle.Event{})
	e.close(end)
	e.drain()
	e.conclude()
}

// ledger is what is over time: it ends with the load.
type ledger struct {
	busy, instances, starting gauge
	started, pings            uint64
	peak                      int
}

func (e *engine) ledger() ledger {
	return ledger{e.busy, e.instances, e.starting, e.totals.started, e.totals.pings, e.peak}
}

// close ends what is over time.
func (e *engine) close(end time.Duration) {
	if !e.counting {
		e.warm = end
		e.tick(end)
	}
	e.busy.to(end)
	e.instances.to(end)
	e.starting.to(end)
	if end > e.timeline.last {
		e.timeline.close(end, e.sofar())
	}
	e.mark, e.ended, e.over = never, end, true
	e.closed = e.ledger()
}

// conclude is the last of all: nobody waits any more, and what is over time is
// again what it was at the load's end.
func (e *engine) conclude() {
	c := e.closed
	e.busy, e.instances, e.starting = c.busy, c.instances, c.starting
	e.totals.started, e.totals.pings, e.peak = c.started, c.pings, c.peak
}

// patience is how many instants in a row at which nothing but the policy's own
// is due, such as pings, may pass before nobody who waits is hoped for.
const patience = 1000

// drain goes on until everybody who waits is served, or never will be.
func (e *engine) drain() {
	for quiet := 0; e.owing() && quiet < patience; {
		at, ok := e.pool.NextDeadline()
		switch {
		case e.dues.next < never && (!ok || e.dues.next <= at):
			quiet = 0
			e.advance()
		case ok:
			quiet++
			waiting := len(e.parked)
			if e.act(at, lifecycle.Event{}); len(e.parked) != waiting {
				quiet = 0
			}
		default:
			quiet = patience
		}
	}
	e.totals.unserved = uint64(len(e.parked))
}

// owing says whether somebody waits, or is served for nobody knows how long.
func (e *engine) owing() bool {
	return len(e.parked) > 0 || e.sharing != nil && len(e.sharing.crews) > 0
}

func (e *engine) progress() {
	o := e.options
	if o.Progress == nil {
		return
	}
	share := 0.
	if e.load.Span > 0 {
		share = float64(e.now) / float64(e.load.Span)
	}
	if o.Requests > 0 {
		share = max(share, float64(e.came)/float64(o.Requests))
	}
	if share > 0 {
		o.Progress(min(share, 1))
	}
}
