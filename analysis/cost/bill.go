package cost

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Driver is what makes a line of a bill grow: by it the line is attributed.
type Driver string

const (
	ByRequests    Driver = "requests"    // grows with the requests
	ByCompute     Driver = "compute"     // grows with their billed time and memory
	ByProvisioned Driver = "provisioned" // grows with the billed time of what provisioned instances served
	ByTransfer    Driver = "transfer"    // grows with their payload
	Idle          Driver = "idle"        // is there without requests, for instances that wait for them
	Shared        Driver = "shared"      // is there without requests, for something in front of all
)

// Bill is what a month of work costs.
type Bill struct {
	Option string // "aws/lambda+aws/api-gateway-http"
	Region string // of its first product
	Lines  []Line // in the order of the products; what is free has lines, too
	// Total is the sum of the lines. It is at most Doubt too high, for what is
	// not known exactly of the durations (a histogram's bars).
	Total units.Money
	Doubt units.Money
	Notes []string // what a reader must know; may be empty
}

// Line is what one dimension costs within one of its tiers.
type Line struct {
	Product   string
	Region    string
	Dimension string
	Quantity  *big.Rat // of Unit; never written to
	Unit      string
	UnitPrice *big.Rat // US dollars for one Unit; never written to
	Per       int64    // how many units the price list prices at once, at least 1
	Amount    units.Money
	Rule      string // how the quantity came about, and which tier this is
	Driver    Driver
	Free      bool // an allowance covers it
	prices.Origin
}

// ListPrice is the price as the list has it, of Per units: "$0.20".
func (l *Line) ListPrice() string {
	list := new(big.Rat).Mul(l.UnitPrice, new(big.Rat).SetInt64(max(1, l.Per)))
	text := Decimal(list)
	if _, fraction, _ := strings.Cut(text, "."); len(fraction) < 2 {
		text = list.FloatString(2)
	}
	return "$" + text
}

// Of is the sum of the lines with one of the drivers.
func (b *Bill) Of(drivers ...Driver) units.Money {
	var sum units.Money
	for _, l := range b.Lines {
		if slices.Contains(drivers, l.Driver) {
			sum += l.Amount
		}
	}
	return sum
}

// PerMillion is the bill for a million of so many requests, rounded to nearest;
// 0 for no requests.
func (b *Bill) PerMillion(requests uint64) units.Money {
	if requests == 0 {
		return 0
	}
	n := new(big.Int).SetUint64(requests)
	x := big.NewInt(int64(b.Total))
	x.Mul(x, big.NewInt(1_000_000)).Add(x, new(big.Int).Rsh(n, 1)).Quo(x, n)
	if !x.IsInt64() {
		return units.Money(1<<63 - 1)
	}
	return units.Money(x.Int64())
}

// charge is a quantity before it meets tiers and free tiers.
type charge struct {
	price    *prices.Price
	quantity *big.Rat
	doubt    *big.Rat // at most that much less
	driver   Driver
	rule     string
}

// tally sums charges over the works of an account: tiers and free tiers count
// what all of them used in a region. It serves one bill.
type tally struct {
	charges []charge
	notes   []string
}

func (t *tally) add(p *prices.Price, q quantity, driver Driver, rule string) error {
	n, doubt, err := q.in(p.Unit)
	if err != nil {
		return fmt.Errorf("%s %s: %w", p.Product, p.Dimension, err)
	}
	t.addUnits(p, n, doubt, driver, rule)
	return nil
}

// addUnits takes a quantity in the price's own unit, and keeps the numbers.
func (t *tally) addUnits(p *prices.Price, n, doubt *big.Rat, driver Driver, rule string) {
	for i := range t.charges {
		c := &t.charges[i]
		if c.price == p && c.driver == driver {
			c.quantity.Add(c.quantity, n)
			c.doubt.Add(c.doubt, doubt)
			if !strings.Contains(c.rule, rule) {
				c.rule += "; " + rule
			}
			return
		}
	}
	t.charges = append(t.charges, charge{p, n, doubt, driver, rule})
}

