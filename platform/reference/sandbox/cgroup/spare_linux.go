package cgroup

import (
	"strconv"
	"strings"
	"sync"

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

// spares are groups that have been used, are empty and bound nothing but memory,
// for which SetMemory has to be called anyhow. To make
// and to remove groups takes a tenth of a start's CPU time (version 1: 1.31
// times a bare fork and exec's, 1.17 with spares).
type spares struct {
	mu     sync.Mutex
	groups []*Group
	closed bool
}

// pop gives a group, nil if there is none.
func (s *spares) pop() *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.groups); n > 0 {
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
	if g.Reset() && g.spares.push(g) {
		return nil
	}
	return g.Remove()
}

// Reset takes off every bound but SetMemory's and begins every account anew; false
// if that cannot be done. The group is empty, as for Release.
func (g *Group) Reset() bool {
	if g.chilled || g.FreeCPU() != nil {
		return false
	}
	if g.limit < 0 {
		return true
	}
	if g.most == halfBound && g.freeMemory() != nil {
		return false
	}
	if used, ok := count(g.usage); !ok || g.peak < 0 || used > mostResidue {
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

// count reads a file with one number; not ok where it cannot be read.
func count(fd int) (n int64, ok bool) {
	if fd < 0 {
		return 0, false
	}
	var text [24]byte
	length, err := unix.Pread(fd, text[:], 0)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(text[:length])), 10, 64)
	return n, err == nil
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
