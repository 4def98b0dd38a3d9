package wasm

import (
	"context"
	"sync"
	"time"
)

// ahead is an instance of a module that waits for a start. It has its memory,
// tables, files and pipes; none of its code has run, so nothing tells it from
// one that is made when it is asked for. A burst beyond it makes its own.
type ahead struct {
	mu     sync.Mutex
	waits  *attempt
	closed bool
}

// recess is how long a request that has just got its instance has the machine
// to itself before the next instance is made, as in the process sandbox.
const recess = 5 * time.Millisecond

// take gives the instance, nil if there is none.
func (h *ahead) take() *attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.waits
	h.waits = nil
	return a
}

// fill makes the next one, after a recess. If it cannot, the next start will
// try and say why.
func (h *ahead) fill(p *program) {
	time.Sleep(recess)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waits != nil || h.closed || p.starts {
		return
	}
	if a, err := p.instantiate(context.Background()); err == nil {
		h.waits = a
	}
}

// close puts the instance away, and lets no other be made.
func (h *ahead) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.waits
	h.waits, h.closed = nil, true
	if a == nil {
		return nil
	}
	return a.release()
}
