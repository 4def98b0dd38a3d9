package lambdaapi

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Limits bound what a request may bring. The most bytes of a synchronous
// payload are engine.Limits'.
type Limits struct {
	Document units.Bytes   // most bytes of a body that brings neither code nor a payload
	Code     units.Bytes   // most bytes of a body that brings code
	Event    units.Bytes   // most bytes of an asynchronous payload
	BodyTime time.Duration // longest time that a body may take to arrive
	// Reading is the most bytes of large bodies that are read at once, over all
	// connections; what does not fit waits.
	Reading      units.Bytes
	Source, AsOf string
}

// LambdaLimits are AWS Lambda's: Event from its quotas, Code from what it
// answers to a larger one ("Request must be smaller than 69905067 bytes for the
// CreateFunction operation": 50 MB in base64). The others are coldcurve's own.
func LambdaLimits() Limits {
	return Limits{
		Document: 1 << 20,
		Code:     69_905_067,
		Event:    1 << 20,
		BodyTime: time.Minute,
		Reading:  256 << 20,
		Source:   "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
		AsOf:     "2026-08-01",
	}
}
