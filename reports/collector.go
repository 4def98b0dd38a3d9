package reports

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Collector thins a run's samples out to what charts can show. Its size is
// bounded whatever the run's: a cell grid for the dots, a histogram a start
// kind, and a fixed number of time slots. It is not safe for concurrent use.
type Collector struct {
	dots      dots
	inFlight  load
	instances []change
	warmup    map[string]bool
	byStart   map[sample.Start]*hist.Histogram
}

// NewCollector returns a collector for a run with the given schedule.
func NewCollector(phases []summary.PhaseSpan) *Collector {
	var end time.Duration
	c := &Collector{warmup: map[string]bool{}, byStart: map[sample.Start]*hist.Histogram{}}
	for _, p := range phases {
		end = max(end, p.End)
		if p.Warmup {
			c.warmup[p.Name] = true
		}
	}
	c.dots = newDots(end)
	c.inFlight = newLoad(end)
	return c
}

// Add takes one sample, in any order, and keeps nothing of it. A dropped
// arrival has nothing to show.
func (c *Collector) Add(s *sample.Sample) {
	if s.Err == sample.Dropped {
		return
	}
	start := s.Start
	if s.Grade <= sample.Inferred {
		start = sample.Unknown
	}
	c.inFlight.add(s.Sent, s.Done)
	c.dots.add(Point{At: s.Intended, Latency: s.Latency(), Start: start, Failed: s.Err != sample.NoError, Count: 1})
	if s.Err != sample.NoError || c.warmup[s.Phase] {
		return
	}
	h := c.byStart[start]
	if h == nil {
		h = hist.New()
		c.byStart[start] = h
	}
	h.Record(s.Latency())
}

// Instance takes the life of one instance, as offsets from the run's origin; a
// gone of 0 is one that outlived the run.
func (c *Collector) Instance(started, gone time.Duration) {
	c.instances = append(c.instances, change{started, 1})
	if gone > 0 {
		c.instances = append(c.instances, change{gone, -1})
	}
}

// Collect puts what was collected into r.
func (c *Collector) Collect(r *Run) {
	r.Points = c.dots.points()
	r.InFlight = c.inFlight.levels()
	r.Instances = steps(c.instances)
	r.Distributions = nil
	for _, start := range sample.StartOrder() {
		if h := c.byStart[start]; h != nil && h.N() > 0 {
			r.Distributions = append(r.Distributions, DistributionOf(start, h))
		}
	}
}

// The grid that dots fall into. At the coarsest reading a chart of 480 columns
// has more of them than a reader can tell apart.
const (
	dotColumns = 480
	dotRows    = 24 // a decade of latency
	mostDots   = 4000
)

// dots keeps the slowest request of each cell of a grid over time and log
// latency. When a kind of request fills too many cells, the grid doubles its
// cells' sides: dots get fewer, none moves, and the slowest stays.
type dots struct {
	width  time.Duration // of a column
	coarse uint          // how often the sides were doubled
	cells  map[cell]Point
	kinds  map[kind]int // cells a kind has filled
}

type kind struct {
	start  sample.Start
	failed bool
}

type cell struct {
	kind
	column, row int
}

func newDots(end time.Duration) dots {
	return dots{width: max(end/dotColumns, time.Millisecond), cells: map[cell]Point{}, kinds: map[kind]int{}}
}

func (d *dots) add(p Point) {
	k := kind{p.Start, p.Failed}
	if d.put(p); d.kinds[k] <= mostDots {
		return
	}
	d.coarse++
	old := d.cells
	d.cells, d.kinds = map[cell]Point{}, map[kind]int{}
	for _, p := range old {
		d.put(p)
	}
}

func (d *dots) put(p Point) {
	c := cell{kind: kind{p.Start, p.Failed}, column: int(p.At/d.width) >> d.coarse}
	if p.Latency > 0 {
		c.row = int(math.Log10(float64(p.Latency))*dotRows) >> d.coarse
	}
	have, ok := d.cells[c]
	if !ok {
		d.kinds[c.kind]++
		d.cells[c] = p
		return
	}
	n := have.Count + p.Count
	if p.Latency > have.Latency || (p.Latency == have.Latency && p.At < have.At) {
		have = p
	}
	have.Count = n
	d.cells[c] = have
}

func (d *dots) points() []Point {
	out := make([]Point, 0, len(d.cells))
	for _, p := range d.cells {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Count, b.Count))
	})
	return out
}

// loadSlots is the number of time slots; their width doubles when the run
// outgrows them.
const loadSlots = 2048

// load integrates requests under way over time: each slot's value is the
// mean over the slot, exactly, whatever the order of the samples.
type load struct {
	width time.Duration
	used  int                      // slots that something reached
	busy  [loadSlots]time.Duration // summed parts of requests that begin or end inside the slot
	whole [loadSlots + 1]int64     // change in the number of requests that cover slots whole
}

func newLoad(end time.Duration) load {
	// Half of the slots for the schedule leaves room for the answers after it.
	return load{width: max(end/(loadSlots/2), 100*time.Microsecond)}
}

func (l *load) add(from, to time.Duration) {
	if to <= from || from < 0 {
		return
	}
	for to/l.width >= loadSlots {
		l.double()
	}
	first, last := int(from/l.width), int(to/l.width)
	l.used = max(l.used, last+1)
	if first == last {
		l.busy[first] += to - from
		return
	}
	l.busy[first] += l.width*time.Duration(first+1) - from
	l.busy[last] += to - l.width*time.Duration(last)
	l.whole[first+1]++
	l.whole[last]--
}

// settle turns whole into busy.
func (l *load) settle() {
	var n int64
	for i := range l.busy {
		n += l.whole[i]
		l.busy[i] += l.width * time.Duration(n)
		l.whole[i] = 0
	}
	l.whole[loadSlots] = 0
}

func (l *load) double() {
	l.settle()
	for i := range loadSlots / 2 {
		l.busy[i] = l.busy[2*i] + l.busy[2*i+1]
	}
	clear(l.busy[loadSlots/2:])
	l.width *= 2
	l.used = (l.used + 1) / 2
}

func (l *load) levels() []Level {
	l.settle()
	var out []Level
	for i := range l.used {
		v := float64(l.busy[i]) / float64(l.width)
		if n := len(out); n == 0 || out[n-1].Value != v {
			out = append(out, Level{At: l.width * time.Duration(i), Value: v})
		}
	}
	if len(out) > 0 {
		out = append(out, Level{At: l.width * time.Duration(l.used)})
	}
	return out
}

// change is one instance more or less.
type change struct {
	at time.Duration
	by int
}

// mostSteps bounds a step curve; beyond it, changes are gathered into as many
// equal stretches of time, each of which keeps its highest count.
const mostSteps = 4096

func steps(changes []change) []Level {
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	var out []Level
	n := 0
	for _, c := range changes {
		n += c.by
		if last := len(out) - 1; last >= 0 && out[last].At == c.at {
			out[last].Value = float64(n)
			continue
		}
		out = append(out, Level{At: c.at, Value: float64(n)})
	}
	if len(out) <= mostSteps {
		return out
	}
	width := max((out[len(out)-1].At-out[0].At)/mostSteps, 1)
	thin := out[:1]
	for _, l := range out[1:] {
		last := &thin[len(thin)-1]
		if (l.At-out[0].At)/width == (last.At-out[0].At)/width {
			last.Value = max(last.Value, l.Value)
			continue
		}
		thin = append(thin, l)
	}
	return thin
}
