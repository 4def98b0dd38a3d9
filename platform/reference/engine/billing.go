package engine

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// BillingRule is how an invocation's time becomes billed time.
type BillingRule struct {
	Granularity time.Duration // billed time is a multiple of this, rounded up
	// InitBilled: what a request waits for of its instance's init is billed
	// with its handler. A prewarmed start's is what the function itself did
	// after the runtime was given to it.
	InitBilled bool
	// RestoreBilled: so is what runs in an instance between its restore and its
	// handler.
	RestoreBilled bool
	Since         string // first day, YYYY-MM-DD
	Source        string
}

// BillingRules are AWS Lambda's rules for functions deployed as archives on
// managed runtimes, oldest first. A restore is SnapStart's, whose pricing counts
// "the time it takes for your code to load after the restore", with its hooks
// (https://aws.amazon.com/lambda/pricing/). The init of an instance that was
// started ahead of all requests is no request's: it is billed with the
// provisioned concurrency, by time.
func BillingRules() []BillingRule {
	return []BillingRule{
		{
			Granularity: time.Millisecond,
			Since:       "2020-12-01",
			Source:      "https://aws.amazon.com/about-aws/whats-new/2020/12/aws-lambda-changes-duration-billing-granularity-from-100ms-to-1ms/",
		},
		{
			Granularity: time.Millisecond,
			InitBilled:  true, RestoreBilled: true,
			Since:  "2025-08-01",
			Source: "https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/",
		},
	}
}

// Billed is the billed time of an invocation whose handler took duration after
// an init of its own (0 where the instance was there), and what of it init has
// added:
//
//	ceil((init + duration) / granularity) * granularity
//
// It works on the unrounded times: what a REPORT line prints is rounded to
// hundredths of a millisecond, and 7.00 may have been 7.004 and bill 8.
func (r BillingRule) Billed(start sample.Start, init, duration time.Duration) (billed, initBilled time.Duration) {
	handler := r.roundUp(duration)
	if start == sample.Restored && !r.RestoreBilled || start != sample.Restored && !r.InitBilled {
		return handler, 0
	}
	billed = r.roundUp(init + duration)
	return billed, billed - handler
}

func (r BillingRule) roundUp(d time.Duration) time.Duration {
	if rest := d % r.Granularity; rest > 0 {
		d += r.Granularity - rest
	}
	return d
}
