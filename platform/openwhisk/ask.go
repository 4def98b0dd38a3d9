package openwhisk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

const (
	hintKey       = "the key is in WSK_AUTH or in ~/.wskprops: `wsk list` says whether OpenWhisk takes it"
	hintThrottled = "the namespace is at its limit of activations a minute or in flight: --scale .5 asks for less"
	hintSilent    = "something listens there that does not answer: is it OpenWhisk's API host?"
	hintNobody    = "is anybody listening there? `wsk property get --apihost` says what wsk asks"
	hintStranger  = "SSL_CERT_FILE names a file of further certificates to trust"
)

// mostAttempts is how often something is asked that is not an invocation and was
// throttled, or met another change of the same action.
const mostAttempts = 4

// ask makes one request to the API, bounded in time, and reads its answer into
// out unless that is nil.
func (p *Platform) ask(ctx context.Context, op, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return &platform.Error{Kind: sample.Refused, Op: op, Err: err}
	}
	if in == nil {
		body = nil
	}
	for attempt := 1; ; attempt++ {
		reply, err := p.send(ctx, op, method, path, body, p.options.Answer)
		if err == nil {
			err = p.accepted(op, &reply)
		}
		switch again, _ := errors.AsType[*refusal](err); {
		case err == nil:
			return p.decode(op, reply.Body, out)
		case again == nil || again.status != http.StatusTooManyRequests && again.status != http.StatusConflict || attempt == mostAttempts:
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond << attempt):
		case <-ctx.Done():
			return err
		}
	}
}

func (p *Platform) decode(op string, text []byte, out any) error {
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return &platform.Error{Kind: sample.Platform, Op: op, Hint: hintSilent, Err: fmt.Errorf("its answer is not OpenWhisk's: %w", err)}
	}
	return nil
}

// send sends one request, and explains one that has no answer.
func (p *Platform) send(ctx context.Context, op, method, path string, body []byte, limit time.Duration) (exchange.Reply, error) {
	target := *p.api
	path, target.RawQuery, _ = strings.Cut(path, "?")
	target.Path += path
	one := exchange.Exchange{Op: op, Transport: p.transport, Limit: limit, Keep: true, Secrets: &p.secrets}
	reply, err := one.Do(ctx, &http.Request{
		Method: method, URL: &target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: p.header,
		Body: exchange.Body(method, body), ContentLength: int64(len(body)),
	})
	failed, ok := errors.AsType[*platform.Error](err)
	switch {
	case !ok:
	case failed.Kind == sample.Timeout && ctx.Err() == nil:
		failed.Err, failed.Hint = fmt.Errorf("no answer from %s within %s", p.Where(), units.FormatDuration(limit)), hintSilent
	case isDial(failed.Err):
		failed.Hint = hintNobody
	case strings.Contains(failed.Err.Error(), "certificate"):
		failed.Hint = hintStranger
	}
	return reply, err
}

// isDial says whether nobody was reached.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// refusal is an answer of the API that is an error, in its words.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string {
	if r.text == "" {
		return fmt.Sprintf("status %d %s", r.status, http.StatusText(r.status))
	}
	return r.text
}

// accepted makes an error of an answer that is one.
func (p *Platform) accepted(op string, reply *exchange.Reply) error {
	if reply.Status < http.StatusBadRequest {
		return nil
	}
	var said struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(reply.Body, &said) // what cannot be read says nothing
	out := &platform.Error{Kind: sample.Refused, Op: op, Err: &refusal{reply.Status, p.secrets.Words(said.Error)}}
	switch status := reply.Status; {
	case status == http.StatusTooManyRequests:
		out.Kind, out.Hint = sample.Throttled, hintThrottled
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		out.Hint = hintKey
	case status == http.StatusRequestEntityTooLarge:
		out.Kind = sample.Payload
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout:
		out.Kind = sample.Timeout
	case status >= http.StatusInternalServerError:
		out.Kind = sample.Platform
	}
	return out
}

// messageOf is the text of an error that may be one or a document.
func (p *Platform) messageOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return p.secrets.Words(text)
	}
	return p.secrets.Words(string(value))
}
