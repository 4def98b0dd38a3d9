package dist

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// Point is one row of a table of percentiles: a share Q of all durations do not
// exceed Value.
type Point struct {
	Q     float64 // 0 to 1
	Value time.Duration
}

// Table is what is known by some of its percentiles, as in the day files of the
// Azure Functions trace of 2019. Between two of them its quantile function is
// geometric, so that every factor is equally likely, as suits durations that
// span powers of ten; linear where the lower one is 0:
//
//	Q(q) = a (b/a)^u,  u = (q-qa)/(qb-qa)        a > 0
//	Q(q) = b u                                   a = 0
//
// Use [NewTable].
type Table struct {
	points []Point
	logs   []float64 // ln(b/a) from each point to the next; 0 where they are equal or a = 0
	mean   float64   // s
	square float64   // mean of the squares, s^2
}

// behind says what is wrong with a point behind another one, and what to write
// instead; "" for nothing.
func (p Point) behind(last Point) (problem, instead string) {
	switch {
	case p.Q <= last.Q:
		return fmt.Sprintf("p%s after p%s", number(100*p.Q), number(100*last.Q)), "write them in ascending order, each once"
	case p.Value < last.Value:
		return fmt.Sprintf("%v at p%s is below %v at p%s", p.Value, number(100*p.Q), last.Value, number(100*last.Q)), "a higher percentile cannot be shorter"
	}
	return "", ""
}

// NewTable makes a table from points in ascending order of both rank and
// value; there are at least two, the first of rank 0 and the last of rank 1.
func NewTable(points []Point) (*Table, error) {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("percentiles: "+format, args...))
	}
	for k, p := range points {
		switch {
		case !(p.Q >= 0 && p.Q <= 1):
			fault("rank p%s: must be from p0 to p100", number(100*p.Q))
		case p.Value < 0 || p.Value > Longest:
			fault("%v at p%s: must be from 0s to %v", p.Value, number(100*p.Q), Longest)
		case k > 0:
			if problem, instead := p.behind(points[k-1]); problem != "" {
				fault("%s: %s", problem, instead)
			}
		}
	}
	if n := len(points); n < 2 || points[0].Q != 0 || points[n-1].Q != 1 {
		fault("need p0 (the least) and p100 (the greatest) at both ends")
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	t := &Table{points: slices.Clone(points), logs: make([]float64, len(points)-1)}
	for k := range t.logs {
		a, b := points[k].Value.Seconds(), points[k+1].Value.Seconds()
		w := points[k+1].Q - points[k].Q
		if a > 0 {
			t.logs[k] = math.Log(b / a)
		}
		t.mean += w * power(a, b, t.logs[k], 1)
		t.square += w * power(a, b, t.logs[k], 2)
	}
	return t, nil
}

// power is the mean of the n-th power, 1 or 2, along one piece of a table.
func power(a, b, log float64, n float64) float64 {
	switch {
	case a == 0: // of (b u)^n
		return math.Pow(b, n) / (n + 1)
	case log < 1e-9: // the limit of what follows
		return math.Pow(a, n)
	}
	return math.Pow(a, n) * math.Expm1(n*log) / (n * log)
}

// Sample draws one uniform variate and takes its quantile.
func (t *Table) Sample(rng *rand.Rand) time.Duration { return t.Quantile(rng.Float64()) }

// Mean is the integral of the quantile function.
func (t *Table) Mean() time.Duration { return seconds(t.mean) }

// Variance is that of the interpolated quantile function.
func (t *Table) Variance() float64 { return max(0, t.square-t.mean*t.mean) }

// Quantile interpolates as stated above.
func (t *Table) Quantile(q float64) time.Duration {
	q = clip(q)
	k := 0
	for k < len(t.logs)-1 && q > t.points[k+1].Q {
		k++
	}
	a, b := t.points[k], t.points[k+1]
	u := (q - a.Q) / (b.Q - a.Q)
	switch {
	case u == 1:
		return b.Value
	case a.Value == 0:
		return time.Duration(float64(b.Value) * u)
	case t.logs[k] == 0:
		return a.Value
	}
	return time.Duration(float64(a.Value) * math.Exp(u*t.logs[k]))
}

