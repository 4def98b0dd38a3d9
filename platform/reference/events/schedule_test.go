package events

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

func TestExpressionNext(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, test := range []struct{ expression, after, want string }{
		{"rate(5 minutes)", "2026-11-22 10:00:00", "2026-11-22 10:05:00"},
		{"rate(5 minutes)", "2026-11-22 10:05:00", "2026-11-22 10:10:00"},
		{"rate(1 day)", "2026-11-22 10:00:01", "2026-11-23 10:00:00"},
		// The examples of EventBridge's guide, "Cron expressions".
		{"cron(0 10 * * ? *)", "2026-11-22 10:00:00", "2026-11-23 10:00:00"},
		{"cron(15 12 * * ? *)", "2026-11-22 10:00:00", "2026-11-22 12:15:00"},
		{"cron(0 18 ? * MON-FRI *)", "2026-11-21 00:00:00", "2026-11-23 18:00:00"},
		{"cron(0 8 1 * ? *)", "2026-11-22 00:00:00", "2026-12-01 08:00:00"},
		{"cron(0/15 * * * ? *)", "2026-11-22 10:01:00", "2026-11-22 10:15:00"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "2026-11-20 17:55:00", "2026-11-23 08:00:00"},
		{"cron(0 9 ? * 2#1 *)", "2026-11-22 00:00:00", "2026-12-07 09:00:00"}, // first Monday
		{"cron(15 10 ? * 6L 2026-2027)", "2026-11-22 00:00:00", "2026-11-27 10:15:00"},
		{"cron(0 0 ? * 1 *)", "2026-11-22 00:00:00", "2026-11-29 00:00:00"}, // Sundays
		{"cron(0 0 L * ? *)", "2026-02-01 00:00:00", "2026-02-28 00:00:00"},
		{"at(2026-11-22T10:00:00)", "2026-11-22 09:59:59", "2026-11-22 10:00:00"},
		{"at(2026-11-22T10:00:00)", "2026-11-22 10:00:00", ""},
		{"cron(0 0 1 1 ? 2020)", "2026-11-22 10:00:00", ""},
	} {
		e, err := ParseExpression(test.expression)
		if err != nil {
			t.Error(err)
			continue
		}
		next, ok := e.Next(at("2026-11-22 10:00:00"), at(test.after))
		if ok != (test.want != "") || ok && !next.Equal(at(test.want)) {
			t.Errorf("%s after %s: got %v %v, want %q", test.expression, test.after, next, ok, test.want)
		}
	}
}

func TestParseExpressionRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "write for example",
		"5 minutes":                   "write for example",
		"rate(5)":                     "unknown unit",
		"rate(0 minutes)":             "above 0",
		"rate(1 minutes)":             "singular",
		"rate(5 minute)":              "plural",
		"rate(5 fortnights)":          "unknown unit",
		"cron(0 10 * * ?)":            "six",
		"cron(0 10 * * * *)":          "exactly one",
		"cron(0 10 ? * ? *)":          "exactly one",
		"cron(0 10 ? * 8 *)":          "day of week",
		"cron(0 10 ? * 2/2 *)":        "list the days",
		"cron(61 10 * * ? *)":         "cron",
		"at(tomorrow)":                "UTC",
		"at(2026-11-22T10:00:00Z)":    "UTC",
		"cron(0 10 * * ? *) and more": "write for example",
	} {
		if e, err := ParseExpression(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v %v, want an error with %q", text, e, err, want)
		}
	}
}

// FuzzExpression: no text makes the parser panic, and what it takes is due
// after the instant it is asked about.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{"rate(5 minutes)", "cron(0/5 8-17 ? * 6L,2#1 2026-2027)", "at(2026-11-22T10:00:00)", "cron(0 0 LW * ? *)"} {
		f.Add(text, int64(1763800000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		if unix < 0 || unix > 4e9 {
			return
		}
		e, err := ParseExpression(text)
		if err != nil {
			return
		}
		after := time.Unix(unix, 0).UTC()
		if next, ok := e.Next(after, after); ok && !next.After(after) {
			t.Errorf("%s after %v is due at %v", e, after, next)
		}
	})
}

func mustParse(t *testing.T, text string) Expression {
	t.Helper()
	e, err := ParseExpression(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSchedulerFiresOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return good() })
		q := NewQueue(QueueOptions{Invoker: s})
		sched := NewScheduler(q)
		if err := sched.Add(Rule{Name: "r", Function: "f", Expression: mustParse(t, "rate(10 seconds)"), Input: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(35 * time.Second)
		synctest.Wait()
		if got, want := strings.Join(s.calls, ", "), "10s f 1, 20s f 1, 30s f 1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		sched.Remove("r")
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.calls) != 3 {
			t.Errorf("%d invocations after the rule was removed, want the 3 from before", len(s.calls))
		}
		sched.Close()
		if err := sched.Add(Rule{Name: "r", Expression: mustParse(t, "rate(1 day)")}); err == nil {
			t.Error("a closed scheduler takes a rule")
		}
		closed(t, q)
	})
}

func TestSchedulerOnceAndItsEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return good() })
		q := NewQueue(QueueOptions{Invoker: s})
		sched := NewScheduler(q)
		due := time.Now().UTC().Add(90 * time.Second)
		done, end := into()
		rule := Rule{Name: "once", Function: "f", Expression: mustParse(t, "at("+due.Format("2006-01-02T15:04:05")+")"), Done: done}
		if err := sched.Add(rule); err != nil {
			t.Fatal(err)
		}
		if r := <-end; r.Condition != Success || !time.Now().Equal(due) {
			t.Errorf("%s at %v, want %s at %v", r.Condition, time.Now(), Success, due)
		}
		var got struct {
			Type string `json:"detail-type"`
			Time time.Time
		}
		if err := json.Unmarshal([]byte(strings.SplitN(s.calls[0], " ", 3)[2]), &got); err != nil {
			t.Fatal(err)
		}
		if got.Type != "Scheduled Event" || !got.Time.Equal(due) {
			t.Errorf("event: %+v, want a Scheduled Event of %v", got, due)
		}
		if err := sched.Add(rule); err == nil {
			t.Error("a rule that is never due again is taken")
		}
		sched.Close()
		closed(t, q)
	})
}

// TestSchedulerRaces: rules come and go while they fire.
func TestSchedulerRaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(string, int) (engine.Outcome, error) { return good() })
		q := NewQueue(QueueOptions{Invoker: s})
		sched := NewScheduler(q)
		e := mustParse(t, "rate(1 second)")
		var wg sync.WaitGroup
		for _, name := range []string{"a", "b", "c"} {
			wg.Go(func() {
				for range 20 {
					if err := sched.Add(Rule{Name: name, Function: name, Expression: e}); err != nil {
						t.Error(err)
					}
					time.Sleep(1500 * time.Millisecond)
					sched.Remove(name)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if len(s.calls) != 60 {
			t.Errorf("%d invocations, want 60: each rule is due once before it goes", len(s.calls))
		}
		sched.Close()
		closed(t, q)
	})
}
