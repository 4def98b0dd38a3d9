package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// thrifty is a sandbox that keeps something for a version, and notes for which.
type thrifty struct {
	*memory.Sandbox
	refuses error // of Prepare

	mu                           sync.Mutex
	prepared, started, forgotten []*sandbox.Spec
}

func (b *thrifty) Prepare(_ context.Context, spec *sandbox.Spec) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prepared = append(b.prepared, spec)
	return b.refuses
}

func (b *thrifty) Forget(spec *sandbox.Spec) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgotten = append(b.forgotten, spec)
}

func (b *thrifty) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	b.mu.Lock()
	b.started = append(b.started, spec)
	b.mu.Unlock()
	return b.Sandbox.Start(ctx, id, spec, why)
}

// TestPreparedIsWhatStarts: a sandbox finds what it has prepared by the
// pointer, or a first cold start would do it again; and it is told when it may
// forget it.
func TestPreparedIsWhatStarts(t *testing.T) {
	box := &thrifty{Sandbox: &memory.Sandbox{}}
	o := engine.Options{Sandboxes: map[string]sandbox.Sandbox{"thrifty": box}}
	bubble(t, box.Sandbox, o, func(t *testing.T, rt *host) {
		v := rt.create(platform.Function{Name: "hello"})
		if _, err := v.Invoke(t.Context(), engine.Invocation{Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if len(box.prepared) != 1 || !slices.Equal(box.prepared, box.started) || box.prepared[0] != v.Spec() {
			t.Errorf("prepared %p, started %p, the version's is %p", box.prepared, box.started, v.Spec())
		}
		if len(box.forgotten) > 0 {
			t.Error("forgotten while it serves")
		}
		if err := v.Retire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(box.prepared, box.forgotten) {
			t.Errorf("prepared %p, forgotten %p", box.prepared, box.forgotten)
		}
	})
}

// TestWhatCannotBePreparedIsForgotten leaves nothing of it.
func TestWhatCannotBePreparedIsForgotten(t *testing.T) {
	box := &thrifty{Sandbox: &memory.Sandbox{}, refuses: errors.New("no such image")}
	o := engine.Options{Sandboxes: map[string]sandbox.Sandbox{"thrifty": box}}
	bubble(t, box.Sandbox, o, func(t *testing.T, rt *host) {
		fam, err := rt.Family("hello")
		if err != nil {
			t.Fatal(err)
		}
		_, err = fam.Add(t.Context(), sandbox.Spec{Function: platform.Function{Name: "hello", Runtime: platform.Go, Code: rt.code}}, engine.Settings{})
		if !errors.Is(err, box.refuses) || len(box.prepared) != 1 || !slices.Equal(box.prepared, box.forgotten) {
			t.Errorf("got %v, prepared %p, forgotten %p", err, box.prepared, box.forgotten)
		}
	})
}
