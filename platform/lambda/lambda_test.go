package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/platform/mark"
	"github.com/coldcurve/coldcurve/platform/platformtest"
)

// alone keeps whatever this machine has of AWS's configuration out of a test.
func alone(t testing.TB) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.(*testing.T).Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.(*testing.T).Setenv(name, value)
	}
}

func open(t testing.TB, o lambda.Options) *lambda.Platform {
	t.Helper()
	p, err := lambda.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hello is a function whose code is a file.
func hello(t *testing.T) platform.Function {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return platform.Function{Name: "hello", Runtime: platform.Go, Code: dir, Memory: 128 << 20, Timeout: 3 * time.Second}
}

// api is an endpoint with one function, that does as it is told otherwise.
type api struct {
	// answer is asked first; it says whether it has answered.
	answer func(w http.ResponseWriter, operation string) bool
	// stuck has changes of the configuration accepted and not made.
	stuck bool
	// report is the end of the log of invocations, ID in place of their id.
	report string
	// says is what invocations answer, after so long; the default is a text, at once.
	says   any
	sleeps time.Duration
	// arn is the function's.
	arn string

	mu       sync.Mutex
	revision int
	env      map[string]string
	created  map[string]any
	there    bool
}

func (a *api) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return server.URL
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	operation := r.Method + " " + r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if strings.HasPrefix(operation, "DELETE ") {
		operation = "DELETE"
	}
	if a.answer != nil && a.answer(w, operation) {
		return
	}
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	switch operation {
	case "POST functions":
		a.created, a.there = body, true
		w.WriteHeader(http.StatusCreated)
		a.write(w, a.configuration())
	case "GET configuration":
		a.write(w, a.configuration())
	case "GET functions", "GET ":
		a.write(w, map[string]any{"Functions": []any{a.configuration()}})
	case "PUT configuration":
		if revision, given := body["RevisionId"]; given && revision != a.configuration()["RevisionId"] {
			refuse(operation, http.StatusPreconditionFailed, "PreconditionFailedException", "The Revision Id provided does not match")(w, operation)
			return
		}
		if !a.stuck {
			a.revision++
			a.env = make(map[string]string)
			for name, value := range body["Environment"].(map[string]any)["Variables"].(map[string]any) {
				a.env[name] = value.(string)
			}
		}
		a.write(w, a.configuration())
	case "POST invocations":
		w.Header().Set("X-Amzn-RequestId", "11111111-aaaa")
		log := strings.ReplaceAll(a.report, "ID", "11111111-aaaa")
		w.Header().Set("X-Amz-Log-Result", encode(log))
		time.Sleep(a.sleeps)
		if a.says == nil {
			a.says = map[string]string{"text": "fine"}
		}
		a.write(w, a.says)
	case "DELETE":
		a.there = false
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "no "+operation, http.StatusNotFound)
	}
}

func (a *api) configuration() map[string]any {
	return map[string]any{
		"FunctionName": "hello", "FunctionArn": a.arn, "State": "Active", "LastUpdateStatus": "Successful",
		"RevisionId": strings.Repeat("r", a.revision+1), "Environment": map[string]any{"Variables": a.env},
	}
}

func (a *api) write(w http.ResponseWriter, document any) { _ = json.NewEncoder(w).Encode(document) }

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// refuse answers an operation with an error of Lambda's.
func refuse(operation string, status int, code, message string) func(http.ResponseWriter, string) bool {
	return func(w http.ResponseWriter, got string) bool {
		if got != operation {
			return false
		}
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
		return true
	}
}

// local opens an endpoint that answers at once, and may never do what it says.
func local(t *testing.T, endpoint string) *lambda.Platform {
	t.Helper()
	return open(t, lambda.Options{Endpoint: endpoint, Settle: time.Second})
}

// hasty opens an endpoint that is not going to answer.
func hasty(t *testing.T, endpoint string) *lambda.Platform {
	t.Helper()
	return open(t, lambda.Options{Endpoint: endpoint, Answer: 300 * time.Millisecond})
}

