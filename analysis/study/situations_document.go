package study

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// SituationsSchema is the version of an [Outlook]'s JSON form.
const SituationsSchema = "coldcurve.situations/v1"

// OutlookDocument is what `coldcurve cost situations --json` prints. Amounts are
// decimal numbers of US dollars in strings, exact to the nano-dollar.
type OutlookDocument struct {
	Schema     string       `json:"schema"`
	MonthHours int          `json:"month_hours"`
	Answer     []string     `json:"answer"`
	Work       curveWorkDoc `json:"work"`
	Target     targetDoc    `json:"target"`
	Situations []caseDoc    `json:"situations"`
	Fleets     Following    `json:"fleets"` // how they follow a load that changes
	Notes      []string     `json:"notes"`
}

type caseDoc struct {
	Situation
	Mean     float64     `json:"mean_per_s"`
	Requests uint64      `json:"requests_month"`
	Options  []servedDoc `json:"options"`
	Cheapest *string     `json:"cheapest"` // of those that hold the target; null where none does
}

type servedDoc struct {
	Option      string                   `json:"option"`
	Kind        string                   `json:"kind"`
	USD         *units.USD               `json:"usd_month"` // null where it cannot do the work
	PerMillion  *units.USD               `json:"usd_million_requests"`
	Shares      map[cost.Share]units.USD `json:"shares_usd,omitempty"`
	Response    time.Duration            `json:"response_ns"`
	Late        float64                  `json:"late_share"`
	Holds       bool                     `json:"holds_target"`
	Cold        *float64                 `json:"cold_share"` // null for fleets
	Utilisation float64                  `json:"utilisation"`
	Mean        float64                  `json:"instances_mean"`
	Peak        int                      `json:"instances_peak"`
	Impossible  *limitation              `json:"impossible,omitempty"`
}

// Document puts an outlook into the form that is printed; answer and notes are
// what a reader is told beside the figures.
func (o *Outlook) Document(answer, notes []string) *OutlookDocument {
	d := &OutlookDocument{
		Schema: SituationsSchema, MonthHours: int(cost.Month / time.Hour), Answer: answer, Work: o.workDoc(), Target: o.targetDoc(),
		Fleets: o.Following, Notes: append([]string{}, notes...),
	}
	for i := range o.Cases {
		k := &o.Cases[i]
		doc := caseDoc{Situation: k.Situation, Mean: float64(k.Mean()), Requests: k.Requests}
		for j := range k.Served {
			doc.Options = append(doc.Options, k.Served[j].document(k.Requests))
		}
		if best := k.Cheapest(); best != nil {
			doc.Cheapest = &best.Option
		}
		d.Situations = append(d.Situations, doc)
	}
	return d
}

func (s *Served) document(requests uint64) servedDoc {
	d := servedDoc{Option: s.Option, Kind: s.Kind()}
	if s.Err != nil {
		d.Impossible = limitationOf(s.Err)
		return d
	}
	d.USD, d.PerMillion, d.Shares = new(units.USD(s.Bill.Total)), new(units.USD(s.Bill.PerMillion(requests))), make(map[cost.Share]units.USD)
	for share, amount := range s.Bill.ByShare() {
		d.Shares[share] = units.USD(amount)
	}
	d.Response, d.Late, d.Holds, d.Utilisation, d.Mean, d.Peak = s.Response, s.Late, s.Holds, s.Utilisation, s.Mean, s.Peak
	if s.Cold >= 0 {
		d.Cold = &s.Cold
	}
	return d
}
