package cost

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Option is a way to have work done, at a price.
//
// Bill prices works of one account in one month together: tiers and free tiers
// are per account and region. An error is an [*Impossible] where the option
// cannot do the work, and a [*Missing] where the bill rests on a quantity that
// the work does not have. It is safe for concurrent use.
type Option interface {
	Name() string
	Bill(works ...*Work) (*Bill, error)
}

// Terms are what holds for an account. The zero value is today's list prices
// without a free tier.
type Terms struct {
	On       prices.Date // prices and rules of that day; 0 is the newest
	FreeTier bool        // the account's free tier is this work's; what is included in a price is so anyway
	// Commitment names the prices of those who have committed themselves, as the
	// price book does: "savings_plan_no_upfront", "reserved_1y_no_upfront". The
	// default, "", is on demand.
	Commitment string
	// Dearest bills a dimension that has no price in the work's region by the
	// price of the region where it costs most, with a note. The default is that
	// there is no bill then.
	Dearest bool
}

// Impossible says which limit keeps a product from doing the work.
type Impossible struct {
	Product string
	Limit   string // "the longest duration is 15m"
	Have    string // "a call takes 20m"
	Origin  prices.Origin

	Next    units.Bytes   // the least memory above what is asked for that the product has; 0: the limit is another
	Longest time.Duration // that a call may take; 0: the limit is another
}

// Error names the limit, what was asked for and who says so.
func (e *Impossible) Error() string {
	return fmt.Sprintf("%s cannot do this: %s", e.Product, e.Reason())
}

// Reason is the limit, what was asked for, who says so, and whether anybody
// looked it up.
func (e *Impossible) Reason() string {
	text := fmt.Sprintf("%s, and %s", e.Limit, e.Have)
	if e.Origin.Source != "" {
		text += fmt.Sprintf(" (%s, %v)", e.Origin.Source, e.Origin.AsOf)
	}
	if caveat := e.Origin.Caveat(); caveat != "" {
		text += "; the limit is " + caveat
	}
	return text
}

// Missing says which quantity a product's bill rests on that is not known.
type Missing struct {
	Product, Quantity string
	Instead           string // where to get it from
}

// Error says what is missing and where it could come from.
func (e *Missing) Error() string {
	return fmt.Sprintf("%s bills by %s, which is not known: %s", e.Product, e.Quantity, e.Instead)
}

// New is the option that a name stands for: a product, or several that serve
// the requests together, as in "aws/lambda+aws/api-gateway-http". A machine is
// named with its type ("aws/ec2/c7g.large").
func New(book *prices.Book, name string, terms Terms) (Option, error) {
	o := &option{name: name, book: book, terms: terms, seen: make(map[priceKey]*prices.Price), facts: make(map[factKey]fact)}
	for id := range strings.SplitSeq(name, "+") {
		s, err := serviceOf(book, id)
		if err != nil {
			return nil, err
		}
		o.services = append(o.services, s)
	}
	return o, nil
}

// service is one product's part of an option.
type service struct {
	product  *prices.Product
	instance *prices.Instance // of machines; else nil
	bill     biller
}

// biller adds what a product charges for a work.
type biller func(m *meter) error

type option struct {
	name     string
	book     *prices.Book
	terms    Terms
	services []service

	// A curve looks the same things up at every rate.
	mu    sync.Mutex
	seen  map[priceKey]*prices.Price
	facts map[factKey]fact
}

type priceKey struct{ product, region, dimension string }

func (o *option) Name() string { return o.name }

// Bill prices the works together.
func (o *option) Bill(works ...*Work) (*Bill, error) {
	t := &tally{}
	region := ""
	for _, w := range works {
		if err := w.Validate(); err != nil {
			return nil, err
		}
		for i := range o.services {
			m := &meter{Work: w, option: o, service: &o.services[i], tally: t}
			m.region = m.regionOf()
			if region == "" {
				region = m.region
			}
			if err := m.service.bill(m); err != nil {
				return nil, err
			}
		}
	}
	t.dated(o.terms.On)
	b, err := t.bill(o.terms.FreeTier)
	if err != nil {
		return nil, err
	}
	b.Option, b.Region = o.name, region
	return b, nil
}

