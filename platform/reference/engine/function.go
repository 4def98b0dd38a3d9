package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Latest is the version of a function that has not been published.
const Latest = "$LATEST"

// arnPrefix is that of all functions here: nobody's account in Lambda's oldest region.
const arnPrefix = "arn:aws:lambda:us-east-1:000000000000:function:"

func arn(name string) string { return arnPrefix + name }

// Function is a function that was created, its defaults filled in.
type Function struct {
	platform.Function // Reserved as created; see Reservation
	ARN               string
	Version           string
	Modified          time.Time
	// Reservation is the most instances at once; nil is no limit of its own,
	// 0 serves nothing.
	Reservation *int
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// preparer is a sandbox that can do work ahead of a function's first start.
type preparer interface {
	Prepare(context.Context, *sandbox.Spec) error
}

// Create adds a function. It starts no instance.
func (rt *Runtime) Create(ctx context.Context, fn platform.Function) (Function, error) {
	fn.Memory = cmp.Or(fn.Memory, rt.limits.MemoryDefault)
	fn.Timeout = cmp.Or(fn.Timeout, rt.limits.TimeoutDefault)
	fn.Env = maps.Clone(fn.Env)
	if err := rt.check(fn); err != nil {
		return Function{}, err
	}
	spec := sandbox.Spec{
		Function: fn, Version: Latest, ARN: arn(fn.Name),
		Memory: fn.Memory, Timeout: fn.Timeout, InitLimit: rt.limits.Init,
	}
	if p, ok := rt.sandbox.(preparer); ok {
		if err := p.Prepare(ctx, &spec); err != nil {
			return Function{}, &Error{Code: Invalid, Message: "The function cannot be run here", Err: err}
		}
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closing {
		return Function{}, closing()
	}
	if _, there := rt.functions[fn.Name]; there {
		return Function{}, &Error{Code: Exists, Message: "Function already exist: " + fn.Name}
	}
	f := newFleet(rt, spec)
	if fn.Reserved > 0 {
		if err := f.reserve(&fn.Reserved); err != nil {
			return Function{}, err
		}
	}
	rt.functions[fn.Name] = f
	return f.describe(), nil
}

// check is what can be said of a function before it runs.
func (rt *Runtime) check(fn platform.Function) error {
	l := rt.limits
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if !namePattern.MatchString(fn.Name) {
		fault("function name %q does not match %s", fn.Name, namePattern)
	}
	if fn.Memory < l.Memory[0] || fn.Memory > l.Memory[1] || fn.Memory%l.MemoryStep != 0 {
		fault("memory of %d bytes is not a whole number of MB from %d to %d", fn.Memory, l.Memory[0]>>20, l.Memory[1]>>20)
	}
	if fn.Timeout <= 0 || fn.Timeout > l.Timeout {
		fault("timeout %v is not above 0 and at most %v", fn.Timeout, l.Timeout)
	}
	size := 0
	var reserved []string
	for name, value := range fn.Env {
		size += len(name) + len(value)
		if platform.ReservedVariable(name) {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		fault("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	if size > l.Environment {
		fault("environment of %d bytes exceeds %d", size, l.Environment)
	}
	if fn.Reserved < 0 {
		fault("reserved concurrency %d is below 0", fn.Reserved)
	}
	if info, err := os.Stat(fn.Code); !filepath.IsAbs(fn.Code) {
		fault("code folder %q is not an absolute path", fn.Code)
	} else if err != nil {
		fault("code folder cannot be read: %v", err)
	} else if !info.IsDir() {
		fault("code %q is not a folder", fn.Code)
	}
	if len(faults) > 0 {
		return invalid("%s", strings.Join(faults, "; "))
	}
	return nil
}

// Function gives a function by name.
func (rt *Runtime) Function(name string) (Function, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	f, err := rt.find(name)
	if err != nil {
		return Function{}, err
	}
	return f.describe(), nil
}

// Functions gives all functions, by name.
func (rt *Runtime) Functions() []Function {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	list := make([]Function, 0, len(rt.functions))
	for _, f := range rt.functions {
		if !f.closed {
			list = append(list, f.describe())
		}
	}
	slices.SortFunc(list, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// find is called with mu held.
func (rt *Runtime) find(name string) (*fleet, error) {
	f := rt.functions[name]
	if f == nil || f.closed {
		return nil, notFound(name)
	}
	return f, nil
}

// Reserve sets a function's reserved concurrency; nil takes it away, 0 lets it
// serve nothing. Requests that have their instance keep it; those that wait are
// refused by 0.
func (rt *Runtime) Reserve(name string, n *int) error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	f, err := rt.find(name)
	if err != nil {
		return err
	}
	return f.reserve(n)
}

// Delete takes a function away. Its waiting requests are refused at once;
// those that are being served may end until ctx does, then its instances are
// stopped. It returns when nothing of them is left.
func (rt *Runtime) Delete(ctx context.Context, name string) error {
	rt.mu.Lock()
	f, err := rt.find(name)
	if err != nil {
		rt.mu.Unlock()
		return err
	}
	empty := f.retire(notFound(name))
	rt.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
		rt.mu.Lock()
		empty = f.shut(notFound(name), evicted)
		rt.mu.Unlock()
		<-empty
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	f.forget()
	delete(rt.functions, name)
	return nil
}

// Evict makes the function's next start cold. It returns when every instance
// that stood idle is gone, or with the context's error; the next start is cold
// in either case.
func (rt *Runtime) Evict(ctx context.Context, name string) error {
	rt.mu.Lock()
	f, err := rt.find(name)
	if err != nil {
		rt.mu.Unlock()
		return err
	}
	going := f.evict()
	rt.mu.Unlock()
	for _, gone := range going {
		select {
		case <-gone:
		case <-ctx.Done():
			return fmt.Errorf("evict %s: %w", name, ctx.Err())
		}
	}
	return nil
}
