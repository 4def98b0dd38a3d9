package cost

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// kind is what a quantity counts, each in its smallest unit.
type kind uint8

const (
	things      kind = iota
	nanoseconds      // of time
	bytes            // of data
	byteNanos        // of memory or storage over time
	milliNanos       // of thousandths of a vCPU, a GHz or a load balancer's unit, over time
)

func (k kind) String() string {
	return [...]string{"things", "time", "data", "memory over time", "CPU over time"}[k]
}

// quantity is an exact number of something, and how much less it may be.
type quantity struct {
	kind
	n     *big.Int
	doubt *big.Int // nil is none
}

func of(k kind, n uint64) quantity { return quantity{kind: k, n: new(big.Int).SetUint64(n)} }

// billed is requests calls of d, each rounded by r, in nanoseconds.
func billed(d *Durations, r Rounding, requests uint64) quantity {
	if d == nil || requests == 0 {
		return of(nanoseconds, 0)
	}
	steps, doubt := d.Steps(r, requests)
	step := big.NewInt(int64(r.step()))
	return quantity{nanoseconds, steps.Mul(steps, step), doubt.Mul(doubt, step)}
}

// plus is the sum of two quantities of one kind.
func (q quantity) plus(o quantity) quantity {
	sum := quantity{kind: q.kind, n: new(big.Int).Add(q.n, o.n), doubt: q.doubt}
	if o.doubt != nil {
		sum.doubt = new(big.Int).Set(o.doubt)
		if q.doubt != nil {
			sum.doubt.Add(sum.doubt, q.doubt)
		}
	}
	return sum
}

// times is the quantity n times over, as another kind.
func (q quantity) times(n uint64, as kind) quantity {
	factor := new(big.Int).SetUint64(n)
	product := quantity{kind: as, n: new(big.Int).Mul(q.n, factor)}
	if q.doubt != nil {
		product.doubt = factor.Mul(factor, q.doubt)
	}
	return product
}

// withMemory is a time times a memory.
func (q quantity) withMemory(b units.Bytes) quantity { return q.times(uint64(b), byteNanos) }

// withCPU is a time times thousandths of a vCPU.
func (q quantity) withCPU(milli int64) quantity { return q.times(uint64(milli), milliNanos) }

// in is the quantity and its doubt in a price's unit. A price of something else
// than the quantity is an error.
func (q quantity) in(unit string) (n, doubt *big.Rat, err error) {
	k, divisor := unitOf(unit)
	if k != q.kind {
		return nil, nil, fmt.Errorf("priced by the %s, which does not count %v", unit, q.kind)
	}
	doubt = new(big.Rat)
	if q.doubt != nil {
		doubt.SetFrac(q.doubt, divisor)
	}
	return new(big.Rat).SetFrac(q.n, divisor), doubt, nil
}

// unitOf takes a price's unit apart: "GB-second" is memory over time. Of it are
// so many smallest units. What has no name that is known here counts things.
func unitOf(unit string) (kind, *big.Int) {
	thing, per, overTime := strings.Cut(unit, "-")
	if d := timeUnit(unit); d > 0 {
		return nanoseconds, big.NewInt(int64(d))
	}
	d := big.NewInt(1)
	if overTime {
		d.SetInt64(int64(timeUnit(per)))
	}
	switch thing {
	case "GB", "GiB":
		d.Mul(d, big.NewInt(int64(units.GB)))
	case "MB", "MiB":
		d.Mul(d, big.NewInt(int64(units.MB)))
	case "vCPU", "GHz", "LCU", "NLCU":
		return milliNanos, d.Mul(d, big.NewInt(1000))
	default:
		if overTime && d.Sign() > 0 { // "CPU-millisecond", "instance-hour"
			return nanoseconds, d
		}
		return things, big.NewInt(1)
	}
	if overTime {
		return byteNanos, d
	}
	return bytes, d
}

// timeUnit is 0 for a name that is no unit of time.
func timeUnit(name string) time.Duration {
	switch name {
	case "ms", "millisecond":
		return time.Millisecond
	case "second":
		return time.Second
	case "minute":
		return time.Minute
	case "hour":
		return time.Hour
	case "month":
		return Month
	}
	return 0
}
