package reference_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestTriggersThroughTheClient: each way to a function reaches it, and says how
// long that took.
func TestTriggersThroughTheClient(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	for _, trigger := range append(sample.Triggers(), "") {
		name, fixture, payload := "f"+trigger, "hello", []byte(`{"greeting":"x"}`)
		if trigger == sample.Folder {
			fixture, payload = "thumbnail", fixtures.Upload("thumbnail")
		}
		fn := build(t, fixture, platform.Go)
		fn.Name = name
		d, err := client.Deploy(t.Context(), fn)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []sample.Start{sample.Cold, sample.Warm} {
			sent := time.Now()
			r, err := d.Invoke(t.Context(), platform.Request{Payload: payload, Trigger: trigger, Consumer: "team", Stage: trigger})
			if err != nil {
				t.Errorf("%q: %v", trigger, err)
				continue
			}
			e := r.Evidence
			if e.Start != want || e.Grade != sample.Attested {
				t.Errorf("%q: start %s %s, want %s attested", trigger, e.Start, e.Grade, want)
			}
			if (e.Breakdown.Trigger > 0) != (trigger != "") || e.Breakdown.Trigger > time.Since(sent) {
				t.Errorf("%q: %v from the trigger to the request", trigger, e.Breakdown.Trigger)
			}
			if fixture == "hello" && !bytes.Contains(r.Body, []byte(`"x"`)) && trigger != sample.URL {
				t.Errorf("%q: answer %s, want the greeting", trigger, r.Body)
			}
		}
		if err := d.Remove(t.Context()); err != nil {
			t.Error(err)
		}
	}
	account, err := client.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var sum usage.Usage
	for _, e := range account.Entries {
		sum.Add(e.Usage)
		if e.Key.Consumer != "team" || e.Usage.Requests != 2 || e.Usage.Cold != 1 || "f"+e.Key.Stage != e.Key.Function {
			t.Errorf("usage of %+v: %+v, want 2 requests of its trigger's stage, 1 cold", e.Key, e.Usage)
		}
	}
	if len(account.Entries) != 5 || sum != account.Total {
		t.Errorf("%d entries with sum %+v, total %+v", len(account.Entries), sum, account.Total)
	}
}

// TestAsyncFailureIsRetriedAndRecorded: Lambda's two retries, here without its
// waits, and the record where the function wants it, by Lambda's own API.
func TestAsyncFailureIsRetriedAndRecorded(t *testing.T) {
	data := t.TempDir()
	base := "http://" + serveAt(t, "127.0.0.1:0", reference.Settings{
		Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: cache, AsyncWaits: []time.Duration{time.Millisecond},
	}, nil, func(o *reference.ServeOptions) { o.Data = data })
	createOf(t, base, "nap", build(t, "sleep", platform.Go).Code)
	put := func(path, body string) {
		t.Helper()
		r, text := send(t, http.MethodPut, base+path, body, nil)
		if r.StatusCode/100 != 2 {
			t.Fatalf("%s: %s %s", path, r.Status, text)
		}
	}
	put("/2019-09-25/functions/nap/event-invoke-config", `{"DestinationConfig":{"OnFailure":{"Destination":"file:failures"}}}`)
	r, text := send(t, http.MethodPost, base+"/2015-03-31/functions/nap/invocations", `{"ms":"never"}`, http.Header{"X-Amz-Invocation-Type": {"Event"}})
	if r.StatusCode != http.StatusAccepted || len(text) != 0 {
		t.Fatalf("event: %s %s", r.Status, text)
	}
	var record struct {
		Request struct {
			ID        string `json:"requestId"`
			Condition string
			Attempts  int `json:"approximateInvokeCount"`
		} `json:"requestContext"`
		Payload map[string]any `json:"requestPayload"`
	}
	path := filepath.Join(data, "destinations", "failures", r.Header.Get("X-Amzn-Requestid")+".json")
	if err := json.Unmarshal(await(t, path), &record); err != nil {
		t.Fatal(err)
	}
	if record.Request.Condition != "RetriesExhausted" || record.Request.Attempts != 3 || record.Payload["ms"] != "never" {
		t.Errorf("record %+v, want 3 attempts and the payload", record)
	}
}

