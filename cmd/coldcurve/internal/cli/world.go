package cli

import (
	"context"
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
	// Signals gives a context that ends at the first interrupt. A second
	// interrupt is the operating system's to handle.
	Signals func() (context.Context, context.CancelFunc)
}

// Terminal is what the streams are connected to.
type Terminal struct {
	In, Out, Err bool // a terminal, not a pipe or file
	Width        int  // columns of the terminal; 0 is unknown
}

// System is the real world.
func System() *World {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		width = 0
	}
	return &World{
		Args:   os.Args[1:],
		Env:    os.Getenv,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Terminal: Terminal{
			In:    term.IsTerminal(int(os.Stdin.Fd())),
			Out:   term.IsTerminal(int(os.Stdout.Fd())),
			Err:   term.IsTerminal(int(os.Stderr.Fd())),
			Width: width,
		},
		Now:        time.Now,
		Executable: os.Executable,
		OS:         runtime.GOOS,
		Signals:    signals,
	}
}

func signals() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first has been seen the default comes back, so that a second
	// interrupt ends a command that hangs while it clears up.
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
