package wasm

import "sync"

// space is a number of bytes that are taken and given back. It is safe for
// concurrent use.
type space struct {
	mu         sync.Mutex
	most, used int64
	full       bool
}

func (s *space) take(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full || n > s.most-s.used {
		return false
	}
	s.used += n
	return true
}

func (s *space) give(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
}

// fill leaves nothing, for what is given back neither, or what there was before.
func (s *space) fill(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}
