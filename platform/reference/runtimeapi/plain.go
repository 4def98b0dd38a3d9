package runtimeapi

import (
	"bytes"
	"io"
	"runtime"
	"strconv"
)

// Plain calls are those that warm invocations are made of, from clients that
// say no more than has to be said: a poll, and a response with its length. They
// are read in place; all else is net/http's to parse, and costs 4 us and 2 KB
// of garbage more.

var (
	headEnd    = []byte("\r\n\r\n")
	plainPoll  = []byte("GET " + root + "invocation/next HTTP/1.1")
	plainReply = []byte("POST " + root + "invocation/")
	replyEnd   = []byte("/response HTTP/1.1")
)

// plain serves the connection's next request if it is a plain call; nothing of
// it has been taken out of the reader if it is not. An error ends the connection.
func (s *Server) plain(c *conn, at int64) (done bool, err error) {
	got, err := c.in.Peek(c.in.Buffered())
	if err != nil {
		return false, err
	}
	end := bytes.Index(got, headEnd)
	if end < 0 {
		return false, nil
	}
	line, fields, _ := bytes.Cut(got[:end+2], headEnd[:2])
	length, ok := plainFields(fields)
	switch id, reply := bytes.CutPrefix(line, plainReply); {
	case !ok:
		return false, nil
	case reply:
		id, ok = bytes.CutSuffix(id, replyEnd)
		if !ok || length < 0 || length > s.limit || !s.holdsPlain(id) {
			return false, nil
		}
		return true, s.plainReply(c, string(id), end+len(headEnd), length, at)
	case bytes.Equal(line, plainPoll) && length <= 0:
		c.last = false
		if _, err := c.in.Discard(end + len(headEnd)); err != nil {
			return true, err
		}
		if f := s.poll(c, at, ""); f != nil {
			return true, c.write(f.status, f.body())
		}
		return true, nil
	}
	return false, nil
}

// plainFields gives the length that a header tells, -1 for none; false if it
// tells anything else that matters.
func plainFields(fields []byte) (length int64, ok bool) {
	length = -1
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, headEnd[:2])
		name, value, _ := bytes.Cut(field, []byte(": "))
		switch string(name) {
		case "Host", "Content-Type", "User-Agent", "Accept", "Accept-Encoding":
		case "Content-Length":
			n, err := strconv.ParseUint(string(value), 10, 62)
			if err != nil || length >= 0 {
				return 0, false
			}
			length = int64(n)
		default:
			return 0, false
		}
	}
	return length, true
}

// holdsPlain says whether the instance holds the invocation; what is wrong if
// it does not is for others to word.
func (s *Server) holdsPlain(id []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.held {
		if s.held[i].inv.RequestID == string(id) {
			return true
		}
	}
	return false
}

// plainReply takes a response, whose header is head bytes long.
func (s *Server) plainReply(c *conn, id string, head int, length, at int64) error {
	c.last = false
	c.allowed += length
	if _, err := c.in.Discard(head); err != nil {
		return err
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.in, body); err != nil {
		return err
	}
	if f := s.finish(id, Reply{Kind: Response, Body: body, Ended: at}); f != nil {
		return c.write(f.status, f.body()) // answered on another connection meanwhile
	}
	runtime.Gosched() // as in reply
	return c.accept()
}
