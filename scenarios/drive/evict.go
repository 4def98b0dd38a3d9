package drive

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/coldcurve/coldcurve/platform"
)

// Evictions says how often functions were put away after a request, where the
// schedule wants that.
type Evictions struct {
	Done   uint64 // the platform says that the next start is cold
	Failed uint64
	Late   uint64 // requests that were sent while the eviction before them was under way
	Err    error  // of the first that failed
}

// evictor puts one deployment away after requests. Its zero value does nothing.
type evictor struct {
	of    platform.Evicter // nil where it is not wanted
	under atomic.Int64
}

// evictions is what has become of them over all deployments.
type evictions struct {
	done, failed, late atomic.Uint64

	mu    sync.Mutex
	first error
}

// look counts a request that comes too early.
func (e *evictions) look(of *evictor) {
	if of.under.Load() > 0 {
		e.late.Add(1)
	}
}

// after puts the deployment away, if that is wanted. The request has been
// answered and recorded by then.
func (e *evictions) after(ctx context.Context, of *evictor) {
	if of.of == nil || ctx.Err() != nil {
		return
	}
	of.under.Add(1)
	defer of.under.Add(-1)
	switch err := of.of.Evict(ctx); {
	case err == nil:
		e.done.Add(1)
	case ctx.Err() == nil: // the run's end is no failure
		e.failed.Add(1)
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.first == nil {
			e.first = err
		}
	}
}

func (e *evictions) sum() Evictions {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Evictions{Done: e.done.Load(), Failed: e.failed.Load(), Late: e.late.Load(), Err: e.first}
}

// evictorOf is the deployment's, where the schedule wants it. That it has one is
// the plan's to check.
func evictorOf(d platform.Deployment, wanted bool) *evictor {
	if e, ok := d.(platform.Evicter); ok && wanted {
		return &evictor{of: e}
	}
	return &evictor{}
}

// checkEvict reports a schedule that wants put away what cannot be.
func checkEvict(function string, d platform.Deployment, wanted bool) error {
	if _, can := d.(platform.Evicter); wanted && d != nil && !can {
		return fmt.Errorf("function %q is to be put away after each request, which its platform cannot: leave evict out", function)
	}
	return nil
}
