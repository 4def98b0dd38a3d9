package calibration

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// Options say which comparisons are made.
type Options struct {
	Effects     []float64 // in the order in which they are made
	Comparisons int       // of each effect, with those that the file has
	// Compare makes one comparison. It is not asked again after an error.
	Compare func(context.Context, Task) (Outcome, error)
	// Progress is told after each comparison; nil for nobody.
	Progress func(Progress)
}

// Progress is how far a calibration is.
type Progress struct {
	Outcome  Outcome
	Of       int           // comparisons of this effect
	Left     int           // of all effects
	Estimate time.Duration // until the last, by those made since it went on
}

// Make makes the comparisons that the file has not got, and adds each to it.
// The delay is a share of base's figure in the comparison before, for the
// machine's pace changes in the course of the day: a session that begins with a
// slowed one makes one without a delay first, which does not count.
func Make(ctx context.Context, l *Log, o Options) error {
	base, spent, made := 0.0, time.Duration(0), 0
	compare := func(t Task) (Outcome, error) {
		out, err := o.Compare(ctx, t)
		if err != nil {
			return out, err
		}
		spent, made = spent+out.Ended.Sub(out.Began), made+1
		if b := out.base(); b > 0 {
			base = b
		}
		return out, nil
	}
	for _, effect := range o.Effects {
		for n := l.count(effect) + 1; n <= o.Comparisons; n++ {
			if effect > 0 && base == 0 {
				if _, err := compare(task(0, 0, 0)); err != nil {
					return err
				}
				if base == 0 {
					return errors.New("measure the base: no run has the figure")
				}
			}
			out, err := compare(task(effect, n, base))
			if err != nil {
				return err
			}
			if err := l.Append(out); err != nil {
				return err
			}
			if o.Progress != nil {
				left := l.missing(o)
				o.Progress(Progress{Outcome: out, Of: o.Comparisons, Left: left, Estimate: spent / time.Duration(made) * time.Duration(left)})
			}
		}
	}
	return nil
}

// task is a comparison with a seed of its own, which decides the order of its
// runs.
func task(effect float64, number int, base float64) Task {
	rng := rand.New(rand.NewPCG(math.Float64bits(effect), uint64(number)))
	return Task{
		Effect: effect, Number: number, Seed: uint64(rng.Uint32()),
		Delay: time.Duration(math.Round(effect * base)),
	}
}
