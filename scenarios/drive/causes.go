package drive

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// Cause is why requests failed, in the words of the first of them.
type Cause struct {
	Function string
	Kind     sample.ErrorKind
	Text     string // one line of at most 500 bytes
	Hint     string // what the reader can do about it; "" for nothing that the text does not say
	N        uint64 // requests of the function that failed with this kind, for whatever reason
}

// causeLimit bounds a cause's text, in bytes.
const causeLimit = 500

// causes keeps the first cause of each function and kind. It costs a request
// that fails a lock, and one that succeeds nothing.
type causes struct {
	mu   sync.Mutex
	list []*Cause
}

func (c *causes) add(function string, kind sample.ErrorKind, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, have := range c.list {
		if have.Function == function && have.Kind == kind {
			have.N++
			return
		}
	}
	c.list = append(c.list, &Cause{Function: function, Kind: kind, Text: causeText(err), Hint: OneLine(platform.HintOf(err)), N: 1})
}

// sorted gives the causes by function, the most frequent first.
func (c *causes) sorted() []Cause {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Cause
	for _, have := range c.list {
		list = append(list, *have)
	}
	slices.SortFunc(list, func(a, b Cause) int {
		return cmp.Or(strings.Compare(a.Function, b.Function), cmp.Compare(b.N, a.N), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

// causeText is an error on one line. Its operation is left out: the function
// stands beside it.
func causeText(err error) string {
	if e, ok := errors.AsType[*platform.Error](err); ok {
		err = e.Err
	}
	return OneLine(err.Error())
}

// OneLine is a text on one line of at most 500 bytes.
func OneLine(text string) string { return units.FormatLine(text, causeLimit) }
