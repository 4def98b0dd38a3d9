package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/coldcurve/coldcurve/platform/reference/sigv4"
)

const (
	accessKey = "COLDCURVETESTKEY"
	secret    = "a secret of nobody/that is long enough+"
)

var signedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const keysText = `
# who may
[team-a]
aws_access_key_id = COLDCURVETESTKEY
aws_secret_access_key=a.secret.of.nobody/that.is.long.enough+

[team.b]
  aws_access_key_id     = COLDCURVETESTKEY2
  aws_secret_access_key = another.secret.of.nobody/also.long.enough
`

func newChecker(t testing.TB, now time.Time) *sigv4.Checker {
	t.Helper()
	keys, err := sigv4.ParseKeys("keys", strings.NewReader(keysText))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := sigv4.New(sigv4.Options{Keys: keys, Service: "lambda", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

func credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: strings.ReplaceAll(secret, " ", ".")}
}

func hash(body string) string {
	digest := sha256.Sum256([]byte(body))
	return hex.EncodeToString(digest[:])
}

func newRequest(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://localhost:9001"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sign has AWS's own SDK sign a request.
func sign(t testing.TB, r *http.Request, body string) {
	t.Helper()
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials(), r, hash(body), "lambda", "eu-central-1", signedAt); err != nil {
		t.Fatal(err)
	}
}

func presign(t testing.TB, r *http.Request, body string) *http.Request {
	t.Helper()
	target, headers, err := v4.NewSigner().PresignHTTP(context.Background(), credentials(), r, hash(body), "lambda", "eu-central-1", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	if r.URL, err = url.Parse(target); err != nil {
		t.Fatal(err)
	}
	// What is not among the headers went into the URL: sent as a header too, it
	// would be one that nobody has signed.
	delete(headers, "Host")
	delete(headers, "Content-Length")
	headers.Set("User-Agent", r.UserAgent())
	r.Header = headers
	return r
}

// received is what a server gets of a request; ok is false if it gets none.
func received(wire []byte) (r *http.Request, body []byte, ok bool) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		return nil, nil, false
	}
	if body, err = io.ReadAll(r.Body); err != nil {
		return nil, nil, false
	}
	return r, body, true
}

func wireOf(t testing.TB, r *http.Request) []byte {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	return wire.Bytes()
}

const invocations = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello/invocations?Qualifier=%24LATEST&b=&a=z%2Fy&a=z-y"

