package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/priority"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
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
// real-time priority where it may (see [priority.Raise]), except what starts
// instances, so a process does well to run one Serve and nothing else.
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
	refused := func(err error) { talk.Print(err) }
	box, err := openSandbox(o.Settings, refused)
	if err != nil {
		return err
	}
	rt, err := engine.New(engine.Options{
		Sandboxes: map[string]sandbox.Sandbox{"process": box}, Policy: o.policy(),
	})
	if err != nil {
		return errors.Join(err, box.Close())
	}
	functions, err := catalog.Open(catalog.Options{Runtime: rt, Data: o.Data})
	if err != nil {
		return errors.Join(err, rt.Close(context.Background()))
	}
	api, err := lambdaapi.New(lambdaapi.Options{
		Runtime: rt, Catalog: functions, Signatures: signatures,
		Describe: func() platform.Description { return describe(o, rt, box) },
	})
	if err == nil {
		err = o.listen(refused)
	}
	if err != nil {
		return errors.Join(err, rt.Close(context.Background()), functions.Close())
	}
	// A provider's control plane does not share its cores with functions. Here
	// it does, and 200 starts at once left requests unread for 100 ms, which
	// then found instances that were free again: 45 to 200 were started. (Giving
	// the functions less weight instead was tried and left out: they then yield
	// to everything else on the machine too, and provisioning took .7 s beside
	// two compilers.) The threads that start instances stay with these.
	defer priority.Raise(priority.ControlPlane, box.Threads()...).Release()
	return errors.Join(serve(ctx, o, rt, newFront(o, api, talk)), functions.Close())
}

// listen opens the address, if there is no listener in its place, and keeps
// other users from what is listened on.
func (o *ServeOptions) listen(refused func(error)) error {
	if o.Direct != nil {
		o.Direct = peer.Guard(o.Direct, refused)
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
func serve(ctx context.Context, o ServeOptions, rt *engine.Runtime, f *front) error {
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
	return errors.Join(err, rt.Close(over), f.close())
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

func openSandbox(s Settings, refused func(error)) (*process.Sandbox, error) {
	if s.Sandbox != "" && s.Sandbox != "process" {
		return nil, fmt.Errorf("no sandbox %q: write process", s.Sandbox)
	}
	clients, err := fixtures.RuntimeClients(s.Cache)
	if err != nil {
		return nil, err
	}
	box, err := process.New(process.Options{
		RuntimeClients: clients, NoCgroups: s.NoCgroups, Adopt: true,
		AllowAnyLocalUser: s.AllowAnyLocalUser, Refused: refused,
	})
	if errors.Is(err, peer.ErrUnknown) {
		err = fmt.Errorf("%w; with --allow-any-local-user every user of this machine may connect", err)
	}
	return box, err
}

// describe is the runtime's account of itself.
func describe(o ServeOptions, rt *engine.Runtime, box *process.Sandbox) platform.Description {
	d := platform.Description{
		Name: "reference", Version: o.Version,
		Facts: map[string]string{
			"sandbox":     "process",
			"keep_alive":  units.FormatDuration(o.KeepAlive),
			"concurrency": "unlimited",
			"queue":       strconv.Itoa(o.Queue),
			"binding":     "early",
			"go":          runtime.Version(),
		},
		Notes:   slices.Concat(rt.Notes(), box.Notes()),
		Process: os.Getpid(),
		Clock:   true,
	}
	maps.Copy(d.Facts, box.Facts())
	if o.KeepAlive < 0 {
		d.Facts["keep_alive"] = forever
	}
	if o.Concurrency > 0 {
		d.Facts["concurrency"] = strconv.Itoa(o.Concurrency)
	}
	if o.StartBurst > 0 {
		d.Facts["starts"] = fmt.Sprintf("%d at once, then %s", o.StartBurst, o.StartRate)
	}
	if o.QueueTimeout > 0 {
		d.Facts["queue_timeout"] = units.FormatDuration(o.QueueTimeout)
	}
	if o.LateBinding {
		d.Facts["binding"] = "late"
	}
	return d
}
