package cli

import (
	"context"
	"errors"

	"github.com/coldcurve/coldcurve/platform/openwhisk"
	"github.com/coldcurve/coldcurve/scenarios"
)

// openOpenWhisk opens platform openwhisk, once whoever runs it has agreed.
func openOpenWhisk(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (*openwhisk.Platform, error) {
	p, err := openwhisk.New(openwhisk.Options{APIHost: s.Platform.OpenWhisk.APIHost, Namespace: s.Platform.OpenWhisk.Namespace})
	if err != nil {
		return nil, err
	}
	where := p.Beyond(ctx, nil)
	if where == "" {
		return p, nil
	}
	if err := c.agreeUnpriced(w, s, where, "what they cost there the price book does not say"); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}
