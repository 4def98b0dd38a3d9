package container

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// recess is how long after a start the machine is left to the instance before
// the next container is created for its place.
const recess = 100 * time.Millisecond

// shelf keeps containers that were created ahead, for each function version
// that has been prepared.
type shelf struct {
	sandbox *Sandbox
	ahead   int
	quit    chan struct{}
	works   sync.WaitGroup

	mu    sync.Mutex
	rows  map[*sandbox.Spec]chan *berth
	spare []*berth // that were at hand when the shelf was closed
}

func newShelf(s *Sandbox, ahead int) *shelf {
	return &shelf{sandbox: s, ahead: ahead, quit: make(chan struct{}), rows: map[*sandbox.Spec]chan *berth{}}
}

// open begins to keep containers for a function version.
func (h *shelf) open(spec *sandbox.Spec, i *image) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, have := h.rows[spec]; have || h.ahead == 0 {
		return
	}
	row := make(chan *berth, h.ahead-1)
	h.rows[spec] = row
	h.works.Go(func() { h.fill(row, spec, i) })
}

// fill keeps a row full, and the next container at hand.
func (h *shelf) fill(row chan *berth, spec *sandbox.Spec, i *image) {
	for {
		b, err := h.sandbox.furnish(context.Background(), "", spec, i)
		if err != nil {
			h.sandbox.note("no containers are created ahead for " + spec.Function.Name + ": " + err.Error())
			return
		}
		select {
		case row <- b:
		case <-h.quit:
			h.mu.Lock()
			h.spare = append(h.spare, b)
			h.mu.Unlock()
			return
		}
		select {
		case <-time.After(recess):
		case <-h.quit:
			return
		}
	}
}

// take gives a container of the function; nil where none is ready.
func (h *shelf) take(spec *sandbox.Spec) *berth {
	h.mu.Lock()
	row := h.rows[spec]
	h.mu.Unlock()
	select {
	case b := <-row:
		return b
	default:
		return nil
	}
}

// close removes what was not taken.
func (h *shelf) close() error {
	close(h.quit)
	h.works.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, row := range h.rows {
		for len(row) > 0 {
			h.spare = append(h.spare, <-row)
		}
	}
	var errs []error
	for _, b := range h.spare {
		errs = append(errs, h.sandbox.discard(b))
	}
	return errors.Join(errs...)
}
