package events

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Rule is a schedule: when which function gets what.
type Rule struct {
	Name                string // unique in a Scheduler
	Function, Qualifier string
	Expression          Expression
	Input               []byte // JSON; nil is EventBridge's own event
	Consumer, Stage     string // who its invocations are accounted to
	Done                func(Result)
}

// Scheduler puts events into a queue when they are due. An instant that the
// machine has slept through is missed, as it is with EventBridge.
type Scheduler struct {
	queue *Queue

	mu     sync.Mutex
	rules  map[string]*timed
	missed int
	closed bool
}

// timed is a rule that waits for its next instant.
type timed struct {
	Rule
	origin time.Time
	due    time.Time
	timer  *time.Timer
}

// NewScheduler makes a Scheduler without rules.
func NewScheduler(q *Queue) *Scheduler {
	return &Scheduler{queue: q, rules: make(map[string]*timed)}
}

// Add adds a rule, or replaces the one of that name; its rate counts from now.
func (s *Scheduler) Add(r Rule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	now := time.Now()
	t := &timed{Rule: r, origin: now}
	if !s.arm(t, now) {
		return fmt.Errorf("schedule %s: %s is never due", r.Name, r.Expression)
	}
	s.remove(r.Name)
	s.rules[r.Name] = t
	return nil
}

// Once has a rule fire at one instant, whatever its expression.
func (s *Scheduler) Once(r Rule, due time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	t := &timed{Rule: r, due: due}
	t.Expression = Expression{text: "once"}
	s.remove(r.Name)
	s.rules[r.Name] = t
	t.timer = time.AfterFunc(time.Until(due), func() { s.fire(t) })
	return nil
}

// arm sets the timer to the first instant after t. Called with mu held.
func (s *Scheduler) arm(r *timed, t time.Time) bool {
	due, ok := r.Expression.Next(r.origin, t)
	if !ok {
		return false
	}
	r.due = due
	r.timer = time.AfterFunc(time.Until(due), func() { s.fire(r) })
	return true
}

// Remove takes a rule away; there need not be one.
func (s *Scheduler) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(name)
}

func (s *Scheduler) remove(name string) {
	if r := s.rules[name]; r != nil {
		r.timer.Stop()
		delete(s.rules, name)
	}
}

// fire is the timer's.
func (s *Scheduler) fire(r *timed) {
	s.mu.Lock()
	if s.closed || s.rules[r.Name] != r {
		s.mu.Unlock()
		return
	}
	due := r.due
	if !s.arm(r, time.Now()) {
		delete(s.rules, r.Name)
	} else if r.Expression.rate > 0 {
		s.missed += int(r.due.Sub(due)/r.Expression.rate) - 1
	}
	s.mu.Unlock()
	// A cron instant has no monotonic reading; how late we are has.
	fired := s.queue.o.Clock.Now() - int64(max(0, time.Since(due)))
	_, err := s.queue.Accept(Event{
		Function: r.Function, Qualifier: r.Qualifier, Done: r.Done,
		Invocation: engine.Invocation{
			Payload: r.payload(due, s.queue.o.Region), Trigger: sample.Schedule, Triggered: fired,
			Consumer: r.Consumer, Stage: r.Stage,
		},
	})
	if err != nil {
		s.queue.o.Log("schedule %s: %v", r.Name, err)
		if r.Done != nil {
			r.Done(Result{Condition: Lost, Err: err})
		}
	}
}

// payload is the rule's input, or the event of EventBridge.
func (r *Rule) payload(due time.Time, region string) []byte {
	if r.Input != nil {
		return r.Input
	}
	text, err := json.Marshal(map[string]any{
		"version": "0", "id": engine.NewRequestID(), "detail-type": "Scheduled Event",
		"source": "aws.events", "account": account, "time": due.UTC().Format(time.RFC3339),
		"region": region, "resources": []string{"arn:aws:events:" + region + ":" + account + ":rule/" + r.Name},
		"detail": struct{}{},
	})
	if err != nil {
		panic(err) // texts can be marshalled
	}
	return text
}

// Missed is how many instants of rates have gone by without an event.
func (s *Scheduler) Missed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missed
}

// Close ends all rules. Idempotent.
func (s *Scheduler) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for name := range s.rules {
		s.remove(name)
	}
}
