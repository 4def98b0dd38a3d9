package openwhisk_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	"github.com/coldcurve/coldcurve/platform/openwhisk"
	"github.com/coldcurve/coldcurve/platform/openwhisk/openwhisktest"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// alone keeps whatever this machine has of wsk's properties out of a test, and
// gives the fake's.
func alone(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"WSK_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "WSK_APIHOST": "", "WSK_NAMESPACE": "", "WSK_AUTH": openwhisktest.Key,
	} {
		t.Setenv(name, value)
	}
}

func open(t testing.TB, o openwhisk.Options) *openwhisk.Platform {
	t.Helper()
	p, err := openwhisk.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hello is a function that can be read.
func hello(t testing.TB) platform.Function {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.mjs"), []byte("export const handler = async (event) => [event.who, process.env.LEVEL];"), 0o644); err != nil {
		t.Fatal(err)
	}
	return platform.Function{
		Name: "hello", Runtime: platform.NodeJS, Code: dir, Handler: "index.handler", Memory: 256 * units.MB, Timeout: 10 * time.Second,
		Env: map[string]string{"LEVEL": "debug"},
	}
}

func deploy(t *testing.T, f *openwhisktest.Server) (*openwhisk.Platform, platform.Deployment) {
	t.Helper()
	p := open(t, openwhisk.Options{APIHost: f.Start(t)})
	d, err := p.Deploy(t.Context(), hello(t))
	if err != nil {
		t.Fatal(err)
	}
	return p, d
}

// TestConformance holds it to what every platform has to do, against a server
// that speaks the documented API.
func TestConformance(t *testing.T) {
	alone(t)
	f := &openwhisktest.Server{}
	host := f.Start(t)
	platformtest.Run(t, platformtest.Kit{
		Function: hello(t), Unlimited: "OpenWhisk limits namespaces",
		Open: func(t testing.TB) platform.Platform { return open(t, openwhisk.Options{APIHost: host}) },
		Left: func(testing.TB) []string { return f.Names() },
	})
}

// TestAskedAfter has OpenWhisk not wait for an invocation.
func TestAskedAfter(t *testing.T) {
	alone(t)
	p, d := deploy(t, &openwhisktest.Server{Impatient: true})
	out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"do":"sleep","ms":100,"text":"x"}`), WantBody: true})
	if err != nil || out.Status != 200 || !bytes.Contains(out.Body, []byte(`"text":"x"`)) || out.Evidence.Start != sample.Cold {
		t.Errorf("got %+v, %q, %v, want an answer with its evidence", out, out.Body, err)
	}
	_, err = d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"do":"fail","text":"x"}`)})
	platformtest.ExpectFailure(t, err, sample.Handler, "invoke hello: application error: An error has occurred: failed as it was told: x", "")
	expectNote(t, p, "2 invocations were not waited for and asked after")
	over, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = d.Invoke(over, platform.Request{Payload: []byte(`{"do":"sleep","ms":60000}`)})
	platformtest.ExpectFailure(t, err, sample.Timeout, "invoke hello: ", "")
}

func expectNote(t *testing.T, p *openwhisk.Platform, note string) {
	t.Helper()
	about, err := p.Describe(t.Context())
	if err != nil || !strings.Contains(strings.Join(about.Notes, "\n"), note) {
		t.Errorf("notes %q, %v, want %q", about.Notes, err, note)
	}
}

// answer answers an operation with an error of the API.
func answer(operation string, status int, message string) func(http.ResponseWriter, string) bool {
	return func(w http.ResponseWriter, got string) bool {
		if got == operation {
			openwhisktest.Refuse(w, status, message)
		}
		return got == operation
	}
}

