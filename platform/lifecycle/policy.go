package lifecycle

import "time"

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

	// Survival is how long idle instances live, as a curve: each idle spell
	// draws its length from it. Idle ascends and Alive falls, to 0 at the last
	// point; in between, and from 1 at idle 0, it is linear. It replaces
	// KeepAlive, which then must be 0.
	Survival []Survivor
	// Hybrid adapts the keep-alive to the function's idle times and starts an
	// instance ahead of the next request. It replaces KeepAlive, which then
	// must be 0.
	Hybrid *Hybrid

	// Pause freezes an instance that has been idle for PauseAfter (0: at once)
	// until its next request. It still goes when the keep-alive is over, which
	// counts from the beginning of the idle spell. Provisioned instances are
	// not paused.
	Pause      bool
	PauseAfter time.Duration

	// Slots is the most requests that an instance serves at once. 0 is 1.
	// Concurrency counts instances, not requests, where it is more.
	Slots int

	// Noise is the share, 0 to 1, of reuses of idle instances that take any of
	// them, paused ones too, with equal chances instead of the one used last.
	// Provisioned instances and slots of busy ones are chosen without.
	Noise float64
	// Seed begins the pool's random source (PCG), which Survival and Noise draw from.
	Seed uint64

	// Provisioned is how many instances are kept ready ahead of requests, by
	// time since the pool's origin: From ascending, the first 0. Empty is none.
	Provisioned []Level
	// Period is after how long Provisioned begins again. 0: it does not.
	Period time.Duration

	// AheadRetry is the wait after an instance started ahead that ended before
	// its first request, until the next is started ahead. 0 is 1 s.
	AheadRetry time.Duration

	// Ping has the function invoked regularly so that instances stay warm.
	Ping Pings
}

// Level is how many instances are kept ready, from some time on.
type Level struct {
	From  time.Duration // since the beginning of the period
	Count int           // 0 is none
}

func (p Policy) slots() int { return max(1, p.Slots) }

func (p Policy) aheadRetry() time.Duration {
	if p.AheadRetry == 0 {
		return time.Second
	}
	return p.AheadRetry
}
