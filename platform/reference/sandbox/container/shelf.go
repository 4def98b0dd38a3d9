package container

import (
	"errors"
	"maps"
	"slices"
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

	mu   sync.Mutex
	rows map[*sandbox.Spec]*row
}

// row is a version's.
type row struct {
	berths chan *berth
	quit   chan struct{}
	full   chan *berth // gives the one at hand when filling has ended, or nil
}

func newShelf(s *Sandbox, ahead int) *shelf {
	return &shelf{sandbox: s, ahead: ahead, rows: map[*sandbox.Spec]*row{}}
}

// open begins to keep containers for a function version.
func (h *shelf) open(spec *sandbox.Spec, i *image) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rows[spec] != nil || h.ahead == 0 {
		return
	}
	r := &row{berths: make(chan *berth, h.ahead-1), quit: make(chan struct{}), full: make(chan *berth, 1)}
	h.rows[spec] = r
	go func() { r.full <- h.fill(r, spec, i) }()
}

// fill keeps a row full, and the next container at hand, which it gives when
// the row is dropped.
func (h *shelf) fill(r *row, spec *sandbox.Spec, i *image) (spare *berth) {
	for {
		b, err := h.create(spec, i)
		if err != nil {
			h.sandbox.note("no containers are created ahead for " + spec.Function.Name + ": " + err.Error())
			return nil
		}
		select {
		case r.berths <- b:
		case <-r.quit:
			return b
		}
		select {
		case <-time.After(recess):
		case <-r.quit:
			return nil
		}
	}
}

// create creates a container for whoever comes.
func (h *shelf) create(spec *sandbox.Spec, i *image) (*berth, error) {
	ctx, cancel := patiently()
	defer cancel()
	return h.sandbox.furnish(ctx, tag{why: sandbox.OnDemand}, spec, i)
}

// take gives a container of the function; nil where none is ready.
func (h *shelf) take(spec *sandbox.Spec) *berth {
	h.mu.Lock()
	r := h.rows[spec]
	h.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case b := <-r.berths:
		return b
	default:
		return nil
	}
}

// drop removes what is kept for a function version.
func (h *shelf) drop(spec *sandbox.Spec) error {
	h.mu.Lock()
	r := h.rows[spec]
	delete(h.rows, spec)
	h.mu.Unlock()
	if r == nil {
		return nil
	}
	close(r.quit)
	var errs []error
	if b := <-r.full; b != nil {
		errs = append(errs, h.sandbox.discard(b))
	}
	for len(r.berths) > 0 {
		errs = append(errs, h.sandbox.discard(<-r.berths))
	}
	return errors.Join(errs...)
}

// close removes what was not taken.
func (h *shelf) close() error {
	h.mu.Lock()
	specs := slices.Collect(maps.Keys(h.rows))
	h.mu.Unlock()
	var errs []error
	for _, spec := range specs {
		errs = append(errs, h.drop(spec))
	}
	return errors.Join(errs...)
}
