package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	dockerplatform "github.com/coldcurve/coldcurve/platform/docker"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/server"
	"github.com/coldcurve/coldcurve/platform/workers"
	"github.com/coldcurve/coldcurve/scenarios"
)

// openPlatform is the one place where a platform's name meets its adapter.
func openPlatform(ctx context.Context, w *World, s *scenarios.Scenario, functions *cast, c *runCmd) (platform.Platform, error) {
	p := s.Platform
	switch p.Name {
	case "reference":
		executable, err := w.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program, to start the reference runtime with: %w", err)
		}
		return reference.Open(ctx, reference.ClientOptions{
			Executable: executable, Stderr: w.Stderr,
			Settings: settingsOf(s, functions.present, c),
		})
	case "server":
		return openServers(ctx, p, functions.present, c.Cache)
	case "lambda":
		return openLambda(ctx, w, s, c)
	case "openwhisk":
		return openOpenWhisk(ctx, w, s, c)
	case "workers":
		return workers.Open(ctx, workers.Options{Program: p.Workerd.Program, CompatibilityDate: p.Workerd.CompatibilityDate})
	case "docker":
		return openDocker(ctx, &p, c)
	case "http":
		return openHTTP(ctx, w, s, c)
	}
	return nil, fmt.Errorf("no platform %q", p.Name) // the scenario's validation knows the same names
}

// openHTTP opens platform http, with what shows a preset's platform who asks
// where that is to be found, once whoever pays there has agreed.
func openHTTP(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (platform.Platform, error) {
	p := &s.Platform
	options := httpplatform.Options{URL: p.URL, Host: p.Host, Preset: p.Preset, Method: p.Method, Expect: p.ExpectStatus, Headers: p.Headers, Timeout: p.Timeout}
	var preset httpplatform.Preset
	if p.Preset != "" {
		var err error
		if preset, err = httpplatform.FindPreset(p.Preset); err == nil {
			options.Secret, err = httpplatform.FindSecret(ctx, &preset, w.Env)
		}
		if err != nil {
			return nil, err
		}
	}
	opened, err := httpplatform.New(options)
	if err != nil || preset.Bills == "" {
		return opened, err
	}
	reason := fmt.Sprintf("it bills %s, and how much that comes to its URL does not tell", preset.Bills)
	if err := c.agreeUnpriced(w, s, preset.Title, reason); err != nil {
		return nil, errors.Join(err, opened.Close(ctx))
	}
	return opened, nil
}

// openServers gives platform server the interpreters and clients that the
// functions need.
func openServers(ctx context.Context, p scenarios.Platform, functions []platform.Function, cache string) (platform.Platform, error) {
	options := server.Options{Workers: p.Workers, Backlog: p.Backlog, Programs: make(map[platform.Runtime]string)}
	for _, f := range functions {
		if f.Runtime == platform.Go {
			continue
		}
		tool, err := fixtures.Find(ctx, f.Runtime)
		if err != nil {
			return nil, advised(err)
		}
		options.Programs[f.Runtime] = tool.Path
		if options.Clients, err = fixtures.RuntimeClients(cache); err != nil {
			return nil, err
		}
	}
	return server.New(options)
}

// openDocker gives platform docker the runtime clients.
func openDocker(ctx context.Context, p *scenarios.Platform, c *runCmd) (platform.Platform, error) {
	clients, err := fixtures.RuntimeClients(c.Cache)
	if err != nil {
		return nil, advised(err)
	}
	return dockerplatform.New(ctx, dockerplatform.Options{
		OCIRuntime: p.Docker.OCIRuntime, Network: p.Docker.Network, Tier: dockerplatform.Tier(p.Docker.Tier), Ahead: p.Docker.Ahead,
		Bases: p.Bases, Clients: clients, AllowAnyLocalUser: c.AllowAnyLocalUser,
	})
}

// referenceFlags are what the command line says of how the reference runtime uses
// this machine.
type referenceFlags struct {
	NoCgroups bool   `help:"Reference runtime: do not limit memory and CPU by cgroups."`
	Cache     string `type:"path" help:"Folder for built functions. The default is the user's cache folder."`
}

// settingsOf is what a scenario and the command line say of the reference runtime.
func settingsOf(s *scenarios.Scenario, functions []platform.Function, c *runCmd) reference.Settings {
	settings := referenceSettings(&s.Platform)
	for _, f := range functions {
		if !slices.Contains(settings.Sandboxes, f.Sandbox) {
			settings.Sandboxes = append(settings.Sandboxes, f.Sandbox)
		}
	}
	settings.Faults, settings.Seed = s.Faults, s.Seed
	settings.NoCgroups, settings.Cache, settings.AllowAnyLocalUser = c.NoCgroups, c.Cache, c.AllowAnyLocalUser
	return settings
}

// referenceSettings is the part of them that stands in the platform's keys.
func referenceSettings(p *scenarios.Platform) reference.Settings {
	settings := reference.Settings{Policy: p.Policy, Stock: p.Pool, Bases: p.Bases, Memory: p.Memory, AsyncRetries: p.AsyncRetries, AsyncWaits: p.AsyncWaits}
	for runtime, quantiles := range p.StartDelay {
		if settings.StartDelay == nil {
			settings.StartDelay = make(map[platform.Runtime]engine.StartDelay)
		}
		d := engine.StartDelay{}
		for _, q := range quantiles {
			d.Quantiles = append(d.Quantiles, engine.Quantile(q))
		}
		settings.StartDelay[runtime] = d
	}
	return settings
}
