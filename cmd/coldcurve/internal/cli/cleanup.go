package cli

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	dockerplatform "github.com/coldcurve/coldcurve/platform/docker"
	lambdaplatform "github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/platform/mark"
	"github.com/coldcurve/coldcurve/platform/openwhisk"
	"github.com/coldcurve/coldcurve/reports/text"
)

//go:embed cleanup.schema.json
var cleanupSchemaJSON []byte

type cleanupCmd struct {
	Platform string `enum:",lambda,openwhisk,docker" default:"" placeholder:"NAME" help:"Where to look: lambda, openwhisk or docker. The default is all, as far as they can be reached."`
	Endpoint string `name:"endpoint-url" help:"Platform lambda: what speaks Lambda's API, in place of AWS."`
	Region   string `help:"Platform lambda: AWS region. The default is that of AWS's own configuration."`
	All      bool   `help:"Take also what runs have left that cannot be seen from here, on other machines or in other containers. They may be under way."`
	Yes      bool   `help:"Do not ask before something is removed."`
	JSON     bool   `name:"json" help:"Print JSON (schema coldcurve.cleanup/v1)."`
}

// found is a leftover and what becomes of it.
type found struct {
	Platform string    `json:"platform"`
	Name     string    `json:"name"`
	Run      string    `json:"run,omitempty"`
	Host     string    `json:"host,omitempty"`
	Since    time.Time `json:"since"`
	Taken    bool      `json:"removed"`
	Why      string    `json:"kept_because,omitempty"`

	on   string // what was there before the run and stays; "" where all of it goes
	take func(context.Context) error
}

// depot is a place where runs may have left something.
type depot struct {
	where string
	paid  bool // somebody else than this machine's user may own what is there
	found []found
	close func()
}

// Run removes what runs have left: those that were killed, and those that lost
// their connection.
func (c *cleanupCmd) Run(ctx context.Context, w *World) error {
	depots, err := c.open(ctx, w)
	if err != nil {
		return err
	}
	all := []found{} // in JSON nothing is [], not null
	var where []string
	for _, d := range depots {
		defer d.close()
		if what := d.takeable(); what != "" && d.paid {
			question := fmt.Sprintf("%s: remove %s?", d.where, what)
			if err := (&consent{Yes: c.Yes}).ask(w, question); err != nil {
				return err
			}
		}
		all, where = append(all, d.found...), append(where, d.where)
	}
	failed := takeAll(ctx, all)
	return errors.Join(failed, c.show(w, strings.Join(where, " and "), all))
}

