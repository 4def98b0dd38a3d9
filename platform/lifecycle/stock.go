package lifecycle

import (
	"errors"
	"fmt"
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

// Stock keeps a number of booted stems of one runtime: the generic pool that
// starts take from instead of booting their own. The one booted longest goes
// first. It is not safe for concurrent use.
type Stock struct {
	refill  Refill
	retry   time.Duration // no boot before
	now     time.Duration
	last    Stem
	booted  []Stem // in the order in which they were
	booting []Stem // in the order in which they began
	going   []Stem
}

// NewStock makes an empty stock, which fills at its first Step. It panics if
// the rules are not valid.
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
// order. Events that fit nothing are ignored.
func (s *Stock) Step(now time.Duration, ev StockEvent, out []StockAction) []StockAction { return out }

// NextDeadline is the next instant at which something becomes due by itself.
func (s *Stock) NextDeadline() (time.Duration, bool) { return 0, false }
