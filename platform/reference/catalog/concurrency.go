package catalog

import (
	"math"
	"slices"
	"strings"
	"time"
)

// PutConcurrency reserves concurrency for a function: it has so much to itself,
// and no more. 0 lets it serve nothing.
func (c *Catalog) PutConcurrency(name string, n int) error {
	if n < 0 {
		return violation(n, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
	}
	return c.reserve(name, &n)
}

// DeleteConcurrency takes the reservation away.
func (c *Catalog) DeleteConcurrency(name string) error { return c.reserve(name, nil) }

func (c *Catalog) reserve(name string, n *int) error {
	f, _, err := c.named(name, "")
	if err != nil {
		return err
	}
	if err := c.enter(f); err != nil {
		return err
	}
	defer f.mu.Unlock()
	before := f.now.Load().record.Reserved
	if sum := f.now.Load().record.provisionedSum(""); n != nil && *n < sum {
		return invalid(" ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d].", *n, sum)
	}
	if err := f.family.Reserve(n); err != nil {
		return AsError(err)
	}
	_, err = c.edit(f, func(r *record) error {
		r.Reserved = n
		return nil
	})
	if err != nil {
		c.fault(f.family.Reserve(before)) // what is given back is never refused, what was there fits
	}
	return err
}

// Concurrency gives a function's reservation; nil is none.
func (c *Catalog) Concurrency(name string) (*int, error) {
	v, err := c.Function(name, "")
	return v.Reserved, err
}

// PutProvisioned asks for instances of a published version, or of what an alias
// leads to, to be kept ready. Those of a weighted alias are divided by its weight.
func (c *Catalog) PutProvisioned(name, qualifier string, n int) (Provisioned, error) {
	if n < 1 {
		return Provisioned{}, violation(n, "provisionedConcurrentExecutions", "Member must have value greater than or equal to 1")
	}
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return Provisioned{}, err
	}
	s, err := c.change(f, func(r *record) error {
		if err := c.checkProvisioned(r, qualifier, n); err != nil {
			return err
		}
		one := provisioned{Qualifier: qualifier, Count: n, Modified: time.Now()}
		i, there := slices.BinarySearchFunc(r.Provisioned, qualifier, func(p provisioned, q string) int { return strings.Compare(p.Qualifier, q) })
		if there {
			r.Provisioned[i] = one
		} else {
			r.Provisioned = slices.Insert(r.Provisioned, i, one)
		}
		return nil
	})
	if err != nil {
		return Provisioned{}, err
	}
	return c.provisionedOf(s, qualifier)
}

// Provisioned gives what was asked for and how much of it there is.
func (c *Catalog) Provisioned(name, qualifier string) (Provisioned, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return Provisioned{}, err
	}
	return c.provisionedOf(f.now.Load(), qualifier)
}

// ProvisionedAll gives all of a function's, by qualifier, as List does.
func (c *Catalog) ProvisionedAll(name string, p Page) ([]Provisioned, string, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return nil, "", err
	}
	s := f.now.Load()
	var list []Provisioned
	shown, next, err := page(c, s.record.Provisioned, func(p provisioned) string { return p.Qualifier }, p)
	for i := range shown {
		list = append(list, c.describe(s, &shown[i]))
	}
	return list, next, err
}

// DeleteProvisioned lets the instances go.
func (c *Catalog) DeleteProvisioned(name, qualifier string) error {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return err
	}
	_, err = c.change(f, func(r *record) error {
		r.Provisioned = slices.DeleteFunc(r.Provisioned, func(p provisioned) bool { return p.Qualifier == qualifier })
		return nil
	})
	return err
}

func (c *Catalog) provisionedOf(s *snapshot, qualifier string) (Provisioned, error) {
	for i := range s.record.Provisioned {
		if p := &s.record.Provisioned[i]; p.Qualifier == qualifier {
			return c.describe(s, p), nil
		}
	}
	return Provisioned{}, &Error{
		Exception: "ProvisionedConcurrencyConfigNotFoundException", Status: 404,
		Message: "No Provisioned Concurrency Config found for this function",
	}
}

