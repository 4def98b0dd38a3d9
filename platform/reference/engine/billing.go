package engine

import "time"

// BillingRule is how an invocation's time becomes billed time.
type BillingRule struct {
	Granularity time.Duration // billed time is a multiple of this, rounded up
	InitBilled  bool          // a cold start's init is billed with its handler
	Since       string        // first day, YYYY-MM-DD
	Source      string
}

// BillingRules are AWS Lambda's rules for functions deployed as archives on
// managed runtimes, oldest first.
func BillingRules() []BillingRule {
	return []BillingRule{
		{
			Granularity: time.Millisecond,
			Since:       "2020-12-01",
			Source:      "https://aws.amazon.com/about-aws/whats-new/2020/12/aws-lambda-changes-duration-billing-granularity-from-100ms-to-1ms/",
		},
		{
			Granularity: time.Millisecond,
			InitBilled:  true,
			Since:       "2025-08-01",
			Source:      "https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/",
		},
	}
}

// Billed is the billed time of an invocation whose handler took duration after
// an init of its own (0 where the instance was there):
//
//	ceil((init + duration) / granularity) * granularity
//
// It works on the unrounded times: what a REPORT line prints is rounded to
// hundredths of a millisecond, and 7.00 may have been 7.004 and bill 8.
func (r BillingRule) Billed(init, duration time.Duration) time.Duration {
	if r.InitBilled {
		duration += init
	}
	if rest := duration % r.Granularity; rest > 0 {
		duration += r.Granularity - rest
	}
	return duration
}
