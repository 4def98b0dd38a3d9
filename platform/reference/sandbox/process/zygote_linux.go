package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/cgroup"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
	"golang.org/x/sys/unix"
)

// zygote is a Python process that has loaded a function.
type zygote struct {
	sandbox *Sandbox
	id      string
	spec    *sandbox.Spec
	program program // of an instance whose first attempt fails and is begun anew, plain
	wards   *wards
	attempt *attempt
	control *channel

	loaded  chan struct{}
	heard   chan struct{} // closed when it has said all that it says before it is asked to fork
	refusal error         // set before heard is closed: why it cannot be forked

	waiting atomic.Int64 // Forks under way
	forkers chan *forker
	quit    chan struct{}
	keeper  sync.WaitGroup

	busy    sync.RWMutex // held for reading while an instance is forked
	stop    sync.Once
	stopped error
}

// Brood implements sandbox.Brooder, for Python. It needs Options.Adopt.
func (s *Sandbox) Brood(ctx context.Context, id string, spec *sandbox.Spec) (sandbox.Zygote, error) {
	begun := s.clock.Now()
	if err := s.enter(id); err != nil {
		return nil, err
	}
	defer s.starts.Done()
	prog, err := s.programs.ofZygote(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("brood %s: %w", id, err)
	}
	plain, err := s.programs.of(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("brood %s: %w", id, err)
	}
	w, err := s.foster()
	if err != nil {
		return nil, fmt.Errorf("brood %s: %w", id, err)
	}
	control, theirs, err := newChannel()
	if err != nil {
		return nil, fmt.Errorf("brood %s: %w", id, err)
	}
	defer theirs.Close()
	z := &zygote{sandbox: s, id: id, spec: spec, program: plain, wards: w, control: control,
		loaded: make(chan struct{}), heard: make(chan struct{}), forkers: make(chan *forker), quit: make(chan struct{})}
	o := &order{program: prog, spec: spec, extra: []uintptr{theirs.Fd()}, tie: func(b *berth) ([]string, error) {
		return b.bind(prog.env, birth{id, spec, sandbox.SnapStart, begun})
	}}
	if err := s.launch(ctx, id, o); err != nil {
		return nil, errors.Join(err, control.Close())
	}
	z.attempt = newAttempt(o, s.wards)
	s.remember(z)
	z.keeper.Go(z.keep)
	return z, nil
}

// AwaitReady implements sandbox.Zygote.
func (z *zygote) AwaitReady(ctx context.Context) error {
	failure, err := session.AwaitInit(ctx, tenant{z.attempt, z.id}, z.loaded, z.spec.InitLimit)
	if err != nil {
		return err
	}
	if refusal := z.refused(); refusal != nil {
		return &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("brood %s: %w", z.id, refusal)}
	}
	if failure != nil {
		return failure
	}
	return nil
}

// refused is why the zygote cannot be forked. One that has ended may have said
// so just before, and is heard to the end.
func (z *zygote) refused() error {
	select {
	case <-z.attempt.exited:
		select {
		case <-z.heard:
			return z.refusal
		case <-time.After(time.Second): // another process holds its end
			return nil
		}
	case <-z.heard:
		return z.refusal
	default:
		return nil
	}
}

// keep has a forker ready at all times.
func (z *zygote) keep() {
	if !z.awaitLoaded() {
		return
	}
	for {
		f, err := z.prepare()
		if err != nil {
			f = &forker{err: err}
		}
		select {
		case z.forkers <- f:
		case <-z.quit:
			f.discard()
			return
		case <-z.Done():
			f.discard()
			return
		}
		if z.waiting.Load() <= 1 { // the machine is left to the child that is being forked
			select {
			case <-time.After(recess):
			case <-z.quit:
			}
		}
	}
}

// awaitLoaded reads the zygote's word; false if it will not fork.
func (z *zygote) awaitLoaded() bool {
	word, err := z.control.receive()
	if err != nil {
		close(z.heard)
		return false // it has ended, or is about to be ended
	}
	if word != "loaded" {
		z.refusal = fmt.Errorf("%s has started %s, which a fork would lose", z.spec.Function.Name, word)
	}
	close(z.heard) // first: who sees it loaded wants to know of a refusal
	close(z.loaded)
	return z.refusal == nil
}

