// Package budget owns limits on figures, as people write them and as runs
// remember them.
//
// In: the keys of a mapping in a scenario or a policy. Out: which figure of
// which samples, and the limits as numbers of its unit; or faults with their
// place. It holds no figure and judges none (that is gate's work), and whether
// a phase or a function exists is its caller's to check.
package budget

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict"
)

// Budget is a limit on one figure of a selection of a run's samples. Line and
// Column say where it was written.
type Budget struct {
	Metric   string `json:"metric"`             // a name of package metric
	Start    string `json:"start,omitempty"`    // "" for all start kinds
	Phase    string `json:"phase,omitempty"`    // "" for all phases that are not warm-up
	Function string `json:"function,omitempty"` // "" for all functions
	Max      *Bound `json:"max,omitempty"`      // nil for no limit on that side; both ends are allowed
	Min      *Bound `json:"min,omitempty"`
	Line     int    `json:"-"`
	Column   int    `json:"-"`
}

// Bound is a limit as its author spells it, and its value in the metric's own
// unit (nanoseconds, a share of 1, a count, per second).
type Bound struct {
	Text  string  `json:"text"`
	Value float64 `json:"value"`
}

// Subject names the figure: "latency.p99 of warm hello in sale".
func (b *Budget) Subject() string {
	s, of := b.Metric, b.Start
	if b.Function != "" {
		if of != "" {
			of += " "
		}
		of += b.Function
	}
	if of != "" {
		s += " of " + of
	}
	if b.Phase != "" {
		s += " in " + b.Phase
	}
	return s
}

// Allowed says what the limits allow: "50ms", "at least 5/s", "1ms to 50ms".
func (b *Budget) Allowed() string {
	switch {
	case b.Min == nil && b.Max == nil:
		return "anything"
	case b.Min == nil:
		return b.Max.Text
	case b.Max == nil:
		return "at least " + b.Min.Text
	}
	return b.Min.Text + " to " + b.Max.Text
}

// Breaks says whether a figure lies beyond a limit. Values are compared
// exactly: 50.000001 ms is more than 50 ms.
func (b *Budget) Breaks(value float64) bool {
	return b.Max != nil && value > b.Max.Value || b.Min != nil && value < b.Min.Value
}

// Fields are the keys of a budget within a T, whose metric is one of those given.
func Fields[C, T any](among []metric.Metric, of func(*T) *Budget) strict.Fields[C, T] {
	return strict.Fields[C, T]{
		strict.NewField("metric", metrics[C](among), func(t *T) *string { return &of(t).Metric },
			"which figure").Must(),
		strict.NewField("start", strict.Words[C]("start kind", starts()), func(t *T) *string { return &of(t).Start },
			"of which starts; the default is all. cold is all cold ones; forced-cold, idle-cold, scaled-cold and replaced-cold are parts of them"),
		strict.NewField("phase", references[C](), func(t *T) *string { return &of(t).Phase },
			"of which phase; the default is all that are not warm-up"),
		strict.NewField("function", references[C](), func(t *T) *string { return &of(t).Function },
			"of which function; the default is all"),
		strict.NewField("max", bounds[C](), func(t *T) **Bound { return &of(t).Max },
			"what it must not exceed"),
		strict.NewField("min", bounds[C](), func(t *T) **Bound { return &of(t).Min },
			"what it must reach"),
	}
}

// Settle works out what the limits mean, once the keys have been read, and
// reports limits that mean nothing.
func (b *Budget) Settle(m strict.Map) {
	b.Line, b.Column = m.At().Line, m.At().Column
	if b.Metric == "" {
		return // there is no telling what the limits mean
	}
	figure := metric.Metric(b.Metric)
	sound := b.Max.settle(m.Get("max"), figure)
	sound = b.Min.settle(m.Get("min"), figure) && sound
	if sound && b.Max != nil && b.Min != nil && b.Max.Value < b.Min.Value {
		m.Get("max").Fault(fmt.Sprintf("max %s below min %s", b.Max.Text, b.Min.Text), "exchange them")
	}
}

func (b *Bound) settle(v strict.Value, figure metric.Metric) (ok bool) {
	if b == nil || !v.Given() {
		return true
	}
	value, err := metric.ParseBound(figure, b.Text)
	if err != nil {
		strict.FaultOf(v, err, "")
		return false
	}
	b.Value = value
	return true
}

func metrics[C any](among []metric.Metric) strict.Form[C, string] {
	return strict.Form[C, string]{
		Read: func(_ C, v strict.Value) (string, bool) {
			name, ok := v.Text()
			if !ok {
				return "", false
			}
			if _, err := metric.Find(name, among); err != nil {
				strict.FaultOf(v, err, "")
				return "", false
			}
			return name, true
		},
		Example: "latency.p99",
		Schema:  strict.Schema{"enum": among},
	}
}

func starts() []string {
	var names []string
	for _, s := range sample.Starts() {
		names = append(names, s.String())
	}
	for _, o := range sample.Occasions() {
		names = append(names, o.String())
	}
	return names
}

// references are names of things that are checked elsewhere.
func references[C any]() strict.Form[C, string] {
	return strict.Form[C, string]{
		Read:   func(_ C, v strict.Value) (string, bool) { return v.Text() },
		Schema: strict.Schema{"type": "string"},
	}
}

// bounds are read as text; what it means depends on the metric.
func bounds[C any]() strict.Form[C, *Bound] {
	return strict.Form[C, *Bound]{
		Read: func(_ C, v strict.Value) (*Bound, bool) {
			text, ok := v.Quantity("a limit", "50ms, 5% or 100")
			return &Bound{Text: text}, ok
		},
		Schema: strict.Schema{"anyOf": []strict.Schema{{"type": "string"}, {"type": "number", "minimum": 0}}},
	}
}
