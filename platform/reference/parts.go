package reference

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/meter"
)

// parts are what a serving runtime is made of, behind its front.
type parts struct {
	boxes     *boxes
	meter     *meter.Meter
	runtime   *engine.Runtime
	functions *catalog.Catalog
	triggers  *triggers

	stop context.CancelFunc // ends the usage's keeping; nil before it began
	kept chan struct{}
}

// syncEvery is how much usage a machine that loses its power may forget.
const syncEvery = 5 * time.Second

// openParts opens them from the inside out; what is open when one fails is
// closed again.
func openParts(o ServeOptions, say func(format string, args ...any)) (p *parts, err error) {
	p = &parts{}
	if p.boxes, err = openBoxes(o.Settings, func(err error) { say("%v", err) }); err != nil {
		return nil, err
	}
	if err = p.open(o, say); err != nil {
		return nil, errors.Join(err, p.close(context.Background()))
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop, p.kept = stop, make(chan struct{})
	go p.keep(ctx)
	return p, nil
}

func (p *parts) open(o ServeOptions, say func(format string, args ...any)) (err error) {
	folder := ""
	if o.Data != "" {
		folder = filepath.Join(o.Data, "usage")
	}
	if p.meter, err = meter.Open(folder); err != nil {
		return err
	}
	if p.runtime, err = engine.New(engine.Options{
		Sandboxes: p.boxes.sandboxes(), Default: p.boxes.first, Order: o.Sandboxes, Suited: suited(), Policy: o.Policy,
		Stock: o.Stock, Memory: o.Memory, StartDelay: o.StartDelay, Meter: p.meter,
		Faults: o.Faults, Seed: o.Seed,
	}); err != nil {
		return err
	}
	if p.functions, err = catalog.Open(catalog.Options{Runtime: p.runtime, Seed: o.Seed, Data: o.Data, Region: o.Region, Destination: destination(o.Data), Log: say}); err != nil {
		return err
	}
	p.triggers, err = openTriggers(o, p.functions, say)
	return err
}

// keep saves the usage now and then.
func (p *parts) keep(ctx context.Context) {
	defer close(p.kept)
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_ = p.meter.Sync() // its Err tells until the next one works
	}
}

// close ends the requests that are served, until over does, and then everything.
func (p *parts) close(over context.Context) error {
	if p.stop != nil {
		p.stop()
		<-p.kept
	}
	var err error
	if p.runtime != nil {
		err = p.runtime.Close(over) // and the boxes with it
	} else {
		err = p.boxes.close()
	}
	if p.triggers != nil {
		err = errors.Join(err, p.triggers.close(over))
	}
	if p.functions != nil {
		err = errors.Join(err, p.functions.Close())
	}
	if p.meter != nil {
		err = errors.Join(err, p.meter.Close())
	}
	return err
}
