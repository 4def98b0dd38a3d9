// Package openwhisktest owns a server that speaks OpenWhisk's REST API, for
// tests where none runs.
//
// In: what it is to do otherwise than OpenWhisk. Out: its URL, and what is on it.
// It has the format of requests, records and errors as the documentation and the
// controller have them (docs/annotations.md, Actions.scala,
// ActivationResult.scala, ErrorResponse.scala); its containers are package
// subject's. It schedules nothing, limits no rate and keeps no container for ever.
package openwhisktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// Key is what the server takes.
const Key = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502:a-secret-of-nobody"

const limit = 1 << 20 // of payloads and results

const mostMemory = 512 // MB, of an action

// Server is one namespace. The zero value does as OpenWhisk does.
type Server struct {
	// Answer is asked first; it says whether it has answered.
	Answer func(w http.ResponseWriter, operation string) bool
	// Impatient has no invocation waited for.
	Impatient bool
	// Stuck has updates accepted and not made; Sticky keeps containers over them.
	Stuck, Sticky bool
	// Edit changes a record before it is sent.
	Edit func(record map[string]any)

	ctx     context.Context // of the test: what nobody waits for ends with it
	mu      sync.Mutex
	actions map[string]*act
	records map[string]map[string]any
	n       int // activations
}

// act is an action.
type act struct {
	document map[string]any // as it was put
	broken   bool
	timeout  time.Duration
	version  int
	idle     []*container
}

type container struct {
	subject.Subject
	version int
	ended   bool
}

// Start serves until the test ends, and gives the URL.
func (f *Server) Start(t testing.TB) string {
	t.Helper()
	f.ctx, f.actions, f.records = t.Context(), make(map[string]*act), make(map[string]map[string]any)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

// Put is the document that an action was put with; nil where there is none.
func (f *Server) Put(name string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.actions[name]; a != nil {
		return a.document
	}
	return nil
}

// Names are the actions that there are, in order.
func (f *Server) Names() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.actions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ServeHTTP answers one request to the API.
func (f *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, secret, _ := r.BasicAuth()
	path, ours := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/_/")
	collection, name, _ := strings.Cut(path, "/")
	operation := r.Method + " " + collection
	f.mu.Lock()
	answered := f.Answer != nil && f.Answer(w, operation)
	f.mu.Unlock()
	switch {
	case answered:
	case user+":"+secret != Key:
		Refuse(w, http.StatusUnauthorized, "The supplied authentication is invalid.")
	case !ours:
		Refuse(w, http.StatusNotFound, "The requested resource does not exist.")
	case operation == "PUT actions":
		f.put(w, r, name)
	case operation == "POST actions":
		f.invoke(w, r, name)
	case operation == "DELETE actions":
		f.remove(w, name)
	case operation == "GET actions":
		f.list(w)
	case operation == "GET activations":
		f.record(w, name)
	}
}

// Refuse answers with an error of the API.
func Refuse(w http.ResponseWriter, status int, message string) {
	write(w, status, map[string]any{"error": message, "code": "4711"})
}

func write(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}

// put creates an action, or replaces what is given of one.
func (f *Server) put(w http.ResponseWriter, r *http.Request, name string) {
	var document map[string]any
	if err := json.NewDecoder(r.Body).Decode(&document); err != nil || r.URL.Query().Get("overwrite") != "true" {
		Refuse(w, http.StatusBadRequest, "The request content was malformed.")
		return
	}
	limits, limited := document["limits"].(map[string]any)
	if memory, given := limits["memory"].(float64); given && memory > mostMemory {
		Refuse(w, http.StatusBadRequest, fmt.Sprintf("The request content was malformed:\nrequirement failed: memory %v MB exceeds allowed threshold of %d MB", memory, mostMemory))
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.actions[name]
	if a == nil {
		a = &act{document: make(map[string]any)}
		f.actions[name] = a
	}
	if !f.Stuck || a.version == 0 {
		a.version++
	}
	for key, value := range document {
		a.document[key] = value
	}
	if limited {
		a.timeout = time.Duration(limits["timeout"].(float64)) * time.Millisecond
	}
	parameters, _ := a.document["parameters"].([]any)
	for _, p := range parameters {
		one := p.(map[string]any)
		a.broken = a.broken || one["key"] == subject.BrokenInit && one["init"] == true
	}
	write(w, http.StatusOK, a.shown(name))
}

func (a *act) shown(name string) map[string]any {
	return map[string]any{
		"name": name, "namespace": "guest", "version": fmt.Sprintf("0.0.%d", a.version), "publish": false,
		"annotations": a.document["annotations"], "limits": a.document["limits"], "updated": 1,
	}
}

func (f *Server) remove(w http.ResponseWriter, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.actions[name]
	if a == nil {
		Refuse(w, http.StatusNotFound, "The requested resource does not exist.")
		return
	}
	delete(f.actions, name)
	write(w, http.StatusOK, a.shown(name))
}

func (f *Server) list(w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []any{}
	for name, a := range f.actions {
		list = append(list, a.shown(name))
	}
	write(w, http.StatusOK, list)
}

func (f *Server) record(w http.ResponseWriter, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if record, there := f.records[id]; there {
		write(w, http.StatusOK, record)
		return
	}
	Refuse(w, http.StatusNotFound, "The requested resource does not exist.")
}

// take gives a container, a new one where none of this version is idle.
func (f *Server) take(a *act) (c *container, cold bool) {
	for i, c := range a.idle {
		if c.version == a.version || f.Sticky {
			a.idle = slices.Delete(a.idle, i, i+1)
			return c, false
		}
	}
	c = &container{version: a.version}
	c.End = func() { c.ended = true }
	return c, true
}

func (f *Server) invoke(w http.ResponseWriter, r *http.Request, name string) {
	if r.ContentLength > limit {
		Refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("Request larger than allowed: %d > %d bytes.", r.ContentLength, limit))
		return
	}
	var payload json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&payload); err != nil && r.ContentLength > 0 {
		Refuse(w, http.StatusBadRequest, "The request content was malformed.")
		return
	}
	f.mu.Lock()
	a := f.actions[name]
	if a == nil {
		f.mu.Unlock()
		Refuse(w, http.StatusNotFound, "The requested resource does not exist.")
		return
	}
	f.n++
	id := fmt.Sprintf("%032d", f.n)
	c, cold := f.take(a)
	broken, timeout := a.broken, a.timeout
	f.mu.Unlock()

	w.Header().Set("X-Openwhisk-Activation-Id", id)
	if f.Impatient {
		go f.run(f.ctx, id, a, c, cold, broken, timeout, payload)
		write(w, http.StatusAccepted, map[string]any{"activationId": id})
		return
	}
	record, status := f.run(r.Context(), id, a, c, cold, broken, timeout, payload), http.StatusBadGateway
	if record["response"].(map[string]any)["success"] == true {
		status = http.StatusOK
	}
	write(w, status, record)
}

