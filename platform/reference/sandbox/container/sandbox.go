package container

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/owner"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
)

// Sandbox starts containers.
type Sandbox struct {
	options Options
	engine  *engine
	owner   owner.Owner
	clock   clock.Monotonic
	limits  sandbox.Limits
	users   *users
	shelf   *shelf

	building sync.Mutex // held while an image is found
	images   map[*sandbox.Spec]*image
	tags     map[string]bool // of images that were to be built here

	mu     sync.Mutex
	notes  []string
	alive  map[*instance]struct{}
	starts sync.WaitGroup
	late   sync.WaitGroup // creations, also those that nobody waits for
	closed bool
	close  sync.Once
	left   error
}

// New makes a sandbox, if there is an engine that can be used: see
// [Available]. It removes what dead processes have left behind.
func New(ctx context.Context, o Options) (*Sandbox, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	if !o.AllowAnyLocalUser && o.Network == "" {
		if err := peer.Probe(); err != nil {
			return nil, fmt.Errorf("container sandbox: %w", err)
		}
	}
	me, err := owner.Self()
	if err != nil {
		return nil, fmt.Errorf("container sandbox: %w", err)
	}
	e, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{options: o, engine: e, owner: me, clock: clock.New(), limits: sandbox.Lambda(), users: newUsers(),
		images: map[*sandbox.Spec]*image{}, tags: map[string]bool{}, alive: map[*instance]struct{}{}}
	s.shelf = newShelf(s, o.Ahead)
	if err := e.sweep(ctx, me); err != nil {
		s.note("what earlier runs left behind is still there: " + err.Error())
	}
	s.doubt()
	return s, nil
}

// doubt notes what a reader of figures must know from the start.
func (s *Sandbox) doubt() {
	for _, w := range s.engine.info.Warnings {
		s.note("the Docker engine says: " + w)
	}
	if s.options.AllowAnyLocalUser {
		s.note("every user of this machine can take and answer the functions' invocations: who connects is not checked")
	}
	if s.options.Ahead > 0 {
		s.note(fmt.Sprintf("%d containers a function are created ahead: a start is without their creation where one is ready", s.options.Ahead))
	}
}

// note adds a note once.
func (s *Sandbox) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// Notes say what a reader of figures must know: limits that are not enforced.
func (s *Sandbox) Notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notes)
}

// Facts tell what the sandbox uses: the engine, the OCI runtime, the network.
func (s *Sandbox) Facts() map[string]string {
	facts := s.engine.facts()
	facts["sandbox"], facts["oci_runtime"], facts["network"] = "container", s.runtime(), "host"
	if s.options.Network != "" {
		facts["network"] = s.options.Network
	}
	return facts
}

// Host is the engine's address.
func (s *Sandbox) Host() string { return s.engine.host }

func (s *Sandbox) runtime() string {
	if s.options.OCIRuntime != "" {
		return s.options.OCIRuntime
	}
	return s.engine.info.DefaultRuntime
}

// Prepare pulls or builds a function's image, so that none of its starts has to.
func (s *Sandbox) Prepare(ctx context.Context, spec *sandbox.Spec) error {
	i, err := s.imageOf(ctx, spec)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", spec.Function.Name, err)
	}
	s.shelf.open(spec, i)
	return nil
}

// Forget removes what is kept for a function version: containers created ahead,
// and the image if it was built here.
func (s *Sandbox) Forget(spec *sandbox.Spec) {
	err := s.shelf.drop(spec)
	s.building.Lock()
	defer s.building.Unlock()
	if i := s.images[spec]; i != nil && s.tags[i.reference] {
		err = errors.Join(err, s.removeImage(i.reference))
	}
	delete(s.images, spec)
	if err != nil {
		s.note("something of " + spec.Function.Name + " is left until the sandbox is closed: " + err.Error())
	}
}

// Start implements sandbox.Sandbox. A program that is missing or not one is a
// *sandbox.Failure of kind Init.
func (s *Sandbox) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	begun := s.clock.Now()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start instance %s: the sandbox is closed", id)}
	}
	s.starts.Add(1)
	s.mu.Unlock()
	defer s.starts.Done()
	i, err := s.imageOf(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start instance %s: %w", id, err)
	}
	in := &instance{sandbox: s}
	in.Session, err = session.Begin(ctx, session.Config{
		Spec: spec, Clock: s.clock, Begun: begun, Response: s.limits.Response, Grace: s.options.Grace,
		Begin: func(ctx context.Context) (session.Attempt, int64, error) {
			return s.begin(ctx, tag{id, why}, spec, i, begun)
		},
		Ready: func(a session.Attempt) error { a.(*attempt).settle(spec); return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("start instance %s: %w", id, err)
	}
	s.mu.Lock()
	s.alive[in] = struct{}{}
	s.mu.Unlock()
	return in, nil
}

func (s *Sandbox) forget(in *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.alive, in)
}

// Close implements sandbox.Sandbox.
func (s *Sandbox) Close() error {
	s.close.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.starts.Wait()
		s.left = errors.Join(s.stopAll(), s.shelf.close())
		s.late.Wait()
		s.left = errors.Join(s.left, s.removeImages(), s.engine.Close())
	})
	return s.left
}

func (s *Sandbox) stopAll() error {
	s.mu.Lock()
	var left []*instance
	for in := range s.alive {
		left = append(left, in)
	}
	s.mu.Unlock()
	errs := make([]error, len(left))
	var stops sync.WaitGroup
	for i, in := range left {
		stops.Go(func() { errs[i] = in.Stop(false) })
	}
	stops.Wait()
	return errors.Join(errs...)
}

// patience bounds the wait for a call of the engine that puts something away.
const patience = 30 * time.Second

// patiently is the context of a call that nobody's own bounds.
func patiently() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func (s *Sandbox) removeImages() error {
	s.building.Lock()
	defer s.building.Unlock()
	var errs []error
	for tag := range s.tags {
		errs = append(errs, s.removeImage(tag))
	}
	return errors.Join(errs...)
}

// removeImage removes an image that was built here. The caller holds building.
func (s *Sandbox) removeImage(tag string) error {
	ctx, cancel := patiently()
	defer cancel()
	err := s.engine.removeImage(ctx, tag)
	if err == nil {
		delete(s.tags, tag)
	}
	return err
}

// Runs says whether a runtime's instances can be containers.
func (*Sandbox) Runs(r platform.Runtime) bool { return r != platform.Wasm }
