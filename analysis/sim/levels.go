package sim

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Levels estimates a load from its counts of each minute, in time that does not
// depend on how many requests there are.
//
// A request that finds n instances busy is cold exactly if no more than n were
// busy within the last keep-alive T, because the instance used last is taken
// first: each time the number busy rises above a level, the instance that
// belongs to it is taken or started. Of N requests in a minute, anywhere in it,
// each served for S on average, B(N, S/1min) are in service at an instant. A
// process of births and deaths that has this distribution has births at the rate
// L(n) = (N-n)/(1min-S), and the mean time until n busy become n+1 is
//
//	tau(0) = 1/L(0),  tau(n) = (1 + n tau(n-1)/S) / L(n)
//
// and from an empty pool m(n) = tau(0) + ... + tau(n). So minute k exceeds n at
// the rate x(k,n) = 1min/m(n), in a Poisson process of its own, and
//
//	cold = sum over minutes k and levels n of
//	       P(minute k exceeds n for the first time at u) P(no minute did within T before u)
//
// summed over u in closed form, and as many instances are there as levels that
// were exceeded within T. Errors come from levels' ups and downs being
// taken as independent from minute to minute and steady within one, and from
// start delays, which keep instances longer: ColdError and InstancesError say
// how far off Cold and InstancesMean may be.
//
// It needs one request an instance, the instance used last taken first, and a
// fixed or drawn keep-alive of at least a minute: anything else is an error. A
// load too thin for the law, or services and starts that it would be too far off
// with, go to [Events] (engine "events" in the result), with arrivals drawn from the
// counts where the load has none.
func Levels(ctx context.Context, load Load, options Options) (*Result, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if err := options.levels(); err != nil {
		return nil, &LevelsError{err}
	}
	if load.Counts == nil {
		return nil, &LevelsError{fmt.Errorf("levels of %q: the load has no counts of its minutes: the event engine needs none", load.Name)}
	}
	if options.Requests > 0 {
		return nil, &LevelsError{fmt.Errorf("levels of %q: at most %d requests: the level engine takes whole minutes, leave the limit out", load.Name, options.Requests)}
	}
	load.Span = time.Duration(len(load.Counts)) * time.Minute
	why := load.beyond(&options)
	if why == nil {
		r := newLadder(&load, &options).climb(ctx)
		if r.Interrupted || r.ColdError <= mostDoubt {
			return r, nil
		}
		why = options.tooLong()
	}
	if load.Arrivals == nil {
		load.Arrivals = load.drawn
	}
	r, err := Events(ctx, load, options)
	if err == nil {
		r.Warnings = append(r.Warnings, *why)
	}
	return r, err
}

// LevelsError is what the level engine cannot do and the event engine can.
type LevelsError struct{ error }

// thin is the rate, in minutes that have requests, below which the law of levels
// is further off than it says: counts are not rates then.
const thin = 1

// beyond says why the law of levels would be too far off for a load; nil where
// it is not.
func (l *Load) beyond(o *Options) *Warning {
	if rate := l.density(); rate < thin {
		return warn(LowRate, "%s in minutes with requests is too thin for levels: each request was followed", units.FormatRate(units.Rate(rate)))
	}
	if d := o.doubtOf(l.Span); d.tied > mostTied || d.cold > mostDoubt {
		return o.tooLong()
	}
	return nil
}

// tooLong says what takes so long that levels are no estimate.
func (o *Options) tooLong() *Warning {
	what := "services of " + o.Service.String()
	if o.ColdService != nil {
		what += ", cold ones of " + o.ColdService.String()
	}
	if o.StartDelay != nil {
		what += ", starts of " + o.StartDelay.String()
	}
	return warn(LongService, "by levels cold starts could be off by more than %s with %s: each request was followed", units.FormatShare(mostDoubt), what)
}

// held is for how many seconds longer a cold request keeps its instance than
// a warm one.
func (o *Options) held() float64 {
	held := max(0, (o.coldService().Mean() - o.Service.Mean()).Seconds())
	if o.StartDelay != nil {
		held += o.StartDelay.Mean().Seconds()
	}
	return held
}

// longService is the longest mean service that counts of minutes say enough about.
const longService = 10 * time.Second