func TestWhatTheSDKSignsIsAccepted(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, body string
		header                     http.Header
		presigned                  bool
	}{
		{name: "list", method: "GET", target: "/2015-03-31/functions/?MaxItems=1&Marker=a%2Bb+c"},
		{name: "invoke", method: "POST", target: invocations, body: `{"x":1}`},
		{name: "headers", method: "POST", target: invocations, body: `{}`, header: http.Header{
			"X-Amz-Log-Type": {"Tail"}, "X-Coldcurve-Consumer": {"  two   spaces  "}, "Twice": {"b", "a"},
		}},
		{name: "hash in a header", method: "POST", target: invocations, body: `{}`, header: http.Header{"X-Amz-Content-Sha256": {hash(`{}`)}}},
		{name: "presigned", method: "POST", target: invocations + "&X-Amz-Expires=600", body: `{}`, presigned: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRequest(t, tt.method, tt.target, tt.body)
			maps.Copy(r.Header, tt.header)
			if tt.presigned {
				r = presign(t, r, tt.body)
			} else {
				sign(t, r, tt.body)
			}
			got, body, ok := received(wireOf(t, r))
			if !ok {
				t.Fatal("the request cannot be read")
			}
			owner, err := newChecker(t, signedAt.Add(time.Minute)).Check(got, body)
			if err != nil || owner != "team-a" {
				t.Errorf("owner %q, %v", owner, err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	replace := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
		}
	}
	none := func(*http.Request) {}
	for _, tt := range []struct {
		name   string
		late   time.Duration // when it arrives
		before func(*http.Request)
		after  func(*http.Request) // it was signed
		want   string
		words  string // in the message
	}{
		{"good", 0, none, none, "", ""},
		{"nothing", 0, none, func(r *http.Request) { r.Header.Del("Authorization") }, sigv4.MissingToken, "Missing"},
		{"basic", 0, none, set("Authorization", "Basic dGVzdDp0ZXN0"), sigv4.Incomplete, "begin"},
		{"asymmetric", 0, none, replace("AWS4-HMAC", "AWS4-ECDSA-P256"), sigv4.Incomplete, "begin"},
		{"no signature", 0, none, replace("Signature=", "Sig="), sigv4.Incomplete, "part"},
		{"only a credential", 0, none, set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b"), sigv4.Incomplete, "SignedHeaders"},
		{"no date", 0, none, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, sigv4.Incomplete, "X-Amz-Date"},
		{"odd date", 0, none, set("X-Amz-Date", "20260301T120000+"), sigv4.Incomplete, "ISO-8601"},
		{"other day", 0, none, replace("/20260301/", "/20260302/"), sigv4.InvalidSignature, "scope"},
		{"other service", 0, none, replace("/lambda/", "/s3/"), sigv4.InvalidSignature, "service"},
		{"other region", 0, none, replace("/eu-central-1/", "/eu-central-2/"), sigv4.InvalidSignature, "does not match"},
		{"other owner's key", 0, none, replace(accessKey+"/", accessKey+"2/"), sigv4.InvalidSignature, "does not match"},
		{"nobody's key", 0, none, replace(accessKey, "AKIAIOSFODNN7EXAMPLE"), sigv4.UnrecognizedClient, "security token"},
		{"session token", 0, set("X-Amz-Security-Token", "x"), none, sigv4.UnrecognizedClient, "security token"},
		{"host is not signed", 0, none, replace("host;", ""), sigv4.InvalidSignature, "Host"},
		{"order of headers", 0, none, replace("content-length;host", "host;content-length"), sigv4.Incomplete, "ascending"},
		{"header added", 0, none, set("X-Amz-Invocation-Type", "Event"), sigv4.InvalidSignature, "not signed"},
		{"signed header taken away", 0, set("X-Amz-Log-Type", "Tail"), func(r *http.Request) { r.Header.Del("X-Amz-Log-Type") }, sigv4.InvalidSignature, "does not match"},
		{"unsigned payload", 0, set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), none, sigv4.InvalidSignature, "unsigned"},
		{"other payload", 0, set("X-Amz-Content-Sha256", hash("other")), none, sigv4.InvalidSignature, "sha256"},
		{"at the end", 15 * time.Minute, none, none, "", ""},
		{"too late", 15*time.Minute + time.Second, none, none, sigv4.InvalidSignature, "expired"},
		{"at the beginning", -15 * time.Minute, none, none, "", ""},
		{"too early", -15*time.Minute - time.Second, none, none, sigv4.InvalidSignature, "not yet current"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRequest(t, http.MethodPost, invocations, `{}`)
			tt.before(r)
			sign(t, r, `{}`)
			tt.after(r)
			_, err := newChecker(t, signedAt.Add(tt.late)).Check(r, []byte(`{}`))
			wantError(t, err, tt.want, tt.words)
		})
	}
}

func wantError(t *testing.T, err error, want, words string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	got, ok := errors.AsType[*sigv4.Error](err)
	if !ok || got.Name != want || !strings.Contains(got.Message, words) || got.Status() != http.StatusForbidden {
		t.Errorf("%#v, want %s with %q", err, want, words)
	}
}

func TestPresignedRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, expires string
		late          time.Duration
		edit          func(url.Values)
		want          string
	}{
		{"good at its end", "60", time.Minute, nil, ""},
		{"over", "60", time.Minute + time.Second, nil, sigv4.InvalidSignature},
		{"too long", "604801", 0, nil, sigv4.Incomplete},
		{"no end", "", 0, nil, sigv4.Incomplete},
		{"longer than signed", "60", 0, func(q url.Values) { q.Set("X-Amz-Expires", "600") }, sigv4.InvalidSignature},
		{"twice", "60", 0, func(q url.Values) { q.Add("X-Amz-Date", "20260301T120000Z") }, sigv4.Incomplete},
		{"token", "60", 0, func(q url.Values) { q.Add("X-Amz-Security-Token", "x") }, sigv4.UnrecognizedClient},
		{"algorithm", "60", 0, func(q url.Values) { q.Set("X-Amz-Algorithm", "none") }, sigv4.Incomplete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := "/2015-03-31/functions/"
			if tt.expires != "" {
				target += "?X-Amz-Expires=" + tt.expires
			}
			r := presign(t, newRequest(t, http.MethodGet, target, ""), "")
			if tt.edit != nil {
				query := r.URL.Query()
				tt.edit(query)
				r.URL.RawQuery = query.Encode()
			}
			_, err := newChecker(t, signedAt.Add(tt.late)).Check(r, nil)
			wantError(t, err, tt.want, "")
		})
	}
}