func TestRefusals(t *testing.T) {
	alone(t)
	for _, tt := range []struct {
		status  int
		message string
		kind    sample.ErrorKind
		hint    string
	}{
		{401, "The supplied authentication is invalid.", sample.Refused, "`wsk list` says whether OpenWhisk takes it"},
		{403, "The supplied authentication is not authorized to access this resource.", sample.Refused, "WSK_AUTH"},
		{400, "The request content was malformed.", sample.Refused, "write memory: 256MB"},
		{413, "code larger than allowed: 50331649 > 50331648 bytes.", sample.Payload, ""},
		{503, "", sample.Platform, ""},
	} {
		f := &openwhisktest.Server{Answer: answer("PUT actions", tt.status, tt.message)}
		function := hello(t)
		function.Memory = 1769 * units.MB
		_, err := open(t, openwhisk.Options{APIHost: f.Start(t)}).Deploy(t.Context(), function)
		platformtest.ExpectFailure(t, err, tt.kind, "deploy hello: "+tt.message, tt.hint)
	}
	t.Setenv("WSK_AUTH", "somebody:else")
	_, err := open(t, openwhisk.Options{APIHost: (&openwhisktest.Server{}).Start(t)}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Refused, "deploy hello: The supplied authentication is invalid.", "wsk list")
}

// TestThrottling wants what is throttled to be tried again where it is no
// invocation, and told at once where it is one.
func TestThrottling(t *testing.T) {
	alone(t)
	for _, message := range []string{
		"Too many requests in the last minute (count: 61, allowed: 60).", "Too many concurrent requests in flight (count: 31, allowed: 30).",
	} {
		asked := make(map[string]int)
		f := &openwhisktest.Server{Answer: func(w http.ResponseWriter, operation string) bool {
			asked[operation]++
			throttled := operation == "POST actions" || operation == "PUT actions" && asked[operation] == 1
			return throttled && answer(operation, 429, message)(w, operation)
		}}
		_, d := deploy(t, f)
		out, err := d.Invoke(t.Context(), platform.Request{})
		platformtest.ExpectFailure(t, err, sample.Throttled, "invoke hello: "+message, "--scale .5")
		want := map[string]int{"PUT actions": 2, "POST actions": 1}
		if diff := cmp.Diff(want, asked); diff != "" || out.Status != 429 {
			t.Errorf("status %d, asked (-want +got):\n%s", out.Status, diff)
		}
	}
}

// TestKinds is of the failures that only a record's message tells apart.
func TestKinds(t *testing.T) {
	alone(t)
	for _, tt := range []struct {
		status, message string
		kind            sample.ErrorKind
	}{
		{"action developer error", "The action exceeded its time limits of 10000 milliseconds during initialization.", sample.Init},
		{"action developer error", "The action failed during initialization: no such module", sample.Init},
		{"action developer error", "The action exhausted its memory and was aborted.", sample.OutOfMemory},
		{"action developer error", "The action did not produce a valid JSON response: hi", sample.Handler},
		{"whisk internal error", "Failed to provision resources to run the action.", sample.Platform},
	} {
		_, d := deploy(t, &openwhisktest.Server{Edit: func(record map[string]any) {
			record["response"] = map[string]any{"status": tt.status, "success": false, "result": map[string]any{"error": tt.message}}
		}})
		_, err := d.Invoke(t.Context(), platform.Request{Payload: []byte("{}")})
		platformtest.ExpectFailure(t, err, tt.kind, "invoke hello: "+tt.status+": "+tt.message, "")
	}
}

// TestRemoveKeepsADeadline is of a host that no longer answers when a run clears
// up.
func TestRemoveKeepsADeadline(t *testing.T) {
	alone(t)
	hold := make(chan struct{})
	_, d := deploy(t, &openwhisktest.Server{Answer: func(_ http.ResponseWriter, operation string) bool {
		if operation == "DELETE actions" {
			<-hold
		}
		return operation == "DELETE actions"
	}})
	defer close(hold)
	platformtest.ExpectDeadlineKept(t, d)
}

