package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// sleeper is a function whose instance goes when it has been idle for so long.
// What it answers takes time on the way, and more when it starts.
type sleeper struct {
	kept   time.Duration
	grade  sample.Grade
	err    error
	begins time.Duration // when it fails; 0 is at once
	born   time.Time
	last   time.Time
}

func (s *sleeper) Invoke(context.Context, platform.Request) (platform.Response, error) {
	time.Sleep(2 * time.Millisecond)
	e := platform.Evidence{Start: sample.Warm, Grade: s.grade}
	if s.last.IsZero() || time.Since(s.last) >= s.kept {
		e.Start = sample.Cold
		time.Sleep(80 * time.Millisecond)
	}
	if s.last = time.Now(); s.born.IsZero() {
		s.born = s.last
	}
	time.Sleep(3 * time.Millisecond)
	if time.Since(s.born) < s.begins {
		return platform.Response{Evidence: e}, nil
	}
	return platform.Response{Evidence: e}, s.err
}

func (s *sleeper) Remove(context.Context) error { return nil }

// search runs a search over copies in virtual time.
func search(ctx context.Context, t *testing.T, one sleeper, budget time.Duration) (*keepalive.Document, error) {
	t.Helper()
	o, err := keepalive.Options{From: time.Second, To: time.Hour}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := keepalive.NewSearch(o)
	if err != nil {
		t.Fatal(err)
	}
	d := o.Begin(keepalive.Document{Platform: "sleepy", Copies: 2})
	p := &probing{
		w: &World{Stderr: io.Discard, Now: time.Now}, dir: t.TempDir(), ends: time.Now().Add(budget), search: s, document: &d, left: o.Most,
	}
	a, b := one, one
	err = p.run(ctx, map[string]platform.Deployment{"a": &a, "b": &b})
	return &d, err
}

// TestKeepAliveSearch: what the platform does lies within what is told of it,
// however long requests and answers are on their way.
func TestKeepAliveSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const truth = 5 * time.Minute
		d, err := search(t.Context(), t, sleeper{kept: truth, grade: sample.Attested}, 100*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		f := &d.Finding
		if d.State != keepalive.Complete || !f.Sudden || f.Kept == nil || f.Gone == nil || *f.Kept > truth || *f.Gone < truth || *f.Gone-*f.Kept > truth/15 {
			t.Errorf("%s: %+v", d.State, f)
		}
	})
}

func TestKeepAliveSearchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := search(t.Context(), t, sleeper{kept: time.Hour, grade: sample.Attested}, time.Minute)
		if err != nil || d.State == keepalive.Interrupted || d.Finding.Gone != nil || *d.Finding.Kept > time.Minute {
			t.Errorf("a minute's budget: %s, %+v, %v", d.State, d.Finding, err)
		}
		if d, err = search(t.Context(), t, sleeper{kept: time.Hour}, time.Hour); err == nil || !strings.Contains(err.Error(), "does not tell whether") || len(d.Probes) > 0 {
			t.Errorf("without evidence: %d probes, %v", len(d.Probes), err)
		}
		broken := errors.New("broken")
		if d, err = search(t.Context(), t, sleeper{err: broken}, time.Hour); !errors.Is(err, broken) || d.Failed != 2*mostFailures || d.State != keepalive.Failed {
			t.Errorf("where all fails: %d failures, %v", d.Failed, err)
		}
		if d, err = search(t.Context(), t, sleeper{kept: time.Hour, grade: sample.Attested, err: broken, begins: time.Minute}, time.Hour); !errors.Is(err, broken) ||
			!strings.Contains(err.Error(), "any more") || d.State != keepalive.Failed || len(d.Probes) == 0 {
			t.Errorf("where all fails after a minute: %s, %d probes, %v", d.State, len(d.Probes), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		if d, err = search(ctx, t, sleeper{kept: time.Hour, grade: sample.Attested}, time.Hour); err == nil || d.State != keepalive.Interrupted || len(d.Probes) == 0 {
			t.Errorf("interrupted: %s, %d probes, %v", d.State, len(d.Probes), err)
		}
	})
}

// moody answers every other request with an error.
type moody struct {
	sleeper
	asked int
}

func (m *moody) Invoke(ctx context.Context, r platform.Request) (platform.Response, error) {
	m.asked++
	if m.asked%2 == 0 {
		return platform.Response{}, errors.New("broken")
	}
	return m.sleeper.Invoke(ctx, r)
}

