package docker

import (
	"context"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// Leftovers are the containers and images of all processes that this engine
// has, those of the reference runtime's container sandbox among them: they are
// made in the same way.
func Leftovers(ctx context.Context, o Options) ([]container.Leftover, error) {
	list, err := container.Leftovers(ctx, o.sandbox())
	if err != nil {
		return nil, unready(err)
	}
	return list, nil
}

// Take removes a leftover.
func Take(ctx context.Context, o Options, l container.Leftover) error {
	if err := container.Take(ctx, o.sandbox(), l); err != nil {
		return &platform.Error{Kind: sample.Platform, Op: "remove what was left", Err: err}
	}
	return nil
}
