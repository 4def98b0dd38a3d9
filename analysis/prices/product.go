package prices

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Product is something that a provider sells: what it costs, and the facts that
// decide whether and how it can do some work. It must not be written to.
type Product struct {
	ID       string // "aws/lambda"
	Title    string // "AWS Lambda"
	Provider string // "aws"
	Prices   []*Price
	Free     []*Allowance
	Facts    []Fact
	Sizes    []Size // the combinations of vCPU and memory that it comes in; none: any within its facts
}

// Fact is a limit or a rule of a product, as its name tells: "memory_max",
// "duration_max", "init_billed". Which of the values it has depends on the name.
type Fact struct {
	Name     string        `json:"name"`
	Value    string        `json:"value"` // as the book has it: "10240MB"
	Duration time.Duration `json:"-"`     // of a time
	Bytes    units.Bytes   `json:"-"`     // of a size
	Number   Decimal       `json:"-"`     // of a number
	Note     string        `json:"note,omitempty"`
	Span
	Origin
}

// Size is a number of vCPUs and the memory that can go with it: the listed
// sizes, or from the first to the last in steps.
type Size struct {
	VCPU   Decimal       `json:"vcpu"`
	Memory []units.Bytes `json:"memory_bytes"` // ascending
	Origin
}

// Instance is a type of machine: its shape and what it costs.
type Instance struct {
	ID      string      `json:"id"`      // "aws/ec2/c7g.large"
	Product string      `json:"product"` // "aws/ec2"
	Type    string      `json:"type"`    // "c7g.large"
	Arch    string      `json:"arch"`    // "x86_64" or "arm64"
	VCPU    int         `json:"vcpu"`
	Memory  units.Bytes `json:"memory_bytes"`
	// Baseline is the share of its vCPUs that a burstable machine can use for
	// ever; 1 for one that is not burstable.
	Baseline Decimal `json:"baseline"`
	// Credits is how many minutes of a whole vCPU a burstable machine earns an
	// hour, CreditsMost how many it can save up; 0 for one that is not burstable.
	Credits     Decimal  `json:"credits_per_hour,omitzero"`
	CreditsMost Decimal  `json:"credits_most,omitzero"`
	Rule        string   `json:"rule"` // how the shape is known
	Origin               // of the shape
	Prices      []*Price `json:"prices"` // each dimension's, in every region
}
