package events

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// URL is a function's own HTTP address, as a request to it sees it.
type URL struct {
	ID     string // the address's first label on AWS
	Domain string // host, without a port
}

// urlEvent is version 2.0 of Lambda's event for an HTTP request.
type urlEvent struct {
	Version    string            `json:"version"`
	RouteKey   string            `json:"routeKey"`
	RawPath    string            `json:"rawPath"`
	RawQuery   string            `json:"rawQueryString"`
	Cookies    []string          `json:"cookies,omitempty"`
	Headers    map[string]string `json:"headers"`
	Query      map[string]string `json:"queryStringParameters,omitempty"`
	Context    urlContext        `json:"requestContext"`
	Body       string            `json:"body,omitempty"`
	Base64     bool              `json:"isBase64Encoded"`
	Parameters *struct{}         `json:"pathParameters"`
	Variables  *struct{}         `json:"stageVariables"`
}

type urlContext struct {
	Account string    `json:"accountId"`
	API     string    `json:"apiId"`
	Auth    *struct{} `json:"authentication"`
	Domain  string    `json:"domainName"`
	Prefix  string    `json:"domainPrefix"`
	HTTP    urlHTTP   `json:"http"`
	ID      string    `json:"requestId"`
	Route   string    `json:"routeKey"`
	Stage   string    `json:"stage"`
	Time    string    `json:"time"`
	Epoch   int64     `json:"timeEpoch"` // ms
}

type urlHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// URLEvent is what the function gets for an HTTP request, whose path is the
// one behind the function's address.
func URLEvent(u URL, r *http.Request, path string, body []byte, requestID string, now time.Time) []byte {
	e := urlEvent{
		Version: "2.0", RouteKey: "$default", RawPath: path, RawQuery: r.URL.RawQuery,
		Headers: make(map[string]string, len(r.Header)+1),
		Query:   joined(r.URL.Query()),
		Context: urlContext{
			Account: "anonymous", API: u.ID, Domain: u.Domain, Prefix: u.ID, ID: requestID,
			Route: "$default", Stage: "$default",
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), Epoch: now.UnixMilli(),
			HTTP: urlHTTP{Method: r.Method, Path: path, Protocol: r.Proto, UserAgent: r.UserAgent()},
		},
	}
	e.Context.HTTP.SourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	for name, values := range r.Header {
		if name == "Cookie" {
			for _, line := range values {
				e.Cookies = append(e.Cookies, strings.Split(line, "; ")...)
			}
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e.Headers["host"] = r.Host
	if len(body) > 0 {
		if e.Base64 = !isText(r.Header.Get("Content-Type")); e.Base64 {
			e.Body = base64.StdEncoding.EncodeToString(body)
		} else {
			e.Body = string(body)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers can be marshalled
	}
	return text
}

func joined(values url.Values) map[string]string {
	if len(values) == 0 {
		return nil
	}
	one := make(map[string]string, len(values))
	for name, list := range values {
		one[name] = strings.Join(list, ",")
	}
	return one
}

// isText says whether a body of that type goes to the function as it is.
func isText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(kind, "text/") ||
		slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, kind)
}

// Reply is a function's answer as HTTP.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// ParseReply makes HTTP of a function's answer: what it says itself if it is an
// object with a statusCode, else 200 with the answer as JSON.
func ParseReply(answer []byte) (Reply, error) {
	var own struct {
		Status  *int           `json:"statusCode"`
		Headers map[string]any `json:"headers"`
		Cookies []string       `json:"cookies"`
		Body    any            `json:"body"`
		Base64  bool           `json:"isBase64Encoded"`
	}
	if !bytes.HasPrefix(bytes.TrimLeft(answer, " \t\r\n"), []byte("{")) || json.Unmarshal(answer, &own) != nil || own.Status == nil {
		return plain(answer), nil
	}
	r := Reply{Status: *own.Status, Header: make(http.Header)}
	if r.Status < 200 || r.Status > 599 {
		return Reply{}, fmt.Errorf("status code %d is not 200 to 599", r.Status)
	}
	for _, name := range slices.Sorted(maps.Keys(own.Headers)) {
		if slices.Contains(hopByHop, http.CanonicalHeaderKey(name)) {
			continue
		}
		value := fmt.Sprint(own.Headers[name])
		if !legal(name, value) {
			return Reply{}, fmt.Errorf("header %q cannot be sent", name)
		}
		r.Header.Set(name, value)
	}
	for _, cookie := range own.Cookies {
		if !legal("Set-Cookie", cookie) {
			return Reply{}, fmt.Errorf("cookie %q cannot be sent", cookie)
		}
		r.Header.Add("Set-Cookie", cookie)
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	var err error
	if r.Body, err = ownBody(own.Body, own.Base64); err != nil {
		return Reply{}, err
	}
	return r, nil
}

func plain(answer []byte) Reply {
	var text string
	if json.Unmarshal(answer, &text) == nil { // a JSON string is sent as what it says
		answer = []byte(text)
	}
	return Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: answer}
}

func ownBody(body any, encoded bool) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case string:
		if !encoded {
			return []byte(body), nil
		}
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil, fmt.Errorf("the body is not Base64: %w", err)
		}
		return decoded, nil
	default:
		return json.Marshal(body)
	}
}

// hopByHop are headers of one connection, which are the server's to set: a
// function's are passed over, as Lambda does.
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"}

// legal says whether a header can go over the wire as it is.
func legal(name, value string) bool {
	if name == "" {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return !strings.ContainsAny(value, "\r\n\x00")
}
