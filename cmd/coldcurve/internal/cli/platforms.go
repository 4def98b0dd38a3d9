package cli

import (
	"context"
	"fmt"

	"github.com/coldcurve/coldcurve/platform"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/scenarios"
)

// openPlatform is the one place where a platform's name meets its adapter.
func openPlatform(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (platform.Platform, error) {
	p := s.Platform
	switch p.Name {
	case "reference":
		executable, err := w.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program, to start the reference runtime with: %w", err)
		}
		return reference.Open(ctx, reference.ClientOptions{
			Executable: executable, Stderr: w.Stderr,
			Settings: reference.Settings{
				KeepAlive: p.KeepAlive, Sandbox: p.Sandbox, Concurrency: p.Concurrency,
				StartBurst: p.StartBurst, StartRate: p.StartRate,
				Queue: p.Queue, QueueTimeout: p.QueueTimeout, LateBinding: p.LateBinding,
				NoCgroups: c.NoCgroups, Cache: c.Cache, AllowAnyLocalUser: c.AllowAnyLocalUser,
			},
		})
	case "http":
		return httpplatform.New(httpplatform.Options{URL: p.URL, Method: p.Method, Headers: p.Headers, Timeout: p.Timeout})
	}
	return nil, fmt.Errorf("no platform %q", p.Name) // the scenario's validation knows the same names
}
