// Package docker is a Docker engine as a platform: an instance is a container,
// and nothing stands between it and its requests.
//
// In: functions as images with a Runtime API client in them, or as folders that
// images are built of; which OCI runtime, and the tier. Out: a container for
// each request that finds none free, made as package container of the
// sandboxes makes them; one request at a time each, over its Runtime API. A
// container serves until it is evicted or its function removed: Docker has no
// keep-alive, and this package makes none up.
//
// Who started a container knows how its requests were served: evidence is
// observed. That a start was one is not taken on trust: the engine is asked
// when the container began to run (State.StartedAt of its inspection, once the
// answer is there), and if that was not within the request nothing is claimed. An instance's name is its container's id; only that container's user
// can answer for it.
//
// Everything made is labelled with the process that made it, so that
// [Leftovers] finds what a killed one has left. It pulls images and pushes
// none, and knows no prices.
//
// It is run against Docker 20.10 with runc and crun. gVisor's runsc has not been
// run: it refuses the machine's own network, and wants [Options.Network].
package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// Platform is one engine. It is a platform.Claimant, Describer, Historian,
// Logger and Closer too.
type Platform struct {
	options Options
	sandbox *container.Sandbox
	clock   clock.Monotonic

	started   atomic.Uint64 // starts, to number them by
	disproved atomic.Uint64 // starts that the engine says were at another time
	unproved  atomic.Uint64 // starts that the engine says nothing of
	restless  atomic.Uint64 // containers that could not be paused
	mourned   atomic.Bool   // a Remove has said that the engine has gone

	mu    sync.Mutex
	lives []*life // in the order of their starts
	logs  map[string]*sandbox.Tail
}

// life is a container's record, and where its start's time went.
type life struct {
	platform.InstanceRecord
	in                      contained
	kind                    sample.Start
	created, started, first time.Duration // create, start, and from there to the first byte; 0 where not known
}

// New makes the platform, if there is an engine that can be used. It removes
// what dead processes have left behind.
func New(ctx context.Context, o Options) (*Platform, error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	s, err := container.New(ctx, o.sandbox())
	if err != nil {
		return nil, unready(err)
	}
	return &Platform{options: o, sandbox: s, clock: clock.New(), logs: make(map[string]*sandbox.Tail)}, nil
}

// Facts are what the engine says of itself, or why no platform can be made here,
// and what to do about it. It makes nothing.
func Facts(ctx context.Context, o Options) (map[string]string, error) {
	facts, err := container.EngineFacts(ctx, o.sandbox())
	if err != nil {
		return nil, unready(err)
	}
	return facts, nil
}

// Claims are what an engine and the Runtime API let be told apart.
func (p *Platform) Claims() platform.Claims {
	return platform.Claims{
		Grade: sample.Observed,
		Errors: []sample.ErrorKind{
			sample.Throttled, sample.Timeout, sample.Handler, sample.Init, sample.Crash, sample.OutOfMemory, sample.Payload,
		},
		Response: sandbox.Lambda().Response,
		Lacks:    map[platform.Capability]string{platform.Billing: "a container is paid for with its machine, not by the request"},
	}
}

// Describe tells of the engine, and after the traffic what its starts were made of.
func (p *Platform) Describe(context.Context) (platform.Description, error) {
	facts := p.sandbox.Facts()
	delete(facts, "sandbox")
	facts["tier"] = string(p.options.Tier)
	d := platform.Description{Name: "docker", Facts: facts, Notes: p.sandbox.Notes(), Clock: true}
	note := func(n uint64, format string) {
		if n > 0 {
			d.Notes = append(d.Notes, fmt.Sprintf(format, n, p.started.Load()))
		}
	}
	note(p.disproved.Load(), "of %d of %d starts the engine says that the container began to run at another time: how those requests were served counts as unknown")
	note(p.unproved.Load(), "of %d of %d starts the engine did not say when the container began to run: how those requests were served counts as unknown")
	note(p.restless.Load(), "%d times in %d starts a container could not be paused: what it served next counts as warm")
	for _, kind := range []sample.Start{sample.Cold, sample.Prewarmed} {
		if made := p.anatomy(kind); made != "" {
			d.Notes = append(d.Notes, made)
		}
	}
	return d, nil
}

// anatomy says where the time of the starts of a kind went; "" where there was none.
func (p *Platform) anatomy(kind sample.Start) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var created, started, first []time.Duration
	for _, l := range p.lives {
		if l.kind == kind && l.first > 0 {
			created, started, first = append(created, l.created), append(started, l.started), append(first, l.first)
		}
	}
	if len(first) == 0 {
		return ""
	}
	median := func(list []time.Duration) string { return units.FormatDuration(units.MedianDuration(list)) }
	return fmt.Sprintf("what a %s start was made of, medians of all %d since the platform was set up: create %s, start %s, and %s from there to the answer's first byte",
		kind, len(first), median(created), median(started), median(first))
}

// Instances are the lives of the containers.
func (p *Platform) Instances(context.Context) ([]platform.InstanceRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]platform.InstanceRecord, 0, len(p.lives))
	for _, l := range p.lives {
		r := l.InstanceRecord
		if r.Gone == 0 {
			r.MaxMemory = l.in.MaxMemory()
		}
		list = append(list, r)
	}
	return list, nil
}

// Logs are the ends of what the functions have printed.
func (p *Platform) Logs(context.Context) (map[string]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	logs := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(p.logs)) {
		logs[name] = string(p.logs[name].Take())
	}
	return logs, nil
}

// print keeps the end of what a function has printed.
func (p *Platform) print(function string, text []byte) {
	if len(text) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	tail := p.logs[function]
	if tail == nil {
		made := sandbox.NewTail(mostLog)
		tail = &made
		p.logs[function] = tail
	}
	tail.Append(text)
}

// mostLog is how much is kept of what a function prints, in bytes.
const mostLog = 16 << 10

// Close removes what is left, containers and images, and waits until it is gone.
// That the engine has gone meanwhile it says unless a Remove has.
func (p *Platform) Close(context.Context) error {
	err := p.sandbox.Close()
	if err == nil || container.Lost(err) && p.mourned.Load() {
		return nil
	}
	return p.failed("clear up", err)
}

// failed is the error of something that was asked of the engine. One that has
// gone is told in one line, whatever it was asked.
func (p *Platform) failed(op string, err error) *platform.Error {
	if container.Lost(err) {
		gone := &told{"the Docker engine at " + p.sandbox.Host() + " answers no more", err}
		return &platform.Error{Kind: sample.Platform, Op: op, Err: gone, Hint: hintGone}
	}
	return &platform.Error{Kind: sample.Platform, Op: op, Err: err}
}

// unready is the error of an engine that cannot be used, in one line that says
// what to do.
func unready(err error) error {
	text := strings.TrimPrefix(err.Error(), "container sandbox: ")
	return &platform.Error{Kind: sample.Refused, Op: "platform docker", Err: &told{text, err}}
}

// told is an error in the words of this platform.
type told struct {
	text string
	err  error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.err }
