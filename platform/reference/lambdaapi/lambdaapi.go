// Package lambdaapi owns the AWS Lambda wire API in front of the reference
// runtime.
//
// In: HTTP requests in Lambda's shapes. Out: calls to the engine, and its
// answers and refusals as Lambda words them. It decides nothing about
// instances, reads no files, and checks no signature: who may connect is the
// listener's business.
//
// Lambda's own operations, by their own paths:
//
//	POST   /2015-03-31/functions                          CreateFunction
//	GET    /2015-03-31/functions/                         ListFunctions
//	GET    /2015-03-31/functions/{name}                   GetFunction
//	GET    /2015-03-31/functions/{name}/configuration     GetFunctionConfiguration
//	DELETE /2015-03-31/functions/{name}                   DeleteFunction
//	POST   /2015-03-31/functions/{name}/invocations       Invoke (RequestResponse, DryRun)
//	PUT    /2017-10-31/functions/{name}/concurrency       PutFunctionConcurrency
//	GET    /2019-09-30/functions/{name}/concurrency       GetFunctionConcurrency
//	DELETE /2017-10-31/functions/{name}/concurrency       DeleteFunctionConcurrency
//
// What Lambda does not have:
//
//	CreateFunction takes Code {"LocalFolder": "/abs/path"}, the folder with the
//	function's files, and a Timeout that is a fraction of a second.
//	Every answer of Invoke carries the X-Coldcurve headers of headers.go.
//	GET  /coldcurve/v1/describe                   what answers, as JSON
//	GET  /coldcurve/v1/instances                  the life of every instance, a JSON object a line
//	POST /coldcurve/v1/functions/{name}/evict     the next start is cold; 204 once that is certain
package lambdaapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Options are how a Handler is made.
type Options struct {
	Functions *Registry
	// Describe gives what describe answers with.
	Describe func() platform.Description
}

// Handler serves the API.
type Handler struct {
	functions *Registry
	runtime   *engine.Runtime
	account   func() platform.Description
}

// New makes a Handler.
func New(o Options) *Handler {
	return &Handler{functions: o.Functions, runtime: o.Functions.runtime, account: o.Describe}
}

// operation answers one request; name is the function's, "" where the path has none.
type operation func(h *Handler, w http.ResponseWriter, r *http.Request, name string) error

// ServeHTTP finds the operation. The invocation's path is looked at first and
// by hand: it is the one that is measured.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h.serve(w, r)
	if err != nil {
		writeError(w, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	op, text := route(r.Method, r.URL.Path)
	if op == nil {
		return unknownOperation(r.Method, r.URL.Path)
	}
	name, err := functionName(text, r.URL.RawQuery)
	if err != nil {
		return err
	}
	return op(h, w, r, name)
}

// route gives the operation of a method and path, and the path's function.
func route(method, path string) (op operation, function string) {
	date, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch date {
	case "2015-03-31":
		return routeFunction(method, rest)
	case "2017-10-31", "2019-09-30":
		return routeConcurrency(method, date, rest)
	case "coldcurve":
		return routeOwn(method, rest)
	}
	return nil, ""
}

func routeFunction(method, rest string) (operation, string) {
	name, ok := strings.CutPrefix(rest, "functions/")
	if !ok && rest != "functions" {
		return nil, ""
	}
	if name == "" || !ok {
		switch method {
		case http.MethodPost:
			return (*Handler).create, ""
		case http.MethodGet:
			return (*Handler).list, ""
		}
		return nil, ""
	}
	name, what, _ := strings.Cut(name, "/")
	switch method + " " + what {
	case "POST invocations":
		return (*Handler).invoke, name
	case "GET ":
		return (*Handler).function, name
	case "GET configuration":
		return (*Handler).configuration, name
	case "DELETE ":
		return (*Handler).remove, name
	}
	return nil, ""
}

func routeConcurrency(method, date, rest string) (operation, string) {
	name, ok := strings.CutPrefix(rest, "functions/")
	name, what, _ := strings.Cut(name, "/")
	if !ok || what != "concurrency" {
		return nil, ""
	}
	switch method + " " + date {
	case "PUT 2017-10-31":
		return (*Handler).putConcurrency, name
	case "DELETE 2017-10-31":
		return (*Handler).deleteConcurrency, name
	case "GET 2019-09-30":
		return (*Handler).concurrency, name
	}
	return nil, ""
}

func routeOwn(method, rest string) (operation, string) {
	switch method + " " + rest {
	case "GET v1/describe":
		return (*Handler).describe, ""
	case "GET v1/instances":
		return (*Handler).instances, ""
	case "GET v1/logs":
		return (*Handler).logs, ""
	}
	if name, ok := strings.CutPrefix(rest, "v1/functions/"); ok && method == http.MethodPost {
		if name, ok := strings.CutSuffix(name, "/evict"); ok {
			return (*Handler).evict, name
		}
	}
	return nil, ""
}

// functionName takes a function's name out of the forms that Lambda allows:
// the name, an ARN or the end of one, each with ":qualifier" or not. There is
// one version of every function, $LATEST.
func functionName(text, query string) (string, error) {
	name := text
	if i := strings.LastIndex(text, "function:"); i >= 0 && (i == 0 || text[i-1] == ':') {
		name = text[i+len("function:"):]
	}
	name, qualifier, _ := strings.Cut(name, ":")
	if query != "" {
		asked, err := queryValue(query, "Qualifier")
		if err != nil {
			return "", err
		}
		if asked != "" {
			qualifier = asked
		}
	}
	if qualifier != "" && qualifier != engine.Latest {
		return "", &engine.Error{Code: engine.NotFound, Message: fmt.Sprintf("Function not found: %s:%s", name, qualifier)}
	}
	return name, nil
}

var errUnknown = errors.New("unknown operation")

func unknownOperation(method, path string) error {
	return fmt.Errorf("%w: %s %s", errUnknown, method, path)
}