// levels says what the level engine cannot do.
func (o *Options) levels() error {
	p := &o.Policy
	switch life := o.longestLife(); {
	case o.Service.Mean() > longService:
		return fmt.Errorf("levels: service of %v on average: must be at most %v, well within a minute: the event engine does that", o.Service.Mean(), longService)
	case p.Slots > 1, p.Noise > 0, p.Hybrid != nil, p.Pause, p.LateBinding, len(p.Provisioned) > 0, p.Ping.Count > 0, p.Concurrency > 0, p.StartBurst > 0:
		return fmt.Errorf("levels: the policy has more than a keep-alive (slots, noise, hybrid, pause, late binding, provisioned, pings, concurrency or a start rate): the event engine does that")
	case o.StartBeside != nil:
		return fmt.Errorf("levels: starts slow each other: the event engine does that")
	case life >= 0 && life < time.Minute:
		return fmt.Errorf("levels: keep-alive %v: must be at least a minute, for counts do not say what happens within one: the event engine does that", life)
	case len(p.Survival) > 0 && (p.Survival[0].Idle < time.Minute || p.Survival[0].Alive < 1):
		return fmt.Errorf("levels: survival begins with %v alive after %v: it must begin with 1 alive after a minute or later, for counts do not say what happens within one: the event engine does that", p.Survival[0].Alive, p.Survival[0].Idle)
	}
	return nil
}

// density is the rate in minutes that have requests.
func (l *Load) density() float64 {
	sum, minutes := 0., 0.
	for _, n := range l.Counts {
		if n > 0 {
			sum += float64(n)
			minutes++
		}
	}
	return over(sum, 60*minutes)
}

// drawn are arrivals that the counts may stand for.
func (l *Load) drawn(rng *rand.Rand) iter.Seq[time.Duration] {
	return arrival.Counts{PerMinute: l.Counts}.Times(l.Span, rng)
}

// certain and never-to-be: a level whose rate is beyond these is exceeded in
// each minute, or in none.
const (
	certain  = 40
	unlikely = 1e-10
)

// rungs are a minute's rates: of the levels from low on. Those below are
// exceeded for certain, those above never.
type rungs struct {
	low   int
	rates []float64
}

func (r *rungs) rate(n int) float64 {
	switch k := n - r.low; {
	case k < 0:
		return certain
	case k < len(r.rates):
		return r.rates[k]
	}
	return 0
}

func (r *rungs) high() int { return r.low + len(r.rates) }

// count sets the rungs of a minute with n requests that are served for so many
// seconds on average.
func (r *rungs) count(n uint32, service float64) {
	r.low, r.rates = 0, r.rates[:0]
	if n == 0 {
		return
	}
	rate := func(level int) float64 { return float64(int64(n)-int64(level)) / (60 - service) }
	tau := 1 / rate(0)
	mean := tau
	for level := 0; level < int(n); level++ {
		if level > 0 {
			tau = (1 + float64(level)*tau/service) / rate(level)
			mean += tau
		}
		x := 60 / mean
		switch {
		case x > certain:
			r.low = level + 1
		case x < unlikely:
			return
		default:
			r.rates = append(r.rates, x)
		}
	}
}

// ladder is the levels over time.
type ladder struct {
	load    *Load
	options *Options
	service float64
	held    float64
	lives   []life
	minutes []rungs   // a ring of the last minutes, as many as the longest life needs
	peak    []float64 // by level: of the rates of all minutes
	floor   int       // levels below are exceeded for certain
}

// life is one keep-alive, in minutes, and with which probability it is drawn.
type life struct {
	whole  int
	part   float64
	weight float64

	sum   []float64 // by level: of the rates of the whole-1 minutes before this one
	lows  peaks     // of the same minutes
	highs peaks     // of all minutes that lie within the keep-alive in part
}

// draws is how many keep-alives stand for a survival curve.
const draws = 12

func newLadder(load *Load, options *Options) *ladder {
	l := &ladder{load: load, options: options, service: options.Service.Mean().Seconds(), held: options.held(), lives: options.lives(load.Span)}
	longest := 0
	for _, life := range l.lives {
		longest = max(longest, life.whole)
	}
	l.minutes = make([]rungs, longest+3)
	return l
}

// lives are the keep-alives of a load of some span.
func (o *Options) lives(span time.Duration) []life {
	of := func(d time.Duration, weight float64) life {
		minutes := d.Minutes()
		return life{whole: int(minutes), part: minutes - math.Floor(minutes), weight: weight}
	}
	switch p := &o.Policy; {
	case len(p.Survival) > 0:
		lives := make([]life, draws)
		for k := range lives {
			lives[k] = of(lifetime(p.Survival, (float64(k)+.5)/draws), 1./draws)
		}
		return lives
	case p.KeepAlive < 0:
		return []life{of(span+time.Minute, 1)}
	default:
		return []life{of(p.KeepAlive, 1)}
	}
}

