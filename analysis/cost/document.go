package cost

import (
	"cmp"
	_ "embed"
	"errors"
	"math/big"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Schema names [Document].
const Schema = "coldcurve.cost/v1"

//go:embed cost.schema.json
var schemaJSON string

// SchemaJSON is the JSON schema (draft 2020-12) of [Document].
func SchemaJSON() []byte { return []byte(schemaJSON) }

// Priced is an option with its bill, or with why there is none.
type Priced struct {
	Option string
	Bill   *Bill // nil where Err is not
	Err    error // an [*Impossible] or a [*Missing]
	// Works is what was priced, with the option's own regions.
	Works []*Work
}

// Price asks every option for its bill. That one cannot do the work, or bills
// by what is not known or not priced, is an answer; any other error ends it, and
// so does the want of a price where none of the options has a bill.
func Price(options []Option, works func(Option) []*Work) ([]Priced, error) {
	var list []Priced
	var unpriced error
	some := false
	for _, o := range options {
		p := Priced{Option: o.Name(), Works: works(o)}
		p.Bill, p.Err = o.Bill(p.Works...)
		if p.Err != nil && !isAnswer(p.Err) {
			if _, unknown := errors.AsType[*prices.Unknown](p.Err); !unknown {
				return nil, p.Err
			}
			unpriced = cmp.Or(unpriced, p.Err)
		}
		some = some || p.Bill != nil
		list = append(list, p)
	}
	if !some && unpriced != nil {
		return nil, unpriced
	}
	return list, nil
}

func isAnswer(err error) bool {
	_, impossible := errors.AsType[*Impossible](err)
	_, missing := errors.AsType[*Missing](err)
	return impossible || missing
}

// Document is what `coldcurve cost --json` prints. Amounts are decimal numbers
// of US dollars in strings, exact to the nano-dollar.
type Document struct {
	Schema     string  `json:"schema"`
	MonthHours int     `json:"month_hours"`
	FreeTier   bool    `json:"free_tier"`
	Traffic    Traffic `json:"traffic"`
	// TotalUSD and Lines are those of the only bill; left out for several.
	TotalUSD    *units.USD      `json:"total_usd,omitempty"`
	Lines       []lineDoc       `json:"lines,omitempty"`
	Bills       []billDoc       `json:"bills"`
	Attribution *attributionDoc `json:"attribution,omitempty"`
}

// Traffic is what was priced, in a reader's words and in numbers.
type Traffic struct {
	Source    string        `json:"source"` // "flags", or the file or directory
	Functions int           `json:"functions"`
	Requests  uint64        `json:"requests"`         // in the month
	Mean      time.Duration `json:"duration_mean_ns"` // of all requests; 0 where it is not known
	Cold      uint64        `json:"cold"`
	Memory    units.Bytes   `json:"memory_bytes"` // of an instance; 0 where functions differ
	// Repeated is how long the source's traffic lasts, which was repeated to
	// fill the month; 0 where it is priced as it is.
	Repeated time.Duration `json:"repeated_ns"`
	Notes    []string      `json:"notes"`
}

// TrafficOf sums works up.
func TrafficOf(source string, works []Work) Traffic {
	t := Traffic{Source: source, Functions: len(works), Notes: []string{}}
	total := new(big.Int)
	for i, w := range works {
		t.Requests += w.Requests
		t.Cold += w.Cold
		if i == 0 {
			t.Memory = w.Memory
		} else if t.Memory != w.Memory {
			t.Memory = 0
		}
		if w.Durations != nil {
			total.Add(total, billed(w.Durations, Rounding{}, w.Requests).n)
		}
	}
	if t.Requests > 0 {
		t.Mean = time.Duration(total.Quo(total, new(big.Int).SetUint64(t.Requests)).Int64())
	}
	return t
}

// InMonth repeats works that last for span until the month is full. Instances
// that are there without requests are so all month anyway.
func InMonth(works []Work, span time.Duration) []Work {
	out := make([]Work, len(works))
	for i, w := range works {
		out[i] = w.Times(proportion(w.Requests, uint64(Month), uint64(span)))
	}
	return out
}

// Decimal is a number in plain digits, with every place that it has; one
// without end is cut at 12.
func Decimal(n *big.Rat) string {
	places, exact := n.FloatPrec()
	if !exact {
		places = 12
	}
	return n.FloatString(places)
}

// decimal is a number in a string, as money is.
type decimal struct{ n *big.Rat }

// MarshalText is [Decimal].
func (d decimal) MarshalText() ([]byte, error) { return []byte(Decimal(d.n)), nil }

// number is a number with all its digits.
type number struct{ n *big.Rat }

// MarshalJSON is [Decimal] as a number.
func (d number) MarshalJSON() ([]byte, error) { return []byte(Decimal(d.n)), nil }

type billDoc struct {
	Option     string         `json:"option"`
	Region     string         `json:"region,omitempty"`
	TotalUSD   *units.USD     `json:"total_usd,omitempty"`
	PerMillion *units.USD     `json:"per_million_usd,omitempty"`
	Doubt      units.USD      `json:"doubt_usd"`
	Lines      []lineDoc      `json:"lines"`
	Notes      []string       `json:"notes"`
	Impossible *impossibleDoc `json:"impossible,omitempty"`
	Missing    string         `json:"missing,omitempty"`
}

type impossibleDoc struct {
	Product string      `json:"product"`
	Limit   string      `json:"limit"`
	Have    string      `json:"have"`
	Source  string      `json:"source"`
	AsOf    prices.Date `json:"as_of"`

	Confidence string `json:"confidence"`
	Caveat     string `json:"caveat,omitempty"`
}

type lineDoc struct {
	Product    string      `json:"product"`
	Region     string      `json:"region"`
	Dimension  string      `json:"dimension"`
	Quantity   number      `json:"quantity"`
	Unit       string      `json:"unit"`
	UnitPrice  decimal     `json:"unit_price_usd"`
	Amount     units.USD   `json:"amount_usd"`
	Rule       string      `json:"rule"`
	Driver     Driver      `json:"driver"`
	Free       bool        `json:"free"`
	Source     string      `json:"source"`
	AsOf       prices.Date `json:"as_of"`
	Confidence string      `json:"confidence"`
}

type attributionDoc struct {
	By       By        `json:"by"`
	Idle     Rule      `json:"idle_rule"`
	Shared   Rule      `json:"shared_rule"`
	TotalUSD units.USD `json:"total_usd"`
	Parts    []partDoc `json:"parts"`
}

type partDoc struct {
	Function string    `json:"function,omitempty"`
	Version  string    `json:"version,omitempty"`
	Consumer string    `json:"consumer,omitempty"`
	Stage    string    `json:"stage,omitempty"`
	Requests uint64    `json:"requests"`
	Direct   units.USD `json:"direct_usd"`
	Idle     units.USD `json:"idle_usd"`
	Shared   units.USD `json:"shared_usd"`
	Total    units.USD `json:"total_usd"`
}

// NewDocument puts priced options and, where there is one, the attribution of
// the only bill into the form that is printed.
func NewDocument(traffic Traffic, freeTier bool, priced []Priced, a *Attribution) *Document {
	if traffic.Notes == nil {
		traffic.Notes = []string{}
	}
	doc := &Document{Schema: Schema, MonthHours: int(Month / time.Hour), FreeTier: freeTier, Traffic: traffic, Bills: []billDoc{}}
	for _, p := range priced {
		doc.Bills = append(doc.Bills, p.doc(traffic.Requests))
	}
	if len(doc.Bills) == 1 {
		doc.TotalUSD, doc.Lines = doc.Bills[0].TotalUSD, doc.Bills[0].Lines
	}
	if a != nil {
		doc.Attribution = a.doc()
	}
	return doc
}

func (p *Priced) doc(requests uint64) billDoc {
	d := billDoc{Option: p.Option, Lines: []lineDoc{}, Notes: []string{}}
	if p.Bill == nil {
		if e, ok := errors.AsType[*Impossible](p.Err); ok {
			d.Impossible = &impossibleDoc{e.Product, e.Limit, e.Have, e.Origin.Source, e.Origin.AsOf, e.Origin.Confidence, e.Origin.Caveat()}
		} else {
			d.Missing = p.Err.Error()
		}
		return d
	}
	b := p.Bill
	total, million := units.USD(b.Total), units.USD(b.PerMillion(requests))
	d.Region, d.TotalUSD, d.Doubt = b.Region, &total, units.USD(b.Doubt)
	if requests > 0 {
		d.PerMillion = &million
	}
	d.Notes = append(d.Notes, b.Notes...)
	for _, l := range b.Lines {
		d.Lines = append(d.Lines, lineDoc{
			Product: l.Product, Region: l.Region, Dimension: l.Dimension, Quantity: number{l.Quantity}, Unit: l.Unit,
			UnitPrice: decimal{l.UnitPrice}, Amount: units.USD(l.Amount), Rule: l.Rule, Driver: l.Driver, Free: l.Free,
			Source: l.Source, AsOf: l.AsOf, Confidence: l.Confidence,
		})
	}
	return d
}

func (a *Attribution) doc() *attributionDoc {
	d := &attributionDoc{By: a.By, Idle: a.Rules.Idle, Shared: a.Rules.Shared, TotalUSD: units.USD(a.Total), Parts: []partDoc{}}
	for _, p := range a.Parts {
		k := p.Key
		d.Parts = append(d.Parts, partDoc{k.Function, k.Version, k.Consumer, k.Stage, p.Requests,
			units.USD(p.Direct), units.USD(p.Idle), units.USD(p.Shared), units.USD(p.Total)})
	}
	return d
}

// FormatQuantity writes a quantity for reading, rounded to what a bill's
// reader compares: three places below 1,000, none above.
func FormatQuantity(q *big.Rat) string {
	places := 0
	if thousand := big.NewRat(1000, 1); q.Cmp(thousand) < 0 && !q.IsInt() {
		places = 3
	}
	text := q.FloatString(places)
	if places == 0 {
		if n, ok := new(big.Int).SetString(text, 10); ok && n.IsInt64() {
			return units.FormatCount(n.Int64())
		}
	}
	return text
}