// meaning is all of a request that an API could heed.
type meaning struct {
	method, path, host, body string
	query                    url.Values
	header                   http.Header
}

// meaningOf leaves out headers that the SDK does not sign, and that no API
// heeds; the connection's own are net/http's.
func meaningOf(r *http.Request, body []byte) meaning {
	header := r.Header.Clone()
	for name := range header {
		if name != "Authorization" && !strings.HasPrefix(name, "X-") {
			header.Del(name)
		}
	}
	return meaning{r.Method, r.URL.EscapedPath(), r.Host, string(body), r.URL.Query(), header}
}

var headerPattern = regexp.MustCompile(`^X-[A-Za-z0-9-]+$`)

// FuzzOneBit: what AWS's SDK signs is accepted as it arrives, and with any one
// bit of it changed it is refused, or means the same.
func FuzzOneBit(f *testing.F) {
	f.Add("GET", "2015-03-31/functions/", "", "Marker", "a b", "X-Amz-Log-Type", "Tail", uint(400), false)
	f.Add("POST", "2015-03-31/functions/a:b/invocations", `{"x":1}`, "Qualifier", "$LATEST", "X-Coldcurve-Stage", "x  y", uint(4001), false)
	f.Add("GET", "", "", "Marker", "a b", "X-Amz-Log-Type", "Tail", uint(400), true)
	f.Add("PUT", "x%2fy//..", "body", "a/b", "a-b", "X-One", "", uint(77), true)
	f.Fuzz(func(t *testing.T, method, path, body, key, value, header, content string, bit uint, presigned bool) {
		target := &url.URL{Scheme: "http", Host: "localhost:9001", Path: "/" + path, RawQuery: url.Values{key: {value}, "X-Amz-Expires": {"600"}}.Encode()}
		r, err := http.NewRequest(method, target.String(), strings.NewReader(body))
		if err != nil || !headerPattern.MatchString(header) || strings.HasPrefix(key, "X-Amz-") {
			t.Skip()
		}
		r.Header.Set("User-Agent", "fuzz")
		r.Header.Set(header, content)
		if presigned {
			r = presign(t, r, body)
		} else {
			sign(t, r, body)
		}
		var wire bytes.Buffer
		if r.Write(&wire) != nil {
			t.Skip() // net/http does not send it
		}
		signed, signedBody, ok := received(wire.Bytes())
		if !ok {
			t.Skip()
		}
		if got := signed.Header.Values(header); len(got) > 0 && got[0] != content {
			t.Skip() // net/http trims it by other rules than the SDK
		}
		checker := newChecker(t, signedAt)
		owner, err := checker.Check(signed, signedBody)
		// AWS takes no session tokens and no payload but the signed one from
		// headers that the fuzzer has made.
		special := header == "X-Amz-Security-Token" || header == "X-Amz-Content-Sha256" || header == "X-Amz-Date"
		if (err != nil || owner != "team-a") && !special && signed.URL.EscapedPath() == r.URL.EscapedPath() {
			t.Fatalf("owner %q, %v, of\n%s", owner, err, wire.Bytes())
		}
		if err != nil {
			return
		}
		changed := bytes.Clone(wire.Bytes())
		bit %= uint(len(changed)) * 8
		changed[bit/8] ^= 1 << (bit % 8)
		got, gotBody, ok := received(changed)
		if !ok {
			return
		}
		if _, err := checker.Check(got, gotBody); err == nil && !reflect.DeepEqual(meaningOf(signed, signedBody), meaningOf(got, gotBody)) {
			t.Errorf("accepted with bit %d changed:\n%s", bit, changed)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	r := newRequest(b, http.MethodPost, invocations, `{"name":"world"}`)
	sign(b, r, `{"name":"world"}`)
	checker := newChecker(b, signedAt)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := checker.Check(r, []byte(`{"name":"world"}`)); err != nil {
			b.Fatal(err)
		}
	}
}
