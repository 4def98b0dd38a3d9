// Package http is the platform that is already there: whatever answers at a URL.
//
// In: a URL, and a [Preset] for a platform whose habits are known. Out: one HTTP
// request an invocation, and the evidence that the function's beacon gives, if it
// has one ([beacon.Instance], [beacon.Ordinal]), or the platform in a header of
// its replies; without either the start kind is unknown. Nothing is sent but the
// invocations: no probe, no retry, no redirect followed, no compression asked for.
// It deploys nothing, and it cannot make a start cold.
package http

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/secret"
)

// Platform is a server at a URL. All of its functions are that server, unless
// [FunctionMark] is in the URL or the host.
type Platform struct {
	options   Options
	preset    Preset
	target    *url.URL // of [anyFunction]
	headers   http.Header
	secrets   secret.Known
	transport *http.Transport
	beacons   beacon.Ledger
	garbled   atomic.Uint64 // replies whose coldHeader says neither yes nor no
	dials     atomic.Uint64
}

// New makes the platform. It connects to nothing; the error holds every fault
// of the options.
func New(options Options) (*Platform, error) {
	preset, target, err := options.resolve()
	if err != nil {
		return nil, err
	}
	p := &Platform{options: options, preset: preset, target: target}
	p.headers = options.header(target.User, &preset.Credential)
	p.secrets.Add(options.secrets(target)...)
	var dialer net.Dialer
	p.transport = exchange.Transport()
	p.transport.Proxy = http.ProxyFromEnvironment // never one for loopback
	p.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		p.dials.Add(1)
		return dialer.DialContext(ctx, network, address)
	}
	return p, nil
}

// Claims are what a server that is there lets its callers see.
func (p *Platform) Claims() platform.Claims {
	const there = "what answers is there already, and is not this platform's"
	return platform.Claims{
		Grade:  sample.Beacon,
		Errors: []sample.ErrorKind{sample.Throttled, sample.Timeout, sample.Payload, sample.Refused},
		Lacks: map[platform.Capability]string{
			platform.Deploying: there, platform.Starting: there, platform.Evicting: there,
			platform.Billing: "a reply does not tell what it costs",
		},
	}
}

// Deploy accepts any function: it is taken to be what answers at the URL.
func (p *Platform) Deploy(_ context.Context, f platform.Function) (platform.Deployment, error) {
	target, _, err := p.options.target(&p.preset, f.Name)
	if err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: "deploy " + f.Name, Err: err}
	}
	return &deployment{platform: p, function: f.Name, target: target, host: named(p.options.Host, f.Name)}, nil
}

// Describe names the URL and the headers; secrets (userinfo, the query, the
// headers' values, the credential) stay out.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	shown := url.URL{Scheme: p.target.Scheme, Host: p.target.Host, Path: p.target.Path}
	counts := p.beacons.Counts()
	facts := map[string]string{
		"url":                   strings.ReplaceAll(shown.String(), anyFunction, FunctionMark),
		"timeout":               p.options.Timeout.String(),
		"connections":           strconv.FormatUint(p.dials.Load(), 10), // dialled so far
		"beacon_contradictions": strconv.FormatUint(counts.Contradictions, 10),
		"beacon_malformed":      strconv.FormatUint(counts.Malformed, 10),
	}
	add := func(name, value string) {
		if value != "" {
			facts[name] = value
		}
	}
	add("method", p.options.Method)
	add("host", p.options.Host)
	add("expect_status", strings.Trim(fmt.Sprint(p.options.Expect), "[]"))
	add("headers", strings.Join(slices.Sorted(maps.Keys(p.options.Headers)), " "))
	add("preset", p.preset.Name)
	if p.options.Secret.From != "" {
		facts["credential"] = p.preset.Credential.What + " " + p.options.Secret.String()
	}
	description := platform.Description{Name: "http", Facts: facts, Notes: p.notes(counts)}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: p.target})
	if err != nil || proxy != nil {
		description.Notes = append(description.Notes, "requests go through a proxy, as the environment says")
	}
	return description, nil
}

// notes are what a reader of the results must know.
func (p *Platform) notes(counts beacon.Counts) (notes []string) {
	if p.preset.Name != "" {
		notes = append(notes, fmt.Sprintf("asked as the documentation of %s says (preset %s, %s)", p.preset.Title, p.preset.Name, p.preset.RunAgainst))
	}
	notes = append(notes, counts.Notes()...)
	if n := p.garbled.Load(); n > 0 {
		notes = append(notes, fmt.Sprintf("%d replies have a header "+coldHeader+" that is neither true nor false: it is not believed", n))
	}
	return notes
}

// Close closes the idle connections. The others close with their requests.
func (p *Platform) Close(context.Context) error {
	p.transport.CloseIdleConnections()
	return nil
}
