// Package server is the platform without functions: each function's code as a
// long-lived HTTP server on this machine, as it would run on a virtual machine
// or in a container.
//
// In: functions in Go (built for it, as package fixtures does), Node.js and
// Python, and how many processors they get. Out: one HTTP request an invocation
// over keep-alive on loopback, and readings of the servers' CPU time and memory.
// A server is started by Deploy, which waits until it listens, so every request
// is warm, and that is observed: nothing here starts for a request. It limits
// no memory, balances nothing between processes (they accept from one socket),
// and restarts nothing. It runs on Linux.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
)

// Options say how servers run.
type Options struct {
	// Workers is how many of this machine's processors each function's server
	// gets: it is tied to so many, and is one process with that GOMAXPROCS in
	// Go, so many processes in Node.js and Python. The default is 1.
	Workers int
	// Backlog is how many requests a server has at a time, in service and
	// waiting; more are refused at once, as Throttled. The default is no limit.
	Backlog int
	// Clients is the folder with the runtime clients, for Node.js and Python.
	Clients string
	// Programs are the interpreters of Node.js and Python, by absolute path.
	Programs map[platform.Runtime]string
}

// Platform is servers on this machine. It is a platform.Describer, Gauge,
// Historian, Logger and Closer too.
type Platform struct {
	options Options
	clock   clock.Monotonic

	mu       sync.Mutex
	servers  []*server // also those that have been removed
	readings []platform.Reading
	stop     func()        // ends the readings
	stopped  chan struct{} // is closed when they have ended
}

// New makes the platform; it starts nothing yet.
func New(o Options) (*Platform, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("platform server needs Linux: it ties servers to processors and reads what they use")
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	if most := processors(); o.Workers < 0 || o.Workers > most {
		return nil, fmt.Errorf("platform server: workers %d are outside 1 to %d, the processors that this process may use", o.Workers, most)
	}
	if o.Backlog < 0 {
		return nil, fmt.Errorf("platform server: backlog %d is below 0", o.Backlog)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Platform{options: o, clock: clock.New(), stop: cancel, stopped: make(chan struct{})}
	go p.watch(ctx)
	return p, nil
}

// Claims are what a server has that a function has not, and the other way round.
func (p *Platform) Claims() platform.Claims {
	c := platform.Claims{
		Grade:  sample.Observed,
		Errors: []sample.ErrorKind{sample.Handler, sample.Crash, sample.Timeout},
		Lacks: map[platform.Capability]string{
			platform.Starting: "servers are started before their traffic",
			platform.Evicting: "a server that is put away is not started again by a request",
			platform.Billing:  "a server is paid by the hour, not by the request",
		},
	}
	if p.options.Backlog > 0 {
		c.Errors = append(c.Errors, sample.Throttled)
	}
	return c
}

// startLimit bounds the time from a server's start until it listens.
const startLimit = time.Minute

// Deploy starts the function's server and returns when it listens.
func (p *Platform) Deploy(ctx context.Context, f platform.Function) (platform.Deployment, error) {
	d, err := p.deploy(ctx, f)
	if err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: "deploy " + f.Name, Err: err}
	}
	return d, nil
}

func (p *Platform) deploy(ctx context.Context, f platform.Function) (*deployment, error) {
	command, err := p.command(f)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close() // the processes have it then
	s := &server{function: f.Name, clock: p.clock, started: p.clock.Now()}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := s.start(ctx, command, p.options.Workers, listener.(*net.TCPListener)); err != nil {
		return nil, err
	}
	client, err := httpplatform.New(httpplatform.Options{URL: "http://" + listener.Addr().String() + "/", Method: http.MethodPost, Timeout: f.Timeout})
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	through, err := client.Deploy(ctx, f)
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	p.mu.Lock()
	p.servers = append(p.servers, s)
	p.read(s) // what it has used before its first request is not a request's
	p.mu.Unlock()
	return &deployment{server: s, client: client, through: through, backlog: int64(p.options.Backlog)}, nil
}

// command is what each of a server's processes executes.
type command struct {
	path string
	args []string
	dir  string
	env  []string
	each int // processes that a server of one worker has; 0 is one process whatever the workers
}

func (p *Platform) command(f platform.Function) (command, error) {
	dir, err := filepath.Abs(f.Code)
	if err != nil {
		return command{}, err
	}
	c := command{dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC",
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.FormatInt(int64(f.Memory)>>20, 10),
		"LAMBDA_TASK_ROOT=" + dir, "_HANDLER=" + f.Handler, "COLDCURVE_START=server",
	}}
	for name, value := range f.Env {
		c.env = append(c.env, name+"="+value)
	}
	switch f.Runtime {
	case platform.Go:
		c.path = filepath.Join(dir, "bootstrap")
		c.env = append(c.env, "GOMAXPROCS="+strconv.Itoa(p.options.Workers))
		return c, nil
	case platform.NodeJS:
		c.args = []string{filepath.Join(p.options.Clients, "bootstrap.mjs")}
	case platform.Python:
		c.args = []string{filepath.Join(p.options.Clients, "bootstrap.py")}
	default:
		return command{}, fmt.Errorf("runtime %q: a server runs go, nodejs and python", f.Runtime)
	}
	c.path, c.each = p.options.Programs[f.Runtime], 1
	if c.path == "" || p.options.Clients == "" {
		return command{}, fmt.Errorf("runtime %s: no interpreter and runtime client are given", f.Runtime)
	}
	return c, nil
}

