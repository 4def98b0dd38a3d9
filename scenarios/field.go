package scenarios

import "github.com/coldcurve/coldcurve/analysis/strict"

// The tables of keys are package strict's; here each reading carries a reader
// along, so that what stands later can be checked against what stands earlier.
type (
	field[T any]  = strict.Field[*reader, T]
	fields[T any] = strict.Fields[*reader, T]
	form[V any]   = strict.Form[*reader, V]
	schema        = strict.Schema
)

// key is a field that is read by a form and stored where at says.
func key[T, V any](name string, f form[V], at func(*T) *V, doc string) field[T] {
	return strict.NewField(name, f, at, doc)
}
