package openwhisk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

// activation is the record of one.
type activation struct {
	ID          string `json:"activationId"`
	Duration    int64  `json:"duration"` // ms, init included
	Annotations []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"annotations"`
	Response struct {
		Status  string `json:"status"`
		Success bool   `json:"success"`
		Result  struct {
			Answer json.RawMessage `json:"answer"`
			Error  json.RawMessage `json:"error"`
		} `json:"result"`
	} `json:"response"`
}

// headerID is of an invocation's answer, beside the record.
const headerID = "X-Openwhisk-Activation-Id"

// Invoke sends one blocking invocation. Where OpenWhisk does not wait for it to
// its end, it is asked for the record until there is one.
func (d *deployment) Invoke(ctx context.Context, in platform.Request) (platform.Response, error) {
	op := "invoke " + d.title
	longest := d.timeout + d.p.options.Answer
	evicted := d.cold.Swap(false)
	reply, err := d.p.send(ctx, op, http.MethodPost, "/actions/"+d.name+"?blocking=true&result=false", in.Payload, longest)
	out := platform.Response{Status: reply.Status, FirstByte: reply.FirstByte}
	if err != nil {
		return out, err
	}
	var record activation
	readable := json.Unmarshal(reply.Body, &record) == nil && record.ID != ""
	switch {
	case readable && reply.Status == http.StatusAccepted:
		d.p.asked.Add(1)
		if record, err = d.p.await(ctx, op, record.ID, longest); err != nil {
			return out, err
		}
		out.Status, out.FirstByte = http.StatusOK, time.Time{}
	case readable:
		d.p.disown(&record, reply.Header.Get(headerID))
	default:
		if err := d.p.accepted(op, &reply); err != nil {
			return out, err
		}
		return out, &platform.Error{Kind: sample.Platform, Op: op, Hint: hintSilent, Err: errors.New("its answer is no activation's record")}
	}
	out.Body, out.Evidence = record.Response.Result.Answer, d.p.judge(&record, &reply)
	if evicted && out.Evidence.Start == sample.Warm {
		d.p.disproved.Add(1)
	}
	return out, d.p.failure(op, &record)
}

// disown takes its evidence from a record that is of another activation than the
// one of that id; "" is not known.
func (p *Platform) disown(record *activation, id string) {
	if id != "" && record.ID != "" && id != record.ID {
		p.foreign.Add(1)
		record.Annotations = nil
	}
}

// await asks for a record until it is there, which it is some time after the
// activation's end.
func (p *Platform) await(ctx context.Context, op, id string, limit time.Duration) (activation, error) {
	patient, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, longestPause) {
		var record activation
		err := p.ask(patient, op, http.MethodGet, "/activations/"+id, nil, &record)
		missing, _ := errors.AsType[*refusal](err)
		if err == nil || missing == nil || missing.status != http.StatusNotFound {
			p.disown(&record, id)
			return record, err
		}
		select {
		case <-time.After(pause):
		case <-patient.Done():
			if ctx.Err() == nil {
				return record, &platform.Error{Kind: sample.Timeout, Op: op, Err: fmt.Errorf("there is no record of activation %s after %v", id, limit)}
			}
			return record, &platform.Error{Kind: gone(ctx), Op: op, Err: context.Cause(ctx)}
		}
	}
}

// gone is the kind of a request whose caller does not wait for it any more.
func gone(caller context.Context) sample.ErrorKind {
	if errors.Is(caller.Err(), context.Canceled) {
		return sample.Cancelled
	}
	return sample.Timeout
}

// judge reads off a record how its request was served: one that tells an init
// was cold, one that tells a wait and no init was warm. A beacon in the answer is
// held against it: where the process was there before, its container was one that
// waits for any function. OpenWhisk's times are whole milliseconds; a wait is by
// the clocks of two machines.
func (p *Platform) judge(a *activation, reply *exchange.Reply) (e platform.Evidence) {
	init, cold := a.milliseconds("initTime")
	wait, waited := a.milliseconds("waitTime")
	if !cold && !waited {
		p.silent.Add(1)
		return e
	}
	took := time.Since(reply.Sent)
	e = p.beacons.Beside(cold, beacon.InAnswer(a.Response.Result.Answer), reply.Sent, reply.Sent.Add(took))
	if e.Start == sample.Unknown {
		return e // one of the two has lied
	}
	e.Breakdown.Handler = max(0, time.Duration(a.Duration)*time.Millisecond-init)
	switch {
	case cold && e.Start == sample.Provisioned:
		e.Start = sample.Prewarmed
		fallthrough
	case cold:
		e.Breakdown.Init = init
	}
	switch parts := e.Breakdown.Handler + init; {
	case parts > took+time.Millisecond:
		e.Breakdown = sample.Breakdown{}
		fallthrough
	case parts+wait > took+time.Millisecond:
		p.waits.Add(1)
	case cold:
		e.Breakdown.Provision = wait // for room, and for the container
	default:
		e.Breakdown.Queue = wait
	}
	return e
}

// milliseconds is an annotation that is a duration, at least 0.
func (a *activation) milliseconds(key string) (time.Duration, bool) {
	for _, annotation := range a.Annotations {
		if annotation.Key != key {
			continue
		}
		var ms int64
		if err := json.Unmarshal(annotation.Value, &ms); err == nil && ms >= 0 && ms < int64(24*time.Hour/time.Millisecond) {
			return time.Duration(ms) * time.Millisecond, true
		}
	}
	return 0, false
}

// The statuses of activations (OpenWhisk, ActivationResult.scala).
const (
	statusApplication = "application error"      // the action ran, and reported it
	statusDeveloper   = "action developer error" // the action did not run, or not to its end
)

// failure is what went wrong with an activation, nil for nothing. What a
// developer error was is in its message (OpenWhisk, ErrorResponse.scala).
func (p *Platform) failure(op string, a *activation) error {
	if a.Response.Success {
		return nil
	}
	text := p.messageOf(a.Response.Result.Error)
	said := func(words string) bool { return strings.Contains(text, words) }
	kind := sample.Platform
	switch a.Response.Status {
	case statusApplication:
		kind = sample.Handler
	case statusDeveloper:
		switch {
		case said("did not initialize") || said("during initialization"):
			kind = sample.Init
		case said("exceeded its time limits of"):
			kind = sample.Timeout
		case said("exhausted its memory"):
			kind = sample.OutOfMemory
		case said("exited unexpectedly"):
			kind = sample.Crash
		case said("exceeded the allowed length"):
			kind = sample.Payload
		default:
			kind = sample.Handler
		}
	}
	return &platform.Error{Kind: kind, Op: op, Err: fmt.Errorf("%s: %s", p.secrets.Words(a.Response.Status), text)}
}