// await reads a file as soon as it is there.
func await(t *testing.T, path string) []byte {
	t.Helper()
	for range patience {
		if text, err := os.ReadFile(path); err == nil {
			return text
		}
		time.Sleep(often)
	}
	t.Fatalf("%s does not appear", path)
	return nil
}

func send(t *testing.T, method, url, body string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, text
}

// createOf makes a function of a folder and returns when it is active.
func createOf(t *testing.T, base, name, folder string) {
	t.Helper()
	code, err := json.Marshal(folder)
	if err != nil {
		t.Fatal(err)
	}
	r, text := post(t, base+"/2015-03-31/functions", `{"FunctionName":"`+name+`","Runtime":"provided.al2023","Timeout":10,"MemorySize":512,"Code":{"LocalFolder":`+string(code)+`}}`)
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("create %s: %s %s", name, r.Status, text)
	}
	awaitActive(t, base, name)
}

// TestUploadAnImageAThumbnailAppears, as a user would: a configured folder, a
// picture that is copied into it.
func TestUploadAnImageAThumbnailAppears(t *testing.T) {
	folder := t.TempDir()
	base := "http://" + serveAt(t, "127.0.0.1:0", reference.Settings{
		Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: cache,
		Folders:   []reference.Folder{{Bucket: "photos", Folder: folder, Suffix: ".png", Function: "thumbnail"}},
		Schedules: []reference.Schedule{{Name: "tick", Function: "thumbnail", Expression: "rate(1 day)"}},
	}, nil)
	createOf(t, base, "thumbnail", build(t, "thumbnail", platform.Go).Code)
	if err := os.WriteFile(filepath.Join(folder, "cat.png"), fixtures.Upload("thumbnail"), 0o600); err != nil {
		t.Fatal(err)
	}
	small, err := png.Decode(bytes.NewReader(await(t, filepath.Join(folder, "thumbnails", "cat.png"))))
	if err != nil || small.Bounds().Dx() != 100 {
		t.Errorf("thumbnail: %v %v, want 100 pixels wide", small, err)
	}
}

// TestFunctionURL: a URL made by Lambda's API serves HTTP.
func TestFunctionURL(t *testing.T) {
	base := "http://" + serveAt(t, "127.0.0.1:0", reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: cache}, nil)
	createOf(t, base, "hello", build(t, "hello", platform.Go).Code)
	var made struct {
		FunctionURL string `json:"FunctionUrl"`
	}
	r, text := post(t, base+"/2021-10-31/functions/hello/url", `{"AuthType":"NONE","Cors":{"AllowOrigins":["https://a.example"],"AllowMethods":["GET"]}}`)
	if err := json.Unmarshal(text, &made); err != nil || r.StatusCode != http.StatusCreated || !strings.HasPrefix(made.FunctionURL, base) {
		t.Fatalf("create the URL: %s %s %v", r.Status, text, err)
	}
	r, text = send(t, http.MethodPost, made.FunctionURL+"a/b?c=d", `{"greeting":"hi"}`, http.Header{"Content-Type": {"application/json"}})
	if r.StatusCode != http.StatusOK || len(text) == 0 || r.Header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("request: %s %s %v", r.Status, text, r.Header)
	}
	r, _ = send(t, http.MethodOptions, made.FunctionURL, "", http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"GET"}})
	if got := r.Header.Get("Access-Control-Allow-Origin"); r.StatusCode != http.StatusOK || got != "https://a.example" {
		t.Errorf("preflight: %s, allowed origin %q", r.Status, got)
	}
	if r, text := send(t, http.MethodGet, base+"/lambda-url/nobody/", "", nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("a URL that is nobody's: %s %s", r.Status, text)
	}
	r, text = send(t, http.MethodPut, base+"/2021-10-31/functions/hello/url", `{"AuthType":"AWS_IAM"}`, nil)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("update the URL: %s %s", r.Status, text)
	}
	if r, _ := send(t, http.MethodGet, made.FunctionURL, "", nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("a URL that wants signatures, without keys: %s", r.Status)
	}
}

