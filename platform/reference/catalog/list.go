package catalog

import (
	"maps"
	"slices"
	"strconv"
)

// Function gives the version that a name and a qualifier lead to. Of an alias
// with weights it is the alias's first.
func (c *Catalog) Function(name, qualifier string) (Function, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return Function{}, err
	}
	r := f.now.Load().record
	v := r.lookup(qualifier)
	if v == nil {
		return Function{}, c.unqualified(f.name, qualifier)
	}
	return c.view(r, v, qualifier), nil
}

// List gives functions by name, $LATEST of each or, with all, every version,
// and the marker of the next page, "" if there is none.
func (c *Catalog) List(p Page, all bool) ([]Function, string, error) {
	table := *c.table.Load()
	var list []Function
	names, next, err := page(c, slices.Sorted(maps.Keys(table)), self, p)
	for _, name := range names {
		r := table[name].now.Load().record
		if !all {
			list = append(list, c.view(r, &r.Latest, ""))
			continue
		}
		for _, v := range r.all() {
			list = append(list, c.view(r, v, v.Number))
		}
	}
	return list, next, err
}

// Versions gives a function's versions, as List does.
func (c *Catalog) Versions(name string, p Page) ([]Function, string, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return nil, "", err
	}
	r := f.now.Load().record
	var list []Function
	shown, next, err := page(c, r.all(), func(v *version) string { return ordinal(v.Number) }, p)
	for _, v := range shown {
		list = append(list, c.view(r, v, v.Number))
	}
	return list, next, err
}

// page cuts a page out of a list that is in the order of its keys. The marker
// of the next one is the key of this one's last.
func page[T any](c *Catalog, all []T, key func(T) string, p Page) (part []T, next string, err error) {
	most := p.Most
	if most == 0 {
		most = c.limits.PageDefault
	}
	if most < 1 || most > c.limits.PageMost {
		return nil, "", violation(p.Most, "maxItems", "Member must have value between 1 and "+strconv.Itoa(c.limits.PageMost))
	}
	if p.Marker != "" {
		first := slices.IndexFunc(all, func(one T) bool { return key(one) > p.Marker })
		if first < 0 {
			first = len(all)
		}
		all = all[first:]
	}
	if len(all) > most {
		all = all[:most]
		next = key(all[most-1])
	}
	return all, next, nil
}

func self(name string) string { return name }

// ordinal is a version's name as a key that sorts by value, $LATEST first.
func ordinal(number string) string {
	if number == Latest {
		return "0"
	}
	return strconv.Itoa(len(number)) + "." + number // at most 9 digits are ever given
}

// view gives a version to callers.
func (c *Catalog) view(r *record, v *version, qualifier string) Function {
	f := Function{
		Settings: v.Settings, Name: r.Name, ARN: c.arn(r.Name, qualifier), Version: v.Number,
		Package: v.Package, Folder: c.codeFolder(v.Package), Modified: v.Modified, Revision: v.Revision,
		State: v.state, StateReason: v.reason, StateReasonCode: v.code,
		Update: v.update, UpdateReason: v.updateReason, UpdateReasonCode: v.updateCode,
		Tags: r.Tags,
	}
	if v.state == Pending && v.update == Successful {
		f.Update = "" // none has been: Lambda's own answer to a creation has null
	}
	if r.Reserved != nil {
		n := *r.Reserved
		f.Reserved = &n
	}
	return f
}

// codeFolder is where a package's files are; "" of an image.
func (c *Catalog) codeFolder(p Package) string {
	if p.stored() {
		return c.codes.Folder(p.SHA256)
	}
	return p.Folder
}