// open looks at each place that is asked for. Without being asked for one it is
// enough that one can be reached, and the others are told of.
func (c *cleanupCmd) open(ctx context.Context, w *World) (depots []*depot, err error) {
	only := c.Platform
	if c.Endpoint != "" || c.Region != "" {
		only = cmp.Or(only, "lambda")
	}
	var errs []error
	for _, place := range []struct {
		platform string
		look     func(context.Context) (*depot, error)
	}{{"lambda", c.lambda}, {"openwhisk", c.openwhisk}, {"docker", c.docker}} {
		if only != "" && only != place.platform {
			continue
		}
		d, err := place.look(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		depots = append(depots, d)
	}
	if len(depots) == 0 {
		return nil, errors.Join(errs...)
	}
	for _, err := range errs {
		fmt.Fprintf(w.Stderr, "coldcurve: not looked at: %v\n", err)
	}
	return depots, nil
}

// lambda is what runs on platform lambda have left.
func (c *cleanupCmd) lambda(ctx context.Context) (*depot, error) {
	p, err := lambdaplatform.New(ctx, lambdaplatform.Options{Endpoint: c.Endpoint, Region: c.Region, Existing: true})
	if err != nil {
		return nil, err
	}
	return c.kept(ctx, "lambda", p)
}

// openwhisk is what runs on platform openwhisk have left.
func (c *cleanupCmd) openwhisk(ctx context.Context) (*depot, error) {
	p, err := openwhisk.New(openwhisk.Options{})
	if err != nil {
		return nil, err
	}
	return c.kept(ctx, "openwhisk", p)
}

// keeper is a platform that keeps what runs have marked until it is removed.
type keeper interface {
	platform.Closer
	Where() string
	Beyond(context.Context, []string) string
	Leftovers(context.Context) ([]mark.Leftover, error)
	Take(context.Context, mark.Leftover) error
}

// kept is what is marked on a platform.
func (c *cleanupCmd) kept(ctx context.Context, name string, p keeper) (*depot, error) {
	d := &depot{where: p.Where(), close: func() { _ = p.Close(ctx) }}
	list, err := p.Leftovers(ctx)
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	for _, l := range list {
		f := found{Platform: name, Name: l.Name, Run: l.Run, Host: l.Host, Since: l.Since, on: l.On}
		f.Why = c.keep(l.Alive, l.Mine, "on "+l.Host)
		f.take = func(ctx context.Context) error { return p.Take(ctx, l) }
		d.found = append(d.found, f)
	}
	if len(list) > 0 {
		beyond := p.Beyond(ctx, []string{cmp.Or(list[0].On, list[0].Name)}) // one function is of the same account as all
		d.where, d.paid = cmp.Or(beyond, d.where), beyond != ""
	}
	return d, nil
}

// docker is what runs on platform docker have left, and the reference runtime in
// its container sandbox.
func (c *cleanupCmd) docker(ctx context.Context) (*depot, error) {
	list, err := dockerplatform.Leftovers(ctx, dockerplatform.Options{})
	if err != nil {
		return nil, err
	}
	d := &depot{where: "the Docker engine", close: func() {}}
	for _, l := range list {
		f := found{Platform: "docker", Name: strings.TrimSpace(l.Kind + " " + short(l.ID) + " " + l.Function), Run: l.Owner, Since: l.Since}
		f.Why = c.keep(l.Alive && l.Visible, l.Visible, "whose process cannot be seen from here")
		f.take = func(ctx context.Context) error { return dockerplatform.Take(ctx, dockerplatform.Options{}, l) }
		d.found = append(d.found, f)
	}
	return d, nil
}

// short is as much of an engine's id as Docker's own commands print.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

// keep says why a leftover is not to be taken; "" where it is.
func (c *cleanupCmd) keep(alive, seen bool, where string) string {
	switch {
	case alive:
		return "its run is under way"
	case !seen && !c.All:
		return "of a run " + where + ": --all takes it"
	}
	return ""
}

// takeable is what there is to be removed, counted: "2 functions and 1
// variable", "" for nothing.
func (d *depot) takeable() string {
	var functions, variables uint64
	for _, f := range d.found {
		switch {
		case f.Why != "":
		case f.on != "":
			variables++
		default:
			functions++
		}
	}
	var parts []string
	if functions > 0 {
		parts = append(parts, count(functions, "function"))
	}
	if variables > 0 {
		parts = append(parts, count(variables, "variable"))
	}
	return strings.Join(parts, " and ")
}

// takeAll removes what is to be, in order: containers hold their images. Of a
// platform that does not answer the rest is not asked for, one wait after the other.
func takeAll(ctx context.Context, all []found) error {
	var failed error
	silent := make(map[string]bool)
	for i := range all {
		f := &all[i]
		switch {
		case f.Why != "":
			continue
		case silent[f.Platform]:
			f.Why = f.Platform + " did not answer: the same command tries again"
			continue
		}
		if err := f.take(ctx); err != nil {
			failed = errors.Join(failed, err)
			f.Why = err.Error()
			kind := platform.KindOf(err)
			silent[f.Platform] = kind == sample.Timeout || kind == sample.Network
			continue
		}
		f.Taken = true
	}
	return failed
}

func (c *cleanupCmd) show(w *World, where string, all []found) error {
	if c.JSON {
		return printJSON(w.Stdout, struct {
			Schema    string  `json:"schema"`
			Leftovers []found `json:"leftovers"`
		}{"coldcurve.cleanup/v1", all})
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