func TestRefusals(t *testing.T) {
	alone(t)
	for _, tt := range []struct {
		status        int
		code, message string
		kind          sample.ErrorKind
		hint          string
	}{
		{403, "ExpiredTokenException", "The security token included in the request is expired", sample.Refused, "sign in again"},
		{403, "AccessDeniedException", "not authorized to perform: lambda:CreateFunction", sample.Refused, "a run needs lambda:CreateFunction"},
		{400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", sample.Refused, ""},
		{413, "RequestEntityTooLargeException", "Request must be smaller than 70167211 bytes", sample.Payload, ""},
	} {
		a := &api{answer: refuse("POST functions", tt.status, tt.code, tt.message)}
		_, err := local(t, a.serve(t)).Deploy(t.Context(), hello(t))
		platformtest.ExpectFailure(t, err, tt.kind, "deploy hello: "+tt.code+": "+tt.message, tt.hint)
	}
}

// TestDenied wants each use to ask for what it does, and for no more.
func TestDenied(t *testing.T) {
	alone(t)
	deploy := func(p *lambda.Platform) error {
		_, err := p.Deploy(t.Context(), hello(t))
		return err
	}
	there := func(p *lambda.Platform) error {
		d, err := p.Deploy(t.Context(), platform.Function{Name: "shop", Existing: "shop"})
		if err == nil {
			_, err = d.Invoke(t.Context(), platform.Request{})
		}
		return err
	}
	list := func(p *lambda.Platform) error {
		_, err := p.Leftovers(t.Context())
		return err
	}
	take := func(p *lambda.Platform) error { return p.Take(t.Context(), mark.Leftover{Name: "coldcurve-a-hello"}) }
	putBack := func(p *lambda.Platform) error { return p.Take(t.Context(), mark.Leftover{On: "shop"}) }
	const cleanup = "`coldcurve cleanup` needs lambda:ListFunctions, DeleteFunction"
	existing, changed := lambda.Options{Existing: true}, lambda.Options{Existing: true, Change: true}
	for _, tt := range []struct {
		operation    string
		options      lambda.Options
		do           func(*lambda.Platform) error
		needs, spare string
	}{
		{"POST functions", lambda.Options{}, deploy, "iam:PassRole", "PublishVersion"},
		{"POST versions", lambda.Options{SnapStart: true}, deploy, "PublishVersion", "PutProvisionedConcurrencyConfig"},
		{"POST versions", lambda.Options{Provisioned: 1}, deploy, "PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig", "ListFunctions"},
		{"POST invocations", existing, there, "lambda:InvokeFunction", "UpdateFunctionConfiguration"},
		{"GET configuration", changed, there, "UpdateFunctionConfiguration", "CreateFunction"},
		{"GET functions", existing, list, cleanup, "CreateFunction"},
		{"DELETE", existing, take, cleanup, "InvokeFunction"},
		{"PUT configuration", existing, putBack, cleanup, "InvokeFunction"},
	} {
		a := &api{env: map[string]string{"COLDCURVE_EVICTION": "1"}, answer: refuse(tt.operation, 403, "AccessDeniedException", "not authorized")}
		o := tt.options
		o.Endpoint = a.serve(t)
		err := tt.do(open(t, o))
		if hint := platform.HintOf(err); !strings.Contains(hint, tt.needs) || strings.Contains(hint, tt.spare) {
			t.Errorf("%s, %+v: %v: hint %q, want %q and not %q", tt.operation, tt.options, err, hint, tt.needs, tt.spare)
		}
	}
}

// TestThrottling wants what is throttled to be tried again where it is no
// invocation, and told at once where it is one.
func TestThrottling(t *testing.T) {
	alone(t)
	asked := make(map[string]int)
	throttle := func(operation string) func(http.ResponseWriter, string) bool {
		answer := refuse(operation, 429, "TooManyRequestsException", "Rate Exceeded.")
		return func(w http.ResponseWriter, got string) bool {
			asked[got]++
			return (got == operation && (asked[got] == 1 || got == "POST invocations")) && answer(w, got)
		}
	}
	a := &api{answer: throttle("POST functions")}
	p := open(t, lambda.Options{Endpoint: a.serve(t)})
	if _, err := p.Deploy(t.Context(), hello(t)); err != nil || asked["POST functions"] != 2 {
		t.Errorf("a deployment that is throttled once: %v, asked %d times, want twice", err, asked["POST functions"])
	}
	a = &api{answer: throttle("POST invocations")}
	d, err := open(t, lambda.Options{Endpoint: a.serve(t)}).Deploy(t.Context(), hello(t))
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.Invoke(t.Context(), platform.Request{})
	platformtest.ExpectFailure(t, err, sample.Throttled, "invoke hello: TooManyRequestsException: ", "at its limit")
	if asked["POST invocations"] != 1 || out.Status != 429 {
		t.Errorf("asked %d times, status %d, want once and 429", asked["POST invocations"], out.Status)
	}
}

// TestNoTimeToRepeat is of an API that says "not now" at once, for longer than
// its answer is waited for: that, and no silence, is the error.
func TestNoTimeToRepeat(t *testing.T) {
	alone(t)
	a := &api{answer: refuse("POST functions", 429, "TooManyRequestsException", "Rate Exceeded.")}
	p := open(t, lambda.Options{Endpoint: a.serve(t), Answer: time.Second})
	_, err := p.Deploy(t.Context(), hello(t))
	for tries := 0; platform.KindOf(err) == sample.Timeout && tries < 2; tries++ { // its time may end in an attempt, too
		_, err = p.Deploy(t.Context(), hello(t))
	}
	platformtest.ExpectFailure(t, err, sample.Throttled, "deploy hello: TooManyRequestsException: Rate Exceeded.", "at its limit")
}

// TestOthersAnswers is of what a proxy answers, or a server of another kind.
func TestOthersAnswers(t *testing.T) {
	alone(t)
	for _, tt := range []struct {
		status     int
		body       string
		kind       sample.ErrorKind
		want, hint string
	}{
		{503, "<html>Sorry</html>", sample.Platform, "HTTP 503 Service Unavailable, with an answer that is none of Lambda's", "is it Lambda's API?"},
		{200, "<html>Welcome</html>", sample.Refused, "HTTP 200 OK, with an answer that is none of Lambda's", "is it Lambda's API?"},
		{302, "", sample.Refused, "HTTP 302 Found: the answer names no error", "is it Lambda's API?"},
		{404, "{}", sample.Refused, "HTTP 404 Not Found: the answer names no error", ""},
	} {
		a := &api{answer: func(w http.ResponseWriter, operation string) bool {
			if operation == "POST functions" {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}
			return operation == "POST functions"
		}}
		_, err := open(t, lambda.Options{Endpoint: a.serve(t)}).Deploy(t.Context(), hello(t))
		platformtest.ExpectFailure(t, err, tt.kind, "deploy hello: "+tt.want, tt.hint)
	}
}

// TestHalfDead is of endpoints that accept connections and say nothing, from
// the beginning or when they are to invoke.
func TestHalfDead(t *testing.T) {
	alone(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts; nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	endpoint := "http://" + listener.Addr().String()
	_, err = hasty(t, endpoint).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Timeout, "deploy hello: waited for an answer to GetFunctionConfiguration from "+endpoint+": none within 300 ms", "is it Lambda's API?")
	if _, err := hasty(t, strings.Replace(endpoint, "http:", "https:", 1)).Deploy(t.Context(), hello(t)); platform.KindOf(err) != sample.Timeout {
		t.Errorf("where a handshake never ends: %v (%s)", err, platform.KindOf(err))
	}

	hold := make(chan struct{})
	defer close(hold)
	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"State": `)
		w.(http.Flusher).Flush()
		<-hold
	}))
	defer half.CloseClientConnections()
	// Long enough for the beginning to arrive.
	_, err = open(t, lambda.Options{Endpoint: half.URL, Answer: 2 * time.Second}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Timeout, "deploy hello: an answer to GetFunctionConfiguration from "+half.URL+" began and did not end within ", "is it Lambda's API?")

	a := &silent{api: &api{}, hold: hold}
	server := httptest.NewServer(a)
	defer server.CloseClientConnections()
	function := hello(t)
	function.Timeout = 0
	d, err := local(t, server.URL).Deploy(t.Context(), function)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = d.Invoke(gone, platform.Request{})
	platformtest.ExpectFailure(t, err, sample.Cancelled, "invoke hello: context canceled", "")
}

// TestRemoveKeepsADeadline is of an endpoint that no longer answers when a run
// clears up: who bounds that is not kept waiting for longer.
func TestRemoveKeepsADeadline(t *testing.T) {
	alone(t)
	hold := make(chan struct{})
	a := &api{answer: func(_ http.ResponseWriter, operation string) bool {
		if operation == "DELETE" {
			<-hold
		}
		return operation == "DELETE"
	}}
	p := open(t, lambda.Options{Endpoint: a.serve(t)})
	defer close(hold)
	d, err := p.Deploy(t.Context(), hello(t))
	if err != nil {
		t.Fatal(err)
	}
	platformtest.ExpectDeadlineKept(t, d)
}

// silent answers everything but invocations.
type silent struct {
	*api
	hold chan struct{}
}

func (s *silent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/invocations") {
		<-s.hold
		return
	}
	s.api.ServeHTTP(w, r)
}

func TestNobodyListens(t *testing.T) {
	alone(t)
	// A port that the kernel gives to nobody who asks for any.
	_, err := open(t, lambda.Options{Endpoint: "http://127.0.0.1:1"}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Network, "deploy hello: dial tcp 127.0.0.1:1", "is anybody listening there?")
}

// TestLies is of endpoints that do not do, or do not tell, what they say.
func TestLies(t *testing.T) {
	alone(t)
	deploy := func(a *api) (*lambda.Platform, platform.Deployment) {
		p := local(t, a.serve(t))
		d, err := p.Deploy(t.Context(), hello(t))
		if err != nil {
			t.Fatal(err)
		}
		return p, d
	}
	const warm, cold = "\nREPORT RequestId: ID\tDuration: 0.01 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB", "\tInit Duration: 9.00 ms"

	p, d := deploy(&api{report: warm + "\tInit Duration: 600000.00 ms"})
	if out, err := d.Invoke(t.Context(), platform.Request{}); err != nil || out.Evidence.Start != sample.Provisioned {
		t.Errorf("an init longer than its request: %+v, %v, want it ahead of that", out.Evidence, err)
	}
	if about, _ := p.Describe(t.Context()); !strings.Contains(strings.Join(about.Notes, "\n"), "1 reports tell an init that does not fit into its request") {
		t.Errorf("notes %q", about.Notes)
	}

	old := map[string]any{"headers": map[string]string{"X-Coldcurve-Instance": "old", "X-Coldcurve-Ordinal": "1", "X-Coldcurve-Age": "3600000"}}
	_, d = deploy(&api{report: warm + "\tInit Duration: 0.00 ms", sleeps: 2 * time.Millisecond, says: old})
	if out, err := d.Invoke(t.Context(), platform.Request{}); err != nil || out.Evidence.Start != sample.Provisioned {
		t.Errorf("an init, of a process that is older than its request: %+v, %v, want it ahead of that", out.Evidence, err)
	}

	always := &api{report: warm + "\tInit Duration: 0.00 ms", sleeps: 2 * time.Millisecond}
	p, d = deploy(always)
	for i, want := range []sample.Start{sample.Cold, sample.Unknown, sample.Unknown} {
		always.says = map[string]any{"headers": map[string]string{"X-Coldcurve-Instance": "a", "X-Coldcurve-Ordinal": strconv.Itoa(i + 1)}}
		if out, err := d.Invoke(t.Context(), platform.Request{}); err != nil || out.Evidence.Start != want || out.Evidence.Instance != "a" {
			t.Errorf("request %d of one process, cold by its report: %+v, %v, want %s", i+1, out.Evidence, err, want)
		}
	}
	if about, _ := p.Describe(t.Context()); !strings.Contains(strings.Join(about.Notes, "\n"), "2 times the platform told a start of a process that had answered before") {
		t.Errorf("notes %q", about.Notes)
	}

	p, d = deploy(&api{report: warm + "\tInit Duration: 0.00 ms", sleeps: 2 * time.Millisecond})
	for i := range 3 {
		if i == 1 {
			if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := d.Invoke(t.Context(), platform.Request{}); err != nil || out.Evidence.Start != sample.Cold {
			t.Errorf("cold by its report, which nothing contradicts: %+v, %v", out.Evidence, err)
		}
	}
	if about, _ := p.Describe(t.Context()); !strings.Contains(strings.Join(about.Notes, "\n"), "2 cold starts are by the word of "+p.Where()+" alone") {
		t.Errorf("notes %q, want one of the two that no eviction was before", about.Notes)
	}

	_, d = deploy(&api{stuck: true})
	platformtest.ExpectFailure(t, d.(platform.Evicter).Evict(t.Context()), sample.Refused,
		"evict hello: http://127.0.0.1:", "leave evict out")

	for _, tt := range []struct {
		name, report, note string
		want               sample.Start
	}{
		{"warm after an eviction", warm, "after 1 of 1 evictions the platform says that an instance was there", sample.Warm},
		{"the report of another request", strings.ReplaceAll(warm+cold, "ID", "22222222-bbbb"), "1 answers came with the report of another request", sample.Unknown},
		{"a handler longer than its request", strings.Replace(warm+cold, "0.01 ms", "600000.00 ms", 1), "1 reports tell of a handler that took longer than its whole request", sample.Unknown},
		{"no report", "", "1 answers came without a report", sample.Unknown},
	} {
		p, d := deploy(&api{report: tt.report})
		if err := d.(platform.Evicter).Evict(t.Context()); err != nil {
			t.Fatal(err)
		}
		out, err := d.Invoke(t.Context(), platform.Request{})
		about, _ := p.Describe(t.Context())
		if tt.want == sample.Unknown && (out.Evidence != platform.Evidence{} || out.Billed != 0) {
			t.Errorf("%s: %+v, billed %v, want nothing believed", tt.name, out.Evidence, out.Billed)
		}
		if err != nil || out.Evidence.Start != tt.want || !strings.Contains(strings.Join(about.Notes, "\n"), tt.note) {
			t.Errorf("%s: start %s, %v, notes %q, want %s and %q", tt.name, out.Evidence.Start, err, about.Notes, tt.want, tt.note)
		}
	}
}

// TestBeyond tells what plays Lambda on this machine from what may be a
// way to AWS from it.
func TestBeyond(t *testing.T) {
	alone(t)
	const function = "arn:aws:lambda:eu-central-1:%s:function:shop"
	theirs, local := fmt.Sprintf(function, "123456789012"), fmt.Sprintf(function, "000000000000")
	for _, tt := range []struct {
		name, role, arn string // what the API says of the function
		existing        []string
		want            string
	}{
		{name: "nothing is named"},
		{name: "a role of LocalStack's", role: "arn:aws:iam::000000000000:role/lambda-role"},
		{name: "a role of somebody's", role: "arn:aws:iam::123456789012:role/r", want: "123456789012"},
		{name: "a function, by its ARN", existing: []string{"here", theirs}, want: "123456789012"},
		{name: "a function, by its name", existing: []string{"shop"}, arn: theirs, want: "123456789012"},
		{name: "a local function", existing: []string{"shop", local}, arn: local},
		{name: "a function without ARN", existing: []string{"shop"}},
	} {
		p := open(t, lambda.Options{Endpoint: (&api{arn: tt.arn}).serve(t), Role: tt.role})
		want := ""
		if tt.want != "" {
			want = p.Where() + ", which may lead to account " + tt.want + " of AWS's"
		}
		if got := p.Beyond(t.Context(), tt.existing); got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, string) bool
		want   string // "" for nothing to be asked about
	}{
		"denied":                     {refuse("GET configuration", 403, "AccessDeniedException", "not authorized"), "AccessDeniedException: not authorized"},
		"a 404 of Lambda's own":      {refuse("GET configuration", 404, "ResourceNotFoundException", "Function not found"), "ResourceNotFoundException: "},
		"another refusal of no name": {refuse("GET configuration", 403, "", "Forbidden"), "Forbidden"},
		"no such operation":          {refuse("GET configuration", 404, "", "Not Found"), ""},
	} {
		p := open(t, lambda.Options{Endpoint: (&api{answer: tt.answer}).serve(t)})
		got := p.Beyond(t.Context(), []string{"shop"})
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || got != "" && !strings.Contains(got, "cannot be read (look up shop: ") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if got := p.Beyond(t.Context(), []string{"shop", theirs}); !strings.HasSuffix(got, "account 123456789012 of AWS's") {
			t.Errorf("%s, and a function by its ARN: %q", name, got)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "nobody's")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "nobody's")
	elsewhere := open(t, lambda.Options{Endpoint: "https://192.0.2.1", Existing: true, Region: "us-east-1"})
	if got := elsewhere.Beyond(t.Context(), nil); got != "https://192.0.2.1" {
		t.Errorf("an endpoint elsewhere: %q", got)
	}
}

// TestCreation looks at what is sent to make a function.
func TestCreation(t *testing.T) {
	alone(t)
	a := &api{}
	function := hello(t)
	function.Env = map[string]string{"LEVEL": "debug"}
	p := open(t, lambda.Options{Endpoint: a.serve(t), Run: "abc"})
	d, err := p.Deploy(t.Context(), function)
	if err != nil {
		t.Fatal(err)
	}
	tags, _ := a.created["Tags"].(map[string]any)
	if a.created["FunctionName"] != "coldcurve-abc-hello" || tags["coldcurve:run"] != "abc" || a.created["Timeout"] != 3. || a.created["MemorySize"] != 128. {
		t.Errorf("created %v", a.created)
	}
	if err := d.Remove(t.Context()); err != nil || a.there {
		t.Errorf("remove: %v, still there: %v", err, a.there)
	}
	for want, edit := range map[string]func(*platform.Function){
		`runtime "wasm" is none of Lambda's`: func(f *platform.Function) { f.Runtime = platform.Wasm },
		"Lambda's are whole seconds":         func(f *platform.Function) { f.Timeout = 1500 * time.Millisecond },
		"memory and storage of Lambda are":   func(f *platform.Function) { f.Memory++ },
		"no such file or directory":          func(f *platform.Function) { f.Code += "/elsewhere" },
	} {
		f := hello(t)
		edit(&f)
		if _, err := p.Deploy(t.Context(), f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	alone(t)
	for want, o := range map[string]lambda.Options{
		"no region":                             {},
		"no execution role":                     {Region: "eu-central-1"},
		"is not this machine":                   {Region: "eu-central-1", Endpoint: "http://192.0.2.1:4566", Role: "arn:aws:iam::123456789012:role/r"},
		"endpoint is not a URL":                 {Endpoint: "127.0.0.1:9001"},
		`role "admin": write arn:`:              {Role: "admin"},
		"that they have: leave both out":        {Existing: true, Provisioned: 1},
		"choose one":                            {SnapStart: true, Provisioned: 1},
		`architecture "amd64": write x86_64`:    {Architecture: "amd64"},
		"platform lambda: no AWS credentials: ": {Region: "eu-central-1", Role: "arn:aws:iam::123456789012:role/r"},
		"no AWS credentials: access disabled":   {Region: "eu-central-1", Existing: true},
	} {
		_, err := lambda.New(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", o, err, want)
		}
	}
}

// TestCertificates has an endpoint's certificate vouched for by the file that
// AWS's own configuration names.
func TestCertificates(t *testing.T) {
	alone(t)
	server := httptest.NewTLSServer(&api{})
	defer server.Close()
	_, err := open(t, lambda.Options{Endpoint: server.URL}).Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Network, "deploy hello: tls: failed to verify certificate", "AWS_CA_BUNDLE")
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if _, err := open(t, lambda.Options{Endpoint: server.URL}).Deploy(t.Context(), hello(t)); err != nil {
		t.Errorf("with its certificate: %v", err)
	}
}

// TestArchive wants the same bytes of the same files, at whatever time, and
// nothing of what lies outside the folder.
func TestArchive(t *testing.T) {
	alone(t)
	a := &api{}
	p := open(t, lambda.Options{Endpoint: a.serve(t)})
	code := func(f platform.Function) string {
		if _, err := p.Deploy(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		return a.created["Code"].(map[string]any)["ZipFile"].(string)
	}
	f := hello(t)
	first := code(f)
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(f.Code, "bootstrap"), past, past); err != nil {
		t.Fatal(err)
	}
	if code(f) != first {
		t.Error("the same files at another time are another package")
	}
	text, err := base64.StdEncoding.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("%v: %+v", err, z)
	}
	r, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(r); err != nil || string(content) != "#!/bin/sh\n" {
		t.Errorf("%q, %v", content, err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(f.Code, "out")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Deploy(t.Context(), f); err == nil || !strings.Contains(err.Error(), "path escapes") {
		t.Errorf("a link out of the folder: %v", err)
	}
}
