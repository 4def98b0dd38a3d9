package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// kept is what is there ahead of instances: a stem or a zygote.
type kept struct {
	box  *Sandbox
	id   string
	once sync.Once
	done chan struct{}
}

func (s *Sandbox) keep(ctx context.Context, id string) (*kept, error) {
	if err := pause(ctx, s.Provision, nil); err != nil {
		return nil, err
	}
	if s.KeepErr != nil {
		if err := s.KeepErr(id); err != nil {
			return nil, err
		}
	}
	k := &kept{box: s, id: id, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = make(map[string]*kept)
	}
	s.kept[id] = k
	return k, nil
}

// Done is closed when it has died or been stopped.
func (k *kept) Done() <-chan struct{} { return k.done }

// Stop puts it away.
func (k *kept) Stop() error {
	k.die()
	k.box.mu.Lock()
	defer k.box.mu.Unlock()
	delete(k.box.kept, k.id)
	return nil
}

func (k *kept) die() { k.once.Do(func() { close(k.done) }) }

// step is Fork's and Assign's check, that it is alive and willing.
func (k *kept) step(id string) error {
	select {
	case <-k.done:
		return fmt.Errorf("%s is gone", k.id)
	default:
	}
	if k.box.ForkErr != nil {
		return k.box.ForkErr(id)
	}
	return nil
}

// Stocked is a Sandbox that can boot stems, which takes Provision and Boot; a
// function's start from one takes Assign and Init.
type Stocked struct{ *Sandbox }

type stem struct{ *kept }

// Boot makes a stem.
func (s Stocked) Boot(ctx context.Context, id string, runtime platform.Runtime) (sandbox.Stem, error) {
	if runtime == platform.Go {
		return nil, fmt.Errorf("runtime %s cannot be booted ahead", runtime)
	}
	k, err := s.keep(ctx, id)
	if err != nil {
		return nil, err
	}
	return stem{k}, nil
}

// AwaitBooted takes the Sandbox's Boot.
func (s stem) AwaitBooted(ctx context.Context) error { return pause(ctx, s.box.Boot, s.done) }

// Assign makes the stem an instance.
func (s stem) Assign(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	err := s.step(id)
	if err := s.Stop(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	in := s.box.instance(id, spec, why)
	in.marks.Start, in.init = sample.Prewarmed, s.box.Init
	return s.box.put(ctx, in, s.box.Assign)
}

// Brooding is a Sandbox that can keep zygotes, which takes Provision, Boot and
// Init; a start from one takes Fork.
type Brooding struct{ *Sandbox }

type zygote struct {
	*kept
	spec *sandbox.Spec
}

// Brood makes a zygote.
func (s Brooding) Brood(ctx context.Context, id string, spec *sandbox.Spec) (sandbox.Zygote, error) {
	k, err := s.keep(ctx, id)
	if err != nil {
		return nil, err
	}
	return zygote{k, spec}, nil
}

// AwaitReady takes the Sandbox's Boot and Init.
func (z zygote) AwaitReady(ctx context.Context) error {
	return pause(ctx, z.box.Boot+z.box.Init, z.done)
}

// Fork makes an instance that is ready at once.
func (z zygote) Fork(ctx context.Context, id string, why sandbox.Initialization) (sandbox.Instance, error) {
	if err := z.step(id); err != nil {
		return nil, err
	}
	in := z.box.instance(id, z.spec, why)
	in.marks.Start = sample.Restored
	return z.box.put(ctx, in, z.box.Fork)
}

// Pausing is a Sandbox whose instances can be paused.
type Pausing struct{ *Sandbox }

// pausable is an instance with the methods of a sandbox.Pauser.
type pausable struct{ *Instance }

// Start makes an instance that can be paused.
func (s Pausing) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	in, err := s.Sandbox.Start(ctx, id, spec, why)
	if err != nil {
		return nil, err
	}
	return pausable{in.(*Instance)}, nil
}

// Pause has it stand still.
func (p pausable) Pause() error {
	if len(p.inUse) > 0 {
		return fmt.Errorf("instance %s is paused while it serves a request", p.id)
	}
	if p.box.PauseErr != nil {
		if err := p.box.PauseErr(p.id); err != nil {
			return err
		}
	}
	if p.paused.Swap(true) {
		return fmt.Errorf("instance %s is paused twice", p.id)
	}
	return nil
}

// Resume has it go on, after the Sandbox's Resume.
func (p pausable) Resume() error {
	if p.box.ResumeErr != nil {
		if err := p.box.ResumeErr(p.id); err != nil {
			return err
		}
	}
	if err := pause(context.Background(), p.box.Resume, p.done); err != nil {
		return err
	}
	if !p.paused.Swap(false) {
		return fmt.Errorf("instance %s is resumed and was not paused", p.id)
	}
	return nil
}

// Sharing is a Sandbox whose instances serve several requests at once, but for
// those in Python.
type Sharing struct{ *Sandbox }

// Shares refuses Python.
func (Sharing) Shares(spec *sandbox.Spec) error {
	if spec.Function.Runtime == platform.Python {
		return fmt.Errorf("the client of runtime %s fetches one request after the other", spec.Function.Runtime)
	}
	return nil
}
