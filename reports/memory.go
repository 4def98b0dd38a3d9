package reports

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Memory is which size of memory to take, in sentences.
func Memory(d *cost.MemoryDocument) string {
	if d.Balanced < 0 {
		return "No size that was measured can be had on " + d.Option + "."
	}
	of := func(i int) string {
		s := &d.Sizes[i]
		return fmt.Sprintf("%v (%v a million, %s a request)", s.Memory, s.Cost(), units.FormatDuration(s.Mean))
	}
	switch b := d.Balanced; {
	case b == d.Cheapest && b == d.Fastest:
		return "The cheapest and the fastest is " + of(b) + "."
	case b == d.Cheapest:
		return "The best balance and the cheapest is " + of(b) + "; the fastest is " + of(d.Fastest) + "."
	case b == d.Fastest:
		return "The best balance and the fastest is " + of(b) + "; the cheapest is " + of(d.Cheapest) + "."
	}
	return "The best balance is " + of(d.Balanced) + "; the cheapest is " + of(d.Cheapest) + ", the fastest " + of(d.Fastest) + "."
}
