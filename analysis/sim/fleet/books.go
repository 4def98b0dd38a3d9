package fleet

import (
	"math"
	"time"
)

// books are what is added up while the fleet runs.
type books struct {
	counting bool
	since    int64 // from when on times are added up
	until    int64
	arrivals uint64

	// Sums over time, in nanoseconds times how many.
	busy, serving, alive, system float64
	peak                         int
	billed, lived                time.Duration // the part below whole hours
	billedHours, livedHours      int64

	responses, waits, delays, misses batches
	timeline                         timeline
}

// settle adds up the time since the last event.
func (e *engine) settle(at int64) {
	dt := float64(at - e.now)
	if dt == 0 {
		return
	}
	e.now = at
	b := &e.books
	if !b.counting {
		return
	}
	busy := dt * float64(e.busy)
	b.busy += busy
	b.serving += dt * float64(e.serving)
	b.alive += dt * float64(e.alive)
	b.system += dt * float64(e.system)
	e.scaler.busy += dt * float64(e.busyServing)
	e.scaler.offered += dt * float64(e.serving) * float64(e.workers)
}

// reset begins to count: the warm-up has ended.
func (b *books) reset(e *engine) {
	b.since = e.now
	b.busy, b.serving, b.alive, b.system = 0, 0, 0, 0
	b.billed, b.lived, b.billedHours, b.livedHours = 0, 0, 0, 0
	b.peak = e.alive
	e.result.Started, e.result.Failures = uint64(e.alive), 0
	b.timeline = timeline{}
}

// close ends the time that is added up; requests are still counted.
func (b *books) close(e *engine, end int64) {
	b.until = end
	for i := range e.slots {
		if s := &e.slots[i]; s.state != gone {
			if s.started <= b.since {
				e.result.Throughout++
			}
			b.count(time.Duration(end-max(s.started, b.since)), time.Duration(end-max(s.started, b.since)))
		}
	}
	b.timeline.end(e)
	b.counting = false
}

// bill counts the life of an instance that is gone. One that began before the
// count did is not rounded: what is paid for it is mostly outside.
func (b *books) bill(rule Billing, started, ended int64) {
	if !b.counting {
		return
	}
	life := time.Duration(ended - max(started, b.since))
	paid := life
	if started >= b.since {
		paid = max(life, rule.Minimum)
		if over := paid % rule.Step; over > 0 {
			paid += rule.Step - over
		}
	}
	b.count(paid, life)
}

// count adds to sums that may exceed the 292 years of a Duration.
func (b *books) count(paid, life time.Duration) {
	b.billed += paid
	b.lived += life
	b.billedHours += int64(b.billed / time.Hour)
	b.livedHours += int64(b.lived / time.Hour)
	b.billed %= time.Hour
	b.lived %= time.Hour
}

// batches estimates the standard error of a mean of values that depend on their
// neighbours, by the means of batches of them: 32 to 63 of the same size, which
// doubles when there are 64. Source: A. M. Law, Simulation Modeling and
// Analysis, 5th ed. 2015, section 9.5.3.
type batches struct {
	sums  [most]float64
	full  int    // batches
	each  uint64 // values of a batch
	n     uint64 // values of the batch that is being filled
	sum   float64
	total float64
	count uint64
}

const (
	most   = 64
	fewest = 10 // batches for an error to be told
)

func (b *batches) add(v float64) {
	b.sum += v
	b.n++
	if b.n >= b.each {
		b.flush()
	}
}

func (b *batches) flush() {
	b.each = max(b.each, 1)
	b.total += b.sum
	b.count += b.n
	b.sums[b.full] = b.sum
	b.full++
	b.n, b.sum = 0, 0
	if b.full < most {
		return
	}
	for i := range most / 2 {
		b.sums[i] = b.sums[2*i] + b.sums[2*i+1]
	}
	b.full = most / 2
	b.each *= 2
}

// mean is the mean of all values, with its standard error; nil where there are
// too few.
func (b *batches) mean() (mean float64, stderr *float64) {
	n := b.count + b.n
	if n == 0 {
		return 0, nil
	}
	mean = (b.total + b.sum) / float64(n)
	if b.full < fewest {
		return mean, nil
	}
	centre, squares := b.total/float64(b.count), 0.0
	for _, sum := range b.sums[:b.full] {
		off := sum/float64(b.each) - centre
		squares += off * off
	}
	k := float64(b.full)
	return mean, new(math.Sqrt(squares / (k - 1) / k))
}

