package cost

import (
	"fmt"
	"math/big"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Tuned is one memory size of a sweep: what requests take and cost with it.
type Tuned struct {
	Memory     units.Bytes
	Mean       time.Duration // of a request, a cold one's init included
	PerMillion units.Money   // requests' fee and rounding included
	Err        error         // an [*Impossible], in place of a cost
}

// Tuning is a sweep over memory sizes. Cheapest, Fastest and Balanced are
// indexes into Sizes, -1 where no size can do the work.
type Tuning struct {
	Sizes                       []Tuned // as the works came
	Cheapest, Fastest, Balanced int
	// Front are the sizes that no other one beats in both, by index.
	Front []int
}

// Tune prices the same work as it was measured with several memory sizes.
// Balanced is the size with the least weight x cost / greatest cost +
// (1 - weight) x duration / greatest duration, as AWS Lambda Power Tuning has
// it; a weight of 1 is cost alone, 0 duration alone.
func Tune(o Option, works []Work, weight float64) (*Tuning, error) {
	if weight < 0 || weight > 1 {
		return nil, fmt.Errorf("tune memory: weight %v: must be from 0 to 1", weight)
	}
	t := &Tuning{}
	var most Tuned
	for i := range works {
		w := &works[i]
		s := Tuned{Memory: w.Memory, Mean: w.mean()}
		b, err := o.Bill(w)
		switch {
		case err == nil:
			s.PerMillion = b.PerMillion(w.Requests)
			most.Mean, most.PerMillion = max(most.Mean, s.Mean), max(most.PerMillion, s.PerMillion)
		case isAnswer(err):
			s.Err = err
		default:
			return nil, fmt.Errorf("tune memory: %v: %w", w.Memory, err)
		}
		t.Sizes = append(t.Sizes, s)
	}
	score := func(s *Tuned) float64 {
		return weight*ratio(s.PerMillion, most.PerMillion) + (1-weight)*ratio(s.Mean, most.Mean)
	}
	t.Cheapest = t.least(func(s *Tuned) float64 { return float64(s.PerMillion) })
	t.Fastest = t.least(func(s *Tuned) float64 { return float64(s.Mean) })
	t.Balanced = t.least(score)
	for i := range t.Sizes {
		if t.Sizes[i].Err == nil && !t.beaten(i) {
			t.Front = append(t.Front, i)
		}
	}
	return t, nil
}

// least is the first size with the least of something, -1 for no size.
func (t *Tuning) least(of func(*Tuned) float64) int {
	best := -1
	for i := range t.Sizes {
		if s := &t.Sizes[i]; s.Err == nil && (best < 0 || of(s) < of(&t.Sizes[best])) {
			best = i
		}
	}
	return best
}

func ratio[N ~int64](a, b N) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// beaten says whether another size is no worse than i in both and better in one.
func (t *Tuning) beaten(i int) bool {
	a := &t.Sizes[i]
	for j := range t.Sizes {
		b := &t.Sizes[j]
		if j == i || b.Err != nil {
			continue
		}
		if b.PerMillion <= a.PerMillion && b.Mean <= a.Mean && (b.PerMillion < a.PerMillion || b.Mean < a.Mean) {
			return true
		}
	}
	return false
}

// mean is what a request takes, inits spread over all of them.
func (w *Work) mean() time.Duration {
	if w.Requests == 0 {
		return 0
	}
	sum := billed(w.Durations, Rounding{}, w.Requests)
	if w.Init != nil {
		sum = sum.plus(billed(w.Init, Rounding{}, w.Cold))
	}
	return time.Duration(new(big.Int).Quo(sum.n, new(big.Int).SetUint64(w.Requests)).Int64())
}
