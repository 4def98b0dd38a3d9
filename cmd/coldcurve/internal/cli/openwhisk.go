package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/platform/openwhisk"
	"github.com/coldcurve/coldcurve/scenarios"
)

// openOpenWhisk opens platform openwhisk, once whoever runs it has agreed.
func openOpenWhisk(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (*openwhisk.Platform, error) {
	p, err := openwhisk.New(openwhisk.Options{APIHost: s.Platform.OpenWhisk.APIHost, Namespace: s.Platform.OpenWhisk.Namespace})
	if err != nil || p.Loopback() {
		return p, err
	}
	schedule, err := s.Schedule()
	if err == nil {
		fmt.Fprintf(w.Stderr, "coldcurve: %s: at most %s; what they cost there the price book does not say\n",
			p.Where(), count(uint64(len(schedule.Times))*max(c.stay.times, 1), "invocation"))
		err = c.consent.ask(w, "Go on?")
	}
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}
