package reference

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"regexp"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// forever is the keep-alive that never ends, as a flag.
const forever = "forever"

// startEvery is a rate's period. A bucket that takes longer to fill than a
// Duration can hold, 292 years, gets the period that fills it in that time.
func startEvery(rate units.Rate, burst int) time.Duration {
	every := float64(time.Second) / float64(rate)
	if longest := slowestEvery(burst); every >= float64(longest) {
		return longest // before the conversion, which would overflow
	}
	return max(1, time.Duration(every))
}

// slowestEvery is the longest period that a bucket of burst tokens can have.
func slowestEvery(burst int) time.Duration {
	return math.MaxInt64 / time.Duration(max(1, burst))
}

// checkStartRate refuses a rate whose period has to be shortened to one that a
// run could be long enough to see.
func checkStartRate(rate units.Rate, burst int) error {
	least := units.Rate(float64(time.Second) / float64(slowestEvery(burst)))
	if burst <= 0 || rate <= 0 || rate >= least || slowestEvery(burst) >= 24*time.Hour {
		return nil
	}
	return fmt.Errorf("--start-rate: %g/s is too slow for a --start-burst of %d: write at least %.2g/s, or a smaller burst",
		float64(rate), burst, 1.05*float64(least))
}

// ServeFlags are the flags of a serve command. The tags are kong's.
type ServeFlags struct {
	Addr           string `default:"127.0.0.1:9001" help:"Address to listen on; port 0 picks one. One that is not loopback needs --keys, and TLS or --allow-plain-http."`
	Keys           string `type:"path" help:"File of access keys, in the form of AWS's shared credentials file, mode 0600. Requests have to be signed by one of them; without it this machine's other users are refused instead."`
	TLSCert        string `name:"tls-cert" type:"path" help:"PEM file of the certificate to serve with."`
	TLSKey         string `name:"tls-key" type:"path" help:"PEM file of its key."`
	AllowPlainHTTP bool   `name:"allow-plain-http" help:"Do without TLS on an address that is not loopback."`
	MaxConnections int    `help:"Most connections at once; more wait. 0 is 10,000."`

	Region string `help:"Region that ARNs name and functions are told, such as eu-central-1. Requests may be signed for any. The default is us-east-1."`
	Data   string `type:"path" help:"Folder to keep functions in. The default is a temporary one."`

	KeepAlive    string   `help:"How long an idle instance lives, such as 10m, or forever. The default is 10m."`
	Concurrency  *int     `help:"Most requests at once over all functions; 0 is no limit. The default is 1000."`
	StartBurst   int      `help:"Most instances of a function started at once; 0 is no limit."`
	StartRate    string   `help:"Starts of a function after the burst, such as 100/s."`
	Queue        int      `help:"Most requests of a function that wait for an instance; 0 throttles at once."`
	QueueTimeout string   `help:"Longest wait in the queue, such as 5s. The default is no bound."`
	LateBinding  bool     `help:"Let a request that started an instance take whichever comes free first."`
	Seed         *uint64  `help:"Seed of what is drawn: how long instances live by a survival curve, start delays, routing noise, the versions of weighted aliases. The default is another one each time."`
	Sandbox      []string `help:"What functions can choose for their instances: process, namespace, wasm, container. Functions that do not choose have the first that can run them; the default is process."`
	NoCgroups    bool     `help:"Do not limit memory and CPU by cgroups."`
	Cache        string   `type:"path" help:"Folder for runtime clients. The default is the user's cache folder."`

	AllowAnyLocalUser bool `help:"Serve every user of this machine, and so let each of them run code as you. The default is you and root."`

	Settings string `hidden:"" help:"All settings as JSON, in place of the flags."`

	ReadyFD  int `name:"ready-fd" default:"-1" hidden:"" help:"File descriptor to write the address to once it listens."`
	APIFD    int `name:"api-fd" default:"-1" hidden:"" help:"File descriptor of a listening socket, in place of the address."`
	ParentFD int `name:"parent-fd" default:"-1" hidden:"" help:"File descriptor whose end tells to end."`
	DirectFD int `name:"direct-fd" default:"-1" hidden:"" help:"File descriptor of a listening socket for the client's invocations."`
}

// regionName is as ARNs have it.
var regionName = regexp.MustCompile(`^[a-z]{2}((-gov)|(-iso[a-z]?))?-[a-z]+-\d$`)

