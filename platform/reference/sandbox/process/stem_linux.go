package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
)

// stem is an interpreter that runs our client and asks it for a function.
type stem struct {
	sandbox *Sandbox
	id      string
	attempt *attempt
	booted  <-chan struct{}

	mu      sync.Mutex
	used    bool // assigned, or stopped
	stopped error
}

// Boot implements sandbox.Stocker, for Node.js and Python.
func (s *Sandbox) Boot(ctx context.Context, id string, runtime platform.Runtime) (sandbox.Stem, error) {
	if err := s.enter(id); err != nil {
		return nil, err
	}
	defer s.starts.Done()
	prog, err := s.programs.ofStem(ctx, runtime)
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", id, err)
	}
	st := &stem{sandbox: s, id: id}
	o := &order{program: prog, tie: func(b *berth) ([]string, error) {
		if b.group != nil {
			if err := b.group.SetMemory(0); err != nil { // until it is assigned
				return nil, err
			}
		}
		st.booted = b.api.ExpectStem()
		return append(slices.Clone(prog.env), "AWS_LAMBDA_RUNTIME_API="+b.api.Addr()), nil
	}}
	if err := s.launch(ctx, id, o); err != nil {
		return nil, err
	}
	st.attempt = newAttempt(o, s.wards)
	s.remember(st)
	return st, nil
}

// AwaitBooted implements sandbox.Stem.
func (st *stem) AwaitBooted(ctx context.Context) error {
	select {
	case <-st.booted:
		return nil
	case <-st.Done():
		f := session.ExitFailure(tenant{st.attempt, st.id}, sample.Platform, "")
		return fmt.Errorf("boot %s: %w: %s", st.id, f, f.Log)
	case <-ctx.Done():
		return fmt.Errorf("boot %s: %w", st.id, context.Cause(ctx))
	}
}

// Assign implements sandbox.Stem. A function with variables that its
// interpreter reads only at its own start gets a fresh one, which is Cold.
func (st *stem) Assign(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	s := st.sandbox
	to := birth{id, spec, why, s.clock.Now()}
	if err := s.enter(id); err != nil {
		return nil, err
	}
	defer s.starts.Done()
	if !st.take() {
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start %s: stem %s is used up", id, st.id)}
	}
	defer s.forget(st)
	if name := readAtBoot(spec.Function.Env); name != "" {
		s.note(fmt.Sprintf("%s cannot start from a pre-booted runtime: its variable %s is read when the interpreter starts", spec.Function.Name, name))
		if err := st.attempt.putAway(st.id); err != nil {
			return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start %s: %w", id, err)}
		}
		return s.start(ctx, to)
	}
	in, err := st.assign(ctx, to)
	if err != nil {
		err = &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start %s: %w", id, errors.Join(err, st.attempt.putAway(st.id)))}
		return nil, err
	}
	return in, nil
}

func (st *stem) assign(ctx context.Context, to birth) (sandbox.Instance, error) {
	s := st.sandbox
	prog, err := s.programs.of(ctx, to.spec)
	if err != nil {
		return nil, err
	}
	env, err := st.attempt.bind(prog.env, to)
	if err != nil {
		return nil, err
	}
	if err := st.attempt.api.Assign(env); err != nil {
		return nil, err
	}
	return s.inherit(st.attempt, to, prog, sample.Prewarmed), nil
}

// take uses the stem up, once.
func (st *stem) take() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	was := st.used
	st.used = true
	return !was
}

// Done implements sandbox.Stem.
func (st *stem) Done() <-chan struct{} { return st.attempt.exited }

// Stop implements sandbox.Stem.
func (st *stem) Stop() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.used {
		st.used = true
		st.stopped = st.attempt.putAway(st.id)
		st.sandbox.forget(st)
	}
	return st.stopped
}

func (st *stem) evict() error { return st.Stop() }
