package engine

import (
	"slices"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// budget is the memory that the instances of all versions share. Its methods
// are called with the Runtime's mu held.
//
// Memory and concurrency are given away by different hands: the pools know of
// the first only, the quotas of the second. So that none of the two is given
// away twice, a version that waits is not let have more concurrency by another
// one's Step; after that Step the quotas offer what there is to those who wait,
// and each takes it in a Step of its own if there is memory for it.
type budget struct {
	memory  *lifecycle.Memory // nil without a limit
	owners  map[*lifecycle.Pool]*Version
	waiting []*Version
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

// leave forgets a version that is gone.
func (b *budget) leave(v *Version) {
	if b.owners[v.pool] != nil {
		b.memory.Leave(v.pool)
		delete(b.owners, v.pool)
	}
}

// note is told when a version's requests begin to wait, and when none does any more.
func (b *budget) note(v *Version, waits bool) {
	switch {
	case b.memory == nil:
	case waits:
		b.waiting = append(b.waiting, v)
	default:
		b.waiting = slices.DeleteFunc(b.waiting, func(other *Version) bool { return other == v })
	}
}

// hold keeps those who wait from getting anything by a Step of v.
func (b *budget) hold(v *Version) {
	for _, other := range b.waiting {
		if other != v {
			other.pool.Limit(other.held)
		}
	}
}

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

// offer has every quota at which somebody waits give what there is.
func (b *budget) offer() {
	var offered []*quota
	for _, v := range slices.Clone(b.waiting) {
		if !slices.Contains(offered, v.quota) {
			offered = append(offered, v.quota)
			v.quota.offer()
		}
	}
}
