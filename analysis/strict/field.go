package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Field is one key of a mapping that becomes a T. The tables of fields are the
// one place that says which keys there are: files are read by them, faults
// list them and the JSON schema is drawn up from them.
//
// Some mappings come in variants (a process has its own keys, and so has a
// platform): In names the variants that have the key, nil meaning all, and
// Needed those that cannot do without; a mapping without variants is "". C is
// what the reading of a file carries along.
type Field[C, T any] struct {
	Name    string
	Doc     string
	Default any // for the schema; nil for none worth saying
	In      []string
	Needed  []string
	Read    func(C, Value, *T)

	Example string // in YAML, on one line
	Schema  Schema
}

// NewField is a field that is read by a form and stored where at says.
func NewField[C, T, V any](name string, f Form[C, V], at func(*T) *V, doc string) Field[C, T] {
	return Field[C, T]{
		Name: name,
		Doc:  doc,
		Read: func(c C, v Value, into *T) {
			if value, ok := f.Read(c, v); ok {
				*at(into) = value
			}
		},
		Example: f.Example,
		Schema:  f.Schema,
	}
}

// Must makes a key needed: in the given variants, in those that have it if none
// is given, in a mapping without variants if there are none.
func (f Field[C, T]) Must(variants ...string) Field[C, T] {
	switch {
	case len(variants) > 0:
		f.Needed = variants
	case f.In != nil:
		f.Needed = f.In
	default:
		f.Needed = []string{""}
	}
	return f
}

// Of gives a key to some variants only.
func (f Field[C, T]) Of(variants ...string) Field[C, T] {
	f.In = variants
	return f
}

// Like gives an example where the form's own would mislead.
func (f Field[C, T]) Like(example string) Field[C, T] {
	f.Example = example
	return f
}

// Defaults says what holds where the key is missing.
func (f Field[C, T]) Defaults(v any) Field[C, T] {
	f.Default = v
	return f
}

// Has says that a variant has the key.
func (f Field[C, T]) Has(variant string) bool {
	return f.In == nil || variant == "" || slices.Contains(f.In, variant)
}

// Fields is the keys of a mapping, in the order in which they are read.
type Fields[C, T any] []Field[C, T]

// Names are the keys of one variant.
func (fs Fields[C, T]) Names(variant string) []string {
	var names []string
	for _, f := range fs {
		if f.Has(variant) {
			names = append(names, f.Name)
		}
	}
	return names
}

// Find is the key of a name, if there is one.
func (fs Fields[C, T]) Find(name string) (Field[C, T], bool) {
	i := slices.IndexFunc(fs, func(f Field[C, T]) bool { return f.Name == name })
	if i < 0 {
		return Field[C, T]{}, false
	}
	return fs[i], true
}

// Into reads a mapping by its fields. Where says what it describes.
func (fs Fields[C, T]) Into(target *T, c C, m Map, where, variant string) {
	for key := range m.All() {
		f, known := fs.Find(key.Name())
		switch {
		case !known:
			key.Unknown(where, fs.Names(variant))
		case !f.Has(variant):
			key.Fault(fmt.Sprintf("key %s does not belong to %s", f.Name, where),
				"leave it out; its keys are: "+strings.Join(fs.Names(variant), ", "))
		}
	}
	for _, f := range fs {
		if !f.Has(variant) {
			continue
		}
		if v := m.Get(f.Name); v.Given() {
			f.Read(c, v, target)
		} else if slices.Contains(f.Needed, variant) {
			m.Fault(fmt.Sprintf("%s has no %s", where, f.Name), fmt.Sprintf("add %s: %s", f.Name, f.Example))
		}
	}
}

// Form is a map with these fields, as the value of a key.
func (fs Fields[C, T]) Form(key, example string) Form[C, T] {
	return Form[C, T]{
		Read: func(c C, v Value) (t T, ok bool) {
			m, ok := v.Map(key)
			if ok {
				fs.Into(&t, c, m, key, "")
			}
			return t, ok
		},
		Example: example,
		Schema:  fs.Object(""),
	}
}

// List reads a list of mappings with the same keys, at least one. Of names them
// ("survival points"), one is one of them ("a point of the curve").
func (fs Fields[C, T]) List(c C, v Value, of, one string) ([]T, bool) {
	items, ok := v.List(of)
	if !ok {
		return nil, false
	}
	if len(items) == 0 {
		v.Fault("no "+of, "write at least one, or leave the key out")
		return nil, false
	}
	list := make([]T, 0, len(items))
	for _, item := range items {
		if m, ok := item.Map(one); ok {
			var t T
			fs.Into(&t, c, m, one, "")
			list = append(list, t)
		}
	}
	return list, true
}
