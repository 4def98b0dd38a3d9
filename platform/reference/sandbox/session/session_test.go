package session_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
)

// actor is a process that exists only as a goroutine.
type actor struct {
	api    *runtimeapi.Server
	asked  chan struct{}
	exited chan struct{}
	once   sync.Once
	ending session.Ending

	mu  sync.Mutex
	log string
}

func (a *actor) API() *runtimeapi.Server { return a.api }
func (a *actor) Exited() <-chan struct{} { return a.exited }
func (a *actor) Ending() session.Ending  { return a.ending }
func (a *actor) MaxMemory() int64        { return 7 }

func (a *actor) Terminate() error {
	close(a.asked)
	return nil
}

func (a *actor) SeedLog(p []byte) { a.print(string(p)) }

func (a *actor) print(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log += text
}

func (a *actor) TakeLog() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	log := a.log
	a.log = ""
	return []byte(log)
}

func (a *actor) exit(how session.Ending) {
	a.once.Do(func() {
		a.ending = how
		close(a.exited)
	})
}

func (a *actor) PutAway() error {
	a.exit(session.Ending{Cause: errors.New("the instance was stopped")})
	return a.api.Close()
}

// call speaks to the Runtime API; the request's id and the body.
func (a *actor) call(method, path, body string) (id, text string) {
	req, err := http.NewRequest(method, "http://"+a.api.Addr()+"/2018-06-01/runtime/"+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "", ""
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r.Header.Get("Lambda-Runtime-Aws-Request-Id"), string(b)
}

// echo answers until it is asked to go or told to crash.
func echo(a *actor) {
	go func() {
		<-a.asked
		a.exit(session.Ending{})
	}()
	for {
		id, text := a.call(http.MethodGet, "invocation/next", "")
		switch {
		case id == "":
			return
		case text == "crash":
			a.exit(session.Ending{How: "exit status 3"})
			return
		case text == "hang":
			return
		}
		a.call(http.MethodPost, "invocation/"+id+"/response", text)
	}
}

// short is the time of a function that hangs.
const short = 300 * time.Millisecond

// play begins a session of one actor after the other, whose function has so much
// time.
func play(t *testing.T, timeout time.Duration, acts ...func(*actor)) *session.Session {
	t.Helper()
	clk := clock.New()
	begin := func(context.Context) (session.Attempt, int64, error) {
		if len(acts) == 0 {
			t.Error("a third attempt")
		}
		l, err := runtimeapi.Listen()
		if err != nil {
			return nil, 0, err
		}
		a := &actor{api: runtimeapi.Serve(l, clk, 6<<20), asked: make(chan struct{}), exited: make(chan struct{})}
		a.api.Begin("arn", clk.Now())
		go acts[0](a)
		acts = acts[1:]
		return a, clk.Now(), nil
	}
	s, err := session.Begin(t.Context(), session.Config{
		Spec:  &sandbox.Spec{InitLimit: time.Minute, Timeout: timeout},
		Clock: clk, Begun: clk.Now(), Response: 6 << 20, Grace: 10 * time.Second,
		Begin: begin, Ready: func(session.Attempt) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(false); err != nil {
			t.Error(err)
		}
		<-s.Done()
	})
	return s
}

func crash(a *actor) {
	a.print("oh no. ")
	a.exit(session.Ending{How: "exit status 3"})
}

func TestInitEndsInFailure(t *testing.T) {
	for _, tt := range []struct {
		name          string
		acts          []func(*actor)
		kind          sample.ErrorKind
		errType, log  string
		wantsAttempts int
	}{
		{"crash", []func(*actor){crash, crash}, sample.Init, "Runtime.ExitError", "oh no. oh no. ", 2},
		{"its own words", []func(*actor){crash, func(a *actor) {
			a.call(http.MethodPost, "init/error", `{"errorType": "Shop.NoStock"}`)
			a.exit(session.Ending{How: "exit status 1"})
		}}, sample.Init, "Shop.NoStock", "oh no. ", 2},
		{"hang", []func(*actor){crash, func(*actor) {}}, sample.Timeout, "Sandbox.Timedout", "oh no. ", 2},
		{"out of memory", []func(*actor){crash, func(a *actor) { a.exit(session.Ending{How: "signal: killed", OutOfMemory: true}) }}, sample.OutOfMemory, "Runtime.OutOfMemory", "oh no. ", 2},
		{"no program", []func(*actor){func(a *actor) { a.exit(session.Ending{How: "exit status 127", Unfit: true}) }}, sample.Init, "Runtime.InvalidEntrypoint", "", 1},
		{"lost", []func(*actor){func(a *actor) { a.exit(session.Ending{Cause: errors.New("lost")}) }}, sample.Platform, "Runtime.ExitError", "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeout := time.Minute
			if tt.kind == sample.Timeout {
				timeout = short
			}
			marks, err := play(t, timeout, tt.acts...).AwaitReady(t.Context())
			f, ok := errors.AsType[*sandbox.Failure](err)
			if !ok || f.Kind != tt.kind || f.Type != tt.errType || string(f.Log) != tt.log {
				t.Errorf("got %#v, want kind %v, type %s, log %q", err, tt.kind, tt.errType, tt.log)
			}
			if marks.Attempts != tt.wantsAttempts || marks.Failed == 0 || marks.Ready != 0 {
				t.Errorf("got marks %+v, want %d attempts and a failure", marks, tt.wantsAttempts)
			}
		})
	}
}

