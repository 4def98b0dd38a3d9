package queue

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Goal is what a number of workers has to hold.
type Goal struct {
	// Quantile of the response times, above 0 and below 1, and the time within
	// which it must be, above 0: .99 within 300 ms.
	Quantile float64
	Within   time.Duration
	// Timeout is how long callers wait for a response before they give it up as
	// an error; the default is that they wait for ever and there are no errors.
	Timeout time.Duration
	// ErrorBudget is the share of requests that may take longer than Timeout, 0
	// to below 1. Those who give up leave workers to the others, which is not
	// counted: what is promised is more than what is needed.
	ErrorBudget float64
}

// Validate gives all faults.
func (g Goal) Validate() error {
	var faults []error
	if !(g.Quantile > 0 && g.Quantile < 1) {
		faults = append(faults, fmt.Errorf("quantile %v is not above 0 and below 1", g.Quantile))
	}
	if g.Within <= 0 {
		faults = append(faults, fmt.Errorf("target %v is not above 0", g.Within))
	}
	if g.Timeout < 0 {
		faults = append(faults, fmt.Errorf("timeout %v is below 0", g.Timeout))
	}
	if !(g.ErrorBudget >= 0 && g.ErrorBudget < 1) {
		faults = append(faults, fmt.Errorf("error budget %v is not from 0 to below 1", g.ErrorBudget))
	}
	if g.Timeout > 0 && g.ErrorBudget == 0 {
		faults = append(faults, errors.New("an error budget of 0 with a timeout: with random service or arrivals no number of workers promises that nobody waits so long"))
	}
	return errors.Join(faults...)
}

// UnreachableError says that no number of workers holds a goal: the service
// alone takes too long.
type UnreachableError struct {
	Within time.Duration // the limit
	Share  float64       // of requests, at most, that may exceed it
	Alone  float64       // share whose service alone does
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no number of workers is enough: %.3g%% of requests take longer than %v in service alone, and %.3g%% may",
		100*e.Alone, e.Within, 100*e.Share)
}

// TooManyError says that a goal takes more than [MostServers] workers.
type TooManyError struct{ Load float64 }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("a load of %.4g erlangs takes more than %d workers", e.Load, MostServers)
}

// Holds says whether the system holds the goal.
func (g Goal) Holds(s System) bool {
	sol := s.solve()
	if !sol.stable || sol.responseTail(g.Within.Seconds()) > 1-g.Quantile {
		return false
	}
	return g.Timeout == 0 || sol.responseTail(g.Timeout.Seconds()) <= g.ErrorBudget
}

// Smallest is the least number of workers with which a system holds the goal,
// at least 1; s.Servers is ignored. More workers hold it too. It takes
// microseconds.
func Smallest(s System, g Goal) (int, error) {
	if err := errors.Join(s.demand(), g.Validate()); err != nil {
		return 0, err
	}
	if err := g.reachable(s.Service); err != nil {
		return 0, err
	}
	load := s.Load()
	if load >= MostServers {
		return 0, &TooManyError{load}
	}
	holds := func(c int) bool {
		s.Servers = c
		return g.Holds(s)
	}
	return least(int(math.Floor(load))+1, load, holds)
}

// least finds the first c from low on that holds, in steps that grow with the
// square root of the load, as the workers to spare do.
func least(low int, load float64, holds func(int) bool) (int, error) {
	step := int(math.Sqrt(load)/2) + 1
	high := low
	for !holds(high) {
		low, high, step = high+1, high+step, 2*step
		if low > MostServers {
			return 0, &TooManyError{load}
		}
		high = min(high, MostServers)
	}
	for low < high {
		middle := low + (high-low)/2
		if holds(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return high, nil
}

func (g Goal) reachable(s Service) error {
	if alone := s.Tail(g.Within); alone > 1-g.Quantile {
		return &UnreachableError{Within: g.Within, Share: 1 - g.Quantile, Alone: alone}
	}
	if alone := s.Tail(g.Timeout); g.Timeout > 0 && alone > g.ErrorBudget {
		return &UnreachableError{Within: g.Timeout, Share: g.ErrorBudget, Alone: alone}
	}
	return nil
}
