package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PutEventInvoke sets how asynchronous invocations of a function, version or
// alias are treated; what is not given has its default again. Qualifier, ARN
// and Modified of the argument are not read.
func (c *Catalog) PutEventInvoke(name, qualifier string, e EventInvoke) (EventInvoke, error) {
	return c.editEventInvoke(name, qualifier, true, func(one *EventInvoke) { *one = e })
}

// UpdateEventInvoke changes what is given of it.
func (c *Catalog) UpdateEventInvoke(name, qualifier string, u EventInvokeUpdate) (EventInvoke, error) {
	return c.editEventInvoke(name, qualifier, false, func(one *EventInvoke) {
		if u.Retries != nil {
			one.Retries = u.Retries
		}
		set(&one.Age, u.Age)
		set(&one.OnSuccess, u.OnSuccess)
		set(&one.OnFailure, u.OnFailure)
	})
}

// EventInvoke gives it; that nothing was set is an error, as in Lambda.
func (c *Catalog) EventInvoke(name, qualifier string) (EventInvoke, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return EventInvoke{}, err
	}
	qualifier = cmp.Or(qualifier, Latest)
	r := f.now.Load().record
	i, there := r.event(qualifier)
	if !there {
		return EventInvoke{}, c.noEventInvoke(r, qualifier)
	}
	return c.describeEvent(r, i), nil
}

// Treatment is EventInvoke for whoever carries it out: what was not set has its
// default, and it is never an error of a function that is there.
func (c *Catalog) Treatment(name, qualifier string) (EventInvoke, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return EventInvoke{}, err
	}
	qualifier = cmp.Or(qualifier, Latest)
	r := f.now.Load().record
	e := EventInvoke{Qualifier: qualifier, ARN: c.arn(r.Name, qualifier)}
	if i, there := r.event(qualifier); there {
		e = c.describeEvent(r, i)
	}
	if e.Retries == nil {
		n := c.limits.EventRetriesDefault
		e.Retries = &n
	}
	e.Age = cmp.Or(e.Age, time.Duration(c.limits.EventAge[1])*time.Second)
	return e, nil
}

// EventInvokes gives all of a function's, by qualifier, as List does.
func (c *Catalog) EventInvokes(name string, p Page) ([]EventInvoke, string, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return nil, "", notFound("The function doesn't exist.")
	}
	r := f.now.Load().record
	list := make([]EventInvoke, len(r.Events))
	for i := range list {
		list[i] = c.describeEvent(r, i)
	}
	return page(c, list, func(e EventInvoke) string { return e.Qualifier }, p)
}

// DeleteEventInvoke takes it away.
func (c *Catalog) DeleteEventInvoke(name, qualifier string) error {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return err
	}
	qualifier = cmp.Or(qualifier, Latest)
	_, err = c.change(f, func(r *record) error {
		i, there := r.event(qualifier)
		if !there {
			return c.noEventInvoke(r, qualifier)
		}
		r.Events = slices.Delete(r.Events, i, i+1)
		return nil
	})
	return err
}

func (c *Catalog) noEventInvoke(r *record, qualifier string) *Error {
	return notFound("The function %s doesn't have an EventInvokeConfig", c.arn(r.Name, qualifier))
}

func (r *record) event(qualifier string) (i int, there bool) {
	return slices.BinarySearchFunc(r.Events, qualifier, func(e EventInvoke, q string) int { return strings.Compare(e.Qualifier, q) })
}

func (c *Catalog) describeEvent(r *record, i int) EventInvoke {
	e := r.Events[i]
	e.ARN = c.arn(r.Name, e.Qualifier)
	return e
}

// editEventInvoke changes what is set for a qualifier; where nothing is, it is
// made or refused.
func (c *Catalog) editEventInvoke(name, qualifier string, make bool, edit func(*EventInvoke)) (EventInvoke, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return EventInvoke{}, err
	}
	qualifier = cmp.Or(qualifier, Latest)
	s, err := c.change(f, func(r *record) error {
		if r.lookup(qualifier) == nil {
			return functionNotFound(c.arn(r.Name, qualifier))
		}
		i, there := r.event(qualifier)
		if !there && !make {
			return c.noEventInvoke(r, qualifier)
		}
		if !there {
			r.Events = slices.Insert(r.Events, i, EventInvoke{})
		}
		one := &r.Events[i]
		edit(one)
		one.Qualifier, one.ARN, one.Modified = qualifier, "", time.Now()
		return c.checkEventInvoke(one)
	})
	if err != nil {
		return EventInvoke{}, err
	}
	i, _ := s.record.event(qualifier)
	return c.describeEvent(s.record, i), nil
}

func (c *Catalog) checkEventInvoke(e *EventInvoke) error {
	retries, age := c.limits.EventRetries, c.limits.EventAge
	if e.Retries != nil && (*e.Retries < retries[0] || *e.Retries > retries[1]) {
		return violation(*e.Retries, "maximumRetryAttempts", fmt.Sprintf("Member must have value between %d and %d", retries[0], retries[1]))
	}
	if s := int(e.Age / time.Second); e.Age != 0 && (s < age[0] || s > age[1] || e.Age%time.Second != 0) {
		return violation(e.Age.Seconds(), "maximumEventAgeInSeconds", fmt.Sprintf("Member must have value between %d and %d", age[0], age[1]))
	}
	for _, destination := range []string{e.OnSuccess, e.OnFailure} {
		if destination == "" {
			continue
		}
		if err := c.destination(destination); err != nil {
			return AsError(err)
		}
	}
	return nil
}
