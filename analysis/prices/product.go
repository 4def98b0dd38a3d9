package prices

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Product is something that a provider sells: what it costs, and the facts that
// decide whether and how it can do some work. It must not be written to.
type Product struct {
	ID       string // "aws/lambda"
	Title    string // "AWS Lambda"
	Provider string // "aws"
	Prices   []*Price
	Free     []*Allowance
	Facts    []Fact
	Sizes    []Size // the combinations of vCPU and memory that it comes in; none: any within its facts

	prices    map[place][]*Price
	types     map[string]*Instance
	typeOrder []string
	table     *table // nil for none
}

// place is where a price is looked up.
type place struct{ region, dimension string }

// Fact is a limit or a rule of a product, as its name tells: "memory_max",
// "duration_max", "init_billed". Which of the values it has depends on the name.
type Fact struct {
	Name     string        `json:"name"`
	Value    string        `json:"value"` // as the book has it: "10240MB"
	Duration time.Duration `json:"-"`     // of a time
	Bytes    units.Bytes   `json:"-"`     // of a size
	Number   Decimal       `json:"-"`     // of a number
	Note     string        `json:"note,omitempty"`
	Span
	Origin
}

// Size is a number of vCPUs and the memory that can go with it.
type Size struct {
	VCPU   Decimal `json:"vcpu"`
	Memory Memory  `json:"memory"`
	Origin
}

// Memory is the sizes that memory comes in: those listed, or those from From to
// To in steps of Step.
type Memory struct {
	Sizes []units.Bytes `json:"bytes,omitempty"` // ascending
	From  units.Bytes   `json:"from_bytes,omitempty"`
	To    units.Bytes   `json:"to_bytes,omitempty"`
	Step  units.Bytes   `json:"step_bytes,omitempty"`
}

// AtLeast is the smallest size that is enough, if there is one.
func (m Memory) AtLeast(want units.Bytes) (units.Bytes, bool) {
	if m.Step > 0 {
		size := m.From + roundUp(max(want-m.From, 0), m.Step, 0)
		return size, size <= m.To
	}
	for _, size := range m.Sizes {
		if size >= want {
			return size, true
		}
	}
	return 0, false
}

// Has says that a size is one of them.
func (m Memory) Has(size units.Bytes) bool {
	least, ok := m.AtLeast(size)
	return ok && least == size
}

// String is the sizes for reading: "512 MB, 1 GB", "4 GB to 16 GB by 1 GB".
func (m Memory) String() string {
	if m.Step > 0 {
		return fmt.Sprintf("%s to %s by %s", m.From, m.To, m.Step)
	}
	texts := make([]string, len(m.Sizes))
	for i, size := range m.Sizes {
		texts[i] = size.String()
	}
	return strings.Join(texts, ", ")
}

// Instance is a type of machine: its shape and what it costs.
type Instance struct {
	ID      string      `json:"id"`      // "aws/ec2/c7g.large"
	Product string      `json:"product"` // "aws/ec2"
	Type    string      `json:"type"`    // "c7g.large"
	Arch    string      `json:"arch"`    // "x86_64" or "arm64"
	VCPU    int         `json:"vcpu"`
	Memory  units.Bytes `json:"memory_bytes"`
	// Baseline is the share of its vCPUs that a burstable machine can use for
	// ever; 1 for one that is not burstable.
	Baseline Decimal `json:"baseline"`
	// Credits is how many minutes of a whole vCPU a burstable machine earns an
	// hour, CreditsMost how many it can save up; 0 for one that is not burstable.
	Credits     Decimal `json:"credits_per_hour,omitzero"`
	CreditsMost Decimal `json:"credits_most,omitzero"`
	// FullMonth is the share that it costs less on demand where it runs for a
	// whole month; 0 is no less.
	FullMonth Decimal  `json:"full_month_discount,omitzero"`
	Rule      string   `json:"rule"`   // how the shape is known
	Prices    []*Price `json:"prices"` // of every dimension and region
	Origin             // of the shape
}

var validType = regexp.MustCompile(`^` + word + `$`)

// index makes the product's prices quick to find and gives them their
// allowances.
func (p *Product) index() {
	p.prices = make(map[place][]*Price, len(p.Prices))
	for _, price := range p.Prices {
		at := place{price.Region, price.Dimension}
		p.prices[at] = append(p.prices[at], price)
		price.Free = nil
		for _, a := range p.Free {
			if a.covers(price) {
				price.Free = a
			}
		}
	}
}

// Price is what a dimension costs in a region on a day; 0 is the newest. What
// holds everywhere is found in every region. An error is an [*Unknown].
func (p *Product) Price(region, dimension string, on Date) (*Price, error) {
	for _, r := range [...]string{region, Global} {
		if price := newest(p.prices[place{r, dimension}], on); price != nil {
			return price, nil
		}
	}
	u := unpriced(p.ID, p.Prices, region, dimension, on)
	if u.What == "region" && !slices.ContainsFunc(p.Prices, func(o *Price) bool { return o.Dimension == dimension }) && slices.Contains(p.Regions(), region) {
		return nil, unknown("dimension", dimension, p.ID+" in "+region, nil) // its machines are priced there
	}
	return nil, u
}