// meter is one work before one product.
type meter struct {
	*Work
	option  *option
	service *service
	tally   *tally
	region  string
}

func (m *meter) product() string { return m.service.product.ID }

// regionOf is the work's region where the product is priced in it, and its only
// or first one where the work does not say.
func (m *meter) regionOf() string {
	if m.Region != "" {
		return m.Region
	}
	list := m.service.product.Prices
	if i := m.service.instance; i != nil {
		list = i.Prices
	}
	return home(list)
}

// home is the region whose prices hold where nobody names one: the list's
// first. It is "global" for what costs the same everywhere.
func home(list []*prices.Price) string {
	for _, price := range list {
		if price.Region != prices.Global {
			return price.Region
		}
	}
	return prices.Global
}

// price looks up a dimension of the meter's own product.
func (m *meter) price(dimension string) (*prices.Price, error) {
	return m.priceOf(m.product(), dimension)
}

func (m *meter) priceOf(product, dimension string) (*prices.Price, error) {
	o, key := m.option, priceKey{product, m.region, dimension}
	o.mu.Lock()
	defer o.mu.Unlock()
	if p := o.seen[key]; p != nil {
		m.elsewhere(p)
		return p, nil
	}
	p, err := o.book.Lookup(product, m.region, dimension, o.terms.On)
	if unknown, ok := errors.AsType[*prices.Unknown](err); ok && unknown.What == "region" && o.terms.Dearest {
		p, err = o.dearest(product, dimension, unknown.Have)
	}
	if err != nil {
		return nil, err
	}
	o.seen[key] = p
	m.elsewhere(p)
	return p, nil
}

// dearest is the price of a dimension where a unit of its first tier costs most.
func (o *option) dearest(product, dimension string, regions []string) (most *prices.Price, err error) {
	unit := func(p *prices.Price) *big.Rat { return (&charge{price: p}).unitPrice(p.Tiers[0]) }
	var failed error
	for _, region := range regions {
		p, err := o.book.Lookup(product, region, dimension, o.terms.On)
		if err != nil {
			failed = err // of that day there is none
		} else if most == nil || unit(p).Cmp(unit(most)) > 0 {
			most = p
		}
	}
	if most == nil {
		return nil, failed
	}
	return most, nil
}

// elsewhere notes that a price is another region's.
func (m *meter) elsewhere(p *prices.Price) {
	if p.Region != m.region && p.Region != prices.Global {
		m.tally.note("%s in %s has no price in the price book: %s of %s is billed, the dearest it has.", m.product(), m.region, p.Dimension, p.Region)
	}
}

// charge adds a quantity at the price of a dimension. Nothing costs nothing:
// then no price is asked for.
func (m *meter) charge(dimension string, q quantity, driver Driver, rule string) error {
	if q.n.Sign() == 0 {
		return nil
	}
	p, err := m.price(dimension)
	if err != nil {
		return err
	}
	return m.tally.add(p, q, driver, rule)
}

// rounding is how a dimension rounds one call's time.
func (m *meter) rounding(dimension string) (Rounding, *prices.Price, error) {
	p, err := m.price(dimension)
	if err != nil {
		return Rounding{}, nil, err
	}
	return Rounding{Step: p.Rounding.Time, Minimum: p.Rounding.LeastTime}, p, nil
}

// each carries out steps until one fails.
func each(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// committed is the dimension that a time is paid by: the one on demand, or the
// commitment's, with a part of its name between.
func (m *meter) committed(onDemand, part string) string {
	if c := m.option.terms.Commitment; c != "" {
		return c + part + m.suffix()
	}
	return onDemand + m.suffix()
}

// suffix is the end of a dimension's name that depends on the architecture.
func (m *meter) suffix() string {
	if m.arm() {
		return "_arm64"
	}
	return "_x86"
}

// sorted names for messages.
func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
