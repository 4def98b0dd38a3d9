// Package http is the platform that is already there: whatever answers at a URL.
//
// In: a URL. Out: one HTTP request an invocation, and the evidence that the
// function's beacon gives, if it has one ([beacon.Instance], [beacon.Ordinal]);
// without it the start kind is unknown. Nothing is sent but the invocations: no
// probe, no retry, no redirect followed, no compression asked for. It deploys
// nothing, and it cannot make a start cold.
package http

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
)

// Platform is a server at a URL. All of its functions are that server.
type Platform struct {
	options   Options
	target    *url.URL
	host      string // of the Host header
	headers   http.Header
	transport *http.Transport
	base      time.Time // with a monotonic reading
	beacons   beacon.Ledger
	dials     atomic.Uint64
}

// New makes the platform. It connects to nothing; the error holds every fault
// of the options.
func New(options Options) (*Platform, error) {
	target, err := options.resolve()
	if err != nil {
		return nil, err
	}
	p := &Platform{options: options, target: target, base: time.Now()}
	p.headers, p.host = options.headers(target)
	var dialer net.Dialer
	p.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, // never one for loopback
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			p.dials.Add(1)
			return dialer.DialContext(ctx, network, address)
		},
		DisableCompression:  true,
		ForceAttemptHTTP2:   true,    // a DialContext of one's own turns it off
		MaxIdleConnsPerHost: 1 << 16, // as many as can be in flight: the default of 2 would dial all the time
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
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
	return &deployment{platform: p, function: f.Name}, nil
}

// Describe names the URL and the headers; secrets (userinfo, the query, the
// headers' values) stay out.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	shown := url.URL{Scheme: p.target.Scheme, Host: p.target.Host, Path: p.target.Path}
	counts := p.beacons.Counts()
	facts := map[string]string{
		"url":                   shown.String(),
		"timeout":               p.options.Timeout.String(),
		"connections":           strconv.FormatUint(p.dials.Load(), 10), // dialled so far
		"beacon_contradictions": strconv.FormatUint(counts.Contradictions, 10),
		"beacon_malformed":      strconv.FormatUint(counts.Malformed, 10),
	}
	if p.options.Method != "" {
		facts["method"] = p.options.Method
	}
	if len(p.options.Headers) > 0 {
		facts["headers"] = strings.Join(slices.Sorted(maps.Keys(p.options.Headers)), " ")
	}
	description := platform.Description{Name: "http", Facts: facts}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: p.target})
	if err != nil || proxy != nil {
		description.Notes = append(description.Notes, "requests go through a proxy, as the environment says")
	}
	return description, nil
}

// Close closes the idle connections. The others close with their requests.
func (p *Platform) Close(context.Context) error {
	p.transport.CloseIdleConnections()
	return nil
}
