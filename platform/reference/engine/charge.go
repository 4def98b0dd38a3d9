package engine

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// charge tells the meter of a request and its only outcome.
func (v *Version) charge(inv *Invocation, out *Outcome, err error) {
	if v.rt.meter == nil {
		return
	}
	used, taken := v.usage(out, err)
	if !taken {
		return
	}
	v.rt.meter.Charge(usage.Key{
		Function: v.family.name, Version: v.spec.Version, Consumer: inv.Consumer, Stage: inv.Stage,
	}, used)
}

// usage is what a request has used; it is not taken if its version was retired.
func (v *Version) usage(out *Outcome, err error) (u usage.Usage, taken bool) {
	u.Requests = 1
	if err != nil {
		switch codeOf(err) {
		case Retired:
			return usage.Usage{}, false
		case Throttled:
			u.Throttled = 1
		default:
			u.Refused = 1
		}
		return u, true
	}
	if out.Kind != sample.NoError {
		u.Errors = 1
	}
	switch out.Start {
	case sample.Cold:
		u.Cold = 1
	case sample.Prewarmed:
		u.Prewarmed = 1
	case sample.Restored:
		u.Restored = 1
	case sample.Provisioned:
		u.Provisioned = 1
	}
	u.Billed, u.InitBilled = out.Billed, out.InitBilled
	u.MemoryTime = int64(v.spec.Memory>>20) * int64(out.Billed/time.Millisecond)
	if u.Provisioned > 0 {
		u.MemoryTimeProvisioned = u.MemoryTime
	}
	return u, true
}
