package prices

import (
	"fmt"
	"math/big"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Amount is what a month's quantity costs.
type Amount struct {
	Total units.Money
	Parts []Part // of the tiers that were reached, in order; they sum to Total
}

// Part is what one tier contributes.
type Part struct {
	Tier     Tier
	Quantity *big.Rat // of the month's quantity, what lies in the tier
	Amount   units.Money
}

// Amount is what a month's quantity costs. The sum over the tiers is exact and
// rounded once, half to even, to whole nano-dollars; the parts are the
// differences of the rounded sums up to each tier's end, so that they add up
// to the total. An allowance is not taken off: [Allowance.Left] does that. An
// error is a negative quantity, more than [units.Money] holds, or an [*Unknown]
// where nobody has said what so much costs.
func (p *Price) Amount(quantity *big.Rat) (Amount, error) {
	if quantity.Sign() < 0 {
		return Amount{}, fmt.Errorf("price %s %s of %s: the quantity is negative", p.Product, p.Dimension, quantity.RatString())
	}
	if last := p.Tiers[len(p.Tiers)-1].To; !last.IsZero() && quantity.Cmp(last.rat()) > 0 {
		return Amount{}, &Unknown{What: "tier above", Name: number(last) + " " + p.Unit, Where: p.Product + " " + p.Dimension + " in " + p.Region}
	}
	var a Amount
	sum, part := new(big.Rat), new(big.Rat)
	for _, t := range p.Tiers {
		inTier, reached := t.share(quantity)
		if !reached {
			break
		}
		sum.Add(sum, part.Mul(inTier, t.USD.rat()))
		total, err := p.rounded(sum)
		if err != nil {
			return Amount{}, fmt.Errorf("price %s %s: %w", p.Product, p.Dimension, err)
		}
		a.Parts = append(a.Parts, Part{t, inTier, total - a.Total})
		a.Total = total
	}
	return a, nil
}

// rounded is a sum of units times dollars as money.
func (p *Price) rounded(sum *big.Rat) (units.Money, error) {
	nanos := new(big.Int).Mul(sum.Num(), big.NewInt(int64(units.Dollar)))
	over := new(big.Int).Mul(sum.Denom(), big.NewInt(p.Per))
	whole, rest := nanos.QuoRem(nanos, over, new(big.Int))
	if c := rest.Lsh(rest, 1).Cmp(over); c > 0 || c == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	if !whole.IsInt64() {
		return 0, fmt.Errorf("more than %s", units.FormatMoney(1<<63-1))
	}
	return units.Money(whole.Int64()), nil
}

// share is what of a quantity lies in the tier, and whether the quantity
// reaches it; the first tier is reached by 0.
func (t Tier) share(quantity *big.Rat) (*big.Rat, bool) {
	from := t.From.rat()
	if quantity.Cmp(from) <= 0 && from.Sign() > 0 {
		return nil, false
	}
	end := quantity
	if !t.To.IsZero() && t.To.rat().Cmp(quantity) < 0 {
		end = t.To.rat()
	}
	return new(big.Rat).Sub(end, from), true
}

// Left is what is left of a quantity after the allowance, and what of the
// allowance is left for others; used is what they have taken already.
func (a *Allowance) Left(quantity, used *big.Rat) (billed, free *big.Rat) {
	free = new(big.Rat).Sub(a.Quantity.rat(), used)
	if free.Sign() < 0 {
		free.SetInt64(0)
	}
	if quantity.Cmp(free) <= 0 {
		return new(big.Rat), free.Sub(free, quantity)
	}
	return new(big.Rat).Sub(quantity, free), new(big.Rat)
}
