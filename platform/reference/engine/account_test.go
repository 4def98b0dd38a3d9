package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
)

// shared is a Runtime with the functions a and b, and how each request ended.
type shared struct {
	*host
	t     *testing.T
	began time.Time

	mu   sync.Mutex
	ends map[string]string
}

// share opens a Runtime in a bubble; reservations may take all of its account.
func share(t *testing.T, box *memory.Sandbox, policy lifecycle.Policy, test func(*shared)) {
	t.Helper()
	code := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		box.Clock = clock.New()
		limits := engine.LambdaLimits()
		limits.Unreserved = 0
		rt := open(t, box, engine.Options{Clock: box.Clock, Policy: policy, Limits: limits})
		for _, name := range []string{"a", "b"} {
			rt.create(platform.Function{Name: name, Code: code, Timeout: time.Minute})
		}
		test(&shared{host: rt, t: t, began: time.Now(), ends: make(map[string]string)})
		if err := rt.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// send sends a request and goes on once nothing moves any more.
func (s *shared) send(request string) {
	go func() {
		out, err := s.Invoke(s.t.Context(), request[:1], engine.Invocation{})
		end := out.Start.String()
		if e, ok := errors.AsType[*engine.Error](err); ok {
			end = e.Reason
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ends[request] = fmt.Sprintf("%v %s", time.Since(s.began), end)
	}()
	synctest.Wait()
}

func (s *shared) reserve(name string, n ...int) {
	s.t.Helper()
	var reservation *int
	if len(n) > 0 {
		reservation = &n[0]
	}
	if err := s.host.reserve(name, reservation); err != nil {
		s.t.Errorf("reserve %v of %s: %v", n, name, err)
	}
	synctest.Wait()
}

func (s *shared) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want waits until all is over.
func (s *shared) want(ends map[string]string) {
	s.t.Helper()
	s.sleep(time.Minute)
	if diff := cmp.Diff(ends, s.ends); diff != "" {
		s.t.Errorf("requests by name, when and how they ended (-want +got):\n%s", diff)
	}
}

const (
	accountFull = "ConcurrentInvocationLimitExceeded"
	ownFull     = "ReservedFunctionConcurrentInvocationLimitExceeded"
)

func TestAccountLimit(t *testing.T) {
	const second = time.Second
	tests := []struct {
		name   string
		policy lifecycle.Policy
		init   time.Duration
		test   func(*shared)
		want   map[string]string
	}{
		{"a reservation shrinks what one function alone may use",
			lifecycle.Policy{Concurrency: 3}, 0, func(s *shared) {
				s.reserve("b", 2)
				s.send("a1")
				s.send("a2")
			}, map[string]string{"a1": "1s cold", "a2": "0s " + accountFull}},
		{"a start counts with late binding too",
			lifecycle.Policy{Concurrency: 1, LateBinding: true}, second, func(s *shared) {
				s.send("a1")
				s.send("b1")
			}, map[string]string{"a1": "2s cold", "b1": "0s " + accountFull}},
		{"a start token does not get past it",
			lifecycle.Policy{Concurrency: 1, StartBurst: 1, StartEvery: 3 * second, QueueLimit: 1}, 0, func(s *shared) {
				s.send("b1")
				s.sleep(2 * second)
				s.send("b2")
				s.sleep(second / 2)
				s.send("a1")
			}, map[string]string{"b1": "1s cold", "a1": "3.5s cold", "b2": "4.5s cold"}},
		{"who finds it full waits in the function's own queue",
			lifecycle.Policy{Concurrency: 1, QueueLimit: 1}, 0, func(s *shared) {
				s.send("a1")
				s.send("b1")
				s.send("b2")
			}, map[string]string{"a1": "1s cold", "b1": "2s cold", "b2": "0s " + accountFull}},
		{"who waits beside an idle instance gets that one",
			lifecycle.Policy{Concurrency: 1, QueueLimit: 1, KeepAlive: time.Minute}, 0, func(s *shared) {
				s.send("b1")
				s.sleep(second)
				s.send("a1")
				s.send("b2")
			}, map[string]string{"b1": "1s cold", "a1": "2s cold", "b2": "3s queued"}},
		{"an idle instance is not lent beyond it",
			lifecycle.Policy{Concurrency: 1, KeepAlive: time.Minute}, 0, func(s *shared) {
				s.send("b1")
				s.sleep(second)
				s.send("a1")
				s.send("b2")
			}, map[string]string{"b1": "1s cold", "a1": "2s cold", "b2": "1s " + accountFull}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			box := &memory.Sandbox{Init: tt.init, Handler: takes(time.Second)}
			share(t, box, tt.policy, func(s *shared) {
				tt.test(s)
				s.want(tt.want)
				if most := tt.policy.Concurrency + 1; box.Peak() > most {
					t.Errorf("%d instances at once", box.Peak())
				}
			})
		})
	}
}

// TestWhoWaitsLongestIsNext: over the functions that share the account, though
// each has its own queue.
func TestWhoWaitsLongestIsNext(t *testing.T) {
	const second = time.Second
	policy := lifecycle.Policy{Concurrency: 1, QueueLimit: 100}
	tests := []struct {
		name   string
		policy lifecycle.Policy
		test   func(*shared)
		want   map[string]string
	}{
		{"in turns", policy, func(s *shared) {
			for _, request := range []string{"a1", "a2", "b1", "b2", "a3"} {
				s.send(request)
				s.sleep(second / 10)
			}
		}, map[string]string{"a1": "1s cold", "a2": "2s queued", "b1": "3s cold", "b2": "4s queued", "a3": "5s cold"}},
		{"whoever began to wait first", policy, func(s *shared) {
			for _, request := range []string{"a1", "b1", "a2", "b2"} {
				s.send(request)
				s.sleep(second / 10)
			}
		}, map[string]string{"a1": "1s cold", "b1": "2s cold", "a2": "3s cold", "b2": "4s cold"}},
		{"of two places each gets one", lifecycle.Policy{Concurrency: 2, QueueLimit: 100}, func(s *shared) {
			s.reserve("b", 2)
			s.send("a1")
			s.sleep(second / 10)
			s.send("a2")
			s.sleep(second / 10)
			if err := s.families["b"].Remove(s.t.Context()); err != nil {
				s.t.Error(err)
			}
		}, map[string]string{"a1": "1.2s cold", "a2": "1.2s cold"}},
		{"who has no start token keeps nobody", lifecycle.Policy{
			Concurrency: 2, QueueLimit: 100, KeepAlive: time.Minute, StartBurst: 1, StartEvery: 10 * second,
		}, func(s *shared) {
			s.send("b1")
			s.send("b2") // may start at 10 s
			s.send("a1")
			s.sleep(second / 2)
			s.send("a2")
			s.send("a3")
		}, map[string]string{"b1": "1s cold", "b2": "2s queued", "a1": "1s cold", "a2": "2s queued", "a3": "3s queued"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			share(t, &memory.Sandbox{Handler: takes(second)}, tt.policy, func(s *shared) {
				tt.test(s)
				s.want(tt.want)
			})
		})
	}
}

// TestOverloadedFunctionStarvesNobody: a's queue never empties, and b's only
// request has its turn all the same.
func TestOverloadedFunctionStarvesNobody(t *testing.T) {
	for _, keep := range []time.Duration{0, time.Minute} {
		policy := lifecycle.Policy{Concurrency: 1, QueueLimit: 100, KeepAlive: keep}
		share(t, &memory.Sandbox{Handler: takes(time.Second)}, policy, func(s *shared) {
			s.send("a00")
			s.send("b00")
			s.sleep(time.Second / 2)
			for i := range 29 {
				s.send(fmt.Sprintf("a%02d", i+1))
				s.sleep(time.Second)
			}
			s.sleep(time.Minute)
			if got := s.ends["b00"]; got != "2s cold" {
				t.Errorf("keep-alive %v: b's request, the first that waited, ended at %s; want 2s cold", keep, got)
			}
			if last := s.ends["a29"]; !strings.HasPrefix(last, "31s ") {
				t.Errorf("keep-alive %v: the last of 31 requests of a second each ended at %s: a place stood empty", keep, last)
			}
		})
	}
}

func TestReservationsChangeAtAnyTime(t *testing.T) {
	keep := lifecycle.Policy{Concurrency: 2, KeepAlive: time.Minute}
	queue := keep
	queue.QueueLimit = 5
	tests := []struct {
		name   string
		policy lifecycle.Policy
		test   func(*shared)
		want   map[string]string
	}{
		{"fewer than there are", keep, func(s *shared) {
			s.send("a1")
			s.send("a2")
			s.reserve("a", 1)
			s.sleep(time.Second)
			s.send("a3")
			s.send("a4")
			s.send("b1")
		}, map[string]string{"a1": "1s cold", "a2": "1s cold", "a3": "2s warm", "a4": "1s " + ownFull, "b1": "2s cold"}},
		{"0 refuses who comes and who waits, and lets the others end", queue, func(s *shared) {
			s.send("a1")
			s.send("a2")
			s.send("a3")
			s.reserve("a", 0)
			s.send("a4")
			s.send("b1")
		}, map[string]string{"a1": "1s cold", "a2": "1s cold", "a3": "0s " + ownFull, "a4": "0s " + ownFull, "b1": "1s cold"}},
		{"what is given back serves who waits", queue, func(s *shared) {
			s.reserve("a", 2)
			s.send("b1")
			s.sleep(time.Second / 2)
			s.reserve("a")
			s.send("a1")
		}, map[string]string{"b1": "1.5s cold", "a1": "1.5s cold"}},
		{"a deleted function gives back what it had", queue, func(s *shared) {
			s.reserve("a", 2)
			s.send("b1")
			s.sleep(time.Second / 2)
			if err := s.families["a"].Remove(s.t.Context()); err != nil {
				s.t.Error(err)
			}
		}, map[string]string{"b1": "1.5s cold"}},
		{"more than before serves who waits", queue, func(s *shared) {
			s.reserve("a", 1)
			s.send("a1")
			s.send("a2")
			s.sleep(time.Second / 2)
			s.reserve("a", 2)
		}, map[string]string{"a1": "1s cold", "a2": "1.5s cold"}},
		{"without an account limit", lifecycle.Policy{KeepAlive: time.Minute}, func(s *shared) {
			s.reserve("a", 1)
			s.send("a1")
			s.send("a2")
			s.reserve("a")
			s.send("a3")
		}, map[string]string{"a1": "1s cold", "a2": "0s " + ownFull, "a3": "1s cold"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			box := &memory.Sandbox{Handler: takes(time.Second)}
			share(t, box, tt.policy, func(s *shared) {
				tt.test(s)
				s.want(tt.want)
			})
		})
	}
}

func TestReservationsLeaveTheRest(t *testing.T) {
	box := &memory.Sandbox{}
	run(t, box, lifecycle.Policy{Concurrency: 150}, func(t *testing.T, rt *host) {
		for _, step := range []struct {
			reserve int
			refused bool
		}{{50, false}, {51, true}, {0, false}, {-1, true}, {151, true}} {
			err := rt.reserve("hello", &step.reserve)
			e, ok := errors.AsType[*engine.Error](err)
			if ok != step.refused || ok && e.Code != engine.Invalid {
				t.Errorf("reserve %d of 150: %v", step.reserve, err)
			}
		}
	})
	run(t, box, lifecycle.Policy{Concurrency: 10}, func(t *testing.T, rt *host) {
		none := 0
		if err := rt.reserve("hello", &none); err != nil {
			t.Errorf("a reservation of 0 takes nothing from an account of 10: %v", err)
		}
	})
}
