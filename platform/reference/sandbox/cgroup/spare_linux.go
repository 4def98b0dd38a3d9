package cgroup

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// mostSpares bounds how many groups wait to be used again.
	mostSpares = 32
	// mostResidue is what a group's ended processes may have left in its account
	// (files that the kernel still caches, its own tables) for it to be used
	// again: its next user's peak begins there. In bytes.
	mostResidue = 512 << 10
)

// spares are groups that have been used, are empty and bound nothing. To make
// and to remove groups takes a tenth of a start's CPU time (version 1: 1.31
// times a bare fork and exec's, 1.17 with spares).
type spares struct {
	mu     sync.Mutex
	groups []*Group
	closed bool
}

// pop gives a group with that period, nil if there is none.
func (s *spares) pop(period time.Duration) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.groups); n > 0 && s.groups[n-1].period == period {
		g := s.groups[n-1]
		s.groups = s.groups[:n-1]
		return g
	}
	return nil
}

// push is false if the group is one too many.
func (s *spares) push(g *Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.groups) >= mostSpares {
		return false
	}
	s.groups = append(s.groups, g)
	return true
}

// close gives the groups that are to be removed.
func (s *spares) close() []*Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	groups := s.groups
	s.groups = nil
	return groups
}

// Release gives the group back, which must be empty: Kill has returned. It is
// removed, or used again if nothing in it tells of its last user.
func (g *Group) Release() error {
	if g.reset() && g.spares.push(g) {
		return nil
	}
	return g.Remove()
}

// reset takes off every bound and begins every account anew; false if that
// cannot be done.
func (g *Group) reset() bool {
	if g.chilled || g.FreeCPU() != nil {
		return false
	}
	if g.limit < 0 {
		return true
	}
	if g.peak < 0 || g.usage < 0 || number(g.usage) > mostResidue {
		return false
	}
	none := "-1"
	if g.version(Memory) == 2 {
		none = "max"
	}
	if g.swap >= 0 && put(g.swap, none) != nil || put(g.limit, none) != nil {
		return false
	}
	// Version 2 can since Linux 6.12, for whoever holds this descriptor.
	if put(g.peak, "0") != nil {
		return false
	}
	kills, err := g.outOfMemoryKills()
	g.kills = kills
	return err == nil
}

// number reads a file with one number; 0 where it cannot be read.
func number(fd int) int64 {
	if fd < 0 {
		return 0
	}
	var text [24]byte
	n, err := unix.Pread(fd, text[:], 0)
	if err != nil {
		return 0
	}
	value, err := strconv.ParseInt(strings.TrimSpace(string(text[:n])), 10, 64)
	if err != nil {
		return 0
	}
	return value
}

// outOfMemoryKills counts from the group's making.
func (g *Group) outOfMemoryKills() (int64, error) {
	if g.oom < 0 {
		return 0, nil
	}
	var text [512]byte // a few short lines
	n, err := unix.Pread(g.oom, text[:], 0)
	return counter(string(text[:max(0, n)]), "oom_kill"), err
}
