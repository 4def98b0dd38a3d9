package cli

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/scenarios"
)

type serveCmd struct {
	Config string `type:"path" help:"YAML file: the policy under platform, in a scenario's keys, and schedules and watched folders. Flags change what it says."`

	reference.ServeFlags `embed:""`
}

// Run serves until it is interrupted, or until the parent that started it is gone.
func (c *serveCmd) Run(ctx context.Context, w *World) error {
	base, err := c.base()
	if err != nil {
		return err
	}
	base.Seed = rand.Uint64()
	options, err := c.Options(base)
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

// base are the settings that the flags change.
func (c *serveCmd) base() (reference.Settings, error) {
	if c.Config == "" {
		return reference.DefaultSettings(), nil
	}
	config, err := scenarios.LoadServer(c.Config, reference.CheckExpression)
	if err != nil {
		return reference.Settings{}, err
	}
	settings := referenceSettings(&config.Platform)
	settings.Sandboxes = []string{config.Platform.Sandbox}
	for _, s := range config.Schedules {
		settings.Schedules = append(settings.Schedules, reference.Schedule(s))
	}
	for _, f := range config.Folders {
		settings.Folders = append(settings.Folders, reference.Folder(f))
	}
	return settings, nil
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
