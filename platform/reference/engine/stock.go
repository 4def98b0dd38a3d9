package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// pooled gives a stem the function, and starts from nothing where there is
// none, or where the stem dies of it.
type pooled struct {
	plain
	stock *stock
}

func (p pooled) start(ctx context.Context, id string, why sandbox.Initialization) (sandbox.Instance, error) {
	stem := p.stock.take()
	if stem == nil {
		return p.plain.start(ctx, id, why)
	}
	in, err := stem.Assign(ctx, id, p.spec, why)
	if err != nil && ctx.Err() == nil {
		return p.plain.start(ctx, id, why)
	}
	return in, err
}

// stockKey is what a stock is of.
type stockKey struct {
	box     sandbox.Stocker
	runtime platform.Runtime
}

// stock is the stems of one runtime in one sandbox, shared by all versions that
// start from them. One boots at a time: whoever waits for a start of his own
// has the other cores.
type stock struct {
	rt    *Runtime
	of    stockKey
	alive context.Context
	kill  context.CancelFunc
	stems sync.WaitGroup // their goroutines

	// Guarded by the Runtime's mu.
	rules   *lifecycle.Stock
	actions []lifecycle.StockAction
	booting map[lifecycle.Stem]*stem
	taken   sandbox.Stem // what the last StockTake was answered with
	began   int          // stems so far
	alarm   *time.Timer

	proved  bool          // first is closed
	first   chan struct{} // closed when the first stem has booted, or could not
	refusal error         // why it could not; set before first is closed
}

// stem is one booted runtime, from its order until it is an instance or gone.
type stem struct {
	box   sandbox.Stem // nil while it boots
	alive context.Context
	end   context.CancelFunc
	taken bool
}

// stockOf gives the stock of a runtime, which is made where it is the first
// that is asked of it; then one stem has booted when it returns.
func (rt *Runtime) stockOf(ctx context.Context, box sandbox.Stocker, runtime platform.Runtime) (*stock, error) {
	key := stockKey{box, runtime}
	rt.mu.Lock()
	if rt.closing {
		rt.mu.Unlock()
		return nil, closing()
	}
	s := rt.stocks[key]
	if s == nil {
		s = &stock{
			rt: rt, of: key, booting: make(map[lifecycle.Stem]*stem), first: make(chan struct{}),
			rules: lifecycle.NewStock(lifecycle.Refill{Size: max(1, rt.stockSizes[runtime]), AtOnce: 1}),
		}
		s.alive, s.kill = context.WithCancel(context.Background())
		rt.stocks[key] = s
		s.step(lifecycle.StockEvent{Kind: lifecycle.StockTick})
	}
	rt.mu.Unlock()
	select {
	case <-s.first:
	case <-ctx.Done():
		return nil, &Error{Code: Cancelled, Message: "The caller gave up while the pool was filled", Err: context.Cause(ctx)}
	}
	if s.refusal != nil {
		return nil, &Error{Code: Invalid, Message: fmt.Sprintf("No pool of %s runtimes can be kept here", runtime), Err: s.refusal}
	}
	return s, nil
}

// take gives a booted stem, nil if there is none. Called without mu.
func (s *stock) take() sandbox.Stem {
	s.rt.mu.Lock()
	defer s.rt.mu.Unlock()
	s.taken = nil
	s.step(lifecycle.StockEvent{Kind: lifecycle.StockTake})
	return s.taken
}

// end is of the whole stock, at the Runtime's end. Called without mu.
func (s *stock) end() {
	s.kill()
	s.stems.Wait()
	s.rt.mu.Lock()
	defer s.rt.mu.Unlock()
	if s.alarm != nil {
		s.alarm.Stop()
	}
}

// step tells the rules what happened and does what they say. Called with mu held.
func (s *stock) step(ev lifecycle.StockEvent) {
	if s.alive != nil && s.alive.Err() != nil {
		return // what is there goes by itself
	}
	now := s.rt.elapsed()
	s.actions = s.rules.Step(now, ev, s.actions[:0])
	for _, a := range s.actions {
		switch a.Kind {
		case lifecycle.StemBoot:
			s.boot(a.Stem)
		case lifecycle.StemAssign:
			one := s.booting[a.Stem]
			delete(s.booting, a.Stem)
			one.taken, s.taken = true, one.box
			one.end()
		case lifecycle.StemDrop:
			s.booting[a.Stem].end()
		}
	}
	if at, ok := s.rules.NextDeadline(); ok {
		if s.alarm == nil {
			s.alarm = time.AfterFunc(at-now, s.tick)
		} else {
			s.alarm.Reset(at - now)
		}
	}
}

// tick is the timer's; it takes mu itself.
func (s *stock) tick() { s.tell(lifecycle.StockTick, 0) }

// tell is step without mu held.
func (s *stock) tell(kind lifecycle.StockEventKind, name lifecycle.Stem) {
	s.rt.mu.Lock()
	defer s.rt.mu.Unlock()
	s.step(lifecycle.StockEvent{Kind: kind, Stem: name})
}

// boot begins a stem. Called with mu held.
func (s *stock) boot(name lifecycle.Stem) {
	one := &stem{}
	one.alive, one.end = context.WithCancel(s.alive)
	s.booting[name] = one
	s.began++
	id := "stem-" + string(s.of.runtime) + "-" + strconv.Itoa(s.began)
	s.stems.Go(func() {
		defer one.end()
		box, err := s.ready(one.alive, id)
		s.prove(err)
		if err != nil {
			s.forget(name, lifecycle.StemFailed)
			return
		}
		s.rt.mu.Lock()
		one.box = box
		s.step(lifecycle.StockEvent{Kind: lifecycle.StemBooted, Stem: name})
		s.rt.mu.Unlock()
		select {
		case <-one.alive.Done():
		case <-box.Done():
			s.tell(lifecycle.StemLost, name)
			<-one.alive.Done()
		}
		s.rt.mu.Lock()
		taken := one.taken
		s.rt.mu.Unlock()
		if taken {
			return
		}
		if err := box.Stop(); err != nil {
			s.rt.remained(id, err)
		}
		s.forget(name, lifecycle.StemCleared)
	})
}

// ready boots a stem. Called without mu.
func (s *stock) ready(ctx context.Context, id string) (sandbox.Stem, error) {
	box, err := s.of.box.Boot(ctx, id, s.of.runtime)
	if err != nil {
		return nil, err
	}
	if err := box.AwaitBooted(ctx); err != nil {
		if stop := box.Stop(); stop != nil {
			s.rt.remained(id, stop)
		}
		return nil, err
	}
	return box, nil
}

// prove notes how the first boot went. A stock whose first boot fails is
// dropped: whoever asks next tries again. Called without mu.
func (s *stock) prove(err error) {
	s.rt.mu.Lock()
	defer s.rt.mu.Unlock()
	if s.proved {
		return
	}
	s.proved, s.refusal = true, err
	if err != nil {
		delete(s.rt.stocks, s.of)
		s.kill()
	}
	close(s.first)
}

// forget drops a stem that is gone. Called without mu.
func (s *stock) forget(name lifecycle.Stem, kind lifecycle.StockEventKind) {
	s.rt.mu.Lock()
	defer s.rt.mu.Unlock()
	delete(s.booting, name)
	s.step(lifecycle.StockEvent{Kind: kind, Stem: name})
}
