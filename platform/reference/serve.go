package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures/clients/lambdago/socket"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
)

// ServeOptions are how the runtime is served.
type ServeOptions struct {
	Settings
	Access
	// Data is the folder that functions are kept in. The default is a temporary
	// one.
	Data string
	// Addr is what to listen on. The default is 127.0.0.1:9001; Access says
	// what an address needs that is not loopback.
	Addr string
	// API is listened on in place of Addr. The default is none.
	API net.Listener
	// Ready gets the address, with a line break, once it is listened on, and
	// is closed then. The default is nobody.
	Ready io.WriteCloser
	// Parent is read until it ends; then the runtime ends too, at once. The
	// default is nobody.
	Parent io.Reader
	// Direct is a second listener, for the invocations of this package's
	// client alone. The default is none.
	Direct net.Listener
	// Grace is how long requests may go on that are being served when ctx
	// ends. The default is 5s.
	Grace time.Duration
	// Version is the program's, for the description.
	Version string
	// Log gets what the HTTP server has to say, and a line for each connection
	// that is refused. The default is nobody.
	Log io.Writer
}

const (
	defaultAddr  = "127.0.0.1:9001"
	defaultGrace = 5 * time.Second
)

// Serve runs the reference runtime until ctx ends or the parent goes. It
// returns when no instance is left. Meanwhile it raises the whole process to
// real-time priority where it may (see package priority), except what starts
// instances, so a process does well to run one Serve and nothing else. With
// sandbox wasm, whose functions run in this process, it does not.
func Serve(ctx context.Context, o ServeOptions) (err error) {
	if runtime.GOOS != "linux" {
		return errNoLinux
	}
	if o.Addr == "" {
		o.Addr = defaultAddr
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.API == nil {
		if err := o.Access.Validate(o.Addr); err != nil {
			return err
		}
	}
	signatures, err := o.signatures()
	if err != nil {
		return err
	}
	talk := log.New(orDiscard(o.Log), "coldcurve: serve: ", 0)
	p, err := openParts(o, talk.Printf)
	if err != nil {
		return err
	}
	front, err := openFront(&o, p, signatures, talk)
	if err != nil {
		return errors.Join(err, p.close(context.Background()))
	}
	defer p.boxes.raise()()
	return serve(ctx, o, p, front)
}

// openFront begins to listen, and has what comes answered by the parts.
func openFront(o *ServeOptions, p *parts, signatures lambdaapi.Signatures, talk *log.Logger) (*front, error) {
	if err := o.listen(func(err error) { talk.Print(err) }); err != nil {
		return nil, err
	}
	api, err := lambdaapi.New(lambdaapi.Options{
		Runtime: p.runtime, Catalog: p.functions, Signatures: signatures,
		Events: p.triggers, Triggers: p.triggers, Usage: p.meter.Usage,
		FunctionURL: func(host, id string) string {
			return o.Access.Scheme() + "://" + reachedAt(o.API.Addr(), host) + urlPrefix + id + "/"
		},
		Describe: func() platform.Description { return describe(*o, p) },
	})
	if err != nil {
		return nil, err
	}
	own := &urls{catalog: p.functions, api: api, signatures: signatures, clock: p.triggers.clock, limit: int64(p.runtime.Limits().Payload)}
	return newFront(*o, api, own, talk), nil
}

// reachedAt is where a caller reaches what listens on addr. Where that is every
// address of the machine, it is the one that the caller has come to.
func reachedAt(addr net.Addr, host string) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() && host != "" {
		return host
	}
	return addr.String()
}

// listen opens the address, if there is no listener in its place, and keeps
// other users from what is listened on.
func (o *ServeOptions) listen(refused func(error)) error {
	if o.Direct != nil {
		o.Direct = socket.Listener(peer.Guard(o.Direct, refused))
	}
	if o.API != nil {
		o.API = peer.Guard(o.API, refused)
		return nil
	}
	l, err := o.Access.listen(o.Addr, o.AllowAnyLocalUser, refused)
	o.API = l
	return err
}

