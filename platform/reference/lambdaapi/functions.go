package lambdaapi

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// documentLimit bounds a body that is not an invocation's payload.
const documentLimit = 1 << 20

// removeGrace is how long requests may go on that are being served while their
// function is deleted.
const removeGrace = time.Second

// CreateRequest is the body of CreateFunction, as far as it is understood.
type CreateRequest struct {
	FunctionName string
	Runtime      string
	Handler      string       `json:",omitempty"`
	MemorySize   int64        `json:",omitempty"` // MB
	Timeout      float64      `json:",omitempty"` // seconds
	Environment  *Environment `json:",omitempty"`
	Code         Code
}

// Environment is a function's environment.
type Environment struct {
	Variables map[string]string
}

// Code is where a function's files are. LocalFolder is coldcurve's own; the
// others are Lambda's and are refused.
type Code struct {
	LocalFolder string  `json:",omitempty"`
	ZipFile     *string `json:",omitempty"`
	S3Bucket    *string `json:",omitempty"`
	ImageURI    *string `json:"ImageUri,omitempty"`
}

// Configuration is Lambda's account of a function.
type Configuration struct {
	FunctionName     string
	FunctionArn      string
	Runtime          string
	Handler          string
	Timeout          int64 // seconds, rounded up
	MemorySize       int64 // MB
	LastModified     string
	Version          string
	Environment      *Environment `json:",omitempty"`
	PackageType      string
	State            string
	LastUpdateStatus string
}

// Concurrency is a function's reserved concurrency.
type Concurrency struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}

func configurationOf(f *function) Configuration {
	spec := f.version.Spec()
	fn := spec.Function
	c := Configuration{
		FunctionName:     fn.Name,
		FunctionArn:      spec.ARN,
		Runtime:          IdentifierOf(fn.Runtime),
		Handler:          fn.Handler,
		Timeout:          int64(math.Ceil(spec.Timeout.Seconds())),
		MemorySize:       int64(spec.Memory) >> 20,
		LastModified:     f.modified.UTC().Format("2006-01-02T15:04:05.000-0700"),
		Version:          spec.Version,
		PackageType:      "Zip",
		State:            "Active",
		LastUpdateStatus: "Successful",
	}
	if len(fn.Env) > 0 {
		c.Environment = &Environment{Variables: fn.Env}
	}
	return c
}

// function makes the platform's function of the request.
func (c *CreateRequest) function() (platform.Function, error) {
	if c.Code.ZipFile != nil || c.Code.S3Bucket != nil || c.Code.ImageURI != nil {
		return platform.Function{}, invalid(`Code that is uploaded is not supported; write "Code": {"LocalFolder": "/absolute/path"}`)
	}
	if c.Code.LocalFolder == "" {
		return platform.Function{}, invalid(`Code is missing; write "Code": {"LocalFolder": "/absolute/path"}`)
	}
	runtime, err := runtimeOf(c.Runtime)
	if err != nil {
		return platform.Function{}, err
	}
	if c.Timeout < 0 || c.Timeout > math.MaxInt32 || c.MemorySize < 0 || c.MemorySize > math.MaxInt32 {
		return platform.Function{}, invalid("Timeout and MemorySize are out of range")
	}
	fn := platform.Function{
		Name: c.FunctionName, Runtime: runtime, Code: c.Code.LocalFolder, Handler: c.Handler,
		Memory:  units.Bytes(c.MemorySize << 20),
		Timeout: time.Duration(math.Round(c.Timeout * float64(time.Second))),
	}
	if c.Environment != nil {
		fn.Env = c.Environment.Variables
	}
	return fn, nil
}

func (h *Handler) create(w http.ResponseWriter, r *http.Request, _ string) error {
	var request CreateRequest
	if err := readDocument(w, r, &request); err != nil {
		return err
	}
	fn, err := request.function()
	if err != nil {
		return err
	}
	created, err := h.functions.create(r.Context(), fn)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, configurationOf(created))
	return nil
}

func (h *Handler) list(w http.ResponseWriter, _ *http.Request, _ string) error {
	doc := struct{ Functions []Configuration }{[]Configuration{}}
	for _, f := range h.functions.list() {
		doc.Functions = append(doc.Functions, configurationOf(f))
	}
	writeJSON(w, http.StatusOK, doc)
	return nil
}

func (h *Handler) function(w http.ResponseWriter, _ *http.Request, name string) error {
	f, err := h.functions.find(name)
	if err != nil {
		return err
	}
	doc := struct {
		Configuration Configuration
		Code          Code
		Concurrency   *Concurrency `json:",omitempty"`
	}{Configuration: configurationOf(f), Code: Code{LocalFolder: f.version.Spec().Function.Code}}
	if n := f.family.Reservation(); n != nil {
		doc.Concurrency = &Concurrency{n}
	}
	writeJSON(w, http.StatusOK, doc)
	return nil
}

func (h *Handler) configuration(w http.ResponseWriter, _ *http.Request, name string) error {
	f, err := h.functions.find(name)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, configurationOf(f))
	return nil
}

// remove goes on if the caller goes away: a function half deleted is no use to
// anybody.
func (h *Handler) remove(w http.ResponseWriter, r *http.Request, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), removeGrace)
	defer cancel()
	if err := h.functions.remove(ctx, name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handler) putConcurrency(w http.ResponseWriter, r *http.Request, name string) error {
	var request Concurrency
	if err := readDocument(w, r, &request); err != nil {
		return err
	}
	if request.ReservedConcurrentExecutions == nil {
		return invalid("ReservedConcurrentExecutions is missing")
	}
	f, err := h.functions.find(name)
	if err != nil {
		return err
	}
	if err := f.family.Reserve(request.ReservedConcurrentExecutions); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, request)
	return nil
}

func (h *Handler) concurrency(w http.ResponseWriter, _ *http.Request, name string) error {
	f, err := h.functions.find(name)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Concurrency{f.family.Reservation()})
	return nil
}

func (h *Handler) deleteConcurrency(w http.ResponseWriter, _ *http.Request, name string) error {
	f, err := h.functions.find(name)
	if err != nil {
		return err
	}
	if err := f.family.Reserve(nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readDocument reads a JSON body. What it does not know it lets pass: SDKs
// send more than is needed here.
func readDocument(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := readBody(w, r, documentLimit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return &engine.Error{Code: engine.Invalid, Message: "Could not parse request body into json", Err: err}
	}
	return nil
}
