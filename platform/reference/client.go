package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// Client is a reference runtime in a child process, as a platform. It is a
// platform.Describer, Historian, Logger, Meter and Closer too.
type Client struct {
	child *child
	http  *http.Client  // for all but invocations
	wire  *wire         // for invocations
	limit time.Duration // for an answer that is not an invocation's
}

// answerLimit is how long an answer may take that waits for no function. The
// longest wait behind one is that for an image to be fetched and built.
const answerLimit = 15 * time.Minute

// origin names this machine; how it is reached is the transport's business.
const origin = "http://localhost"

// Claims are what the runtime attests of itself.
func (c *Client) Claims() platform.Claims {
	limit := engine.LambdaLimits().Payload
	return platform.Claims{
		Grade: sample.Attested,
		Errors: []sample.ErrorKind{
			sample.Throttled, sample.Timeout, sample.Handler, sample.Init, sample.Crash, sample.OutOfMemory, sample.Payload, sample.Refused,
		},
		Payload: limit, Response: limit,
	}
}

// Deploy creates the function and returns when it can be invoked: its image is
// there, its zygote has loaded it. No instance is started.
func (c *Client) Deploy(ctx context.Context, fn platform.Function) (platform.Deployment, error) {
	request, err := createRequest(fn)
	if err != nil {
		return nil, refused("deploy "+fn.Name, err)
	}
	if err := c.call(ctx, http.MethodPost, "/2015-03-31/functions", request, nil); err != nil {
		return nil, fmt.Errorf("deploy %s: %w", fn.Name, err)
	}
	d := &deployment{
		client: c, name: fn.Name, op: "invoke " + fn.Name,
		head: head("/2015-03-31/functions/" + fn.Name + "/invocations"),
	}
	if err := c.awaitActive(ctx, fn.Name); err != nil {
		return nil, errors.Join(err, d.Remove(ctx))
	}
	if fn.Reserved > 0 {
		reserve := lambdaapi.Concurrency{ReservedConcurrentExecutions: &fn.Reserved}
		if err := c.call(ctx, http.MethodPut, "/2017-10-31/functions/"+fn.Name+"/concurrency", reserve, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("deploy %s: %w", fn.Name, err), d.Remove(ctx))
		}
	}
	return d, nil
}

// awaitActive returns when a function can be invoked, or never can.
func (c *Client) awaitActive(ctx context.Context, name string) error {
	op := "deploy " + name
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		var now lambdaapi.Configuration
		err := c.call(ctx, http.MethodGet, "/2015-03-31/functions/"+name+"/configuration", nil, func(body io.Reader) error {
			return json.NewDecoder(body).Decode(&now)
		})
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", op, err)
		case now.State == catalog.Active:
			return nil
		case now.State == catalog.Failed:
			return refused(op, errors.New(now.StateReason))
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return c.unanswered(ctx, op, ctx.Err())
		}
	}
}

func createRequest(fn platform.Function) (lambdaapi.CreateRequest, error) {
	folder, err := filepath.Abs(fn.Code)
	if err != nil {
		return lambdaapi.CreateRequest{}, err
	}
	if fn.Memory%(1<<20) != 0 {
		return lambdaapi.CreateRequest{}, fmt.Errorf("memory of %d bytes is not a whole number of MB", fn.Memory)
	}
	runtime, memory, timeout := catalog.IdentifierOf(fn.Runtime), int64(fn.Memory)>>20, fn.Timeout.Seconds()
	if runtime == "" {
		return lambdaapi.CreateRequest{}, fmt.Errorf("the reference runtime has no runtime %q", fn.Runtime)
	}
	r := lambdaapi.CreateRequest{FunctionName: fn.Name, Code: lambdaapi.Code{LocalFolder: folder}}
	if fn.Image != "" {
		r.Code = lambdaapi.Code{ImageURI: fn.Image}
	}
	r.SettingsRequest = lambdaapi.SettingsRequest{
		Runtime: &runtime, Handler: &fn.Handler, MemorySize: &memory, Timeout: &timeout,
		Sandbox: &fn.Sandbox, Start: &fn.Start,
	}
	if fn.Storage%(1<<20) != 0 {
		return lambdaapi.CreateRequest{}, fmt.Errorf("storage of %d bytes is not a whole number of MB", fn.Storage)
	}
	if fn.Storage > 0 {
		r.EphemeralStorage = &lambdaapi.EphemeralStorage{Size: int64(fn.Storage) >> 20}
	}
	if len(fn.Env) > 0 {
		r.Environment = &lambdaapi.Environment{Variables: fn.Env}
	}
	return r, nil
}

// Describe asks the runtime for its account of itself.
func (c *Client) Describe(ctx context.Context) (d platform.Description, err error) {
	err = c.call(ctx, http.MethodGet, "/coldcurve/v1/describe", nil, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&d)
	})
	return d, err
}

