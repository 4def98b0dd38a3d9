package cost

import (
	_ "embed"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// MemorySchema names [MemoryDocument].
const MemorySchema = "coldcurve.memory/v1"

//go:embed memory.schema.json
var memorySchema string

// MemorySchemaJSON is the JSON schema (draft 2020-12) of [MemoryDocument].
func MemorySchemaJSON() []byte { return []byte(memorySchema) }

// MemoryDocument is what `coldcurve cost memory --json` prints. Amounts are
// decimal numbers of US dollars in strings. Cheapest, fastest and balanced are
// indexes into Sizes, -1 where no size can do the work.
type MemoryDocument struct {
	Schema   string       `json:"schema"`
	Option   string       `json:"option"`
	Weight   float64      `json:"weight"` // of cost in the balance, 0 to 1; the rest is duration's
	Sizes    []MemorySize `json:"sizes"`  // by memory
	Cheapest int          `json:"cheapest"`
	Fastest  int          `json:"fastest"`
	Balanced int          `json:"balanced"`
	Notes    []string     `json:"notes"`
}

// MemorySize is one measured size.
type MemorySize struct {
	Function   string        `json:"function"`
	Memory     units.Bytes   `json:"memory_bytes"`
	Requests   uint64        `json:"requests"` // measured
	Mean       time.Duration `json:"mean_ns"`  // of a request, a cold one's init included
	PerMillion *units.USD    `json:"per_million_usd"`
	Front      bool          `json:"front"` // no other size beats it in both
	Why        string        `json:"why_not,omitempty"`
}

// Cost is what a million requests cost; 0 where Why says why there is none.
func (s *MemorySize) Cost() units.Money {
	if s.PerMillion == nil {
		return 0
	}
	return units.Money(*s.PerMillion)
}

// NewMemoryDocument puts a sweep of works over memory sizes into the form that
// is printed.
func NewMemoryDocument(option string, weight float64, works []Work, t *Tuning, notes []string) *MemoryDocument {
	doc := &MemoryDocument{Schema: MemorySchema, Option: option, Weight: weight, Sizes: []MemorySize{},
		Cheapest: t.Cheapest, Fastest: t.Fastest, Balanced: t.Balanced, Notes: append([]string{}, notes...)}
	for i, s := range t.Sizes {
		m := MemorySize{Function: works[i].Name, Memory: s.Memory, Requests: works[i].Requests, Mean: s.Mean}
		if s.Err != nil {
			m.Why = s.Err.Error()
		} else {
			m.PerMillion = new(units.USD(s.PerMillion))
		}
		doc.Sizes = append(doc.Sizes, m)
	}
	for _, i := range t.Front {
		doc.Sizes[i].Front = true
	}
	return doc
}
