// Package pairs owns what two sides are and the order in which their runs are
// made.
//
// In: sides as a person names them (a folder, a git revision, settings, a
// platform), a comparison, and a function that makes one run. Out: sides that
// can be run, built where they have to be; pairs of adjacent runs, whose order
// is left to chance, until the comparison has its verdicts or the time is up. It
// makes no run itself and judges none.
//
//	side.go      what a side is, and how it is made ready
//	revision.go  git worktrees, and Go code built
//	pairs.go     the order of the runs, and when it ends
package pairs

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Options say how pairs are made.
type Options struct {
	// Measure makes one run of a side (comparison.Base or Head) in a directory.
	Measure func(ctx context.Context, side string, seed uint64, dir string) error
	// Now is the clock.
	Now func() time.Time
	// Budget of time; a pair that would probably end after it is not begun. The
	// default, 0, is none.
	Budget time.Duration
	// Expected is how long a pair takes, as long as none is made; 0 is unknown.
	Expected time.Duration
	// Progress is told before each run; nil for nobody.
	Progress func(Progress)
}

// Progress is how far the pairs are.
type Progress struct {
	Pair, Look int    // the pair that is made, and the number of usable pairs at the next look
	Usable     int    // pairs so far
	Side       string // whose run comes now
	// Pace is how long a pair takes, by those so far; 0 is unknown.
	Pace time.Duration
}

// Make makes pairs until the comparison has its verdicts, the time is up, the
// context ends or a run fails, and marks the comparison with which. An error is
// a run's, or the comparison's that cannot be written.
func Make(ctx context.Context, c *comparison.Comparison, o Options) error {
	begun, made := o.Now(), 0
	for {
		p, more := c.Ahead()
		pace := o.Expected
		if made > 0 {
			pace = o.Now().Sub(begun) / time.Duration(made)
		}
		switch {
		case ctx.Err() != nil:
			return c.End(comparison.Interrupted, o.Now())
		case !more:
			return c.End(comparison.Complete, o.Now())
		case o.Budget > 0 && o.Now().Sub(begun)+pace > o.Budget:
			return c.End(comparison.OutOfTime, o.Now())
		}
		err := makePair(ctx, c, o, &p, pace)
		if addErr := c.Add(p); addErr != nil {
			return addErr
		}
		if err != nil && ctx.Err() == nil {
			c.Document.Failure = strings.ReplaceAll(err.Error(), "\n", "; ")
			if endErr := c.End(comparison.Failed, o.Now()); endErr != nil {
				return endErr
			}
			return fmt.Errorf("pair %d: %w", p.Number, err)
		}
		made++
	}
}

// makePair makes both runs of a pair, the one that chance has put first before the other.
func makePair(ctx context.Context, c *comparison.Comparison, o Options, p *comparison.Pair, pace time.Duration) error {
	order := []string{comparison.Base, comparison.Head}
	if p.First == comparison.Head {
		order = []string{comparison.Head, comparison.Base}
	}
	for _, side := range order {
		run := &p.Base
		if side == comparison.Head {
			run = &p.Head
		}
		if o.Progress != nil {
			o.Progress(Progress{Pair: p.Number, Look: c.Next(), Usable: c.Usable(), Side: side, Pace: pace})
		}
		if err := o.Measure(ctx, side, p.Seed, filepath.Join(c.Path, run.Dir)); err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// around a run is what its platform's start and end take; a guess, until pairs
// have been made.
const around = time.Second

// Expected is how long a pair probably takes whose runs last so long.
func Expected(base, head time.Duration) time.Duration { return base + head + 2*around }

// Outlook says in words when looks come, at a pace of so long a pair.
func Outlook(pace time.Duration, looks []int) string {
	first, last := looks[0], looks[len(looks)-1]
	return fmt.Sprintf("the first look comes at %s, after about %s, the last at %d, after %s",
		units.FormatNoun(first, "pair"), (pace * time.Duration(first)).Round(time.Second), last, (pace * time.Duration(last)).Round(time.Second))
}

// Shortage says in words that a budget holds too few pairs for a first look; ""
// where it does not, and for no budget.
func Shortage(pace time.Duration, looks []int, budget time.Duration) string {
	if budget == 0 || pace*time.Duration(looks[0]) <= budget {
		return ""
	}
	return fmt.Sprintf("%s hold about %s, and the first look is at %d", budget, units.FormatNoun(int64(budget/pace), "pair"), looks[0])
}

// Words say how far the pairs are, on one line.
func (p Progress) Words() string {
	words := fmt.Sprintf("pair %d, %s", p.Pair, p.Side)
	if left := p.Look - p.Usable; p.Look > 0 && p.Pace > 0 && left > 0 {
		words += fmt.Sprintf("; the look at %s comes in about %s", units.FormatNoun(p.Look, "pair"), (p.Pace * time.Duration(left)).Round(time.Second))
	}
	return words
}