// serve runs the listeners and ends them and the runtime in order.
func serve(ctx context.Context, o ServeOptions, p *parts, f *front) error {
	f.start()
	grace := o.Grace
	err := tellReady(o.Ready, o.API.Addr())
	if err == nil {
		select {
		case err = <-f.failed:
			err = fmt.Errorf("serve: %w", err)
		case <-ctx.Done():
		case <-ended(o.Parent):
			grace = 0 // nobody is left to answer
		}
	}
	over, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	f.refuse()
	return errors.Join(err, p.close(over), f.close())
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

func tellReady(ready io.WriteCloser, addr net.Addr) error {
	if ready == nil {
		return nil
	}
	_, err := fmt.Fprintf(ready, "%s\n", addr)
	if err := errors.Join(err, ready.Close()); err != nil {
		return fmt.Errorf("tell that it listens: %w", err)
	}
	return nil
}

// ended gives a channel that is closed at the end of r; without r, never.
func ended(r io.Reader) <-chan struct{} {
	end := make(chan struct{})
	if r != nil {
		go func() {
			_, _ = io.Copy(io.Discard, r)
			close(end)
		}()
	}
	return end
}

// describe is the runtime's account of itself.
func describe(o ServeOptions, p *parts) platform.Description {
	d := platform.Description{
		Name: "reference", Version: o.Version, Facts: p.boxes.facts(), Notes: slices.Concat(p.runtime.Notes(), p.functions.Notes(), p.boxes.notes()),
		Process: os.Getpid(), Clock: true,
	}
	d.Facts["go"] = runtime.Version()
	describePolicy(d.Facts, o.Policy)
	if o.Memory > 0 {
		d.Facts["memory_budget"] = units.FormatBytes(o.Memory)
	}
	for runtime, n := range o.Stock {
		d.Facts["pool_"+string(runtime)] = strconv.Itoa(n)
	}
	return d
}

// describePolicy states the policy in a reader's units.
func describePolicy(facts map[string]string, p lifecycle.Policy) {
	facts["keep_alive"] = units.FormatDuration(p.KeepAlive)
	switch {
	case p.KeepAlive < 0:
		facts["keep_alive"] = forever
	case p.Hybrid != nil:
		facts["keep_alive"] = "hybrid histogram"
	case len(p.Survival) > 0:
		facts["keep_alive"] = "survival curve to " + units.FormatDuration(p.Survival[len(p.Survival)-1].Idle)
	}
	facts["concurrency"] = "unlimited"
	facts["queue"] = strconv.Itoa(p.QueueLimit)
	facts["binding"] = "early"
	say := func(given bool, key, format string, args ...any) {
		if given {
			facts[key] = fmt.Sprintf(format, args...)
		}
	}
	say(p.Concurrency > 0, "concurrency", "%d", p.Concurrency)
	say(p.LateBinding, "binding", "late")
	say(p.StartBurst > 0, "starts", "%d at once, then one each %s", p.StartBurst, units.FormatDuration(p.StartEvery))
	say(p.QueueTimeout > 0, "queue_timeout", "%s", units.FormatDuration(p.QueueTimeout))
	say(p.Pause, "pause_after", "%s", units.FormatDuration(p.PauseAfter))
	say(p.Slots > 1, "instance_concurrency", "%d", p.Slots)
	say(p.Noise > 0, "routing_noise", "%s", units.FormatShare(p.Noise))
	say(len(p.Provisioned) > 0, "provisioned", "scheduled")
	say(len(p.Provisioned) == 1 && first(p.Provisioned).From == 0, "provisioned", "%d", first(p.Provisioned).Count)
	say(p.Ping.Count > 0, "ping", "%d each %s", p.Ping.Count, units.FormatDuration(p.Ping.Every))
}

func first(levels []lifecycle.Level) (l lifecycle.Level) {
	if len(levels) > 0 {
		l = levels[0]
	}
	return l
}
