package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/sim/selfcheck"
	"github.com/coldcurve/coldcurve/reports/text"
)

// checks is what `simulate --selfcheck --json` prints.
type checks struct {
	Schema   string            `json:"schema"`
	Complete bool              `json:"complete"`
	Held     bool              `json:"held"`
	Checks   []selfcheck.Check `json:"checks"`
}

// selfcheck holds the simulator against what it must meet.
func (c *simulateCmd) selfcheck(ctx context.Context, w *World) error {
	doc := checks{Schema: "coldcurve.selfcheck/v1", Held: true, Checks: []selfcheck.Check{}}
	options := selfcheck.Options{Seed: 1}
	if c.Seed != nil {
		options.Seed = *c.Seed
	}
	law := ""
	for check, err := range selfcheck.Run(ctx, options) {
		if err != nil {
			return fmt.Errorf("selfcheck of %s: %w", check.Law, err)
		}
		if check.Law != law {
			law = check.Law
			fmt.Fprintf(w.Stderr, "coldcurve: %s\n", law)
		}
		doc.Held = doc.Held && check.OK
		doc.Checks = append(doc.Checks, check)
	}
	doc.Complete = ctx.Err() == nil
	var err error
	if c.JSON {
		err = printJSON(w.Stdout, doc)
	} else {
		err = text.Selfcheck(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), doc.Checks)
	}
	switch {
	case err != nil:
		return err
	case !doc.Complete:
		return fmt.Errorf("interrupted after %s", count(uint64(len(doc.Checks)), "check"))
	case !doc.Held:
		return errors.New("the simulator does not meet all of these")
	}
	return nil
}
