package lambda_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lambda"
)

// untold fails where an error tells one of the secrets, or is more than a line.
func untold(t *testing.T, err error, want string, secrets ...string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || platform.KindOf(err) != sample.Refused || platform.HintOf(err) == "" {
		t.Fatalf("got %v, kind %s, hint %q; want a refusal with %q and a hint", err, platform.KindOf(err), platform.HintOf(err), want)
	}
	for _, s := range append(secrets, "\n") {
		if strings.Contains(err.Error()+platform.HintOf(err), s) {
			t.Errorf("it tells %q: %v", s, err)
		}
	}
}

// TestUnreadableCredentials is of a credential_process whose output the SDK
// cannot read, and quotes: from the beginning, and when credentials are renewed.
func TestUnreadableCredentials(t *testing.T) {
	alone(t)
	if runtime.GOOS == "windows" {
		t.Skip("its credential_process is cat")
	}
	dir := t.TempDir()
	output, config := filepath.Join(dir, "output"), filepath.Join(dir, "config")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, "[default]\ncredential_process = cat '"+output+"'\n[profile assumed]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\n")
	t.Setenv("AWS_CONFIG_FILE", config)
	const sound = `{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "first-secret/+", "SessionToken": "first-token/+", "Expiration": "2020-01-01T00:00:00Z"}`
	const newKey, newToken = "SECRETfromPROCESS/+", "TOKENfromPROCESS/+"
	document := `{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "` + newKey + `", "SessionToken": "` + newToken + `"`
	for name, broken := range map[string]string{
		"one comma too many":     document + ",}",
		"cut off":                document,
		"of several lines":       strings.ReplaceAll(document, ", ", ",\n") + ",\n}",
		"a time in another form": document + `, "Expiration": "` + newToken + `"}`,
		"a number for a text":    document + `, "AccountId": 123456789012}`,
	} {
		t.Run(name, func(t *testing.T) {
			const want = "no AWS credentials: what credential_process printed is not the JSON document"
			write(output, broken)
			for _, profile := range []string{"default", "assumed"} {
				_, err := lambda.New(t.Context(), lambda.Options{Endpoint: "https://192.0.2.1", Region: "eu-central-1", Profile: profile, Existing: true})
				untold(t, err, want, newKey, newToken, "123456789012")
			}

			write(output, sound) // expired, so that each request asks for others
			server := httptest.NewServer(&api{})
			defer server.Close()
			d, err := local(t, server.URL).Deploy(t.Context(), hello(t))
			if err != nil {
				t.Fatal(err)
			}
			write(output, broken)
			_, err = d.Invoke(t.Context(), platform.Request{})
			untold(t, err, "invoke hello: "+want, newKey, newToken)
			untold(t, d.(platform.Evicter).Evict(t.Context()), "evict hello: "+want, newKey, newToken)
			untold(t, d.Remove(t.Context()), "remove hello: "+want, newKey, newToken)
		})
	}
}

// TestCredentialServer is of one that repeats the token that it was shown.
func TestCredentialServer(t *testing.T) {
	alone(t)
	const token = "tOkEnOfTheContainer+/"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "nobody knows "+r.Header.Get("Authorization"), http.StatusForbidden)
	}))
	defer server.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_CONTAINER_AUTHORIZATION_TOKEN": token, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := lambda.New(t.Context(), lambda.Options{Region: "eu-central-1", Existing: true})
			untold(t, err, "no AWS credentials: nobody knows [secret]", token)
		})
	}
}
