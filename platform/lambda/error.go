package lambda

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

const (
	hintCredentials = "`aws sts get-caller-identity` says whether AWS's own tools find credentials; AWS_PROFILE, or aws_profile: of the scenario's platform, chooses among them"
	hintExpired     = "sign in again (`aws sso login`, or new session credentials), then start the run again"
	hintThrottled   = "the account is at its limit of requests or of concurrent executions: --scale .5 asks for less, or ask AWS for more"
	hintSilent      = "something listens there that does not answer: is it Lambda's API? `coldcurve serve` is one"
	hintOther       = "somebody else answers there, or stands in between: is it Lambda's API? `coldcurve serve` is one"
	hintStranger    = "AWS_CA_BUNDLE names a file of further certificates to trust"
	hintNobody      = "is anybody listening there? `coldcurve serve` prints its address"
)

// credentialHint is what to do about an error that is about who asks.
func credentialHint(code string) string {
	switch code {
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired":
		return hintExpired
	case "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidClientTokenId",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "IncompleteSignature", "IncompleteSignatureException":
		return hintCredentials
	}
	return ""
}

// denied says whether the code is that of somebody known who may not do this.
func denied(code string) bool { return code == "AccessDeniedException" || code == "AccessDenied" }

// permissions are what a policy must allow for what the platform was opened for,
// of which the operation was one.
func (p *Platform) permissions(operation string) string {
	o := &p.options
	switch {
	case operation == "ListFunctions", o.Existing && operation == "DeleteFunction", o.Existing && !o.Change && operation == "UpdateFunctionConfiguration":
		return "`coldcurve cleanup` needs lambda:ListFunctions, DeleteFunction, GetFunctionConfiguration and UpdateFunctionConfiguration"
	case o.Existing && o.Change:
		return "a run that changes functions that are there needs lambda:InvokeFunction, GetFunctionConfiguration and UpdateFunctionConfiguration"
	case o.Existing:
		return "a run of functions that are there needs lambda:InvokeFunction, and GetFunctionConfiguration to tell what it may cost"
	}
	needs := "a run needs lambda:CreateFunction, TagResource, GetFunctionConfiguration, InvokeFunction, UpdateFunctionConfiguration, DeleteFunction"
	if o.SnapStart || o.Provisioned > 0 {
		needs += ", PublishVersion"
	}
	if o.Provisioned > 0 {
		needs += ", PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig"
	}
	return needs + " and iam:PassRole of the role; where a function's concurrency is reserved, PutFunctionConcurrency"
}

func isDenied(err error) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && denied(e.ErrorCode())
}

// isForeign says whether what answered has no such operation, and not by an error
// that Lambda has a name for: it has all of them.
func isForeign(err error) bool {
	status := statusOf(err)
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && e.ErrorCode() == unknownCode && (status == http.StatusNotFound || status == http.StatusNotImplemented)
}

// throttles are the codes that say "not now".
func throttles(code string) bool {
	return slices.Contains([]string{"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "EC2ThrottledException"}, code)
}

// patience is the wait for an answer of the API.
type patience struct {
	caller context.Context // who may have gone
	limit  time.Duration
	begun  atomic.Bool // the answer to the last attempt, which may not have ended
	last   error       // what the last attempt came to
}

type patienceKey struct{}

// hear has who waits for an operation know of each attempt at it: of one whose
// time was over between two attempts the SDK tells nothing but that.
func hear(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Hear", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		w, awaited := ctx.Value(patienceKey{}).(*patience)
		if !awaited {
			return next.HandleDeserialize(ctx, in)
		}
		w.begun.Store(false)
		out, metadata, err := next.HandleDeserialize(ctx, in)
		w.last = err
		return out, metadata, err
	}), middleware.Before)
}

// answered is the answer that more attempts were to follow, where there was no
// time for them; else err as it is.
func (w *patience) answered(err error) error {
	if errors.Is(err, context.DeadlineExceeded) && w.caller.Err() == nil && statusOf(w.last) != 0 && !errors.Is(w.last, context.DeadlineExceeded) {
		return w.last
	}
	return err
}

// silence says what was waited for in vain.
func (w *patience) silence(where string, err error) error {
	what, limit := "an answer", units.FormatDuration(w.limit)
	if operation := operationOf(err); operation != "" {
		what += " to " + operation
	}
	if w.begun.Load() {
		return fmt.Errorf("%s from %s began and did not end within %s", what, where, limit)
	}
	return fmt.Errorf("waited for %s from %s: none within %s", what, where, limit)
}

