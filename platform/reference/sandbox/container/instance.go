package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
	"github.com/moby/moby/client"
)

// instance is one started instance.
type instance struct {
	*session.Session
	sandbox *Sandbox
	gone    sync.Once
}

func (in *instance) attempt() *attempt { return in.Current().(*attempt) }

// Birth is how an instance's container came to be.
type Birth struct {
	Container string // the engine's id
	Ahead     bool   // it had been created before the start was called
	Created   int64  // CLOCK_MONOTONIC, within the start: there was a container to be started
}

// Birth is that of the container which the instance has now: where its init was
// begun anew, that is another than the first.
func (in *instance) Birth() Birth {
	a := in.attempt()
	return Birth{Container: a.container, Ahead: a.ahead, Created: a.created}
}

// StartedAt asks the engine when that container began to run, by the wall clock.
func (in *instance) StartedAt() (time.Time, error) {
	state, err := in.attempt().state()
	if err != nil {
		return time.Time{}, fmt.Errorf("ask when the container was started: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, state.StartedAt)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask when the container was started: %w", err)
	}
	return at, nil
}

// Stop implements sandbox.Instance.
func (in *instance) Stop(graceful bool) error {
	err := in.Session.Stop(graceful)
	in.gone.Do(func() { in.sandbox.forget(in) })
	return err
}

// Pause implements sandbox.Pauser: the engine freezes the container.
func (in *instance) Pause() error { return in.attempt().freeze() }

// Resume implements sandbox.Pauser.
func (in *instance) Resume() error {
	a := in.attempt()
	a.freezer.Lock()
	defer a.freezer.Unlock()
	return a.thaw()
}

// freeze pauses the container, unless it is being put away.
func (a *attempt) freeze() error {
	a.freezer.Lock()
	defer a.freezer.Unlock()
	if a.condemned.Load() {
		return fmt.Errorf("pause container %.12s: it is being put away", a.container)
	}
	a.frozen = true // or on the way to it, should this fail
	return unhurried("already paused", func(ctx context.Context) error {
		_, err := a.sandbox.engine.ContainerPause(ctx, a.container, client.ContainerPauseOptions{})
		return err
	})
}

// thaw makes it run again. The caller holds the freezer.
func (a *attempt) thaw() error {
	err := unhurried("is not paused", func(ctx context.Context) error {
		_, err := a.sandbox.engine.ContainerUnpause(ctx, a.container, client.ContainerUnpauseOptions{})
		return err
	})
	if err == nil {
		a.frozen = false
	}
	return err
}

// unhurried calls again what the engine refuses because it has not caught up
// with itself: it notes a pause when it makes it, and once more when it hears
// of it, which may be after the next.
func unhurried(refusal string, call func(context.Context) error) error {
	ctx, cancel := patiently()
	defer cancel()
	for wait := time.Millisecond; ; wait *= 2 {
		err := call(ctx)
		if err == nil || wait > time.Second || !strings.Contains(err.Error(), refusal) {
			return err
		}
		time.Sleep(wait)
	}
}

// Injure implements sandbox.Patient. Abort and FillTmp take root.
func (in *instance) Injure(what sandbox.Injury) error {
	switch what {
	case sandbox.Kill:
		return in.attempt().signal("SIGKILL")
	case sandbox.Abort:
		return in.attempt().abort()
	case sandbox.Freeze:
		return in.Pause()
	case sandbox.Thaw:
		return in.Resume()
	case sandbox.FillTmp:
		return in.attempt().fillTmp()
	case sandbox.FreeTmp:
		return in.attempt().freeTmp()
	case sandbox.Exhaust:
		return errors.New("a container's memory limit is the engine's, which does not lower it below what is used")
	default:
		return fmt.Errorf("no injury %d", what)
	}
}

// abort signals the function's own process from outside: the init process
// before it passes on what is meant to end it, but not this.
func (a *attempt) abort() error {
	pid, err := a.process()
	if err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	init := strconv.Itoa(pid)
	children, err := os.ReadFile("/proc/" + init + "/task/" + init + "/children")
	if err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	var main int
	if _, err := fmt.Sscan(string(children), &main); err != nil {
		return fmt.Errorf("abort: the init process has no child: %w", err)
	}
	p, err := os.FindProcess(main)
	if err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	if err := errors.Join(p.Signal(syscall.SIGABRT), p.Release()); err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	return nil
}

// fillTmp writes into the container's /tmp from outside, for which it takes
// root: an image need not have a program that could.
func (a *attempt) fillTmp() error {
	pid, err := a.process()
	if err != nil {
		return fmt.Errorf("fill /tmp: %w", err)
	}
	f, err := os.Create(ballast(pid))
	if err != nil {
		return fmt.Errorf("fill /tmp: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("fill /tmp: %w", err)
	}
	return nil
}

// freeTmp takes that away again.
func (a *attempt) freeTmp() error {
	pid, err := a.process()
	if err == nil {
		err = os.Remove(ballast(pid))
	}
	if err != nil {
		return fmt.Errorf("free /tmp: %w", err)
	}
	return nil
}

// ballast is what fills a container's /tmp, seen from outside.
func ballast(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/root/tmp/.full" }

// zeros is a stream without an end.
type zeros struct{}

// Read fills p.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
