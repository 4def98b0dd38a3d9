package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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

// deaf is a platform that keeps what is made, and a function there which nobody
// answers for.
type deaf struct {
	keeper
	platform.Deployment
}

func (deaf) Deploy(context.Context, platform.Function) (platform.Deployment, error) {
	return nil, errors.ErrUnsupported
}
func (deaf) Where() string               { return "nowhere" }
func (deaf) Close(context.Context) error { return nil }

func (deaf) Remove(ctx context.Context) error {
	lasting, cancel := platform.Outlive(ctx)
	defer cancel()
	<-lasting.Done()
	return &platform.Error{Kind: sample.Timeout, Op: "remove", Err: context.Cause(lasting)}
}

// TestClearingUpHasOneLimit wants functions at a dead endpoint to be waited for
// once, and all of them to be told of.
func TestClearingUpHasOneLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &stage{platform: deaf{}, deployments: map[string]platform.Deployment{"a": deaf{}, "b": deaf{}, "c": deaf{}}}
		began := time.Now()
		err := st.remove()
		if took := time.Since(began); took != removalLimit {
			t.Errorf("it took %v, want %v", took, removalLimit)
		}
		if hint := platform.HintOf(err); platform.KindOf(err) != sample.Timeout || !strings.HasPrefix(hint, "a, b, c may still be there, at nowhere: `coldcurve cleanup` removes") {
			t.Errorf("got %v, hint %q", err, hint)
		}
	})
}

// TestCleanupAsksTheSilentOnce wants a platform that does not answer to be asked
// for one leftover, and the others as if it were not there.
func TestCleanupAsksTheSilentOnce(t *testing.T) {
	asked := make(map[string]int)
	left := func(on string, kind sample.ErrorKind) found {
		return found{Platform: on, take: func(context.Context) error {
			asked[on]++
			if kind == sample.NoError {
				return nil
			}
			return &platform.Error{Kind: kind, Op: "remove it", Err: errors.New("it says no")}
		}}
	}
	all := []found{
		left("lambda", sample.Timeout), left("lambda", sample.NoError), left("openwhisk", sample.Refused), left("openwhisk", sample.NoError), left("docker", sample.NoError),
	}
	err := takeAll(t.Context(), all)
	if diff := cmp.Diff(map[string]int{"lambda": 1, "openwhisk": 2, "docker": 1}, asked); diff != "" || platform.KindOf(err) != sample.Timeout {
		t.Errorf("%v; asked (-want +got):\n%s", err, diff)
	}
	if kept := all[1]; kept.Taken || kept.Why != "lambda did not answer: the same command tries again" {
		t.Errorf("what was not asked for: %+v", kept.Why)
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
