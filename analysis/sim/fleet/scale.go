package fleet

import (
	"math"
	"time"
)

// Change is one of the fleet's size.
type Change struct {
	At       time.Duration
	Kind     ChangeKind
	Booting  int // instances, after it
	Serving  int // that take requests
	Draining int
	// Utilisation is the metric that led to it and Wanted the number of
	// instances that it asked for; both 0 where no metric did.
	Utilisation float64
	Wanted      int
}

// ChangeKind is what changed.
type ChangeKind string

// The kinds.
const (
	ScaledOut ChangeKind = "scaled-out" // instances were started
	ScaledIn  ChangeKind = "scaled-in"  // booting ones were given up, others take no more requests
	Ready     ChangeKind = "ready"      // one has booted and takes requests
	Failed    ChangeKind = "failed"     // one has failed, and another was started in its place
	Drained   ChangeKind = "drained"    // one that took no more requests is gone
)

// task is something to attend to that is no request's.
type task struct {
	at       int64
	kind     taskKind
	instance int32
	life     uint32  // of the slot; a task for an earlier one is void
	metric   float64 // of decide
}

type taskKind uint8

const (
	ready     taskKind = iota // an instance has booted
	breakdown                 // an instance fails
	cutOff                    // a draining instance's time is up
	measure                   // the autoscaler's period ends
	decide                    // its metric has arrived
	count                     // the warm-up ends
	mark                      // a step of the timeline ends
)

// agenda is tasks by time; those of the same time in the order of their kinds
// and instances. There are few, so it is kept sorted, the next one last.
type agenda struct{ tasks []task }

func (a *agenda) next() int64 {
	if len(a.tasks) == 0 {
		return never
	}
	return a.tasks[len(a.tasks)-1].at
}

func (a *agenda) pop() task {
	t := a.tasks[len(a.tasks)-1]
	a.tasks = a.tasks[:len(a.tasks)-1]
	return t
}

