package openwhisk

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/mark"
)

// Options say where functions run.
type Options struct {
	// APIHost is a host or URL. The default is WSK_APIHOST, and else what the wsk
	// command's properties say (WSK_CONFIG_FILE, ~/.wskprops). The key has no
	// option: it is WSK_AUTH, or in those properties.
	APIHost string
	// Namespace is as APIHost, by WSK_NAMESPACE; the last default is the key's own.
	Namespace string
	// Run is in the name of everything that is made. The default is drawn.
	Run string
	// Answer is how long the API may take to answer what waits for no function;
	// an invocation may take so much longer than its function. The default is 30s.
	Answer time.Duration
}

const (
	usualAnswer  = 30 * time.Second
	ownNamespace = "_"
	hintProps    = "`wsk property set --apihost HOST --auth KEY` sets both, or WSK_APIHOST and WSK_AUTH do"
)

var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_@ .-]{0,255}$`)

// resolve fills in the defaults, and gives the namespace's URL and the key, or every
// fault.
func (o *Options) resolve() (api *url.URL, key string, err error) {
	props, from, err := properties()
	if err != nil {
		return nil, "", unready(err, hintProps)
	}
	said := func(option, name string) string { return cmp.Or(option, os.Getenv("WSK_"+name), props[name]) }
	host, auth := said(o.APIHost, "APIHOST"), said("", "AUTH")
	o.Namespace = cmp.Or(said(o.Namespace, "NAMESPACE"), ownNamespace)
	o.Run, o.Answer = cmp.Or(o.Run, mark.Draw()), cmp.Or(o.Answer, usualAnswer)
	switch {
	case host == "":
		return nil, "", unready(fmt.Errorf("no API host, neither in the environment nor in %s", from), hintProps)
	case auth == "":
		return nil, "", unready(fmt.Errorf("no key for %s, neither in the environment nor in %s", withoutUser(host), from), hintProps)
	}
	faults := []error{mark.CheckRun(o.Run)}
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		faults = append(faults, errors.New("the API host is no host or URL: write https://openwhisk.example.com"))
	case u.Scheme == "http" && !exchange.IsLoopback(host):
		faults = append(faults, fmt.Errorf("http://%s is not this machine, and key and code would cross the network readable: write https://", u.Host))
	}
	if id, secret, found := strings.Cut(auth, ":"); !found || id == "" || secret == "" {
		faults = append(faults, errors.New("the key is not of the form ID:SECRET"))
	}
	if !namespacePattern.MatchString(o.Namespace) {
		faults = append(faults, fmt.Errorf("namespace %q is no name: write for example guest", o.Namespace))
	}
	if o.Answer < 0 {
		faults = append(faults, fmt.Errorf("a time to wait of %v is below 0", o.Answer))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, "", fmt.Errorf("platform openwhisk: %w", err)
	}
	api = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/api/v1/namespaces/" + o.Namespace}
	return api, auth, nil
}

// withoutUser is a host as it may be printed.
func withoutUser(host string) string { return host[strings.LastIndexByte(host, '@')+1:] }

// properties are the wsk command's, and where they were looked for. No file is
// none.
func properties() (props map[string]string, from string, err error) {
	from = os.Getenv("WSK_CONFIG_FILE")
	if from == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, "", err
		}
		from = filepath.Join(home, ".wskprops")
	}
	f, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, from, nil
	}
	if err != nil {
		return nil, from, err
	}
	defer f.Close()
	props = make(map[string]string)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), "="); found {
			props[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return props, from, lines.Err()
}

// unready is the error of a platform that cannot be used.
func unready(err error, hint string) error {
	return &platform.Error{Kind: sample.Refused, Op: "platform openwhisk", Err: err, Hint: hint}
}
