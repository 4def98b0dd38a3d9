package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// deployment is one function: its image, and the containers that there are. It
// is a platform.Evicter too.
type deployment struct {
	p        *Platform
	function platform.Function
	spec     *sandbox.Spec
	op       string             // "invoke hello"
	life     context.Context    // ends with Remove
	end      context.CancelFunc // of life
	remove   func() error
	work     sync.WaitGroup // requests that are served, and what follows them

	mu     sync.Mutex
	closed bool
	epoch  int // evictions
	idle   []*box
	boxes  map[*box]struct{} // all that are there
	taken  int               // places: boxes, and those that are being started
	left   []error           // of containers that could not be removed
}

// What Docker leaves open, and Lambda's runtime clients want to know.
const (
	usualMemory  = 512 * units.MB
	usualStorage = 512 * units.MB
	usualTimeout = 30 * time.Second
	arn          = "arn:aws:lambda:us-east-1:000000000000:function:"
	version      = "$LATEST"
)

// Deploy pulls or builds the function's image and starts nothing.
func (p *Platform) Deploy(ctx context.Context, f platform.Function) (platform.Deployment, error) {
	f.Timeout = cmp.Or(f.Timeout, usualTimeout)
	d := &deployment{p: p, function: f, op: "invoke " + f.Name, boxes: make(map[*box]struct{}), spec: &sandbox.Spec{
		Function: f, Version: version, ARN: arn + f.Name, Timeout: f.Timeout, InitLimit: p.options.Start,
		Memory: cmp.Or(f.Memory, usualMemory), Storage: cmp.Or(f.Storage, usualStorage),
	}}
	if err := p.sandbox.Prepare(ctx, d.spec); err != nil {
		return nil, deployError(ctx, &f, errors.Unwrap(err))
	}
	d.life, d.end = context.WithCancel(context.Background())
	d.remove = sync.OnceValue(d.clear)
	return d, nil
}

// deployError is that of a function that could not be made ready to start.
func deployError(ctx context.Context, f *platform.Function, err error) error {
	out := &platform.Error{Kind: sample.Refused, Op: "deploy " + f.Name, Err: err}
	_, unpulled := errors.AsType[*container.PullError](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		out.Kind = sample.Cancelled
	case ctx.Err() != nil:
		out.Kind, out.Hint = sample.Timeout, hintSilent
	case unpulled && f.Runtime != platform.Image:
		out.Hint = fmt.Sprintf(hintBase, f.Runtime)
	}
	return out
}

// Remove ends the function's containers, those with requests too, and removes
// its image if that was built here.
func (d *deployment) Remove(context.Context) error { return d.remove() }

func (d *deployment) clear() error {
	d.mu.Lock()
	d.closed, d.idle = true, nil
	all := make([]*box, 0, len(d.boxes))
	for b := range d.boxes {
		all = append(all, b)
	}
	d.mu.Unlock()
	d.end() // starts that are under way
	_ = d.discard("shutdown", all...)
	d.work.Wait()
	d.p.sandbox.Forget(d.spec)
	if err := errors.Join(d.left...); err != nil {
		if container.Lost(err) {
			d.p.mourned.Store(true)
		}
		return d.p.failed("remove "+d.function.Name, err)
	}
	return nil
}

// Evict removes the containers that are idle, and has the others removed when
// they have answered: no request after it finds one.
func (d *deployment) Evict(context.Context) error {
	d.mu.Lock()
	d.epoch++
	idle := d.idle
	d.idle = nil
	d.mu.Unlock()
	if err := d.discard("evicted", idle...); err != nil {
		return d.p.failed("evict "+d.function.Name, err)
	}
	return nil
}

// discard removes containers and returns when they are gone. What goes wrong
// Remove tells, too.
func (d *deployment) discard(reason string, boxes ...*box) error {
	errs := make([]error, len(boxes))
	var all sync.WaitGroup
	for i, b := range boxes {
		all.Go(func() { errs[i] = b.discard(reason) })
	}
	all.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range boxes {
		if _, there := d.boxes[b]; there {
			delete(d.boxes, b)
			d.taken--
		}
	}
	err := errors.Join(errs...)
	if err != nil {
		d.left = append(d.left, err)
	}
	return err
}

// enter counts a request that is going to be served, unless the function is gone.
func (d *deployment) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return &platform.Error{Kind: sample.Refused, Op: d.op, Err: errors.New("the function was removed")}
	}
	d.work.Add(1)
	return nil
}

// place gives the idle container that served last, or a place for a new one.
func (d *deployment) place() (*box, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last := len(d.idle) - 1; last >= 0 {
		b := d.idle[last]
		d.idle = d.idle[:last]
		return b, nil
	}
	if most := d.function.Reserved; most > 0 && d.taken >= most {
		return nil, &platform.Error{Kind: sample.Throttled, Op: d.op, Err: fmt.Errorf("it has %d containers, as many as it may", d.taken)}
	}
	d.taken++
	return nil, nil
}

// settle puts a container that has answered where the next request finds it,
// and says why that must not be: "" for nothing.
func (d *deployment) settle(b *box) (reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return "shutdown"
	case b.epoch != d.epoch:
		return "evicted"
	}
	b.idle.Store(true)
	d.idle = append(d.idle, b)
	return ""
}
