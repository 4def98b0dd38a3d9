// Package secret owns what shows a platform who asks, and keeps it out of what
// is printed: servers and transports repeat what they were sent.
//
// In: the values that are sent ([Known.Add]), and texts that others have
// written. Out: those texts with every known value struck out, as it is and as
// it stands in a URL or between quotes, and what is a secret by its form: the
// signatures of requests, which are new each time, and tokens, which other
// programs print. It finds no credentials, and knows no others that it was not
// told of.
package secret

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Struck stands where something was struck out.
const Struck = "[secret]"

// mostWords is how much of what a server says is told, in bytes.
const mostWords = 260

// A value shorter than rare bytes may be a part of any word, so it is struck out
// where it stands alone; one shorter than least is no secret to anybody.
const least, rare = 4, 8

var (
	// A signature of AWS's, a JSON Web Token (RFC 7519), and what RFC 6750 and 7617 send.
	byForm    = regexp.MustCompile(`(?i:(signature=)[0-9a-f]{16,})|\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?i:\b((?:bearer|basic) +)[\w.~+/-]{20,}=*)`)
	wordAtEnd = regexp.MustCompile(`^\w(.*\w)?$`)
)

// Known are the secrets of one platform. The zero value and nil are none. It is
// safe for concurrent use.
type Known struct {
	mu     sync.RWMutex
	values []string
	find   *regexp.Regexp
}

// Add makes values known: they may be of any form, and empty.
func (k *Known) Add(values ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := len(k.values)
	for _, value := range values {
		quoted := strconv.Quote(value)
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value), quoted[1 : len(quoted)-1]} {
			if len(form) >= least && !slices.Contains(k.values, form) {
				k.values = append(k.values, form)
			}
		}
	}
	if len(k.values) == before {
		return
	}
	// The longest first: one may begin with another.
	slices.SortFunc(k.values, func(a, b string) int { return len(b) - len(a) })
	patterns := make([]string, len(k.values))
	for i, value := range k.values {
		patterns[i] = regexp.QuoteMeta(value)
		if len(value) < rare && wordAtEnd.MatchString(value) {
			patterns[i] = `\b` + patterns[i] + `\b`
		}
	}
	k.find = regexp.MustCompile(strings.Join(patterns, "|"))
}

// Strike is a text without what is secret.
func (k *Known) Strike(text string) string {
	text = byForm.ReplaceAllString(text, "${1}${2}"+Struck)
	if k == nil {
		return text
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.find == nil {
		return text
	}
	return k.find.ReplaceAllLiteralString(text, Struck)
}

// Words are what a server says, as an error may repeat it: on one line, and no
// more than a reader takes in. What is secret goes first: a part of it would not
// be known any more.
func (k *Known) Words(text string) string { return units.FormatLine(k.Strike(text), mostWords) }

// Error is an error whose text has nothing secret. What it wraps stays to be
// asked for its type.
func (k *Known) Error(err error) error {
	before := err.Error()
	if text := k.Strike(before); text != before {
		return &failure{text, err}
	}
	return err
}

type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }
