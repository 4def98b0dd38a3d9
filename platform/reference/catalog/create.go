package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"

	"github.com/coldcurve/coldcurve/platform/reference/catalog/code"
)

// Create makes a function. It is Pending then, and Active or Failed when it is
// prepared. What it answers is $LATEST, or version 1 if that was published.
func (c *Catalog) Create(n Creation) (Function, error) {
	name, err := c.newName(n.Name)
	if err != nil {
		return Function{}, err
	}
	if err := refuseMembers(n.Members); err != nil {
		return Function{}, err
	}
	if err := c.checkTags(n.Tags); err != nil {
		return Function{}, err
	}
	settings, err := c.complete(n.Settings, &n.Code)
	if err != nil {
		return Function{}, err
	}
	if _, err := c.find(name); err == nil {
		return Function{}, exists(name)
	}
	pack, err := c.take(&n.Code, "CreateFunction")
	if err != nil {
		return Function{}, err
	}
	defer c.drop(pack)
	r := newRecord(name, settings, pack)
	r.Tags = maps.Clone(n.Tags)
	answer := &r.Latest
	if n.Publish {
		fixed, err := c.fix(pack)
		if err != nil {
			return Function{}, err
		}
		defer c.drop(fixed)
		answer, _ = r.publish("", fixed, r.Latest.Modified)
	}
	f, err := c.enroll(r)
	if err != nil {
		return Function{}, err
	}
	for _, v := range r.all() {
		c.background(func() { c.prepare(f, v.Number, false) })
	}
	qualifier := ""
	if n.Publish {
		qualifier = answer.Number
	}
	return c.view(r, answer, qualifier), nil
}

func exists(name string) *Error { return conflict("Function already exist: %s", name) }

// enroll adds a function to the table once it is kept.
func (c *Catalog) enroll(r *record) (*function, error) {
	c.creating.Lock()
	defer c.creating.Unlock()
	table := *c.table.Load()
	switch {
	case table[r.Name] != nil:
		return nil, exists(r.Name)
	case c.going[r.Name]:
		return nil, conflict("The operation cannot be performed at this time. The function is being deleted: %s", c.arnPrefix+r.Name)
	}
	family, err := c.runtime.Family(r.Name)
	if err != nil {
		return nil, AsError(err)
	}
	f := &function{name: r.Name, family: family}
	if err := c.keep(r); err != nil {
		c.fault(family.Remove(c.alive))
		return nil, err
	}
	c.show(f, r, nil)
	next := maps.Clone(table)
	next[r.Name] = f
	c.table.Store(&next)
	return f, nil
}

// take checks code and stores it. What it gives is held where it is stored.
func (c *Catalog) take(from *Code, operation string) (Package, error) {
	switch {
	case from.Folder != "":
		return Package{Folder: from.Folder}, checkFolder(from.Folder)
	case from.Image != "":
		return Package{Image: from.Image, SHA256: imageDigest(from.Image)}, nil
	}
	p, err := c.codes.AddZip(from.Zip)
	if err != nil {
		return Package{}, c.codeError(err, operation)
	}
	return Package{SHA256: p.SHA256, Size: p.Size}, nil
}

// fix gives a package that cannot change any more, held: a copy, of a folder
// that is used in place.
func (c *Catalog) fix(p Package) (Package, error) {
	if p.Folder != "" {
		copied, err := c.codes.AddFolder(p.Folder)
		if err != nil {
			return Package{}, c.codeError(err, "PublishVersion")
		}
		return Package{SHA256: copied.SHA256, Size: copied.Size}, nil
	}
	if p.stored() {
		if _, err := c.codes.Hold(p.SHA256, p.Size); err != nil {
			return Package{}, broken("The function's code is gone", err)
		}
	}
	return p, nil
}

// codeError words what the code store refuses.
func (c *Catalog) codeError(err error, operation string) error {
	limits := c.codes.Limits()
	if errors.Is(err, code.ErrFull) {
		return &Error{Exception: "CodeStorageExceededException", Status: 400, Message: "Code storage limit exceeded.", Err: err}
	}
	r, ok := errors.AsType[*code.Refusal](err)
	switch {
	case !ok:
		return broken("The code could not be stored", err)
	case r.Size == limits.Zip && r.Name == "":
		e := tooLarge("Zipped size must be smaller than %d bytes", int64(limits.Zip))
		e.Err = err
		return e
	case r.Size > 0:
		return invalid("Unzipped size must be smaller than %d bytes", int64(limits.Unzipped)).because(err)
	case operation == "PublishVersion":
		return invalid("The folder cannot be published: %v", err).because(err)
	}
	return invalid("Could not unzip uploaded file. Please check your file, then try to upload again. (%v)", err).because(err)
}

func (e *Error) because(err error) *Error {
	e.Err = err
	return e
}

// imageDigest stands in for an image's CodeSha256: what the reference leads to
// is the engine's to find out.
func imageDigest(reference string) string {
	sum := sha256.Sum256([]byte(reference))
	return base64.StdEncoding.EncodeToString(sum[:])
}
