package catalog

import (
	"cmp"
	"context"
	"errors"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// route is where a qualifier leads.
type route struct {
	target Target
	err    *Error  // why it cannot be invoked; nil if it can
	other  *route  // of a weighted alias: who gets the rest
	weight float64 // share of requests that other gets
}

// Resolve gives what serves a name at this moment. A weighted alias draws a
// version each time. It allocates nothing and waits for no change.
func (c *Catalog) Resolve(name, qualifier string) (Target, error) {
	bare, within, ok := c.split(name)
	if !ok || within != "" && qualifier != "" && within != qualifier {
		_, _, err := c.named(name, qualifier) // which words it
		return Target{}, err
	}
	if within != "" {
		qualifier = within
	}
	f := (*c.table.Load())[bare]
	if f == nil {
		var err error
		if f, _, err = c.named(name, qualifier); err != nil { // else it was created just now
			return Target{}, err
		}
	}
	r := f.now.Load().routes[qualifier]
	if r == nil {
		return Target{}, c.unqualified(bare, qualifier)
	}
	if r.other != nil && c.draw() < r.weight {
		r = r.other
	}
	if r.err != nil {
		return Target{}, r.err
	}
	return r.target, nil
}

// draw gives a number from 0 to 1, without 1.
func (c *Catalog) draw() float64 {
	c.drawing.Lock()
	defer c.drawing.Unlock()
	return c.draws.Float64()
}

// Invoke runs what serves a name at this moment. A request that finds its
// version just replaced goes to the one in its place. Without a stage its
// alias is its stage, else the function's; without a consumer it is the
// function's. Its error is an [*Error],
// beside which the outcome may tell how far the request came.
func (c *Catalog) Invoke(ctx context.Context, name, qualifier string, inv engine.Invocation) (engine.Outcome, error) {
	stage, consumer := inv.Stage, inv.Consumer
	for {
		t, err := c.Resolve(name, qualifier)
		if err != nil {
			return engine.Outcome{}, err
		}
		inv.Alias, inv.Stage = t.Alias, cmp.Or(stage, t.Alias, t.Stage)
		inv.Consumer = cmp.Or(consumer, t.Consumer)
		out, err := t.Version.Invoke(ctx, inv)
		if err == nil {
			return out, nil
		}
		if e, ok := errors.AsType[*engine.Error](err); ok && e.Code == engine.Retired && ctx.Err() == nil {
			continue // the change that retired it has been shown before
		}
		return out, AsError(err)
	}
}

// routes are where all qualifiers of a function lead.
func (c *Catalog) routes(s *snapshot) map[string]*route {
	routes := make(map[string]*route)
	for _, v := range s.record.all() {
		r := &route{target: Target{Executed: v.Number, Consumer: v.Consumer, Stage: v.Stage}}
		if lv := s.live[v.Number]; lv != nil {
			r.target.Version = lv.Version
		} else {
			r.err = notInState(v)
		}
		routes[v.Number] = r
	}
	routes[""] = routes[Latest]
	for i := range s.record.Aliases {
		a := &s.record.Aliases[i]
		r := routes[a.Version].under(a.Name)
		for other, weight := range a.Weights {
			r.other, r.weight = routes[other].under(a.Name), weight
		}
		routes[a.Name] = r
	}
	return routes
}

// under is the route as an alias's.
func (r *route) under(alias string) *route {
	named := *r
	named.target.Alias = alias
	return &named
}
