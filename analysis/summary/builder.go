package summary

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Input is what the run was meant to do, and how it ended. Every field may be
// zero: a summary of nothing is a summary with doubts, never a panic.
type Input struct {
	Scenario string
	Platform string
	Dir      string
	Seed     uint64
	Phases   []PhaseSpan // in order, back to back
	// Tiers says by function how its instances are isolated and started, where
	// that is not the same for all.
	Tiers map[string]string

	Complete    bool // every sample is there
	Interrupted bool // ended on request before its schedule did
	// Failure is what became of the platform in a run that went to its end all
	// the same; "" where nothing did.
	Failure string
	Notes   []string
	SoFar   []string // notes that tell of the runs before on the same platform, too
	// EmulatedStarts is whether starts took as long as a published distribution has it.
	EmulatedStarts bool
	Backlog        int // most requests under way at once; 0 where it was not watched
	// WaitAt is the in-flight cap at which arrivals wait; 0 where they are
	// dropped instead. What a run waited at its cap is the scenario's wish and
	// not the generator's weakness.
	WaitAt       int
	Held         uint64  // arrivals that waited at the cap
	PeakBacklog  uint64  // most arrivals that were due and not yet sent
	GeneratorCPU float64 // the load generator's part of the machine's CPU time over the run, 0 to 1; 0 where it is not known
	Causes       []Cause // why requests failed, as the driver was told
}

// Cause is the first failure of a function and kind, and how many there were,
// warm-up included.
type Cause struct {
	Function string `json:"function"`
	Kind     string `json:"kind"` // as in errors_by_kind
	N        uint64 `json:"n"`
	Message  string `json:"message"`        // of the first, in the platform's words, one line
	Hint     string `json:"hint,omitempty"` // what the reader can do about it, where the message does not say
}

// PhaseSpan is a phase's place in the schedule, [Start, End).
type PhaseSpan struct {
	Name       string
	Start, End time.Duration // offsets from the run's origin
	Warmup     bool
	Offered    uint64        // arrivals in the schedule
	Gap        time.Duration // between the probes of an idle probe; 0 for any other traffic
}

// Builder adds samples up. It holds a few histograms for each phase, function
// and start kind that occurred and no sample, so that its memory does not grow
// with the run. It is not safe for concurrent use.
type Builder struct {
	in      Input
	phases  []*phaseTally // those of in, then those that only samples named
	byName  map[string]*phaseTally
	groups  map[groupKey]*tally
	colds   map[groupKey]*tally // of the cold ones among groups, those whose occasion is known, by it
	dropped map[lane]uint64     // warm-up left out
	last    time.Duration       // latest moment that any sample tells of
	crowd   *crowd              // nil where no arrival had to wait at the in-flight cap
	held    map[string]bool     // of a restored record: the phases in which one had to
}

// groupKey finds a group. Start is what may be believed, not what was claimed.
// The occasion is unknown but in Builder.colds.
type groupKey struct {
	phase, function string
	start           sample.Start
	occasion        sample.Occasion
}

type lane struct{ phase, function string }

// phaseTally counts what one phase did.
type phaseTally struct {
	span      PhaseSpan
	scheduled bool // named by the input

	sent, dropped, errors     uint64
	cold, known, unknown      uint64
	answered, answeredUnknown uint64
	overlapped                uint64        // answered later than the next probe was due
	firstDue, lastSent        time.Duration // of those that were sent
}

// tally is a group while it grows.
type tally struct {
	n, errors uint64
	kinds     map[sample.ErrorKind]uint64
	grade     sample.Grade // the weakest

	latency, service *hist.Histogram // of successes
	lag              *hist.Histogram // of all that was sent
	// worked and started are how long instances worked and, told or not, had
	// booted and begun their init before; nil as long as no request tells.
	worked, started *hist.Histogram

	parts     sample.Breakdown // sums
	partsN    uint64
	partsSpan time.Duration // sum of the service of those that carry parts
	startsN   uint64        // those of them that waited for a start: provision, boot or init is above 0
	billed    time.Duration // sum
	billedN   uint64
}

// Note adds a doubt that came up while the samples were read.
func (b *Builder) Note(text string) { b.in.Notes = append(b.in.Notes, text) }

// New returns a builder of one run's summary.
func New(in Input) *Builder {
	b := &Builder{
		in:      in,
		byName:  map[string]*phaseTally{},
		groups:  map[groupKey]*tally{},
		colds:   map[groupKey]*tally{},
		dropped: map[lane]uint64{},
	}
	if in.WaitAt > 0 && in.Held > 0 {
		b.crowd = newCrowd()
	}
	for _, span := range in.Phases {
		p := &phaseTally{span: span, scheduled: true}
		b.phases = append(b.phases, p)
		b.byName[span.Name] = p
	}
	return b
}

