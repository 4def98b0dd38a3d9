package summary

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// crowdSlots bounds the memory of a crowd, and crowdFinest how fine it looks at
// a short run: 65,536 slots of 1 ms are 65 s; a longer run has wider ones.
const (
	crowdSlots  = 1 << 16
	crowdFinest = time.Millisecond
)

// crowd bounds from above how many requests were under way at once, from
// samples in any order and in memory that does not grow with the run. It never
// says less than there were; wide slots and a high rate make it say more.
type crowd struct {
	width      time.Duration // of a slot
	sent, done []uint32      // by slot
}

func newCrowd() *crowd {
	return &crowd{width: crowdFinest, sent: make([]uint32, crowdSlots), done: make([]uint32, crowdSlots)}
}

func (c *crowd) add(s *sample.Sample) {
	for max(s.Sent, s.Done)/c.width >= crowdSlots {
		c.widen()
	}
	c.sent[c.slot(s.Sent)]++
	c.done[c.slot(s.Done)]++
}

func (c *crowd) slot(t time.Duration) int { return int(max(t, 0) / c.width) }

// widen makes the slots twice as wide, the same as if they had always been.
func (c *crowd) widen() {
	c.width *= 2
	for _, counts := range [][]uint32{c.sent, c.done} {
		for i := range crowdSlots / 2 {
			counts[i] = counts[2*i] + counts[2*i+1]
		}
		clear(counts[crowdSlots/2:])
	}
}

// reached says whether limit requests may have been under way at once within
// [from, to]. A slot counts all that were sent in it and none of those that
// ended in it or just before: the place of a request is free a moment after
// its answer.
func (c *crowd) reached(limit int, from, to time.Duration) bool {
	first, last := c.slot(from), min(c.slot(to), crowdSlots-1)
	var under, before int64 // before: ended in the slot before this one
	for i := range last + 1 {
		under += int64(c.sent[i])
		if i >= first && under >= int64(limit) {
			return true
		}
		under -= before
		before = int64(c.done[i])
	}
	return false
}
