package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/cgroup"
)

// Sandbox starts processes.
type Sandbox struct {
	options  Options
	clock    clock.Monotonic
	limits   sandbox.Limits
	groups   *cgroup.Manager        // nil without control groups
	wards    *wards                 // nil with control groups, or without Options.Adopt
	foster   func() (*wards, error) // gives the wards of zygotes' children
	launcher *launcher
	programs *programs

	mu       sync.Mutex
	notes    []string
	alive    map[resident]struct{}
	fostered *wards // besides wards; nil before the first zygote
	starts   sync.WaitGroup
	closed   bool
	close    sync.Once
	left     error
}

// resident is what holds a process of the sandbox's.
type resident interface {
	// evict ends it at once.
	evict() error
}

// New makes a sandbox. It works without control groups, and then Notes says
// what is not enforced.
func New(o Options) (*Sandbox, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if !o.AllowAnyLocalUser && o.Walls == nil {
		if err := peer.Probe(); err != nil {
			return nil, fmt.Errorf("process sandbox: %w", err)
		}
	}
	o = o.withDefaults()
	s := &Sandbox{options: o, clock: clock.New(), limits: sandbox.Lambda(), programs: newPrograms(o), alive: map[resident]struct{}{}}
	if o.NoCgroups {
		s.note("memory and CPU limits are not enforced: control groups are turned off")
	} else if groups, err := cgroup.New(cgroup.Options{CPUPeriod: s.limits.CPUPeriod, Processes: s.limits.Processes}); err != nil {
		s.note("memory and CPU limits are not enforced: " + err.Error())
	} else {
		s.groups = groups
		for _, n := range groups.Notes() {
			s.note(n)
		}
	}
	if o.AllowAnyLocalUser && o.Walls == nil {
		s.note("every user of this machine can take and answer the functions' invocations: who connects is not checked")
	}
	var err error
	if s.groups == nil && o.Adopt && o.Walls == nil {
		if s.wards, err = adopt(false); err != nil {
			s.note("processes that a function leaves behind in a session of their own are not ended: " + err.Error())
		}
	}
	s.foster = sync.OnceValues(s.adoptChildren)
	if s.launcher, err = newLauncher(o.Launchers, s.groups, s.wards, s.limits, s.clock, o); err != nil {
		return nil, fmt.Errorf("process sandbox: %w", errors.Join(err, s.release()))
	}
	return s, nil
}

// adoptChildren makes this process the parent of zygotes' children, at the
// first zygote: each end of a process costs a look for orphans from then on.
func (s *Sandbox) adoptChildren() (*wards, error) {
	if s.wards != nil {
		return s.wards, nil
	}
	if !s.options.Adopt || s.options.Walls != nil {
		return nil, errors.New("a zygote's children need a process that adopts them (Options.Adopt), and no walls")
	}
	w, err := adopt(true)
	if err == nil {
		s.mu.Lock()
		s.fostered = w
		s.mu.Unlock()
	}
	return w, err
}

// release gives back what the sandbox holds of the machine's.
func (s *Sandbox) release() error {
	var errs []error
	for _, w := range []*wards{s.wards, s.fostered} {
		if w != nil {
			errs = append(errs, w.close())
		}
	}
	if s.groups != nil {
		errs = append(errs, s.groups.Close())
	}
	return errors.Join(errs...)
}

// listen opens an instance's Runtime API.
func (o Options) listen() (net.Listener, error) {
	l, err := runtimeapi.Listen()
	if err != nil || o.AllowAnyLocalUser {
		return l, err
	}
	return peer.Guard(l, o.Refused), nil
}

// note adds a note once.
func (s *Sandbox) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, have := range s.notes {
		if have == text {
			return
		}
	}
	s.notes = append(s.notes, text)
}

// Shares implements sandbox.Sharer. A Go function's own client has to poll as
// often at once as AWS_LAMBDA_MAX_CONCURRENCY says, which AWS's does from
// Go 1.22 on; where one does not, requests wait for it inside the instance.
func (s *Sandbox) Shares(spec *sandbox.Spec) error {
	if spec.Function.Runtime != platform.Go {
		return fmt.Errorf("the runtime client of %s fetches one request after the other", spec.Function.Runtime)
	}
	return nil
}

