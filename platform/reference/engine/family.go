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

	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Latest is the version of a function that has not been published.
const Latest = "$LATEST"

// Family is a function: what its versions share. Its methods may be called
// from any goroutine.
type Family struct {
	rt   *Runtime
	name string
	log  logbook // guarded by itself
	luck *luck   // nil without faults

	// Guarded by the Runtime's mu.
	versions []*Version // that are not gone, the retiring ones too
	seeds    uint64     // that were given to versions
	reserved *quota     // nil without a reservation
	removed  bool
}

// Settings are what a version has of its own.
type Settings struct {
	// Policy is the version's. The default is the Runtime's. Its Concurrency is
	// not heeded: the family's reservation and the account stand in its place.
	Policy *lifecycle.Policy
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// preparer is a sandbox that can do work ahead of a version's first start. What
// it has done is found by the pointer, which is that of every start.
type preparer interface {
	Prepare(context.Context, *sandbox.Spec) error
}

// forgetter is a sandbox that keeps something for a version.
type forgetter interface {
	Forget(*sandbox.Spec)
}

// Family makes a function that has no version yet. The name is free again when
// the family that has it was removed.
func (rt *Runtime) Family(name string) (*Family, error) {
	if !namePattern.MatchString(name) {
		return nil, invalid("function name %q does not match %s", name, namePattern)
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closing {
		return nil, closing()
	}
	if rt.families[name] != nil {
		return nil, &Error{Code: Exists, Message: "Function already exist: " + name}
	}
	fam := &Family{rt: rt, name: name, luck: rt.mischief.of(name)}
	rt.families[name] = fam
	return fam, nil
}

// seed is for the pool of the next version: functions do not live and die alike.
func (fam *Family) seed() uint64 {
	fam.rt.mu.Lock()
	defer fam.rt.mu.Unlock()
	fam.seeds++
	return stream.New(fam.rt.seed, fam.name, fam.seeds).Uint64()
}

// Name is the function's.
func (fam *Family) Name() string { return fam.name }

// Add makes a version that can be invoked. It prepares what its instances
// need (the interpreter, the image; the zygote has loaded the function, a pool
// has a runtime) and starts none. The spec's Memory, Timeout and InitLimit may be 0: they
// are the function's then, or the platform's default. The spec is copied. Two
// versions of one name may be there at once, of which the older is to be
// retired.
func (fam *Family) Add(ctx context.Context, spec sandbox.Spec, s Settings) (*Version, error) {
	rt := fam.rt
	rt.fill(&spec)
	if err := rt.check(&spec); err != nil {
		return nil, err
	}
	policy, err := rt.policyOf(&spec, s)
	if err != nil {
		return nil, err
	}
	spec.Slots = max(1, policy.Slots)
	box, err := rt.sandboxOf(&spec)
	if err != nil {
		return nil, err
	}
	v := newVersion(fam, spec, box, policy)
	if err := v.prepare(ctx); err != nil {
		v.end()
		return nil, err
	}
	if err := fam.admit(v); err != nil {
		v.end()
		return nil, err
	}
	return v, nil
}

// prepare does what can be done before the version's first start.
func (v *Version) prepare(ctx context.Context) error {
	if p, ok := v.box.(preparer); ok {
		if err := p.Prepare(ctx, &v.spec); err != nil {
			return &Error{Code: Invalid, Message: "The function cannot be run here", Err: err}
		}
	}
	if err := v.checkSlots(); err != nil {
		return err
	}
	s, err := v.starterOf(ctx)
	if err != nil {
		return err
	}
	v.starter = s
	return nil
}

// end puts away what starts were prepared with. Idempotent.
func (v *Version) end() {
	v.kill()
	if v.starter != nil {
		v.starter.end()
	}
	if f, ok := v.box.(forgetter); ok {
		f.Forget(&v.spec)
	}
}

// admit makes the version one of the family's.
func (fam *Family) admit(v *Version) error {
	rt := fam.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	switch {
	case rt.closing:
		return closing()
	case fam.removed:
		return fam.notFound()
	}
	v.quota = fam.quota()
	v.pool.Begin(rt.elapsed())
	rt.budget.share(v)
	fam.versions = append(fam.versions, v)
	v.step(lifecycle.Event{Kind: lifecycle.Tick}) // what its policy keeps ahead begins now
	return nil
}

// fill gives a spec the defaults of what it does not say.
func (rt *Runtime) fill(spec *sandbox.Spec) {
	fn := &spec.Function
	spec.Version = cmp.Or(spec.Version, Latest)
	spec.Memory = cmp.Or(spec.Memory, fn.Memory, rt.limits.MemoryDefault)
	spec.Storage = cmp.Or(spec.Storage, fn.Storage, rt.limits.StorageDefault)
	spec.Timeout = cmp.Or(spec.Timeout, fn.Timeout, rt.limits.TimeoutDefault)
	spec.InitLimit = cmp.Or(spec.InitLimit, rt.limits.Init)
	fn.Memory, fn.Storage, fn.Timeout = spec.Memory, spec.Storage, spec.Timeout
	fn.Env = maps.Clone(fn.Env)
}

// sandboxOf picks the sandbox that a function names, or the first that can run
// it where it names none. The spec says so from then on.
func (rt *Runtime) sandboxOf(spec *sandbox.Spec) (sandbox.Sandbox, error) {
	fn := &spec.Function
	for _, name := range rt.order {
		if fn.Sandbox == "" && runs(rt.sandboxes[name], fn.Runtime) {
			fn.Sandbox = name
		}
	}
	there := strings.Join(rt.order, ",")
	switch box := rt.sandboxes[fn.Sandbox]; {
	case fn.Sandbox == "":
		more := ""
		if suited := rt.suited[fn.Runtime]; suited != "" {
			more = "; write coldcurve serve --sandbox " + there + "," + suited
		}
		return nil, invalid("no sandbox of this runtime (%s) runs %s%s", there, fn.Runtime, more)
	case box == nil:
		return nil, invalid("no sandbox %q here; there are: %s", fn.Sandbox, strings.Join(rt.order, ", "))
	case !runs(box, fn.Runtime):
		return nil, invalid("the %s sandbox does not run %s; name another one of %s, or none", fn.Sandbox, fn.Runtime, there)
	default:
		return box, nil
	}
}

// runs says whether a sandbox has instances of a runtime; one that does not
// tell has those of all.
func runs(box sandbox.Sandbox, runtime platform.Runtime) bool {
	r, ok := box.(interface{ Runs(platform.Runtime) bool })
	return !ok || r.Runs(runtime)
}

// check is what can be said of a version before it runs.
func (rt *Runtime) check(spec *sandbox.Spec) error {
	l, fn := rt.limits, spec.Function
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if spec.Memory < l.Memory[0] || spec.Memory > l.Memory[1] || spec.Memory%l.MemoryStep != 0 {
		fault("memory of %d bytes is not a whole number of MB from %d to %d", spec.Memory, l.Memory[0]>>20, l.Memory[1]>>20)
	}
	if spec.Timeout <= 0 || spec.Timeout > l.Timeout {
		fault("timeout %v is not above 0 and at most %v", spec.Timeout, l.Timeout)
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
	if fn.Runtime == platform.Image {
		if fn.Image == "" {
			fault("the function names no image")
		}
	} else if info, err := os.Stat(fn.Code); !filepath.IsAbs(fn.Code) {
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

// Reserve sets the concurrency that the function's versions have to themselves,
// and no more than that; nil takes it away, 0 lets them serve nothing. Requests
// that have their instance keep it; those that wait are refused by 0.
func (fam *Family) Reserve(n *int) error {
	rt := fam.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if fam.removed {
		return fam.notFound()
	}
	before, after := 0, 0
	if fam.reserved != nil {
		before = fam.reserved.limit
	}
	if n != nil {
		after = *n
	}
	if err := rt.account.reserve(before, after); err != nil {
		return err
	}
	switch {
	case n == nil:
		fam.reserved = nil
	case fam.reserved == nil:
		fam.reserved = &quota{limit: after}
	default:
		fam.reserved.limit = after
	}
	for _, v := range fam.versions {
		v.join(fam.quota())
	}
	fam.quota().offer()
	rt.account.rest.offer()
	return nil
}

// Reservation is the concurrency that is reserved; nil is none.
func (fam *Family) Reservation() *int {
	fam.rt.mu.Lock()
	defer fam.rt.mu.Unlock()
	if fam.reserved == nil {
		return nil
	}
	n := fam.reserved.limit
	return &n
}

// Remove takes the function away with all its versions. Requests that wait are
// refused at once; those that are being served may end until ctx does, then
// they are killed with their instances. It returns when nothing of them is
// left. Idempotent.
func (fam *Family) Remove(ctx context.Context) error {
	rt := fam.rt
	rt.mu.Lock()
	fam.removed = true
	versions := slices.Clone(fam.versions)
	var emptied []<-chan struct{}
	for _, v := range versions {
		emptied = append(emptied, v.retire(fam.notFound()))
	}
	rt.mu.Unlock()
	for i, v := range versions {
		_ = v.leave(ctx, emptied[i], fam.notFound()) // that ctx has cut it short is as told
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.families[fam.name] != fam {
		return nil
	}
	delete(rt.families, fam.name)
	if fam.reserved != nil {
		rt.account.divide(rt.account.reserved - fam.reserved.limit)
		rt.account.rest.offer()
	}
	return nil
}

// quota is what the versions share. Called with mu held, like what follows.
func (fam *Family) quota() *quota {
	if fam.reserved != nil {
		return fam.reserved
	}
	return &fam.rt.account.rest
}

// provision checks that a version may have n instances started ahead, beside
// what the others have.
func (fam *Family) provision(v *Version, n int) error {
	if n < 0 {
		return invalid("provisioned concurrency %d is below 0", n)
	}
	total := fam.asked() - v.asked + n
	if fam.reserved != nil && total > fam.reserved.limit {
		return invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	}
	if fam.reserved != nil || n <= v.asked {
		return nil
	}
	rt := fam.rt
	for _, other := range rt.families {
		if other != fam && other.reserved == nil {
			total += other.asked()
		}
	}
	if limit := rt.account.rest.limit; rt.account.concurrency > 0 && total > limit-rt.account.unreserved {
		return invalid("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", max(0, limit-rt.account.unreserved))
	}
	return nil
}

// asked is what Provision has asked of all versions.
func (fam *Family) asked() (n int) {
	for _, v := range fam.versions {
		if !v.retired {
			n += v.asked
		}
	}
	return n
}

// shut says whether the reservation lets nothing be served.
func (fam *Family) shut() bool { return fam.reserved != nil && fam.reserved.limit == 0 }

// forget drops a version that is gone.
func (fam *Family) forget(v *Version) {
	v.quota.leave(v)
	fam.rt.budget.leave(v)
	fam.versions = slices.DeleteFunc(fam.versions, func(other *Version) bool { return other == v })
}

func (fam *Family) notFound() *Error {
	return &Error{Code: NotFound, Message: "Function not found: " + fam.name}
}
