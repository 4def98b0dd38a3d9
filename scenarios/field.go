package scenarios

import (
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/scenarios/internal/strict"
)

// field is one key of a mapping that becomes a T. The tables of fields are the
// one place that says which keys there are: files are read by them, faults
// list them and the JSON schema is drawn up from them.
//
// Some mappings come in variants (a process has its own keys, and so has a
// platform): in names the variants that have the key, nil meaning all, and
// needed those that cannot do without; a mapping without variants is "".
type field[T any] struct {
	name   string
	doc    string
	def    any // the default, for the schema; nil for none worth saying
	in     []string
	needed []string
	read   func(*reader, strict.Value, *T)

	example string
	schema  schema
}

// key is a field that is read by a form and stored where at says.
func key[T, V any](name string, f form[V], at func(*T) *V, doc string) field[T] {
	return field[T]{
		name: name,
		doc:  doc,
		read: func(r *reader, v strict.Value, into *T) {
			if value, ok := f.read(r, v); ok {
				*at(into) = value
			}
		},
		example: f.example,
		schema:  f.schema,
	}
}

// must makes a key needed: in the given variants, in those that have it if none
// is given, in a mapping without variants if there are none.
func (f field[T]) must(variants ...string) field[T] {
	switch {
	case len(variants) > 0:
		f.needed = variants
	case f.in != nil:
		f.needed = f.in
	default:
		f.needed = []string{""}
	}
	return f
}

// of gives a key to some variants only.
func (f field[T]) of(variants ...string) field[T] {
	f.in = variants
	return f
}

// like gives an example where the form's own would mislead.
func (f field[T]) like(example string) field[T] {
	f.example = example
	return f
}

func (f field[T]) defaults(v any) field[T] {
	f.def = v
	return f
}

func (f field[T]) has(variant string) bool {
	return f.in == nil || variant == "" || slices.Contains(f.in, variant)
}

// fields is the keys of a mapping, in the order in which they are read.
type fields[T any] []field[T]

// names are the keys of one variant.
func (fs fields[T]) names(variant string) []string {
	var names []string
	for _, f := range fs {
		if f.has(variant) {
			names = append(names, f.name)
		}
	}
	return names
}

func (fs fields[T]) find(name string) (field[T], bool) {
	i := slices.IndexFunc(fs, func(f field[T]) bool { return f.name == name })
	if i < 0 {
		return field[T]{}, false
	}
	return fs[i], true
}

// into reads a mapping by its fields. Where says what it describes.
func (fs fields[T]) into(target *T, r *reader, m strict.Map, where, variant string) {
	for key := range m.All() {
		f, known := fs.find(key.Name())
		switch {
		case !known:
			key.Unknown(where, fs.names(variant))
		case !f.has(variant):
			key.Fault(fmt.Sprintf("key %s does not belong to %s", f.name, where),
				"leave it out; its keys are: "+commas(fs.names(variant)))
		}
	}
	for _, f := range fs {
		if !f.has(variant) {
			continue
		}
		if v := m.Get(f.name); v.Given() {
			f.read(r, v, target)
		} else if slices.Contains(f.needed, variant) {
			m.Fault(fmt.Sprintf("%s has no %s", where, f.name), fmt.Sprintf("add %s: %s", f.name, f.example))
		}
	}
}
