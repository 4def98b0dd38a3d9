package summary

import (
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Cost is what a run's traffic would cost if it came all month at the run's
// mean rate, by options side by side.
type Cost struct {
	Rate     float64      `json:"rate_per_s"` // of requests that reached a function, warm-up left out
	Requests uint64       `json:"requests_per_month"`
	Span     int64        `json:"span_ns"` // of the run, that the month is made of
	Options  []CostOption `json:"options"`
	Notes    []string     `json:"notes"` // what a reader must know
}

// CostOption is one way to serve the traffic, or why that is not priced.
type CostOption struct {
	Option     string     `json:"option"`           // "aws/lambda"
	Serves     string     `json:"serves,omitempty"` // what serves it, in words
	Region     string     `json:"region,omitempty"`
	Month      *units.USD `json:"month_usd,omitempty"`
	PerMillion *units.USD `json:"per_million_usd,omitempty"`
	Instances  int        `json:"instances,omitempty"` // of a fleet
	Sources    []string   `json:"sources"`             // of the prices, each with its date
	Why        string     `json:"why_not,omitempty"`   // it has no price here
}