// add keeps the order. A binary search and a move of memory: 10,000 instances
// that may fail are 240 KB.
func (a *agenda) add(t task) {
	low, high := 0, len(a.tasks)
	for low < high {
		middle := (low + high) / 2
		if t.before(a.tasks[middle]) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	a.tasks = append(a.tasks, task{})
	copy(a.tasks[low+1:], a.tasks[low:])
	a.tasks[low] = t
}

func (t task) before(u task) bool {
	if t.at != u.at {
		return t.at < u.at
	}
	if t.kind != u.kind {
		return t.kind < u.kind
	}
	return t.instance < u.instance
}

func (e *engine) attend(t task) {
	e.settle(t.at)
	switch t.kind {
	case measure:
		e.measure()
		return
	case decide:
		e.decide(t.metric)
		return
	case count:
		e.books.reset(e)
		return
	case mark:
		e.books.timeline.mark(e)
		return
	}
	if s := &e.slots[t.instance]; s.life != t.life || s.state == gone {
		return
	}
	switch t.kind {
	case ready:
		e.join(t.instance)
		e.observe(Ready, 0, 0)
	case breakdown:
		if e.slots[t.instance].state == serving {
			e.leave(t.instance)
			e.end(t.instance)
			e.boot()
			if e.books.counting {
				e.result.Failures++
			}
			e.observe(Failed, 0, 0)
		}
	case cutOff:
		e.end(t.instance)
		e.observe(Drained, 0, 0)
	}
}

// boot starts an instance and lets it join when it has booted.
func (e *engine) boot() {
	i := e.start()
	took := int64(0)
	if e.options.Boot != nil {
		took = max(0, int64(e.options.Boot.Sample(e.fate)))
	}
	e.agenda.add(task{at: e.now + took, kind: ready, instance: i, life: e.slots[i].life})
}

// start makes an instance, which boots from now on.
func (e *engine) start() int32 {
	var i int32
	if n := len(e.spare); n > 0 {
		i, e.spare = e.spare[n-1], e.spare[:n-1]
	} else {
		i = int32(len(e.slots))
		e.slots = append(e.slots, slot{})
	}
	s := &e.slots[i]
	s.life++
	s.state, s.started, s.load = booting, e.now, 0
	e.booting++
	e.alive++
	if e.books.counting {
		e.result.Started++
		e.books.peak = max(e.books.peak, e.alive)
	}
	return i
}

// join lets an instance that boots take requests.
func (e *engine) join(i int32) {
	s := &e.slots[i]
	s.state = serving
	e.booting--
	e.serving++
	e.roster.join(e.slots, i)
	e.turns.join(i)
	if mtbf := e.options.MTBF; mtbf > 0 {
		e.agenda.add(task{at: e.now + later(e.fate.ExpFloat64(), mtbf), kind: breakdown, instance: i, life: s.life})
	}
	if e.options.Balancing == SharedQueue {
		e.feed(i)
	}
}

// later is so many times d, at most some hundred years.
func later(times float64, d time.Duration) int64 {
	return int64(min(times*float64(d), math.MaxInt64/4))
}

// leave lets an instance take no more requests.
func (e *engine) leave(i int32) {
	s := &e.slots[i]
	s.state = draining
	e.serving--
	e.busyServing -= int(s.busy)
	e.roster.leave(e.slots, i)
	e.turns.leave(i)
}

// drain ends an instance as soon as it has done what it has.
func (e *engine) drain(i int32) {
	e.leave(i)
	switch s := &e.slots[i]; {
	case s.busy == 0:
		e.end(i)
	case e.options.DrainTimeout > 0:
		e.agenda.add(task{at: e.now + int64(e.options.DrainTimeout), kind: cutOff, instance: i, life: s.life})
	}
}

// end takes an instance that takes no requests away, with all that it still has:
// those in service are counted when they would have been done.
func (e *engine) end(i int32) {
	s := &e.slots[i]
	e.expire(&s.line)
	if s.state == booting {
		e.booting--
	}
	for s.line.n > 0 {
		e.fail(s.line.pop().arrived, failed)
		e.system--
	}
	e.busy -= int(s.busy)
	e.system -= int(s.busy)
	s.busy, s.load, s.state = 0, 0, gone
	s.life++
	e.alive--
	e.spare = append(e.spare, i)
	e.books.bill(e.options.Billing, s.started, e.now)
}

func (e *engine) observe(kind ChangeKind, utilisation float64, wanted int) {
	if e.options.Observe != nil {
		e.options.Observe(Change{
			At: time.Duration(e.now), Kind: kind, Utilisation: utilisation, Wanted: wanted,
			Booting: e.booting, Serving: e.serving, Draining: e.alive - e.booting - e.serving,
		})
	}
}

// scaler is what the autoscaler remembers.
type scaler struct {
	wanted        int
	busy, offered float64 // worker-nanoseconds in this period: busy, and there
	above, below  int     // periods in a row that wanted more, or less
	lastOut       int64
	lastChange    int64
	changed, out  bool // there was a change, one outward
}

// measure ends a period.
func (e *engine) measure() {
	a, s := e.options.Autoscaling, &e.scaler
	utilisation := 0.0
	if s.offered > 0 {
		utilisation = s.busy / s.offered
	}
	idle := s.offered == 0 // nobody took requests: there is no metric
	s.busy, s.offered = 0, 0
	e.agenda.add(task{at: e.now + int64(a.Period), kind: measure})
	switch {
	case idle:
	case a.Delay > 0:
		e.agenda.add(task{at: e.now + int64(a.Delay), kind: decide, metric: utilisation})
	default:
		e.decide(utilisation)
	}
}

// decide starts or stops instances for a metric.
func (e *engine) decide(utilisation float64) {
	a, s := e.options.Autoscaling, &e.scaler
	const rounding = 1e-9 // a fleet that is exactly on target stays as it is
	s.wanted = int(math.Ceil(float64(e.serving)*utilisation/a.Target - rounding))
	s.wanted = min(max(s.wanted, a.Min), a.Max)
	have := e.serving + e.booting
	switch {
	case s.wanted > have:
		s.above, s.below = s.above+1, 0
		if s.above >= a.OutAfter && !(s.out && e.now-s.lastOut < int64(a.OutCooldown)) {
			e.scaleOut(s.wanted - have)
			s.lastOut, s.out = e.now, true
			s.note(e.now)
			e.observe(ScaledOut, utilisation, s.wanted)
		}
	case s.wanted < have:
		s.above, s.below = 0, s.below+1
		if s.below >= a.InAfter && !(s.changed && e.now-s.lastChange < int64(a.InCooldown)) {
			e.scaleIn(have - s.wanted)
			s.note(e.now)
			e.observe(ScaledIn, utilisation, s.wanted)
		}
	default:
		s.above, s.below = 0, 0
	}
}

func (s *scaler) note(now int64) {
	s.lastChange, s.changed = now, true
	s.above, s.below = 0, 0
}

func (e *engine) scaleOut(n int) {
	for range n {
		e.boot()
	}
}

// scaleIn stops n instances: first those that boot, the newest first, then
// those with the least to do.
func (e *engine) scaleIn(n int) {
	for ; n > 0 && e.booting > 0; n-- {
		e.end(e.newestBooting())
	}
	for ; n > 0; n-- {
		e.drain(e.roster.least())
	}
}

func (e *engine) newestBooting() int32 {
	newest := int32(-1)
	for i := range e.slots {
		if e.slots[i].state == booting && (newest < 0 || e.slots[i].started >= e.slots[newest].started) {
			newest = int32(i)
		}
	}
	return newest
}