// TestHalfDead is of hosts that accept connections and say nothing, or nothing
// that is OpenWhisk's.
func TestHalfDead(t *testing.T) {
	alone(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts; nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	host := "http://" + listener.Addr().String()
	_, err = open(t, openwhisk.Options{APIHost: host, Answer: 300 * time.Millisecond}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Timeout, "deploy hello: no answer from "+host+" within 300 ms", "coldcurve cleanup")
	// A port that the kernel gives to nobody who asks for any.
	_, err = open(t, openwhisk.Options{APIHost: "http://127.0.0.1:1"}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Network, "deploy hello: dial tcp 127.0.0.1:1", "is anybody listening there?")

	page := func(operation string) *openwhisktest.Server {
		return &openwhisktest.Server{Answer: func(w http.ResponseWriter, got string) bool {
			if got == operation {
				_, _ = io.WriteString(w, "<html>welcome</html>")
			}
			return got == operation
		}}
	}
	_, err = open(t, openwhisk.Options{APIHost: page("PUT actions").Start(t)}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Platform, "deploy hello: its answer is not OpenWhisk's: ", "is it OpenWhisk's API host?")
	_, d := deploy(t, page("POST actions"))
	_, err = d.Invoke(t.Context(), platform.Request{})
	platformtest.ExpectFailure(t, err, sample.Platform, "invoke hello: its answer is no activation's record", "is it OpenWhisk's API host?")
}

// annotated replaces a record's annotations.
func annotated(pairs ...any) func(map[string]any) {
	return func(record map[string]any) {
		list := []any{}
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, map[string]any{"key": pairs[i], "value": pairs[i+1]})
		}
		record["annotations"] = list
	}
}

// TestLies is of endpoints that do not do, or do not tell, what they say.
func TestLies(t *testing.T) {
	alone(t)
	_, d := deploy(t, &openwhisktest.Server{Stuck: true})
	platformtest.ExpectFailure(t, d.(platform.Evicter).Evict(t.Context()), sample.Refused, "evict hello: http://127.0.0.1:", "leave evict out")
	const hour = 3_600_000
	for _, tt := range []struct {
		name string
		f    *openwhisktest.Server
		want platform.Evidence
		note string
	}{
		{"warm after an eviction", &openwhisktest.Server{Sticky: true, Edit: annotated("waitTime", 0)}, platform.Evidence{Start: sample.Warm, Grade: sample.Attested}, "after 1 of 1 evictions the record tells no init"},
		{"nothing told", &openwhisktest.Server{Edit: annotated("path", "guest/hello")}, platform.Evidence{}, "1 records tell neither wait nor init"},
		{"no numbers", &openwhisktest.Server{Edit: annotated("waitTime", "long", "initTime", -1)}, platform.Evidence{}, "1 records tell neither wait nor init"},
		{"another's record", &openwhisktest.Server{Edit: func(record map[string]any) { record["activationId"] = "ffff" }}, platform.Evidence{}, "1 answers came with the record of another activation"},
		{"another's record, asked after", &openwhisktest.Server{Impatient: true, Edit: func(record map[string]any) { record["activationId"] = "ffff" }}, platform.Evidence{}, "1 answers came with the record of another activation"},
		{"a wait longer than the request", &openwhisktest.Server{Edit: annotated("waitTime", hour, "initTime", 0)}, platform.Evidence{Start: sample.Cold, Grade: sample.Attested}, "1 records tell more time than their request took"},
		{"an init longer than the request", &openwhisktest.Server{Edit: annotated("waitTime", 0, "initTime", hour)}, platform.Evidence{Start: sample.Cold, Grade: sample.Attested}, "1 records tell more time than their request took"},
	} {
		edit := tt.f.Edit
		tt.f.Edit = func(record map[string]any) { record["duration"] = 0; edit(record) }
		p, d := deploy(t, tt.f)
		if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
			t.Fatal(err)
		}
		out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{}`)})
		if out.Evidence != tt.want || err != nil {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, out.Evidence, err, tt.want)
		}
		expectNote(t, p, tt.note)
	}
}

// TestBeacon has each record tell an init, and the function by its beacon that
// some of them cannot have been.
func TestBeacon(t *testing.T) {
	alone(t)
	var headers map[string]string
	p, d := deploy(t, &openwhisktest.Server{Edit: func(record map[string]any) {
		annotated("waitTime", 0, "initTime", 0)(record)
		record["response"] = map[string]any{"status": "success", "success": true, "result": map[string]any{"answer": map[string]any{"headers": headers}}}
	}})
	for i, tt := range []struct {
		instance, ordinal, age string
		want                   sample.Start
	}{
		{"a", "1", "0", sample.Cold},
		{"a", "2", "0", sample.Unknown},
		{"a", "3", "0", sample.Unknown},
		{"b", "1", "3600000", sample.Prewarmed}, // a container that had waited for any function
	} {
		headers = map[string]string{beacon.Instance: tt.instance, beacon.Ordinal: tt.ordinal, beacon.Age: tt.age}
		out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{}`)})
		if out.Evidence.Start != tt.want || out.Evidence.Instance != tt.instance || err != nil {
			t.Errorf("record %d: %+v, %v, want %s", i, out.Evidence, err, tt.want)
		}
	}
	expectNote(t, p, "2 times the platform told a start of a process that had answered before")
}

