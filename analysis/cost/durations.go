package cost

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Group is calls that took equally long, as far as is known: Low and High are
// the same where the duration is exact, and both possible where it is not.
type Group struct {
	Low, High time.Duration // 0 <= Low <= High
	Count     uint64        // at least 1
}

// Rounding is how a provider rounds one call's duration: up to a whole Step,
// and to Minimum where that is more. A Step of 0 is a nanosecond.
type Rounding struct {
	Step, Minimum time.Duration
}

// Durations are the durations of calls, one by one: what is rounded is each of
// them and never their mean. They serve as they are (so many calls) and as the
// shape of more or fewer calls. Use [Constant], [FromHistogram] or [Groups].
// They do not change and serve several goroutines.
type Durations struct {
	groups []Group // ascending by High
	n      uint64
	known  time.Duration // the longest that some call took at least

	// A curve asks for the same rounding at every rate.
	mu    sync.Mutex
	sums  map[Rounding]span
	other *Durations // that was last put together with these
	both  *Durations
}

// Constant is calls that all take d, which is at least 0.
func Constant(d time.Duration) *Durations {
	return same(max(d, 0), 1)
}

// same is n calls that all take d.
func same(d time.Duration, n uint64) *Durations {
	return &Durations{groups: []Group{{d, d, n}}, n: n, known: d}
}

// mostBars is room for the bars of a month; growing into it costs as much as
// the bill.
const mostBars = 1 << 14

// FromHistogram takes the calls of h. Each is priced at the top of its bar and
// known to be no shorter than its bottom. There must be one, and none out of range.
func FromHistogram(h *hist.Histogram) (*Durations, error) {
	if n := h.OutOfRange(); n > 0 {
		return nil, fmt.Errorf("durations: %s out of the histogram's range (%s) and not to be priced",
			units.FormatNoun(n, "call"), units.FormatDuration(hist.Highest))
	}
	d := &Durations{n: h.N(), groups: make([]Group, 0, min(h.N(), mostBars))}
	if d.n == 0 {
		return nil, errNone
	}
	for bar := range h.Bars() {
		// What the histogram keeps exactly narrows its first and last bar.
		g := Group{max(bar.Low, h.Min()), min(bar.High, h.Max()), bar.Count}
		d.groups = append(d.groups, g)
		d.known = max(d.known, g.Low)
	}
	return d, nil
}

var errNone = errors.New("durations: there is no call")

// Groups takes calls group by group, in any order.
func Groups(groups ...Group) (*Durations, error) {
	d := &Durations{groups: slices.Clone(groups)}
	for _, g := range groups {
		if g.Low < 0 || g.High < g.Low {
			return nil, fmt.Errorf("durations: a call of %v to %v: the shortest must be at least 0 and at most the longest", g.Low, g.High)
		}
		sum, carry := bits.Add64(d.n, g.Count, 0)
		if carry > 0 {
			return nil, fmt.Errorf("durations: too many calls: the most is 2^64-1")
		}
		d.n = sum
		d.known = max(d.known, g.Low)
	}
	if d.n == 0 {
		return nil, errNone
	}
	slices.SortFunc(d.groups, func(a, b Group) int { return cmp.Or(cmp.Compare(a.High, b.High), cmp.Compare(a.Low, b.Low)) })
	return d, nil
}

// N is how many calls there are, at least 1.
func (d *Durations) N() uint64 { return d.n }

// Max is the longest call.
func (d *Durations) Max() time.Duration { return d.groups[len(d.groups)-1].High }

// Mean is for saying what the traffic is, never for a bill.
func (d *Durations) Mean() time.Duration {
	sum := d.total(Rounding{}).high.int()
	return time.Duration(sum.Quo(sum, new(big.Int).SetUint64(d.n)).Int64())
}

// Each yields the groups in ascending order.
func (d *Durations) Each(yield func(Group) bool) {
	for _, g := range d.groups {
		if !yield(g) {
			return
		}
	}
}

// parted are those that take at least so long, and the others; nil for none.
func (d *Durations) parted(from time.Duration) (long, short *Durations) {
	part := func(to **Durations, g Group) {
		if *to == nil {
			*to = &Durations{}
		}
		(*to).groups, (*to).n, (*to).known = append((*to).groups, g), (*to).n+g.Count, max((*to).known, g.Low)
	}
	for _, g := range d.groups {
		if g.High >= from {
			part(&long, g)
		} else {
			part(&short, g)
		}
	}
	return long, short
}

// UpTo is the durations but for those that are longer than a limit for certain,
// and how many those are; nil where none is left.
func (d *Durations) UpTo(limit time.Duration) (rest *Durations, longer uint64) {
	var groups []Group
	for _, g := range d.groups {
		if g.Low > limit {
			longer += g.Count
			continue
		}
		groups = append(groups, Group{g.Low, min(g.High, limit), g.Count})
	}
	rest, err := Groups(groups...)
	if err != nil {
		return nil, longer // there are none
	}
	return rest, longer
}

