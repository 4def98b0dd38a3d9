package cost

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Remedy is a way to have fewer cold starts: what work it makes of a month, and
// how many of its requests still start cold. How many do is measured or
// simulated; [Pings], [Ready] and [Restores] make the work.
type Remedy struct {
	Name  string
	Works []*Work // of one account, priced together
	Cold  uint64  // requests that still wait for a cold start
}

// Pings keeps instances from being put away by calling them now and then: each
// of so many instances is called once in every, at once with the others, and a
// call takes takes. The pings are work beside the requests.
func Pings(w Work, instances uint64, every, takes time.Duration, cold uint64) Remedy {
	pings := w
	pings.Name, pings.Requests, pings.Durations = w.Name+" (pings)", instances*uint64(Month/max(every, 1)), Constant(takes)
	pings.Cold, pings.Init, pings.Apart, pings.Active, pings.Provisioned, pings.Fleet = 0, nil, nil, nil, nil, nil
	pings.Async, pings.In, pings.Out, pings.Snapshots = 0, 0, 0, Snapshots{}
	requests := w.withCold(cold)
	return Remedy{fmt.Sprintf("pings to %s", units.FormatNoun(instances, "instance")), []*Work{&requests, &pings}, cold}
}

// Ready keeps instances ready all month, which serve so many of the requests:
// provisioned concurrency, minimum or always-ready instances.
func Ready(w Work, instances, served, cold uint64) Remedy {
	with := w.withCold(cold)
	with.Provisioned = []Provisioned{{Instances: instances, For: Month, Requests: min(served, w.Requests)}}
	return Remedy{fmt.Sprintf("%s ready", units.FormatNoun(instances, "instance")), []*Work{&with}, cold}
}

// Restores starts instances from a snapshot of one version, kept all month, in
// restore in place of an init. None of its starts counts as cold.
func Restores(w Work, restore *Durations) Remedy {
	with := w
	with.Init, with.Apart = restore, nil
	with.Snapshots = Snapshots{Versions: 1, For: Month, Restores: w.Cold}
	return Remedy{"snapshots", []*Work{&with}, 0}
}

// withCold is the work with another number of cold starts among the same
// requests.
func (w Work) withCold(cold uint64) Work {
	w.Cold = min(cold, w.Requests)
	if w.Apart != nil && w.Cold != w.Apart.Cold.N() && w.Init != nil {
		w.Apart = nil // those were of other numbers
	}
	return w
}

// Remedied is what a remedy costs and spares.
type Remedied struct {
	Name  string
	Bill  *Bill
	Extra units.Money // beyond the bill without it; below 0 where it saves money
	Cold  uint64
	// Avoided is how many cold starts it spares, and Each what each of them
	// costs; 0 where it spares none.
	Avoided uint64
	Each    units.Money
	Share   float64 // of requests that still start cold; 0 for no requests
}

// Remedies prices remedies against doing nothing, the cheapest avoided cold
// start first; what spares none comes last. One that the option cannot have is
// left out and its reason joined into unable.
func Remedies(o Option, w Work, list []Remedy) (priced []Remedied, unable, err error) {
	without, err := o.Bill(&w)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range list {
		b, err := o.Bill(r.Works...)
		if isAnswer(err) {
			unable = errors.Join(unable, fmt.Errorf("%s: %w", r.Name, err))
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		p := Remedied{Name: r.Name, Bill: b, Extra: b.Total - without.Total, Cold: r.Cold, Avoided: w.Cold - min(w.Cold, r.Cold)}
		if p.Avoided > 0 {
			p.Each = units.Money(quotient(int64(p.Extra), p.Avoided))
		}
		if w.Requests > 0 {
			p.Share = float64(r.Cold) / float64(w.Requests)
		}
		priced = append(priced, p)
	}
	slices.SortStableFunc(priced, func(a, b Remedied) int {
		none := func(p Remedied) int { return cmp.Compare(1, min(p.Avoided, 1)) }
		return cmp.Or(cmp.Compare(none(a), none(b)), cmp.Compare(a.Each, b.Each))
	})
	return priced, unable, nil
}

// quotient is a / b, rounded to nearest and half away from 0.
func quotient(a int64, b uint64) int64 {
	n, d := big.NewInt(a), new(big.Int).SetUint64(b)
	half := new(big.Int).Rsh(d, 1)
	if a < 0 {
		half.Neg(half)
	}
	return n.Quo(n.Add(n, half), d).Int64()
}

// Hold is the remedy of the smallest bill that leaves at most a share of the
// requests cold, if there is one.
func Hold(priced []Remedied, share float64) (Remedied, bool) {
	var best Remedied
	found := false
	for _, p := range priced {
		if p.Share <= share && (!found || p.Bill.Total < best.Bill.Total) {
			best, found = p, true
		}
	}
	return best, found
}
