package study

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// MonthlyBill is what a month of the simulated traffic costs: what came after
// the warm-up, in proportion. Each call's duration is rounded by itself, so
// that all functions need one size of memory.
func (s *Simulation) MonthlyBill(option cost.Option) (*cost.Bill, error) {
	w, err := s.work()
	if err != nil {
		return nil, err
	}
	return option.Bill(&w)
}

// work is the simulated traffic as a month of one function's.
func (s *Simulation) work() (cost.Work, error) {
	switch {
	case s.Response == nil || s.Service == nil:
		return cost.Work{}, errors.New("the level engine tells no durations of single requests")
	case len(s.Memory) != 1:
		return cost.Work{}, fmt.Errorf("functions have %d sizes of memory: --memory gives them one", len(s.Memory))
	case s.Memory[0] == 0:
		return cost.Work{}, errors.New("the memory is not known: --memory 512MB, for example, gives it")
	}
	durations, err := cost.FromHistogram(s.Service)
	if err != nil {
		return cost.Work{}, err
	}
	w := cost.Work{Name: s.Traffic.Name, Memory: s.Memory[0], Requests: s.Served, Durations: durations, Cold: s.Cold}
	if s.Cold > 0 {
		w.Init = cost.Constant(time.Duration(s.StartMean * float64(time.Second)))
	}
	switch levels := s.Provisioned; {
	case len(levels) == 1 && levels[0].Count > 0:
		w.Provisioned = []cost.Provisioned{{Instances: uint64(levels[0].Count * s.Functions), For: cost.Month, Requests: s.Ahead}}
	case len(levels) > 1:
		return cost.Work{}, errors.New("provisioned levels that change are not priced")
	}
	months := cost.Month.Seconds() * float64(max(1, s.Functions)) / s.Span
	w.Fleet = s.fleet(months)
	return w.Times(uint64(math.Round(float64(s.Served) * months))), nil
}

// fleet is the instances of a month, idle or busy, for products that bill them
// from their start to their end; those that live on have lived so long.
func (s *Simulation) fleet(months float64) *cost.Fleet {
	n := max(s.Started, uint64(math.Ceil(s.InstancesMean)), 1)
	life := time.Duration(s.InstanceSeconds / float64(n) * float64(time.Second))
	lives, err := cost.Groups(cost.Group{Low: life, High: life, Count: max(1, uint64(math.Round(float64(n)*months)))})
	if err != nil || life == 0 {
		return nil
	}
	return &cost.Fleet{Lives: lives, Busy: time.Duration(s.BusySeconds * months * float64(time.Second))}
}

// Bill is what a month costs on a product, or why that is not known.
type Bill struct {
	Option string      `json:"option"` // whose prices
	Region string      `json:"region,omitempty"`
	Hours  int         `json:"month_hours"`
	Total  units.Money `json:"total_nano_usd"`
	Idle   units.Money `json:"idle_nano_usd"` // of that: for instances that wait for requests
	Why    string      `json:"why_not,omitempty"`
}

// bill prices the simulation by an option.
func (s *Simulation) bill(option cost.Option) *Bill {
	b := &Bill{Option: option.Name(), Hours: int(cost.Month / time.Hour)}
	bill, err := s.MonthlyBill(option)
	if err != nil {
		b.Why = err.Error()
		return b
	}
	b.Region, b.Total, b.Idle = bill.Region, bill.Total, bill.Of(cost.Idle)
	return b
}
