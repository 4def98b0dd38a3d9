package cost

import (
	"fmt"
	"math"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Curve is what a number of requests a month costs.
type Curve func(requests uint64) (units.Money, error)

// Crossing is where the cheaper of two curves changes.
type Crossing struct {
	// Requests a month is the first number at which it is the other one, or at
	// which both cost the same.
	Requests uint64
	// FirstBelow says that the first curve is the cheaper one below, and the
	// second from here on.
	FirstBelow bool
	// Before and After are what the two cost at one request less and at Requests.
	Before, After [2]units.Money
}

// Smooth says that the two differ by less than a cent there; else one of them
// steps over the other.
func (c Crossing) Smooth() bool {
	near := func(pair [2]units.Money) bool {
		d := pair[0] - pair[1]
		return -units.Cent < d && d < units.Cent
	}
	return near(c.Before) || near(c.After)
}

// Rate is the crossing in requests a second, over a month of 730 hours.
func (c Crossing) Rate() units.Rate { return units.Rate(float64(c.Requests) / Month.Seconds()) }

// Crossings are where two curves change places between two numbers of requests,
// in ascending order: looked for at so many points, evenly spaced on a
// logarithmic axis, and then bisected to the request. Two changes between
// neighbouring points cancel and are not seen.
func Crossings(a, b Curve, from, to uint64, points int) ([]Crossing, error) {
	if from >= to || points < 2 {
		return nil, fmt.Errorf("crossings: from %d to %d requests at %d points: the range must ascend and have two points", from, to, points)
	}
	both := func(n uint64) (pair [2]units.Money, err error) {
		if pair[0], err = a(n); err == nil {
			pair[1], err = b(n)
		}
		return pair, err
	}
	var found []Crossing
	last, at := [2]units.Money{}, from
	for i := range points {
		n := spaced(from, to, i, points)
		pair, err := both(n)
		if err != nil {
			return nil, err
		}
		if i > 0 && n > at && pair[0] != pair[1] && side(pair) != side(last) {
			c, err := bisect(both, at, n, last, pair)
			if err != nil {
				return nil, err
			}
			if side(last) != 0 {
				found = append(found, c)
			}
		}
		if pair[0] != pair[1] || i == 0 {
			last, at = pair, n
		}
	}
	return found, nil
}

// spaced is point i of n from one number to another, in even ratios.
func spaced(from, to uint64, i, n int) uint64 {
	switch i {
	case 0:
		return from
	case n - 1:
		return to
	}
	low := math.Log(math.Max(1, float64(from)))
	return max(from, min(to, uint64(math.Exp(low+(math.Log(float64(to))-low)*float64(i)/float64(n-1)))))
}

// side is which of the two is the cheaper one.
func side(pair [2]units.Money) int {
	switch {
	case pair[0] < pair[1]:
		return -1
	case pair[0] > pair[1]:
		return 1
	}
	return 0
}

// bisect narrows [low, high] to neighbours that lie on both sides.
func bisect(both func(uint64) ([2]units.Money, error), low, high uint64, below, above [2]units.Money) (Crossing, error) {
	first := side(below)
	for high-low > 1 {
		middle := low + (high-low)/2
		pair, err := both(middle)
		if err != nil {
			return Crossing{}, err
		}
		if side(pair) == first {
			low, below = middle, pair
		} else {
			high, above = middle, pair
		}
	}
	return Crossing{Requests: high, FirstBelow: first < 0, Before: below, After: above}, nil
}
