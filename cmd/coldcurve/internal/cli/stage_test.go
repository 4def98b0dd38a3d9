package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	lambdaplatform "github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// irremovable is a function that nobody may delete.
type irremovable struct{ platform.Deployment }

func (irremovable) Remove(context.Context) error {
	return &platform.Error{Kind: sample.Refused, Op: "remove hello", Err: errors.New("AccessDeniedException: not you"), Hint: "the run needs lambda:DeleteFunction"}
}

// TestWhatStaysIsTold wants a function that could not be removed named once, and
// how to have it removed later.
func TestWhatStaysIsTold(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	p, err := lambdaplatform.New(t.Context(), lambdaplatform.Options{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{platform: p, deployments: map[string]platform.Deployment{"hello": irremovable{}}}
	err = st.remove()
	if err == nil || err.Error() != "remove hello: AccessDeniedException: not you" || platform.KindOf(err) != sample.Refused {
		t.Errorf("got %v (%s)", err, platform.KindOf(err))
	}
	hint := platform.HintOf(err)
	for _, want := range []string{"hello may still be there", "`coldcurve cleanup`", "lambda:DeleteFunction"} {
		if !strings.Contains(hint, want) {
			t.Errorf("hint %q, want %q in it", hint, want)
		}
	}
}

// stubborn answers, and lets nobody make a start cold.
type stubborn struct{ platform.Deployment }

func (stubborn) Invoke(context.Context, platform.Request) (platform.Response, error) {
	return platform.Response{Status: http.StatusOK}, nil
}

func (stubborn) Evict(context.Context) error {
	return &platform.Error{Kind: sample.Refused, Op: "evict hello", Err: errors.New("nothing has changed"), Hint: "leave evict out"}
}

// TestEvictionsThatFail wants a run that went to its end without any eviction
// that it was to have to say so, and not that it has no end.
func TestEvictionsThatFail(t *testing.T) {
	s, err := scenarios.Parse("x.yaml", []byte(`
name: x
platform: reference
functions: [{name: hello, fixture: hello}]
phases: [{name: p, duration: 50ms, arrivals: {process: gap, gap: 20ms, evict: [reference]}}]
`), scenarios.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := s.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{deployments: map[string]platform.Deployment{"hello": stubborn{}}}
	w := &World{Now: time.Now, Stderr: io.Discard}
	dir, err := st.perform(t.Context(), w, &plan{s, schedule}, &runCmd{}, t.TempDir()+"/run", func(drive.Progress) {}, func() error { return nil })
	if dir == nil || err == nil || !strings.Contains(err.Error(), "nothing has changed") {
		t.Fatalf("got %v, %v", dir, err)
	}
	if m := dir.Manifest; !m.Complete || !strings.Contains(m.Failure, "evict hello: nothing has changed; leave evict out") {
		t.Errorf("complete: %v, failure %q, want a complete run that says what failed", m.Complete, m.Failure)
	}
}
