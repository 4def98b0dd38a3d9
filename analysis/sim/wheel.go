package sim

import (
	"math/bits"
	"time"
)

// wheel is the near future, cut into buckets whose number and width are powers
// of two. A bucket holds what is due in one stretch of time only, because
// nothing beyond the last bucket is taken.
type wheel struct {
	shift uint    // a bucket is 1<<shift nanoseconds wide
	heads []int32 // of each bucket's chain, in order; none
	full  []uint64
	nodes []node
	free  int32
	n     int
	from  int64 // the stretch in which the first of all is at the earliest
}

type node struct {
	due
	next int32
}

// none is the index of no node.
const none int32 = -1

// A wheel has at least so many buckets, and at most so many that they stay in a
// processor's cache. It reaches horizon times as far as is typical.
const (
	minBuckets = 64
	maxBuckets = 1 << 14
	horizon    = 8
	// roomy is how many buckets there are at least for each that is due, as far
	// as maxBuckets allows.
	roomy = 8
)

func newWheel(typical time.Duration) wheel {
	width := max(1, typical*horizon/minBuckets)
	w := wheel{shift: uint(bits.Len64(uint64(width)) - 1), free: none}
	w.widen(minBuckets)
	return w
}

// widen makes an empty wheel's buckets.
func (w *wheel) widen(n int) {
	w.heads, w.full = make([]int32, n), make([]uint64, n/64)
	for k := range w.heads {
		w.heads[k] = none
	}
}

// push adds what is due, given the present instant; false if that is too late for it.
func (w *wheel) push(now time.Duration, d due) bool {
	stretch, present := int64(d.at)>>w.shift, int64(now)>>w.shift
	if stretch-present >= int64(len(w.heads)) {
		return false
	}
	if w.n >= len(w.heads)/roomy && len(w.heads) < maxBuckets && w.shift > 0 {
		w.refine(now)
		return w.push(now, d)
	}
	if w.n == 0 || stretch < w.from {
		w.from = stretch
	}
	w.n++
	i := w.free
	if i == none {
		i = int32(len(w.nodes))
		w.nodes = append(w.nodes, node{})
	} else {
		w.free = w.nodes[i].next
	}
	bucket := int(stretch) & (len(w.heads) - 1)
	w.full[bucket>>6] |= 1 << (bucket & 63)
	at := &w.heads[bucket]
	for *at != none && w.nodes[*at].before(&d) {
		at = &w.nodes[*at].next
	}
	w.nodes[i] = node{d, *at}
	*at = i
	return true
}

// first is the one that is due first; nil if there is none.
func (w *wheel) first() *due {
	if w.n == 0 {
		return nil
	}
	mask := len(w.heads) - 1
	bucket := int(w.from) & mask
	if w.heads[bucket] == none {
		word := bucket >> 6
		ahead := w.full[word] >> (bucket & 63) << (bucket & 63)
		for ahead == 0 {
			word = (word + 1) & (mask >> 6)
			ahead = w.full[word]
		}
		found := word<<6 + bits.TrailingZeros64(ahead)
		w.from += int64((found - bucket) & mask)
		bucket = found
	}
	return &w.nodes[w.heads[bucket]].due
}

// pop takes the first, which [wheel.first] has found.
func (w *wheel) pop() due {
	bucket := int(w.from) & (len(w.heads) - 1)
	i := w.heads[bucket]
	n := &w.nodes[i]
	w.heads[bucket] = n.next
	if n.next == none {
		w.full[bucket>>6] &^= 1 << (bucket & 63)
	}
	n.next = w.free
	w.free = i
	w.n--
	return n.due
}

// refine has twice as many buckets, half as wide.
func (w *wheel) refine(now time.Duration) {
	old := *w
	w.shift--
	w.n, w.free, w.nodes = 0, none, make([]node, 0, 2*len(old.nodes))
	w.widen(2 * len(old.heads))
	for _, i := range old.heads {
		for ; i != none; i = old.nodes[i].next {
			w.push(now, old.nodes[i].due)
		}
	}
}
