package study

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// errNothingCame says that there is nothing to make a month of.
var errNothingCame = errors.New("nothing came after the warm-up")

// MonthlyBill is what a month of the simulated traffic costs: what came after
// the warm-up, in proportion.
func (s *Simulation) MonthlyBill(option cost.Option) (*cost.Bill, error) {
	works, err := s.Works(cost.Month.Seconds() / s.Length().Seconds())
	if err != nil {
		return nil, err
	}
	var list []*cost.Work
	for i := range works {
		list = append(list, &works[i])
	}
	return option.Bill(list...)
}

// Length is how long the simulated traffic lasted without its warm-up, where
// functions differ their mean.
func (s *Simulation) Length() time.Duration {
	return time.Duration(s.Span / float64(max(1, s.Functions)) * float64(time.Second))
}

// Works are the simulated traffic as a bill takes it, so many times over. Where
// functions have one size of memory they are one work, whose durations are the
// histogram's; else each is one, whose calls take what was billed on average.
func (s *Simulation) Works(times float64) ([]cost.Work, error) {
	if s.Service == nil || s.Length() <= 0 {
		return nil, errNothingCame
	}
	if slices.Contains(s.Memory, 0) || len(s.Memory) == 0 {
		return nil, errors.New("the memory is not known: --memory 512MB, for example, gives it")
	}
	if len(s.Provisioned) > 1 {
		return nil, errors.New("provisioned levels that change are not priced")
	}
	if len(s.Memory) == 1 {
		durations, err := cost.FromHistogram(s.Service)
		if err != nil {
			return nil, err
		}
		return []cost.Work{s.work(s.Traffic.Name, &s.Result, s.Memory[0], durations, times)}, nil
	}
	var works []cost.Work
	for i := range s.ByFunction {
		r := &s.ByFunction[i]
		if r.Served+r.Pings == 0 {
			continue
		}
		durations, err := evened(r)
		if err != nil {
			return nil, err
		}
		works = append(works, s.work(r.Name, r, cost.MemoryOf(&r.Usage), durations, times))
	}
	return works, nil
}

// evened are durations in whole milliseconds, as near to each other as can be,
// that add up to what a function was billed.
func evened(r *sim.Result) (*cost.Durations, error) {
	calls, billed := r.Served+r.Pings, uint64(r.Usage.Billed.Milliseconds())
	low := time.Duration(billed/calls) * time.Millisecond
	groups := []cost.Group{{Low: low, High: low, Count: calls - billed%calls}}
	if more := billed % calls; more > 0 {
		groups = append(groups, cost.Group{Low: low + time.Millisecond, High: low + time.Millisecond, Count: more})
	}
	return cost.Groups(groups...)
}

// work is what a result's functions did, so many times over. Pings are calls
// like others.
func (s *Simulation) work(name string, r *sim.Result, memory units.Bytes, durations *cost.Durations, times float64) cost.Work {
	w := cost.Work{Name: name, Memory: memory, Requests: r.Served + r.Pings, Durations: durations, Cold: r.Cold + r.PingsCold}
	if w.Cold > 0 {
		w.Init = cost.Constant(time.Duration(r.StartMean * float64(time.Second)))
	}
	if len(s.Provisioned) == 1 && s.Provisioned[0].Count > 0 {
		w.Provisioned = []cost.Provisioned{{Instances: uint64(s.Provisioned[0].Count * r.Functions), For: cost.Month, Requests: r.Ahead}}
	}
	w.Fleet = fleetOf(r, times)
	return w.Times(uint64(math.Round(float64(w.Requests) * times)))
}

// fleetOf is instances, idle or busy, so many times over, for products that bill them
// from their start to their end; those that live on have lived so long.
func fleetOf(s *sim.Result, times float64) *cost.Fleet {
	n := max(s.Started, uint64(math.Ceil(s.InstancesMean)), 1)
	life := time.Duration(s.InstanceSeconds / float64(n) * float64(time.Second))
	lives, err := cost.Groups(cost.Group{Low: life, High: life, Count: max(1, uint64(math.Round(float64(n)*times)))})
	if err != nil || life == 0 {
		return nil
	}
	return &cost.Fleet{Lives: lives, Busy: time.Duration(s.BusySeconds * times * float64(time.Second))}
}

// Bill is what a month costs on a product, or why that is not known.
type Bill struct {
	Option string      `json:"option"` // whose prices
	Region string      `json:"region,omitempty"`
	Hours  int         `json:"month_hours"`
	Total  units.Money `json:"total_nano_usd"`
	Idle   units.Money `json:"idle_nano_usd"` // of that: for instances that wait for requests
	Why    string      `json:"why_not,omitempty"`
	Notes  []string    `json:"notes,omitempty"` // what a reader of the bill must know
}