// Notes say what a reader of figures must know: limits that are not enforced.
func (s *Sandbox) Notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.notes...)
}

// Threads are those that start instances: the share of the CPU that they run
// at is the instance's that they stand in.
func (s *Sandbox) Threads() []int { return s.launcher.tids }

// Interpreter implements sandbox.Interpreting.
func (s *Sandbox) Interpreter(spec *sandbox.Spec) (what, version string) {
	version = s.programs.version(spec.Function.Runtime)
	language := map[platform.Runtime]string{platform.NodeJS: "Node.js", platform.Python: "Python"}[spec.Function.Runtime]
	return "this machine's " + language + " " + version, version
}

// Facts tell what the sandbox uses: the control groups' version, the
// interpreters that it has found, what stops a paused instance.
func (s *Sandbox) Facts() map[string]string {
	facts := s.programs.facts()
	facts["sandbox"] = "process"
	facts["cgroup"] = "none"
	facts["pause"] = "SIGSTOP to the process group"
	if s.groups != nil {
		facts["cgroup"] = s.groups.Version()
		facts["pause"] = cmp.Or(s.groups.Freezer(), facts["pause"])
	}
	return facts
}

// Prepare finds out what a function's starts will execute, so that none of
// them has to.
func (s *Sandbox) Prepare(ctx context.Context, spec *sandbox.Spec) error {
	if _, err := s.programs.of(ctx, spec); err != nil {
		return fmt.Errorf("prepare %s: %w", spec.Function.Name, err)
	}
	return nil
}

// Start implements sandbox.Sandbox. An executable that is missing or not one
// is a *sandbox.Failure of kind Init.
func (s *Sandbox) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	begun := s.clock.Now()
	if err := s.enter(id); err != nil {
		return nil, err
	}
	defer s.starts.Done()
	return s.start(ctx, birth{id, spec, why, begun})
}

// enter says whether something may still be started; if so, the caller calls
// starts.Done when it has been.
func (s *Sandbox) enter(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start %s: the sandbox is closed", id)}
	}
	s.starts.Add(1)
	return nil
}

// launch has a launcher fulfil an order; id is that of who will live there.
func (s *Sandbox) launch(ctx context.Context, id string, o *order) error {
	o.done = make(chan struct{})
	select {
	case o.berth = <-s.launcher.ready:
	case <-ctx.Done():
		return fmt.Errorf("start %s: %w", id, context.Cause(ctx))
	}
	o.berth.thread.orders <- o
	<-o.done
	if o.err == nil {
		return nil
	}
	err := fmt.Errorf("start %s: %w", id, o.err)
	if unfit(o.err) {
		return &sandbox.Failure{Kind: sample.Init, Cause: err, Type: "Runtime.InvalidEntrypoint", Message: "Error: " + o.err.Error()}
	}
	return &sandbox.Failure{Kind: sample.Platform, Cause: err}
}

// unfit tells an executable's fault from the machine's.
func unfit(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.ENOTDIR)
}

// limitCPU sets the share that comes with a memory size. A share of the whole
// machine needs no limit.
func (s *Sandbox) limitCPU(g *cgroup.Group, memory units.Bytes) error {
	quota := s.limits.CPUQuota(memory)
	if quota >= s.limits.CPUPeriod*time.Duration(runtime.NumCPU()) {
		return nil
	}
	err := g.SetCPU(quota)
	if errors.Is(err, syscall.EINVAL) {
		// Version 1 refuses a child more than its parent has: this process is
		// itself limited to less.
		s.note("CPU shares above this process's own limit are not enforced")
		return nil
	}
	return err
}

func (s *Sandbox) remember(r resident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive[r] = struct{}{}
}

func (s *Sandbox) forget(r resident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.alive, r)
}

// Close implements sandbox.Sandbox.
func (s *Sandbox) Close() error {
	s.close.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.starts.Wait()
		s.left = errors.Join(s.stopAll(), s.launcher.close(), s.release())
	})
	return s.left
}

func (s *Sandbox) stopAll() error {
	s.mu.Lock()
	left := slices.Collect(maps.Keys(s.alive))
	s.mu.Unlock()
	errs := make([]error, len(left))
	var stops sync.WaitGroup
	for i, r := range left {
		stops.Go(func() { errs[i] = r.evict() })
	}
	stops.Wait()
	return errors.Join(errs...)
}
