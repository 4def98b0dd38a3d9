package process

import (
	"context"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
)

// instance is one started instance.
type instance struct {
	*session.Session
	sandbox *Sandbox
	id      string
}

// birth is what is asked for where an instance is.
type birth struct {
	id    string
	spec  *sandbox.Spec
	why   sandbox.Initialization
	begun int64 // CLOCK_MONOTONIC: it was asked for
}

// start starts an instance. The caller has entered.
func (s *Sandbox) start(ctx context.Context, to birth) (sandbox.Instance, error) {
	prog, err := s.programs.of(ctx, to.spec)
	if err != nil {
		return nil, fmt.Errorf("start instance %s: %w", to.id, err)
	}
	in := &instance{sandbox: s, id: to.id}
	if in.Session, err = session.Begin(ctx, s.conversation(to, prog)); err != nil {
		return nil, err
	}
	s.remember(in)
	return in, nil
}

// inherit makes an instance of a process that runs already. A second attempt
// would be a process of prog.
func (s *Sandbox) inherit(a *attempt, to birth, prog program, kind sample.Start) sandbox.Instance {
	in := &instance{sandbox: s, id: to.id}
	in.Session = session.Inherit(s.conversation(to, prog), tenant{a, to.id}, kind, s.clock.Now())
	s.remember(in)
	return in
}

// conversation is what a session has to know of an instance.
func (s *Sandbox) conversation(to birth, prog program) session.Config {
	return session.Config{
		Spec: to.spec, Clock: s.clock, Begun: to.begun, Response: s.limits.Response, Grace: s.options.Grace,
		Begin: func(ctx context.Context) (session.Attempt, int64, error) {
			o := &order{program: prog, spec: to.spec, tie: func(b *berth) ([]string, error) { return b.bind(prog.env, to) }}
			if err := s.launch(ctx, to.id, o); err != nil {
				return nil, 0, err
			}
			return tenant{newAttempt(o, s.wards), to.id}, o.provisioned, nil
		},
		// Init has had the full CPU.
		Ready: func(a session.Attempt) error { return a.(tenant).limit(s, to.spec.Memory) },
	}
}

// tenant is an attempt as the instance with that id has it.
type tenant struct {
	*attempt
	id string
}

// PutAway implements session.Attempt.
func (t tenant) PutAway() error { return t.putAway(t.id) }

// Stop implements sandbox.Instance.
func (in *instance) Stop(graceful bool) error {
	err := in.Session.Stop(graceful)
	in.sandbox.forget(in)
	return err
}

func (in *instance) evict() error { return in.Stop(false) }
