//go:build !linux

package process

import (
	"context"
	"errors"
	"runtime"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Sandbox starts processes. It exists on Linux only.
type Sandbox struct{}

// New refuses.
func New(Options) (*Sandbox, error) { return nil, unsupported() }

// Sweep has nothing to do.
func Sweep() {}

func unsupported() error {
	return errors.New("process sandbox: needs Linux, this is " + runtime.GOOS)
}

// Prepare refuses.
func (*Sandbox) Prepare(context.Context, *sandbox.Spec) error { return unsupported() }

// Start refuses.
func (*Sandbox) Start(context.Context, string, *sandbox.Spec, sandbox.Initialization) (sandbox.Instance, error) {
	return nil, unsupported()
}

// Threads are none.
func (*Sandbox) Threads() []int { return nil }

// Facts tells nothing.
func (*Sandbox) Facts() map[string]string { return nil }

// Notes tells nothing.
func (*Sandbox) Notes() []string { return nil }

// Close has nothing to do.
func (*Sandbox) Close() error { return nil }
