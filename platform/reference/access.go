package reference

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/netutil"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures/clients/lambdago/socket"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/sigv4"
)

// Access is who may reach the API over TCP, and how.
type Access struct {
	// Keys is a file as [sigv4.ReadKeys] reads it. With it every request has to
	// be signed, and whoever signs is served: this machine's other users too.
	// Without it requests need no signature, the address must be loopback, and
	// only this process's user and root are served. The default is none.
	Keys string
	// TLSCert and TLSKey are PEM files. The default is to serve without TLS.
	TLSCert, TLSKey string
	// PlainHTTP lets an address that is not loopback do without TLS. Signatures
	// do not hide what is sent: code, environments, payloads.
	PlainHTTP bool
	// Connections is the most at once; more wait until one ends. The default is
	// ConnectionLimits' own.
	Connections int
}

// ConnectionLimits are what a stranger may cost before the API has a say. (What
// a request's body may cost is lambdaapi.Limits.)
type ConnectionLimits struct {
	Connections int           // at once
	Header      time.Duration // from a connection's or request's beginning to the end of its header
	HeaderSize  units.Bytes   // of a request
	Idle        time.Duration // between a connection's requests
}

// DefaultConnectionLimits are coldcurve's own. The connections are what a
// thousand concurrent requests need, ten times; Idle is above any keep-alive
// that is probed over one connection.
func DefaultConnectionLimits() ConnectionLimits {
	return ConnectionLimits{Connections: 10_000, Header: 10 * time.Second, HeaderSize: 64 << 10, Idle: time.Hour}
}

// Validate tells all faults at once.
func (a Access) Validate(addr string) error {
	var errs []error
	host, _, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("address %q: %w", addr, err))
	case isLoopback(host):
	case a.Keys == "":
		errs = append(errs, fmt.Errorf("address %q is not loopback, so whoever reaches it could run code here: give --keys FILE, or write 127.0.0.1:PORT", addr))
	case a.TLSCert == "" && !a.PlainHTTP:
		errs = append(errs, fmt.Errorf("address %q is not loopback, so code and payloads would cross the network readable: give --tls-cert and --tls-key, or --allow-plain-http", addr))
	}
	if (a.TLSCert == "") != (a.TLSKey == "") {
		errs = append(errs, errors.New("--tls-cert and --tls-key go together"))
	}
	if a.Connections < 0 {
		errs = append(errs, fmt.Errorf("--max-connections %d: at least 1", a.Connections))
	}
	return errors.Join(errs...)
}

// Scheme is that of the API's address: http or https.
func (a Access) Scheme() string {
	if a.TLSCert == "" {
		return "http"
	}
	return "https"
}

// limits are the connections' own, with what was asked for.
func (a Access) limits() ConnectionLimits {
	l := DefaultConnectionLimits()
	if a.Connections > 0 {
		l.Connections = a.Connections
	}
	return l
}

// signatures checks them; nil if none are needed.
func (a Access) signatures() (lambdaapi.Signatures, error) {
	if a.Keys == "" {
		return nil, nil
	}
	keys, err := sigv4.ReadKeys(a.Keys)
	if err != nil {
		return nil, err
	}
	return sigv4.New(sigv4.Options{Keys: keys, Service: "lambda", MustSign: []string{"x-amz-", "x-coldcurve-"}})
}

// certificate is what TLS is served with; nil if it is not.
func (a Access) certificate() (*tls.Config, error) {
	if a.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(a.TLSCert, a.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// listen opens an address for those who may connect to it.
func (a Access) listen(addr string, anyUser bool, refused func(error)) (net.Listener, error) {
	certificate, err := a.certificate()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if a.Keys == "" && !anyUser {
		l = peer.Guard(l, refused)
	}
	l = socket.Listener(l)
	l = netutil.LimitListener(l, a.limits().Connections)
	if certificate != nil {
		l = tls.NewListener(l, certificate)
	}
	return l, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