// Price is what the machine costs in a region on a day; the dimension is
// [OnDemand], "reserved_1y_no_upfront", ... An error is an [*Unknown].
func (i *Instance) Price(region, dimension string, on Date) (*Price, error) {
	var found []*Price
	for _, price := range i.Prices {
		if price.Dimension == dimension && (price.Region == region || price.Region == Global) {
			found = append(found, price)
		}
	}
	if price := newest(found, on); price != nil {
		return price, nil
	}
	return nil, unpriced(i.ID, i.Prices, region, dimension, on)
}

// newest is the price that holds on a day; where none is asked for, the one
// that began last.
func newest(versions []*Price, on Date) *Price {
	var best *Price
	for _, v := range versions {
		if on != 0 && !v.Holds(on) {
			continue
		}
		if best == nil || v.Since > best.Since {
			best = v
		}
	}
	return best
}

// unpriced says which part of a lookup the book does not have.
func unpriced(id string, prices []*Price, region, dimension string, on Date) *Unknown {
	regions, dimensions := make(map[string]bool), make(map[string]bool)
	dated := false
	for _, p := range prices {
		if p.Region == region || p.Region == Global {
			dimensions[p.Dimension] = true
			dated = dated || p.Dimension == dimension
		}
		if p.Dimension == dimension {
			regions[p.Region] = true
		}
	}
	switch {
	case dated:
		return &Unknown{What: "price on", Name: on.String(), Where: id + " " + dimension + " in " + region}
	case len(regions) > 0:
		return unknown("region", region, id+" "+dimension, sorted(regions))
	case len(dimensions) == 0:
		for _, p := range prices {
			regions[p.Region] = true
		}
		return unknown("region", region, id, sorted(regions))
	}
	return unknown("dimension", dimension, id+" in "+region, sorted(dimensions))
}

func sorted[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }

// unknown is an Unknown with its near matches.
func unknown(what, name, where string, have []string) *Unknown {
	return &Unknown{What: what, Name: name, Where: where, Have: have, Near: strict.Near(name, have, 3)}
}

// Fact is a limit or rule by its name on a day; 0 is the newest. An error is an
// [*Unknown].
func (p *Product) Fact(name string, on Date) (Fact, error) {
	found := -1
	for i, f := range p.Facts {
		if f.Name == name && (on == 0 || f.Holds(on)) && (found < 0 || f.Since > p.Facts[found].Since) {
			found = i
		}
	}
	if found >= 0 {
		return p.Facts[found], nil
	}
	have := make(map[string]bool)
	for _, f := range p.Facts {
		have[f.Name] = true
	}
	return Fact{}, unknown("fact", name, p.ID, sorted(have))
}

// FactsOn are the facts that hold on a day, in the order of the file; 0 is the
// newest.
func (p *Product) FactsOn(on Date) []Fact {
	list := []Fact{}
	for _, f := range p.Facts {
		if now, err := p.Fact(f.Name, on); err == nil && now.Origin == f.Origin {
			list = append(list, f)
		}
	}
	return list
}

// Types are the names of the product's types of machine, in order.
func (p *Product) Types() []string {
	all := make(map[string]bool)
	for name := range p.types {
		all[name] = true
	}
	if p.table != nil {
		for name := range p.table.parse() {
			all[name] = true
		}
	}
	return sorted(all)
}

// machine is a type with the prices of table and entries, which may lack a
// shape.
func (p *Product) machine(name string) (*Instance, bool) {
	own, stated := p.types[name]
	listed, ok := p.table.find(name)
	switch {
	case !stated:
		return listed, ok
	case !ok:
		return own, true
	}
	return own.over(listed), true
}

// over is a machine with another's shape and prices where it has none of its
// own.
func (i *Instance) over(below *Instance) *Instance {
	both := *i
	if both.VCPU == 0 {
		both = *below
	}
	both.Prices = overlaid(below.Prices, i.Prices)
	return &both
}

// Instance is a type of machine by name. An error is an [*Unknown].
func (p *Product) Instance(name string) (*Instance, error) {
	m, ok := p.machine(name)
	if !ok {
		return nil, unknown("type", name, p.ID, p.Types())
	}
	if m.VCPU == 0 {
		return nil, &Unknown{What: "shape (vCPU and memory) of type", Name: name, Where: p.ID, Instead: "a price file of your own can give its vcpu, memory and arch"}
	}
	return m, nil
}

// Regions are where the product has prices, in the order of the file.
func (p *Product) Regions() []string {
	var list []string
	add := func(prices []*Price) {
		for _, price := range prices {
			if !slices.Contains(list, price.Region) {
				list = append(list, price.Region)
			}
		}
	}
	add(p.Prices)
	for _, name := range p.typeOrder {
		add(p.types[name].Prices)
	}
	if p.table != nil && !slices.Contains(list, p.table.price.Region) {
		list = append(list, p.table.price.Region)
	}
	return list
}