// failure makes the error of an operation whose answer was waited for.
func (p *Platform) failure(w *patience, op string, err error) error {
	caller := w.caller
	err = w.answered(err)
	out := &platform.Error{Kind: sample.Network, Op: op, Err: p.shorten(err)}
	refusal, refused := errors.AsType[smithy.APIError](err)
	_, unasked := errors.AsType[*unsigned](err)
	switch {
	case unasked && caller.Err() == nil: // whoever hands credentials out may have refused, too
		out.Kind, out.Hint = sample.Refused, hintCredentials
		if refused {
			out.Hint = cmp.Or(credentialHint(refusal.ErrorCode()), out.Hint)
		}
	case refused:
		out.Kind, out.Hint = kindOf(refusal.ErrorCode(), statusOf(err)), credentialHint(refusal.ErrorCode())
		switch {
		case out.Kind == sample.Throttled:
			out.Hint = hintThrottled
		case denied(refusal.ErrorCode()):
			out.Hint = p.permissions(operationOf(err))
		case statusOf(err)/100 == 3:
			out.Hint = hintOther
		}
	case isOther(err):
		out.Kind, out.Hint = kindOf("", statusOf(err)), hintOther
	case errors.Is(caller.Err(), context.Canceled):
		out.Kind, out.Err = sample.Cancelled, context.Cause(caller)
	case caller.Err() != nil:
		out.Kind, out.Err = sample.Timeout, context.Cause(caller)
	case isDial(err):
		out.Hint = hintNobody
	case errors.Is(err, context.DeadlineExceeded):
		out.Kind, out.Hint, out.Err = sample.Timeout, hintSilent, w.silence(p.Where(), err)
	case isTimeout(err): // of the handshake: all else is bounded by contexts
		out.Kind, out.Hint = sample.Timeout, hintSilent
		out.Err = fmt.Errorf("no encrypted connection to %s within %s", p.Where(), units.FormatDuration(longestDial))
	case isStranger(err):
		out.Hint = hintStranger
	}
	return out
}

// operationOf is the operation that failed, as the API has it; "" for none.
func operationOf(err error) string {
	if e, ok := errors.AsType[*smithy.OperationError](err); ok {
		return e.OperationName
	}
	return ""
}

// kindOf is what an answer with a code ("" for none) and a status is.
func kindOf(code string, status int) sample.ErrorKind {
	switch {
	case throttles(code) || status == http.StatusTooManyRequests:
		return sample.Throttled
	case code == "RequestTooLargeException" || code == "RequestEntityTooLargeException" || status == http.StatusRequestEntityTooLarge:
		return sample.Payload
	case status >= http.StatusInternalServerError:
		return sample.Platform
	}
	return sample.Refused
}

// isOther says whether an answer has come whole and is no document of Lambda's,
// as a proxy's page is not.
func isOther(err error) bool {
	_, unread := errors.AsType[*smithy.DeserializationError](err)
	return unread && statusOf(err) != 0 && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) && !isTimeout(err)
}

// statusOf is the HTTP status of an error; 0 where there was no answer.
func statusOf(err error) int {
	if e, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return e.HTTPStatusCode()
	}
	return 0
}

// told is an SDK's error in the words that matter: the operation is named
// already, and attempts and identifiers help nobody.
type told struct {
	text string
	err  error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.err }

func (p *Platform) shorten(err error) error {
	if own, ok := errors.AsType[*unsigned](err); ok {
		return own
	}
	return &told{p.wordsOf(err), err}
}

// wordsOf are an SDK's words without its wrapping.
func (p *Platform) wordsOf(err error) string {
	if isOther(err) {
		return statusText(err) + ", with an answer that is none of Lambda's"
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		code := e.ErrorCode()
		if code == unknownCode && statusOf(err) != 0 {
			code = statusText(err)
		}
		// Of a wrong signature the lines below say what it is a signature of.
		first, _, _ := strings.Cut(strings.TrimSpace(e.ErrorMessage()), "\n")
		if first == unknownCode {
			first = "the answer names no error"
		}
		return p.secrets.Words(strings.TrimPrefix(code+": "+first, ": "))
	}
	inner := err
	for next := inner; next != nil; next = errors.Unwrap(next) {
		switch next.(type) {
		case *smithy.OperationError, *awshttp.ResponseError, *smithyhttp.ResponseError, *smithyhttp.RequestSendError, *url.Error:
			inner = errors.Unwrap(next)
		}
	}
	return p.secrets.Words(inner.Error())
}

// unknownCode is the SDK's for an answer that has none.
const unknownCode = "UnknownError"

func statusText(err error) string {
	status := statusOf(err)
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)))
}

// isDial says whether nobody was reached.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// isTimeout says whether the transport's own patience was at its end.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// isStranger says whether somebody was reached whose certificate nobody vouches
// for.
func isStranger(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

func isGone(err error) bool {
	_, gone := errors.AsType[*types.ResourceNotFoundException](err)
	return gone
}

func isConflict(err error) bool {
	_, conflict := errors.AsType[*types.ResourceConflictException](err)
	return conflict
}

// isStale says whether something has changed since it was looked at.
func isStale(err error) bool {
	_, stale := errors.AsType[*types.PreconditionFailedException](err)
	return stale
}