// String is the text form.
func (t *Table) String() string {
	parts := make([]string, len(t.points))
	for k, p := range t.points {
		parts[k] = "p" + number(100*p.Q) + "=" + p.Value.String()
	}
	return "table:" + strings.Join(parts, ",")
}

// Empirical is what was measured, as a histogram's bars: within a bar, which is
// at most .1% wide, all durations are equally likely. Use [NewEmpirical].
type Empirical struct {
	bars  []hist.Bar
	alias []alias
	upTo  []uint64 // counts up to and with each bar
	mean  time.Duration
	vari  float64
}

// alias is a bar's cell in Walker's table: a uniform variate falls into a cell,
// and there below keep, which gives the bar itself, or above, which gives other.
type alias struct {
	keep  float64
	other int32
}

// NewEmpirical takes a histogram's bars. It has at least one duration in range.
func NewEmpirical(h *hist.Histogram) (*Empirical, error) {
	if h.N() == 0 {
		return nil, errors.New("empirical distribution: the histogram is empty: there is nothing to draw from")
	}
	e := &Empirical{mean: h.Mean()}
	n, sum := uint64(0), 0.
	for bar := range h.Bars() {
		bar.Low, bar.High = max(bar.Low, h.Min()), min(bar.High, h.Max())
		e.bars = append(e.bars, bar)
		n += bar.Count
		e.upTo = append(e.upTo, n)
		low, wide := (bar.Low - e.mean).Seconds(), (bar.High - bar.Low).Seconds()
		sum += float64(bar.Count) * (low*low + low*wide + wide*wide/3)
	}
	e.vari = sum / float64(n)
	e.alias = aliases(e.bars, n)
	return e, nil
}

// aliases is Walker's table by Vose, "A linear algorithm for generating random
// numbers with a given distribution" (1991).
func aliases(bars []hist.Bar, n uint64) []alias {
	cells := make([]alias, len(bars))
	var small, large []int32
	for k, bar := range bars {
		cells[k] = alias{keep: float64(bar.Count) / float64(n) * float64(len(bars)), other: int32(k)}
		if cells[k].keep < 1 {
			small = append(small, int32(k))
		} else {
			large = append(large, int32(k))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		cells[s].other = l
		if cells[l].keep -= 1 - cells[s].keep; cells[l].keep < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return cells
}

// Sample draws two uniform variates.
func (e *Empirical) Sample(rng *rand.Rand) time.Duration {
	x := rng.Float64() * float64(len(e.alias))
	k := min(int(x), len(e.alias)-1)
	if cell := &e.alias[k]; x-float64(k) >= cell.keep {
		k = int(cell.other)
	}
	bar := &e.bars[k]
	return bar.Low + time.Duration(rng.Float64()*float64(bar.High-bar.Low+1))
}

// Mean is the histogram's, which is exact.
func (e *Empirical) Mean() time.Duration { return e.mean }

// Variance is about the mean, with even spread within bars.
func (e *Empirical) Variance() float64 { return e.vari }

// Quantile interpolates within the bar that holds it.
func (e *Empirical) Quantile(q float64) time.Duration {
	rank := clip(q) * float64(e.upTo[len(e.upTo)-1])
	k, _ := slices.BinarySearchFunc(e.upTo, rank, func(n uint64, rank float64) int {
		if float64(n) < rank {
			return -1
		}
		return 1
	})
	k = min(k, len(e.bars)-1)
	bar := e.bars[k]
	below := float64(e.upTo[k] - bar.Count)
	return bar.Low + time.Duration(max(0, rank-below)/float64(bar.Count)*float64(bar.High-bar.Low))
}

// String says what it is made of; it is not a text that [Parse] reads.
func (e *Empirical) String() string {
	return fmt.Sprintf("empirical of %d durations, %s to %s", e.upTo[len(e.upTo)-1], show(e.bars[0].Low), show(e.bars[len(e.bars)-1].High))
}
