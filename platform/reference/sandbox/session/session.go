// Package session owns the conversation with one instance over its Runtime
// API, whatever its process runs in: an init with its limit and its second
// attempt, invocations with their deadlines, and the wording of failures,
// which is Lambda's.
//
// In: an [Attempt] each time that a process has been begun. Out: what a
// [sandbox.Instance] has to do except for what concerns the process itself. It
// starts no process and sets no limit on what one uses.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// lastWords bounds the wait for what a process sent just before its end.
const lastWords = 100 * time.Millisecond

// Attempt is one process that has been begun, with its Runtime API. An
// instance has one, or a second where its init had to be begun anew. The
// methods may be called from any goroutine.
type Attempt interface {
	API() *runtimeapi.Server
	// Exited is closed when the process has ended, by itself or not.
	Exited() <-chan struct{}
	// Ending tells how, once Exited is closed.
	Ending() Ending
	// TakeLog gives the end of what was written since the last call.
	TakeLog() []byte
	// SeedLog puts what an earlier attempt wrote before what this one writes.
	SeedLog([]byte)
	// Terminate asks the process to end.
	Terminate() error
	// PutAway ends it and returns when nothing of it is left.
	PutAway() error
	// MaxMemory is the peak so far, in bytes, also after PutAway; 0 where it
	// cannot be told.
	MaxMemory() int64
}

// Ending is how a process ended.
type Ending struct {
	How         string // as Lambda words it ("exit status 3", "signal: killed"); "" is without a reason
	OutOfMemory bool   // it was killed for exceeding its memory limit
	Unfit       bool   // its program could not be executed
	// Cause is why the end is not the function's: whoever holds the instance
	// ended it, or lost it. Nil is that it ended by itself.
	Cause error
}

// Config is what a session needs to know of its instance.
type Config struct {
	Spec  *sandbox.Spec
	Clock clock.Monotonic
	Begun int64 // CLOCK_MONOTONIC: the instance's start was called
	// Response is the most bytes of a response, for what a caller is told.
	Response units.Bytes
	// Grace is how long a graceful stop waits for a process that was asked to end.
	Grace time.Duration
	// Begin begins a process and gives the instant at which it was executed.
	Begin func(context.Context) (Attempt, int64, error)
	// Ready is called when init is done, before AwaitReady returns. With its
	// error the start has failed.
	Ready func(Attempt) error
}

// Session is one instance's conversation. Its methods are those of
// [sandbox.Instance].
type Session struct {
	config Config
	alarm  *sandbox.Alarm // at the deadline of the invocation in hand
	done   chan struct{}
	stop   sync.Once
	left   error

	change sync.Mutex // held while the process is replaced or put away
	ended  bool       // Stop has been called: no process is begun any more

	mu      sync.Mutex
	current Attempt
	tries   int
	started sandbox.Marks // of the first process; later ones only fill in what it did not tell
	settled bool          // the current process will not be replaced
	gone    bool          // done is closed
	peak    int64         // of processes that were put away
}

