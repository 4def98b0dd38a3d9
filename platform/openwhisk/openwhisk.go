// Package openwhisk is Apache OpenWhisk as a platform, and whatever else speaks
// its REST API. It follows the documented wire format and has been run against
// servers that speak that, not against OpenWhisk itself.
//
// In: functions in Node.js and Python, and an API host with a key. Out: actions
// under names of their own, marked by an annotation; one blocking invocation a
// request, or the same one asked after where OpenWhisk does not wait for it; and
// the evidence of each activation's record: an initTime is a cold start, unless a
// beacon in the answer contradicts it. An eviction updates the action: containers
// of the version before serve no more.
//
// The key comes from where the wsk command keeps it, and is never printed. No
// invocation is repeated. It makes no packages, triggers or web actions, and
// knows no prices.
package openwhisk

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/mark"
	"github.com/coldcurve/coldcurve/platform/secret"
)

// Limits are OpenWhisk's, unless whoever runs it has set others.
type Limits struct {
	Payload, Result units.Bytes // of an activation
	Memory          units.Bytes // the most that an action may ask for
	Name            int         // most characters of an action's name
	Source, AsOf    string
}

// UsualLimits are those of OpenWhisk as it comes.
func UsualLimits() Limits {
	return Limits{
		Payload: units.MB, Result: units.MB, Memory: 512 * units.MB, Name: 256,
		Source: "https://github.com/apache/openwhisk/blob/master/docs/reference.md#system-limits",
		AsOf:   "2026-11-22",
	}
}

// wrapping is what the shims add to an answer, in bytes.
const wrapping = units.Bytes(len(`{"answer":}`))

// Platform is one namespace at one API host. It is a platform.Describer,
// Claimant and Closer too.
type Platform struct {
	options   Options
	api       *url.URL // of the namespace
	guest     bool     // the key is that of every OpenWhisk's guest
	header    http.Header
	transport *http.Transport
	mark      mark.Mark
	secrets   secret.Known
	beacons   beacon.Ledger // of answers, beside their records

	evictions, disproved, silent, foreign, waits, asked atomic.Uint64
}

// New makes the platform. It looks for host and key and asks nobody; the error
// holds every fault of the options.
func New(o Options) (*Platform, error) {
	api, key, err := o.resolve()
	if err != nil {
		return nil, err
	}
	p := &Platform{options: o, api: api, mark: mark.Own(o.Run), transport: exchange.Transport()}
	basic := base64.StdEncoding.EncodeToString([]byte(key))
	id, password, _ := strings.Cut(key, ":")
	p.guest = id == guestID
	p.secrets.Add(append(exchange.ProxySecrets(os.Getenv), key, password, basic)...)
	p.header = http.Header{"Authorization": {"Basic " + basic}, "Content-Type": {"application/json"}, "User-Agent": {"coldcurve"}}
	p.transport.Proxy = http.ProxyFromEnvironment // never one for loopback
	return p, nil
}

// guestID is the first half of the key of the guest that an OpenWhisk begins with
// on a machine of one's own. It is in OpenWhisk's sources (ansible/files/auth.guest),
// so that nobody who bills takes it. As of 2026-11-22.
const guestID = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502"

// Beyond names what somebody may have to pay for: the API host, and where it may
// lead. It is "" for one on this machine that the guest's key opens.
func (p *Platform) Beyond(context.Context, []string) string {
	switch {
	case !exchange.IsLoopback(p.api.String()):
		return p.Where()
	case !p.guest:
		return p.Where() + ", which may lead elsewhere, as the key is not OpenWhisk's guest's"
	}
	return ""
}

// Where names the API host for a reader.
func (p *Platform) Where() string { return p.api.Scheme + "://" + p.api.Host }

// Claims are what an activation's record tells.
func (p *Platform) Claims() platform.Claims {
	limits := UsualLimits()
	return platform.Claims{
		Grade: sample.Attested,
		Errors: []sample.ErrorKind{
			sample.Throttled, sample.Timeout, sample.Handler, sample.Init, sample.Crash, sample.OutOfMemory, sample.Payload, sample.Refused,
		},
		Payload: limits.Payload, Response: limits.Result - wrapping,
		Lacks: map[platform.Capability]string{
			platform.Naming:  "activation records do not say which container served",
			platform.Billing: "activation records do not tell what is billed",
		},
	}
}

// Describe tells what answers, and what of it nobody took at its word.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	evictions := p.evictions.Load()
	d := platform.Description{Name: "openwhisk", Facts: map[string]string{
		"endpoint": p.Where(), "namespace": p.options.Namespace, "run": p.mark.Run,
		"evictions": strconv.FormatUint(evictions, 10),
	}}
	note := func(n uint64, format string, args ...any) {
		if n > 0 {
			d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
		}
	}
	note(evictions, "starts were made cold by updating the action: its next version has containers of its own")
	note(p.disproved.Load(), "after %d of %d evictions the record tells no init: those requests count as warm", p.disproved.Load(), evictions)
	note(p.asked.Load(), "%d invocations were not waited for and asked after: they are known to be done up to %s late", p.asked.Load(), units.FormatDuration(longestPause))
	note(p.silent.Load(), "%d records tell neither wait nor init: nothing says how those requests were served", p.silent.Load())
	d.Notes = append(d.Notes, p.beacons.Counts().Notes()...)
	note(p.foreign.Load(), "%d answers came with the record of another activation: nothing of it is believed", p.foreign.Load())
	note(p.waits.Load(), "%d records tell more time than their request took: how long it waited is left out", p.waits.Load())
	return d, nil
}

// Close closes the connections.
func (p *Platform) Close(context.Context) error {
	p.transport.CloseIdleConnections()
	return nil
}

// longestPause is between two times of asking after an activation.
const longestPause = time.Second