// Steps is what requests calls are billed, in steps of r, and how many steps
// less it may be for what is not known exactly of their durations. Where
// requests is not d's own number of calls the sum is scaled, and rounded to a
// whole step once.
func (d *Durations) Steps(r Rounding, requests uint64) (steps, doubt *big.Int) {
	s := d.total(r)
	steps = s.high.int()
	if s.low == s.high {
		return d.scale(steps, requests), new(big.Int)
	}
	doubt = new(big.Int).Sub(steps, s.low.int())
	return d.scale(steps, requests), d.scale(doubt, requests)
}

// scale is sum x requests / n, rounded to nearest.
func (d *Durations) scale(sum *big.Int, requests uint64) *big.Int {
	if requests == d.n {
		return sum
	}
	n := new(big.Int).SetUint64(d.n)
	sum.Mul(sum, new(big.Int).SetUint64(requests))
	if d.n == 1 {
		return sum
	}
	half := new(big.Int).Rsh(n, 1)
	return sum.Quo(sum.Add(sum, half), n)
}

// span is the least and the most that the calls add up to, in steps.
type span struct{ low, high wide }

func (d *Durations) total(r Rounding) span {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.sums[r]; ok {
		return s
	}
	var s span
	for _, g := range d.groups {
		s.low.addProduct(r.steps(g.Low), g.Count)
		s.high.addProduct(r.steps(g.High), g.Count)
	}
	if d.sums == nil {
		d.sums = make(map[Rounding]span)
	}
	d.sums[r] = s
	return s
}

// steps is one call's duration in whole steps.
func (r Rounding) steps(d time.Duration) uint64 {
	step := r.step()
	d = max(d, r.Minimum)
	n := uint64(d / step)
	if d%step > 0 {
		n++
	}
	return n
}

func (r Rounding) step() time.Duration { return max(r.Step, 1) }

// wide is a whole number of 128 bits: fifteen thousand million calls of two
// seconds are more nanoseconds than 64 bits hold.
type wide struct{ high, low uint64 }

func (w *wide) addProduct(a, b uint64) {
	high, low := bits.Mul64(a, b)
	var carry uint64
	w.low, carry = bits.Add64(w.low, low, 0)
	w.high, _ = bits.Add64(w.high, high, carry)
}

func (w wide) int() *big.Int {
	n := new(big.Int).SetUint64(w.high)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(w.low))
}

// The most pairs of an init and a duration that are added one by one, and the
// most groups of the one that has fewer.
const (
	exactPairs = 1 << 16
	mostGroups = 1 << 8
)

// Together are calls that each take a duration of a plus one of b, as if the
// two had nothing to do with each other. Where there are too many pairs,
// neighbouring durations count as one that is not known so exactly. Calls whose
// sum was measured are better priced by that.
func Together(a, b *Durations) (*Durations, error) {
	small, large := a.groups, b.groups
	if len(small) > len(large) {
		small, large = large, small
	}
	small = thinned(small, mostGroups)
	large = thinned(large, exactPairs/len(small))
	groups := make([]Group, 0, len(small)*len(large))
	for _, x := range small {
		for _, y := range large {
			high, count := bits.Mul64(x.Count, y.Count)
			if high > 0 {
				return nil, fmt.Errorf("durations: too many pairs of init and duration")
			}
			groups = append(groups, Group{x.Low + y.Low, x.High + y.High, count})
		}
	}
	return Groups(groups...)
}

// thinned are the same calls in at most n groups, each as wide as those that it
// takes the place of.
func thinned(groups []Group, n int) []Group {
	per := (len(groups) + n - 1) / n
	var out []Group
	for chunk := range slices.Chunk(groups, per) {
		g := chunk[0]
		for _, more := range chunk[1:] {
			g.Low, g.High, g.Count = min(g.Low, more.Low), max(g.High, more.High), g.Count+more.Count
		}
		out = append(out, g)
	}
	return out
}

// together is [Together] with a memory for the last one asked for.
func (d *Durations) together(o *Durations) (*Durations, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.other == o {
		return d.both, nil
	}
	both, err := Together(d, o)
	if err == nil {
		d.other, d.both = o, both
	}
	return both, err
}

// Scaled are durations that are all longer or shorter by the same factor, above
// 0, each rounded to a nanosecond.
func (d *Durations) Scaled(factor float64) (*Durations, error) {
	if !(factor > 0) || float64(d.Max())*factor > math.MaxInt64/2 {
		return nil, fmt.Errorf("durations: scaled by %v: must be above 0 and leave durations of less than 146 years", factor)
	}
	groups := slices.Clone(d.groups)
	for i := range groups {
		g := &groups[i]
		g.Low = time.Duration(math.Round(float64(g.Low) * factor))
		g.High = time.Duration(math.Round(float64(g.High) * factor))
	}
	return Groups(groups...)
}

// Quantile is the least duration that a share q (0 to 1) of the calls does not
// exceed.
func (d *Durations) Quantile(q float64) time.Duration {
	at, seen := q*float64(d.n), uint64(0)
	for _, g := range d.groups {
		if seen += g.Count; float64(seen) >= at {
			return g.High
		}
	}
	return d.Max()
}
