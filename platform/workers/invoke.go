package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

// The headers between this package and its host; the isolate's are a beacon's.
const (
	headerKey   = "X-Coldcurve-Key"
	headerStart = "X-Coldcurve-Start" // cold, queued or warm: what the loader did for the request
	headerError = "X-Coldcurve-Error" // what failed: handler, init, crash, refused
)

// Invoke sends one request to the function.
func (d *deployment) Invoke(ctx context.Context, in platform.Request) (platform.Response, error) {
	one := exchange.Exchange{Op: "invoke " + d.function, Transport: d.p.transport, Limit: d.timeout, Keep: in.WantBody}
	reply, err := d.p.send(ctx, &one, http.MethodPost, "invocations", d.function, in.Payload)
	out := platform.Response{Status: reply.Status, Body: reply.Body, FirstByte: reply.FirstByte}
	if reply.Status != 0 {
		out.Evidence = d.p.judge(&reply)
	}
	return out, err
}

// judge holds what the host says of the loader against what the isolate says of
// itself. Of the requests that wait for an isolate, the first that it serves is
// cold, whichever of them the loader was loading for.
func (p *Platform) judge(reply *exchange.Reply) platform.Evidence {
	own := p.beacons.Judge(reply.Header, reply.Sent, reply.Arrived)
	told := reply.Header.Get(headerStart)
	waited := told == "cold" || told == "queued"
	out := platform.Evidence{Instance: own.Instance, Grade: sample.Observed}
	switch {
	case told == "" && own.Instance == "":
		return platform.Evidence{} // no isolate was reached
	case waited && own.Start == sample.Cold:
		out.Start = sample.Cold
	case waited && own.Start == sample.Warm:
		out.Start = sample.Queued
	case told == "warm" && own.Start == sample.Warm:
		out.Start = sample.Warm
	default:
		p.doubted.Add(1)
		out.Grade = sample.NoGrade
	}
	return out
}

// ask has the host do something with a function.
func (p *Platform) ask(ctx context.Context, op, method, what, function string, body []byte) error {
	one := exchange.Exchange{Op: op, Transport: p.transport, Limit: p.options.Answer}
	_, err := p.send(ctx, &one, method, what, function, body)
	return err
}

// send sends one request to the host, and makes an error of an answer that is
// one.
func (p *Platform) send(ctx context.Context, one *exchange.Exchange, method, what, function string, body []byte) (exchange.Reply, error) {
	reply, err := one.Do(ctx, &http.Request{
		Method: method, URL: &url.URL{Scheme: "http", Host: p.process.address(), Path: "/" + what + "/" + function},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{headerKey: {p.key}, "Content-Type": {"application/json"}},
		Body:   exchange.Body(method, body), ContentLength: int64(len(body)),
	})
	if failed, ok := errors.AsType[*platform.Error](err); ok {
		p.explain(ctx, failed, one.Limit)
		return reply, err
	}
	if kind, failed := failureOf(&reply); failed {
		return reply, &platform.Error{Kind: kind, Op: one.Op, Err: reason(&reply)}
	}
	return reply, nil
}

const (
	hintEnded = "start the run again; functions that need much memory can end workerd, which limits none"
	hintBusy  = "workerd runs everything in one thread: has a function computed all that time?"
)

// explain says of an exchange that failed what else is known.
func (p *Platform) explain(caller context.Context, failed *platform.Error, limit time.Duration) {
	switch {
	case failed.Kind == sample.Network:
		if ended := p.process.await(dying); ended != nil {
			failed.Kind, failed.Err, failed.Hint = sample.Platform, ended, hintEnded
		}
	case failed.Kind == sample.Timeout && caller.Err() == nil:
		failed.Err, failed.Hint = fmt.Errorf("no answer within %s", units.FormatDuration(limit)), hintBusy
	}
}

// dying is how long a process may take to be seen to have ended, when its
// connections have.
const dying = 2 * time.Second

// failureOf says whether an answer is a failure. One without a header of the
// host's or the shim's is the function's own.
func failureOf(reply *exchange.Reply) (sample.ErrorKind, bool) {
	switch reply.Header.Get(headerError) {
	case "":
		return sample.Handler, reply.Status >= http.StatusBadRequest
	case "handler":
		return sample.Handler, true
	case "init":
		return sample.Init, true
	case "crash":
		return sample.Crash, true
	}
	return sample.Refused, true
}

// mostMessage is how much of a function's message is told, in bytes.
const mostMessage = 260

// reason is what a failure says of itself.
func reason(reply *exchange.Reply) error {
	var told struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(reply.Body, &told); err != nil || told.Message == "" {
		return fmt.Errorf("status %d %s", reply.Status, http.StatusText(reply.Status))
	}
	text := strings.TrimPrefix(told.Type+": "+told.Message, ": ")
	return errors.New(units.FormatLine(text, mostMessage))
}
