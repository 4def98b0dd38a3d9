package catalog

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// UpdateCode gives $LATEST other code. The answer is in progress: what was
// there before serves until the new code is prepared, and for good if it
// cannot be. With Publish the answer is the version that is published.
func (c *Catalog) UpdateCode(name string, u CodeUpdate) (Function, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return Function{}, err
	}
	if err := c.checkCodeUpdate(f, &u); err != nil {
		return Function{}, err
	}
	pack, err := c.take(&u.Code, "UpdateFunctionCode")
	if err != nil {
		return Function{}, err
	}
	defer c.drop(pack)
	var fixed Package
	publish := u.Publish && !u.DryRun
	if publish {
		if fixed, err = c.fix(pack); err != nil {
			return Function{}, err
		}
		defer c.drop(fixed)
	}
	return c.update(f, u.Revision, u.DryRun, func(r *record) (*version, error) {
		r.Latest.Package = pack
		if u.Architecture != "" {
			r.Latest.Architecture = u.Architecture
		}
		if !publish {
			return &r.Latest, nil
		}
		v, _ := r.publish("", fixed, time.Now())
		return v, nil
	})
}

// checkCodeUpdate says whether the code is of the function's own kind.
func (c *Catalog) checkCodeUpdate(f *function, u *CodeUpdate) error {
	latest := &f.now.Load().record.Latest
	if err := u.Code.check(); err != nil {
		return err
	}
	switch image := latest.Package.Image != ""; {
	case image && u.Code.Image == "":
		return invalid("Please provide ImageUri when updating a function with packageType Image.")
	case !image && u.Code.Image != "":
		return invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
	}
	return c.checkArchitecture(u.Architecture)
}

// UpdateSettings gives $LATEST another configuration, as UpdateCode does code.
func (c *Catalog) UpdateSettings(name string, u SettingsUpdate) (Function, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return Function{}, err
	}
	if err := refuseMembers(u.Members); err != nil {
		return Function{}, err
	}
	return c.update(f, u.Revision, false, func(r *record) (*version, error) {
		settings, err := c.complete(u.apply(r.Latest.Settings), r.Latest.Package.source())
		r.Latest.Settings = settings
		return &r.Latest, err
	})
}

