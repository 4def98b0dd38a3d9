package engine

import (
	"context"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// broodAgain is how long a zygote that could not be made is not tried again.
const broodAgain = time.Second

// nursery forks a version's instances from its zygote, and starts them from
// nothing while there is none.
type nursery struct {
	plain
	version *Version
	box     sandbox.Brooder
	ended   chan struct{} // closed when the last zygote is gone
	kill    context.CancelFunc

	mu     sync.Mutex
	zygote sandbox.Zygote // nil while there is none
}

// brood makes a nursery whose zygote has loaded the function.
func brood(ctx context.Context, usual plain, box sandbox.Brooder, v *Version) (*nursery, error) {
	n := &nursery{plain: usual, version: v, box: box, ended: make(chan struct{})}
	alive, kill := context.WithCancel(v.alive)
	n.kill = kill
	first, err := n.hatch(ctx)
	if err != nil {
		kill()
		return nil, &Error{Code: Invalid, Message: "The function cannot be loaded into a zygote", Err: err}
	}
	go n.keep(alive, first)
	return n, nil
}

func (n *nursery) start(ctx context.Context, id string, why sandbox.Initialization) (sandbox.Instance, error) {
	n.mu.Lock()
	zygote := n.zygote
	n.mu.Unlock()
	if zygote == nil {
		return n.plain.start(ctx, id, why)
	}
	forked := why
	if why == sandbox.OnDemand { // nothing provisioned is Lambda's SnapStart
		forked = sandbox.SnapStart
	}
	in, err := zygote.Fork(ctx, id, forked)
	if err != nil && ctx.Err() == nil {
		return n.plain.start(ctx, id, why)
	}
	return in, err
}

func (n *nursery) end() {
	n.kill()
	<-n.ended
}

// hatch makes a zygote and lets it be forked.
func (n *nursery) hatch(ctx context.Context) (sandbox.Zygote, error) {
	rt := n.version.rt
	rt.mu.Lock()
	id := rt.nextID(n.spec.Function.Name + "-zygote")
	rt.mu.Unlock()
	zygote, err := n.box.Brood(ctx, id, n.spec)
	if err != nil {
		return nil, err
	}
	if err := zygote.AwaitReady(ctx); err != nil {
		n.stop(id, zygote)
		return nil, err
	}
	n.set(zygote)
	return zygote, nil
}

func (n *nursery) set(zygote sandbox.Zygote) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.zygote = zygote
}

func (n *nursery) stop(id string, zygote sandbox.Zygote) {
	if err := zygote.Stop(); err != nil {
		n.version.rt.remained(id, err)
	}
}

// keep replaces a zygote that has died, until the version's end.
func (n *nursery) keep(alive context.Context, zygote sandbox.Zygote) {
	defer close(n.ended)
	for {
		again := time.NewTimer(broodAgain) // one that dies at once is not made anew at once
		if zygote != nil {
			select {
			case <-zygote.Done():
			case <-alive.Done():
			}
			n.set(nil)
			n.stop("the zygote of "+n.version.name(), zygote)
		}
		select {
		case <-again.C:
		case <-alive.Done():
			again.Stop()
			return
		}
		var err error
		if zygote, err = n.hatch(alive); err != nil {
			zygote = nil // its interface may hold a nil pointer
		}
	}
}