// TestWhoUsedWhat: the header says it, else the tag, and the alias is the stage.
func TestWhoUsedWhat(t *testing.T) {
	base := "http://" + serveAt(t, "127.0.0.1:0", reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: cache}, nil)
	code, err := json.Marshal(build(t, "hello", platform.Go).Code)
	if err != nil {
		t.Fatal(err)
	}
	r, text := post(t, base+"/2015-03-31/functions", `{"FunctionName":"hello","Runtime":"provided.al2023","Code":{"LocalFolder":`+string(code)+`},
		"Tags":{"coldcurve:consumer":"shop","coldcurve:stage":"test"}}`)
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %s %s", r.Status, text)
	}
	awaitActive(t, base, "hello")
	for _, path := range []string{"versions", "aliases"} {
		if r, text := post(t, base+"/2015-03-31/functions/hello/"+path, `{"Name":"prod","FunctionVersion":"1"}`); r.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s %s", path, r.Status, text)
		}
	}
	for qualifier, header := range map[string]http.Header{
		"": {}, "?Qualifier=prod": {}, "?Qualifier=1": {"X-Coldcurve-Consumer": {"web"}, "X-Coldcurve-Stage": {"beta"}},
	} {
		if r, text := send(t, http.MethodPost, base+"/2015-03-31/functions/hello/invocations"+qualifier, `{}`, header); r.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", qualifier, r.Status, text)
		}
	}
	var made struct {
		URL string `json:"FunctionUrl"`
	}
	if _, text := post(t, base+"/2021-10-31/functions/hello/url", `{"AuthType":"NONE"}`); json.Unmarshal(text, &made) != nil || made.URL == "" {
		t.Fatalf("no URL: %s", text)
	}
	send(t, http.MethodGet, made.URL, "", http.Header{"X-Coldcurve-Consumer": {"web"}, "X-Coldcurve-Stage": {"gamma"}})
	_, text = send(t, http.MethodGet, base+"/coldcurve/v1/usage", "", nil)
	var a usage.Account
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	var got []usage.Key
	for _, e := range a.Entries {
		got = append(got, e.Key)
	}
	want := []usage.Key{
		{Function: "hello", Version: "$LATEST", Consumer: "shop", Stage: "test"},
		{Function: "hello", Version: "$LATEST", Consumer: "web", Stage: "gamma"},
		{Function: "hello", Version: "1", Consumer: "shop", Stage: "prod"},
		{Function: "hello", Version: "1", Consumer: "web", Stage: "beta"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who used (-want +got):\n%s", diff)
	}
}

// TestUsageSurvivesARestart of a runtime that keeps data, and adds up.
func TestUsageSurvivesARestart(t *testing.T) {
	data := t.TempDir()
	settings := reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: cache}
	code := build(t, "hello", platform.Go).Code
	for round := range 2 {
		t.Run("", func(t *testing.T) {
			base := "http://" + serveAt(t, "127.0.0.1:0", settings, nil, func(o *reference.ServeOptions) { o.Data = data })
			if round == 0 {
				createOf(t, base, "hello", code)
			} else {
				awaitActive(t, base, "hello")
			}
			for range 3 {
				send(t, http.MethodPost, base+"/2015-03-31/functions/hello/invocations", `{}`, http.Header{"X-Coldcurve-Consumer": {"web"}})
			}
			_, text := send(t, http.MethodGet, base+"/coldcurve/v1/usage", "", nil)
			var a usage.Account
			if err := json.Unmarshal(text, &a); err != nil {
				t.Fatal(err)
			}
			want := uint64(3 * (round + 1))
			if len(a.Entries) != 1 || a.Entries[0].Usage != a.Total || a.Total.Requests != want || a.Total.Cold != uint64(round+1) {
				t.Errorf("after round %d: %s, want %d requests", round, text, want)
			}
		})
	}
}