// TestKeepAliveSearchSendsNoMore than was asked about: what fails, and what is
// sent after it to have an instance again, counts.
func TestKeepAliveSearchSendsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := keepalive.NewSearch(keepalive.Options{From: time.Second, To: time.Hour, Precision: .05, Most: 200})
		if err != nil {
			t.Fatal(err)
		}
		one := &moody{sleeper: sleeper{kept: time.Hour, grade: sample.Attested}}
		p := &probing{
			w: &World{Stderr: io.Discard, Now: time.Now}, dir: t.TempDir(), ends: time.Now().Add(time.Hour), search: s,
			document: &keepalive.Document{Copies: 1}, left: 11,
		}
		if err := p.run(t.Context(), map[string]platform.Deployment{"a": one}); err != nil || one.asked != 11 || p.document.State != keepalive.OutOfTime {
			t.Errorf("%d requests of 11, %s, %v", one.asked, p.document.State, err)
		}
	})
}

// keeps wants the search whose document is on stdout to have found a keep-alive
// that is known: keeps 2s.
func keeps(ts *testscript.TestScript, _ bool, args []string) {
	truth, err := time.ParseDuration(args[0])
	ts.Check(err)
	var d keepalive.Document
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &d))
	ts.Check(missed(&d, truth))
}

// missed says by what a search has missed the truth, nil for nothing. A machine
// that keeps requests waiting moves no truth out of what is told, as each probe
// tells the least and the most that its instance may have been idle; it makes
// that wider. So how wide it is counts where no request was late by a quarter.
func missed(d *keepalive.Document, truth time.Duration) error {
	f := &d.Finding
	if f.Kept != nil && *f.Kept > truth || f.Gone != nil && *f.Gone < truth {
		return fmt.Errorf("it keeps for %v, and not: %+v", truth, f)
	}
	var late time.Duration
	for _, p := range d.Probes {
		late = max(late, p.AtMost-p.Asked)
	}
	if late > truth/4 {
		return nil
	}
	if d.State != keepalive.Complete || !f.Sudden || f.Kept == nil || f.Gone == nil || *f.Gone-*f.Kept > truth/2+late {
		return fmt.Errorf("%s after %d probes, none later than %v: %+v", d.State, len(d.Probes), late, f)
	}
	return nil
}

// TestMissed: a search that is wrong does not pass for one that was disturbed.
func TestMissed(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		kept, gone, late time.Duration
		missed           bool
	}{
		"right":                     {1950 * ms, 2040 * ms, 10 * ms, false},
		"right, and disturbed":      {600 * ms, 2040 * ms, 700 * ms, false},
		"kept for too long":         {2010 * ms, 2040 * ms, 10 * ms, true},
		"gone too early":            {1900 * ms, 1980 * ms, 10 * ms, true},
		"gone too early, disturbed": {600 * ms, 1200 * ms, 700 * ms, true},
		"too wide":                  {600 * ms, 2040 * ms, 10 * ms, true},
	} {
		d := keepalive.Options{From: 600 * ms, To: 8000 * ms, Precision: .05}.Begin(keepalive.Document{})
		d.State = keepalive.Complete
		d.Add(keepalive.Probe{Asked: tt.kept, Gap: tt.kept, AtMost: tt.kept + tt.late, Kept: true})
		d.Add(keepalive.Probe{Asked: tt.gone, Gap: tt.gone, AtMost: tt.gone})
		if err := missed(&d, 2000*ms); (err != nil) != tt.missed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStillThere: only evidence decides.
func TestStillThere(t *testing.T) {
	for _, tt := range []struct {
		e           platform.Evidence
		kept, known bool
	}{
		{platform.Evidence{Start: sample.Warm, Grade: sample.Beacon}, true, true},
		{platform.Evidence{Start: sample.Cold, Grade: sample.Attested}, false, true},
		{platform.Evidence{Start: sample.Cold, Grade: sample.Inferred}, false, false},
		{platform.Evidence{}, false, false},
		{platform.Evidence{Start: sample.Restored, Grade: sample.Attested, Instance: "i"}, true, true}, // it was paused
		{platform.Evidence{Start: sample.Restored, Grade: sample.Attested, Instance: "j"}, false, true},
		{platform.Evidence{Start: sample.Restored, Grade: sample.Attested}, false, true},
		{platform.Evidence{Start: sample.Queued, Grade: sample.Attested}, false, false},
	} {
		if kept, known := stillThere(&tt.e, "i"); kept != tt.kept || known != tt.known {
			t.Errorf("%+v: kept %v, known %v", tt.e, kept, known)
		}
	}
}
