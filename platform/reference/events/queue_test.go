package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/google/go-cmp/cmp"
)

// busy is a refusal that passes.
type busy struct{}

func (busy) Error() string   { return "no room" }
func (busy) Temporary() bool { return true }

// script is an Invoker that answers as it is told and notes who was asked when.
type script struct {
	began   time.Time
	answer  func(name string, attempt int) (engine.Outcome, error)
	takes   time.Duration
	mu      sync.Mutex
	asked   map[string]int
	calls   []string
	atOnce  int
	highest int
}

func newScript(answer func(name string, attempt int) (engine.Outcome, error)) *script {
	return &script{began: time.Now(), answer: answer, asked: make(map[string]int)}
}

func (s *script) Invoke(ctx context.Context, name, qualifier string, inv engine.Invocation) (engine.Outcome, error) {
	s.mu.Lock()
	s.asked[inv.RequestID]++
	attempt := s.asked[inv.RequestID]
	s.calls = append(s.calls, fmt.Sprintf("%v %s %s", time.Since(s.began), name, inv.Payload))
	s.atOnce++
	s.highest = max(s.highest, s.atOnce)
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.atOnce--
	return s.answer(name, attempt)
}

func good() (engine.Outcome, error) {
	return engine.Outcome{Version: "3", Body: []byte(`{"ok":true}`)}, nil
}

func bad() (engine.Outcome, error) {
	return engine.Outcome{Version: "3", Body: []byte(`{"errorMessage":"no"}`), FunctionError: "Unhandled"}, nil
}

func event(name, payload string, done func(Result)) Event {
	return Event{Function: name, Invocation: engine.Invocation{Payload: []byte(payload)}, Done: done}
}

// into gives a channel with the one result that a Done gets.
func into() (func(Result), chan Result) {
	c := make(chan Result, 2) // a second one shows
	return func(r Result) { c <- r }, c
}

func closed(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestRetriesAfterOneAndTwoMinutes(t *testing.T) {
	for _, test := range []struct {
		name      string
		answer    func(string, int) (engine.Outcome, error)
		config    *Config
		condition Condition
		calls     []string
	}{
		{
			name:      "the first time",
			answer:    func(string, int) (engine.Outcome, error) { return good() },
			condition: Success, calls: []string{"0s f {}"},
		},
		{
			name: "the third time",
			answer: func(_ string, n int) (engine.Outcome, error) {
				if n < 3 {
					return bad()
				}
				return good()
			},
			condition: Success, calls: []string{"0s f {}", "1m0s f {}", "3m0s f {}"},
		},
		{
			name:      "never",
			answer:    func(string, int) (engine.Outcome, error) { return bad() },
			condition: RetriesExhausted, calls: []string{"0s f {}", "1m0s f {}", "3m0s f {}"},
		},
		{
			name:      "without retries",
			answer:    func(string, int) (engine.Outcome, error) { return bad() },
			config:    &Config{Age: time.Hour},
			condition: RetriesExhausted, calls: []string{"0s f {}"},
		},
		{
			name:      "too old for the second retry",
			answer:    func(string, int) (engine.Outcome, error) { return bad() },
			config:    &Config{Retries: 2, Age: 2 * time.Minute},
			condition: EventAgeExceeded, calls: []string{"0s f {}", "1m0s f {}"},
		},
		{
			name:      "refused for good",
			answer:    func(string, int) (engine.Outcome, error) { return engine.Outcome{}, errors.New("no such function") },
			condition: Lost, calls: []string{"0s f {}"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(test.answer)
				q := NewQueue(QueueOptions{Invoker: s, Config: func(string, string) (Config, bool) {
					if test.config == nil {
						return Config{}, false
					}
					return *test.config, true
				}})
				defer closed(t, q)
				done, end := into()
				if _, err := q.Accept(event("f", "{}", done)); err != nil {
					t.Fatal(err)
				}
				r := <-end
				if r.Condition != test.condition || r.Attempts != len(test.calls) {
					t.Errorf("got %s after %d attempts, want %s after %d", r.Condition, r.Attempts, test.condition, len(test.calls))
				}
				if diff := cmp.Diff(test.calls, s.calls); diff != "" {
					t.Errorf("invocations (-want +got):\n%s", diff)
				}
				if len(s.asked) != 1 {
					t.Errorf("%d request ids for one event, want 1", len(s.asked))
				}
			})
		})
	}
}

