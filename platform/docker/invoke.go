package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

const (
	hintSilent = "the Docker engine is busy or hangs: `docker info` says whether it answers, `systemctl restart docker` starts it again"
	hintGone   = "start it again (systemctl start docker); then `coldcurve cleanup --platform docker` removes what is left there"
	hintBase   = "functions are built on an image with their interpreter: name one that the engine has, or can pull (bases: {%s: IMAGE} of the scenario's platform)"
	hintGVisor = "gVisor refuses the machine's own network: give the platform one of the engine's (network: NAME; docker network create --internal NAME)"
)

// answer is what has become of a request.
type answer struct {
	response platform.Response
	err      error
}

// Invoke has a container serve the request. A caller who goes is let go; the
// container serves on, as it would where the caller had hung up.
func (d *deployment) Invoke(ctx context.Context, r platform.Request) (platform.Response, error) {
	if ctx.Err() != nil {
		return platform.Response{}, d.abandoned(ctx)
	}
	if err := d.enter(); err != nil {
		return platform.Response{}, err
	}
	answers := make(chan answer, 1)
	go func() {
		defer d.work.Done()
		d.serve(r.Payload, answers)
	}()
	select {
	case a := <-answers:
		return a.response, a.err
	case <-ctx.Done():
		return platform.Response{}, d.abandoned(ctx)
	}
}

// abandoned is the error of a request whose caller does not wait for it.
func (d *deployment) abandoned(ctx context.Context) error {
	kind := sample.Timeout
	if errors.Is(ctx.Err(), context.Canceled) {
		kind = sample.Cancelled
	}
	return &platform.Error{Kind: kind, Op: d.op, Err: context.Cause(ctx)}
}

// serve finds or starts a container, passes the request on and gives the
// answer; then it sees to the container. Who is answered may ask again at once
// and finds the container.
func (d *deployment) serve(payload []byte, answers chan<- answer) {
	b, e, err := d.find()
	a := answer{response: platform.Response{Evidence: e}, err: err}
	reason := ""
	switch {
	case b == nil:
		answers <- a
		return
	case err != nil:
		reason = reasonOf(platform.KindOf(err))
	default:
		reason = d.exchange(b, payload, &a)
	}
	if !b.begun.IsZero() {
		a.response.Answered = time.Now() // nobody waits for the engine's word
		b.prove(&a.response.Evidence)
	}
	if reason == "" {
		reason = d.settle(b)
	}
	answers <- a
	switch {
	case reason != "":
		_ = d.discard(reason, b) // Remove tells
	case d.p.options.Tier == Paused:
		b.rest()
	}
}

// find gives a container that is ready for the request.
func (d *deployment) find() (*box, platform.Evidence, error) {
	for {
		b, err := d.place()
		if err != nil {
			return nil, platform.Evidence{}, err
		}
		if b == nil {
			return d.start()
		}
		if b.dead() {
			_ = d.discard("crash", b) // Remove tells
			continue
		}
		e, err := b.wake()
		if err != nil {
			err = d.failure(err)
		}
		return b, e, err
	}
}

// exchange passes the request on and reads the answer. It says why the
// container must not serve again, "" for nothing.
func (d *deployment) exchange(b *box, payload []byte, a *answer) (reason string) {
	b.note(func(l *life) { l.Invocations++ })
	if payload == nil {
		payload = []byte("{}") // as Lambda has it: handlers read JSON
	}
	out, err := b.in.Invoke(d.life, &sandbox.Invocation{RequestID: sandbox.NewRequestID(), Payload: payload, Deadline: time.Now().Add(d.function.Timeout)})
	now, mono := time.Now(), d.p.clock.Now()
	from, to := out.HandlerStart, out.HandlerEnd
	if err != nil {
		f, _ := errors.AsType[*sandbox.Failure](err)
		from, to, out.Log = f.HandlerStart, f.HandlerEnd, f.Log
		a.err, reason = d.failure(err), reasonOf(f.Kind)
	} else {
		a.response.Body, a.response.Status = out.Body, 200
		a.response.FirstByte = now.Add(-between(to, mono))
		if out.FunctionError != "" {
			a.err = &platform.Error{Kind: sample.Handler, Op: d.op, Err: functionError(out.Body)}
		}
	}
	d.p.print(d.function.Name, out.Log)
	a.response.Evidence.Breakdown.Handler = between(from, to)
	if !b.begun.IsZero() { // it was started for this request
		b.note(func(l *life) { l.first = between(l.Provisioned, to) })
	}
	return reason
}

// reasonOf is why an instance goes after a failure; "" where it stays.
func reasonOf(kind sample.ErrorKind) string {
	switch kind {
	case sample.Payload:
		return ""
	case sample.Timeout:
		return "timeout"
	case sample.OutOfMemory:
		return "oom"
	case sample.Init:
		return "init"
	case sample.Cancelled:
		return "shutdown"
	}
	return "crash"
}

// startError is the error of a container that did not come to serve.
func (d *deployment) startError(ctx context.Context, err error) error {
	switch {
	case d.life.Err() != nil:
		return &platform.Error{Kind: sample.Cancelled, Op: d.op, Err: errors.New("the function was removed")}
	case ctx.Err() != nil:
		limit := units.FormatDuration(d.p.options.Start)
		return &platform.Error{Kind: sample.Timeout, Op: d.op, Hint: hintSilent, Err: fmt.Errorf("no container was ready within %s", limit)}
	}
	return d.failure(err)
}

// failure is a container's failure, with the end of what its function printed.
func (d *deployment) failure(err error) error {
	out := d.p.failed(d.op, err)
	if container.Lost(err) {
		return out
	}
	if strings.Contains(err.Error(), "in root network namespace") { // runsc's own words
		out.Hint = hintGVisor
	}
	if f, ok := errors.AsType[*sandbox.Failure](err); ok {
		out.Kind, out.Err = f.Kind, f
		if words := strings.TrimSpace(string(f.Log)); words != "" {
			out.Err = fmt.Errorf("%w: %s", f, words[strings.LastIndexByte(words, '\n')+1:])
		}
	}
	return out
}

// functionError is what a handler that failed has answered.
func functionError(body []byte) error {
	var doc struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Type+doc.Message == "" {
		return fmt.Errorf("the function failed: %.200q", body)
	}
	return fmt.Errorf("the function failed: %s: %.200s", doc.Type, doc.Message)
}

// next names a start.
func (p *Platform) next(function string) string {
	return function + "-" + strconv.FormatUint(p.started.Add(1), 10)
}
