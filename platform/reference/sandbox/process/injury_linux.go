package process

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
	"golang.org/x/sys/unix"
)

// Pause implements sandbox.Pauser.
func (in *instance) Pause() error { return in.treat("pause", (*attempt).freeze) }

// Resume implements sandbox.Pauser.
func (in *instance) Resume() error { return in.treat("resume", (*attempt).thaw) }

// Injure implements sandbox.Patient. While the instance is being stopped it
// waits, and then fails.
func (in *instance) Injure(what sandbox.Injury) error {
	return in.treat("injure", func(a *attempt) error { return a.injure(what) })
}

// treat does something to the process that runs.
func (in *instance) treat(verb string, do func(*attempt) error) error {
	return in.Treat(func(a session.Attempt) error {
		if err := do(a.(tenant).attempt); err != nil {
			return fmt.Errorf("%s instance %s: %w", verb, in.id, err)
		}
		return nil
	})
}

func (a *attempt) injure(what sandbox.Injury) error {
	switch what {
	case sandbox.Kill:
		return a.kill()
	case sandbox.Abort:
		return a.abort()
	case sandbox.Freeze:
		return a.stun()
	case sandbox.Thaw:
		return a.thaw()
	case sandbox.FillTmp, sandbox.FreeTmp:
		if a.cell == nil {
			return errors.New("its /tmp is the machine's, which is not to be filled")
		}
		return a.cell.FillTmp(what == sandbox.FillTmp)
	case sandbox.Exhaust:
		return a.exhaust()
	default:
		return fmt.Errorf("injury %d is none that is known", what)
	}
}

// kill ends all of the instance's processes.
func (a *attempt) kill() error {
	if a.group != nil {
		a.signal(syscall.SIGKILL)
		return a.group.Kill(0)
	}
	family := a.family() // before its head is off
	a.signal(syscall.SIGKILL)
	for k := range family {
		if s, ok := readStatus(k.pid); ok && s.started == k.started {
			_ = unix.Kill(k.pid, unix.SIGKILL)
		}
	}
	return nil
}

// abort has the main process end as by its own fault. It leaves no core: that
// would lie among the function's files, and take its time.
func (a *attempt) abort() error {
	a.reaping.Lock()
	defer a.reaping.Unlock()
	if a.reaped {
		return nil // it has ended already
	}
	if err := unix.Prlimit(a.pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return fmt.Errorf("turn off its core dump: %w", err)
	}
	return unix.Kill(a.pid, unix.SIGABRT)
}

// freeze stops the processes, and returns when they have stopped.
func (a *attempt) freeze() error {
	if a.freezes() {
		return a.group.Freeze()
	}
	a.signal(syscall.SIGSTOP)
	// Of the main process at least it can be awaited, or that it has ended.
	for {
		err := unix.Waitid(unix.P_PID, a.pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return nil
		}
	}
}

// stun freezes at once: until the group is frozen, which can take 15 ms for
// the first after a while, the process stands still by a signal. A pause spares
// it that, for it can see it.
func (a *attempt) stun() error {
	if !a.freezes() {
		return a.freeze()
	}
	a.signal(syscall.SIGSTOP)
	err := a.freeze()
	a.signal(syscall.SIGCONT) // which counts once the group is thawed
	return err
}

// exhaust has the kernel end it for want of memory, and returns when it has.
func (a *attempt) exhaust() error {
	if a.group == nil {
		return errors.New("no control group bounds its memory")
	}
	err := a.group.Exhaust()
	select {
	case <-a.exited:
		return nil // by that or by itself: it is gone
	default:
		return err
	}
}

func (a *attempt) thaw() error {
	if a.freezes() {
		return a.group.Thaw()
	}
	a.signal(syscall.SIGCONT)
	return nil
}

// freezes tells whether the kernel stops the processes as a whole. A stop
// signal reaches those of the process group, and they can see that it was there.
func (a *attempt) freezes() bool { return a.group != nil && a.group.Freezes() }