// TestThrottledEventsBackOff: a refusal is no retry, and the waits between
// refusals grow up to five minutes until the event is six hours old.
func TestThrottledEventsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return engine.Outcome{}, busy{} })
		q := NewQueue(QueueOptions{Invoker: s})
		defer closed(t, q)
		done, end := into()
		if _, err := q.Accept(event("f", "{}", done)); err != nil {
			t.Fatal(err)
		}
		r := <-end
		took := time.Since(s.began)
		if r.Condition != EventAgeExceeded || took > 6*time.Hour || took < 6*time.Hour-5*time.Minute {
			t.Errorf("got %s after %v, want %s within the five minutes before 6h", r.Condition, took, EventAgeExceeded)
		}
		if r.Attempts < 72 || r.Attempts > 160 { // 6h/5min without jitter, twice that with all of it, and the first few
			t.Errorf("%d attempts in six hours with waits of 2.5 to 5 minutes", r.Attempts)
		}
		if !errors.Is(r.Err, busy{}) {
			t.Errorf("the end tells %v, want the last refusal", r.Err)
		}
	})
}

func TestFirstInFirstOutWithinWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return good() })
		s.takes = time.Second
		q := NewQueue(QueueOptions{Invoker: s, Workers: 2})
		defer closed(t, q)
		var ends sync.WaitGroup
		for i := range 300 {
			ends.Add(1)
			if _, err := q.Accept(event("f", fmt.Sprint(i), func(Result) { ends.Done() })); err != nil {
				t.Fatal(err)
			}
		}
		ends.Wait()
		if took := time.Since(s.began); took != 150*time.Second || s.highest != 2 {
			t.Errorf("300 events of 1s took %v with %d at once, want 2m30s with 2", took, s.highest)
		}
		for i, call := range s.calls {
			if n := strings.Fields(call)[2]; n != fmt.Sprint(i) && n != fmt.Sprint(i^1) {
				t.Fatalf("call %d was for event %s", i, n)
			}
		}
	})
}

func TestAcceptRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return good() })
		s.takes = time.Hour
		rules := LambdaRules()
		rules.Payload = 10
		q := NewQueue(QueueOptions{Invoker: s, Rules: rules, Capacity: 3 << 10})
		if _, err := q.Accept(event("f", "12345678901", nil)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("11 bytes of at most 10: got %v, want %v", err, ErrTooLarge)
		}
		if _, err := q.Accept(event("f", "1234567890", nil)); err != nil {
			t.Errorf("10 bytes of at most 10: %v", err)
		}
		if _, err := q.Accept(event("f", "", nil)); err != nil {
			t.Errorf("an empty one: %v", err)
		}
		if _, err := q.Accept(event("f", "", nil)); !errors.Is(err, ErrFull) {
			t.Errorf("a third in 3 KiB: got %v, want %v, or empty events could fill the memory", err, ErrFull)
		}
		synctest.Wait()
		closed(t, q)
		if _, err := q.Accept(event("f", "", nil)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: got %v, want %v", err, ErrClosed)
		}
	})
}

