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
	if err != nil || p.Loopback() {
		return p, err
	}
	if err := c.agreeUnpriced(w, s, p.Where(), "what they cost there the price book does not say"); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}
