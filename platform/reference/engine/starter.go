package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// The start tiers, as functions name them.
const (
	StartPlain  = "plain"  // each instance from nothing
	StartPool   = "pool"   // from a runtime that was booted before anybody asked
	StartZygote = "zygote" // forked from a process that has the function loaded
	StartPause  = "pause"  // from nothing, and then paused while idle
)

// StartTiers are the names above.
func StartTiers() []string { return []string{StartPlain, StartPool, StartZygote, StartPause} }

// starter is how a version's instances come to be.
type starter interface {
	// start makes an instance's process run, in whatever way is there now: what
	// a faster one cannot do is done from nothing.
	start(ctx context.Context, id string, why sandbox.Initialization) (sandbox.Instance, error)
	// end puts away what is kept ready and waits until it is gone. Idempotent.
	end()
}

// plain starts every instance from nothing.
type plain struct {
	box  sandbox.Sandbox
	spec *sandbox.Spec
}

func (p plain) start(ctx context.Context, id string, why sandbox.Initialization) (sandbox.Instance, error) {
	return p.box.Start(ctx, id, p.spec, why)
}

func (plain) end() {}

// starterOf makes a version's starter, and all that its first start needs:
// when it returns, a stem has booted or the zygote has loaded the function.
func (v *Version) starterOf(ctx context.Context) (starter, error) {
	usual := plain{v.box, &v.spec}
	switch tier := v.spec.Function.Start; tier {
	case "", StartPlain, StartPause:
		return usual, nil
	case StartPool:
		box, ok := v.box.(sandbox.Stocker)
		if !ok {
			return nil, v.cannot("boot a runtime before its function is known")
		}
		s, err := v.rt.stockOf(ctx, box, v.spec.Function.Runtime)
		if err != nil {
			return nil, err
		}
		return pooled{usual, s}, nil
	case StartZygote:
		box, ok := v.box.(sandbox.Brooder)
		if !ok {
			return nil, v.cannot("fork instances from a zygote")
		}
		return brood(ctx, usual, box, v)
	default:
		return nil, invalid("no start tier %q; there are: %s", tier, strings.Join(StartTiers(), ", "))
	}
}

// checkSlots refuses several requests on one instance where that cannot be.
func (v *Version) checkSlots() error {
	if v.spec.Slots <= 1 {
		return nil
	}
	box, ok := v.box.(sandbox.Sharer)
	if !ok {
		return v.cannot("serve several requests on one instance")
	}
	if err := box.Shares(&v.spec); err != nil {
		return &Error{Code: Invalid, Message: fmt.Sprintf("An instance cannot serve %d requests at once", v.spec.Slots), Err: err}
	}
	return nil
}

// cannot is the refusal of what the version's sandbox is not able to do.
func (v *Version) cannot(what string) error {
	return invalid("the %s sandbox cannot %s", v.sandboxName(), what)
}

// policyOf is a version's policy: its start tier has a say in it.
func (rt *Runtime) policyOf(spec *sandbox.Spec, s Settings) (lifecycle.Policy, error) {
	policy := rt.policy
	if s.Policy != nil {
		policy = *s.Policy
	}
	policy.Concurrency = 0
	policy.Pause = policy.Pause || spec.Function.Start == StartPause
	if err := policy.Validate(); err != nil {
		return policy, invalid("%v", err)
	}
	return policy, nil
}

// errCannotPause is why an instance that is to be paused while idle is not started.
func errCannotPause(box string) error {
	return fmt.Errorf("the %s sandbox cannot pause instances", box)
}
