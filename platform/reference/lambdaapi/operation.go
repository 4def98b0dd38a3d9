package lambdaapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Operation is one thing that can be asked for.
type Operation struct {
	Name   string // Lambda's; "" for coldcurve's own
	Method string
	Path   string // {} stands for one part: a function's name or ARN, an alias, a statement
	Status int    // of an answer

	body  func(*Handler) units.Bytes // most bytes; nil is Limits.Document
	serve handler
}

// handler answers a request with a document, nil for none, or answered.
type handler func(*Handler, *request) (doc any, err error)

// answered is the document of a handler that has written its answer itself.
var answered any = new(struct{})

// Operations are all that are served, by the model of the AWS SDK for Go v2,
// service/lambda v1.114.2.
func Operations() []Operation {
	const (
		get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
		base, function      = "/2015-03-31/functions", "/2015-03-31/functions/{}"
		reserved            = "/2017-10-31/functions/{}/concurrency"
		provisioned         = "/2019-09-30/functions/{}/provisioned-concurrency"
		url                 = "/2021-10-31/functions/{}/url"
		events              = "/2019-09-25/functions/{}/event-invoke-config"
		tags                = "/2017-03-31/tags/{}"
		own                 = "/coldcurve/v1/"
	)
	code := func(h *Handler) units.Bytes { return h.Limits.Code }
	payload := func(h *Handler) units.Bytes { return h.Runtime.Limits().Payload }
	return []Operation{
		{"Invoke", post, function + "/invocations", 200, payload, (*Handler).invoke},
		{"CreateFunction", post, base, 201, code, (*Handler).createFunction},
		{"UpdateFunctionCode", put, function + "/code", 200, code, (*Handler).updateCode},
		{"UpdateFunctionConfiguration", put, function + "/configuration", 200, nil, (*Handler).updateConfiguration},
		{"GetFunction", get, function, 200, nil, (*Handler).function},
		{"GetFunctionConfiguration", get, function + "/configuration", 200, nil, (*Handler).configuration},
		{"ListFunctions", get, base, 200, nil, (*Handler).listFunctions},
		{"DeleteFunction", del, function, 204, nil, (*Handler).deleteFunction},
		{"PublishVersion", post, function + "/versions", 201, nil, (*Handler).publishVersion},
		{"ListVersionsByFunction", get, function + "/versions", 200, nil, (*Handler).listVersions},
		{"CreateAlias", post, function + "/aliases", 201, nil, (*Handler).createAlias},
		{"ListAliases", get, function + "/aliases", 200, nil, (*Handler).listAliases},
		{"GetAlias", get, function + "/aliases/{}", 200, nil, (*Handler).alias},
		{"UpdateAlias", put, function + "/aliases/{}", 200, nil, (*Handler).updateAlias},
		{"DeleteAlias", del, function + "/aliases/{}", 204, nil, (*Handler).deleteAlias},
		{"PutFunctionConcurrency", put, reserved, 200, nil, (*Handler).putConcurrency},
		{"DeleteFunctionConcurrency", del, reserved, 204, nil, (*Handler).deleteConcurrency},
		{"GetFunctionConcurrency", get, "/2019-09-30/functions/{}/concurrency", 200, nil, (*Handler).concurrency},
		{"PutProvisionedConcurrencyConfig", put, provisioned, 202, nil, (*Handler).putProvisioned},
		{"GetProvisionedConcurrencyConfig", get, provisioned, 200, nil, (*Handler).provisioned},
		{"ListProvisionedConcurrencyConfigs", get, provisioned + "?List=ALL", 200, nil, (*Handler).listProvisioned},
		{"DeleteProvisionedConcurrencyConfig", del, provisioned, 204, nil, (*Handler).deleteProvisioned},
		{"CreateFunctionUrlConfig", post, url, 201, nil, (*Handler).createURL},
		{"GetFunctionUrlConfig", get, url, 200, nil, (*Handler).url},
		{"UpdateFunctionUrlConfig", put, url, 200, nil, (*Handler).updateURL},
		{"DeleteFunctionUrlConfig", del, url, 204, nil, (*Handler).deleteURL},
		{"ListFunctionUrlConfigs", get, "/2021-10-31/functions/{}/urls", 200, nil, (*Handler).listURLs},
		{"PutFunctionEventInvokeConfig", put, events, 200, nil, (*Handler).putEventConfig},
		{"UpdateFunctionEventInvokeConfig", post, events, 200, nil, (*Handler).updateEventConfig},
		{"GetFunctionEventInvokeConfig", get, events, 200, nil, (*Handler).eventConfig},
		{"DeleteFunctionEventInvokeConfig", del, events, 204, nil, (*Handler).deleteEventConfig},
		{"ListFunctionEventInvokeConfigs", get, events + "/list", 200, nil, (*Handler).listEventConfigs},
		{"AddPermission", post, function + "/policy", 201, nil, (*Handler).addPermission},
		{"RemovePermission", del, function + "/policy/{}", 204, nil, (*Handler).removePermission},
		{"GetPolicy", get, function + "/policy", 200, nil, (*Handler).policy},
		{"TagResource", post, tags, 204, nil, (*Handler).tag},
		{"UntagResource", del, tags, 204, nil, (*Handler).untag},
		{"ListTags", get, tags, 200, nil, (*Handler).tags},
		{"GetFunctionCodeSigningConfig", get, "/2020-06-30/functions/{}/code-signing-config", 200, nil, (*Handler).codeSigning},
		{"GetAccountSettings", get, "/2016-08-19/account-settings", 200, nil, (*Handler).accountSettings},
		{"", get, own + "describe", 200, nil, (*Handler).describe},
		{"", get, own + "instances", 200, nil, (*Handler).instances},
		{"", get, own + "logs", 200, nil, (*Handler).logs},
		{"", get, own + "usage", 200, nil, (*Handler).usage},
		{"", post, own + "functions/{}/evict", 204, nil, (*Handler).evict},
	}
}

