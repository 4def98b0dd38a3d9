package cost

import (
	"math/big"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Split divides an amount in proportion to the weights, to the nano-dollar: the
// parts sum to the amount. Each part is its share rounded toward 0; what that
// leaves over goes to the largest remainders, a nano-dollar each, the first of
// equal ones first (Hamilton's method). Where all weights are 0 they count as
// equal. There must be a weight.
func Split(amount units.Money, weights []uint64) []units.Money {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, new(big.Int).SetUint64(w))
	}
	if total.Sign() == 0 {
		weights = slices.Repeat([]uint64{1}, len(weights))
		total.SetInt64(int64(len(weights)))
	}
	parts := make([]units.Money, len(weights))
	remainders := make([]*big.Int, len(weights))
	left := amount
	for i, w := range weights {
		share := new(big.Int).SetUint64(w)
		share.Mul(share, big.NewInt(int64(amount)))
		remainders[i] = new(big.Int)
		share.QuoRem(share, total, remainders[i])
		parts[i] = units.Money(share.Int64())
		left -= parts[i]
	}
	unit := units.Money(1)
	if amount < 0 {
		unit = -1
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainders[b].CmpAbs(remainders[a]) })
	for i := 0; left != 0; i++ {
		parts[order[i]] += unit
		left -= unit
	}
	return parts
}
