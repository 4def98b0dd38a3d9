package lambda_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
)

const secretKey, sessionToken, proxyPassword = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "tOkEnVaLuE7gZZZ", "correct-horse"

// echo has one operation answered with everything that shows who asks.
type echo struct {
	*api
	operation string // as "POST functions"
	reply     func(w http.ResponseWriter, told string)
}

var signatureOf = regexp.MustCompile(`Signature=[0-9a-f]{64}`)

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	told := fmt.Sprintf("x-amz-security-token:%s secret:%s proxy:%s Authorization: %s",
		r.Header.Get("X-Amz-Security-Token"), secretKey, proxyPassword, r.Header.Get("Authorization"))
	e.api.answer = func(w http.ResponseWriter, operation string) bool {
		if operation != e.operation || !strings.Contains(told, sessionToken) || !signatureOf.MatchString(told) {
			return false
		}
		e.reply(w, told)
		return true
	}
	e.api.ServeHTTP(w, r)
}

// TestSecretsAreStruckOut is of an endpoint that repeats what it was sent, in
// every place that an error is made of.
func TestSecretsAreStruckOut(t *testing.T) {
	alone(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretKey)
	t.Setenv("AWS_SESSION_TOKEN", sessionToken)
	t.Setenv("HTTPS_PROXY", "http://me:"+proxyPassword+"@192.0.2.1:3128")
	refused := func(message string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, told string) {
			refuse("", 403, "InvalidSignatureException", fmt.Sprintf(message, told))(w, "")
		}
	}
	const mismatch = "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\n%s'"
	state := func(w http.ResponseWriter, told string) {
		fmt.Fprintf(w, `{"State": "Failed", "StateReason": %q}`, told)
	}
	broken := func(w http.ResponseWriter, told string) {
		connection, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		fmt.Fprintf(buffer, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", strings.ReplaceAll(told, ":", " "))
		_ = buffer.Flush()
	}
	failed := func(w http.ResponseWriter, told string) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		fmt.Fprintf(w, `{"errorType": "Proxy", "errorMessage": %q}`, told)
	}
	unread := func(w http.ResponseWriter, told string) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		fmt.Fprint(w, told)
	}
	type step func(context.Context, *testing.T, string) error
	deploy := func(ctx context.Context, t *testing.T, endpoint string) error {
		_, err := local(t, endpoint).Deploy(ctx, hello(t))
		return err
	}
	deployed := func(then func(context.Context, platform.Deployment) error) step {
		return func(ctx context.Context, t *testing.T, endpoint string) error {
			d, err := local(t, endpoint).Deploy(ctx, hello(t))
			if err != nil {
				t.Fatal(err)
			}
			return then(ctx, d)
		}
	}
	invoke := deployed(func(ctx context.Context, d platform.Deployment) error {
		_, err := d.Invoke(ctx, platform.Request{})
		return err
	})
	for _, tt := range []struct {
		name, operation string
		reply           func(http.ResponseWriter, string)
		do              step
		want            string
	}{
		{"deploy", "POST functions", refused(mismatch), deploy, "The request signature we calculated does not match."},
		{"deploy, in one line", "POST functions", refused("%s"), deploy, "x-amz-security-token:[secret]"},
		{"a state's reason", "GET configuration", state, deploy, "the function failed: x-amz-security-token:[secret]"},
		{"invoke", "POST invocations", refused("%s"), invoke, "x-amz-security-token:[secret]"},
		{"a function's failure", "POST invocations", failed, invoke, "Proxy: x-amz-security-token:[secret]"},
		{"a function's failure in no form", "POST invocations", unread, invoke, "x-amz-security-token:[secret]"},
		{"no HTTP", "POST invocations", broken, invoke, "malformed MIME header"},
		{"evict", "PUT configuration", refused("%s"), deployed(func(ctx context.Context, d platform.Deployment) error {
			return d.(platform.Evicter).Evict(ctx)
		}), "x-amz-security-token:[secret]"},
		{"remove", "DELETE", refused("%s"), deployed(func(ctx context.Context, d platform.Deployment) error { return d.Remove(ctx) }), "x-amz-security-token:[secret]"},
		{"what is left", "GET functions", refused("%s"), func(ctx context.Context, t *testing.T, endpoint string) error {
			_, err := local(t, endpoint).Leftovers(ctx)
			return err
		}, "x-amz-security-token:[secret]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(&echo{api: &api{}, operation: tt.operation, reply: tt.reply})
			t.Cleanup(server.Close)
			err := tt.do(t.Context(), t, server.URL)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q in it", err, tt.want)
			}
			if text := err.Error() + platform.HintOf(err); strings.Contains(text, sessionToken) || strings.Contains(text, secretKey) || strings.Contains(text, proxyPassword) || signatureOf.MatchString(text) {
				t.Errorf("it tells a secret: %s", text)
			}
		})
	}
}
