package prices

import (
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

// Amount is what a month's quantity costs, after its allowance. The sum over
// the tiers is exact and rounded once, half to even, to whole nano-dollars;
// the parts are the differences of the rounded sums up to each tier's end, so
// that they add up to the total. An error is a negative quantity or more than
// [units.Money] can hold.
func (p *Price) Amount(quantity *big.Rat) (Amount, error) { return Amount{}, errNotYet }