func TestSecondAttemptServes(t *testing.T) {
	s := play(t, time.Minute, crash, echo)
	marks, err := s.AwaitReady(t.Context())
	if err != nil || marks.Attempts != 2 || marks.Ready == 0 {
		t.Fatalf("got %+v, %v", marks, err)
	}
	r, err := s.Invoke(t.Context(), request("hello"))
	if err != nil || string(r.Body) != "hello" || string(r.Log) != "oh no. " {
		t.Errorf("got %q with log %q, %v", r.Body, r.Log, err)
	}
}

func request(payload string) *sandbox.Invocation {
	return &sandbox.Invocation{RequestID: "id-1", Payload: []byte(payload), Deadline: time.Now().Add(time.Minute)}
}

func TestInvocationEndsInFailure(t *testing.T) {
	for _, tt := range []struct {
		payload, message string
		kind             sample.ErrorKind
	}{
		{"crash", "RequestId: id-1 Error: Runtime exited with error: exit status 3", sample.Crash},
		{"hang", "RequestId: id-1 Error: Task timed out after 0.30 seconds", sample.Timeout},
	} {
		t.Run(tt.payload, func(t *testing.T) {
			s := play(t, short, echo)
			if _, err := s.AwaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			inv := request(tt.payload)
			if tt.kind == sample.Timeout {
				inv.Deadline = time.Now().Add(short)
			}
			_, err := s.Invoke(t.Context(), inv)
			f, ok := errors.AsType[*sandbox.Failure](err)
			if !ok || f.Kind != tt.kind || f.Message != tt.message || f.HandlerStart == 0 || f.HandlerEnd < f.HandlerStart {
				t.Errorf("got %#v, want kind %v and %q", err, tt.kind, tt.message)
			}
		})
	}
}

func TestGracefulStopAsks(t *testing.T) {
	s := play(t, time.Minute, echo)
	if _, err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.Stop(true); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %v of 10s grace: nobody was asked", took)
	}
	if s.MaxMemory() != 7 {
		t.Error("the peak is forgotten")
	}
}

// TestUnfetchedRequestIsTold has a process answer, and end without asking for
// more; each request after that finds it ending, or gone.
func TestUnfetchedRequestIsTold(t *testing.T) {
	leave := make(chan struct{})
	s := play(t, time.Minute, func(a *actor) {
		id, text := a.call(http.MethodGet, "invocation/next", "")
		a.call(http.MethodPost, "invocation/"+id+"/response", text)
		<-leave
		a.exit(session.Ending{How: "exit status 1"})
	})
	if _, err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invoke(t.Context(), request("first")); err != nil {
		t.Fatal(err)
	}
	next := request("second")
	time.AfterFunc(10*time.Millisecond, func() { close(leave) }) // it usually has been handed over by then
	for _, when := range []string{"ending", "gone"} {
		_, err := s.Invoke(t.Context(), next)
		f, ok := errors.AsType[*sandbox.Failure](err)
		if !ok || f.Kind != sample.Crash || !f.Unfetched || f.HandlerStart != 0 {
			t.Errorf("%s: got %#v, want a crash before the request was fetched", when, err)
		}
	}
}