// run is an activation, whose record it gives and keeps.
func (f *Server) run(ctx context.Context, id string, a *act, c *container, cold, broken bool, timeout time.Duration, payload json.RawMessage) map[string]any {
	begun := time.Now()
	status, result := "success", map[string]any{}
	fail := func(as, message string) { status, result = as, map[string]any{"error": message} }
	if broken {
		fail("action developer error", "The action did not initialize and exited unexpectedly.")
		c.ended = true
	} else {
		inside, cancel := context.WithTimeout(ctx, timeout)
		body, _, err := c.Serve(inside, payload)
		cancel()
		switch {
		case c.ended:
			fail("action developer error", "The action did not produce a valid response and exited unexpectedly.")
		case errors.Is(err, context.DeadlineExceeded):
			fail("action developer error", fmt.Sprintf("The action exceeded its time limits of %d milliseconds.", timeout.Milliseconds()))
			c.ended = true
		case err != nil:
			fail("application error", "An error has occurred: "+err.Error())
		case len(body)+len(`{"answer":}`) > limit:
			fail("action developer error", fmt.Sprintf("The action produced a response that exceeded the allowed length: %d > %d bytes.", len(body), limit))
		default:
			result["answer"] = json.RawMessage(body)
		}
	}
	annotations := []any{
		map[string]any{"key": "path", "value": "guest/action"}, map[string]any{"key": "waitTime", "value": 0},
		map[string]any{"key": "kind", "value": "nodejs:20"},
	}
	if cold {
		annotations = append(annotations, map[string]any{"key": "initTime", "value": 0})
	}
	record := map[string]any{
		"activationId": id, "namespace": "guest", "name": "action", "annotations": annotations, "logs": []any{},
		"duration": time.Since(begun).Milliseconds(),
		"response": map[string]any{"status": status, "success": status == "success", "result": result},
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !c.ended && ctx.Err() == nil {
		a.idle = append(a.idle, c)
	}
	if f.Edit != nil {
		f.Edit(record)
	}
	f.records[id] = record
	return record
}
