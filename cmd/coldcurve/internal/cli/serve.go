package cli

import (
	"context"
	"fmt"

	"github.com/coldcurve/coldcurve/platform/reference"
)

type serveCmd struct {
	reference.ServeFlags `embed:""`
}

// Run serves until it is interrupted, or until the parent that started it is gone.
func (c *serveCmd) Run(ctx context.Context, w *World) error {
	options, err := c.Options()
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	options.Version = buildVersion()
	options.Log = w.Stderr
	if options.Ready == nil {
		options.Ready = announcement{w, options.Scheme()}
	}
	return reference.Serve(ctx, options)
}

// announcement tells a person what a parent process reads from a descriptor.
type announcement struct {
	w      *World
	scheme string
}

func (a announcement) Write(address []byte) (int, error) {
	_, err := fmt.Fprintf(a.w.Stderr, "coldcurve: serving Lambda's API at %s://%s", a.scheme, address)
	return len(address), err
}

func (a announcement) Close() error { return nil }
