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

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// ClientOptions are how a runtime of one's own is started. The fields after
// Stderr are those of [Settings].
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

	KeepAlive    time.Duration
	Concurrency  int
	StartBurst   int
	StartRate    units.Rate
	Queue        int
	QueueTimeout time.Duration
	LateBinding  bool
	Sandbox      string
	NoCgroups    bool
	Cache        string
}

func (o ClientOptions) settings() Settings {
	return Settings{
		KeepAlive: o.KeepAlive, Concurrency: o.Concurrency,
		StartBurst: o.StartBurst, StartRate: o.StartRate,
		Queue: o.Queue, QueueTimeout: o.QueueTimeout, LateBinding: o.LateBinding,
		Sandbox: o.Sandbox, NoCgroups: o.NoCgroups, Cache: o.Cache,
	}
}

const (
	startLimit = 30 * time.Second // from the start of the child to its address
	tailSize   = 4 << 10          // of the child's stderr, for errors
)

// Open starts a runtime and returns when it listens. ctx bounds that only: the
// runtime lives until Close, or until this process is gone.
func Open(ctx context.Context, o ClientOptions) (*Client, error) {
	if runtime.GOOS != "linux" {
		return nil, errNoLinux
	}
	// Made here, so that its address is known; a name in the abstract space
	// leaves no file behind, whatever happens.
	direct, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: "@coldcurve-" + engine.NewRequestID()})
	if err != nil {
		return nil, fmt.Errorf("start the reference runtime: %w", err)
	}
	defer direct.Close()
	ch, ready, err := startChild(o, direct)
	if err != nil {
		return nil, fmt.Errorf("start the reference runtime: %w", err)
	}
	addr, err := awaitAddr(ctx, ch, ready)
	if err != nil {
		return nil, fmt.Errorf("start the reference runtime: %w", err)
	}
	return &Client{
		child: ch, base: "http://" + addr,
		http: &http.Client{Transport: &http.Transport{DisableCompression: true}},
		wire: newWire(direct.Addr().String()),
	}, nil
}

// child is the serving process. It ends when its parent pipe does, which
// happens when close is called and when this process dies in whatever way.
type child struct {
	cmd    *exec.Cmd
	parent *os.File // writing end
	tail   *tail
	exited chan struct{}
	err    error // of Wait; set before exited is closed

	closing sync.Once
}

// startChild starts the process; what it gives beside it is where the address
// will stand.
func startChild(o ClientOptions, direct *net.UnixListener) (*child, *os.File, error) {
	directFile, err := direct.File()
	if err != nil {
		return nil, nil, err
	}
	defer directFile.Close()
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
	args = append(slices.Clone(args), "--addr=127.0.0.1:0", "--ready-fd=3", "--parent-fd=4", "--direct-fd=5")
	ch := &child{
		cmd:    exec.Command(o.Executable, append(args, o.settings().Args()...)...),
		parent: parentW, tail: &tail{next: o.Stderr}, exited: make(chan struct{}),
	}
	ch.cmd.Env = append(minimalEnv(os.Environ()), o.Env...)
	ch.cmd.Stderr = ch.tail
	ch.cmd.ExtraFiles = []*os.File{readyW, parentR, directFile}
	ch.cmd.SysProcAttr = ownGroup()
	if err := ch.cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, readyR.Close(), parentW.Close())
	}
	go func() {
		ch.err = ch.cmd.Wait()
		if ch.err != nil {
			process.Sweep() // what a runtime that was killed could not put away
		}
		close(ch.exited)
	}()
	return ch, readyR, nil
}

// minimalEnv keeps what a program needs to find its files, so that nothing
// else of this process's environment changes what is measured.
func minimalEnv(env []string) []string {
	kept := []string{"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "LANG"}
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !slices.Contains(kept, name)
	})
}

// awaitAddr reads the address, or ends the child and says why there is none.
func awaitAddr(ctx context.Context, ch *child, ready *os.File) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Now()) })
	defer stop()
	defer ready.Close()
	line, err := bufio.NewReader(ready).ReadString('\n')
	if err == nil {
		return strings.TrimSuffix(line, "\n"), nil
	}
	if ctx.Err() != nil {
		return "", errors.Join(fmt.Errorf("no address: %w", context.Cause(ctx)), ch.close(ctx))
	}
	<-ch.exited // its end of the pipe is closed, so it has ended or is about to
	err = ch.ended()
	_ = ch.close(ctx)
	return "", err
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
	if text := ch.tail.String(); text != "" {
		return fmt.Errorf("it ended (%s): %s", end, text)
	}
	return fmt.Errorf("it ended (%s)", end)
}

// tail passes text on and keeps its end.
type tail struct {
	next io.Writer // or nil
	mu   sync.Mutex
	kept []byte
}

// Write never fails: a reader that is gone must not end the child.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = slices.Delete(t.kept, 0, over)
	}
	if t.next != nil {
		_, _ = t.next.Write(p)
	}
	return len(p), nil
}

// String is what is kept, without the last line break.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimRight(string(t.kept), "\n")
}