// Begin begins an instance's first process.
func Begin(ctx context.Context, c Config) (*Session, error) {
	s := newSession(c)
	if _, err := s.begin(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Inherit makes a process that runs already an instance's first. Kind is how it
// came to be, at the instant at which it was made to be this instance.
func Inherit(c Config, a Attempt, kind sample.Start, at int64) *Session {
	s := newSession(c)
	s.adopt(a, kind, at)
	return s
}

func newSession(c Config) *Session {
	return &Session{config: c, alarm: sandbox.NewAlarm(), done: make(chan struct{})}
}

// begin begins a process and makes it the current one.
func (s *Session) begin(ctx context.Context) (Attempt, error) {
	a, provisioned, err := s.config.Begin(ctx)
	if err != nil {
		return nil, err
	}
	s.adopt(a, sample.Cold, provisioned)
	return a, nil
}

// adopt makes a process the current one.
func (s *Session) adopt(a Attempt, kind sample.Start, provisioned int64) {
	s.mu.Lock()
	s.current = a
	s.tries++
	if s.tries == 1 {
		s.started = sandbox.Marks{Begun: s.config.Begun, Provisioned: provisioned}
	}
	s.started.Start = kind // whatever the first was: that one is gone
	s.mu.Unlock()
	go func() {
		<-a.Exited()
		s.finish(a)
	}()
}

// Current is the process that the instance has now.
func (s *Session) Current() Attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// AwaitReady implements sandbox.Instance. The message of its Failure lacks
// the "RequestId: ..." that only the caller knows.
func (s *Session) AwaitReady(ctx context.Context) (sandbox.Marks, error) {
	s.alarm.Prime(s.config.Spec.Timeout)
	a := s.Current()
	limit := s.config.Spec.InitLimit
	for {
		failure, err := AwaitInit(ctx, a, a.API().Ready(), limit)
		if err != nil {
			return s.marks(a), err
		}
		if failure == nil {
			if err := s.config.Ready(a); err != nil {
				return s.failed(a, err)
			}
			s.settle()
			return s.marks(a), nil
		}
		if s.tried() > 1 || failure.Kind == sample.Platform || failure.Type == invalidEntrypoint {
			return s.failed(a, failure)
		}
		s.marks(a)
		next, err := s.renew(a, failure.Log)
		if err != nil {
			return s.failed(a, err)
		}
		a, limit = next, s.config.Spec.Timeout
	}
}

// marks brings the start's instants up to what the attempt has told.
func (s *Session) marks(a Attempt) sandbox.Marks {
	polled, booted := a.API().Polled()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started.Attempts = s.tries
	s.started.Booted = cmp.Or(s.started.Booted, booted)
	s.started.Ready = polled
	if s.started.Start != sample.Cold && booted > 0 {
		s.started.Provisioned = booted // its client tells when it began to be this instance
	}
	return s.started.Ordered()
}

// failed ends an init that will not be begun again.
func (s *Session) failed(a Attempt, why error) (sandbox.Marks, error) {
	s.settle()
	m := s.marks(a)
	m.Ready, m.Failed = 0, s.config.Clock.Now()
	return m, why
}

func (s *Session) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// settle makes the present process the last.
func (s *Session) settle() {
	s.mu.Lock()
	s.settled = true
	a := s.current
	s.mu.Unlock()
	select {
	case <-a.Exited():
		s.finish(a)
	default:
	}
}

// finish closes done if the process that has ended was the last.
func (s *Session) finish(a Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled && s.current == a && !s.gone {
		s.gone = true
		close(s.done)
	}
}

// renew replaces a process whose init has failed, and its log goes on.
func (s *Session) renew(old Attempt, log []byte) (Attempt, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if s.ended {
		return nil, errStopped()
	}
	if err := s.putAway(old); err != nil {
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("begin init anew: %w", err)}
	}
	// Not under the caller's context: the old process is gone, and an instance
	// without a current process would have two meanings.
	a, err := s.begin(context.Background())
	if err != nil {
		return nil, err
	}
	a.SeedLog(log)
	return a, nil
}

func errStopped() error {
	return &sandbox.Failure{Kind: sample.Platform, Cause: errors.New("the instance was stopped")}
}

// Treat does something to the process that runs, which is not replaced or put
// away meanwhile. While the instance is being stopped it waits, and then fails.
func (s *Session) Treat(do func(Attempt) error) error {
	s.change.Lock()
	defer s.change.Unlock()
	if s.ended {
		return errStopped()
	}
	return do(s.Current())
}

func (s *Session) putAway(a Attempt) error {
	err := a.PutAway()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peak = max(s.peak, a.MaxMemory())
	return err
}

// Done implements sandbox.Instance.
func (s *Session) Done() <-chan struct{} { return s.done }

// Stop implements sandbox.Instance.
func (s *Session) Stop(graceful bool) error {
	s.stop.Do(func() {
		s.change.Lock()
		defer s.change.Unlock()
		s.ended = true
		s.alarm.Stop()
		a := s.Current()
		if graceful {
			s.left = a.Terminate()
			select {
			case <-a.Exited():
			case <-time.After(s.config.Grace):
			}
		}
		s.left = errors.Join(s.left, s.putAway(a))
		s.settle()
	})
	return s.left
}

// MaxMemory implements sandbox.Instance.
func (s *Session) MaxMemory() int64 {
	s.mu.Lock()
	a, peak := s.current, s.peak
	s.mu.Unlock()
	return max(peak, a.MaxMemory())
}
