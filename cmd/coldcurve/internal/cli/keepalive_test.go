package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// sleeper is a function whose instance goes when it has been idle for so long.
// What it answers takes time on the way, and more when it starts.
type sleeper struct {
	kept  time.Duration
	grade sample.Grade
	err   error
	last  time.Time
}

func (s *sleeper) Invoke(context.Context, platform.Request) (platform.Response, error) {
	time.Sleep(2 * time.Millisecond)
	e := platform.Evidence{Start: sample.Warm, Grade: s.grade}
	if s.last.IsZero() || time.Since(s.last) >= s.kept {
		e.Start = sample.Cold
		time.Sleep(80 * time.Millisecond)
	}
	s.last = time.Now()
	time.Sleep(3 * time.Millisecond)
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
		w: &World{Stderr: io.Discard, Now: time.Now}, dir: t.TempDir(), ends: time.Now().Add(budget), search: s, document: &d,
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
		if d, err = search(t.Context(), t, sleeper{err: broken}, time.Hour); !errors.Is(err, broken) || d.Failed != 2*mostFailures {
			t.Errorf("where all fails: %d failures, %v", d.Failed, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		if d, err = search(ctx, t, sleeper{kept: time.Hour, grade: sample.Attested}, time.Hour); err == nil || d.State != keepalive.Interrupted || len(d.Probes) == 0 {
			t.Errorf("interrupted: %s, %d probes, %v", d.State, len(d.Probes), err)
		}
	})
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
