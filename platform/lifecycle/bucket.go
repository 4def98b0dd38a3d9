package lifecycle

import "time"

// bucket is a token bucket, kept as the one instant at which it will be full
// again:
//
//	tokens(now) = burst - ceil((full - now) / every)
//
// Whole instants need no division and cannot drift, however often tokens are
// taken. The zero value never runs out.
type bucket struct {
	every time.Duration // one token is gained each every; 0 is no bound
	slack time.Duration // (burst-1)*every: how far ahead full may lie while a token is left
	full  time.Duration
}

func newBucket(burst int, every time.Duration) bucket {
	if burst == 0 {
		return bucket{}
	}
	return bucket{every: every, slack: time.Duration(burst-1) * every}
}

// next is the first instant at which there is a token, possibly long past.
func (b *bucket) next() time.Duration { return b.full - b.slack }

// take takes a token if there is one.
func (b *bucket) take(now time.Duration) bool {
	if b.next() > now {
		return false
	}
	if b.every > 0 {
		b.full = after(max(b.full, now), b.every)
	}
	return true
}
