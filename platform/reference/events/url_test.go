package events

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestURLEvent(t *testing.T) {
	r := httptest.NewRequest("POST", "http://127.0.0.1:9001/lambda-url/abc/my/path?a=1&b=2&a=3", strings.NewReader("hello"))
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	r.Header.Add("Cookie", "x=1; y=2")
	r.Header.Add("Accept", "a")
	r.Header.Add("Accept", "b")
	r.Header.Set("User-Agent", "test")
	now := time.Date(2026, 11, 22, 10, 0, 0, 5e6, time.UTC)
	text := URLEvent(URL{ID: "abc", Domain: "127.0.0.1"}, r, "/my/path", []byte("hello"), "id", now)
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": "/my/path", "rawQueryString": "a=1&b=2&a=3",
		"cookies":               []any{"x=1", "y=2"},
		"headers":               map[string]any{"accept": "a,b", "content-type": "text/plain; charset=utf-8", "host": "127.0.0.1:9001", "user-agent": "test"},
		"queryStringParameters": map[string]any{"a": "1,3", "b": "2"},
		"requestContext": map[string]any{
			"accountId": "anonymous", "apiId": "abc", "authentication": nil, "domainName": "127.0.0.1", "domainPrefix": "abc",
			"http":      map[string]any{"method": "POST", "path": "/my/path", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
			"requestId": "id", "routeKey": "$default", "stage": "$default", "time": "22/Nov/2026:10:00:00 +0000", "timeEpoch": 1795341600005.,
		},
		"body": "hello", "isBase64Encoded": false, "pathParameters": nil, "stageVariables": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestURLEventBodyIsBase64UnlessText(t *testing.T) {
	for contentType, encoded := range map[string]bool{
		"application/json": false, "text/html": false, "application/xml": false,
		"image/png": true, "application/x-www-form-urlencoded": true, "": true, "no type": true,
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Content-Type", contentType)
		var got struct {
			Body string
			Enc  bool `json:"isBase64Encoded"`
		}
		if err := json.Unmarshal(URLEvent(URL{}, r, "/", []byte("hi"), "", time.Now()), &got); err != nil {
			t.Fatal(err)
		}
		want := "hi"
		if encoded {
			want = "aGk="
		}
		if got.Enc != encoded || got.Body != want {
			t.Errorf("%q: got %+v, want %s", contentType, got, want)
		}
	}
}

func TestParseReply(t *testing.T) {
	own := func(status int, body string, pairs ...string) Reply {
		r := Reply{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == "Content-Type" {
				r.Header.Del("Content-Type")
			}
			r.Header.Add(pairs[i], pairs[i+1])
		}
		return r
	}
	for answer, want := range map[string]Reply{
		`{"message":"hi"}`:                  own(200, `{"message":"hi"}`),
		`"hi"`:                              own(200, `hi`),
		`[1]`:                               own(200, `[1]`),
		`not json`:                          own(200, `not json`),
		`{"statusCode":201,"body":"made"}`:  own(201, `made`),
		`{"statusCode":200,"body":{"a":1}}`: own(200, `{"a":1}`),
		`{"statusCode":200,"body":"aGk=","isBase64Encoded":true,"headers":{"content-type":"text/plain","content-length":"9"}}`: own(200, "hi", "Content-Type", "text/plain"),
		`{"statusCode":204,"cookies":["a=1","b=2"]}`:  own(204, "", "Set-Cookie", "a=1", "Set-Cookie", "b=2"),
		`{"statusCode":200,"headers":{"X-Number":7}}`: own(200, "", "X-Number", "7"),
	} {
		got, err := ParseReply([]byte(answer))
		if err != nil {
			t.Errorf("%s: %v", answer, err)
			continue
		}
		if len(want.Body) == 0 {
			want.Body, got.Body = nil, got.Body[:0:0]
			got.Body = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", answer, diff)
		}
	}
	for _, answer := range []string{
		`{"statusCode":99}`, `{"statusCode":600}`, `{"statusCode":200,"body":"%","isBase64Encoded":true}`,
		`{"statusCode":200,"headers":{"a b":"c"}}`, `{"statusCode":200,"headers":{"a":"b\r\nEvil: 1"}}`, `{"statusCode":200,"cookies":["a\nb"]}`,
	} {
		if got, err := ParseReply([]byte(answer)); err == nil {
			t.Errorf("%s: got %+v, want an error", answer, got)
		}
	}
}

// FuzzReply: whatever a function answers, a server can send it, and nothing of
// it becomes a header that was not meant to be one.
func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":"b"},"cookies":["c=d"],"body":"e","isBase64Encoded":false}`))
	f.Add([]byte(`"text"`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		r, err := ParseReply(answer)
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		for name, values := range r.Header {
			w.Header()[name] = values
			for _, v := range values {
				if strings.ContainsAny(name+v, "\r\n") {
					t.Fatalf("header %q: %q", name, v)
				}
			}
		}
		w.WriteHeader(r.Status)
	})
}
