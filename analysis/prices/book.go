// Package prices owns the price book: what providers charge for what, since
// when, and who says so.
//
// In: the files of fixtures/prices, and a user's own in the same format
// (negotiated prices, other regions). Out: a [Price] for a product, region,
// dimension and day, exact amounts of money for quantities, and the facts that
// decide whether a product can do some work at all. Lookups are strict: what
// is not priced is an [Unknown] with its near matches, never 0.
//
// It does not know what anybody used, and makes no bills: package cost does.
package prices

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	files "github.com/coldcurve/coldcurve/fixtures/prices"
)

// Book is a price book. It is safe for concurrent use, and what it hands out is
// shared and must not be written to. A provider's file is read when it is first
// asked for.
type Book struct {
	providers map[string]func() *provider
}

// Open is the book that comes with coldcurve.
func Open() *Book {
	b := &Book{providers: make(map[string]func() *provider)}
	for _, name := range files.Providers() {
		b.providers[name] = sync.OnceValue(func() *provider { return embedded(name) })
	}
	return b
}

func embedded(name string) *provider {
	text, err := files.File(name + ".yaml")
	if err != nil {
		panic(err) // the name is from the list of files
	}
	p, err := read(name+".yaml", text, files.File, true)
	if err != nil {
		panic(err) // a test reads them all
	}
	return p
}

// Load is the book of one file alone. Open gives the files that stand beside
// it. An error is strict.Faults.
func Load(name string, text []byte, open func(name string) ([]byte, error)) (*Book, error) {
	p, err := read(name, text, open, false)
	if err != nil {
		return nil, err
	}
	return &Book{providers: map[string]func() *provider{p.name: func() *provider { return p }}}, nil
}

// LoadOver is [Load] of a file that is to come before b's own entries: a
// dimension that a product of b does not have is a fault there, for nothing
// would ever be billed by it.
func (b *Book) LoadOver(name string, text []byte, open func(name string) ([]byte, error)) (*Book, error) {
	p, err := readFile(&reader{file: name, open: open, below: b}, text)
	if err != nil {
		return nil, err
	}
	return &Book{providers: map[string]func() *provider{p.name: func() *provider { return p }}}, nil
}

// Overlay is a book in which another's entries come before b's own: a price
// takes the place of all versions of the same product, region and dimension
// (and keeps their rounding unless it states its own), a fact or an allowance
// of those of its name.
func (b *Book) Overlay(above *Book) *Book {
	both := &Book{providers: maps.Clone(b.providers)}
	for name, load := range above.providers {
		below, ok := b.providers[name]
		if !ok {
			both.providers[name] = load
			continue
		}
		both.providers[name] = sync.OnceValue(func() *provider { return below().under(load()) })
	}
	return both
}

// Providers are the names of all providers, in order.
func (b *Book) Providers() []string { return slices.Sorted(maps.Keys(b.providers)) }

// Attribution is the works that a provider's figures are from; nil for an
// unknown one.
func (b *Book) Attribution(provider string) []Attribution {
	if load, ok := b.providers[provider]; ok {
		return load().attribution
	}
	return nil
}

// Products are the ids of all products, by provider and then in the order of
// its file.
func (b *Book) Products() []string {
	var ids []string
	for _, name := range b.Providers() {
		ids = append(ids, b.providers[name]().order...)
	}
	return ids
}

// Product is a product by its id, "aws/lambda". An error is an [*Unknown].
func (b *Book) Product(id string) (*Product, error) {
	name, _, _ := strings.Cut(id, "/")
	if load, ok := b.providers[name]; ok {
		if p, ok := load().products[id]; ok {
			return p, nil
		}
	}
	return nil, unknown("product", id, "", b.Products())
}

// split is a product's id and the type of machine behind it, "" for none.
func split(id string) (product, machine string) {
	if parts := strings.SplitN(id, "/", 3); len(parts) == 3 {
		return parts[0] + "/" + parts[1], parts[2]
	}
	return id, ""
}

// Lookup is the price of a dimension of a product or a type of machine on a
// day; 0 is the newest. An error is an [*Unknown].
func (b *Book) Lookup(id, region, dimension string, on Date) (*Price, error) {
	product, machine := split(id)
	p, err := b.Product(product)
	if err != nil {
		return nil, err
	}
	if machine == "" {
		return p.Price(region, dimension, on)
	}
	m, ok := p.machine(machine)
	if !ok {
		return nil, unknown("type", machine, p.ID, p.Types())
	}
	return m.Price(region, dimension, on)
}

// Instance is a type of machine by its id, "aws/ec2/c7g.large". An error is an
// [*Unknown].
func (b *Book) Instance(id string) (*Instance, error) {
	product, machine := split(id)
	p, err := b.Product(product)
	if err != nil {
		return nil, err
	}
	if machine == "" {
		return nil, &Unknown{What: "type in", Name: id, Where: fmt.Sprintf("a machine, as %s/TYPE", id)}
	}
	return p.Instance(machine)
}