// deployment is one function's server.
type deployment struct {
	server  *server
	client  *httpplatform.Platform
	through platform.Deployment
	backlog int64
	there   atomic.Int64 // requests
}

// Invoke sends one request to the server, unless that has as many as it may.
func (d *deployment) Invoke(ctx context.Context, in platform.Request) (platform.Response, error) {
	defer d.there.Add(-1)
	if d.there.Add(1) > d.backlog && d.backlog > 0 {
		return platform.Response{Status: http.StatusServiceUnavailable, Evidence: d.evidence()},
			&platform.Error{Kind: sample.Throttled, Op: "invoke " + d.server.function, Err: fmt.Errorf("its server has %d requests, as many as its backlog takes", d.backlog)}
	}
	out, err := d.through.Invoke(ctx, in)
	if out.Status != 0 {
		out.Evidence = d.evidence()
		d.server.served.Add(1)
	}
	if err == nil {
		return out, nil
	}
	failed, ok := errors.AsType[*platform.Error](err)
	switch {
	case ok && out.Status == http.StatusInternalServerError:
		failed.Kind = sample.Handler // a server says so of its handler, and of nothing else
	case ok && failed.Kind == sample.Network:
		if ended := d.server.ended(); ended != nil {
			return out, &platform.Error{Kind: sample.Crash, Op: failed.Op, Err: ended}
		}
	}
	return out, err
}

// evidence is that of every request: its server was there.
func (d *deployment) evidence() platform.Evidence {
	return platform.Evidence{Start: sample.Warm, Grade: sample.Observed, Instance: d.server.name()}
}

// endLimit bounds the time that a server may take to end.
const endLimit = 10 * time.Second

// Remove ends the server.
func (d *deployment) Remove(ctx context.Context) error {
	lasting, end := platform.Outlive(ctx)
	defer end()
	ctx, cancel := context.WithTimeout(lasting, endLimit)
	defer cancel()
	return errors.Join(d.client.Close(ctx), d.server.close(ctx))
}

// Describe tells how servers run here.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := platform.Description{Name: "server", Clock: true, Facts: map[string]string{
		"workers": strconv.Itoa(p.options.Workers), "reading_every": readingGap.String(),
	}}
	if p.options.Backlog > 0 {
		d.Facts["backlog"] = strconv.Itoa(p.options.Backlog)
	}
	for r, path := range p.options.Programs {
		d.Facts["interpreter."+string(r)] = path
	}
	d.Notes = []string{"functions' memory limits are not enforced: their servers share this machine's memory"}
	if p.options.Workers >= processors() {
		d.Notes = append(d.Notes, "the servers share all processors with the load generator")
	}
	return d, nil
}

// Readings are what the servers have used until now, by function and time.
func (p *Platform) Readings(context.Context) ([]platform.Reading, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.servers {
		p.read(s)
	}
	return slices.Clone(p.readings), nil
}

// Instances are the lives of the servers.
func (p *Platform) Instances(context.Context) ([]platform.InstanceRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []platform.InstanceRecord
	for _, s := range p.servers {
		r := platform.InstanceRecord{
			ID: s.name(), Function: s.function, Started: s.started, Provisioned: s.started, Ready: s.ready,
			Gone: s.gone.Load(), Invocations: s.served.Load(), InitAttempts: 1,
		}
		if r.Gone != 0 {
			r.Reason = "shutdown"
		}
		for _, reading := range p.readings {
			if reading.Function == s.function {
				r.MaxMemory = max(r.MaxMemory, reading.Memory)
			}
		}
		list = append(list, r)
	}
	return list, nil
}

// Logs are the ends of what the servers have printed.
func (p *Platform) Logs(context.Context) (map[string]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	logs := map[string]string{}
	for _, s := range p.servers {
		if text := s.log.String(); text != "" {
			logs[s.function] = text
		}
	}
	return logs, nil
}

// Close ends all servers.
func (p *Platform) Close(ctx context.Context) error {
	p.stop()
	<-p.stopped
	p.mu.Lock()
	servers := slices.Clone(p.servers)
	p.mu.Unlock()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.close(ctx))
	}
	return errors.Join(errs...)
}

// readingGap is short beside a phase and long beside a reading, which takes
// some 50 us a process.
const readingGap = 100 * time.Millisecond

// watch reads what the servers have used until the context ends.
func (p *Platform) watch(ctx context.Context) {
	defer close(p.stopped)
	tick := time.NewTicker(readingGap)
	defer tick.Stop()
	for {
		p.mu.Lock()
		for _, s := range p.servers {
			p.read(s)
		}
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// read appends a reading of a server. The caller holds the lock.
func (p *Platform) read(s *server) {
	if r, ok := s.read(); ok {
		p.readings = append(p.readings, r)
	}
}
