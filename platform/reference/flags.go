package reference

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// forever is the keep-alive that never ends, as a flag.
const forever = "forever"

// Settings are the runtime's own options: what a serving process is told by
// its flags, and what [Open] tells its child.
type Settings struct {
	// KeepAlive is how long an idle instance lives. 0 keeps none, below 0 is for ever.
	KeepAlive time.Duration
	// Concurrency is the most requests at once over all functions; 0 is no limit.
	Concurrency int
	// StartBurst and StartRate bound the starts of each function: so many at
	// once, then so many a second. StartBurst 0 is no bound.
	StartBurst int
	StartRate  units.Rate
	// Queue is the most requests of a function that wait for an instance; 0
	// throttles at once. QueueTimeout is the longest wait; 0 is no bound.
	Queue        int
	QueueTimeout time.Duration
	// LateBinding lets a request that started an instance take whichever comes
	// free first.
	LateBinding bool
	// Sandbox is how instances are made. The default, and the only one, is "process".
	Sandbox string
	// NoCgroups leaves memory and CPU unlimited.
	NoCgroups bool
	// AllowAnyLocalUser lets every user of this machine connect, where the
	// default is this process's user and root. Whoever can connect runs code
	// as this process's user.
	AllowAnyLocalUser bool
	// Cache is the folder for the runtime clients. The default is the user's
	// cache folder.
	Cache string
}

// policy is the lifecycle's share of the settings.
func (s Settings) policy() lifecycle.Policy {
	p := lifecycle.Policy{
		KeepAlive: s.KeepAlive, Concurrency: s.Concurrency,
		StartBurst: s.StartBurst,
		QueueLimit: s.Queue, QueueTimeout: s.QueueTimeout,
		LateBinding: s.LateBinding,
	}
	if s.StartRate > 0 {
		p.StartEvery = startEvery(s.StartRate, s.StartBurst)
	}
	return p
}

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

// Args are the arguments of a serve command with these settings; [ServeFlags]
// is what reads them.
func (s Settings) Args() []string {
	keepAlive := s.KeepAlive.String()
	if s.KeepAlive < 0 {
		keepAlive = forever
	}
	args := []string{
		"--keep-alive=" + keepAlive,
		"--concurrency=" + strconv.Itoa(s.Concurrency),
	}
	add := func(given bool, flag, value string) {
		if given {
			args = append(args, "--"+flag+"="+value)
		}
	}
	add(s.StartBurst != 0, "start-burst", strconv.Itoa(s.StartBurst))
	add(s.StartRate != 0, "start-rate", strconv.FormatFloat(float64(s.StartRate), 'g', -1, 64)+"/s")
	add(s.Queue != 0, "queue", strconv.Itoa(s.Queue))
	add(s.QueueTimeout != 0, "queue-timeout", s.QueueTimeout.String())
	add(s.LateBinding, "late-binding", "true")
	add(s.Sandbox != "", "sandbox", s.Sandbox)
	add(s.NoCgroups, "no-cgroups", "true")
	add(s.AllowAnyLocalUser, "allow-any-local-user", "true")
	add(s.Cache != "", "cache", s.Cache)
	return args
}

// ServeFlags are the flags of a serve command. The tags are kong's.
type ServeFlags struct {
	Addr           string `default:"127.0.0.1:9001" help:"Address to listen on; port 0 picks one. One that is not loopback needs --keys, and TLS or --allow-plain-http."`
	Keys           string `type:"path" help:"File of access keys, in the form of AWS's shared credentials file, mode 0600. Requests have to be signed by one of them; without it this machine's other users are refused instead."`
	TLSCert        string `name:"tls-cert" type:"path" help:"PEM file of the certificate to serve with."`
	TLSKey         string `name:"tls-key" type:"path" help:"PEM file of its key."`
	AllowPlainHTTP bool   `name:"allow-plain-http" help:"Do without TLS on an address that is not loopback."`
	MaxConnections int    `help:"Most connections at once; more wait. 0 is 10,000."`

	Data string `type:"path" help:"Folder to keep functions in. The default is a temporary one."`

	KeepAlive    string `default:"10m" help:"How long an idle instance lives, such as 10m, or forever."`
	Concurrency  int    `default:"1000" help:"Most requests at once over all functions; 0 is no limit."`
	StartBurst   int    `help:"Most instances of a function started at once; 0 is no limit."`
	StartRate    string `help:"Starts of a function after the burst, such as 100/s."`
	Queue        int    `help:"Most requests of a function that wait for an instance; 0 throttles at once."`
	QueueTimeout string `help:"Longest wait in the queue, such as 5s. The default is no bound."`
	LateBinding  bool   `help:"Let a request that started an instance take whichever comes free first."`
	Sandbox      string `default:"process" help:"How instances are made: process."`
	NoCgroups    bool   `help:"Do not limit memory and CPU by cgroups."`
	Cache        string `type:"path" help:"Folder for runtime clients. The default is the user's cache folder."`

	AllowAnyLocalUser bool `help:"Serve every user of this machine, and so let each of them run code as you. The default is you and root."`

	ReadyFD  int `name:"ready-fd" default:"-1" hidden:"" help:"File descriptor to write the address to once it listens."`
	APIFD    int `name:"api-fd" default:"-1" hidden:"" help:"File descriptor of a listening socket, in place of the address."`
	ParentFD int `name:"parent-fd" default:"-1" hidden:"" help:"File descriptor whose end tells to end."`
	DirectFD int `name:"direct-fd" default:"-1" hidden:"" help:"File descriptor of a listening socket for the client's invocations."`
}

// Options reads the flags; its error names every flag that cannot be read.
func (f *ServeFlags) Options() (ServeOptions, error) {
	var errs []error
	duration := func(flag, text string) time.Duration {
		if text == "" {
			return 0
		}
		d, err := units.ParseDuration(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
		return d
	}
	o := ServeOptions{
		Addr: f.Addr, Data: f.Data,
		Access: Access{
			Keys: f.Keys, TLSCert: f.TLSCert, TLSKey: f.TLSKey,
			PlainHTTP: f.AllowPlainHTTP, Connections: f.MaxConnections,
		},
		Settings: Settings{
			Concurrency: f.Concurrency, StartBurst: f.StartBurst, Queue: f.Queue,
			QueueTimeout: duration("queue-timeout", f.QueueTimeout),
			LateBinding:  f.LateBinding, Sandbox: f.Sandbox, NoCgroups: f.NoCgroups, Cache: f.Cache,
			AllowAnyLocalUser: f.AllowAnyLocalUser,
		},
	}
	if o.KeepAlive = -1; f.KeepAlive != forever {
		o.KeepAlive = duration("keep-alive", f.KeepAlive)
	}
	if f.StartRate != "" {
		rate, err := units.ParseRate(f.StartRate)
		if err != nil {
			errs = append(errs, fmt.Errorf("--start-rate: %w", err))
		}
		o.StartRate = rate
		if err := checkStartRate(rate, f.StartBurst); err != nil {
			errs = append(errs, err)
		}
	}
	if err := o.policy().Validate(); len(errs) == 0 && err != nil {
		errs = append(errs, err)
	}
	if f.APIFD < 0 {
		if err := o.Access.Validate(cmp.Or(f.Addr, defaultAddr)); err != nil {
			errs = append(errs, err)
		}
	}
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
	return o, errors.Join(errs...)
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
