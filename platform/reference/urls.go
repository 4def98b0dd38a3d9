package reference

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/events"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// urlPrefix is where functions' own URLs are, each below its id: AWS has a host
// name for each.
const urlPrefix = "/lambda-url/"

// urls serves functions' own URLs.
type urls struct {
	catalog    *catalog.Catalog
	signatures lambdaapi.Signatures // nil where there are no keys
	clock      clock.Monotonic
	api        *lambdaapi.Handler // reads bodies
	limit      int64              // most bytes of one
}

// besides has u answer what is below urlPrefix, and next the rest.
func (u *urls) besides(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, urlPrefix) {
			u.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP answers one request.
func (u *urls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := u.clock.Now()
	id, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, urlPrefix), "/")
	config, err := u.catalog.FindURL(id)
	if err != nil {
		lambdaapi.Dismiss(w)
		problem(w, http.StatusForbidden, "Forbidden") // what AWS says of a name that is nobody's
		return
	}
	if config.CORS != nil && allowOrigin(w, r, config.CORS) {
		return
	}
	body, consumer, err := u.admit(w, r, config.AuthType == "AWS_IAM")
	if err != nil {
		lambdaapi.Dismiss(w)
		refused := catalog.AsError(err)
		problem(w, refused.Status, refused.Message)
		return
	}
	requestID := engine.NewRequestID()
	domain, _, splitErr := net.SplitHostPort(r.Host)
	if splitErr != nil {
		domain = r.Host
	}
	out, err := u.catalog.Invoke(r.Context(), config.Function, config.Qualifier, engine.Invocation{
		RequestID: requestID, Trigger: sample.URL, Triggered: arrived,
		Consumer: cmp.Or(r.Header.Get(lambdaapi.HeaderConsumer), consumer), Stage: r.Header.Get(lambdaapi.HeaderStage),
		Payload: events.URLEvent(events.URL{ID: id, Domain: domain}, r, "/"+path, body, requestID, time.Now()),
	})
	w.Header().Set("X-Amzn-RequestId", requestID)
	if err != nil {
		refuse(w, err)
		return
	}
	reply, err := events.ParseReply(out.Body)
	if err != nil || out.FunctionError != "" {
		w.Header().Set(lambdaapi.HeaderFunctionError, "Unhandled")
		problem(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	for name, values := range reply.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
	w.WriteHeader(reply.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(reply.Body) // that the caller is gone is nobody's concern any more
	}
}

// admit reads a request's body, and says who has signed it where it has to be.
func (u *urls) admit(w http.ResponseWriter, r *http.Request, signed bool) (body []byte, owner string, err error) {
	if signed && u.signatures == nil {
		return nil, "", forbidden("Forbidden: the URL wants signed requests, and the runtime has no keys (serve --keys)")
	}
	if signed && u.signatures.CheckHead(r) != nil {
		return nil, "", forbidden("Forbidden")
	}
	if body, err = u.api.ReadBody(w, r, u.limit, "InvokeFunctionUrl"); err != nil || !signed {
		return body, "", err
	}
	if owner, err = u.signatures.Check(r, body); err != nil {
		return nil, "", forbidden("Forbidden")
	}
	return body, owner, nil
}

func forbidden(message string) error {
	return &catalog.Error{Exception: "AccessDeniedException", Status: http.StatusForbidden, Message: message}
}

// refuse answers for a function that did not run.
func refuse(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*engine.Error](err); ok && e.Code == engine.Throttled {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"Reason":"`+e.Reason+`","Message":"Rate Exceeded."}`)
		return
	}
	problem(w, http.StatusBadGateway, "Internal Server Error")
}

func problem(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"Message":`+strconv.Quote(message)+`}`)
}

// allowOrigin answers for cross-origin requests as the URL's settings say; it
// is true if that was all that was asked (a preflight).
func allowOrigin(w http.ResponseWriter, r *http.Request, c *catalog.CORS) (answered bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	allowed := func(list []string, value string) bool {
		return slices.Contains(list, "*") || slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, value) })
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if allowed(c.AllowOrigins, origin) {
		h.Set("Access-Control-Allow-Origin", origin)
		if c.AllowCredentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		if len(c.ExposeHeaders) > 0 {
			h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
		}
		if preflight {
			h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
			h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
	}
	if preflight {
		w.WriteHeader(http.StatusOK)
	}
	return preflight
}