// TestCloseTellsWhatIsLost: one event is being handled, one waits for its
// retry, one for a worker.
func TestCloseTellsWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(_ string, n int) (engine.Outcome, error) { return bad() })
		q := NewQueue(QueueOptions{Invoker: s, Workers: 1})
		var ends []Condition
		var mu sync.Mutex
		note := func(r Result) { mu.Lock(); ends = append(ends, r.Condition); mu.Unlock() }
		accept := func(payload string) {
			t.Helper()
			if _, err := q.Accept(event("f", payload, note)); err != nil {
				t.Fatal(err)
			}
		}
		accept("retry")
		synctest.Wait()
		s.takes = time.Hour
		accept("handled")
		synctest.Wait()
		accept("waits")
		if got := q.Waiting(); got != 2 {
			t.Errorf("%d wait, want 2", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := q.Close(ctx)
		if err == nil || !strings.Contains(err.Error(), "2 events") {
			t.Errorf("close: got %v, want 2 events lost", err)
		}
		if want := []Condition{Lost, Lost, Lost}; !slices.Equal(ends, want) {
			t.Errorf("ends: got %v, want %v", ends, want)
		}
		if err := q.Close(t.Context()); err == nil {
			t.Error("a second Close has forgotten what was lost")
		}
	})
}

func TestDestinations(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var record []byte
		s := newScript(nil)
		s.answer = func(name string, n int) (engine.Outcome, error) {
			if name == "f" {
				return bad()
			}
			return good()
		}
		q := NewQueue(QueueOptions{
			Invoker: s, Region: "eu-central-1", Destinations: Destinations{Folder: folder},
			Config: func(name, _ string) (Config, bool) {
				if name == "f" {
					return Config{Age: time.Hour, OnFailure: "arn:aws:lambda:eu-central-1:000000000000:function:g:prod"}, true
				}
				return Config{Age: time.Hour, OnSuccess: "file:done"}, true
			},
		})
		id, err := q.Accept(event("f", `{"n":1}`, nil))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(s.calls) != 2 {
			t.Fatalf("calls: %q, want f and its destination g", s.calls)
		}
		record = []byte(strings.SplitN(s.calls[1], " ", 3)[2])
		var got map[string]any
		if err := json.Unmarshal(record, &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "timestamp")
		want := map[string]any{
			"version": "1.0",
			"requestContext": map[string]any{
				"requestId": id, "functionArn": "arn:aws:lambda:eu-central-1:000000000000:function:f:$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 1.,
			},
			"requestPayload":  map[string]any{"n": 1.},
			"responseContext": map[string]any{"statusCode": 200., "executedVersion": "3", "functionError": "Unhandled"},
			"responsePayload": map[string]any{"errorMessage": "no"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
		closed(t, q)
	})
	files, err := filepath.Glob(filepath.Join(folder, "done", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("records in the folder: %v %v, want one", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(text), `"condition":"Success"`) {
		t.Errorf("record in the folder: %s %v", text, err)
	}
}

// TestDestinationLoopEnds: a function that is its own destination.
func TestDestinationLoopEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return good() })
		var told []string
		q := NewQueue(QueueOptions{
			Invoker: s,
			Config: func(string, string) (Config, bool) {
				return Config{Age: time.Hour, OnSuccess: "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"}, true
			},
			Log: func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) },
		})
		if _, err := q.Accept(event("f", "{}", nil)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if want := 1 + LambdaRules().Depth; len(s.calls) != want || len(told) != 1 {
			t.Errorf("%d invocations and %q told, want %d and one line", len(s.calls), told, want)
		}
		closed(t, q)
	})
}

func TestParseDestination(t *testing.T) {
	for text, want := range map[string]Destination{
		"arn:aws:lambda:eu-west-1:123456789012:function:f":    {Function: "f"},
		"arn:aws:lambda:eu-west-1:123456789012:function:f:v1": {Function: "f", Qualifier: "v1"},
		"file:failures": {Folder: "failures"},
	} {
		if got, err := ParseDestination(text); err != nil || got != want {
			t.Errorf("%s: got %+v %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "f", "file:", "file:..", "file:a/b", "file:/etc", "file:a\x00b", "file:.a", `file:a\b`, "arn:aws:sqs:us-east-1:123456789012:q"} {
		if got, err := ParseDestination(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}

// invoker is an Invoker that tells of each invocation and succeeds.
type invoker func(engine.Invocation)

func (f invoker) Invoke(_ context.Context, _, _ string, inv engine.Invocation) (engine.Outcome, error) {
	f(inv)
	return good()
}
