package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

type selftestCmd struct {
	Delay duration `placeholder:"60ms" help:"By how much head's init is slowed down, really. The default is 60ms."`
	JSON  bool     `name:"json" help:"Print one JSON document (coldcurve schema comparison) instead of tables."`

	referenceFlags `embed:""`
}

// selftestScenario has ten cold starts, each after an idle time.
const selftestScenario = `name: selftest
description: Does the gate see a start that was slowed down on purpose?
platform: {name: reference, keep_alive: 20ms}
functions: [{name: hello, fixture: hello, runtime: go}]
phases: [{name: idle, duration: 2s, arrivals: {process: gap, gap: 200ms}}]
`

// selftestPolicy looks once: one rule and one look take five pairs.
const selftestPolicy = `looks: [6]
rules: [{metric: latency.p50, start: cold, margin: 10%}]
`

// Run compares a function with itself, slowed down, as compare does, and fails
// where that is not called a regression: a gate that cannot fail is none.
func (c *selftestCmd) Run(ctx context.Context, w *World) error {
	delay := 60 * time.Millisecond
	if c.Delay.value != nil {
		delay = *c.Delay.value
	}
	dir, err := os.MkdirTemp("", "coldcurve-selftest-")
	if err != nil {
		return err
	}
	err = c.test(ctx, w, dir, delay)
	return errors.Join(err, os.RemoveAll(dir))
}

func (c *selftestCmd) test(ctx context.Context, w *World, dir string, delay time.Duration) error {
	path := filepath.Join(dir, "selftest.yaml")
	if err := os.WriteFile(path, []byte(selftestScenario), 0o644); err != nil {
		return err
	}
	command := &compareCmd{Scenario: path, Out: filepath.Join(dir, "comparison"), JSON: c.JSON, referenceFlags: c.referenceFlags}
	command.Scale, command.TimeScale = 1, 1
	t, err := command.ready(ctx, w)
	if err != nil {
		return err
	}
	t.policy, t.usual, t.looks = []byte(selftestPolicy), false, []int{6}
	t.head.What = fmt.Sprintf("the same with %v more of init", delay)
	t.alter = slowed(delay)
	err = command.begin(ctx, w, t)
	if f, ok := errors.AsType[*failure](err); ok && f.code == exitRegression {
		fmt.Fprintln(w.Stderr, "coldcurve: the gate has seen the slowdown: it works here")
		return nil
	}
	if err == nil {
		err = &failure{code: exitRegression, err: fmt.Errorf("a start that is slower by %v was not called a regression", delay)}
	}
	return err
}

// slowed has head's inits stand still for so long, and base as it is.
func slowed(delay time.Duration) func(side string, s *scenarios.Scenario) {
	return func(side string, s *scenarios.Scenario) {
		if side == comparison.Head && delay > 0 {
			s.Faults = append(s.Faults, platform.Fault{Kind: platform.SlowInit, Share: 1, Delay: delay})
		}
	}
}
