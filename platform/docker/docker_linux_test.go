package docker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/docker"
)

// open makes the platform on a fake engine. At the end of the test nothing may
// be left there.
func open(t *testing.T, f *fake, o docker.Options) *docker.Platform {
	t.Helper()
	o.Host, o.AllowAnyLocalUser = f.host, true
	p, err := docker.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
		if left := f.left(); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
	return p
}

// hello is a function that the fake engine does not look into.
func hello(t *testing.T) platform.Function {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("#!"), 0o755); err != nil {
		t.Fatal(err)
	}
	return platform.Function{Name: "hello", Runtime: platform.Go, Code: folder, Timeout: 10 * time.Second}
}

func deploy(t *testing.T, p *docker.Platform, f platform.Function) platform.Deployment {
	t.Helper()
	d, err := p.Deploy(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func invoke(t *testing.T, d platform.Deployment) (platform.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return d.Invoke(ctx, platform.Request{Payload: []byte(`{"do":"echo"}`), WantBody: true})
}

// served wants an answer, and gives its evidence.
func served(t *testing.T, d platform.Deployment) platform.Evidence {
	t.Helper()
	out, err := invoke(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return out.Evidence
}

func evict(t *testing.T, d platform.Deployment) {
	t.Helper()
	if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// failed wants an error of a kind that says each of the words.
func failed(t *testing.T, err error, kind sample.ErrorKind, words ...string) {
	t.Helper()
	if got := platform.KindOf(err); err == nil || got != kind {
		t.Fatalf("got %v (%s), want kind %s", err, got, kind)
	}
	text := err.Error() + "\n" + platform.HintOf(err)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

func notes(t *testing.T, p *docker.Platform) string {
	t.Helper()
	d, err := p.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(d.Notes, "\n")
}

// TestStarts follows one function through its starts.
func TestStarts(t *testing.T) {
	f := newFake(t)
	p := open(t, f, docker.Options{})
	d := deploy(t, p, hello(t))
	var last platform.Evidence
	for i, want := range []sample.Start{sample.Cold, sample.Warm, sample.Cold, sample.Warm} {
		if i == 2 {
			evict(t, d)
		}
		e := served(t, d)
		if e.Start != want || e.Grade != sample.Observed || (e.Instance == last.Instance) != (want == sample.Warm) {
			t.Errorf("request %d: %+v after %+v, want %s", i, e, last, want)
		}
		if (e.Breakdown.Provision > 0) != (want == sample.Cold) {
			t.Errorf("request %d: %s, and %v for its container", i, want, e.Breakdown.Provision)
		}
		last = e
	}
	if got := notes(t, p); !strings.Contains(got, "medians of all 2 since the platform was set up: create ") {
		t.Errorf("notes %q do not say what the starts were made of", got)
	}
	lives, err := p.Instances(t.Context())
	if err != nil || len(lives) != 2 || lives[0].Reason != "evicted" || lives[0].Gone == 0 || lives[1].Gone != 0 {
		t.Errorf("lives %+v, %v, want one evicted and one that goes on", lives, err)
	}
	for _, l := range lives {
		if !(0 < l.Started && l.Started <= l.Created && l.Created <= l.Provisioned && l.Provisioned <= l.Ready) || l.Invocations != 2 {
			t.Errorf("life %+v: out of order, or not of two requests", l)
		}
	}
}

// TestEvictionDuringAStart: a container whose start had begun serves nobody but
// the request that it was started for.
func TestEvictionDuringAStart(t *testing.T) {
	f := newFake(t)
	d := deploy(t, open(t, f, docker.Options{}), hello(t))
	asked, proceed := make(chan struct{}), make(chan struct{})
	f.oddly("POST create", func(w http.ResponseWriter, r *http.Request) {
		f.oddly("POST create", nil)
		close(asked)
		<-proceed
		f.create(w, r)
	})
	first := make(chan string, 1)
	go func() {
		out, err := invoke(t, d)
		if err != nil {
			t.Error(err)
		}
		first <- out.Evidence.Instance
	}()
	<-asked
	evict(t, d)
	close(proceed)
	before := <-first
	if e := served(t, d); e.Start != sample.Cold || e.Instance == before {
		t.Errorf("after an eviction: %+v, want a cold one, not %s", e, before)
	}
}

// TestPaused counts what the engine was asked to freeze.
func TestPaused(t *testing.T) {
	f := newFake(t)
	d := deploy(t, open(t, f, docker.Options{Tier: docker.Paused}), hello(t))
	if e := served(t, d); e.Start != sample.Cold {
		t.Errorf("the first: %+v, want cold", e)
	}
	paused := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.pauses == 1
	}
	for end := time.Now().Add(time.Minute); !paused(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is paused")
		}
	}
	if e := served(t, d); e.Start != sample.Restored || e.Breakdown.Provision <= 0 {
		t.Errorf("the second: %+v, want restored, and what that took", e)
	}
}

// TestAnEngineThatLies tells that containers began to run before they were
// asked for, or nothing of it: none of that makes a cold start.
func TestAnEngineThatLies(t *testing.T) {
	for name, tt := range map[string]struct {
		says func(time.Time) string
		note string
	}{
		"an hour ago":  {func(now time.Time) string { return now.Add(-time.Hour).Format(time.RFC3339Nano) }, "began to run at another time"},
		"in an hour":   {func(now time.Time) string { return now.Add(time.Hour).Format(time.RFC3339Nano) }, "began to run at another time"},
		"no such time": {func(time.Time) string { return "soon" }, "did not say when"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.startedAt = tt.says
			p := open(t, f, docker.Options{})
			d := deploy(t, p, hello(t))
			if e := served(t, d); e.Start != sample.Unknown || e.Grade != sample.NoGrade || e.Instance == "" {
				t.Errorf("got %+v, want an instance and no claim", e)
			}
			if got := notes(t, p); !strings.Contains(got, "1 of 1 starts") || !strings.Contains(got, tt.note) {
				t.Errorf("notes %q, want them to say %q", got, tt.note)
			}
		})
	}
}

// TestEngineRefuses wants what an engine says to reach the reader.
func TestEngineRefuses(t *testing.T) {
	f := newFake(t)
	p := open(t, f, docker.Options{})
	f.oddly("POST create", refusing(http.StatusConflict, `Conflict. The container name "/shop" is already in use`))
	d := deploy(t, p, hello(t))
	_, err := invoke(t, d)
	failed(t, err, sample.Platform, "invoke hello: create container: ", "is already in use")

	f.oddly("POST create", nil)
	f.oddly("POST start", refusing(http.StatusInternalServerError, "OCI runtime start failed: starting container: setting up network: "+
		"cannot run with network enabled in root network namespace: unknown"))
	_, err = invoke(t, d)
	failed(t, err, sample.Platform, "invoke hello: start container: ", "network: NAME")
	f.oddly("POST start", nil)

	image := platform.Function{Name: "shop", Runtime: platform.Image, Image: "nowhere/shop:1"}
	f.oddly("POST create", refusing(http.StatusNotFound, "pull access denied for nowhere/shop"))
	_, err = p.Deploy(t.Context(), image)
	failed(t, err, sample.Refused, "deploy shop: pull image nowhere/shop:1: ", "pull access denied")
	_, err = open(t, f, docker.Options{Clients: t.TempDir()}).Deploy(t.Context(), platform.Function{Name: "shop", Runtime: platform.Python, Code: t.TempDir()})
	failed(t, err, sample.Refused, "deploy shop: pull image ", "bases: {python: IMAGE}")
	_, err = open(t, f, docker.Options{NoPull: true}).Deploy(t.Context(), image)
	failed(t, err, sample.Refused, "deploy shop: the Docker engine has no image nowhere/shop:1: pull or build it")
	_, err = p.Deploy(t.Context(), platform.Function{Name: "shop", Runtime: platform.Wasm})
	failed(t, err, sample.Refused, `runtime "wasm"`, "image, go, nodejs and python")

	f.oddly("POST create", nil)
	served(t, d)
	id := strings.TrimPrefix(f.left()[0], "container ")
	f.oddly("DELETE "+id, func(w http.ResponseWriter, r *http.Request) {
		f.note(func() { f.boxes[id].end(); delete(f.boxes, id) }) // its process, and not its files
		refusing(http.StatusInternalServerError, "device is busy")(w, r)
	})
	failed(t, d.Remove(t.Context()), sample.Platform, "remove hello: ", "device is busy")
}

// TestHalfDead has an engine that takes a start and never answers.
func TestHalfDead(t *testing.T) {
	for _, request := range []string{"POST create", "POST attach", "POST start"} {
		t.Run(request, func(t *testing.T) {
			f := newFake(t)
			p := open(t, f, docker.Options{Start: 50 * time.Millisecond})
			d := deploy(t, p, hello(t))
			f.oddly(request, hanging)
			_, err := invoke(t, d)
			failed(t, err, sample.Timeout, "no container was ready within 50.0 ms", "docker info")
			if err := d.Remove(t.Context()); err != nil {
				t.Errorf("remove: %v", err)
			}
		})
	}
}

// TestEngineDies wants an engine that dies in mid-run told in one line, once, with
// what to start and what takes away the rest.
func TestEngineDies(t *testing.T) {
	const gone, hint = " answers no more", "systemctl start docker"
	for _, there := range []bool{false, true} {
		t.Run(fmt.Sprintf("with a container %v", there), func(t *testing.T) {
			f := newFake(t)
			p, err := docker.New(t.Context(), docker.Options{Host: f.host, AllowAnyLocalUser: true})
			if err != nil {
				t.Fatal(err)
			}
			d := deploy(t, p, hello(t))
			if there {
				served(t, d)
			}
			f.die()
			if !there {
				_, err = invoke(t, d)
				failed(t, err, sample.Platform, "invoke hello: the Docker engine at unix://", gone, hint)
			}
			err = errors.Join(d.Remove(t.Context()), p.Close(t.Context()))
			failed(t, err, sample.Platform, "the Docker engine at "+f.host, gone, hint, "`coldcurve cleanup --platform docker`")
		})
	}
}

// TestGoneWhileStarting: who goes is let go, and what was begun for him is
// taken away with the function.
func TestGoneWhileStarting(t *testing.T) {
	f := newFake(t)
	p := open(t, f, docker.Options{})
	d := deploy(t, p, hello(t))
	asked := make(chan struct{})
	f.oddly("POST start", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		hanging(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := d.Invoke(ctx, platform.Request{})
	failed(t, err, sample.Cancelled)
	for range 2 {
		if err := d.Remove(ctx); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	_, err = invoke(t, d)
	failed(t, err, sample.Refused, "the function was removed")
}

// TestGoneWhileCreating: an engine makes the container that it was asked for also
// where nobody waits for it any more, and that goes, too.
func TestGoneWhileCreating(t *testing.T) {
	f := newFake(t)
	p := open(t, f, docker.Options{})
	d := deploy(t, p, hello(t))
	asked, proceed, made := make(chan struct{}), make(chan struct{}), make(chan struct{})
	f.oddly("POST create", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-proceed
		f.create(w, r)
		close(made)
	})
	first := make(chan error, 1)
	go func() {
		_, err := invoke(t, d)
		first <- err
	}()
	<-asked
	if err := d.Remove(t.Context()); err != nil {
		t.Errorf("remove: %v", err)
	}
	close(proceed)
	failed(t, <-first, sample.Cancelled, "the function was removed")
	<-made
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.boxes) > 0 || f.count != 1 {
		t.Errorf("of %d containers %d are left, want none of one", f.count, len(f.boxes))
	}
}

// TestThrottled fills a function's one place.
func TestThrottled(t *testing.T) {
	f := newFake(t)
	one := hello(t)
	one.Reserved = 1
	d := deploy(t, open(t, f, docker.Options{}), one)
	asked, proceed := make(chan struct{}), make(chan struct{})
	f.oddly("POST create", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-proceed
		f.create(w, r)
	})
	first := make(chan error, 1)
	go func() {
		_, err := invoke(t, d)
		first <- err
	}()
	<-asked
	_, err := invoke(t, d)
	failed(t, err, sample.Throttled, "it has 1 containers")
	close(proceed)
	if err := <-first; err != nil {
		t.Error(err)
	}
	served(t, d)
}

// TestNoEngine wants one line that says so, and what to start.
func TestNoEngine(t *testing.T) {
	_, err := docker.New(t.Context(), docker.Options{Host: "unix:///nowhere/docker.sock"})
	failed(t, err, sample.Refused, "platform docker: no Docker engine answers at unix:///nowhere/docker.sock", "systemctl start docker", "DOCKER_HOST")

	for name, talk := range map[string]func(net.Conn){
		"never answers": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"garbage":       func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example.org ESMTP\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := docker.New(ctx, docker.Options{Host: stranger(t, talk)})
			failed(t, err, sample.Refused, "platform docker: no Docker engine answers at unix://", "systemctl start docker")
		})
	}
}

// stranger listens where an engine should.
func stranger(t *testing.T, talk func(net.Conn)) (host string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c)
			}()
		}
	}()
	return "unix://" + path
}

func TestBadOptions(t *testing.T) {
	_, err := docker.New(t.Context(), docker.Options{Tier: "frozen", Ahead: 65, Start: -1})
	for _, want := range []string{`tier "frozen": write one of ["plain" "created" "paused"]`, "ahead 65 is outside 0 to 64", "only tier created creates containers ahead", "start -1ns is below 0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
}
