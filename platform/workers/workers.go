// Package workers is workerd, the runtime of Cloudflare Workers, as a platform
// on this machine: functions in JavaScript, each in a V8 isolate that the worker
// loader starts when its first request comes.
//
// In: folders with JavaScript, either handlers as Lambda has them or module
// workers, and the workerd program. Out: one HTTP request an invocation over
// loopback, to a host worker that is this package's, and the evidence of what
// was seen from both sides: the host knows for which request the loader asked
// for the code, and a shim in the isolate how many requests that has taken.
// [Platform.Deploy] loads nothing; an eviction gives a function a new name at
// the loader, and ends the isolate of the old one.
//
// It starts no isolate before its request, bills nothing and limits no memory,
// which workerd does not either. Where a start's time goes it does not tell: in
// a worker, clocks stand still between inputs and outputs. Workers that are
// deployed at Cloudflare are package http's, by their URL and a beacon.
package workers

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
)

// Platform is one workerd. It is a platform.Claimant, Describer and Closer too.
type Platform struct {
	options   Options
	program   string
	version   string
	process   *process
	key       string // that the host wants to see
	transport *http.Transport
	beacons   beacon.Ledger

	evictions, doubted atomic.Uint64
}

// Claims are what the host and the isolates tell.
func (p *Platform) Claims() platform.Claims {
	return platform.Claims{
		Grade:  sample.Observed,
		Errors: []sample.ErrorKind{sample.Timeout, sample.Handler, sample.Init, sample.Crash, sample.Refused},
		Lacks:  map[platform.Capability]string{platform.Billing: "workerd bills nothing, and tells no processor time"},
	}
}

// Describe tells what answers, and what of it is not as a reader may think.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	d := platform.Description{
		Name: "workers", Version: p.version, Process: p.process.cmd.Process.Pid,
		Facts: map[string]string{
			"program": p.program, "compatibility_date": p.options.CompatibilityDate,
			"evictions": strconv.FormatUint(p.evictions.Load(), 10),
		},
		Notes: []string{
			"all isolates share one thread of workerd: a function that computes holds up the others",
			"functions' memory limits are not enforced: workerd has none",
		},
	}
	if n := p.doubted.Load(); n > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d answers came with an account of their isolate that cannot be: nothing of it is believed", n))
	}
	return d, nil
}

// Close ends workerd and waits until it is gone.
func (p *Platform) Close(context.Context) error {
	p.transport.CloseIdleConnections()
	p.process.end()
	return nil
}