// Fork implements sandbox.Zygote.
func (z *zygote) Fork(ctx context.Context, id string, why sandbox.Initialization) (sandbox.Instance, error) {
	s := z.sandbox
	to := birth{id, z.spec, why, s.clock.Now()}
	if err := s.enter(id); err != nil {
		return nil, err
	}
	defer s.starts.Done()
	z.waiting.Add(1)
	defer z.waiting.Add(-1)
	select {
	case f := <-z.forkers:
		in, err := z.fork(f, to)
		if err != nil {
			return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start %s from zygote %s: %w", id, z.id, err)}
		}
		return in, nil
	case <-z.Done():
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("start %s: zygote %s has ended", id, z.id)}
	case <-ctx.Done():
		return nil, fmt.Errorf("start %s: %w", id, context.Cause(ctx))
	}
}

func (z *zygote) fork(f *forker, to birth) (sandbox.Instance, error) {
	if f.err != nil {
		return nil, f.err
	}
	o := &order{born: f.awaitEnd}
	z.busy.RLock() // the zygote is not ended meanwhile
	defer z.busy.RUnlock()
	_, err := z.wards.admit(func() (int, error) {
		err := f.fork(o, to)
		return o.pid, err
	})
	if err != nil {
		f.discard()
		return nil, err
	}
	return z.sandbox.inherit(newAttempt(o, z.wards), to, z.program, sample.Restored), nil
}

// Done implements sandbox.Zygote.
func (z *zygote) Done() <-chan struct{} { return z.attempt.exited }

// Stop implements sandbox.Zygote.
func (z *zygote) Stop() error {
	z.stop.Do(func() {
		close(z.quit)
		z.busy.Lock()
		defer z.busy.Unlock()
		z.attempt.condemned.Store(true)
		z.attempt.signal(unix.SIGKILL) // which ends the keeper's conversation with it, if there is one
		z.keeper.Wait()
		z.stopped = errors.Join(z.attempt.putAway(z.id), z.control.Close())
		z.sandbox.forget(z)
	})
	return z.stopped
}

func (z *zygote) evict() error { return z.Stop() }

// forker is a child of a zygote that stands in a berth and forks there once,
// so that the instance is born in it. Then it ends, and the instance becomes a
// child of this process.
type forker struct {
	berth  *berth
	orders *channel
	pidfd  *os.File
	err    error // why there is none
}

// prepare has the zygote fork a forker and puts it into a berth.
func (z *zygote) prepare() (*forker, error) {
	f := &forker{berth: &berth{}}
	if err := z.furnish(f); err != nil {
		f.discard()
		return nil, err
	}
	return f, nil
}

func (z *zygote) furnish(f *forker) error {
	orders, theirs, err := newChannel()
	if err != nil {
		return err
	}
	f.orders = orders
	err = z.control.send([]byte{0}, int(theirs.Fd()))
	_ = theirs.Close()
	if err != nil {
		return err
	}
	pid, err := orders.receivePid()
	if err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("watch process %d: %w", pid, err)
	}
	f.pidfd = os.NewFile(uintptr(fd), "pidfd")
	return z.sandbox.launcher.furnish(f.berth, func(g *cgroup.Group) error { return g.Adopt(pid) })
}

// fork has the forker fork an instance, which is the order's process then.
func (f *forker) fork(o *order, to birth) error {
	env, err := f.berth.bind(nil, to)
	if err != nil {
		return err
	}
	message, err := sandbox.Variables(env)
	if err != nil {
		return err
	}
	ours, theirs, err := socketpair(unix.SOCK_STREAM)
	if err != nil {
		return err
	}
	defer theirs.Close()
	if err = f.orders.send(message, f.berth.pipe.out, int(theirs.Fd())); err == nil {
		o.pid, err = f.orders.receivePid()
	}
	if err == nil {
		o.pidfd, err = unix.PidfdOpen(o.pid, unix.PIDFD_NONBLOCK)
	}
	if err != nil {
		return errors.Join(err, ours.Close()) // which ends the instance, if there is one
	}
	_ = f.orders.Close()
	o.berth, o.lifeline = f.berth, ours
	return nil
}

// awaitEnd returns when the forker has ended, by which its child has become
// this process's.
func (f *forker) awaitEnd() {
	defer f.pidfd.Close()
	raw, err := f.pidfd.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

// discard ends a forker that has not forked an instance.
func (f *forker) discard() {
	if f.err != nil {
		return
	}
	if f.pidfd != nil {
		if raw, err := f.pidfd.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { _ = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
		}
		f.awaitEnd()
	}
	if f.orders != nil {
		_ = f.orders.Close()
	}
	if f.berth.group != nil {
		_ = f.berth.group.Kill(0)
	}
	_ = f.berth.clear(false)
}
