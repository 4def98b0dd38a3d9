package http

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

// Options say what is asked, and how.
type Options struct {
	URL     string            // absolute, http or https; userinfo becomes basic authentication; [FunctionMark] in it is the function's name
	Host    string            // of the Host header, with the same mark; the default is the URL's
	Preset  string            // the platform's name, whose habits are known; the default is none
	Secret  Secret            // of the preset's credential, as [FindSecret] finds it
	Method  string            // the default is GET, POST where a payload is given
	Expect  []int             // the statuses of answers, other replies are failures; the default is those below 300, and 304
	Headers map[string]string // sent with every request; Host may be one
	Timeout time.Duration     // of one request, the reply's body included; the default is 30s
}

const usualTimeout = 30 * time.Second

// resolve fills in the defaults and gives the preset and where some function is
// asked, or every fault.
func (o *Options) resolve() (preset Preset, target *url.URL, err error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if o.Preset != "" {
		if preset, err = FindPreset(o.Preset); err != nil {
			return Preset{}, nil, err
		}
	}
	target, inURL, err := o.target(&preset, anyFunction)
	if inURL != "" {
		o.Secret = newSecret(inURL, "the URL")
	}
	switch {
	case err != nil:
		fault("url cannot be read: %w", err)
	case target.Scheme != "http" && target.Scheme != "https" || target.Host == "":
		fault("url %q is not absolute: write http://host/path or https://host/path", target.Redacted())
	case o.Secret.text != "" && target.Scheme == "http" && !isLoopback(target.Hostname()):
		fault("%s is not this machine, and the %s of %s would cross the network readable: write https://", target.Hostname(), preset.Credential.What, o.Secret.From)
	}
	if strings.Trim(o.Method, tokenBytes) != "" {
		fault("method %q is not a word such as GET", o.Method)
	}
	if o.Method == http.MethodTrace || o.Method == http.MethodConnect {
		fault("method %s is for proxies: write GET or POST", o.Method)
	}
	for name, value := range o.Headers {
		if name == "" || strings.Trim(name, tokenBytes) != "" {
			fault("header %q is not a name such as X-Api-Key", name)
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			fault("header %s has a line break in its value", name)
		}
		if strings.EqualFold(name, "Host") {
			o.Host = cmp.Or(o.Host, value)
		}
	}
	if strings.ContainsAny(o.Host, " /\r\n\x00") {
		fault("host %q is not a name such as hello.default.example.com", o.Host)
	}
	for _, status := range o.Expect {
		if status < http.StatusOK || status > 599 {
			fault("expect status %d is none of a reply: write 200 to 599", status)
		}
	}
	if o.Timeout < 0 {
		fault("timeout %v is negative", o.Timeout)
	}
	o.Timeout = cmp.Or(o.Timeout, usualTimeout)
	if len(faults) > 0 {
		return Preset{}, nil, fmt.Errorf("platform http: %w", errors.Join(faults...))
	}
	return preset, target, nil
}

// anyFunction is a name that stands for all where an address is looked at and
// nobody is asked: no URL can be parsed with the mark in its host.
const anyFunction = "coldcurve-any-function"

func named(text, function string) string { return strings.ReplaceAll(text, FunctionMark, function) }

// target is where a function is asked, and the preset's credential if that was
// in the URL, where the platform's own portal puts it. The error is without the
// URL, which may hold a password.
func (o *Options) target(p *Preset, function string) (target *url.URL, inURL string, err error) {
	if target, err = url.Parse(named(o.URL, url.PathEscape(function))); err != nil {
		return nil, "", errors.Unwrap(err)
	}
	if p.Path != "" && (target.Path == "" || target.Path == "/") {
		target.Path = named(p.Path, function)
	}
	if query := target.Query(); p.Credential.Query != "" && query.Has(p.Credential.Query) {
		inURL = query.Get(p.Credential.Query)
		query.Del(p.Credential.Query)
		target.RawQuery = query.Encode()
	}
	return target, inURL, nil
}

// isLoopback says whether a host is this machine, where nothing crosses a network.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// tokenBytes are the bytes of methods and header names (RFC 9110, 5.6.2).
const tokenBytes = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// secrets are what the server is sent that nobody else is to see.
func (o *Options) secrets(target *url.URL) []string {
	all := append(slices.Collect(maps.Values(o.Headers)), o.Secret.text)
	for _, values := range target.Query() {
		all = append(all, values...)
	}
	if password, ok := target.User.Password(); ok {
		all = append(all, password, exchange.Basic(target.User.Username(), password))
	}
	return append(all, exchange.ProxySecrets(os.Getenv)...)
}

// header is what every request carries.
func (o *Options) header(user *url.Userinfo, c *Credential) http.Header {
	all := http.Header{"User-Agent": {"coldcurve"}}
	if user != nil {
		password, _ := user.Password()
		all.Set("Authorization", "Basic "+exchange.Basic(user.Username(), password))
	}
	if o.Secret.text != "" {
		all.Set(c.Header, strings.TrimSpace(c.Scheme+" "+o.Secret.text))
	}
	for name, value := range o.Headers {
		all.Set(name, value)
	}
	all.Del("Host")
	// With one of these the transport would repeat a request that has no body.
	// It looks for them in this spelling only; to servers, case means nothing.
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if value, ok := all[name]; ok {
			delete(all, name)
			all[strings.ToLower(name)] = value
		}
	}
	return all
}
