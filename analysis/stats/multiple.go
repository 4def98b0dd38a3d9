package stats

import (
	"cmp"
	"slices"
)

// Holm adjusts the p-values of tests that are looked at together: a test whose
// adjusted p-value is at most alpha may be called significant, and the chance
// that any of those is a false alarm is at most alpha, however the tests depend
// on each other. The order is that of p; p is not changed.
//
//	in ascending order, adjusted_(i) = max over j <= i of min(1, (m-j+1) p_(j))
//
// Source: S. Holm, A simple sequentially rejective multiple test procedure,
// Scandinavian Journal of Statistics 6 (1979) 65-70.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	least := 0.0
	for place, i := range order {
		least = max(least, min(1, float64(len(p)-place)*p[i]))
		adjusted[i] = least
	}
	return adjusted
}