// lifetime is the longest idle spell that a share of instances does not survive.
func lifetime(curve []lifecycle.Survivor, share float64) time.Duration {
	before := lifecycle.Survivor{Alive: 1}
	for _, point := range curve {
		if point.Alive <= 1-share {
			part := (before.Alive - (1 - share)) / (before.Alive - point.Alive)
			return before.Idle + time.Duration(part*float64(point.Idle-before.Idle))
		}
		before = point
	}
	return before.Idle
}

// at is a minute's rungs; none before the first.
func (l *ladder) at(minute int) *rungs {
	if minute < 0 {
		return &rungs{}
	}
	return &l.minutes[minute%len(l.minutes)]
}

// climb goes through the minutes.
func (l *ladder) climb(ctx context.Context) *Result {
	o, counts := l.options, l.load.Counts
	warmup, doubt := o.warmup(l.load.Span)
	warm := min(int((warmup+time.Minute-1)/time.Minute), len(counts))
	width := (len(counts)-warm)/maxBins + 1
	t := &tower{width: width}
	instances := 0.
	for minute, n := range counts {
		if minute&1023 == 0 {
			if ctx.Err() != nil {
				t.interrupted, counts = true, counts[:minute]
				break
			}
			if o.Progress != nil {
				o.Progress(float64(minute) / float64(len(counts)))
			}
		}
		now := l.at(minute)
		now.count(n, l.service)
		cold, before := 0., instances
		instances = 0
		for k := range l.lives {
			life := &l.lives[k]
			starts, there := life.mean(l, minute)
			cold += life.weight * starts
			instances += life.weight * there
			life.advance(l, minute)
		}
		if minute < warm {
			t.before += uint64(n)
			continue
		}
		t.count(minute, n, cold, instances, float64(n)*l.service)
		t.crowd += l.crowd(n, before, cold)
		l.top(now)
	}
	return l.result(t, min(warm, len(counts)), len(counts), doubt)
}

// crowd is how many more instances than levels say a minute of n requests may
// start, because those who come before the first ones are free again cannot
// take them: all who find those that were there before busy. That is 4 times as
// likely here as by Erlang's formula of an even load, and they are a standard
// deviation more than on average: a minute's levels are not even, and what is
// doubted is to be no less than what is.
func (l *ladder) crowd(n uint32, before, cold float64) float64 {
	if l.held == 0 {
		return 0
	}
	rate := float64(n) / 60
	come := rate * (l.held + l.service)
	blocked := min(1, 4*queue.ErlangB(rate*l.service, int(before)))
	return max(0, blocked*(come+math.Sqrt(come))-before-cold)
}

// mean is how many instances a minute starts on average with this keep-alive,
// and how many there are in it: one of each level that was exceeded within the
// keep-alive before the instant, averaged over the minute.
func (f *life) mean(l *ladder, minute int) (cold, instances float64) {
	now, last, before := l.at(minute), l.at(minute-f.whole), l.at(minute-f.whole-1)
	low, high := f.lows.max(), max(f.highs.max(), now.high())
	instances = float64(low)
	for n := low; n < high; n++ {
		x, more := now.rate(n), f.rate(n)
		absent := 0.
		if more < certain {
			absent = math.Exp(-more) * absence(x, last.rate(n), before.rate(n), f.part)
		}
		cold += x * absent
		instances += 1 - absent
	}
	return cold, instances
}

// rate is how often a level is exceeded in the whole minutes before this one
// that lie within the keep-alive wherever in this minute it ends.
func (f *life) rate(n int) float64 {
	if n < len(f.sum) {
		return max(0, f.sum[n])
	}
	return 0
}

// absence is the share of this minute, in which a level is exceeded at the rate
// x, in which it was not within the part of the keep-alive that lies here and in
// the two minutes in which the keep-alive may begin: at an instant u after u in
// the last of these, whose rate is z, but for a part p, and in so much of the
// one before, whose rate is y:
//
//	p                                 1
//	S  e^-xu e^-(z + (p-u) y) du  +   S  e^-xu e^-((1+p-u) z) du
//	0                                 p
//
// An instance of the level is missing then, and x times that is how often it
// has to be started.
func absence(x, z, y, p float64) float64 {
	piece := func(z, from, to, end, more float64) float64 {
		d := x - z
		if math.Abs(d) < 1e-9 {
			return math.Exp(-more-end*z) * (to - from)
		}
		return (math.Exp(-more-end*z-d*from) - math.Exp(-more-end*z-d*to)) / d
	}
	late := piece(z, p, 1, 1+p, 0)
	if p == 0 {
		return late
	}
	return late + piece(y, 0, p, p, z)
}

