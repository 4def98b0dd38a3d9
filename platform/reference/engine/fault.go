package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// FaultCount is a fault on purpose and how often it was drawn. Callers are told
// of it what they are told of the same thing that happens by itself.
type FaultCount struct {
	platform.Fault
	Made uint64 // it happened
	// Late is of starts and requests that were over before it could happen, or
	// that another fault has kept from an instance.
	Late   uint64
	Failed uint64 // it could not be made
	Why    error  // the first time
}

// checkFaults tells all that is wrong with faults.
func checkFaults(faults []platform.Fault) error {
	var errs []error
	for _, f := range faults {
		if !slices.Contains(platform.FaultKinds(), f.Kind) {
			errs = append(errs, fmt.Errorf("faults: no kind %q; there are %q", f.Kind, platform.FaultKinds()))
		}
		if !(f.Share >= 0 && f.Share <= 1) {
			errs = append(errs, fmt.Errorf("faults: share %v of %s is not from 0 to 1", f.Share, f.Kind))
		}
		if f.Delay < 0 || f.Kind == platform.SlowInit && f.Delay == 0 {
			errs = append(errs, fmt.Errorf("faults: %s with a delay of %v", f.Kind, f.Delay))
		}
	}
	return errors.Join(errs...)
}

// mischief is the faults of all functions, and what became of them.
type mischief struct {
	seed uint64

	mu     sync.Mutex
	counts []FaultCount
}

func newMischief(faults []platform.Fault, seed uint64) *mischief {
	m := &mischief{seed: seed}
	for _, f := range faults {
		m.counts = append(m.counts, FaultCount{Fault: f})
	}
	return m
}

// Faulted tells what has become of each of the faults.
func (rt *Runtime) Faulted() []FaultCount {
	rt.mischief.mu.Lock()
	defer rt.mischief.mu.Unlock()
	return slices.Clone(rt.mischief.counts)
}

// notes tell what is on purpose.
func (m *mischief) notes() (notes []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.counts {
		of := "requests"
		if ofStart(c.Kind) {
			of = "starts"
		}
		fault := "on purpose: " + string(c.Kind)
		if c.Function != "" {
			of += " of " + c.Function
		}
		notes = append(notes, fmt.Sprintf("%s in %s of the %s", fault, units.FormatShare(c.Share), of))
		if c.Made+c.Late+c.Failed == 0 {
			continue
		}
		told := fmt.Sprintf("%s in the %s: %d made", fault, of, c.Made)
		if c.Late > 0 {
			told += fmt.Sprintf(", %d too late", c.Late)
		}
		if c.Failed > 0 {
			told += fmt.Sprintf(", %d could not be made: %v", c.Failed, c.Why)
		}
		notes = append(notes, told)
	}
	return notes
}

func ofStart(kind platform.FaultKind) bool {
	return kind == platform.StartFailure || kind == platform.SlowInit || kind == platform.CrashInit
}

// luck is one function's: which of its starts and requests have which faults.
// Each kind draws from a source of its own, so that the same seed hits the same
// ones whatever else is going on. Guarded by the Runtime's mu; nil is good luck.
type luck struct {
	mischief         *mischief
	starts, requests []chance
}

// chance is one fault's.
type chance struct {
	fault int // its place among the mischief's
	share float64
	rng   *rand.Rand // its kind's
}

func (m *mischief) of(function string) *luck {
	l := &luck{mischief: m}
	sources := make(map[platform.FaultKind]*rand.Rand)
	for i := range m.counts {
		c := m.counts[i].Fault // what is beside it is counted meanwhile
		if c.Function != "" && c.Function != function {
			continue
		}
		if sources[c.Kind] == nil {
			sources[c.Kind] = stream.New(m.seed, function+"\x00"+string(c.Kind), 0)
		}
		whose := &l.requests
		if ofStart(c.Kind) {
			whose = &l.starts
		}
		*whose = append(*whose, chance{i, c.Share, sources[c.Kind]})
	}
	if len(l.starts)+len(l.requests) == 0 {
		return nil
	}
	return l
}

// start draws for the function's next start, request for its next request.
func (l *luck) start() *doom {
	if l == nil {
		return nil
	}
	return l.draw(l.starts)
}

func (l *luck) request() *doom {
	if l == nil {
		return nil
	}
	return l.draw(l.requests)
}

func (l *luck) draw(chances []chance) *doom {
	d := &doom{mischief: l.mischief}
	for _, c := range chances {
		if c.rng.Float64() < c.share {
			d.harms = append(d.harms, &harm{fault: c.fault, Fault: l.mischief.counts[c.fault].Fault})
		}
	}
	if len(d.harms) == 0 {
		return nil
	}
	return d
}

// doom is the faults of one start or request: they are made from begin to end,
// or there was no opportunity and it is waived. A nil one is none.
type doom struct {
	mischief *mischief
	harms    []*harm
	cancel   context.CancelFunc
	works    sync.WaitGroup
}

// harm is one of its faults.
type harm struct {
	platform.Fault
	fault int // its place among the mischief's
	tried bool
	err   error // why it could not be made
	full  bool  // a slow init has had its whole delay
}

