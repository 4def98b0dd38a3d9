// Package lambdaapi owns the AWS Lambda wire API in front of the reference
// runtime.
//
// In: HTTP requests in Lambda's shapes. Out: calls to the catalog, to the
// versions that it leads to and to the queue of events, and their answers and
// refusals as Lambda words them. It decides nothing about functions and
// instances, reads no files, and leaves to others who may ask: the listener's
// peer check, or [Signatures].
//
// The operations are in [Operations], by AWS's own paths. What Lambda does not
// have:
//
//   - Code may be {"LocalFolder": "/abs/path"}, a folder of this machine, used in
//     place until a version of it is published. Clients that can write Lambda's own
//     members only say {"S3Bucket": "local-folder", "S3Key": "/abs/path"}.
//   - Sandbox and Start, beside Runtime, pick how the function's instances are
//     isolated and started. CreateFunction also takes them as the tags
//     coldcurve:sandbox and coldcurve:start, and who requests are accounted to that
//     do not say so as coldcurve:consumer and coldcurve:stage.
//   - Timeout may be a fraction of a second.
//   - Runtime may be nodejs or python, which ask for no version.
//   - The API is of one region, the catalogue's: its ARNs have it, and an ARN of
//     another leads nowhere. What a request's signature is scoped to is not looked
//     at: a client whose region is another one gets the same functions.
//   - Resource policies and tags are kept and told. A policy decides nothing: who
//     may call is the listener's to say, and a function URL's with AuthType NONE is
//     open without a statement. The tags that are heeded stay as created.
//   - Invoke heeds the headers X-Coldcurve-Consumer, -Stage and -Trigger, and its
//     answers carry more of them: headers.go. Without a stage the alias is the
//     stage; without a consumer, whose key signed the request is the consumer.
//
// And operations of its own:
//
//	GET  /coldcurve/v1/describe                   what answers, as JSON
//	GET  /coldcurve/v1/instances                  the life of every instance, a JSON object a line
//	GET  /coldcurve/v1/usage                      who has used what, and the total
//	GET  /coldcurve/v1/logs                       the end of what each function has printed
//	POST /coldcurve/v1/functions/{name}/evict     the next start is cold; 204 once that is certain
package lambdaapi

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/sync/semaphore"

	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Events takes asynchronous invocations.
type Events interface {
	// Accept takes an event, whose payload is the queue's from then on, and gives
	// the id that it is invoked by. What it refuses has not happened.
	Accept(function, qualifier string, inv engine.Invocation) (requestID string, err error)
}

// Triggers invoke functions in other ways than directly.
type Triggers interface {
	// Fire has a function invoked by inv.Trigger, one of sample.Triggers, and
	// waits until that has come to an end.
	Fire(ctx context.Context, function, qualifier string, inv engine.Invocation) (engine.Outcome, error)
}

// Signatures tells who has signed a request.
type Signatures interface {
	// CheckHead says what is wrong with the signature of r, as far as that can be
	// told without its body: a stranger's is not read.
	CheckHead(r *http.Request) error
	// Check gives the owner of the key that signed r, whose whole body is body.
	Check(r *http.Request, body []byte) (owner string, err error)
}

// Options are how a Handler is made.
type Options struct {
	Runtime *engine.Runtime  // required
	Catalog *catalog.Catalog // required; its runtime is Runtime
	// Describe gives what describe answers with. It is required.
	Describe func() platform.Description
	// FunctionURL gives the address where a function URL is served, by the host
	// (host:port) that the caller has come to and its id. The default is to tell none.
	FunctionURL func(host, id string) string
	// Events takes the invocations of type Event. The default is to refuse them.
	Events Events
	// Triggers fire what HeaderTrigger names without an instant. The default is
	// to invoke directly.
	Triggers Triggers
	// Usage gives who has used what. The default is to tell nothing.
	Usage func() usage.Account
	// Signatures is asked about every request. The default is not to.
	Signatures Signatures
	// Limits bound requests. The default is [LambdaLimits].
	Limits Limits
}

// Validate tells all faults at once.
func (o Options) Validate() error {
	var errs []error
	if o.Runtime == nil || o.Catalog == nil || o.Describe == nil {
		errs = append(errs, errors.New("lambdaapi: no runtime, catalog or description"))
	}
	return errors.Join(errs...)
}

// Handler serves the API. It may be used from any goroutine.
type Handler struct {
	Options
	routes map[string]*Operation // by method and path, its variable parts replaced by {}
	room   *semaphore.Weighted   // of Limits.Reading
}

// New makes a Handler.
func New(o Options) (*Handler, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Limits == (Limits{}) {
		o.Limits = LambdaLimits()
	}
	h := &Handler{Options: o, routes: make(map[string]*Operation), room: semaphore.NewWeighted(int64(o.Limits.Reading))}
	for _, op := range Operations() {
		h.routes[op.Method+" "+op.Path] = &op
	}
	return h, nil
}

// ServeHTTP answers one request, in one piece.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.serve(w, r); err != nil {
		writeError(w, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (err error) {
	req := request{Request: r, w: w}
	op := h.route(&req)
	if h.Signatures != nil {
		if err := h.Signatures.CheckHead(r); err != nil {
			Dismiss(w)
			return err
		}
	}
	if req.body, err = h.readBody(w, r, op); err != nil {
		return err
	}
	if h.Signatures != nil {
		if req.owner, err = h.Signatures.Check(r, req.body); err != nil {
			Dismiss(w)
			return err
		}
	}
	if op == nil {
		return unknownOperation(r.Method, r.URL.Path)
	}
	if err := req.decodePath(); err != nil {
		return err
	}
	doc, err := op.serve(h, &req)
	switch {
	case err != nil:
		return err
	case doc == answered:
		return nil
	case doc == nil:
		w.Header().Set(HeaderRequestID, engine.NewRequestID())
		w.WriteHeader(op.Status)
	default:
		w.Header().Set(HeaderRequestID, engine.NewRequestID())
		writeJSON(w, op.Status, doc)
	}
	return nil
}
