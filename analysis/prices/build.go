package prices

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/strict"
)

// provider is one file of the book.
type provider struct {
	name, title string
	attribution []Attribution
	products    map[string]*Product
	order       []string // of the products in the file
}

// read reads a file. Open gives the files beside it.
func read(file string, text []byte, open func(string) ([]byte, error), trusted bool) (*provider, error) {
	return readFile(&reader{file: file, open: open, trusted: trusted}, text)
}

func readFile(r *reader, text []byte) (*provider, error) {
	root, ok := strict.Parse(text, r.faults.Collect(r.file))
	if !ok {
		return nil, r.faults.Err()
	}
	m, ok := root.Map("the price file")
	if !ok {
		return nil, r.faults.Err()
	}
	var e fileEntry
	fileFields().Into(&e, r, m, "the price file", "")
	e.reported(m)
	p := &provider{name: e.provider, title: e.title, attribution: e.attribution, products: make(map[string]*Product)}
	for i := range e.products {
		r.product(p, &e, &e.products[i])
	}
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// product adds a product to its provider.
func (r *reader) product(to *provider, file *fileEntry, e *productEntry) {
	if e.id == "" {
		return // reported
	}
	if owner, _, _ := strings.Cut(e.id, "/"); owner != file.provider && file.provider != "" {
		e.at.Get("product").Fault(fmt.Sprintf("product %s in a file of provider %s", e.id, file.provider), "write "+file.provider+"/..., or put it into a file of its own")
		return
	}
	if _, twice := to.products[e.id]; twice {
		e.at.Get("product").Fault("product "+e.id+" a second time", "put its entries under the first one")
		return
	}
	e.reported(e.at)
	e.stated.inherit(file.stated)
	p := &Product{ID: e.id, Title: e.title, Provider: file.provider, types: make(map[string]*Instance)}
	if p.Title == "" {
		p.Title = e.id
	}
	for i := range e.prices {
		r.price(p, e.id, &p.Prices, &e.prices[i], e.stated)
	}
	r.allowances(p, e)
	r.facts(p, e)
	for i := range e.sizes {
		s := &e.sizes[i]
		s.size.Origin = r.origin(s.at, &s.stated, e.stated, "the size")
		p.Sizes = append(p.Sizes, s.size)
	}
	for i := range e.types {
		r.machine(p, &e.types[i], e)
	}
	if e.table != nil {
		r.openTable(p, e.table, e)
	}
	p.index()
	to.products[e.id] = p
	to.order = append(to.order, e.id)
}

// origin is where an entry's figures are from; a missing source or date is a
// fault.
func (r *reader) origin(m strict.Map, s *stated, from stated, what string) Origin {
	s.reported(m)
	s.inherit(from)
	if s.source == "" {
		m.Fault(what+" has no source", `add source: "who says so", here, to the product or to the file`)
	}
	if s.asOf == 0 {
		m.Fault(what+" has no date", "add as_of: 2026-09-19 (when it was so), here, to the product or to the file")
	}
	if s.confidence == "" {
		s.confidence = "own"
	}
	return Origin{Source: s.source, AsOf: s.asOf, Confidence: s.confidence, File: r.file, Line: m.At().Line}
}

// paid is the origin of what somebody pays by, which is not told from memory.
func (r *reader) paid(m strict.Map, s *stated, from stated, what string) Origin {
	o := r.origin(m, s, from, what)
	if o.Confidence == fromMemory {
		m.Fault(what+" is from memory", "write who says so and confidence: A, B or own; only facts, sizes and shapes may be C")
	}
	return o
}

// span faults a span that ends before it begins.
func checkSpan(m strict.Map, s Span) {
	if s.Until != 0 && s.Since >= s.Until {
		m.Get("until").Fault(fmt.Sprintf("until %s, but since %s", s.Until, s.Since), "write an until that comes after since")
	}
}

// price adds a price to those of an id.
func (r *reader) price(p *Product, id string, to *[]*Price, e *priceEntry, from stated) {
	price := e.price
	price.Product = id
	price.Origin = r.paid(e.at, &e.stated, from, "the price")
	price.Region = e.region
	if price.Region == "" {
		e.at.Fault("the price has no region", "add region: us-east-1 (or global), here, to the product or to the file")
	}
	if price.Unit == "" && !e.at.Get("unit").Given() {
		e.at.Fault("the price has no unit", "add unit: GB-second; there are: "+strings.Join(Units(), ", "))
	}
	price.Per = max(price.Per, 1)
	switch tiers := e.at.Get("tiers"); {
	case e.usd != nil && tiers.Given():
		tiers.Fault("both usd and tiers", "write one of them")
	case e.usd != nil:
		price.Tiers = []Tier{{USD: *e.usd}}
	case !tiers.Given() && !e.at.Get("usd").Given():
		e.at.Fault("the price has no usd", "add usd: 0.20, or tiers")
	}
	checkSpan(e.at, price.Span)
	r.stray(p.ID, e)
	for _, other := range *to {
		if other.Region == price.Region && other.Dimension == price.Dimension && other.Overlaps(price.Span) && price.Dimension != "" {
			e.at.Fault(fmt.Sprintf("%s %s in %s a second time", id, price.Dimension, price.Region),
				fmt.Sprintf("keep one of them, or say since and until when each holds; the first is on line %d", other.Line))
			return
		}
	}
	*to = append(*to, &price)
}

// commitments begin the names of dimensions that accounts may have of their own,
// which [cost.Terms] names.
func commitments() []string {
	return []string{"savings_plan_", "reserved_", "committed_", "negotiated_"}
}

// stray faults a dimension that the product below does not have.
func (r *reader) stray(product string, e *priceEntry) {
	if r.below == nil || e.price.Dimension == "" {
		return
	}
	p, err := r.below.Product(product)
	if err != nil || slices.ContainsFunc(commitments(), func(begin string) bool { return strings.HasPrefix(e.price.Dimension, begin) }) {
		return // a product of one's own
	}
	have := make(map[string]bool)
	for _, price := range p.All(0) {
		have[price.Dimension] = true
	}
	if have[e.price.Dimension] {
		return
	}
	instead := "write one of " + strings.Join(sorted(have), ", ")
	if near := strict.Near(e.price.Dimension, sorted(have), 3); len(near) > 0 {
		instead = "write " + strings.Join(near, " or ")
	}
	e.at.Get("dimension").Fault(fmt.Sprintf("%s has no dimension %q: nothing would be billed by it", product, e.price.Dimension),
		instead+"; commitments of one's own begin with "+strings.Join(commitments(), ", "))
}

func (r *reader) allowances(p *Product, e *productEntry) {
	for i := range e.free {
		f := &e.free[i]
		a := f.allowance
		a.Product = e.id
		a.Origin = r.paid(f.at, &f.stated, e.stated, "the allowance")
		if a.Each == "" {
			a.Each = "month"
		}
		checkSpan(f.at, a.Span)
		for _, other := range p.Free {
			if other.Name == a.Name && other.Overlaps(a.Span) {
				f.at.Fault("allowance "+a.Name+" a second time", fmt.Sprintf("keep one of them; the first is on line %d", other.Line))
			}
		}
		for _, price := range p.Prices {
			if a.covers(price) && price.Unit != a.Unit && a.Unit != "" {
				f.at.Get("unit").Fault(fmt.Sprintf("the allowance is in %s and %s in %s", a.Unit, price.Dimension, price.Unit), "write unit: "+price.Unit)
				break
			}
		}
		p.Free = append(p.Free, &a)
	}
}

// covers says that an allowance is of a price.
func (a *Allowance) covers(p *Price) bool {
	for _, d := range a.Dimensions {
		if d == p.Dimension && a.Overlaps(p.Span) {
			return true
		}
	}
	return false
}

func (r *reader) facts(p *Product, e *productEntry) {
	for i := range e.facts {
		f := &e.facts[i]
		f.fact.Origin = r.origin(f.at, &f.stated, e.stated, "the fact")
		checkSpan(f.at, f.fact.Span)
		for _, other := range p.Facts {
			if other.Name == f.fact.Name && other.Overlaps(f.fact.Span) && other.Name != "" {
				f.at.Fault("fact "+other.Name+" a second time", fmt.Sprintf("keep one of them, or say since and until when each holds; the first is on line %d", other.Line))
			}
		}
		p.Facts = append(p.Facts, f.fact)
	}
}

// machine adds a type. A shape may be left out where only prices are given.
func (r *reader) machine(p *Product, e *typeEntry, from *productEntry) {
	m := e.instance
	if m.Type == "" {
		return // reported
	}
	if first, twice := p.types[m.Type]; twice {
		e.at.Get("type").Fault("type "+m.Type+" a second time", fmt.Sprintf("put its prices under the first one, on line %d", first.Line))
		return
	}
	m.ID, m.Product, m.VCPU = p.ID+"/"+m.Type, p.ID, int(e.vcpu)
	e.price.at = e.at
	e.price.inherit(from.stated)
	m.Origin = r.origin(e.at, &e.shape, e.price.stated, "the type")
	if given := e.vcpu > 0; given != (m.Memory > 0) || given != (m.Arch != "") {
		e.at.Fault("type "+m.Type+" has a part of its shape", "add vcpu, memory and arch, or leave all of them out")
	}
	if m.Baseline.IsZero() {
		m.Baseline = Whole(1)
	}
	if m.Rule == "" {
		m.Rule = "stated"
	}
	if e.usd() {
		e.price.price.Dimension = OnDemand
		if !e.at.Get("rounding").Given() {
			e.price.price.Rounding = from.rounding
		}
		r.price(p, m.ID, &m.Prices, &e.price, from.stated)
	}
	for i := range e.prices {
		r.price(p, m.ID, &m.Prices, &e.prices[i], e.price.stated)
	}
	p.types[m.Type] = &m
	p.typeOrder = append(p.typeOrder, m.Type)
}

func (e *typeEntry) usd() bool { return e.at.Get("usd").Given() }
