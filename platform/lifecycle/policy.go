package lifecycle

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Policy is the pool's rules. The zero value starts an instance whenever none
// is idle, without limit, and keeps none alive.
type Policy struct {
	// KeepAlive is how long an idle instance lives: it is gone at idle+KeepAlive
	// exactly (a request at that instant is cold). 0 reaps at once; negative
	// keeps for ever.
	KeepAlive time.Duration
	// Concurrency is the most requests served or started for at once (reserved
	// concurrency); requests that wait for neither do not count. 0 is no limit.
	// It is where the limit begins: see [Pool.Limit].
	Concurrency int
	// StartBurst and StartEvery bound the rate of starts by a token bucket: it
	// holds StartBurst tokens when full and gains one each StartEvery.
	// StartBurst 0 is no bound, and then StartEvery must be 0 too.
	StartBurst int
	StartEvery time.Duration
	// QueueLimit is the most requests that wait. 0 is no queue: throttle at once.
	QueueLimit int
	// QueueTimeout is the longest wait: a request is throttled at
	// arrival+QueueTimeout exactly, before whatever else happens at that
	// instant. 0 is no bound.
	QueueTimeout time.Duration
	// LateBinding lets a request that started an instance take whichever comes
	// free first. The default is early binding, as Lambda does it.
	LateBinding bool
}

// Validate gives every fault of the policy, joined, or nil.
func (p Policy) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("lifecycle policy: "+format, args...))
	}
	if p.Concurrency < 0 {
		fault("concurrency %d: must be at least 0, which is no limit", p.Concurrency)
	}
	if p.StartBurst < 0 {
		fault("start burst %d: must be at least 0, which is no bound", p.StartBurst)
	}
	switch {
	case p.StartEvery < 0:
		fault("start every %v: must be at least 0s", p.StartEvery)
	case p.StartBurst > 0 && p.StartEvery == 0:
		fault("start every 0s: must be positive with a start burst of %d", p.StartBurst)
	case p.StartBurst == 0 && p.StartEvery > 0:
		fault("start every %v: needs a start burst of at least 1", p.StartEvery)
	case p.StartBurst > 0 && int64(p.StartBurst) > math.MaxInt64/int64(p.StartEvery):
		fault("start burst %d: must be at most %d with start every %v, so that the bucket's refill fits a duration",
			p.StartBurst, math.MaxInt64/int64(p.StartEvery), p.StartEvery)
	}
	if p.QueueLimit < 0 {
		fault("queue limit %d: must be at least 0, which is no queue", p.QueueLimit)
	}
	if p.QueueTimeout < 0 {
		fault("queue timeout %v: must be at least 0s, which is no bound", p.QueueTimeout)
	}
	return errors.Join(faults...)
}
