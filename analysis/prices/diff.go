package prices

import (
	"fmt"
	"slices"
	"strings"
)

// Change is a price, a fact or an allowance that is not the same in two books,
// or in one on two days.
type Change struct {
	Product string `json:"product"`
	Region  string `json:"region,omitempty"` // of a price
	Name    string `json:"name"`             // the dimension, the fact or the allowance
	Kind    string `json:"kind"`             // "price", "fact" or "allowance"
	Before  string `json:"before,omitempty"` // "" where there was none
	After   string `json:"after,omitempty"`  // "" where there is none any more
}

// Diff is what differs between a on one day and b on another, by product; 0 is
// the newest. Where a figure is from is no difference.
func Diff(a *Book, onA Date, b *Book, onB Date) []Change {
	before, after := a.said(onA), b.said(onB)
	all := make(map[statement]bool, len(before))
	for s := range before {
		all[s] = true
	}
	for s := range after {
		all[s] = true
	}
	var changes []Change
	for s := range all {
		if before[s] != after[s] {
			changes = append(changes, Change{s.product, s.region, s.name, s.kind, before[s], after[s]})
		}
	}
	slices.SortFunc(changes, func(x, y Change) int {
		return slices.Compare([]string{x.Product, x.Kind, x.Name, x.Region}, []string{y.Product, y.Kind, y.Name, y.Region})
	})
	return changes
}

// statement is what a book says something about.
type statement struct{ product, region, kind, name string }

// said is all that a book says of a day.
func (b *Book) said(on Date) map[statement]string {
	all := make(map[statement]string)
	for _, id := range b.Products() {
		p, err := b.Product(id)
		if err != nil {
			panic(err) // the id is the book's own
		}
		for _, price := range p.All(on) {
			all[statement{price.Product, price.Region, "price", price.Dimension}] = price.Text()
		}
		for _, f := range p.Facts {
			if now, err := p.Fact(f.Name, on); err == nil {
				all[statement{id, "", "fact", f.Name}] = now.Value
			}
		}
		for _, a := range p.Free {
			if on == 0 || a.Holds(on) {
				all[statement{id, "", "allowance", a.Name}] = a.Text()
			}
		}
	}
	return all
}

// All is every price of the product and of its types on a day; 0 is the newest.
func (p *Product) All(on Date) []*Price {
	list := holding(p.Prices, on)
	for _, name := range p.Types() {
		m, _ := p.machine(name)
		list = append(list, holding(m.Prices, on)...)
	}
	return list
}

// holding is the prices that a lookup on a day finds, in their order.
func holding(all []*Price, on Date) []*Price {
	versions := make(map[place][]*Price, len(all))
	for _, p := range all {
		at := place{p.Region, p.Dimension}
		versions[at] = append(versions[at], p)
	}
	var list []*Price
	for _, p := range all {
		if newest(versions[place{p.Region, p.Dimension}], on) == p {
			list = append(list, p)
		}
	}
	return list
}

// Text is the price on one line: tiers, rounding, cap.
func (p *Price) Text() string {
	var parts []string
	for _, t := range p.Tiers {
		text := p.UnitPrice(t)
		if len(p.Tiers) > 1 || !t.To.IsZero() {
			text = t.Range() + ": " + text
		}
		parts = append(parts, text)
	}
	if rule := p.Rounding.Text(); rule != "" {
		parts = append(parts, rule)
	}
	if !p.Cap.IsZero() {
		parts = append(parts, fmt.Sprintf("at most $%s a month", cents(p.Cap)))
	}
	return strings.Join(parts, "; ")
}
