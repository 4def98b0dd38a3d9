package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// root is the API's version and the part of it that belongs to runtimes.
const root = "/2018-06-01/runtime/"

// bootedHeader on the first poll tells the instant, on CLOCK_MONOTONIC, of the
// runtime's own first instruction.
const bootedHeader = "X-Coldcurve-Booted"

// chainHeader on a poll asks whether the client may send its next poll right
// behind an answer, without waiting for the receipt; on the work that it gets,
// that it may from now on, on that connection.
const chainHeader = "X-Coldcurve-Chain"

// The error type of a failed init is in a header; of a response that fails
// after it began, in a trailer, with its account in another.
const (
	errorTypeHeader  = "Lambda-Runtime-Function-Error-Type"
	errorBodyTrailer = "Lambda-Runtime-Function-Error-Body"
)

// errTooLarge is a body above the limit.
var errTooLarge = errors.New("body exceeds the limit")

// fault is a refusal, as Lambda words it.
type fault struct {
	status        string
	Type, Message string
}

func (f *fault) body() string {
	b, err := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{f.Message, f.Type})
	if err != nil {
		panic("runtimeapi: two strings cannot be marshalled: " + err.Error())
	}
	return string(b)
}

// serve reads one connection's requests and answers them until it ends.
func (s *Server) serve(c *conn) {
	for {
		c.allowed = maxHeader
		if _, err := c.in.Peek(1); err != nil {
			return
		}
		at := s.clock.Now()
		if s.waiting(c) {
			return // a second request behind a poll: whose answer would be whose?
		}
		if done, err := s.plain(c, at); err != nil {
			return
		} else if done {
			continue
		}
		req, err := http.ReadRequest(c.in)
		if err != nil {
			c.last = true
			_ = c.write("400 Bad Request", (&fault{Type: "InvalidRequest", Message: "malformed request: " + err.Error()}).body())
			return
		}
		c.last = req.Close
		if err := s.answer(c, req, at); err != nil {
			return
		}
	}
}

func (s *Server) waiting(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.parked, c) || s.stem != nil && s.stem.parked == c
}

// answer serves one request. An error ends the connection.
func (s *Server) answer(c *conn, req *http.Request, at int64) error {
	call, ok := strings.CutPrefix(req.URL.Path, root)
	if !ok {
		return s.refuse(c, req, unknownPath(req))
	}
	if call == "invocation/next" {
		if f := wrongMethod(req, http.MethodGet); f != nil {
			return s.refuse(c, req, f)
		}
		return s.next(c, req, at)
	}
	if call == "init/error" {
		if f := wrongMethod(req, http.MethodPost); f != nil {
			return s.refuse(c, req, f)
		}
		return s.initError(c, req)
	}
	if call == "coldcurve/assignment" {
		if f := wrongMethod(req, http.MethodGet); f != nil {
			return s.refuse(c, req, f)
		}
		return s.assignment(c, req)
	}
	id, verb, ok := strings.Cut(strings.TrimPrefix(call, "invocation/"), "/")
	if !ok || !strings.HasPrefix(call, "invocation/") || (verb != "response" && verb != "error") {
		return s.refuse(c, req, unknownPath(req))
	}
	if f := wrongMethod(req, http.MethodPost); f != nil {
		return s.refuse(c, req, f)
	}
	kind := Response
	if verb == "error" {
		kind = Error
	}
	return s.reply(c, req, id, kind, at)
}

// next takes a poll. An instance that has a poll or an invocation in each of its
// slots waits for nothing more: another poll is refused, unless a waiting one's
// client has given it up by closing its connection, of which that connection's
// goroutine may not have heard yet.
func (s *Server) next(c *conn, req *http.Request, at int64) error {
	if err := s.drain(c, req); err != nil {
		return err
	}
	c.chain.asked = req.Header.Get(chainHeader) != ""
	if f := s.poll(c, at, req.Header.Get(bootedHeader)); f != nil {
		return s.refuse(c, req, f)
	}
	return nil
}

