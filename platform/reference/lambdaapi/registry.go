package lambdaapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// arnPrefix is that of all functions here: nobody's account in Lambda's oldest region.
const arnPrefix = "arn:aws:lambda:us-east-1:000000000000:function:"

// Registry holds the functions by name, each with its one version, $LATEST.
// Its methods may be called from any goroutine.
type Registry struct {
	runtime *engine.Runtime

	mu     sync.RWMutex
	byName map[string]*function
}

// function is a function that was created.
type function struct {
	family   *engine.Family
	version  *engine.Version
	modified time.Time
}

// NewRegistry makes a Registry without functions. The runtime's families are
// its own from then on.
func NewRegistry(rt *engine.Runtime) *Registry {
	return &Registry{runtime: rt, byName: make(map[string]*function)}
}

// Create adds a function. It starts no instance.
func (r *Registry) Create(ctx context.Context, fn platform.Function) error {
	_, err := r.create(ctx, fn)
	return err
}

func (r *Registry) create(ctx context.Context, fn platform.Function) (*function, error) {
	family, err := r.runtime.Family(fn.Name)
	if err != nil {
		return nil, err
	}
	version, err := family.Add(ctx, sandbox.Spec{Function: fn, ARN: arnPrefix + fn.Name}, engine.Settings{})
	if err == nil && fn.Reserved > 0 {
		err = family.Reserve(&fn.Reserved)
	}
	if err != nil {
		return nil, errors.Join(err, family.Remove(ctx))
	}
	f := &function{family: family, version: version, modified: time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byName[fn.Name] = f
	return f, nil
}

// Invoke runs a function once, as [engine.Version.Invoke] does.
func (r *Registry) Invoke(ctx context.Context, name string, inv engine.Invocation) (engine.Outcome, error) {
	f, err := r.find(name)
	if err != nil {
		return engine.Outcome{}, err
	}
	out, err := f.version.Invoke(ctx, inv)
	if e, ok := errors.AsType[*engine.Error](err); ok && e.Code == engine.Retired {
		return out, notFound(name) // it is never replaced here
	}
	return out, err
}

func (r *Registry) find(name string) (*function, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f := r.byName[name]
	if f == nil {
		return nil, notFound(name)
	}
	return f, nil
}

// list gives all functions, by name.
func (r *Registry) list() []*function {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]*function, 0, len(r.byName))
	for _, f := range r.byName {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *function) int { return strings.Compare(a.family.Name(), b.family.Name()) })
	return list
}

// remove takes a function away; what it is serving may end until ctx does.
func (r *Registry) remove(ctx context.Context, name string) error {
	r.mu.Lock()
	f := r.byName[name]
	delete(r.byName, name)
	r.mu.Unlock()
	if f == nil {
		return notFound(name)
	}
	return f.family.Remove(ctx)
}

func notFound(name string) error {
	return &engine.Error{Code: engine.NotFound, Message: "Function not found: " + arnPrefix + name}
}
