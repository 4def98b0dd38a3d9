package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestDuesAreInOrder compares with a sorted slice, for what is due soon, late,
// at one instant and far beyond the horizon.
func TestDuesAreInOrder(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 0))
		typical := time.Duration(1 + rng.Int64N(1000))
		q := newDues(typical)
		var want []due
		now, last := time.Duration(0), time.Duration(0)
		for name := lifecycle.Request(1); name < 4000; name++ {
			crowd := 1 + int(seed)*20 // due at once
			if len(want) < crowd || rng.IntN(2) == 0 {
				d := due{now + time.Duration(rng.ExpFloat64()*float64(typical)), 1, name}
				switch rng.IntN(4) {
				case 0:
					last = max(last, now+3*typical)
					d.at = last
					q.follow(d)
				case 1:
					d.at = now + time.Duration(rng.IntN(20))*typical
					q.push(now, d)
				default:
					q.push(now, d)
				}
				want = append(want, d)
			} else {
				got := q.pop()
				if got != want[0] {
					t.Fatalf("seed %d: got %v, want %v", seed, got, want[0])
				}
				now = got.at
				want = want[1:]
			}
			slices.SortFunc(want, func(a, b due) int {
				if a.before(&b) {
					return -1
				}
				return 1
			})
			if next := q.next; len(want) > 0 && next != want[0].at || len(want) == 0 && next != never {
				t.Fatalf("seed %d: next is %v, of %d", seed, next, len(want))
			}
		}
	}
}