// bill prices what an option can do of the simulation, and says what it cannot.
func (s *Simulation) bill(option cost.Option) *Bill {
	var notes []string
	b := billOf(option, func() (*cost.Bill, error) {
		works, err := s.Works(cost.Month.Seconds() / s.Length().Seconds())
		if err != nil {
			return nil, err
		}
		fitted := fitting{option: option, alone: 1}
		if len(s.Memory) == 1 {
			fitted.alone = s.Functions
		}
		for i := range works {
			if err := fitted.add(works[i]); err != nil {
				return nil, err
			}
		}
		if len(fitted.works) == 0 && fitted.why != nil {
			return nil, fitted.why
		}
		notes = fitted.notes()
		return option.Bill(fitted.works...)
	})
	b.Notes = slices.Concat(s.Provisos(), notes, b.Notes)
	return b
}

// Provisos are what a reader of any bill of it must know of the simulation.
func (s *Simulation) Provisos() []string {
	var provisos []string
	if !s.Complete {
		provisos = append(provisos, "the simulation was interrupted: a month is made of what was done until then")
	}
	if s.Pings > 0 {
		provisos = append(provisos, fmt.Sprintf("pings are in the bill: %s of calls", units.FormatShare(float64(s.Pings)/float64(s.Served+s.Pings))))
	}
	switch s.Engine {
	case sim.EngineLevels:
		provisos = append(provisos, fmt.Sprintf("an estimate from counts of minutes: cold starts within %s, instances within %s",
			units.FormatShare(s.ColdError), units.FormatShare(s.InstancesError)))
	case sim.EngineMixed:
		provisos = append(provisos, "of some functions an estimate from counts of minutes")
	}
	return provisos
}

// fitting is works as a product can do them: with the next memory that it has,
// and without the calls that it cannot do.
type fitting struct {
	option  cost.Option
	alone   int // functions that a work is of
	works   []*cost.Work
	rounded int     // works whose memory was rounded up
	asked   float64 // requests of all works, and of those left out
	left    float64
	why     *cost.Impossible // the first limit that left requests out
}

// add takes a work in as far as the product can do it. Where that is not at all
// it is only counted, unless it is the only one that there is.
func (f *fitting) add(w cost.Work) error {
	f.asked += float64(w.Requests)
	rounded := false
	for {
		_, err := f.option.Bill(&w)
		impossible, ok := errors.AsType[*cost.Impossible](err)
		switch {
		case err == nil:
			if f.works = append(f.works, &w); rounded {
				f.rounded++
			}
			return nil
		case !ok:
			return err
		case impossible.Next > w.Memory:
			w.Memory, rounded = impossible.Next, true
			continue
		}
		f.why = cmp.Or(f.why, impossible)
		before := w.Requests
		if rest, longer := f.within(w, impossible.Longest); longer > 0 {
			w = *rest
			f.left += float64(before - w.Requests)
			continue
		}
		f.left += float64(before)
		return nil
	}
}

// within is a work without the calls that are longer than a limit, and how many
// of its durations those are; 0 where none or all are.
func (f *fitting) within(w cost.Work, longest time.Duration) (*cost.Work, uint64) {
	if longest <= 0 || w.Durations == nil {
		return nil, 0
	}
	rest, longer := w.Durations.UpTo(longest)
	if rest == nil || longer == 0 {
		return nil, 0
	}
	short := float64(rest.N()) / float64(rest.N()+longer)
	w = w.Times(uint64(math.Round(float64(w.Requests) * short)))
	w.Durations = rest
	return &w, longer
}

func (f *fitting) notes() []string {
	var notes []string
	if f.rounded > 0 {
		notes = append(notes, fmt.Sprintf("billed with the next memory that %s has: %d of %s",
			f.option.Name(), f.rounded*f.alone, units.FormatNoun(len(f.works)*f.alone, "function")))
	}
	if f.left > 0 {
		notes = append(notes, fmt.Sprintf("not in the bill: %s of requests, for %s", units.FormatShare(f.left/f.asked), f.why.Error()))
	}
	return notes
}

// billOf is a month's bill by an option, or why there is none.
func billOf(option cost.Option, month func() (*cost.Bill, error)) *Bill {
	b := &Bill{Option: option.Name(), Hours: int(cost.Month / time.Hour)}
	bill, err := month()
	if err != nil {
		b.Why = err.Error()
		return b
	}
	b.Region, b.Total, b.Idle, b.Notes = bill.Region, bill.Total, bill.Of(cost.Idle), bill.Notes
	return b
}
