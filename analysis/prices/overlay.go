package prices

import (
	"maps"
	"slices"
)

// under is a provider with another's entries before its own.
func (p *provider) under(above *provider) *provider {
	both := &provider{
		name: p.name, title: p.title,
		attribution: slices.Concat(above.attribution, p.attribution),
		products:    maps.Clone(p.products),
		order:       slices.Clone(p.order),
	}
	if above.title != "" {
		both.title = above.title
	}
	for _, id := range above.order {
		product := above.products[id]
		if below, ok := p.products[id]; ok {
			product = below.under(product)
		} else {
			both.order = append(both.order, id)
		}
		both.products[id] = product
	}
	return both
}

// under is a product with another's entries before its own. Prices are copied,
// for their allowances may change.
func (p *Product) under(above *Product) *Product {
	both := &Product{ID: p.ID, Title: p.Title, Provider: p.Provider, Sizes: p.Sizes, table: p.table}
	if above.Title != above.ID {
		both.Title = above.Title
	}
	if len(above.Sizes) > 0 {
		both.Sizes = above.Sizes
	}
	for _, price := range overlaid(p.Prices, above.Prices) {
		copied := *price
		both.Prices = append(both.Prices, &copied)
	}
	both.Free = replaced(p.Free, above.Free, func(a *Allowance) string { return a.Name })
	both.Facts = replaced(p.Facts, above.Facts, func(f Fact) string { return f.Name })
	both.types, both.typeOrder = maps.Clone(p.types), slices.Clone(p.typeOrder)
	add := func(name string, m *Instance) {
		if below, ok := p.machine(name); ok {
			m = m.over(below)
		}
		if _, ok := both.types[name]; !ok {
			both.typeOrder = append(both.typeOrder, name)
		}
		both.types[name] = m
	}
	for _, name := range above.typeOrder {
		add(name, above.types[name])
	}
	if above.table != nil {
		for _, name := range above.Types() {
			m, _ := above.machine(name)
			add(name, m)
		}
	}
	both.index()
	return both
}

// overlaid is prices with others before them: one takes the place of all
// versions of its region and dimension. A negotiated price is another number
// and no other way to count: where it states no rounding and has the same unit,
// it keeps that of the price whose place it takes.
func overlaid(below, above []*Price) []*Price {
	at := func(p *Price) place { return place{p.Region, p.Dimension} }
	rules := make(map[place]*Price, len(below))
	for _, p := range below {
		if old := rules[at(p)]; old == nil || p.Since > old.Since {
			rules[at(p)] = p
		}
	}
	counted := make([]*Price, len(above))
	for i, p := range above {
		counted[i] = p
		if old := rules[at(p)]; old != nil && p.Rounding == (Rounding{}) && p.Unit == old.Unit {
			with := *p
			with.Rounding = old.Rounding
			counted[i] = &with
		}
	}
	return replaced(below, counted, at)
}

// replaced is the entries of below whose key above does not have, and above.
func replaced[E any, K comparable](below, above []E, key func(E) K) []E {
	taken := make(map[K]bool, len(above))
	for _, e := range above {
		taken[key(e)] = true
	}
	kept := slices.DeleteFunc(slices.Clone(below), func(e E) bool { return taken[key(e)] })
	return append(kept, above...)
}
