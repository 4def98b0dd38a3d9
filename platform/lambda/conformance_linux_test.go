package lambda_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/referencetest"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container/imagetest"
)

// TestConformance drives the reference runtime through Lambda's API, as nobody
// but Lambda's own clients know it, with functions in each language and with an
// image. Each part has a runtime of its own, so that what that leaves is seen.
func TestConformance(t *testing.T) {
	for _, runtime := range []platform.Runtime{platform.Go, platform.NodeJS, platform.Python, platform.Image} {
		t.Run(string(runtime), func(t *testing.T) {
			alone(t)
			box := "process"
			if runtime == platform.Image {
				box = "container"
			}
			function := packaged(t, runtime)
			var endpoint string
			platformtest.Run(t, platformtest.Kit{
				Function: function, Patience: 2 * time.Minute,
				Open: func(t testing.TB) platform.Platform {
					endpoint = serve(t, func(o *reference.ServeOptions) { o.Sandboxes = []string{box} })
					return open(t, lambda.Options{Endpoint: endpoint})
				},
				Left: func(t testing.TB) []string { return functionsAt(t, endpoint) },
			})
		})
	}
}

// packaged is the subject as a folder, or as an image of one.
func packaged(t *testing.T, runtime platform.Runtime) platform.Function {
	t.Helper()
	if program, interpreted := map[platform.Runtime]string{platform.NodeJS: "node", platform.Python: "python3"}[runtime]; interpreted {
		need.Program(t, program)
	}
	language := runtime
	if runtime == platform.Image {
		language = platform.Go
		if err := reference.Available(t.Context(), "container"); err != nil {
			need.Missing(t, err.Error())
		}
	}
	function, err := subject.Build(t.TempDir(), language, false)
	if err != nil {
		t.Fatal(err)
	}
	if runtime == platform.Image {
		const reference = "coldcurve-test/lambda-subject:1"
		imagetest.Bootstrap(t, reference, function.Code)
		function = platform.Function{Runtime: platform.Image, Image: reference}
	}
	return function
}

// functionsAt are all the functions that there are at an endpoint, by its API as
// anybody can ask it.
func functionsAt(t testing.TB, endpoint string) (names []string) {
	t.Helper()
	answer, err := http.Get(endpoint + "/2015-03-31/functions/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var list struct {
		Functions []struct{ FunctionName string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("list functions: status %d, %v", answer.StatusCode, err)
	}
	for _, f := range list.Functions {
		names = append(names, f.FunctionName)
	}
	return names
}

// leftovers are what there is at an endpoint that any run has made.
func leftovers(t testing.TB, endpoint string) (names []string) {
	t.Helper()
	list, err := open(t, lambda.Options{Endpoint: endpoint}).Leftovers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		names = append(names, l.Name)
	}
	return names
}

// serve runs the reference runtime until the test ends, and gives its URL.
func serve(t testing.TB, edit ...func(*reference.ServeOptions)) string {
	t.Helper()
	options := reference.ServeOptions{
		Addr:     "127.0.0.1:0",
		Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute, Concurrency: 1000}},
	}
	for _, e := range edit {
		e(&options)
	}
	return "http://" + referencetest.Serve(t, options)
}

// TestWrongCredentials signs with a key that the endpoint does not know, and
// with a known one's wrong secret.
func TestWrongCredentials(t *testing.T) {
	const secret = "a.secret.of.nobody/that.is.long.enough+"
	keys := filepath.Join(t.TempDir(), "keys")
	text := "[team]\naws_access_key_id = COLDCURVETESTKEY\naws_secret_access_key = " + secret + "\n"
	if err := os.WriteFile(keys, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	alone(t)
	endpoint := serve(t, func(o *reference.ServeOptions) { o.Keys = keys })
	for _, tt := range []struct{ id, secret, code string }{
		{"COLDCURVENOSUCHKEY", secret, "UnrecognizedClientException: "},
		{"COLDCURVETESTKEY", "another" + secret, "InvalidSignatureException: "},
	} {
		t.Setenv("AWS_ACCESS_KEY_ID", tt.id)
		t.Setenv("AWS_SECRET_ACCESS_KEY", tt.secret)
		_, err := open(t, lambda.Options{Endpoint: endpoint}).Deploy(t.Context(), hello(t))
		platformtest.ExpectFailure(t, err, sample.Refused, "deploy hello: "+tt.code, "AWS's own tools find credentials")
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	d, err := open(t, lambda.Options{Endpoint: endpoint}).Deploy(t.Context(), hello(t))
	if err != nil {
		t.Fatalf("with the right ones: %v", err)
	}
	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLeftovers wants what a run has made to be found, told to be under way, and
// taken when it is not needed any more.
func TestLeftovers(t *testing.T) {
	alone(t)
	endpoint := serve(t)
	p := open(t, lambda.Options{Endpoint: endpoint, Run: "abc"})
	if _, err := p.Deploy(t.Context(), hello(t)); err != nil {
		t.Fatal(err)
	}
	list, err := p.Leftovers(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "coldcurve-abc-hello" || list[0].Run != "abc" || !list[0].Mine || !list[0].Alive {
		t.Fatalf("leftovers %+v, %v", list, err)
	}
	for range 2 {
		if err := p.Take(t.Context(), list[0]); err != nil {
			t.Error(err)
		}
	}
	if left := leftovers(t, endpoint); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

// TestProvisioned wants a version with instances kept ready to be invoked, and
// no init of theirs to be taken for a cold start.
func TestProvisioned(t *testing.T) {
	alone(t)
	endpoint := serve(t)
	function, err := subject.Build(t.TempDir(), platform.Go, false)
	if err != nil {
		t.Fatal(err)
	}
	function.Name, function.Memory, function.Timeout = "ready", 256*units.MB, 10*time.Second
	p := open(t, lambda.Options{Endpoint: endpoint, Provisioned: 1})
	d, err := p.Deploy(t.Context(), function)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Remove(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if _, can := d.(platform.Evicter); can || p.Claims().Can(platform.Evicting) {
		t.Error("instances that are kept ready can be evicted")
	}
	for range 3 {
		out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"do":"echo"}`)})
		if err != nil || out.Evidence.Start == sample.Cold {
			t.Errorf("got %+v, %v, want nothing cold", out.Evidence, err)
		}
	}
}
