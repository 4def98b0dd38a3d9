package study

import (
	"errors"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// CurveDocument is what `coldcurve cost curve --json` prints. Amounts are
// decimal numbers of US dollars in strings, exact to the nano-dollar.
type CurveDocument struct {
	Schema     string         `json:"schema"`
	MonthHours int            `json:"month_hours"`
	Over       Over           `json:"over"`
	Unit       string         `json:"x_unit"`
	Answer     []string       `json:"answer"`
	Work       curveWorkDoc   `json:"work"`
	Target     targetDoc      `json:"target"`
	Series     []seriesDoc    `json:"series"`
	Breakeven  []breakevenDoc `json:"breakeven"`
	Cheapest   []reignDoc     `json:"cheapest"`
	At         float64        `json:"at_x"` // where Pareto is about
	Pareto     []Tradeoff     `json:"pareto"`
	Swings     []Swing        `json:"sensitivity,omitempty"`
	Notes      []string       `json:"notes"`
}

type curveWorkDoc struct {
	Duration time.Duration `json:"duration_mean_ns"`
	CPU      time.Duration `json:"cpu_time_ns,omitempty"`
	CPUBasis string        `json:"cpu_time_basis,omitempty"`
	Memory   units.Bytes   `json:"memory_bytes"`
	Rate     float64       `json:"rate_per_s,omitempty"` // where it is not the axis
	Least    int           `json:"min_instances"`
}

type targetDoc struct {
	Quantile    float64       `json:"quantile"`
	Within      time.Duration `json:"within_ns"`
	Timeout     time.Duration `json:"timeout_ns,omitempty"`
	ErrorBudget float64       `json:"error_budget,omitempty"`
}

type seriesDoc struct {
	Option     string      `json:"option"`
	Kind       string      `json:"kind"` // "functions", "containers", "machines"
	VCPU       float64     `json:"vcpu,omitempty"`
	Memory     units.Bytes `json:"memory_bytes,omitempty"` // of an instance
	Points     []pointDoc  `json:"points"`
	Impossible []limitDoc  `json:"impossible"`
}

type pointDoc struct {
	X          float64                  `json:"x"`
	Rate       float64                  `json:"rate_per_s"`
	Requests   uint64                   `json:"requests_month"`
	USD        *units.USD               `json:"usd_month"` // null where it cannot do the work
	PerMillion *units.USD               `json:"usd_million_requests"`
	Shares     map[cost.Share]units.USD `json:"shares_usd,omitempty"`
	Instances  int                      `json:"instances,omitempty"`
	Bound      Bound                    `json:"bound,omitempty"`
	Busy       float64                  `json:"utilisation,omitempty"`
	Response   int64                    `json:"response_ns,omitempty"`
}

type limitDoc struct {
	From float64 `json:"from_x"`
	To   float64 `json:"to_x"`
	limitation
}

// limitation is what keeps an option from doing the work.
type limitation struct {
	Limit  string      `json:"limit"`
	Have   string      `json:"have,omitempty"`
	Source string      `json:"source,omitempty"`
	AsOf   prices.Date `json:"as_of,omitzero"`
	Caveat string      `json:"caveat,omitempty"` // that nobody looked the limit up
}

type breakevenDoc struct {
	Between  [2]string `json:"between"` // the cheaper one below, the cheaper one from here on
	Kind     string    `json:"kind"`    // "cross" or "step"
	X        float64   `json:"x"`
	Rate     float64   `json:"rate_per_s"`
	Requests uint64    `json:"requests_month"`
	// USD is what the cheaper one costs there; Before and After what each of
	// Between costs just below and there.
	USD       units.USD    `json:"usd_month"`
	Before    [2]units.USD `json:"before_usd_month"`
	After     [2]units.USD `json:"after_usd_month"`
	Instances [2]int       `json:"instances"`
	Cheapest  bool         `json:"cheapest"` // of all options, too
}

type reignDoc struct {
	From      float64 `json:"from_x"`
	To        float64 `json:"to_x"`
	Option    string  `json:"option"` // "" where none can do the work
	Instances [2]int  `json:"instances"`
}

// Kind is what an option is, in a word.
func (s *Series) Kind() string { return kindOf(s.Host) }

func kindOf(h *cost.Host) string {
	switch {
	case h == nil:
		return "functions"
	case h.Machine:
		return "machines"
	}
	return "containers"
}

// AxisUnit is the unit of the axis' values in a document.
func (o Over) AxisUnit() string {
	return map[Over]string{OverRate: "requests/s", OverDuty: "share of the month", OverMemory: "bytes", OverDuration: "seconds"}[o]
}

func (c *Comparison) workDoc() curveWorkDoc {
	return curveWorkDoc{c.Work.Durations.Mean(), c.CPU, c.CPUBasis, c.Work.Memory, float64(c.Rate), c.MinInstances}
}

func (c *Comparison) targetDoc() targetDoc {
	return targetDoc{c.Goal.Quantile, c.Goal.Within, c.Goal.Timeout, c.Goal.ErrorBudget}
}

// Document puts curves into the form that is printed; answer and notes are what
// a reader is told beside the figures.
func (c *Curves) Document(answer, notes []string) *CurveDocument {
	d := &CurveDocument{
		Schema: CurveSchema, MonthHours: int(cost.Month / time.Hour), Over: c.Over, Unit: c.Over.AxisUnit(), Answer: answer,
		Work: c.workDoc(), Target: c.targetDoc(),
		Breakeven: []breakevenDoc{}, Notes: append([]string{}, notes...),
		At: c.At, Pareto: c.Tradeoffs, Swings: c.Swings,
	}
	for i := range c.Series {
		d.Series = append(d.Series, c.Series[i].document())
	}
	for _, b := range c.Breakeven {
		kind := "cross"
		if b.Step {
			kind = "step"
		}
		d.Breakeven = append(d.Breakeven, breakevenDoc{
			Between: b.Between, Kind: kind, X: b.X, Rate: float64(b.Rate), Requests: b.Requests, USD: units.USD(min(b.After[0], b.After[1])),
			Before: [2]units.USD{units.USD(b.Before[0]), units.USD(b.Before[1])}, After: [2]units.USD{units.USD(b.After[0]), units.USD(b.After[1])},
			Instances: b.Instances, Cheapest: b.Cheapest,
		})
	}
	for _, r := range c.Cheapest {
		d.Cheapest = append(d.Cheapest, reignDoc{r.From, r.To, r.Option, [2]int{r.Fewest, r.Most}})
	}
	return d
}

func limitationOf(err error) *limitation {
	if e, ok := errors.AsType[*cost.Impossible](err); ok {
		return &limitation{e.Limit, e.Have, e.Origin.Source, e.Origin.AsOf, e.Origin.Caveat()}
	}
	return &limitation{Limit: err.Error()}
}

func (s *Series) document() seriesDoc {
	d := seriesDoc{Option: s.Option, Kind: s.Kind(), Impossible: []limitDoc{}}
	if s.Host != nil {
		d.VCPU, d.Memory = float64(s.Host.MilliCPU)/1000, s.Host.Memory
	}
	for _, p := range s.Points {
		point := pointDoc{X: p.X, Rate: float64(p.Rate), Requests: p.Requests}
		if p.Err == nil {
			total, million := units.USD(p.Total), units.USD((&cost.Bill{Total: p.Total}).PerMillion(p.Requests))
			point.USD, point.PerMillion, point.Shares = &total, &million, make(map[cost.Share]units.USD)
			for share, amount := range p.Shares {
				point.Shares[share] = units.USD(amount)
			}
			point.Instances, point.Bound, point.Busy, point.Response = p.Instances, p.Bound, p.Busy, p.Response
		}
		d.Points = append(d.Points, point)
	}
	for _, l := range s.Limits {
		d.Impossible = append(d.Impossible, limitDoc{l.From, l.To, *limitationOf(l.Err)})
	}
	return d
}