// poll gives work to a poll, or keeps it until there is some. Booted is what
// the client tells with its first.
func (s *Server) poll(c *conn, at int64, booted string) *fault {
	s.mu.Lock()
	if len(s.held) >= s.slots {
		s.mu.Unlock()
		return wrongState("Running", "Ready")
	}
	var given *conn
	if len(s.held)+len(s.parked) >= s.slots {
		i := slices.IndexFunc(s.parked, func(c *conn) bool { return !silent(c.net) })
		if i < 0 {
			s.mu.Unlock()
			return wrongState("Ready", "Ready")
		}
		given = s.parked[i]
		s.unpark(given)
	}
	if s.polled == 0 {
		s.polled, s.booted = at, s.bootedAt(booted, at)
		close(s.ready)
	}
	c.wait()
	var inv *sandbox.Invocation
	if len(s.pending) > 0 {
		w := s.pending[0]
		s.pending = slices.Delete(s.pending, 0, 1)
		s.take(w)
		inv = w.inv
	} else {
		s.parked = append(s.parked, c)
	}
	s.mu.Unlock()
	if given != nil {
		given.close()
	}
	if inv != nil {
		s.send(c, inv)
	}
	return nil
}

// bootedAt believes the runtime's client only as far as it can be true. The
// caller holds mu.
func (s *Server) bootedAt(told string, now int64) int64 {
	at, err := strconv.ParseInt(told, 10, 64)
	if err != nil || at < s.begun || at > now {
		return 0
	}
	return at
}

// reply takes the answer to an invocation.
func (s *Server) reply(c *conn, req *http.Request, id string, kind ReplyKind, at int64) error {
	if f := s.expects(id); f != nil {
		return s.refuse(c, req, f)
	}
	streamed, f := responseMode(req, kind)
	if f != nil {
		return s.refuse(c, req, f)
	}
	body, err := s.body(c, req)
	if streamed {
		at = s.clock.Now()
	}
	if errors.Is(err, errTooLarge) {
		kind, body = TooLarge, nil
	} else if err != nil {
		return err
	} else if told := req.Trailer.Get(errorTypeHeader); streamed && told != "" {
		kind, body = Error, midstreamError(told, req.Trailer.Get(errorBodyTrailer))
	}
	if f := s.finish(id, Reply{Kind: kind, Body: body, Ended: at}); f != nil {
		return s.refuse(c, req, f)
	}
	// Whoever waits for the reply goes first: the instance's wait for its
	// receipt is nobody's latency.
	runtime.Gosched()
	if kind == TooLarge {
		return s.refuse(c, req, &fault{"413 Request Entity Too Large", "RequestEntityTooLarge",
			"Exceeded maximum allowed payload size (" + strconv.FormatInt(s.limit, 10) + " bytes)."})
	}
	return c.accept()
}

// responseMode is whether a response is written while its handler runs.
func responseMode(req *http.Request, kind ReplyKind) (streamed bool, f *fault) {
	mode := req.Header.Get("Lambda-Runtime-Function-Response-Mode")
	switch {
	case kind != Response, mode == "", strings.EqualFold(mode, "buffered"):
		return false, nil
	case strings.EqualFold(mode, "streaming"):
		return true, nil
	}
	return false, &fault{"400 Bad Request", "InvalidFunctionResponseMode",
		"Lambda-Runtime-Function-Response-Mode is " + strconv.Quote(mode) + "; write streaming or buffered"}
}

// midstreamError is a handler's account of a failure that came to it after a
// part of its response was sent: trailers, the second in base64.
func midstreamError(errType, body string) []byte {
	if account, err := base64.StdEncoding.DecodeString(body); err == nil && json.Valid(account) {
		return account
	}
	return []byte((&fault{Type: errType}).body())
}

// expects says what is wrong with an answer to id at this moment, if anything.
func (s *Server) expects(id string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, f := s.find(id)
	return f
}

