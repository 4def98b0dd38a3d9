package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Publish makes a version of $LATEST as it is. It returns when the version can
// be invoked, or has failed to become so, which its state tells. If nothing
// has changed since the last version, that one is given again.
func (c *Catalog) Publish(name string, p Publication) (Function, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return Function{}, err
	}
	if err := c.enter(f); err != nil {
		return Function{}, err
	}
	defer f.mu.Unlock()
	now := f.now.Load()
	if err := c.publishable(now.record, p.Revision); err != nil {
		return Function{}, err
	}
	fixed, err := c.fix(now.record.Latest.Package)
	if err != nil {
		return Function{}, err
	}
	defer c.drop(fixed)
	if p.CodeSHA256 != "" && p.CodeSHA256 != fixed.SHA256 {
		return Function{}, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", p.CodeSHA256, fixed.SHA256)
	}
	next := now.record.clone()
	v, fresh := next.publish(p.Description, fixed, time.Now())
	if !fresh {
		return c.view(next, v, v.Number), nil
	}
	return c.bring(f, next, v)
}

// bring prepares a version that was just published, and keeps it as it is
// then. Called with the function's lock held.
func (c *Catalog) bring(f *function, next *record, v *version) (Function, error) {
	lv, err := c.add(f, next, v)
	lives := maps.Clone(f.now.Load().live)
	switch {
	case unavailable(err):
		return Function{}, AsError(err)
	case err != nil:
		v.failed(false, reasonCode(err), err.Error())
	default:
		v.active()
		if lives == nil {
			lives = make(map[string]*live)
		}
		lives[v.Number] = lv
	}
	if _, err := c.commit(f, next, lives); err != nil {
		c.retire(lv)
		return Function{}, err
	}
	return c.view(next, v, v.Number), nil
}

// publishable says whether $LATEST is one to publish.
func (c *Catalog) publishable(r *record, revision string) error {
	if err := c.settled(r, revision); err != nil {
		return err
	}
	switch v := &r.Latest; {
	case v.state == Failed:
		return notInState(v)
	case v.update == UpdateFailed:
		return conflict("The operation cannot be performed at this time. The last update of the function has failed: %s", v.updateReason)
	}
	return nil
}

// Delete takes a function away, or one published version of it. Requests that
// wait are refused; those that are being served may end until ctx does. It
// returns when nothing is left of the instances.
func (c *Catalog) Delete(ctx context.Context, name, qualifier string) error {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return err
	}
	switch {
	case qualifier == "":
		return c.deleteFunction(ctx, f)
	case qualifier == Latest:
		return invalid("$LATEST version cannot be deleted without deleting the function.")
	case !isNumber(qualifier):
		return invalid("Deletion of aliases is not currently supported.")
	}
	return c.deleteVersion(ctx, f, qualifier)
}

func (c *Catalog) deleteFunction(ctx context.Context, f *function) error {
	if err := c.enter(f); err != nil {
		return err
	}
	if err := c.documents.remove(f.name); err != nil {
		f.mu.Unlock()
		return broken("The function could not be removed", err)
	}
	f.gone = true
	last := f.now.Load()
	c.unlist(f)
	f.mu.Unlock()

	err := f.family.Remove(ctx)
	for _, lv := range last.live {
		c.drop(lv.pack)
	}
	c.release(last.record)
	c.creating.Lock()
	defer c.creating.Unlock()
	delete(c.going, f.name)
	if err != nil {
		return broken("The function's instances could not be stopped", err)
	}
	return nil
}

// unlist takes a function out of the table, though its name is not free yet.
func (c *Catalog) unlist(f *function) {
	c.creating.Lock()
	defer c.creating.Unlock()
	table := maps.Clone(*c.table.Load())
	delete(table, f.name)
	c.table.Store(&table)
	urls := maps.Clone(*c.urls.Load())
	maps.DeleteFunc(urls, func(_ string, u URL) bool { return u.Function == f.name })
	c.urls.Store(&urls)
	c.going[f.name] = true
}

// deleteVersion deletes a version; one that is not there is, like in Lambda,
// deleted already.
func (c *Catalog) deleteVersion(ctx context.Context, f *function, number string) error {
	lv, err := c.unpublish(f, number)
	if lv == nil || err != nil {
		return err
	}
	_ = lv.Retire(ctx) // that ctx has cut it short is as told
	c.drop(lv.pack)
	return nil
}

// unpublish takes a version out of the record, and gives what served it.
func (c *Catalog) unpublish(f *function, number string) (*live, error) {
	if err := c.enter(f); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	now := f.now.Load()
	next := now.record.clone()
	if next.version(number) == nil {
		return nil, nil
	}
	if users := next.aliasesOf(number); len(users) > 0 {
		return nil, conflict("The version %s cannot be deleted: aliases lead to it: %s", c.arn(f.name, number), strings.Join(users, ", "))
	}
	next.Versions = slices.DeleteFunc(next.Versions, func(v version) bool { return v.Number == number })
	next.forget(number)
	lives := maps.Clone(now.live)
	lv := lives[number]
	delete(lives, number)
	if _, err := c.commit(f, next, lives); err != nil {
		return nil, err
	}
	return lv, nil
}

// aliasesOf are the aliases that lead to a version.
func (r *record) aliasesOf(number string) []string {
	var users []string
	for i := range r.Aliases {
		a := &r.Aliases[i]
		if _, weighted := a.Weights[number]; weighted || a.Version == number {
			users = append(users, a.Name)
		}
	}
	return users
}

// forget drops what was set for a qualifier that is no more.
func (r *record) forget(qualifier string) {
	r.Provisioned = slices.DeleteFunc(r.Provisioned, func(p provisioned) bool { return p.Qualifier == qualifier })
	r.URLs = slices.DeleteFunc(r.URLs, func(u url) bool { return u.Qualifier == qualifier })
	r.Events = slices.DeleteFunc(r.Events, func(e EventInvoke) bool { return e.Qualifier == qualifier })
	r.Policies = slices.DeleteFunc(r.Policies, func(p policy) bool { return p.Qualifier == qualifier })
}