// advance ends a minute.
func (f *life) advance(l *ladder, minute int) {
	now, gone := l.at(minute), l.at(minute-f.whole+1)
	for len(f.sum) < now.high() {
		f.sum = append(f.sum, 0)
	}
	for k, x := range now.rates {
		f.sum[now.low+k] += x
	}
	for k, x := range gone.rates {
		f.sum[gone.low+k] -= x
	}
	f.lows.push(minute, now.low)
	f.highs.push(minute, now.high())
	f.lows.drop(minute - f.whole + 1)
	f.highs.drop(minute - f.whole - 1)
}

// peaks is the greatest of the last values, in constant time: those that a
// later and greater one outlives are forgotten.
type peaks struct {
	queue []mark
	head  int
}

type mark struct{ minute, value int }

func (p *peaks) push(minute, value int) {
	for len(p.queue) > p.head && p.queue[len(p.queue)-1].value <= value {
		p.queue = p.queue[:len(p.queue)-1]
	}
	if p.head > 4096 && 2*p.head > len(p.queue) {
		p.queue = p.queue[:copy(p.queue, p.queue[p.head:])]
		p.head = 0
	}
	p.queue = append(p.queue, mark{minute, value})
}

// drop forgets what was before or at a minute.
func (p *peaks) drop(minute int) {
	for p.head < len(p.queue) && p.queue[p.head].minute <= minute {
		p.head++
	}
}

func (p *peaks) max() int {
	if p.head < len(p.queue) {
		return p.queue[p.head].value
	}
	return 0
}

// top notes how often each level is exceeded at all.
func (l *ladder) top(now *rungs) {
	for len(l.peak) < now.high() {
		l.peak = append(l.peak, 0)
	}
	if now.low > 0 {
		l.floor = max(l.floor, now.low)
	}
	for k, x := range now.rates {
		l.peak[now.low+k] += x
	}
}

// median is the number of instances that the load exceeds with probability 1/2.
func (l *ladder) median() int {
	n := l.floor
	for n < len(l.peak) && l.peak[n] > math.Ln2 {
		n++
	}
	return n
}

// tower is what the minutes add up to.
type tower struct {
	interrupted              bool
	before, requests         uint64
	cold, instances, working float64 // the latter in minutes and seconds
	width                    int
	steps                    []Step
	colds                    float64 // of the step that is under way
	crowd                    float64 // cold starts that may come on top
}

func (t *tower) count(minute int, n uint32, cold, instances, working float64) {
	t.requests += uint64(n)
	t.cold += cold
	t.instances += instances
	t.working += working
	if last := len(t.steps) - 1; last < 0 || t.steps[last].Length == time.Duration(t.width)*time.Minute {
		t.steps = append(t.steps, Step{At: time.Duration(minute) * time.Minute})
		t.colds = 0
	}
	s := &t.steps[len(t.steps)-1]
	s.Length += time.Minute
	s.Requests += uint64(n)
	share := 1 / s.Length.Minutes()
	s.Instances += (instances - s.Instances) * share
	s.Busy += (working/60 - s.Busy) * share
	t.colds += cold
	s.Cold = uint64(t.colds + .5)
}

// result makes a result of the minutes from warm to end.
func (l *ladder) result(t *tower, warm, end int, doubt *Warning) *Result {
	o := l.options
	cold := math.Round(t.cold)
	r := &Result{
		Name: l.load.Name, Engine: EngineLevels, Functions: 1, Interrupted: t.interrupted,
		Requests: t.requests, WarmupRequests: t.before, Served: t.requests,
		Warmup: float64(warm) * 60, Span: float64(end-warm) * 60,
		Cold: uint64(cold), Started: uint64(cold), InstancesPeak: l.median(),
		InstanceSeconds: t.instances * 60, BusySeconds: t.working,
		ServiceMean: l.service, Timeline: t.steps, Warnings: []Warning{},
	}
	delay := 0.
	if o.StartDelay != nil {
		delay = o.StartDelay.Mean().Seconds()
		r.startingSeconds, r.delaySeconds, r.waitedSeconds = cold*delay, cold*delay, cold*delay
	}
	d := o.doubtOf(l.load.Span)
	crowd := over(t.crowd, t.cold)
	r.ColdError, r.InstancesError = d.cold+crowd, d.instances+crowd
	r.Usage = l.usage(r)
	r.Service = hist.New()
	expect(r.Service, o.Service, r.Requests-r.Cold)
	expect(r.Service, o.coldService(), r.Cold)
	r.derive()
	if t.interrupted {
		r.Warnings = append(r.Warnings, *warn(WasInterrupted, "interrupted after %d requests: figures are of these", t.requests+t.before))
	}
	if doubt != nil {
		r.Warnings = append(r.Warnings, *doubt)
	}
	r.Warnings = append(r.Warnings, *warn(ClosedForm, "cold starts are an estimate, within %s, and instances within %s, from counts of minutes; response times are not known", units.FormatShare(r.ColdError), units.FormatShare(r.InstancesError)))
	return r
}