// find gives the place of an invocation that an answer is to, or what is wrong
// with the answer. The caller holds mu.
func (s *Server) find(id string) (int, *fault) {
	i := s.holds(id)
	switch {
	case i >= 0:
		return i, nil
	case s.answered == id && id != "":
		return i, wrongState("Ready", "InvocationResponse")
	default:
		return i, &fault{"400 Bad Request", "InvalidRequestID", "Invalid request ID"}
	}
}

// finish ends an invocation that the instance holds, once.
func (s *Server) finish(id string, r Reply) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(id)
	if f != nil {
		return f
	}
	h := s.held[i]
	r.Handed = h.at
	s.held, s.answered = slices.Delete(s.held, i, i+1), id
	h.replies <- r // has room: one reply for each Hand, and where the channel is shared Hand waits for the one before
	return nil
}

// initError takes the instance's account of its failed init.
func (s *Server) initError(c *conn, req *http.Request) error {
	body, err := s.body(c, req)
	if err != nil && !errors.Is(err, errTooLarge) {
		return err
	}
	s.mu.Lock()
	late := s.polled != 0
	s.mu.Unlock()
	if late {
		return s.refuse(c, req, wrongState("Ready", "InitError"))
	}
	var told struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(body, &told) // a client may send anything; what it means is in the header then
	if told.Type == "" {
		told.Type = req.Header.Get(errorTypeHeader)
	}
	if told.Type == "" {
		told.Type = "Runtime.Unknown"
	}
	select {
	case s.initFailed <- InitError{Type: told.Type, Message: told.Message}:
	default: // it has said so before
	}
	return c.write("202 Accepted", accepted)
}

// body reads a request's whole body, or as much as shows that it is too large.
func (s *Server) body(c *conn, req *http.Request) ([]byte, error) {
	if err := s.invite(c, req); err != nil {
		return nil, err
	}
	if req.ContentLength > s.limit {
		return nil, errTooLarge
	}
	c.allowed += 8*s.limit + maxHeader // a chunk of one byte is six on the wire
	if req.ContentLength >= 0 {
		body := make([]byte, req.ContentLength)
		_, err := io.ReadFull(req.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, s.limit+1))
	if err == nil && int64(len(body)) > s.limit {
		return nil, errTooLarge
	}
	return body, err
}

// invite asks for a body that its client holds back.
func (s *Server) invite(c *conn, req *http.Request) error {
	if !strings.EqualFold(req.Header.Get("Expect"), "100-continue") {
		return nil
	}
	req.Header.Del("Expect")
	if c.chain.owed {
		c.chain.owed = false
		if _, err := io.WriteString(c.net, receipt); err != nil {
			return err
		}
	}
	_, err := io.WriteString(c.net, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// refuse answers with a fault, having read what is left of the request: a
// client that still writes would never see the answer.
func (s *Server) refuse(c *conn, req *http.Request, f *fault) error {
	if err := s.drain(c, req); err != nil {
		return err
	}
	return c.write(f.status, f.body())
}

// drain reads the rest of a request's body, up to a bound.
func (s *Server) drain(c *conn, req *http.Request) error {
	if req.ContentLength == 0 {
		return nil
	}
	if err := s.invite(c, req); err != nil {
		return err
	}
	c.allowed += 4 * s.limit
	_, err := io.Copy(io.Discard, req.Body)
	return err
}

func unknownPath(req *http.Request) *fault {
	return &fault{"404 Not Found", "NotFound", "no such call: " + req.Method + " " + req.URL.Path}
}

func wrongMethod(req *http.Request, want string) *fault {
	if req.Method == want {
		return nil
	}
	return &fault{"405 Method Not Allowed", "MethodNotAllowed", req.URL.Path + " wants " + want + ", not " + req.Method}
}

func wrongState(from, to string) *fault {
	return &fault{"403 Forbidden", "InvalidStateTransition",
		"Transition from " + from + " to " + to + " is not allowed."}
}
