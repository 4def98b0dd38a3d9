package cost

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// By is what a bill is attributed to.
type By string

const (
	ByFunction By = "function"
	ByVersion  By = "version" // of a function
	ByConsumer By = "consumer"
	ByStage    By = "stage" // of a consumer
)

// key is the part of a key that is told apart.
func (b By) key(k usage.Key) usage.Key {
	switch b {
	case ByFunction:
		return usage.Key{Function: k.Function}
	case ByVersion:
		return usage.Key{Function: k.Function, Version: k.Version}
	case ByConsumer:
		return usage.Key{Consumer: k.Consumer}
	case ByStage:
		return usage.Key{Consumer: k.Consumer, Stage: k.Stage}
	}
	return k
}

// Rule is how a cost that nobody's requests caused is shared out.
type Rule string

const (
	Proportional Rule = "proportional" // by billed time times memory; by requests where nobody has any
	Even         Rule = "even"         // the same for everybody
	Peak         Rule = "peak"         // by the most instances that each had at once
)

// Rules say how the indirect lines are shared out. The zero value is
// proportional for both.
type Rules struct {
	Idle   Rule // instances that wait, provisioned or of a fleet
	Shared Rule // balancers, gateways' hours, monthly fees
}

// User is what one key has used.
type User struct {
	usage.Entry
	Peak uint64 // the most instances at once; asked for by rule [Peak] only
}

// Part is what one user pays. Direct, Idle and Shared sum to Total.
type Part struct {
	Key      usage.Key // with what is not told apart left empty
	Requests uint64
	Direct   units.Money // what its own requests, their time and their payload cost
	Idle     units.Money
	Shared   units.Money
	Total    units.Money
}

// Attribution says who pays what of a bill. The parts' totals sum to the bill's
// total, to the nano-dollar.
type Attribution struct {
	By    By
	Rules Rules
	Parts []Part // ordered by key
	Total units.Money
}

// Attribute shares a bill out among those who used what it bills. Every line is
// split by itself: direct lines in proportion to what makes them grow, the
// others by the rules, and what rounding leaves goes to the largest remainders.
// There must be a user.
func Attribute(b *Bill, users []User, by By, rules Rules) (*Attribution, error) {
	rules.Idle, rules.Shared = cmp.Or(rules.Idle, Proportional), cmp.Or(rules.Shared, Proportional)
	if err := rules.validate(by, users); err != nil {
		return nil, fmt.Errorf("attribute: %w", err)
	}
	users = merged(users, by)
	a := &Attribution{By: by, Rules: rules, Parts: make([]Part, len(users)), Total: b.Total}
	for i, u := range users {
		a.Parts[i].Key, a.Parts[i].Requests = u.Key, u.Usage.Requests
	}
	for _, l := range b.Lines {
		for i, amount := range Split(l.Amount, rules.weights(l.Driver, users)) {
			a.Parts[i].take(l.Driver, amount)
		}
	}
	return a, nil
}

func (p *Part) take(d Driver, amount units.Money) {
	switch d {
	case Idle:
		p.Idle += amount
	case Shared:
		p.Shared += amount
	default:
		p.Direct += amount
	}
	p.Total += amount
}

func (r Rules) validate(by By, users []User) error {
	var faults []error
	if !slices.Contains([]By{ByFunction, ByVersion, ByConsumer, ByStage}, by) {
		faults = append(faults, fmt.Errorf("by %q: write function, version, consumer or stage", by))
	}
	for _, rule := range []Rule{r.Idle, r.Shared} {
		switch {
		case !slices.Contains([]Rule{Proportional, Even, Peak}, rule):
			faults = append(faults, fmt.Errorf("rule %q: write proportional, even or peak", rule))
		case rule == Peak && !slices.ContainsFunc(users, func(u User) bool { return u.Peak > 0 }):
			faults = append(faults, errors.New("rule peak: nobody's most instances at once are known"))
		}
	}
	if len(users) == 0 {
		faults = append(faults, errors.New("nobody has used anything, as far as is known"))
	}
	return errors.Join(faults...)
}

// merged adds up users whose keys are told apart no more. Peaks add up, too:
// whether they came together nobody knows.
func merged(users []User, by By) []User {
	at := make(map[usage.Key]int)
	var out []User
	for _, u := range users {
		u.Key = by.key(u.Key)
		i, seen := at[u.Key]
		if !seen {
			at[u.Key] = len(out)
			out = append(out, u)
			continue
		}
		out[i].Usage.Add(u.Usage)
		out[i].Peak += u.Peak
	}
	slices.SortFunc(out, func(a, b User) int { return compareKeys(a.Key, b.Key) })
	return out
}

func compareKeys(a, b usage.Key) int {
	return cmp.Or(strings.Compare(a.Function, b.Function), strings.Compare(a.Version, b.Version),
		strings.Compare(a.Consumer, b.Consumer), strings.Compare(a.Stage, b.Stage))
}

// weights are the users' parts of a line. Where nobody has any of what makes
// the line grow, the next best measure counts: requests, and then everybody the
// same.
func (r Rules) weights(d Driver, users []User) []uint64 {
	requests := func(u *User) uint64 {
		return u.Usage.Requests - min(u.Usage.Requests, u.Usage.Throttled+u.Usage.Refused)
	}
	time := func(u *User) uint64 { return uint64(max(0, u.Usage.MemoryTime)) }
	var measures []func(*User) uint64
	switch d {
	case ByRequests, ByTransfer:
		measures = append(measures, requests)
	case ByCompute:
		measures = append(measures, func(u *User) uint64 {
			return uint64(max(0, u.Usage.MemoryTime-u.Usage.MemoryTimeProvisioned))
		}, time, requests)
	case ByProvisioned:
		measures = append(measures, func(u *User) uint64 { return uint64(max(0, u.Usage.MemoryTimeProvisioned)) }, time, requests)
	default:
		rule := r.Idle
		if d == Shared {
			rule = r.Shared
		}
		switch rule {
		case Peak:
			measures = append(measures, func(u *User) uint64 { return u.Peak })
		case Even:
		default:
			measures = append(measures, time, requests)
		}
	}
	weights := make([]uint64, len(users))
	for _, of := range measures {
		any := false
		for i := range users {
			weights[i] = of(&users[i])
			any = any || weights[i] > 0
		}
		if any {
			break
		}
	}
	return weights
}