// Add counts one sample, in any order. It keeps nothing of s but its strings.
func (b *Builder) Add(s *sample.Sample) {
	p := b.phase(s.Phase)
	b.last = max(b.last, s.Intended, s.Sent, s.Done)
	if s.Err == sample.Dropped {
		p.dropped++
		if !p.span.Warmup {
			b.dropped[lane{s.Phase, s.Function}]++
		}
		return
	}
	if b.crowd != nil {
		b.crowd.add(s)
	}
	start := s.Believed()
	p.add(s, start)
	if p.span.Warmup {
		return
	}
	addTo(b.groups, groupKey{phase: s.Phase, function: s.Function, start: start}, s)
}

// AddOccasion tells what made a cold start necessary that was added before.
func (b *Builder) AddOccasion(s *sample.Sample, o sample.Occasion) {
	if o == sample.UnknownOccasion || s.Believed() != sample.Cold || b.phase(s.Phase).span.Warmup {
		return
	}
	addTo(b.colds, groupKey{s.Phase, s.Function, sample.Cold, o}, s)
}

func addTo(groups map[groupKey]*tally, k groupKey, s *sample.Sample) {
	g := groups[k]
	if g == nil {
		g = newTally()
		groups[k] = g
	}
	g.add(s)
}

func (b *Builder) phase(name string) *phaseTally {
	if p := b.byName[name]; p != nil {
		return p
	}
	p := &phaseTally{span: PhaseSpan{Name: name}}
	b.phases = append(b.phases, p)
	b.byName[name] = p
	return p
}

func (p *phaseTally) add(s *sample.Sample, start sample.Start) {
	if p.sent == 0 || s.Intended < p.firstDue {
		p.firstDue = s.Intended
	}
	p.sent++
	p.lastSent = max(p.lastSent, s.Sent)
	switch start {
	case sample.Unknown:
		p.unknown++
	case sample.Cold:
		p.cold++
		p.known++
	default:
		p.known++
	}
	if s.Err != sample.NoError {
		p.errors++
		return
	}
	p.answered++
	if start == sample.Unknown {
		p.answeredUnknown++
	}
	if p.span.Gap > 0 && s.Service() > p.span.Gap {
		p.overlapped++
	}
}

func newTally() *tally {
	return &tally{
		kinds: map[sample.ErrorKind]uint64{},
		grade: sample.Attested, // the strongest; the first sample lowers it
		// A histogram has its own exact n, min and max.
		latency: hist.New(), service: hist.New(), lag: hist.New(),
	}
}

func (t *tally) add(s *sample.Sample) {
	t.n++
	t.grade = min(t.grade, s.Grade)
	t.lag.Record(s.Lag())
	if s.Billed > 0 {
		t.billed += s.Billed
		t.billedN++
	}
	if s.Err != sample.NoError {
		t.errors++
		t.kinds[s.Err]++
		return
	}
	t.latency.Record(s.Latency())
	t.service.Record(s.Service())
	if work, ok := s.Worked(); ok {
		record(&t.worked, work)
	}
	if started := s.Breakdown.Boot + s.Breakdown.Init; started > 0 {
		record(&t.started, started)
	}
	if s.Breakdown == (sample.Breakdown{}) {
		return
	}
	t.partsN++
	t.partsSpan += s.Service()
	t.parts.Trigger += s.Breakdown.Trigger
	t.parts.Queue += s.Breakdown.Queue
	t.parts.Provision += s.Breakdown.Provision
	t.parts.Boot += s.Breakdown.Boot
	t.parts.Init += s.Breakdown.Init
	t.parts.Handler += s.Breakdown.Handler
	if s.Breakdown.Provision+s.Breakdown.Boot+s.Breakdown.Init > 0 {
		t.startsN++
	}
}

// record counts a duration in a histogram that may not be there yet.
func record(h **hist.Histogram, d time.Duration) {
	if *h == nil {
		*h = hist.New()
	}
	(*h).Record(d)
}

func (t *tally) merge(o *tally) {
	t.n += o.n
	t.errors += o.errors
	for k, n := range o.kinds {
		t.kinds[k] += n
	}
	t.grade = min(t.grade, o.grade)
	t.latency.Merge(o.latency)
	t.service.Merge(o.service)
	t.lag.Merge(o.lag)
	t.parts.Trigger += o.parts.Trigger
	t.parts.Queue += o.parts.Queue
	t.parts.Provision += o.parts.Provision
	t.parts.Boot += o.parts.Boot
	t.parts.Init += o.parts.Init
	t.parts.Handler += o.parts.Handler
	t.partsN += o.partsN
	t.partsSpan += o.partsSpan
	t.startsN += o.startsN
	t.billed += o.billed
	t.billedN += o.billedN
}
