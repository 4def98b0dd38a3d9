package lambdaapi

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// smallRead is what a body may announce and get its room at once for. Of a
// larger one only what arrives takes room, and it takes its part of
// Limits.Reading.
const smallRead = 64 << 10

// readBody reads the whole body of a request for an operation.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, op *Operation) ([]byte, error) {
	limit, name := int64(h.Limits.Document), "requested"
	if op != nil {
		name = op.Name
		if op.body != nil {
			limit = int64(op.body(h))
		}
	}
	if name == "Invoke" {
		name = "InvokeFunction" // as Lambda says it
	}
	return h.ReadBody(w, r, limit, name)
}

// Dismiss has the connection end with the answer that w is about to give, and
// what is left of the request not waited for: net/http reads a small rest of a
// body before it answers, for as long as that takes.
func Dismiss(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lastAnswers))
}

// ReadBody reads a whole body of at most limit bytes, within the time and the
// room that Limits give, which it shares with all requests. The name is the
// operation's, for a refusal, which is a [*catalog.Error].
func (h *Handler) ReadBody(w http.ResponseWriter, r *http.Request, limit int64, name string) (body []byte, err error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit, name)
	}
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	// The server's own ReadTimeout would go on while the function runs, and
	// end its request then. A ResponseWriter without deadlines is a test's.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.Limits.BodyTime))
	defer func() {
		if err == nil {
			_ = control.SetReadDeadline(time.Time{})
		} else {
			Dismiss(w)
		}
	}()
	if 0 < r.ContentLength && r.ContentLength <= smallRead {
		body = make([]byte, r.ContentLength)
		if _, err = io.ReadFull(r.Body, body); err != nil {
			return nil, invalidRequest("The request body could not be read", err)
		}
		return body, nil
	}
	most := limit
	if r.ContentLength > 0 {
		most = r.ContentLength
	}
	most = min(most, int64(h.Limits.Reading))
	patience, cancel := context.WithTimeout(r.Context(), h.Limits.BodyTime)
	defer cancel()
	if err = h.room.Acquire(patience, most); err != nil {
		return nil, &catalog.Error{Exception: "ServiceException", Status: http.StatusServiceUnavailable, Message: "There is no room for another large request"}
	}
	defer h.room.Release(most)
	body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, invalidRequest("The request body could not be read", err)
	}
	if int64(len(body)) > limit {
		return nil, tooLarge(limit, name)
	}
	return body, nil
}
