package drive

import (
	"sync/atomic"
	"time"
)

// watchedLag is the lag from which on a send looks for others that are due. The
// search costs a send on time nothing, and what is due for less is no backlog.
const watchedLag = time.Millisecond

// backlog is the most arrivals that were due and neither sent nor dropped, as
// late sends found it.
type backlog struct {
	most atomic.Uint64
}

// look is called at a send now, late by lag, after gone arrivals had been sent
// or dropped. Those that are due then are counted, the one being sent included.
func (b *backlog) look(times []time.Duration, now, lag time.Duration, gone uint64) {
	if lag <= watchedLag {
		return
	}
	due := dueBy(times, now)
	b.raise(due - min(due, gone))
}

func (b *backlog) raise(n uint64) {
	for {
		m := b.most.Load()
		if n <= m || b.most.CompareAndSwap(m, n) {
			return
		}
	}
}
