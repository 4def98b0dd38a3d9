package http

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say what is asked, and how.
type Options struct {
	URL     string            // absolute, http or https; userinfo becomes basic authentication
	Method  string            // the default is GET, POST where a payload is given
	Headers map[string]string // sent with every request; Host may be one
	Timeout time.Duration     // of one request, the reply's body included; the default is 30s
}

const usualTimeout = 30 * time.Second

// resolve fills in the defaults and gives the URL, or every fault.
func (o *Options) resolve() (*url.URL, error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	target, err := url.Parse(o.URL)
	switch {
	case err != nil:
		fault("url cannot be read: %w", errors.Unwrap(err)) // without the URL, which may hold a password
	case target.Scheme != "http" && target.Scheme != "https" || target.Host == "":
		fault("url %q is not absolute: write http://host/path or https://host/path", target.Redacted())
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
	}
	if o.Timeout < 0 {
		fault("timeout %v is negative", o.Timeout)
	}
	if o.Timeout == 0 {
		o.Timeout = usualTimeout
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("platform http: %w", errors.Join(faults...))
	}
	return target, nil
}

// tokenBytes are the bytes of methods and header names (RFC 9110, 5.6.2).
const tokenBytes = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// headers are what every request carries, and the Host.
func (o *Options) headers(target *url.URL) (all http.Header, host string) {
	all = http.Header{"User-Agent": {"coldcurve"}}
	if user := target.User; user != nil {
		password, _ := user.Password()
		all.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	for name, value := range o.Headers {
		all.Set(name, value)
	}
	host = all.Get("Host")
	all.Del("Host")
	// With one of these the transport would repeat a request that has no body.
	// It looks for them in this spelling only; to servers, case means nothing.
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if value, ok := all[name]; ok {
			delete(all, name)
			all[strings.ToLower(name)] = value
		}
	}
	return all, host
}