// expect counts what n durations of a distribution are expected to be: those at
// the middle of even ranks, and for the longest rank the same again, until a
// rank is one of them.
func expect(h *hist.Histogram, d dist.Distribution, n uint64) {
	ranks := uint64(1024)
	for from := 0.; n > 0; {
		ranks = min(ranks, n)
		width := (1 - from) / float64(ranks)
		last := ranks
		if ranks < n {
			last--
		}
		for k := range last {
			h.RecordN(d.Quantile(from+(float64(k)+.5)*width), (k+1)*n/ranks-k*n/ranks)
		}
		n -= last * n / ranks
		from += float64(last) * width
	}
}

// doubt is how far off the law of levels may be, as shares of what it says.
type doubt struct {
	cold, instances float64
	// tied is the share of the number busy at an instant that is still busy a
	// random time of up to a minute later.
	tied float64
}

// The law is not asked where it could be further off than mostDoubt, nor where
// minutes are tied to each other by more than mostTied.
const (
	mostDoubt = .3
	mostTied  = .1
)

// doubtOf is the doubt of a load of some span. Services in progress tie what is
// busy in a minute to the next one, and an excess over a level to the one that
// the same requests made before: by their mean S beside the keep-alive T, and
// by how many are long. Where a cold request keeps its instance for D longer than
// others it calls for more of them in about D of each keep-alive, even where no
// crowd comes meanwhile.
// The factors are measured against the event engine, over steady, swinging and
// recorded loads, services from 100 ms to 10 s and keep-alives from 1 to 30
// minutes, with something to spare: a test holds it on a grid.
func (o *Options) doubtOf(span time.Duration) doubt {
	service, held, perLife := o.Service.Mean().Seconds(), o.held(), 0.
	for _, life := range o.lives(span) {
		perLife += life.weight / (60 * (float64(life.whole) + life.part))
	}
	d := doubt{tied: tied(o.Service)}
	d.cold = .08 + 8*service*perLife + d.tied + 10*held*perLife
	d.instances = .02 + 2*service*perLife + .5*d.tied + 2*held*perLife
	return d
}

// tied is the mean correlation of the number busy at two instants up to a
// minute apart: of services S,
//
//	E[S m - m*m/2] / (E[S] 1min)  with m = min(S, 1min)
func tied(service dist.Distribution) float64 {
	const ranks = 4096
	sum, mean := 0., 0.
	for k := range ranks {
		s := service.Quantile((float64(k) + .5) / ranks).Seconds()
		m := min(s, 60)
		sum += s*m - m*m/2
		mean += s
	}
	return over(sum, mean*60)
}

// usage is what the requests are billed. Of a distribution of durations it
// takes the mean of what whole milliseconds make of its quantiles.
func (l *ladder) usage(r *Result) usage.Usage {
	billed := func(d dist.Distribution, more time.Duration, n uint64) time.Duration {
		const ranks = 1000
		sum := 0.
		for k := range ranks {
			q := d.Quantile((float64(k) + .5) / ranks)
			sum += float64(wholeMilliseconds(q+more) - q)
		}
		ms := (float64(d.Mean()) + sum/ranks) / float64(time.Millisecond)
		return time.Duration(ms*float64(n)) * time.Millisecond
	}
	o := l.options
	cold := billed(o.coldService(), 0, r.Cold)
	u := usage.Usage{Requests: r.Requests, Cold: r.Cold, Billed: billed(o.Service, 0, r.Requests-r.Cold)}
	if o.BillStart && o.StartDelay != nil {
		u.InitBilled = billed(o.coldService(), o.StartDelay.Mean(), r.Cold) - cold
	}
	u.Billed += cold + u.InitBilled
	u.MemoryTime = int64(o.Memory>>20) * u.Billed.Milliseconds()
	return u
}
