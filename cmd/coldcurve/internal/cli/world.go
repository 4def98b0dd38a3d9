package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/term"
)

// World is everything outside that a command touches: tests hand in their own.
type World struct {
	Args       []string // without the program's name
	Env        func(key string) string
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	Terminal   Terminal
	Now        func() time.Time
	Executable func() (string, error) // this program, to start the reference runtime with
	OS         string                 // runtime.GOOS
	// Signals gives a context that ends at the first interrupt, or when the terminal
	// goes away. A second interrupt is the operating system's to handle.
	Signals func() (context.Context, context.CancelFunc)
}

// Terminal is what the streams are connected to.
type Terminal struct {
	In, Out, Err bool // a terminal, not a pipe or file
	Width        int  // columns of the terminal; 0 is unknown
}

// System is the real world.
func System() *World {
	ctx, unread := context.WithCancelCause(context.Background())
	survivePipes()
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		width = 0
	}
	return &World{
		Args:   os.Args[1:],
		Env:    os.Getenv,
		Stdin:  os.Stdin,
		Stdout: &outlet{os.Stdout, unread},
		Stderr: &outlet{os.Stderr, unread},
		Terminal: Terminal{
			In:    term.IsTerminal(int(os.Stdin.Fd())),
			Out:   term.IsTerminal(int(os.Stdout.Fd())),
			Err:   term.IsTerminal(int(os.Stderr.Fd())),
			Width: width,
		},
		Now:        time.Now,
		Executable: os.Executable,
		OS:         runtime.GOOS,
		Signals:    func() (context.Context, context.CancelFunc) { return signals(ctx) },
	}
}

func signals(parent context.Context) (context.Context, context.CancelFunc) {
	ending := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it, and Notify would undo that
		ending = append(ending, syscall.SIGHUP)
		// A terminal that goes away tells it twice, the shell and then the kernel: the
		// second must not end what clears up.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(parent, ending...)
	// Once the first has been seen the default comes back, so that a second
	// interrupt ends a command that hangs while it clears up.
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// errUnread is why a command ends whose output nobody reads any more.
var errUnread = errors.New("nobody reads the output")

// survivePipes has a write to a pipe that nobody reads fail, where it would end
// the process at once and leave behind what it has made. The signal is heard and
// not ignored: functions' processes would inherit that.
func survivePipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// outlet is a stream that interrupts the command once nobody reads it.
type outlet struct {
	io.Writer
	unread context.CancelCauseFunc
}

func (o *outlet) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		o.unread(errUnread)
	}
	return n, err
}
