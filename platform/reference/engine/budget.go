package engine

import "github.com/coldcurve/coldcurve/platform/lifecycle"

// budget is the memory that the instances of all versions share. Its methods
// are called with the Runtime's mu held.
type budget struct {
	memory *lifecycle.Memory // nil without a limit
	owners map[*lifecycle.Pool]*Version
}

func newBudget(limit int64) budget {
	if limit == 0 {
		return budget{}
	}
	return budget{memory: lifecycle.NewMemory(limit), owners: make(map[*lifecycle.Pool]*Version)}
}

// share has a version's instances count, before it takes its first Step.
func (b *budget) share(v *Version) {
	if b.memory != nil {
		v.pool.Share(b.memory, int64(v.spec.Memory))
		b.owners[v.pool] = v
	}
}

func (b *budget) leave(v *Version) { delete(b.owners, v.pool) }

// settle carries out what a Step has meant for versions other than its own.
func (b *budget) settle() {
	if b.memory == nil {
		return
	}
	b.memory.Orders(func(p *lifecycle.Pool, a lifecycle.Action) {
		if v := b.owners[p]; v != nil {
			v.obey(a)
		}
	})
}