// Step is what the fleet was like from At on, until the next step.
type Step struct {
	At       time.Duration `json:"at_ns"`
	Length   time.Duration `json:"length_ns"`
	Requests uint64        `json:"requests"`
	Alive    float64       `json:"alive_mean"`   // instances: booting, serving, draining
	Serving  float64       `json:"serving_mean"` // of them: that take requests
	Busy     float64       `json:"busy_mean"`    // workers
}

// timeline is steps of the same length, which doubles when there are too many.
type timeline struct {
	steps  []Step // with sums in place of means
	length int64
	last   sums
}

type sums struct {
	at                   int64
	arrivals             uint64
	alive, serving, busy float64
}

const (
	firstStep = int64(time.Second)
	mostSteps = 240
)

// mark ends a step and sets the next mark.
func (t *timeline) mark(e *engine) {
	if !e.books.counting {
		return
	}
	t.length = max(t.length, firstStep)
	t.end(e)
	if len(t.steps) == mostSteps {
		for i := range mostSteps / 2 {
			a, b := t.steps[2*i], t.steps[2*i+1]
			a.Length += b.Length
			a.Requests += b.Requests
			a.Alive += b.Alive
			a.Serving += b.Serving
			a.Busy += b.Busy
			t.steps[i] = a
		}
		t.steps = t.steps[:mostSteps/2]
		t.length *= 2
	}
	e.agenda.add(task{at: e.now + t.length, kind: mark})
}

// end puts down what there was since the last mark.
func (t *timeline) end(e *engine) {
	b := &e.books
	if t.last.at < b.since {
		t.last = sums{at: b.since, arrivals: b.arrivals - e.result.Requests}
	}
	if e.now == t.last.at {
		return
	}
	now := sums{e.now, b.arrivals, b.alive, b.serving, b.busy}
	t.steps = append(t.steps, Step{
		At: time.Duration(t.last.at), Length: time.Duration(now.at - t.last.at), Requests: now.arrivals - t.last.arrivals,
		Alive: now.alive - t.last.alive, Serving: now.serving - t.last.serving, Busy: now.busy - t.last.busy,
	})
	t.last = now
}

// report turns sums into means.
func (t *timeline) report() []Step {
	for i := range t.steps {
		s := &t.steps[i]
		d := float64(s.Length)
		s.Alive, s.Serving, s.Busy = s.Alive/d, s.Serving/d, s.Busy/d
	}
	return t.steps
}

// report makes the result of what was added up.
func (e *engine) report() *Result {
	r, b := &e.result, &e.books
	span := float64(b.until - b.since)
	r.Span = time.Duration(b.until - b.since)
	r.Errors = r.Rejected + r.TimedOut + r.Unserved + r.Failed
	if r.Requests > 0 {
		r.MissShare = float64(r.Late+r.Errors) / float64(r.Requests)
	}
	_, r.MissStderr = b.misses.mean()
	r.ResponseMean, r.ResponseStderr = b.responses.seconds()
	r.WaitMean, r.WaitStderr = b.waits.seconds()
	r.Delayed, r.DelayedStderr = b.delays.mean()
	r.InstanceHours = float64(b.billedHours) + b.billed.Hours()
	r.AliveHours = float64(b.livedHours) + b.lived.Hours()
	r.InstancesPeak = b.peak
	r.Timeline = b.timeline.report()
	if span > 0 {
		r.InstancesMean = b.alive / span
		r.ServingMean = b.serving / span
		r.BusyMean = b.busy / span
		r.SystemMean = b.system / span
	}
	if b.serving > 0 {
		r.Utilisation = b.busy / b.serving / float64(e.workers)
	}
	return r
}

// seconds is mean of nanoseconds.
func (b *batches) seconds() (mean float64, stderr *float64) {
	mean, stderr = b.mean()
	if stderr != nil {
		*stderr /= 1e9
	}
	return mean / 1e9, stderr
}
