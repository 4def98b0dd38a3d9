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

import "errors"

// Book is a price book. It is safe for concurrent use, and what it hands out is
// shared and must not be written to. A provider's file is read when it is first
// asked for.
type Book struct{}

// Open is the book that comes with coldcurve.
func Open() *Book { return &Book{} }

var errNotYet = errors.New("the price book has no entries yet")

// Lookup is the price of a dimension on a day; 0 is the newest. An error is an
// [*Unknown].
func (b *Book) Lookup(product, region, dimension string, on Date) (*Price, error) {
	return nil, errNotYet
}

// Products are the ids of all products, in order.
func (b *Book) Products() []string { return nil }

// Product is a product by its id, "aws/lambda". An error is an [*Unknown].
func (b *Book) Product(id string) (*Product, error) { return nil, errNotYet }

// Instance is a type of machine by its id, "aws/ec2/c7g.large". An error is an
// [*Unknown].
func (b *Book) Instance(id string) (*Instance, error) { return nil, errNotYet }

// Overlay is a book in which a file's entries come before b's own. An error is
// strict.Faults.
func (b *Book) Overlay(name string, text []byte) (*Book, error) { return nil, errNotYet }

// Price is the machine's price by dimension ("ondemand") in a region on a day.
// An error is an [*Unknown].
func (i *Instance) Price(region, dimension string, on Date) (*Price, error) { return nil, errNotYet }

// Fact is a product's limit or rule by name on a day. An error is an
// [*Unknown].
func (p *Product) Fact(name string, on Date) (Fact, error) { return Fact{}, errNotYet }
