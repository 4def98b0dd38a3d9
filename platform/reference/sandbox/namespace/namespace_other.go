//go:build !linux

package namespace

import (
	"context"
	"errors"
	"runtime"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Sandbox makes instances. It exists on Linux only.
type Sandbox struct{}

// Available refuses.
func Available() error {
	return errors.New("namespace sandbox: needs Linux, this is " + runtime.GOOS)
}

// New refuses.
func New(Options) (*Sandbox, error) { return nil, Available() }

// Prepare refuses.
func (*Sandbox) Prepare(context.Context, *sandbox.Spec) error { return Available() }

// Start refuses.
func (*Sandbox) Start(context.Context, string, *sandbox.Spec, sandbox.Initialization) (sandbox.Instance, error) {
	return nil, Available()
}

// Threads are none.
func (*Sandbox) Threads() []int { return nil }

// Facts tells nothing.
func (*Sandbox) Facts() map[string]string { return nil }

// Notes tells nothing.
func (*Sandbox) Notes() []string { return nil }

// Close has nothing to do.
func (*Sandbox) Close() error { return nil }