// apply gives the settings with the update in them.
func (u *SettingsUpdate) apply(s Settings) Settings {
	set(&s.Runtime, u.Runtime)
	set(&s.Handler, u.Handler)
	set(&s.Role, u.Role)
	set(&s.Description, u.Description)
	set(&s.Memory, u.Memory)
	set(&s.Storage, u.Storage)
	set(&s.Timeout, u.Timeout)
	set(&s.Sandbox, u.Sandbox)
	set(&s.Start, u.Start)
	if u.Environment != nil {
		s.Environment = maps.Clone(u.Environment)
	}
	return s
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// update changes $LATEST. What change answers is shown to the caller; the
// versions that are pending then are prepared.
func (c *Catalog) update(f *function, revision string, dry bool, change func(*record) (*version, error)) (Function, error) {
	if err := c.enter(f); err != nil {
		return Function{}, err
	}
	defer f.mu.Unlock()
	now := f.now.Load()
	if err := c.settled(now.record, revision); err != nil {
		return Function{}, err
	}
	next := now.record.clone()
	next.begin(now.live[Latest] != nil)
	answer, err := change(next)
	if err != nil {
		return Function{}, err
	}
	qualifier := ""
	if answer != &next.Latest {
		qualifier = answer.Number
	}
	if dry {
		return c.view(next, answer, qualifier), nil
	}
	if _, err := c.commit(f, next, now.live); err != nil {
		return Function{}, err
	}
	c.background(func() { c.prepare(f, Latest, false) })
	if qualifier != "" && answer.state == Pending {
		c.background(func() { c.prepare(f, qualifier, false) })
	}
	return c.view(next, answer, qualifier), nil
}

// settled says whether $LATEST can be changed or published now.
func (c *Catalog) settled(r *record, revision string) error {
	v := &r.Latest
	switch {
	case revision != "" && revision != v.Revision:
		return stale()
	case v.state == Pending:
		return notInState(v)
	case v.update == InProgress:
		return conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", c.arn(r.Name, ""))
	}
	return nil
}

// notInState is the refusal of what wants a version that can be invoked.
func notInState(v *version) *Error {
	e := conflict("The operation cannot be performed at this time. The function is currently in the following state: %s", v.state)
	if v.state == Failed && v.reason != "" {
		e.Message += " (" + v.reason + ")"
	}
	return e
}

// begin says that $LATEST is about to change, while what is there serves.
func (r *record) begin(serves bool) {
	v := &r.Latest
	if serves && v.update == Successful {
		before := *v
		r.Serving = &before
	}
	if !serves {
		r.Serving = nil
		v.pending("Creating", "The function is being created.")
	}
	v.update, v.updateCode, v.updateReason = InProgress, "Creating", "The function is being created."
	v.Revision, v.Modified = newRevision(), time.Now()
}

// prepare has a version prepared by the engine and says in its state how that
// went. With quiet, nothing has changed but that this process did not know it.
func (c *Catalog) prepare(f *function, number string, quiet bool) {
	r := f.now.Load().record
	v := r.version(number)
	if v == nil {
		return // deleted meanwhile
	}
	lv, err := c.add(f, r, v)
	if err != nil && number == Latest && r.Serving != nil && f.now.Load().live[Latest] == nil {
		// It was restored from a record whose last update had failed before.
		lv, _ = c.add(f, r, r.Serving)
	}
	if c.alive.Err() != nil || unavailable(err) {
		c.retire(lv)
		return
	}
	if gone := c.enter(f); gone != nil {
		c.retire(lv)
		return
	}
	defer f.mu.Unlock()
	c.settle(f, number, lv, err, quiet)
}

// settle puts a version that was prepared in service, and takes what served in
// its place out of it. Called with the function's lock held.
func (c *Catalog) settle(f *function, number string, lv *live, err error, quiet bool) {
	now := f.now.Load()
	next := now.record.clone()
	v := next.version(number)
	if v == nil {
		c.retire(lv)
		return
	}
	lives := maps.Clone(now.live)
	if lives == nil {
		lives = make(map[string]*live)
	}
	if lv != nil {
		c.retire(lives[number])
		lives[number] = lv
	}
	if err != nil {
		v.failed(lives[number] != nil, reasonCode(err), err.Error())
	} else {
		v.active()
		if number == Latest {
			next.Serving = nil
		}
	}
	if quiet && next.Serving == now.record.Serving {
		c.show(f, next, lives)
		return
	}
	v.Revision = newRevision()
	if _, err := c.commit(f, next, lives); err != nil {
		// It is so all the same; the next change that is kept keeps it.
		c.fault(err)
		next.Serving = now.record.Serving
		c.show(f, next, lives)
	}
}

// add has the engine add a version, and holds its code for it.
func (c *Catalog) add(f *function, r *record, v *version) (*live, error) {
	held := v.Package
	if held.stored() {
		if _, err := c.codes.Hold(held.SHA256, held.Size); err != nil {
			return nil, err
		}
	}
	added, err := f.family.Add(c.alive, c.spec(r.Name, v), engine.Settings{})
	if err != nil {
		c.drop(held)
		return nil, err
	}
	return &live{Version: added, pack: held, instead: instead(v.Runtime, added)}, nil
}

// spec is what the engine is told of a version.
func (c *Catalog) spec(name string, v *version) sandbox.Spec {
	runtime, _ := RuntimeOf(v.Runtime) // it was checked
	return sandbox.Spec{
		Function: platform.Function{
			Name: name, Runtime: runtime, Code: c.codeFolder(v.Package), Image: v.Package.Image,
			Handler: v.Handler, Memory: v.Memory, Timeout: v.Timeout, Env: v.Environment,
			Storage: v.Storage, Sandbox: v.Sandbox, Start: v.Start,
		},
		Identifier: v.Runtime, Version: v.Number, ARN: c.arn(name, ""), Memory: v.Memory, Storage: v.Storage, Timeout: v.Timeout,
	}
}

// retire takes what was in service out of it, in the background: requests that
// are inside are served. Nil is nothing.
func (c *Catalog) retire(lv *live) {
	if lv == nil {
		return
	}
	c.background(func() {
		_ = lv.Retire(c.alive) // what Close cuts short is as Close says
		c.drop(lv.pack)
	})
}

// unavailable says whether an error is of a runtime that is being closed.
func unavailable(err error) bool {
	e, ok := errors.AsType[*engine.Error](err)
	return ok && e.Code == engine.Unavailable || errors.Is(err, context.Canceled)
}

// reasonCode is Lambda's word for why a version could not be prepared.
func reasonCode(err error) string {
	if e, ok := errors.AsType[*engine.Error](err); ok && e.Code == engine.Invalid {
		return "InvalidConfiguration"
	}
	return "InternalError"
}
