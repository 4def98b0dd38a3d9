package catalog

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// CreateAlias makes an alias. Its ARN and Revision are given by the answer.
func (c *Catalog) CreateAlias(function string, a Alias) (Alias, error) {
	f, _, err := c.named(function, "")
	if err != nil {
		return Alias{}, err
	}
	if !aliasName.MatchString(a.Name) || len(a.Name) > longestAlias {
		return Alias{}, violation(a.Name, "name", `Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`)
	}
	a.Revision = newRevision()
	a.Weights = routing(a.Weights)
	_, err = c.change(f, func(r *record) error {
		if err := c.checkAlias(r, &a); err != nil {
			return err
		}
		if r.alias(a.Name) != nil {
			return conflict("Alias already exists: %s", c.arn(f.name, a.Name))
		}
		if c.limits.Aliases > 0 && len(r.Aliases) >= c.limits.Aliases {
			return &Error{Exception: "AliasLimitExceededException", Status: 400, Message: fmt.Sprintf("The function has %d aliases already", len(r.Aliases))}
		}
		i, _ := slices.BinarySearchFunc(r.Aliases, a.Name, byName)
		r.Aliases = slices.Insert(r.Aliases, i, a)
		return nil
	})
	if err != nil {
		return Alias{}, err
	}
	return c.withARN(f, a), nil
}

// UpdateAlias changes an alias; requests go by it from then on.
func (c *Catalog) UpdateAlias(function, alias string, u AliasUpdate) (Alias, error) {
	f, _, err := c.named(function, "")
	if err != nil {
		return Alias{}, err
	}
	var after Alias
	_, err = c.change(f, func(r *record) error {
		a := r.alias(alias)
		if a == nil {
			return notFound("Alias not found: %s", c.arn(f.name, alias))
		}
		if u.Revision != "" && u.Revision != a.Revision {
			return stale()
		}
		set(&a.Version, u.Version)
		set(&a.Description, u.Description)
		if u.Weights != nil {
			a.Weights = routing(u.Weights)
		}
		a.Revision = newRevision()
		after = *a
		return c.checkAlias(r, a)
	})
	if err != nil {
		return Alias{}, err
	}
	return c.withARN(f, after), nil
}

// Alias gives an alias.
func (c *Catalog) Alias(function, alias string) (Alias, error) {
	f, _, err := c.named(function, "")
	if err != nil {
		return Alias{}, err
	}
	a := f.now.Load().record.alias(alias)
	if a == nil {
		return Alias{}, notFound("Cannot find alias arn: %s", c.arn(f.name, alias))
	}
	return c.withARN(f, *a), nil
}

// Aliases gives a function's aliases by name, as List does; with a version
// only those that lead to it first or by a weight.
func (c *Catalog) Aliases(function, version string, p Page) ([]Alias, string, error) {
	f, _, err := c.named(function, "")
	if err != nil {
		return nil, "", err
	}
	var all []Alias
	for _, a := range f.now.Load().record.Aliases {
		if _, weighted := a.Weights[version]; version == "" || weighted || a.Version == version {
			all = append(all, c.withARN(f, a))
		}
	}
	return page(c, all, func(a Alias) string { return a.Name }, p)
}

// DeleteAlias takes an alias away, with what was set for it. One that is not
// there is, like in Lambda, deleted already.
func (c *Catalog) DeleteAlias(function, alias string) error {
	f, _, err := c.named(function, "")
	if err != nil {
		return err
	}
	_, err = c.change(f, func(r *record) error {
		r.Aliases = slices.DeleteFunc(r.Aliases, func(a Alias) bool { return a.Name == alias })
		r.forget(alias)
		return nil
	})
	c.indexURLs(f)
	return err
}

func byName(a Alias, name string) int { return strings.Compare(a.Name, name) }

// routing is nil for no weights, which is how they are kept.
func routing(weights map[string]float64) map[string]float64 {
	if len(weights) == 0 {
		return nil
	}
	return weights
}

const weightsMember = "routingConfig.additionalVersionWeights"

// checkAlias holds an alias to Lambda's rules.
func (c *Catalog) checkAlias(r *record, a *Alias) error {
	switch {
	case r.version(a.Version) == nil:
		return functionNotFound(c.arn(r.Name, a.Version))
	case utf8.RuneCountInString(a.Description) > c.limits.Description:
		return violation(a.Description, "description", fmt.Sprintf("Member must have length less than or equal to %d", c.limits.Description))
	case len(a.Weights) > 1:
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for v, weight := range a.Weights {
		pair := fmt.Sprintf("{%s=%v}", v, weight)
		switch {
		case !(weight >= 0 && weight <= 1):
			return violation(pair, weightsMember, "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")
		case v == a.Version:
			return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", v, v)
		case a.Version == Latest:
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		case !isNumber(v):
			return violation(pair, weightsMember, "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]")
		case r.version(v) == nil:
			return functionNotFound(c.arn(r.Name, v))
		}
	}
	return nil
}

func (c *Catalog) withARN(f *function, a Alias) Alias {
	a.ARN = c.arn(f.name, a.Name)
	return a
}
