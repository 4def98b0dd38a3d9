package sim

import (
	"math"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// gauge is a number over time, and its integral in nanoseconds.
type gauge struct {
	n    int
	last time.Duration
	area float64
}

func (g *gauge) add(now time.Duration, delta int) {
	g.to(now)
	g.n += delta
}

func (g *gauge) to(now time.Duration) {
	g.area += float64(g.n) * float64(now-g.last)
	g.last = now
}

// durations are how long requests took.
type durations struct {
	direct            *hist.Tally // response times that are service times: of requests that neither waited nor started an instance
	response, service *hist.Tally // of the others
	latency           *hist.Tally // response times with what goes beside; nil where nobody tells that
	// Of functions that came with histograms, as by levels; nil where none did.
	givenResponse, givenService *hist.Histogram
}

func newDurations() *durations {
	return &durations{direct: hist.NewTally(), response: hist.NewTally(), service: hist.NewTally()}
}

func (d *durations) reset() {
	d.direct.Reset()
	d.response.Reset()
	d.service.Reset()
	d.givenResponse, d.givenService = nil, nil
	if d.latency != nil {
		d.latency.Reset()
	}
}

// add adds up the durations of a function that is done.
func (d *durations) add(one *durations) {
	d.direct.Add(one.direct)
	d.response.Add(one.response)
	d.service.Add(one.service)
	merge(&d.givenResponse, one.givenResponse)
	merge(&d.givenService, one.givenService)
}

// take takes the histograms off a result.
func (d *durations) take(r *Result) {
	merge(&d.givenResponse, r.Response)
	merge(&d.givenService, r.Service)
	r.Response, r.Service, r.Latency = nil, nil, nil
}

// merge adds a histogram, if there is one, to another, which it makes for it.
func merge(into **hist.Histogram, from *hist.Histogram) {
	if from == nil {
		return
	}
	if *into == nil {
		*into = hist.New()
	}
	(*into).Merge(from)
}

// histograms are of all response times and all times of service.
func (d *durations) histograms() (response, service *hist.Histogram) {
	response, service = hist.New(), hist.New()
	response.Absorb(d.direct)
	response.Absorb(d.response)
	service.Absorb(d.direct)
	service.Absorb(d.service)
	merge(&response, d.givenResponse)
	merge(&service, d.givenService)
	return response, service
}

// latencies are of all functions that tell what goes beside, and the response
// times of the others; nil where none tells.
func latencies(guests []*guest) *hist.Histogram {
	h, told := hist.New(), false
	for _, g := range guests {
		if g.latency != nil {
			h.Absorb(g.latency)
			told = true
		} else {
			h.Absorb(g.direct)
			h.Absorb(g.response)
		}
	}
	if !told {
		return nil
	}
	return h
}

// mean is the mean time of service, in seconds.
func (d *durations) mean() float64 {
	n, m := float64(d.direct.N()), float64(d.service.N())
	return over(n*d.direct.Mean().Seconds()+m*d.service.Mean().Seconds(), n+m)
}

// totals are what has been counted since the warm-up.
type totals struct {
	served, cold, queued, resumed, ahead, throttled, unserved, pings, pingsCold, started uint64

	waited, starting float64 // ns: until the begin of service, from starts until ready

	usage       usage.Usage
	aheadBilled time.Duration // of Billed: on instances started ahead
}

// bin is a part of the timeline, or what had been counted before it.
type bin struct {
	requests, cold, served, throttled uint64
	instances, busy                   float64 // areas
}

func (b bin) minus(o bin) bin {
	return bin{b.requests - o.requests, b.cold - o.cold, b.served - o.served, b.throttled - o.throttled, b.instances - o.instances, b.busy - o.busy}
}

func (b *bin) add(o bin) {
	b.requests += o.requests
	b.cold += o.cold
	b.served += o.served
	b.throttled += o.throttled
	b.instances += o.instances
	b.busy += o.busy
}

// maxBins is the most bins of a timeline.
const maxBins = 512

// timeline is what happened in even steps of time. Where it grows too long, its
// steps are joined in pairs.
type timeline struct {
	from   time.Duration
	width  time.Duration
	bins   []bin
	before bin // all that was counted up to the present bin
	last   time.Duration
}

func newTimeline(from, span time.Duration) timeline {
	width := time.Second
	if span > from {
		width = max(1, (span-from+maxBins-1)/maxBins)
	}
	return timeline{from: from, width: width, bins: make([]bin, 0, maxBins), last: from}
}

// next is when the present bin ends.
func (t *timeline) next() time.Duration { return t.last + t.width }

// close ends the present bin at an instant, given all that was counted until
// then. A timeline that is full is joined instead, and the bin goes on.
func (t *timeline) close(at time.Duration, all bin) {
	if len(t.bins) == maxBins && at == t.next() {
		t.join()
		return
	}
	t.bins = append(t.bins, all.minus(t.before))
	t.before, t.last = all, at
}

func (t *timeline) join() {
	for k := range t.bins[:maxBins/2] {
		b := t.bins[2*k]
		b.add(t.bins[2*k+1])
		t.bins[k] = b
	}
	t.bins = t.bins[:maxBins/2]
	t.width *= 2
}

// steps is the timeline to be shown.
func (t *timeline) steps() []Step {
	steps := make([]Step, len(t.bins))
	for k, b := range t.bins {
		at := t.from + time.Duration(k)*t.width
		length := min(t.width, t.last-at)
		steps[k] = Step{At: at, Length: length, Requests: b.requests, Cold: b.cold, Throttled: b.throttled}
		if length > 0 {
			steps[k].Instances, steps[k].Busy = b.instances/float64(length), b.busy/float64(length)
		}
	}
	return steps
}

// Batches: at least so many that their spread says something.
const (
	minBatches = 16
	batches    = 32
)

// coldError is the standard error of the cold share by the means of batches of
// even length: of a ratio R = sum(c)/sum(n) over B batches,
//
//	se = sqrt(B/(B-1) sum (c - R n)^2) / sum(n)
//
// because what happens to one request depends on what happened within the
// keep-alive before it. It also gives the batches' length; ok is false where
// fewer than minBatches have a request, or none or all of those served are cold:
// batches that are all alike do not tell how far they would be apart.
func (t *timeline) coldError() (se float64, length time.Duration, ok bool) {
	full := t.bins
	if n := len(full); n > 0 && t.last < t.from+time.Duration(n)*t.width {
		full = full[:n-1]
	}
	each := (len(full) + batches - 1) / batches
	if each == 0 || len(full)/each < minBatches {
		return 0, 0, false
	}
	var groups []bin
	var all bin
	for k := 0; k+each <= len(full); k += each {
		var g bin
		for _, b := range full[k : k+each] {
			g.add(b)
		}
		if g.served > 0 {
			groups = append(groups, g)
			all.add(g)
		}
	}
	if len(groups) < minBatches || all.cold == 0 || all.cold == all.served {
		return 0, 0, false
	}
	share, sum := float64(all.cold)/float64(all.served), 0.
	for _, g := range groups {
		r := float64(g.cold) - share*float64(g.served)
		sum += r * r
	}
	n := float64(len(groups))
	return math.Sqrt(n/(n-1)*sum) / float64(all.served), time.Duration(each) * t.width, true
}
