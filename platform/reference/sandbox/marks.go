package sandbox

import "cmp"

// Ordered takes back an instant that was told late: on a busy machine the
// thread that forks a process may run again only when that is well under way.
// An earlier instant cannot be later than the next one, so that bounds it.
func (m Marks) Ordered() Marks {
	if m.Booted > 0 && m.Ready > 0 {
		m.Booted = min(m.Booted, m.Ready)
	}
	if next := cmp.Or(m.Booted, m.Ready); next > 0 {
		m.Provisioned = min(m.Provisioned, next)
	}
	return m
}
