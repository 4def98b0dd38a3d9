package reference

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/coldcurve/coldcurve/platform/tail"
)

// ClientOptions are how a runtime of one's own is started.
type ClientOptions struct {
	// Executable is the program that serves, coldcurve itself. Required.
	Executable string
	// Args come before the flags. The default is "serve".
	Args []string
	// Env is added to the child's environment, which is otherwise minimal.
	Env []string
	// Stderr gets the child's. The default is nobody; its end is told in an
	// error in any case.
	Stderr io.Writer

	Settings
}

const (
	startLimit = 30 * time.Second // from the start of the child to its readiness
	tailSize   = 4 << 10          // of the child's stderr, for errors
)

// Open starts a runtime and returns when it listens. ctx bounds that only: the
// runtime lives until Close, or until this process is gone.
func Open(ctx context.Context, o ClientOptions) (*Client, error) {
	if runtime.GOOS != "linux" {
		return nil, errNoLinux
	}
	listeners, err := newSockets()
	if err != nil {
		return nil, fmt.Errorf("start the reference runtime: %w", err)
	}
	ch, ready, err := startChild(o, listeners)
	listeners.close()
	if err != nil {
		return nil, fmt.Errorf("start the reference runtime: %w", err)
	}
	if err := awaitReady(ctx, ch, ready); err != nil {
		return nil, fmt.Errorf("start the reference runtime: %w", err)
	}
	return &Client{
		child: ch,
		http: &http.Client{Transport: &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialOwn(ctx, listeners.api.Addr().String())
			},
		}},
		wire: newWire(listeners.direct.Addr().String()), limit: answerLimit,
	}, nil
}

// sockets are what the child listens on. They are made here, so that their
// addresses are known before it runs; names in the abstract space leave no file
// behind, whatever happens.
type sockets struct {
	api, direct *net.UnixListener
}

func newSockets() (s sockets, err error) {
	name := "@coldcurve-" + engine.NewRequestID()
	if s.api, err = net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: name + "-api"}); err != nil {
		return s, err
	}
	if s.direct, err = net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: name + "-direct"}); err != nil {
		s.close()
	}
	return s, err
}

// files are the sockets as a child inherits them, for the caller to close.
func (s sockets) files() ([]*os.File, error) {
	api, err := s.api.File()
	if err != nil {
		return nil, err
	}
	direct, err := s.direct.File()
	if err != nil {
		return nil, errors.Join(err, api.Close())
	}
	return []*os.File{api, direct}, nil
}

// close is of this process's own ends.
func (s sockets) close() {
	_ = s.api.Close()
	if s.direct != nil {
		_ = s.direct.Close()
	}
}

// child is the serving process. It ends when its parent pipe does, which
// happens when close is called and when this process dies in whatever way.
type child struct {
	cmd    *exec.Cmd
	parent *os.File // writing end
	tail   tail.Tail
	exited chan struct{}
	err    error // of Wait; set before exited is closed

	closing sync.Once
}

// startChild starts the process; what it gives beside it is where a line will
// stand when it listens.
func startChild(o ClientOptions, s sockets) (*child, *os.File, error) {
	files, err := s.files()
	if err != nil {
		return nil, nil, err
	}
	defer closeAll(files)
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer readyW.Close()
	parentR, parentW, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, readyR.Close())
	}
	defer parentR.Close()

	args := o.Args
	if len(args) == 0 {
		args = []string{"serve"}
	}
	args = append(slices.Clone(args), "--ready-fd=3", "--parent-fd=4", "--api-fd=5", "--direct-fd=6")
	ch := &child{
		cmd:    exec.Command(o.Executable, append(args, o.Settings.Args()...)...),
		parent: parentW, tail: tail.Tail{Size: tailSize, Next: o.Stderr}, exited: make(chan struct{}),
	}
	ch.cmd.Env = append(minimalEnv(os.Environ()), o.Env...)
	ch.cmd.Stderr = &ch.tail
	ch.cmd.ExtraFiles = append([]*os.File{readyW, parentR}, files...)
	ch.cmd.SysProcAttr = ownGroup()
	if err := ch.cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, readyR.Close(), parentW.Close())
	}
	go func() {
		ch.err = ch.cmd.Wait()
		if ch.err != nil {
			o.sweep()
		}
		close(ch.exited)
	}()
	return ch, readyR, nil
}

// sweep puts away what a runtime that was killed could not. It is done as far as
// it goes; the next runtime looks again.
func (s Settings) sweep() {
	process.Sweep()
	if slices.Contains(s.Sandboxes, "container") {
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		defer cancel()
		_ = container.Sweep(ctx, container.Options{})
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// minimalEnv keeps what a program needs to find its files, so that nothing
// else of this process's environment changes what is measured.
func minimalEnv(env []string) []string {
	kept := []string{"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "LANG", "DOCKER_HOST"}
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !slices.Contains(kept, name)
	})
}

// awaitReady waits until the child listens, or ends it and says why it does not.
func awaitReady(ctx context.Context, ch *child, ready *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Now()) })
	defer stop()
	defer ready.Close()
	if _, err := bufio.NewReader(ready).ReadString('\n'); err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return errors.Join(fmt.Errorf("it does not listen: %w", context.Cause(ctx)), ch.close(ctx))
	}
	<-ch.exited // its end of the pipe is closed, so it has ended or is about to
	err := ch.ended()
	_ = ch.close(ctx)
	return err
}

// close ends the child and waits. Its error tells of a child that had ended by
// itself or ended badly, the first time it is called.
func (ch *child) close(ctx context.Context) (err error) {
	ch.closing.Do(func() {
		err = ch.ended()
		_ = ch.parent.Close()
		select {
		case <-ch.exited:
		case <-ctx.Done():
			err = errors.Join(fmt.Errorf("it did not end: %w", context.Cause(ctx)), ch.kill())
		}
		if err == nil && ch.err != nil {
			err = ch.ended()
		}
	})
	if err != nil {
		err = fmt.Errorf("close the reference runtime: %w", err)
	}
	return err
}

// kill is for a child that does not end.
func (ch *child) kill() error {
	if err := ch.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-ch.exited
	return nil
}

func (ch *child) gone() bool {
	select {
	case <-ch.exited:
		return true
	default:
		return false
	}
}

// goneWithin waits for the end that a broken connection announces.
func (ch *child) goneWithin(d time.Duration) bool {
	select {
	case <-ch.exited:
		return true
	case <-time.After(d):
		return false
	}
}

// ended says how the child ended, nil while it has not.
func (ch *child) ended() error {
	if !ch.gone() {
		return nil
	}
	end := "exit status 0"
	if ch.err != nil {
		end = ch.err.Error()
	}
	if text := strings.TrimRight(ch.tail.String(), "\n"); text != "" {
		return fmt.Errorf("it ended (%s): %s", end, text)
	}
	return fmt.Errorf("it ended (%s)", end)
}
