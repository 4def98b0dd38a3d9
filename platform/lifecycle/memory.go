package lifecycle

// Memory is a budget of bytes that the pools which [Pool.Share] it draw on. A
// start takes an instance's size and a Reap gives it back. Where too little is
// left for a start, instances that are idle go, in whatever pool, the one used
// longest ago first; where that is not enough, the request waits or is
// throttled. Memory that comes free goes to the request that has waited longest.
//
// A Step of one pool thus may mean something for others: see [Memory.Orders].
// Steps of pools that share a Memory must not be concurrent, and their times
// must be measured from one origin.
type Memory struct {
	limit  int64
	orders []order
}

type order struct {
	pool   *Pool
	action Action
}

// NewMemory makes a budget of limit bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Share has the pool draw on a budget with size bytes for each instance. It is
// called before the first Step, if at all.
func (p *Pool) Share(m *Memory, size int64) {}

// Orders hands over, in order, what the Steps since it was called last mean for
// pools other than those that were stepped. It is to be called after each Step
// of a pool that shares the budget; do may call Step.
func (m *Memory) Orders(do func(p *Pool, a Action)) {
	for _, o := range m.orders {
		do(o.pool, o.action)
	}
	m.orders = m.orders[:0]
}