// Instances asks the runtime for the life of every instance.
func (c *Client) Instances(ctx context.Context) (list []platform.InstanceRecord, err error) {
	err = c.call(ctx, http.MethodGet, "/coldcurve/v1/instances", nil, func(body io.Reader) error {
		dec := json.NewDecoder(body)
		for dec.More() {
			var r platform.InstanceRecord
			if err := dec.Decode(&r); err != nil {
				return err
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// Logs asks the runtime for the end of what each function has printed.
func (c *Client) Logs(ctx context.Context) (logs map[string]string, err error) {
	err = c.call(ctx, http.MethodGet, "/coldcurve/v1/logs", nil, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&logs)
	})
	return logs, err
}

// Usage asks the runtime who has used what.
func (c *Client) Usage(ctx context.Context) (a usage.Account, err error) {
	err = c.call(ctx, http.MethodGet, "/coldcurve/v1/usage", nil, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&a)
	})
	return a, err
}

// Close ends the runtime and waits until it is gone, with all its instances;
// when ctx ends before that, it is killed. Idempotent.
func (c *Client) Close(ctx context.Context) error {
	c.wire.close()
	c.http.CloseIdleConnections()
	return c.child.close(ctx)
}

// call makes a request that is not an invocation, with doc as its body if it
// is not nil, and has read take the answer's.
func (c *Client) call(ctx context.Context, method, path string, doc any, read func(io.Reader) error) error {
	op := method + " " + path
	var body io.Reader
	if doc != nil {
		text, err := json.Marshal(doc)
		if err != nil {
			return refused(op, err)
		}
		body = bytes.NewReader(text)
	}
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, origin+path, body)
	if err != nil {
		return refused(op, err)
	}
	response, err := c.http.Do(request)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return c.silent(op)
	}
	if err != nil {
		return c.unanswered(ctx, op, err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
		told, _ := sample.ParseErrorKind(response.Header.Get(lambdaapi.HeaderErrorKind))
		return &platform.Error{
			Kind: kindOf(told, response.StatusCode), Op: op,
			Err: refusal(response.Header.Get(lambdaapi.HeaderErrorType), response.StatusCode, text),
		}
	}
	if read == nil {
		return nil
	}
	if err := read(response.Body); err != nil {
		return &platform.Error{Kind: sample.Network, Op: op, Err: err}
	}
	return nil
}

func refused(op string, err error) error {
	return &platform.Error{Kind: sample.Refused, Op: op, Err: err}
}

// silent is the error of a request that a runtime which is there does not answer.
func (c *Client) silent(op string) error {
	pid := c.child.cmd.Process.Pid
	return &platform.Error{Kind: sample.Timeout, Op: op, Err: fmt.Errorf(
		"no answer from the runtime, process %d, within %v: kill -QUIT %d ends it, and it prints what it was waiting for", pid, c.limit, pid)}
}

// unanswered is the error of a request without an answer.
func (c *Client) unanswered(ctx context.Context, op string, err error) error {
	kind := sample.Network
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		kind = sample.Timeout
	case ctx.Err() != nil:
		kind = sample.Cancelled
	default:
		if ended := c.child.ended(); ended != nil {
			err = errors.Join(err, ended)
		}
	}
	// The URL in it says nothing that the operation does not.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &platform.Error{Kind: kind, Op: op, Err: err}
}

// kindOf is the kind that the runtime tells beside Lambda's own words, or what
// follows from the status where a stranger answers.
func kindOf(told sample.ErrorKind, status int) sample.ErrorKind {
	switch {
	case told != sample.NoError:
		return told
	case status/100 == 2:
		return sample.Handler
	case status/100 == 4:
		return sample.Refused
	}
	return sample.Platform
}

// refusal is Lambda's error document as an error.
func refusal(errorType string, status int, body []byte) error {
	var doc struct {
		Message string // or message: names are matched without regard to case
		Reason  string
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Message == "" {
		return fmt.Errorf("HTTP status %d", status)
	}
	if doc.Reason != "" {
		doc.Message += " (" + doc.Reason + ")"
	}
	return fmt.Errorf("%s: %s", errorType, doc.Message)
}

// deployment is one function of a Client. It is a platform.Evicter too.
type deployment struct {
	client *Client
	name   string
	op     string // "invoke hello"
	head   string // what every request begins with
}

// Invoke sends one request.
func (d *deployment) Invoke(ctx context.Context, r platform.Request) (platform.Response, error) {
	contentType := r.ContentType
	if contentType == "" {
		contentType = "application/json"
	}
	got, err := d.client.wire.send(ctx, d.head, contentType, &r)
	out := platform.Response{
		Status: got.status, Body: got.body, FirstByte: got.firstByte, Billed: got.billed,
	}
	if got.start != sample.Unknown {
		out.Evidence = platform.Evidence{
			Start: got.start, Grade: sample.Attested,
			Instance: got.instance, Breakdown: got.truth.Breakdown(),
		}
	}
	switch {
	case err != nil:
		return out, d.client.unanswered(ctx, d.op, err)
	case got.status != http.StatusOK:
		return out, &platform.Error{Kind: kindOf(got.kind, got.status), Op: d.op, Err: refusal(got.errorType, got.status, got.body)}
	case got.functionError:
		return out, &platform.Error{Kind: kindOf(got.kind, got.status), Op: d.op, Err: functionError(got.body, got.lastWords)}
	}
	return out, nil
}

// Evict makes the function's next start cold.
func (d *deployment) Evict(ctx context.Context) error {
	return d.client.call(ctx, http.MethodPost, "/coldcurve/v1/functions/"+d.name+"/evict", nil, nil)
}

// Remove deletes the function with its instances. A runtime that is gone has
// none.
func (d *deployment) Remove(ctx context.Context) error {
	lasting, cancel := platform.Outlive(ctx)
	defer cancel()
	err := d.client.call(lasting, http.MethodDelete, "/2015-03-31/functions/"+d.name, nil, nil)
	if platform.KindOf(err) == sample.Refused || err != nil && d.client.child.goneWithin(time.Second) {
		return nil
	}
	return err
}
