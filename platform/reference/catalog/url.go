package catalog

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// CreateURL gives a function, or an alias of it, a URL.
func (c *Catalog) CreateURL(name, qualifier string, s URLSettings) (URL, error) {
	f, qualifier, err := c.urlOf(name, qualifier)
	if err != nil {
		return URL{}, err
	}
	s.InvokeMode = cmp.Or(s.InvokeMode, "BUFFERED")
	if err := s.check(); err != nil {
		return URL{}, err
	}
	now := time.Now()
	one := url{ID: strings.ToLower(rand.Text() + rand.Text())[:32], Qualifier: qualifier, URLSettings: s, Created: now, Modified: now}
	return c.editURL(f, qualifier, func(r *record, i int, there bool) error {
		if there {
			return conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", c.arn(f.name, unlatest(qualifier)))
		}
		if r.lookup(qualifier) == nil {
			return notFound("Function does not exist")
		}
		r.URLs = slices.Insert(r.URLs, i, one)
		return nil
	})
}

// UpdateURL changes a URL's settings, not its name.
func (c *Catalog) UpdateURL(name, qualifier string, u URLUpdate) (URL, error) {
	f, qualifier, err := c.urlOf(name, qualifier)
	if err != nil {
		return URL{}, err
	}
	return c.editURL(f, qualifier, func(r *record, i int, there bool) error {
		if !there {
			return noURL()
		}
		one := &r.URLs[i]
		one.AuthType = cmp.Or(u.AuthType, one.AuthType)
		one.InvokeMode = cmp.Or(u.InvokeMode, one.InvokeMode)
		one.CORS = cmp.Or(u.CORS, one.CORS)
		one.Modified = time.Now()
		return one.check()
	})
}

// URL gives a function's or alias's URL.
func (c *Catalog) URL(name, qualifier string) (URL, error) {
	f, qualifier, err := c.urlOf(name, qualifier)
	if err != nil {
		return URL{}, err
	}
	r := f.now.Load().record
	i, there := r.url(qualifier)
	if !there {
		return URL{}, noURL()
	}
	return c.describeURL(r.Name, &r.URLs[i]), nil
}

// URLs gives all of a function's, by qualifier, as List does.
func (c *Catalog) URLs(name string, p Page) ([]URL, string, error) {
	f, _, err := c.named(name, "")
	if err != nil {
		return nil, "", notFound("Function does not exist")
	}
	r := f.now.Load().record
	var list []URL
	shown, next, err := page(c, r.URLs, func(u url) string { return u.Qualifier }, p)
	for i := range shown {
		list = append(list, c.describeURL(r.Name, &shown[i]))
	}
	return list, next, err
}

// DeleteURL takes a URL away.
func (c *Catalog) DeleteURL(name, qualifier string) error {
	f, qualifier, err := c.urlOf(name, qualifier)
	if err != nil {
		return err
	}
	_, err = c.editURL(f, qualifier, func(r *record, i int, there bool) error {
		if !there {
			return noURL()
		}
		r.URLs = slices.Delete(r.URLs, i, i+1)
		return nil
	})
	return err
}

// FindURL gives the URL of an id, for whoever serves it.
func (c *Catalog) FindURL(id string) (URL, error) {
	if u, there := (*c.urls.Load())[id]; there {
		return u, nil
	}
	return URL{}, noURL()
}

func noURL() *Error { return notFound("The resource you requested does not exist.") }

// urlOf finds the function of a URL, and the qualifier that it is kept under.
func (c *Catalog) urlOf(name, qualifier string) (*function, string, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return nil, "", err
	}
	if isNumber(qualifier) {
		return nil, "", violation(qualifier, "qualifier", `Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)`)
	}
	return f, cmp.Or(qualifier, Latest), nil
}

// editURL changes a function's URL; i is where it is or would be.
func (c *Catalog) editURL(f *function, qualifier string, edit func(r *record, i int, there bool) error) (URL, error) {
	s, err := c.change(f, func(r *record) error {
		i, there := r.url(qualifier)
		return edit(r, i, there)
	})
	if err != nil {
		return URL{}, err
	}
	c.indexURLs(f)
	i, there := s.record.url(qualifier)
	if !there {
		return URL{}, nil // deleted
	}
	return c.describeURL(f.name, &s.record.URLs[i]), nil
}

func (r *record) url(qualifier string) (i int, there bool) {
	return slices.BinarySearchFunc(r.URLs, qualifier, func(u url, q string) int { return strings.Compare(u.Qualifier, q) })
}

// indexURLs brings the list of ids up to date with a function as it is now:
// one that was deleted meanwhile has none.
func (c *Catalog) indexURLs(f *function) {
	c.creating.Lock()
	defer c.creating.Unlock()
	if (*c.table.Load())[f.name] != f {
		return
	}
	r := f.now.Load().record
	urls := maps.Clone(*c.urls.Load())
	maps.DeleteFunc(urls, func(_ string, u URL) bool { return u.Function == f.name })
	for i := range r.URLs {
		urls[r.URLs[i].ID] = c.describeURL(r.Name, &r.URLs[i])
	}
	c.urls.Store(&urls)
}

func (c *Catalog) describeURL(name string, u *url) URL {
	qualifier := unlatest(u.Qualifier)
	return URL{
		ID: u.ID, Function: name, Qualifier: qualifier, ARN: c.arn(name, qualifier),
		URLSettings: u.URLSettings, Created: u.Created, Modified: u.Modified,
	}
}

// unlatest is the qualifier that Lambda shows for one that is kept.
func unlatest(qualifier string) string {
	if qualifier == Latest {
		return ""
	}
	return qualifier
}

// longestCache is the most seconds that a browser may keep what CORS tells.
const longestCache = 86400

func (s *URLSettings) check() error {
	switch {
	case s.AuthType != "NONE" && s.AuthType != "AWS_IAM":
		return violation(s.AuthType, "authType", "Member must satisfy enum value set: [NONE, AWS_IAM]")
	case s.InvokeMode == "RESPONSE_STREAM":
		return invalid("InvokeMode RESPONSE_STREAM is not supported: answers are whole here; write BUFFERED")
	case s.InvokeMode != "BUFFERED":
		return violation(s.InvokeMode, "invokeMode", "Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]")
	case s.CORS != nil && (s.CORS.MaxAge < 0 || s.CORS.MaxAge > longestCache):
		return violation(s.CORS.MaxAge, "cors.maxAge", fmt.Sprintf("Member must have value between 0 and %d", longestCache))
	}
	return nil
}