// TestPhases wants the times of a record where they belong.
func TestPhases(t *testing.T) {
	alone(t)
	for start, edit := range map[sample.Start]func(map[string]any){
		sample.Cold: annotated("waitTime", 20, "initTime", 30),
		sample.Warm: annotated("waitTime", 20),
	} {
		_, d := deploy(t, &openwhisktest.Server{Edit: func(record map[string]any) { edit(record); record["duration"] = 40 }})
		out, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"do":"sleep","ms":100}`)})
		want := platform.Evidence{Start: start, Grade: sample.Attested, Breakdown: sample.Breakdown{Queue: 20 * time.Millisecond, Handler: 40 * time.Millisecond}}
		if start == sample.Cold {
			want.Breakdown = sample.Breakdown{Provision: 20 * time.Millisecond, Init: 30 * time.Millisecond, Handler: 10 * time.Millisecond}
		}
		if out.Evidence != want || err != nil {
			t.Errorf("%+v, %v, want %+v", out.Evidence, err, want)
		}
	}
}

// TestCreation looks at what is sent to make an action, and has Node.js run it.
func TestCreation(t *testing.T) {
	alone(t)
	f := &openwhisktest.Server{}
	p := open(t, openwhisk.Options{APIHost: f.Start(t), Run: "abc"})
	function := hello(t)
	d, err := p.Deploy(t.Context(), function)
	if err != nil {
		t.Fatal(err)
	}
	made := f.Put("coldcurve-abc-hello")
	got, err := json.Marshal([]any{made["limits"], made["parameters"], made["exec"].(map[string]any)["kind"], made["exec"].(map[string]any)["main"]})
	if want := `[{"memory":256,"timeout":10000},[{"init":true,"key":"LEVEL","value":"debug"}],"nodejs:default","main"]`; string(got) != want || err != nil {
		t.Errorf("made with %s, %v, want %s", got, err, want)
	}
	if said := run(t, made, "LEVEL=debug", "node", "-e", `require("./main.js").main({who: "you"}).then((r) => console.log(JSON.stringify(r)))`); said != `{"answer":["you","debug"]}` {
		t.Errorf("Node.js: %s", said)
	}
	if err := d.Remove(t.Context()); err != nil || len(f.Names()) > 0 {
		t.Errorf("remove: %v, still there: %v", err, f.Names())
	}
	for want, edit := range map[string]func(*platform.Function){
		"runtime go: it speaks Lambda's Runtime API":      func(f *platform.Function) { f.Runtime = platform.Go },
		"reserved 2: OpenWhisk limits the concurrency of": func(f *platform.Function) { f.Reserved = 2 },
		"memory 513 MB exceeds allowed threshold of 512":  func(f *platform.Function) { f.Memory = 513 * units.MB },
		"memory of OpenWhisk is whole MB":                 func(f *platform.Function) { f.Memory++ },
		"no such file or directory":                       func(f *platform.Function) { f.Code += "/elsewhere" },
	} {
		refused := function
		edit(&refused)
		if _, err := p.Deploy(t.Context(), refused); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestPython(t *testing.T) {
	alone(t)
	f := &openwhisktest.Server{}
	function := hello(t)
	function.Runtime = platform.Python
	text := "import other\n\ndef handler(event, context):\n    return [event['who'], other.name]\n"
	for name, text := range map[string]string{"index.py": text, "other.py": "name = 'beside it'\n"} {
		if err := os.WriteFile(filepath.Join(function.Code, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(t, openwhisk.Options{APIHost: f.Start(t), Run: "abc"}).Deploy(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	said := run(t, f.Put("coldcurve-abc-hello"), "", "python3", "-c", "import __main__ as own, runpy; print(runpy.run_path('__main__.py')['main']({'who': 'you'}))")
	if said != "{'answer': ['you', 'beside it']}" {
		t.Errorf("Python: %s", said)
	}
}

// run unpacks an action's code and runs a program on it.
func run(t *testing.T, made map[string]any, env, program string, args ...string) string {
	t.Helper()
	code, err := base64.StdEncoding.DecodeString(made["exec"].(map[string]any)["code"].(string))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(need.Program(t, program), args...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env), t.Output()
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(said))
}

func TestLeftovers(t *testing.T) {
	alone(t)
	f := &openwhisktest.Server{}
	host := f.Start(t)
	p := open(t, openwhisk.Options{APIHost: host, Run: "abc"})
	theirs, err := http.NewRequest(http.MethodPut, host+"/api/v1/namespaces/_/actions/coldcurve-abc-theirs?overwrite=true",
		strings.NewReader(`{"annotations":[{"key":"coldcurve","value":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	user, secret, _ := strings.Cut(openwhisktest.Key, ":")
	theirs.SetBasicAuth(user, secret)
	if r, err := http.DefaultClient.Do(theirs); err != nil || r.Body.Close() != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%+v, %v", r, err)
	}
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
	if left := f.Names(); !slices.Equal(left, []string{"coldcurve-abc-theirs"}) {
		t.Errorf("there is %v, want somebody else's alone", left)
	}
}

// TestProperties is of where host and key come from, and of what is wrong there.
func TestProperties(t *testing.T) {
	const secret = "hunter2"
	for _, tt := range []struct {
		name, file string
		env        map[string]string
		options    openwhisk.Options
		where      string // "" for an error that says so
		says       string
	}{
		{name: "the properties", file: "APIHOST=whisk.example.com\nAUTH=me:" + secret + "\nNAMESPACE=guest\n", where: "https://whisk.example.com guest"},
		{name: "the environment before them", file: "APIHOST = whisk.example.com\nAUTH = no key\n", env: map[string]string{"WSK_AUTH": "me:" + secret, "WSK_NAMESPACE": "mine"}, where: "https://whisk.example.com mine"},
		{name: "an option before all", file: "APIHOST=a\nAUTH=me:" + secret + "\n", env: map[string]string{"WSK_APIHOST": "b"}, options: openwhisk.Options{APIHost: "http://127.0.0.1:3233"}, where: "http://127.0.0.1:3233 _"},
		{name: "nothing", says: "platform openwhisk: no API host, neither in the environment nor in "},
		{name: "no key", env: map[string]string{"WSK_APIHOST": "https://me:" + secret + "@h"}, says: "platform openwhisk: no key for h, neither in "},
		{name: "no colon", env: map[string]string{"WSK_APIHOST": "h", "WSK_AUTH": secret}, says: "the key is not of the form ID:SECRET"},
		{name: "readable", env: map[string]string{"WSK_APIHOST": "http://192.0.2.1", "WSK_AUTH": "me:" + secret}, says: "http://192.0.2.1 is not this machine, and key and code"},
		{name: "no host", env: map[string]string{"WSK_APIHOST": "ftp://h", "WSK_AUTH": "me:" + secret}, says: "the API host is no host or URL"},
		{name: "no namespace", env: map[string]string{"WSK_APIHOST": "h", "WSK_AUTH": "me:" + secret}, options: openwhisk.Options{Namespace: "a/b", Run: "A", Answer: -1}, says: `namespace "a/b" is no name`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alone(t)
			t.Setenv("WSK_AUTH", "")
			if tt.file != "" {
				if err := os.WriteFile(os.Getenv("WSK_CONFIG_FILE"), []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			p, err := openwhisk.New(tt.options)
			said := fmt.Sprint(err, platform.HintOf(err))
			if err == nil {
				about, _ := p.Describe(t.Context())
				said = fmt.Sprint(about)
				if got := p.Where() + " " + about.Facts["namespace"]; got != tt.where {
					t.Errorf("asks %s, want %s", got, tt.where)
				}
			}
			if err != nil != (tt.where == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if strings.Contains(said, secret) {
				t.Errorf("it tells the key: %s", said)
			}
		})
	}
}

// TestBeyond tells an OpenWhisk of one's own from what may be a way to somebody's.
func TestBeyond(t *testing.T) {
	for _, tt := range []struct{ host, key, want string }{
		{"http://127.0.0.1:3233", openwhisktest.Key, ""},
		{"http://127.0.0.1:3233", "me:hunter2", "http://127.0.0.1:3233, which may lead elsewhere, as the key is not OpenWhisk's guest's"},
		{"https://192.0.2.1", openwhisktest.Key, "https://192.0.2.1"},
	} {
		alone(t)
		t.Setenv("WSK_AUTH", tt.key)
		if got := open(t, openwhisk.Options{APIHost: tt.host}).Beyond(t.Context(), nil); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.host, got, tt.want)
		}
	}
}

// TestSecretsAreStruckOut is of an API host that repeats the key, wherever
// somebody asks it for something.
func TestSecretsAreStruckOut(t *testing.T) {
	alone(t)
	_, secret, _ := strings.Cut(openwhisktest.Key, ":")
	sent := base64.StdEncoding.EncodeToString([]byte(openwhisktest.Key))
	t.Setenv("HTTPS_PROXY", "http://me:correct-horse@192.0.2.1:3128")
	expect := func(err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "no such key: [secret], that is [secret] or [secret], nor [secret]") ||
			strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), sent) {
			t.Errorf("got %v, want the host's words without the key", err)
		}
	}
	said := fmt.Sprintf("no such key: %s, that is %s or %s, nor correct-horse", sent, openwhisktest.Key, secret)
	every := func(w http.ResponseWriter, _ string) bool {
		openwhisktest.Refuse(w, http.StatusUnauthorized, said)
		return true
	}
	f := &openwhisktest.Server{}
	p, d := deploy(t, f)
	f.Edit = func(record map[string]any) {
		record["response"] = map[string]any{"status": "application error", "result": map[string]any{"error": said}}
	}
	_, err := d.Invoke(t.Context(), platform.Request{})
	expect(err)
	f.Answer = every
	_, err = d.Invoke(t.Context(), platform.Request{})
	expect(err)
	expect(d.(platform.Evicter).Evict(t.Context()))
	expect(d.Remove(t.Context()))
	_, err = p.Leftovers(t.Context())
	expect(err)
	_, err = p.Deploy(t.Context(), hello(t))
	expect(err)
}
