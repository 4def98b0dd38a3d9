package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Refill is the rules of a [Stock].
type Refill struct {
	Size   int           // stems to keep booted
	AtOnce int           // most of them booting at once; 0 is no bound
	Retry  time.Duration // wait before the next boot after one that failed; 0 is 1 s
}

// Validate gives every fault of the rules, joined, or nil.
func (r Refill) Validate() error {
	var faults []error
	if r.Size < 0 {
		faults = append(faults, fmt.Errorf("stock refill: size %d: must be at least 0", r.Size))
	}
	if r.AtOnce < 0 {
		faults = append(faults, fmt.Errorf("stock refill: at once %d: must be at least 0, which is no bound", r.AtOnce))
	}
	if r.Retry < 0 {
		faults = append(faults, fmt.Errorf("stock refill: retry %v: must be at least 0s, which is 1s", r.Retry))
	}
	return errors.Join(faults...)
}

// Stem names an instance of a runtime that no function has been assigned to
// yet, within its Stock; 0 names none. A name is never used again.
type Stem uint64

// StockEventKind is what happened to a stock.
type StockEventKind uint8

const (
	StockTick   StockEventKind = iota // nothing but the passing of time
	StockTake                         // a start wants a stem: answered at once by StemAssign or StockMiss
	StemBooted                        // Stem can be assigned
	StemFailed                        // Stem could not be booted and is gone
	StemLost                          // Stem, booting or booted, is useless; a StemDrop follows
	StemCleared                       // a dropped Stem holds nothing any more
	StockResize                       // Size is the number of stems to keep from now on
)

// StockEvent is one thing that happened. Fields that its kind does not name are 0.
type StockEvent struct {
	Kind StockEventKind
	Stem Stem
	Size int
}

// StockActionKind is what the owner of the stems is to do.
type StockActionKind uint8

const (
	StemBoot   StockActionKind = iota // begin to boot Stem
	StemAssign                        // give Stem to the start that wants one; the stock forgets it
	StockMiss                         // the start goes without
	StemDrop                          // put Stem away; answer with StemCleared
)

// StockAction is one order to the owner of the stems.
type StockAction struct {
	Kind StockActionKind
	Stem Stem
}

// StockCounts are a stock's present population and its history. At every instant
//
//	Boots = Booting + Booted + Going + Assigned + Gone
//
// and Booting + Booted = the size asked for, unless AtOnce or Retry holds boots back.
type StockCounts struct {
	Booting, Booted, Going int // stems now

	Boots, Assigned, Gone uint64 // stems so far
	Missed                uint64 // starts so far that went without
	Ignored               uint64 // events so far that fitted nothing
}

// Stock keeps a number of booted stems of one runtime: the generic pool that
// starts take from instead of booting their own. The one booted longest goes
// first. It is not safe for concurrent use.
type Stock struct {
	refill  Refill
	retry   time.Duration // no boot before
	now     time.Duration
	last    Stem
	booting []Stem // in the order in which they began
	booted  []Stem // in the order in which they were
	going   []Stem
	counts  StockCounts // the history
}

// NewStock makes an empty stock, which fills from its first Step on. It panics
// if the rules are not valid.
func NewStock(refill Refill) *Stock {
	if err := refill.Validate(); err != nil {
		panic(err)
	}
	if refill.Retry == 0 {
		refill.Retry = time.Second
	}
	return &Stock{refill: refill}
}

// Step takes what happened at now and appends what is to be done to out, in
// order: the boots that became due before the event, what the event calls for,
// and what then refills the stock. Calling it late or with extra Ticks changes no
// decision. Time is as for [Pool.Step]. An event that fits nothing is counted and
// otherwise ignored.
func (s *Stock) Step(now time.Duration, ev StockEvent, out []StockAction) []StockAction {
	s.now = max(s.now, now)
	out = s.fill(out)
	switch ev.Kind {
	case StockTick:
	case StockTake:
		out = s.take(out)
	case StockResize:
		s.refill.Size = max(0, ev.Size)
		out = s.shrink(out)
	default:
		out = s.happen(ev, out)
	}
	return s.fill(out)
}

// fill begins the boots that are missing and allowed now.
func (s *Stock) fill(out []StockAction) []StockAction {
	for s.missing() && s.now >= s.retry {
		s.last++
		s.counts.Boots++
		s.booting = append(s.booting, s.last)
		out = append(out, StockAction{Kind: StemBoot, Stem: s.last})
	}
	return out
}

func (s *Stock) missing() bool {
	return len(s.booting)+len(s.booted) < s.refill.Size && (s.refill.AtOnce == 0 || len(s.booting) < s.refill.AtOnce)
}

func (s *Stock) take(out []StockAction) []StockAction {
	if len(s.booted) == 0 {
		s.counts.Missed++
		return append(out, StockAction{Kind: StockMiss})
	}
	stem := s.booted[0]
	s.booted = slices.Delete(s.booted, 0, 1)
	s.counts.Assigned++
	return append(out, StockAction{Kind: StemAssign, Stem: stem})
}

// shrink drops those that are too many: booting ones first, the last begun
// before the others, then the one booted longest.
func (s *Stock) shrink(out []StockAction) []StockAction {
	for len(s.booting)+len(s.booted) > s.refill.Size {
		stem := Stem(0)
		if n := len(s.booting); n > 0 {
			stem, s.booting = s.booting[n-1], s.booting[:n-1]
		} else {
			stem = s.booted[0]
			s.booted = slices.Delete(s.booted, 0, 1)
		}
		out = s.drop(stem, out)
	}
	return out
}

// happen takes what became of one stem.
func (s *Stock) happen(ev StockEvent, out []StockAction) []StockAction {
	switch {
	case ev.Kind == StemBooted && without(&s.booting, ev.Stem):
		s.booted = append(s.booted, ev.Stem)
	case ev.Kind == StemFailed && without(&s.booting, ev.Stem):
		s.counts.Gone++
		s.retry = after(s.now, s.refill.Retry)
	case ev.Kind == StemLost && (without(&s.booting, ev.Stem) || without(&s.booted, ev.Stem)):
		s.retry = after(s.now, s.refill.Retry)
		return s.drop(ev.Stem, out)
	case (ev.Kind == StemCleared || ev.Kind == StemFailed) && without(&s.going, ev.Stem):
		s.counts.Gone++
	default:
		s.counts.Ignored++
	}
	return out
}

func (s *Stock) drop(stem Stem, out []StockAction) []StockAction {
	s.going = append(s.going, stem)
	return append(out, StockAction{Kind: StemDrop, Stem: stem})
}

// without takes a stem out of a list; false if it is not there.
func without(list *[]Stem, stem Stem) bool {
	at := slices.Index(*list, stem)
	if at < 0 {
		return false
	}
	*list = slices.Delete(*list, at, at+1)
	return true
}

// NextDeadline is the next instant at which a boot is allowed that is not yet:
// a Tick then begins it. It is false if there is none, and before the first Step
// it is 0 where there is something to boot.
func (s *Stock) NextDeadline() (time.Duration, bool) { return max(s.now, s.retry), s.missing() }

// Counts gives the stock's counts.
func (s *Stock) Counts() StockCounts {
	c := s.counts
	c.Booting, c.Booted, c.Going = len(s.booting), len(s.booted), len(s.going)
	return c
}