// request is one on its way through.
type request struct {
	*http.Request
	w     http.ResponseWriter
	body  []byte
	owner string // of the key that signed it; "" without signatures
	name  string // the function, as the path has it
	item  string // what follows: an alias, a statement of a policy
	query url.Values
}

// route gives the operation of a path, nil if there is none, and notes the
// path's variable parts.
func (h *Handler) route(r *request) *Operation {
	path := r.URL.EscapedPath()
	parts := strings.Split(strings.TrimPrefix(strings.TrimSuffix(path, "/"), "/"), "/")
	if at := 2; len(parts) > at && parts[0] != "coldcurve" {
		r.name, parts[at] = parts[at], "{}"
	} else if at := 3; len(parts) > at {
		r.name, parts[at] = parts[at], "{}"
	}
	key := r.Method + " /" + strings.Join(parts, "/")
	if strings.HasSuffix(key, "/provisioned-concurrency") && strings.HasPrefix(r.URL.RawQuery, "List=ALL") {
		key += "?List=ALL"
	}
	if op := h.routes[key]; op != nil || len(parts) != 5 {
		return op
	}
	r.item, parts[4] = parts[4], "{}"
	return h.routes[r.Method+" /"+strings.Join(parts, "/")]
}

// decodePath decodes the path's variable parts and the query.
func (r *request) decodePath() (err error) {
	for _, part := range []*string{&r.name, &r.item} {
		if *part, err = url.PathUnescape(*part); err != nil {
			return invalidRequest("The path could not be decoded", err)
		}
	}
	if r.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return invalidRequest("The query could not be parsed", err)
	}
	return nil
}

// qualifier is what the query says of the version; "" for nothing.
func (r *request) qualifier() string { return r.query.Get("Qualifier") }
