package catalog_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// preparing is a sandbox whose Prepare takes time and may fail. Its instances
// answer with the environment variable ANSWER, and their version.
type preparing struct {
	memory.Sandbox
	takes time.Duration
	runs  [2]string // what Interpreter answers

	mu    sync.Mutex
	specs map[string]*sandbox.Spec // by instance
}

func (p *preparing) Interpreter(*sandbox.Spec) (what, version string) { return p.runs[0], p.runs[1] }

func (p *preparing) Prepare(ctx context.Context, spec *sandbox.Spec) error {
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if spec.Function.Env["BROKEN"] != "" {
		return errors.New("it is broken")
	}
	if spec.Function.Image == "" {
		if _, err := os.Stat(filepath.Join(spec.Function.Code, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}

func (p *preparing) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.specs == nil {
		p.specs = make(map[string]*sandbox.Spec)
	}
	p.specs[id] = spec
	return p.Sandbox.Start(ctx, id, spec, why)
}

func (p *preparing) answer(id string, _ *sandbox.Invocation, _ <-chan struct{}) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []byte(p.specs[id].Function.Env["ANSWER"] + p.specs[id].Version), nil
}

// shop is a catalogue and the runtime below it.
type shop struct {
	*catalog.Catalog
	t   testing.TB
	rt  *engine.Runtime
	box *preparing
}

func open(t testing.TB, box *preparing, o catalog.Options) *shop {
	t.Helper()
	s, err := tryOpen(t, box, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpen(t testing.TB, box *preparing, o catalog.Options) (*shop, error) {
	t.Helper()
	box.Clock = clock.New()
	box.Handler = box.answer
	rt, err := engine.New(engine.Options{
		Clock: box.Clock, Sandboxes: map[string]sandbox.Sandbox{"memory": box},
		Policy: lifecycle.Policy{KeepAlive: time.Minute, Concurrency: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Runtime = rt
	c, err := catalog.Open(o)
	if err != nil {
		return nil, errors.Join(err, rt.Close(t.Context()))
	}
	return &shop{c, t, rt, box}, nil
}

func (s *shop) close() {
	s.t.Helper()
	if err := s.rt.Close(context.Background()); err != nil {
		s.t.Errorf("close the runtime: %v", err)
	}
	if err := s.Close(); err != nil {
		s.t.Errorf("close the catalogue: %v", err)
	}
}

// bubble opens a catalogue in a synctest bubble and closes it after.
func bubble(t *testing.T, box *preparing, test func(*testing.T, *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, box, catalog.Options{})
		defer s.close()
		test(t, s)
	})
}

// archive makes a zip of files by name.
func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func hello(t testing.TB) catalog.Creation {
	return catalog.Creation{
		Name: "hello",
		Settings: catalog.Settings{
			Runtime: "provided.al2023", Handler: "bootstrap", Role: "arn:aws:iam::000000000000:role/anybody",
			Environment: map[string]string{"ANSWER": "first "},
		},
		Code: catalog.Code{Zip: archive(t, map[string]string{"bootstrap": "first"})},
	}
}

// must gives a value, or ends the test.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused checks an error's name, status and a part of its message.
func refused(t testing.TB, err error, exception string, status int, message string) {
	t.Helper()
	e, ok := errors.AsType[*catalog.Error](err)
	if !ok || e.Exception != exception || e.Status != status || !strings.Contains(e.Message, message) {
		t.Errorf("got %#v, want %s %d with %q", err, exception, status, message)
	}
}

func (s *shop) invoke(name, qualifier string) string {
	s.t.Helper()
	out, err := s.Invoke(s.t.Context(), name, qualifier, engine.Invocation{})
	if err != nil {
		s.t.Errorf("invoke %s:%s: %v", name, qualifier, err)
	}
	return string(out.Body)
}

const arn = "arn:aws:lambda:us-east-1:000000000000:function:hello"

func TestCreateIsPendingThenActive(t *testing.T) {
	bubble(t, &preparing{takes: time.Second}, func(t *testing.T, s *shop) {
		f := must[catalog.Function](t)(s.Create(hello(t)))
		first := f.Revision
		if f.State != catalog.Pending || f.StateReasonCode != "Creating" || f.Update != "" || f.ARN != arn || f.Version != "$LATEST" {
			t.Errorf("created: %+v", f)
		}
		_, err := s.Invoke(t.Context(), "hello", "", engine.Invocation{})
		refused(t, err, "ResourceConflictException", 409, "currently in the following state: Pending")
		_, err = s.UpdateSettings("hello", catalog.SettingsUpdate{})
		refused(t, err, "ResourceConflictException", 409, "Pending")
		_, err = s.Publish("hello", catalog.Publication{})
		refused(t, err, "ResourceConflictException", 409, "Pending")
		time.Sleep(time.Second)
		synctest.Wait()
		f = must[catalog.Function](t)(s.Function("hello", ""))
		if f.State != catalog.Active || f.StateReason != "" || f.Update != catalog.Successful || f.Revision == first {
			t.Errorf("a second later: %+v", f)
		}
		if got := s.invoke("hello", ""); got != "first $LATEST" {
			t.Errorf("it answers %q", got)
		}
		_, err = s.Create(hello(t))
		refused(t, err, "ResourceConflictException", 409, "Function already exist: hello")
		want := catalog.Settings{
			Runtime: "provided.al2023", Handler: "bootstrap", Role: "arn:aws:iam::000000000000:role/anybody",
			Environment: map[string]string{"ANSWER": "first "}, Memory: 128 << 20, Timeout: 3 * time.Second, Storage: 512 << 20,
			Architecture: f.Architecture,
		}
		if diff := cmp.Diff(want, f.Settings); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
	})
}