// DefaultSettings are those of a runtime that is told nothing.
func DefaultSettings() Settings {
	return Settings{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute, Concurrency: 1000}}
}

// Options reads the flags, which change the settings of base; its error names
// every flag that cannot be read.
func (f *ServeFlags) Options(base Settings) (ServeOptions, error) {
	var errs []error
	o := ServeOptions{
		Addr: f.Addr, Data: f.Data, Settings: base,
		Access: Access{
			Keys: f.Keys, TLSCert: f.TLSCert, TLSKey: f.TLSKey,
			PlainHTTP: f.AllowPlainHTTP, Connections: f.MaxConnections,
		},
	}
	if f.Settings != "" {
		if err := json.Unmarshal([]byte(f.Settings), &o.Settings); err != nil {
			errs = append(errs, fmt.Errorf("--settings: %w", err))
		}
	}
	if f.Seed != nil {
		o.Seed = *f.Seed
	}
	if len(f.Sandbox) > 0 {
		o.Sandboxes = f.Sandbox
	}
	o.NoCgroups = o.NoCgroups || f.NoCgroups
	o.AllowAnyLocalUser = o.AllowAnyLocalUser || f.AllowAnyLocalUser
	o.Cache, o.Region = cmp.Or(f.Cache, o.Cache), cmp.Or(f.Region, o.Region)
	if o.Region != "" && !regionName.MatchString(o.Region) {
		errs = append(errs, fmt.Errorf("--region: %q is not the name of a region: write one such as eu-central-1", o.Region))
	}
	errs = append(errs, f.policy(&o.Settings.Policy)...)
	if err := o.Settings.Policy.Validate(); len(errs) == 0 && err != nil {
		errs = append(errs, err)
	}
	if f.APIFD < 0 {
		if err := o.Access.Validate(cmp.Or(f.Addr, defaultAddr)); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, f.descriptors(&o)...)
	return o, errors.Join(errs...)
}

// policy changes p to what the flags say, and gives what cannot be read.
func (f *ServeFlags) policy(p *lifecycle.Policy) (errs []error) {
	duration := func(flag, text string) time.Duration {
		d, err := units.ParseDuration(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
		return d
	}
	switch f.KeepAlive {
	case "":
	case forever:
		p.KeepAlive, p.Survival, p.Hybrid = -1, nil, nil
	default:
		p.KeepAlive, p.Survival, p.Hybrid = duration("keep-alive", f.KeepAlive), nil, nil
	}
	if f.QueueTimeout != "" {
		p.QueueTimeout = duration("queue-timeout", f.QueueTimeout)
	}
	if f.Concurrency != nil {
		p.Concurrency = *f.Concurrency
	}
	p.StartBurst, p.QueueLimit = cmp.Or(f.StartBurst, p.StartBurst), cmp.Or(f.Queue, p.QueueLimit)
	p.LateBinding = p.LateBinding || f.LateBinding
	if f.StartRate == "" {
		return errs
	}
	rate, err := units.ParseRate(f.StartRate)
	if err != nil {
		errs = append(errs, fmt.Errorf("--start-rate: %w", err))
	}
	if err := checkStartRate(rate, p.StartBurst); err != nil {
		errs = append(errs, err)
	}
	if rate > 0 {
		p.StartEvery = startEvery(rate, p.StartBurst)
	}
	return errs
}

// descriptors takes over what a parent process left open, and gives what it
// did not.
func (f *ServeFlags) descriptors(o *ServeOptions) (errs []error) {
	if f.ReadyFD >= 0 {
		o.Ready = os.NewFile(uintptr(f.ReadyFD), "ready-fd")
	}
	if f.ParentFD >= 0 {
		o.Parent = os.NewFile(uintptr(f.ParentFD), "parent-fd")
	}
	var err error
	if o.API, err = inherited("api-fd", f.APIFD); err != nil {
		errs = append(errs, err)
	}
	if o.Direct, err = inherited("direct-fd", f.DirectFD); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// inherited is the listener that a parent process left at a descriptor, nil
// for none.
func inherited(flag string, fd int) (net.Listener, error) {
	if fd < 0 {
		return nil, nil
	}
	file := os.NewFile(uintptr(fd), flag)
	listener, err := net.FileListener(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return listener, nil
}
