package engine_test

import (
	"cmp"
	"context"
	"sync"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// host is a Runtime whose functions have one version each, by name.
type host struct {
	*engine.Runtime
	t    *testing.T
	code string // folder of functions that name none

	mu       sync.Mutex
	families map[string]*engine.Family
	versions map[string]*engine.Version
}

// open makes a Runtime with one sandbox, box, unless o has others.
func open(t *testing.T, box *memory.Sandbox, o engine.Options) *host {
	t.Helper()
	if o.Sandboxes == nil {
		o.Sandboxes = map[string]sandbox.Sandbox{"memory": box}
	}
	rt, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &host{Runtime: rt, t: t, families: make(map[string]*engine.Family), versions: make(map[string]*engine.Version)}
}

// create adds a function with its first version.
func (h *host) create(fn platform.Function, policy ...lifecycle.Policy) *engine.Version {
	h.t.Helper()
	fam, err := h.Family(fn.Name)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	h.families[fn.Name] = fam
	h.mu.Unlock()
	return h.update(fn, policy...)
}

// update adds a version, which is invoked from now on, and leaves the old one alone.
func (h *host) update(fn platform.Function, policy ...lifecycle.Policy) *engine.Version {
	h.t.Helper()
	fn.Runtime, fn.Code = cmp.Or(fn.Runtime, platform.Go), cmp.Or(fn.Code, h.code)
	var s engine.Settings
	if len(policy) > 0 {
		s.Policy = &policy[0]
	}
	v, err := h.families[fn.Name].Add(h.t.Context(), sandbox.Spec{Function: fn}, s)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.versions[fn.Name] = v
	return v
}

func (h *host) version(name string) *engine.Version {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.versions[name]
}

// Invoke is of the function's present version.
func (h *host) Invoke(ctx context.Context, name string, inv engine.Invocation) (engine.Outcome, error) {
	return h.version(name).Invoke(ctx, inv)
}

func (h *host) reserve(name string, n *int) error { return h.families[name].Reserve(n) }
