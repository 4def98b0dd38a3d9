package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	lambdaplatform "github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/reports/text"
)

type cleanupCmd struct {
	Endpoint string `name:"endpoint-url" help:"What speaks Lambda's API, in place of AWS."`
	Region   string `help:"AWS region. The default is that of AWS's own configuration."`
	All      bool   `help:"Take also what runs on other machines have left. Whether they are still under way cannot be seen from here."`
	Yes      bool   `help:"Do not ask before something is removed."`
	JSON     bool   `name:"json" help:"Print JSON (schema coldcurve.cleanup/v1)."`
}

// found is a leftover and what becomes of it.
type found struct {
	Name  string    `json:"name"`
	Run   string    `json:"run"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	Taken bool      `json:"removed"`
	Why   string    `json:"kept_because,omitempty"`
}

// Run removes the functions that runs on platform lambda have left: those that
// were killed, and those that lost their connection.
func (c *cleanupCmd) Run(ctx context.Context, w *World) error {
	// Nobody invokes here, so any role will do.
	p, err := lambdaplatform.New(ctx, lambdaplatform.Options{Endpoint: c.Endpoint, Region: c.Region, Role: "arn:aws:iam::000000000000:role/none"})
	if err != nil {
		return err
	}
	defer p.Close(ctx)
	list, err := p.Leftovers(ctx)
	if err != nil {
		return err
	}
	all, take := c.sort(list)
	if take > 0 && !p.Loopback() {
		question := fmt.Sprintf("%s: remove %s?", p.Where(), count(uint64(take), "function"))
		if err := (&consent{Yes: c.Yes}).ask(w, question); err != nil {
			return err
		}
	}
	failed := c.take(ctx, p, list, all)
	return errors.Join(failed, c.show(w, p.Where(), all))
}

// sort says what is to be taken, and why the rest is not.
func (c *cleanupCmd) sort(list []lambdaplatform.Leftover) (all []found, take int) {
	for _, l := range list {
		f := found{Name: l.Name, Run: l.Run, Host: l.Host, Since: l.Since}
		switch {
		case l.Alive:
			f.Why = "its run is under way"
		case !l.Mine && !c.All:
			f.Why = "of a run on " + l.Host + ": --all takes it"
		default:
			take++
		}
		all = append(all, f)
	}
	return all, take
}

func (c *cleanupCmd) take(ctx context.Context, p *lambdaplatform.Platform, list []lambdaplatform.Leftover, all []found) error {
	var failed error
	for i := range all {
		if all[i].Why != "" {
			continue
		}
		if err := p.Take(ctx, list[i]); err != nil {
			failed = errors.Join(failed, err)
			all[i].Why = err.Error()
			continue
		}
		all[i].Taken = true
	}
	return failed
}

func (c *cleanupCmd) show(w *World, where string, all []found) error {
	if c.JSON {
		return printJSON(w.Stdout, struct {
			Schema    string  `json:"schema"`
			Functions []found `json:"functions"`
		}{"coldcurve.cleanup/v1", append([]found{}, all...)})
	}
	if len(all) == 0 {
		_, err := fmt.Fprintf(w.Stdout, "nothing is left at %s\n", where)
		return err
	}
	var items []text.Item
	for _, f := range all {
		item := text.Item{Name: f.Name, State: "removed", Detail: "since " + f.Since.Format(time.DateTime) + " UTC, " + units.FormatDuration(w.Now().Sub(f.Since).Round(time.Second)) + " ago"}
		if !f.Taken {
			item.State, item.Detail = "kept", f.Why
		}
		items = append(items, item)
	}
	return text.List(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), items)
}
