package matrix

import (
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/stream"
)

// order is which run comes when: in each odd round the platforms come in an
// order of chance, in the even one after it in the reverse. What drifts evenly
// meanwhile, a machine that warms up or a network that fills, so adds as much to
// one platform as to any other.
func order(d *Document) []Run {
	var runs []Run
	var names []string
	for _, p := range d.Platforms {
		names = append(names, p.Name)
	}
	for round := 1; round <= d.Rounds; round++ {
		if round%2 == 1 {
			chance := stream.New(d.Seed, "matrix", uint64(round))
			slices.Sort(names) // the order of the flags decides nothing
			chance.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		} else {
			slices.Reverse(names)
		}
		for _, name := range names {
			n := len(runs) + 1
			runs = append(runs, Run{Number: n, Round: round, Platform: name, Dir: fmt.Sprintf("%02d-%s", n, name)})
		}
	}
	return runs
}