// hurt does the injury to the instance. Called without mu.
func (h *harm) hurt(in sandbox.Instance, injury sandbox.Injury) {
	h.tried = true
	select {
	case <-in.Done():
		h.tried = false // there is nobody to be hurt any more
		return
	default:
	}
	patient, ok := in.(sandbox.Patient)
	if !ok {
		h.err = errors.New("the sandbox cannot hurt its instances")
		return
	}
	h.err = patient.Injure(injury)
}

var errOnPurpose = errors.New("a fault on purpose")

// fails says why a start that must not come to an instance does not.
func (d *doom) fails() error {
	if d == nil || !slices.ContainsFunc(d.harms, func(h *harm) bool { return h.Kind == platform.StartFailure }) {
		return nil
	}
	for _, h := range d.harms {
		h.tried = h.Kind == platform.StartFailure
	}
	d.settle(true)
	return errOnPurpose
}

// waive counts what there was no opportunity for.
func (d *doom) waive() {
	if d != nil {
		d.settle(true)
	}
}

// settle counts what has become of the faults; taken says whether those that
// were made have taken effect. Once.
func (d *doom) settle(taken bool) {
	m := d.mischief
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range d.harms {
		c := &m.counts[h.fault]
		switch {
		case h.err != nil:
			c.Failed++
			if c.Why == nil {
				c.Why = h.err
			}
		case h.tried && (taken || h.full || h.Kind == platform.DiskFull):
			c.Made++
		default:
			c.Late++
		}
	}
	d.harms = nil
}

// crashAgain is how soon an init that is begun anew is aborted too.
const crashAgain = 200 * time.Microsecond

// beginInit hurts an instance that inits, until endInit. A delay that the limit
// of inits is to end has to pass while it inits, frozen. Any other is left to
// standStill: what is frozen before its first instruction boots late, and the
// first freezing after a while takes 15 ms by itself. Called without mu.
func (d *doom) beginInit(in sandbox.Instance, limit time.Duration) {
	if d == nil {
		return
	}
	var over context.Context
	over, d.cancel = context.WithCancel(context.Background())
	for _, h := range d.harms {
		slow := h.Kind == platform.SlowInit
		if slow && h.Delay < limit {
			continue
		}
		if slow {
			h.hurt(in, sandbox.Freeze)
		} else {
			h.hurt(in, sandbox.Abort)
		}
		if !h.tried || h.err != nil {
			continue
		}
		// What fails from here on has nobody to happen to any more.
		patient := in.(sandbox.Patient)
		d.works.Go(func() {
			if slow {
				h.full = wait(over, h.Delay)
				_ = patient.Injure(sandbox.Thaw)
				return
			}
			for wait(over, crashAgain) {
				_ = patient.Injure(sandbox.Abort)
			}
		})
	}
}

// standStill has an instance whose init is over be ready later. Linger waits,
// and says whether for so long. Called without mu.
func (d *doom) standStill(linger func(time.Duration) bool) {
	if d == nil {
		return
	}
	for _, h := range d.harms {
		if h.Kind == platform.SlowInit && !h.tried {
			h.tried, h.full = true, linger(h.Delay)
		}
	}
}

// endInit is told whether the instance is ready, and tells whether it was aborted
// all the same: its first poll was quicker than its end. Called without mu.
func (d *doom) endInit(ready bool) (aborted bool) {
	if d == nil {
		return false
	}
	d.cancel()
	d.works.Wait()
	for _, h := range d.harms {
		aborted = aborted || ready && h.Kind == platform.CrashInit && h.tried && h.err == nil
	}
	d.settle(!ready || aborted)
	return aborted
}

// injuryOf is what is done to an instance that has a request.
func injuryOf(kind platform.FaultKind) sandbox.Injury {
	switch kind {
	case platform.DiskFull:
		return sandbox.FillTmp
	case platform.Crash:
		return sandbox.Abort
	case platform.Hang:
		return sandbox.Freeze
	case platform.OutOfMemory:
		return sandbox.Exhaust
	default:
		return sandbox.Kill
	}
}

// beginRequest hurts an instance that is about to get a request, until
// endRequest. What is to happen at once has happened when it returns: a handler
// may be quicker than anything that runs beside it. Called without mu.
func (d *doom) beginRequest(in sandbox.Instance) {
	if d == nil {
		return
	}
	var over context.Context
	over, d.cancel = context.WithCancel(context.Background())
	for _, h := range d.harms {
		if h.Delay == 0 {
			h.hurt(in, injuryOf(h.Kind))
			continue
		}
		d.works.Go(func() {
			if wait(over, h.Delay) {
				h.hurt(in, injuryOf(h.Kind))
			}
		})
	}
}

// endRequest is told whether the instance has answered, and tells whether it is
// useless all the same: then it was hurt when the answer was on its way. A disk
// that was full has room again. Called without mu.
func (d *doom) endRequest(in sandbox.Instance, answered bool) (useless bool) {
	if d == nil {
		return false
	}
	d.cancel()
	d.works.Wait()
	for _, h := range d.harms {
		switch {
		case !answered || !h.tried || h.err != nil:
		case h.Kind == platform.DiskFull:
			useless = useless || in.(sandbox.Patient).Injure(sandbox.FreeTmp) != nil
		default:
			useless = true
		}
	}
	d.settle(!answered)
	return useless
}

// wait is false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