// describe tells how much of what was asked for there is now.
func (c *Catalog) describe(s *snapshot, p *provisioned) Provisioned {
	out := Provisioned{ARN: c.arn(s.record.Name, p.Qualifier), Requested: p.Count, Status: "READY", Modified: p.Modified}
	for _, share := range s.record.shares(p) {
		lv := s.live[share.version]
		switch {
		case s.short[share.version] != "":
			out.Status, out.Reason = "FAILED", s.short[share.version]
		case lv != nil:
			_, ready := lv.Provisioned()
			out.Available += min(ready, share.count)
		}
	}
	out.Allocated = out.Available
	if out.Status == "READY" && out.Available < out.Requested {
		out.Status = "IN_PROGRESS"
	}
	return out
}

// share is the part of a provisioned concurrency that a version gets.
type share struct {
	version string
	count   int
}

// shares divides what was asked for over the versions that its qualifier leads to.
func (r *record) shares(p *provisioned) []share {
	a := r.alias(p.Qualifier)
	if a == nil {
		return []share{{p.Qualifier, p.Count}}
	}
	for v, weight := range a.Weights {
		n := int(math.Round(float64(p.Count) * weight))
		return []share{{a.Version, p.Count - n}, {v, n}}
	}
	return []share{{a.Version, p.Count}}
}

// provision tells the versions in service how many instances to keep ready,
// and gives why those that cannot cannot.
func (s *snapshot) provision() map[string]string {
	wanted := make(map[string]int)
	for i := range s.record.Provisioned {
		for _, share := range s.record.shares(&s.record.Provisioned[i]) {
			wanted[share.version] += share.count
		}
	}
	short := make(map[string]string)
	for number, lv := range s.live {
		if asked, _ := lv.Provisioned(); asked == wanted[number] {
			continue
		}
		if err := lv.Version.Provision(wanted[number]); err != nil {
			short[number] = err.Error()
		}
	}
	return short
}

// provisionedSum is what was asked for in all, but for a qualifier.
func (r *record) provisionedSum(but string) int {
	sum := 0
	for _, p := range r.Provisioned {
		if p.Qualifier != but {
			sum += p.Count
		}
	}
	return sum
}

func (c *Catalog) checkProvisioned(r *record, qualifier string, n int) error {
	v := r.lookup(qualifier)
	switch {
	case v == nil:
		return c.noQualifier(r, qualifier)
	case v.Number == Latest:
		return invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	case r.Reserved != nil && r.provisionedSum(qualifier)+n > *r.Reserved:
		return invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	}
	for _, p := range r.Provisioned {
		other := r.lookup(p.Qualifier)
		if p.Qualifier == qualifier || other == nil || other.Number != v.Number {
			continue
		}
		if r.alias(qualifier) != nil {
			return conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return conflict("Version is pointed by a Provisioned Concurrency alias")
	}
	return c.checkUnreserved(r, qualifier, n)
}

// noQualifier refuses a qualifier that nothing of the function has.
func (c *Catalog) noQualifier(r *record, qualifier string) error {
	if isNumber(qualifier) {
		return functionNotFound(c.arn(r.Name, qualifier))
	}
	return notFound("Cannot find alias arn: %s", c.arn(r.Name, qualifier))
}

// checkUnreserved says whether enough of the account's concurrency is left to
// the functions that have none of their own.
func (c *Catalog) checkUnreserved(r *record, qualifier string, n int) error {
	account := c.runtime.Policy().Concurrency
	if account == 0 || r.Reserved != nil {
		return nil
	}
	free := account
	for name, f := range *c.table.Load() {
		other := f.now.Load().record
		switch {
		case other.Reserved != nil:
			free -= *other.Reserved
		case name == r.Name:
			free -= other.provisionedSum(qualifier)
		default:
			free -= other.provisionedSum("")
		}
	}
	if least := c.runtime.Limits().Unreserved; free-n < least {
		return invalid("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", least)
	}
	return nil
}
