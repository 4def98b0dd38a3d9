// Package lambda is AWS Lambda as a platform, and whatever else speaks its API:
// LocalStack, serverless-offline, coldcurve serve.
//
// In: functions as folders or images, or the names of some that are there. Out:
// functions of Lambda under names of their own, marked by tags and description,
// one Invoke a request, and the evidence of each answer's REPORT line: an Init
// Duration is a cold start, a Restore Duration a restored one. Where there is no
// such line (serverless-offline), the function's own beacon is the evidence, and
// where there is, it is held against the line, if
// its answer is a JSON object that has one among its headers, as a function's
// behind a URL has them. An Init Duration that fits into its request is taken at
// its word where the function has no beacon: whether it is made up the numbers do
// not tell, and of an endpoint that is not AWS's a note says how many there were.
// Nothing is sent but what was asked for: no probe and no
// repeated invocation. Evict makes the next start cold by a change of
// configuration, and returns when that is live. What was there already is
// invoked, and changed by Evict alone, where that was asked for.
//
// Credentials come from where AWS's own tools find them, and are never printed.
// It makes no roles, networks or log groups, and knows no prices. It is run
// against coldcurve serve and serverless-offline, and against servers that
// answer as AWS's documentation says; at AWS itself, and against LocalStack, it
// has not been run live.
package lambda

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/mark"
	"github.com/coldcurve/coldcurve/platform/secret"
)

// Limits are AWS Lambda's, of what is sent through this package.
type Limits struct {
	Payload, Response units.Bytes   // of a synchronous invocation
	Memory, Storage   units.Bytes   // most that a function may have
	Timeout           time.Duration // longest that it may be given
	Init              time.Duration // longest first attempt of init
	Name              int           // most characters of a function's name
	Source, AsOf      string
}

// LambdaLimits are AWS Lambda's quotas.
func LambdaLimits() Limits {
	return Limits{
		Payload: 6 * units.MB, Response: 6 * units.MB, Memory: 10240 * units.MB, Storage: 10240 * units.MB, Timeout: 15 * time.Minute, Init: 10 * time.Second, Name: 64,
		Source: "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; Init: .../lambda-runtime-environment.html",
		AsOf:   "2026-11-22",
	}
}

// Platform is one account in one region, or one Lambda-compatible endpoint. It
// is a platform.Describer, Claimant and Closer too.
type Platform struct {
	options  Options
	endpoint string         // "" is AWS's own of the region
	control  *lambda.Client // for everything but invocations: tries again what was throttled
	invoker  *lambda.Client // for invocations: tries nothing again
	mark     mark.Mark
	secrets  secret.Known
	close    func()

	memory  sizes         // of functions that are there already
	heard   atomic.Bool   // somebody answers there
	beacons beacon.Ledger // of answers without a report

	evictions, disproved, foreign, silent atomic.Uint64
	ahead                                 atomic.Uint64 // inits before their request
	impossible                            atomic.Uint64 // reports of handlers that took longer than their request
	unheld                                atomic.Uint64 // cold starts that neither an eviction nor a beacon speaks for
}

// New makes the platform. It looks for credentials and asks Lambda nothing; the
// error holds every fault of the options.
func New(ctx context.Context, o Options) (*Platform, error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	p := &Platform{options: o, mark: mark.Own(o.Run)}
	if err := p.connect(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Loopback says whether the endpoint is this machine, where nothing is billed.
func (p *Platform) Loopback() bool { return exchange.IsLoopback(p.endpoint) }

// ofAWS says whether the endpoint is AWS's own, which is taken at its word.
func (p *Platform) ofAWS() bool {
	u, err := url.Parse(p.endpoint)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return p.endpoint == "" || strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

// Where names the endpoint for a reader, without what may be a secret.
func (p *Platform) Where() string {
	if p.endpoint == "" {
		return "AWS Lambda in " + p.options.Region
	}
	u, err := url.Parse(p.endpoint)
	if err != nil {
		return "an endpoint" // it was read before
	}
	return u.Scheme + "://" + u.Host
}

// Region is where functions are made.
func (p *Platform) Region() string { return p.options.Region }

// Claims are what Lambda tells of each answer. Which init failed it does not
// always say, nor by which instance an answer is.
func (p *Platform) Claims() platform.Claims {
	limits := LambdaLimits()
	c := platform.Claims{
		Grade: sample.Attested,
		Errors: []sample.ErrorKind{
			sample.Throttled, sample.Timeout, sample.Handler, sample.Crash, sample.Payload, sample.Refused,
		},
		Payload: limits.Payload, Response: limits.Response,
		Lacks: map[platform.Capability]string{platform.Naming: "Lambda's answers do not say which instance served"},
	}
	if p.options.Provisioned > 0 {
		c.Lacks[platform.Evicting] = "provisioned concurrency keeps instances ready"
	}
	if p.options.Existing {
		p.claimLess(&c)
	}
	return c
}

// claimLess takes out what only whoever deploys a function knows, and what only
// AWS promises of its own.
func (p *Platform) claimLess(c *platform.Claims) {
	const there = "what is invoked is there already"
	c.Grade, c.Payload, c.Response = sample.Beacon, 0, 0
	c.Lacks[platform.Deploying], c.Lacks[platform.Starting] = there, there
	c.Lacks[platform.Billing] = "not everything that speaks Lambda's API reports it"
	if !p.options.Change {
		c.Lacks[platform.Evicting] = "it is not to be changed"
	}
}

// Describe tells what answers, and what of it nobody took at its word.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	facts := map[string]string{
		"endpoint": p.Where(), "region": p.options.Region, "architecture": p.options.Architecture, "run": p.mark.Run,
	}
	if p.options.SnapStart {
		facts["snap_start"] = "published versions"
	}
	if p.options.Provisioned > 0 {
		facts["provisioned"] = strconv.Itoa(p.options.Provisioned)
	}
	p.memory.into(facts)
	d := platform.Description{Name: "lambda", Facts: facts}
	note := func(n uint64, format string, args ...any) {
		if n > 0 {
			d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
		}
	}
	evictions, disproved := p.evictions.Load(), p.disproved.Load()
	if evictions > 0 {
		facts["evictions"] = strconv.FormatUint(evictions, 10)
		d.Notes = append(d.Notes, "starts were made cold by changing the environment variable "+evictionVariable)
	}
	note(disproved, "after %d of %d evictions the platform says that an instance was there: those requests count as warm", disproved, evictions)
	note(p.silent.Load(), "%d answers came without a report or a beacon that can be believed: nothing tells how they were served", p.silent.Load())
	d.Notes = append(d.Notes, p.beacons.Counts().Notes()...)
	note(p.ahead.Load(), "%d reports tell an init that does not fit into its request, or of a process that is older than that: those starts count as provisioned", p.ahead.Load())
	note(p.impossible.Load(), "%d reports tell of a handler that took longer than its whole request: nothing of them is believed", p.impossible.Load())
	if !p.ofAWS() {
		note(p.unheld.Load(), "%d cold starts are by the word of %s alone: neither an eviction was before them, nor did the function tell by a beacon which process it was", p.unheld.Load(), p.Where())
	}
	note(p.foreign.Load(), "%d answers came with the report of another request: nothing of it is believed", p.foreign.Load())
	if !p.Loopback() && p.options.Role != "" {
		d.Notes = append(d.Notes, "if the role may write logs, Lambda keeps a log group /aws/lambda/NAME of each function, which stays")
	}
	return d, nil
}

// Close closes the connections.
func (p *Platform) Close(context.Context) error {
	p.close()
	return nil
}

// value is what an optional member of the API's documents holds.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
