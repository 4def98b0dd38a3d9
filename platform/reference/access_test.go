package reference

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestAccess(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		access Access
		want   string // in the fault; "" for none
	}{
		{"127.0.0.1:0", Access{}, ""},
		{"127.9.9.9:1", Access{}, ""},
		{"[::1]:9001", Access{}, ""},
		{"localhost:9001", Access{}, ""},
		{"localhost:9001", Access{Keys: "keys"}, ""},
		{"0.0.0.0:9001", Access{}, "--keys"},
		{":9001", Access{}, "--keys"},
		{"[::]:9001", Access{}, "--keys"},
		{"192.168.1.7:80", Access{TLSCert: "c", TLSKey: "k"}, "--keys"},
		{"example.com:80", Access{PlainHTTP: true}, "--keys"},
		{"0.0.0.0:9001", Access{Keys: "keys"}, "--allow-plain-http"},
		{"0.0.0.0:9001", Access{Keys: "keys", PlainHTTP: true}, ""},
		{"0.0.0.0:9001", Access{Keys: "keys", TLSCert: "c", TLSKey: "k"}, ""},
		{"0.0.0.0:9001", Access{Keys: "keys", TLSCert: "c"}, "go together"},
		{"127.0.0.1:0", Access{TLSKey: "k"}, "go together"},
		{"127.0.0.1:0", Access{Connections: -1}, "--max-connections"},
		{"nonsense", Access{}, "missing port"},
	} {
		err := tt.access.Validate(tt.addr)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s, %+v: %v, want %q", tt.addr, tt.access, err, tt.want)
		}
	}
}

// TestReachedAt: nobody connects to "all addresses".
func TestReachedAt(t *testing.T) {
	for _, tt := range []struct{ listens, host, want string }{
		{"127.0.0.1", "localhost:9001", "127.0.0.1:9001"},
		{"0.0.0.0", "lambda.example:9001", "lambda.example:9001"},
		{"::", "192.168.1.7:9001", "192.168.1.7:9001"},
		{"::", "", "[::]:9001"},
	} {
		if got := reachedAt(&net.TCPAddr{IP: net.ParseIP(tt.listens), Port: 9001}, tt.host); got != tt.want {
			t.Errorf("%s by %q: %s, want %s", tt.listens, tt.host, got, tt.want)
		}
	}
}

func TestServeRefusesOtherAddresses(t *testing.T) {
	if err := Serve(context.Background(), ServeOptions{Addr: "0.0.0.0:0"}); err == nil {
		t.Error("Serve listened on all addresses")
	}
}

func TestServeRefusesOpenKeys(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the reference runtime needs Linux")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(testKeys), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Serve(context.Background(), ServeOptions{Addr: "127.0.0.1:0", Access: Access{Keys: path}})
	if err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("keys that others may read: %v", err)
	}
}

const testKeys = "[team]\naws_access_key_id = COLDCURVETESTKEY\naws_secret_access_key = a.secret.of.nobody/that.is.long.enough+\n"

// TestServeWithKeysAndTLS: nothing is answered without a signature, and a
// stranger's connection is not kept. (What is signed is lambdaapi's tests' to try.)
func TestServeWithKeysAndTLS(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the reference runtime needs Linux")
	}
	addr, client := serveSigned(t)
	for _, path := range []string{"/2015-03-31/functions", "/coldcurve/v1/describe", "/nothing"} {
		r, err := client.Get("https://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Body.Close() != nil {
			t.Fatal(err)
		}
		if r.StatusCode != http.StatusForbidden || r.Header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" || !r.Close ||
			r.TLS.Version < tls.VersionTLS12 {
			t.Errorf("%s: %s %s %v", path, r.Status, body, r.Header)
		}
	}
	if r, err := http.Get("http://" + addr + "/"); err == nil {
		if r.Body.Close(); r.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s", r.Status)
		}
	}
}

// serveSigned serves with keys and TLS until the test's end; the client knows the
// certificate.
func serveSigned(t *testing.T) (addr string, client *http.Client) {
	t.Helper()
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(testKeys), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key, pool := newCertificate(t)
	addr = serveHere(t, ServeOptions{Access: Access{Keys: keys, TLSCert: cert, TLSKey: key}})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return addr, &http.Client{Transport: transport}
}

// serveHere serves on loopback until the test's end.
func serveHere(t *testing.T, o ServeOptions) (addr string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready := make(told, 1)
	served := make(chan error, 1)
	o.Addr, o.Ready, o.NoCgroups, o.Cache = "127.0.0.1:0", ready, true, t.TempDir()
	go func() { served <- Serve(ctx, o) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	select {
	case addr = <-ready:
	case err := <-served:
		served <- nil
		t.Fatal(err)
	}
	return addr
}

// told gets the address.
type told chan string

func (c told) Write(p []byte) (int, error) {
	c <- strings.TrimSpace(string(p))
	return len(p), nil
}

func (c told) Close() error { return nil }

// newCertificate makes a certificate for loopback, and who believes it.
func newCertificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		var text bytes.Buffer
		if err := pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}); err != nil {
			t.Fatal(err)
		}
		if kind == "CERTIFICATE" {
			pool.AppendCertsFromPEM(text.Bytes())
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private), pool
}