// dated notes which prices of a day are later ones, for want of older: those
// that no beginning is known of.
func (t *tally) dated(on prices.Date) {
	for _, c := range t.charges {
		if p := c.price; on != 0 && p.Span == (prices.Span{}) && on < p.AsOf {
			t.note("%s: no price of %v is known; nothing older than %v is, and that is billed.", p.Product, on, p.AsOf)
		}
	}
}

func (t *tally) note(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(t.notes, s) {
		t.notes = append(t.notes, s)
	}
}

// bill prices what has been tallied.
func (t *tally) bill(freeTier bool) (*Bill, error) {
	b := &Bill{Notes: t.notes}
	free := t.allowances(freeTier)
	for i := range t.charges {
		c := &t.charges[i]
		paid := c.quantity
		if f := free[i]; f != nil && f.Sign() > 0 {
			paid = new(big.Rat).Sub(c.quantity, f)
			b.Lines = append(b.Lines, c.line(f, new(big.Rat), 0, allowanceRule(c.price.Free), true))
		}
		amount, err := c.price.Amount(paid)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.price.Product, c.price.Dimension, err)
		}
		for _, part := range amount.Parts {
			b.Lines = append(b.Lines, c.line(part.Quantity, c.unitPrice(part.Tier), part.Amount, c.tierRule(part.Tier), false))
		}
		b.Total += amount.Total
		if err := b.addDoubt(c, paid, amount.Total); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// addDoubt is what the bill would be less if every call had been as short as it
// may have been.
func (b *Bill) addDoubt(c *charge, paid *big.Rat, total units.Money) error {
	if c.doubt.Sign() == 0 {
		return nil
	}
	least := new(big.Rat).Sub(paid, c.doubt)
	if least.Sign() < 0 {
		least.SetInt64(0)
	}
	amount, err := c.price.Amount(least)
	b.Doubt += total - amount.Total
	return err
}

// allowances is what each charge has free.
func (t *tally) allowances(freeTier bool) []*big.Rat {
	free := make([]*big.Rat, len(t.charges))
	left := make(map[*prices.Allowance]*big.Rat)
	for _, i := range t.byAllowance() {
		c := &t.charges[i]
		a := c.price.Free
		if a == nil || !(freeTier || a.Included) {
			continue
		}
		if left[a] == nil {
			left[a] = monthly(a)
		}
		free[i] = new(big.Rat).Set(c.quantity)
		if left[a].Cmp(c.quantity) < 0 {
			free[i].Set(left[a])
		}
		left[a].Sub(left[a], free[i])
	}
	return free
}

// byAllowance are the charges in the order in which they use up what they share.
func (t *tally) byAllowance() []int {
	order := make([]int, len(t.charges))
	for i := range order {
		order[i] = i
	}
	rank := func(i int) int {
		p := t.charges[i].price
		if p.Free == nil {
			return -1
		}
		return slices.Index(p.Free.Dimensions, p.Dimension)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank(a), rank(b)) })
	return order
}

// monthly is an allowance for a month, of which a day is one part in 365/12.
func monthly(a *prices.Allowance) *big.Rat {
	q := a.Quantity.Rat()
	if a.Each == "day" {
		q.Mul(q, big.NewRat(365, 12))
	}
	return q
}

func (c *charge) line(q, price *big.Rat, amount units.Money, tier string, free bool) Line {
	p := c.price
	rule := c.rule
	if tier != "" {
		rule += "; " + tier
	}
	return Line{
		Product: p.Product, Region: p.Region, Dimension: p.Dimension,
		Quantity: q, Unit: p.Unit, UnitPrice: price, Per: p.Per, Amount: amount,
		Rule: rule, Driver: c.driver, Free: free, Origin: p.Origin,
	}
}

// unitPrice is what one unit costs in a tier.
func (c *charge) unitPrice(t prices.Tier) *big.Rat {
	usd := t.USD.Rat()
	if c.price.Per > 1 {
		usd.Quo(usd, new(big.Rat).SetInt64(c.price.Per))
	}
	return usd
}

// tierRule names a tier where there are several.
func (c *charge) tierRule(t prices.Tier) string {
	if len(c.price.Tiers) < 2 {
		return ""
	}
	return "tier: " + t.Range()
}

func allowanceRule(a *prices.Allowance) string {
	if a.Included {
		return "included: " + a.Text()
	}
	return "free tier: " + a.Text()
}
