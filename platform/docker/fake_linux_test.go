package docker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// fake is an engine whose containers are goroutines of this test: the subject,
// which speaks with its Runtime API as a container's process would. What it is
// told to do otherwise is by the request's method and last element.
type fake struct {
	t      testing.TB
	host   string
	die    func() // the engine's end, in the middle of whatever it does
	mu     sync.Mutex
	boxes  map[string]*fakeContainer
	count  int
	pauses int
	images map[string]bool
	odd    map[string]http.HandlerFunc
	// startedAt is what an inspection tells of a container that was started just now.
	startedAt func(now time.Time) string
}

type fakeContainer struct {
	api     string
	started time.Time
	ended   chan struct{}
	end     func()
}

// newFake starts one that ends with the test, when nothing may be left on it.
func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{t: t, host: "unix://" + filepath.Join(t.TempDir(), "docker.sock"), boxes: map[string]*fakeContainer{},
		images: map[string]bool{}, odd: map[string]http.HandlerFunc{},
		startedAt: func(now time.Time) string { return now.UTC().Format(time.RFC3339Nano) }}
	l, err := net.Listen("unix", strings.TrimPrefix(f.host, "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f}
	go func() { _ = server.Serve(l) }()
	f.die = func() { _ = server.Close() }
	t.Cleanup(f.die)
	return f
}

// oddly has the engine answer one kind of request in its own way.
func (f *fake) oddly(request string, answer http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.odd[request] = answer
}

// refusing is an engine's refusal.
func refusing(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		reply(w, status, map[string]string{"message": message})
	}
}

// hanging never answers.
func hanging(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func reply(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}

// ServeHTTP answers as an engine of API 1.41 does.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Ostype", "linux")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	f.mu.Lock()
	odd := f.odd[r.Method+" "+last]
	f.mu.Unlock()
	switch {
	case odd != nil:
		odd(w, r)
	case last == "_ping":
		_, _ = io.WriteString(w, "OK")
	case last == "info":
		f.info(w)
	case last == "build":
		_, _ = io.Copy(io.Discard, r.Body)
		f.note(func() { f.images[r.URL.Query().Get("t")] = true })
		reply(w, http.StatusOK, map[string]string{"stream": "done"})
	case len(parts) > 2 && parts[1] == "containers":
		f.container(w, r, parts[2], last)
	case r.URL.Path == "/v1.41/images/json": // the list, of nothing that others have left
		reply(w, http.StatusOK, []string{})
	case len(parts) > 2 && parts[1] == "images" && r.Method == http.MethodDelete:
		f.note(func() { delete(f.images, strings.Join(parts[2:], "/")) })
		reply(w, http.StatusOK, []string{})
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1.41/images/") && len(parts) > 3:
		refusing(http.StatusNotFound, "No such image: "+strings.Join(parts[2:len(parts)-1], "/"))(w, r)
	default:
		refusing(http.StatusNotImplemented, "the fake has no "+r.Method+" "+r.URL.Path)(w, r)
	}
}

func (f *fake) note(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) info(w http.ResponseWriter) {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		f.t.Error(err)
	}
	reply(w, http.StatusOK, map[string]any{
		"OSType": "linux", "KernelVersion": strings.TrimSpace(string(kernel)), "ServerVersion": "0", "NCPU": 1,
		"Runtimes": map[string]any{"runc": map[string]string{}}, "DefaultRuntime": "runc",
	})
}

func (f *fake) container(w http.ResponseWriter, r *http.Request, id, what string) {
	if what == "create" {
		f.create(w, r)
		return
	}
	if id == "json" { // the list, of nothing that others have left
		reply(w, http.StatusOK, []string{})
		return
	}
	f.mu.Lock()
	c := f.boxes[id]
	f.mu.Unlock()
	if c == nil {
		refusing(http.StatusNotFound, "No such container: "+id)(w, r)
		return
	}
	switch {
	case r.Method == http.MethodDelete:
		c.end()
		f.note(func() { delete(f.boxes, id) })
		w.WriteHeader(http.StatusNoContent)
	case what == "attach":
		f.attach(w, c)
	case what == "start":
		f.note(func() { c.started = time.Now() })
		go f.run(c)
		w.WriteHeader(http.StatusNoContent)
	case what == "pause":
		f.note(func() { f.pauses++ })
		w.WriteHeader(http.StatusNoContent)
	case what == "wait":
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-c.ended
		_ = json.NewEncoder(w).Encode(map[string]int{"StatusCode": 137})
	case what == "json":
		f.mu.Lock()
		at := f.startedAt(c.started)
		f.mu.Unlock()
		reply(w, http.StatusOK, map[string]any{"Id": id, "State": map[string]any{"Running": true, "StartedAt": at}})
	default: // update, unpause, kill
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *fake) create(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Env []string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		f.t.Error(err)
	}
	c := &fakeContainer{ended: make(chan struct{})}
	c.end = sync.OnceFunc(func() { close(c.ended) })
	for _, pair := range asked.Env {
		if api, ok := strings.CutPrefix(pair, "AWS_LAMBDA_RUNTIME_API="); ok {
			c.api = "http://" + api + "/2018-06-01/runtime/invocation/"
		}
	}
	id := ""
	f.note(func() {
		f.count++
		id = fmt.Sprintf("%012x%052x", f.count, 0)
		f.boxes[id] = c
	})
	reply(w, http.StatusCreated, map[string]string{"Id": id})
}

// attach hands over a connection on which nothing is ever printed.
func (f *fake) attach(w http.ResponseWriter, c *fakeContainer) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		f.t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	<-c.ended
	_ = conn.Close()
}

// run is a container's process, until it is ended or its Runtime API is.
func (f *fake) run(c *fakeContainer) {
	s := subject.Subject{End: c.end}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		work, err := client.Get(c.api + "next")
		if err != nil {
			return
		}
		event, err := io.ReadAll(work.Body)
		_ = work.Body.Close()
		if err != nil || work.StatusCode != http.StatusOK {
			return
		}
		answer, err := s.Handle(event)
		path := "/response"
		if err != nil {
			path, answer = "/error", []byte(`{"errorType":"Told","errorMessage":"so"}`)
		}
		done, err := client.Post(c.api+work.Header.Get("Lambda-Runtime-Aws-Request-Id")+path, "application/json", bytes.NewReader(answer))
		if err != nil {
			return
		}
		_ = done.Body.Close()
	}
}

// left is what there is on the engine.
func (f *fake) left() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.boxes {
		names = append(names, "container "+id)
	}
	for name := range f.images {
		names = append(names, "image "+name)
	}
	return names
}
