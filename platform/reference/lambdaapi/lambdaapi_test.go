package lambdaapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// handle is the function of these tests: it does as its payload says.
func handle(_ string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
	switch string(inv.Payload) {
	case `"crash"`:
		return nil, &sandbox.Failure{Kind: sample.Crash, Cause: errors.New("exit status 1"), Type: "Runtime.ExitError", Message: "exit status 1"}
	case `"wait"`:
		<-kill
	}
	return inv.Payload, nil
}

// world is a runtime whose instances are goroutines, and the functions in it.
type world struct {
	*engine.Runtime
	*catalog.Catalog
	events *queue
}

// queue keeps the events that it gets.
type queue struct {
	mu     sync.Mutex
	events []engine.Invocation
}

func (q *queue) Accept(_, _ string, inv engine.Invocation) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, inv)
	return engine.NewRequestID(), nil
}

func newRuntime(t testing.TB, policy lifecycle.Policy, meter ...engine.Meter) *world {
	t.Helper()
	o := engine.Options{Policy: policy}
	if len(meter) > 0 {
		o.Meter = meter[0]
	}
	return newWorld(t, o, handle)
}

// newRuntimeWith is a runtime whose functions tell what they get.
func newRuntimeWith(t testing.TB, tell func(*sandbox.Invocation)) *world {
	t.Helper()
	return newWorld(t, engine.Options{Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(name string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
		tell(inv)
		return handle(name, inv, kill)
	})
}

func newWorld(t testing.TB, o engine.Options, handler func(string, *sandbox.Invocation, <-chan struct{}) ([]byte, error)) *world {
	t.Helper()
	o.Clock = clock.New()
	o.Sandboxes = map[string]sandbox.Sandbox{"memory": &memory.Sandbox{Clock: o.Clock, Handler: handler}}
	rt, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	functions, err := catalog.Open(catalog.Options{Runtime: rt})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		if err := errors.Join(rt.Close(over), functions.Close()); err != nil {
			t.Error(err)
		}
	})
	return &world{rt, functions, &queue{}}
}

func newAPI(t testing.TB, w *world, edit ...func(*lambdaapi.Options)) *lambdaapi.Handler {
	t.Helper()
	o := lambdaapi.Options{
		Runtime: w.Runtime, Catalog: w.Catalog, Events: w.events,
		Describe:    func() platform.Description { return platform.Description{Name: "reference"} },
		FunctionURL: func(_, id string) string { return "http://" + id + ".lambda-url.localhost:9001/" },
	}
	for _, edit := range edit {
		edit(&o)
	}
	h, err := lambdaapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// create makes a function and waits until it can be invoked.
func create(t testing.TB, h http.Handler, name string) {
	t.Helper()
	if w := do(h, "POST", functions, creation(t, name)); w.Code != http.StatusCreated {
		t.Fatalf("create %s: %d %s", name, w.Code, w.Body)
	}
	settle(t, h, name)
}

// settle waits until nothing is under way with a function.
func settle(t testing.TB, h http.Handler, name string) lambdaapi.Configuration {
	t.Helper()
	for range 5000 {
		var c lambdaapi.Configuration
		if w := do(h, "GET", functions+"/"+name+"/configuration", ""); json.Unmarshal(w.Body.Bytes(), &c) != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		if c.State != catalog.Pending && c.LastUpdateStatus != catalog.InProgress {
			return c
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s does not settle", name)
	return lambdaapi.Configuration{}
}

func do(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func creation(t testing.TB, name string) string {
	return fmt.Sprintf(`{"FunctionName":%q,"Runtime":"provided.al2023","Role":"arn:aws:iam::1:role/r","MemorySize":256,
		"Timeout":2.5,"Environment":{"Variables":{"A":"b"}},"Code":{"LocalFolder":%q}}`, name, t.TempDir())
}

const functions = "/2015-03-31/functions"

func TestFunctionFromCreationToDeletion(t *testing.T) {
	h := newAPI(t, newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute}))
	if w := do(h, "POST", functions, creation(t, "hello")); w.Code != http.StatusCreated {
		t.Fatalf("create: %d %s", w.Code, w.Body)
	}
	if w := do(h, "POST", functions, creation(t, "hello")); w.Code != http.StatusConflict || w.Header().Get("X-Amzn-ErrorType") != "ResourceConflictException" {
		t.Errorf("create again: %d %s", w.Code, w.Body)
	}
	settle(t, h, "hello")
	var got map[string]any
	if err := json.Unmarshal(do(h, "GET", functions+"/hello/configuration", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	modified, _ := got["LastModified"].(string)
	if _, err := time.Parse("2006-01-02T15:04:05.000-0700", modified); err != nil {
		t.Error(err)
	}
	revision, _ := got["RevisionId"].(string)
	if len(revision) != 36 {
		t.Errorf("revision %q", revision)
	}
	delete(got, "LastModified")
	delete(got, "RevisionId")
	delete(got, "Architectures") // the machine's
	want := map[string]any{
		"FunctionName": "hello", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:hello",
		"Runtime": "provided.al2023", "Role": "arn:aws:iam::1:role/r", "Timeout": 3., "MemorySize": 256., "Version": "$LATEST",
		"Environment": map[string]any{"Variables": map[string]any{"A": "b"}}, "Description": "", "CodeSize": 0.,
		"PackageType": "Zip", "State": "Active", "LastUpdateStatus": "Successful",
		"EphemeralStorage": map[string]any{"Size": 512.}, "TracingConfig": map[string]any{"Mode": "PassThrough"},
		"SnapStart":     map[string]any{"ApplyOn": "None", "OptimizationStatus": "Off"},
		"LoggingConfig": map[string]any{"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	for _, name := range []string{"hello", "hello:$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:hello", "000000000000:function:hello", "hello?Qualifier=$LATEST"} {
		if w := do(h, "POST", functions+"/"+strings.Replace(name, "?", "/invocations?", 1)+map[bool]string{false: "/invocations"}[strings.Contains(name, "?")], `{}`); w.Code != http.StatusOK {
			t.Errorf("invoke %s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := do(h, "GET", functions+"/", ""); !strings.Contains(w.Body.String(), `{"Functions":[{"FunctionName":"hello"`) {
		t.Errorf("list: %s", w.Body)
	}
	if w := do(h, "DELETE", functions+"/hello", ""); w.Code != http.StatusNoContent {
		t.Errorf("delete: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", functions+"/hello", ""); w.Code != http.StatusNotFound || w.Body.String() !=
		`{"Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello","Type":"User"}` {
		t.Errorf("get what was deleted: %d %s", w.Code, w.Body)
	}
}

func TestInvoke(t *testing.T) {
	h := newAPI(t, newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute}))
	create(t, h, "hello")
	invocations := functions + "/hello/invocations"

	w := do(h, "POST", invocations, `{"x":1}`, "X-Amz-Log-Type", "Tail")
	header := w.Header()
	if w.Code != http.StatusOK || w.Body.String() != `{"x":1}` {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	if header.Get("X-Coldcurve-Start") != "cold" || header.Get("X-Coldcurve-Instance") != "hello-1" ||
		header.Get("X-Amz-Executed-Version") != "$LATEST" || len(header.Get("x-amzn-RequestId")) != 36 ||
		header.Get("X-Amz-Function-Error") != "" || header.Get("X-Coldcurve-Error-Kind") != "" {
		t.Errorf("headers %v", header)
	}
	truth, err := engine.ParseTruth(header.Get("X-Coldcurve-Truth"))
	if err != nil || truth.Arrived == 0 || truth.Arrived > truth.Assigned || truth.Assigned > truth.Provisioned ||
		truth.Provisioned > truth.Ready || truth.Ready > truth.HandlerStart || truth.HandlerEnd > truth.Replied {
		t.Errorf("truth %+v, %v", truth, err)
	}
	log, err := base64.StdEncoding.DecodeString(header.Get("X-Amz-Log-Result"))
	if err != nil || !bytes.HasPrefix(log, []byte("START RequestId: "+header.Get("x-amzn-RequestId")+" Version: $LATEST\n")) ||
		!bytes.Contains(log, []byte("\nREPORT RequestId: ")) {
		t.Errorf("log %q, %v", log, err)
	}

	w = do(h, "POST", invocations, "")
	if w.Body.String() != "{}" || w.Header().Get("X-Coldcurve-Start") != "warm" || w.Header().Get("X-Amz-Log-Result") != "" {
		t.Errorf("without a payload: %s, %v", w.Body, w.Header())
	}

	w = do(h, "POST", invocations, `"crash"`)
	if w.Code != http.StatusOK || w.Header().Get("X-Amz-Function-Error") != "Unhandled" ||
		w.Header().Get("X-Coldcurve-Error-Kind") != "crash" || w.Body.String() != `{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}` {
		t.Errorf("crash: %d %s %v", w.Code, w.Body, w.Header())
	}
	if w := do(h, "POST", invocations, `{}`, "X-Amz-Invocation-Type", "DryRun"); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
		t.Errorf("dry run: %d %s", w.Code, w.Body)
	}
}

func TestRefusals(t *testing.T) {
	rt := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute, Concurrency: 100})
	h := newAPI(t, rt)
	create(t, h, "hello")
	create(t, h, "none")
	if w := do(h, "PUT", "/2017-10-31/functions/none/concurrency", `{"ReservedConcurrentExecutions":0}`); w.Code != http.StatusOK {
		t.Fatalf("reserve: %d %s", w.Code, w.Body)
	}
	big := strings.Repeat("x", 6<<20+1)
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		errorType, kind          string
	}{
		{"throttled", "POST", functions + "/none/invocations", "{}", nil, 429, "TooManyRequestsException", "throttled"},
		{"unknown function", "POST", functions + "/other/invocations", "{}", nil, 404, "ResourceNotFoundException", "refused"},
		{"unknown version", "POST", functions + "/hello:7/invocations", "{}", nil, 404, "ResourceNotFoundException", "refused"},
		{"unknown alias", "POST", functions + "/hello/invocations?Qualifier=prod", "{}", nil, 404, "ResourceNotFoundException", "refused"},
		{"bad query", "POST", functions + "/hello/invocations?Qualifier=%zz", "{}", nil, 400, "InvalidRequestContentException", "refused"},
		{"too large", "POST", functions + "/hello/invocations", big, nil, 413, "RequestTooLargeException", "payload"},
		{"payload", "POST", functions + "/hello/invocations", "{", nil, 400, "InvalidRequestContentException", "refused"},
		{"wrong type", "POST", functions, `{"FunctionName":"z","MemorySize":"big"}`, nil, 400, "InvalidRequestContentException", "refused"},
		{"big event", "POST", functions + "/hello/invocations", `"` + big[:1<<20] + `"`, []string{"X-Amz-Invocation-Type", "Event"}, 413, "RequestTooLargeException", "payload"},
		{"event for nobody", "POST", functions + "/other/invocations", "{}", []string{"X-Amz-Invocation-Type", "Event"}, 404, "ResourceNotFoundException", "refused"},
		{"trigger", "POST", functions + "/hello/invocations", "{}", []string{"X-Coldcurve-Trigger", "luck"}, 400, "InvalidParameterValueException", "refused"},
		{"client context", "POST", functions + "/hello/invocations", "{}", []string{"X-Amz-Client-Context", "e30"}, 400, "InvalidRequestContentException", "refused"},
		{"S3", "POST", functions, `{"FunctionName":"z","Runtime":"python3.12","Code":{"S3Bucket":"b","S3Key":"k"}}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"marker", "GET", functions + "?MaxItems=x", "", nil, 400, "InvalidParameterValueException", "refused"},
		{"no type", "POST", functions + "/hello/invocations", "{}", []string{"X-Amz-Invocation-Type", "Wish"}, 400, "InvalidParameterValueException", "refused"},
		{"zip", "POST", functions, `{"FunctionName":"z","Runtime":"python3.12","Code":{"ZipFile":"UEsDBA=="}}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"no code", "POST", functions, `{"FunctionName":"z","Runtime":"python3.12"}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"runtime", "POST", functions, `{"FunctionName":"z","Runtime":"cobol","Code":{"LocalFolder":"/"}}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"memory", "POST", functions, `{"FunctionName":"z","Runtime":"python3.12","MemorySize":64,"Code":{"LocalFolder":"/"}}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"no JSON", "POST", functions, `{`, nil, 400, "InvalidRequestContentException", "refused"},
		{"reserve too much", "PUT", "/2017-10-31/functions/hello/concurrency", `{"ReservedConcurrentExecutions":101}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"reserve nothing", "PUT", "/2017-10-31/functions/hello/concurrency", `{}`, nil, 400, "InvalidParameterValueException", "refused"},
		{"no operation", "GET", "/", "", nil, 404, "UnknownOperationException", "refused"},
		{"evict nothing", "POST", "/coldcurve/v1/functions/other/evict", "", nil, 404, "ResourceNotFoundException", "refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := do(h, tt.method, tt.path, tt.body, tt.header...)
			if w.Code != tt.status || w.Header().Get("X-Amzn-ErrorType") != tt.errorType || w.Header().Get("X-Coldcurve-Error-Kind") != tt.kind {
				t.Errorf("%d %v, want %d %s (%s)", w.Code, w.Header(), tt.status, tt.errorType, tt.kind)
			}
			checkError(t, w)
			t.Logf("%s", w.Body)
		})
	}
	w := do(h, "POST", functions+"/none/invocations", "{}")
	if got, want := w.Body.String(), `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`; got != want {
		t.Errorf("throttled: %s, want %s", got, want)
	}
}

// checkError wants a document that an SDK can read.
func checkError(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var doc struct{ Type, Message string }
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.Message == "" || doc.Type != "User" && doc.Type != "Service" {
		t.Errorf("status %d with document %q: %v", w.Code, w.Body, err)
	}
}

func TestConcurrencyOperations(t *testing.T) {
	h := newAPI(t, newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute}))
	create(t, h, "hello")
	const put, get = "/2017-10-31/functions/hello/concurrency", "/2019-09-30/functions/hello/concurrency"
	for _, step := range []struct{ method, path, body, want string }{
		{"GET", get, "", `{}`},
		{"PUT", put, `{"ReservedConcurrentExecutions":5}`, `{"ReservedConcurrentExecutions":5}`},
		{"GET", get, "", `{"ReservedConcurrentExecutions":5}`},
		{"DELETE", put, "", ``},
		{"GET", get, "", `{}`},
	} {
		if w := do(h, step.method, step.path, step.body); w.Code/100 != 2 || w.Body.String() != step.want {
			t.Errorf("%s %s: %d %s, want %s", step.method, step.path, w.Code, w.Body, step.want)
		}
	}
	do(h, "POST", functions+"/hello/invocations", "{}")
	for _, step := range []struct {
		method, body string
		status       int // of an invocation afterwards; there is an idle instance
	}{
		{"PUT", `{"ReservedConcurrentExecutions":5}`, http.StatusOK},
		{"PUT", `{"ReservedConcurrentExecutions":0}`, http.StatusTooManyRequests},
		{"DELETE", "", http.StatusOK},
	} {
		if w := do(h, step.method, put, step.body); w.Code/100 != 2 {
			t.Errorf("%s %s with an instance there: %d %s", step.method, step.body, w.Code, w.Body)
		}
		if w := do(h, "POST", functions+"/hello/invocations", "{}"); w.Code != step.status {
			t.Errorf("invoke after %s %s: %d %s", step.method, step.body, w.Code, w.Body)
		}
	}
}

func TestReservationsLeaveAHundred(t *testing.T) {
	h := newAPI(t, newRuntime(t, lifecycle.Policy{Concurrency: 150}))
	create(t, h, "hello")
	const put = "/2017-10-31/functions/hello/concurrency"
	if w := do(h, "PUT", put, `{"ReservedConcurrentExecutions":50}`); w.Code != http.StatusOK {
		t.Errorf("50 of 150: %d %s", w.Code, w.Body)
	}
	w := do(h, "PUT", put, `{"ReservedConcurrentExecutions":51}`)
	if w.Code != http.StatusBadRequest || w.Header().Get("X-Amzn-ErrorType") != "InvalidParameterValueException" || !strings.Contains(w.Body.String(), "[100]") {
		t.Errorf("51 of 150: %d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestInstancesAreLines(t *testing.T) {
	h := newAPI(t, newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute}))
	create(t, h, "hello")
	do(h, "POST", functions+"/hello/invocations", "{}")
	do(h, "POST", "/coldcurve/v1/functions/hello/evict", "")
	do(h, "POST", functions+"/hello/invocations", "{}")
	var ids []string
	lines := bufio.NewScanner(do(h, "GET", "/coldcurve/v1/instances", "").Body)
	for lines.Scan() {
		var r platform.InstanceRecord
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID+" "+r.Reason)
	}
	if diff := cmp.Diff([]string{"hello-1 evicted", "hello-2 "}, ids); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
}

// direct opens a Direct and gives a connection to it.
func direct(t *testing.T, rt *world) net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := lambdaapi.NewDirect(lambdaapi.DirectOptions{Handler: newAPI(t, rt)})
	served := make(chan error, 1)
	go func() { served <- d.Serve(listener) }()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		d.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestDirectAnswersAsTheHandlerDoes(t *testing.T) {
	rt := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute})
	h := newAPI(t, rt)
	create(t, h, "hello")
	do(h, "POST", functions+"/hello/invocations", "{}") // both find it warm
	c := direct(t, rt)
	in := bufio.NewReader(c)
	for _, tt := range []struct{ name, payload string }{
		{"hello", `{"x":1}`}, {"hello", ""}, {"other", "{}"}, {"hello", `"` + strings.Repeat("x", 100_000) + `"`},
	} {
		path := functions + "/" + tt.name + "/invocations"
		want := do(h, "POST", path, tt.payload)
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", path, len(tt.payload), tt.payload)
		got, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body := new(bytes.Buffer)
		if _, err := body.ReadFrom(got.Body); err != nil {
			t.Fatal(err)
		}
		if got.StatusCode != want.Code || !bytes.Equal(body.Bytes(), want.Body.Bytes()) {
			t.Errorf("%s: %d %.100s, want %d %.100s", tt.name, got.StatusCode, body, want.Code, want.Body)
		}
		for name := range want.Header() {
			same := got.Header.Get(name) == want.Header().Get(name)
			if varies := strings.HasPrefix(name, "X-Amzn-Req") || name == "X-Coldcurve-Truth" || name == "X-Coldcurve-Billed-Ns"; !varies && !same {
				t.Errorf("%s: header %s: %q, want %q", tt.name, name, got.Header.Get(name), want.Header().Get(name))
			}
		}
	}
}

func TestDirectRefusesWhatItDoesNotUnderstand(t *testing.T) {
	rt := newRuntime(t, lifecycle.Policy{})
	create(t, newAPI(t, rt), "hello")
	const invocations = functions + "/hello/invocations"
	for request, want := range map[string]int{
		"GET / HTTP/1.1\r\n\r\n":                                                      400,
		"nonsense\r\n\r\n":                                                            400,
		"POST " + invocations + " HTTP/1.1\r\n\r\n":                                   400,
		"POST " + invocations + " HTTP/1.1\r\nContent-Length: -1\r\n\r\n":             400,
		"POST " + invocations + " HTTP/1.1\r\nContent-Length: 1e9\r\n\r\n":            400,
		"POST " + invocations + " HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n":      413,
		"POST " + invocations + " HTTP/1.1\r\nX: " + strings.Repeat("x", 9999) + "\n": 400,
	} {
		c := direct(t, rt)
		if _, err := c.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		got, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || got.StatusCode != want {
			t.Errorf("%.60q: %v, %v; want status %d", request, got, err, want)
		} else if !got.Close {
			t.Errorf("%.60q: the answer does not tell that the connection ends", request)
		}
	}
}

func TestDirectLearnsThatItsCallerHasGone(t *testing.T) {
	rt := newRuntime(t, lifecycle.Policy{Concurrency: 1, QueueLimit: 1, KeepAlive: time.Minute})
	h := newAPI(t, rt)
	create(t, h, "hello")
	send := func() net.Conn {
		c := direct(t, rt)
		fmt.Fprintf(c, "POST %s/hello/invocations HTTP/1.1\r\nContent-Length: 6\r\n\r\n\"wait\"", functions)
		return c
	}
	send() // holds the only instance until the end
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	full := func() bool {
		time.Sleep(10 * time.Millisecond)
		_, err := rt.Invoke(impatient, "hello", "", engine.Invocation{}) // leaves the queue at once, if it gets in
		e, _ := errors.AsType[*engine.Error](err)
		return e != nil && e.Code == engine.Throttled
	}
	for range 6000 { // until the first request is served
		if r, _ := rt.Instances(); len(r) == 1 && r[0].Invocations == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	waits := send()
	for i := 0; !full(); i++ {
		if i == 6000 {
			t.Fatal("the second request does not wait")
		}
	}
	waits.Close()
	for i := 0; full(); i++ {
		if i == 6000 {
			t.Fatal("the second request still waits after its caller has gone")
		}
	}
}

// TestDirectCloseLetsAnswersEnd: who is being answered gets the rest, and who
// is between requests is let go.
func TestDirectCloseLetsAnswersEnd(t *testing.T) {
	for _, reads := range []bool{true, false} {
		rt := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute})
		create(t, newAPI(t, rt), "hello")
		listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Fatal(err)
		}
		d := lambdaapi.NewDirect(lambdaapi.DirectOptions{Handler: newAPI(t, rt)})
		served, closed := make(chan error, 1), make(chan error, 1)
		go func() { served <- d.Serve(listener) }()
		var conns [2]net.Conn
		for i := range conns {
			if conns[i], err = net.Dial("unix", listener.Addr().String()); err != nil {
				t.Fatal(err)
			}
			defer conns[i].Close()
		}
		busy, resting := conns[0], conns[1]
		invoke := func(c net.Conn, size int) *bufio.Reader {
			fmt.Fprintf(c, "POST %s/hello/invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", functions, size, strings.Repeat("x", size))
			in := bufio.NewReader(c)
			if _, err := in.Peek(1); err != nil {
				t.Fatal(err)
			}
			return in
		}
		rest := invoke(resting, 1)
		if answer, err := http.ReadResponse(rest, nil); err != nil || len(readAll(t, answer.Body)) != 1 {
			t.Fatal(answer, err)
		}
		const size = 5 << 20 // more than the socket's buffers
		in := invoke(busy, size)
		go func() { closed <- d.Close() }()
		if _, err := rest.Peek(1); err == nil {
			t.Error("there is an answer to no request")
		}
		if reads {
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(readAll(t, answer.Body)); got != size {
				t.Errorf("%d bytes of the answer's %d", got, size)
			}
		}
		if err := errors.Join(<-closed, <-served); err != nil {
			t.Error(err)
		}
	}
}

func readAll(t *testing.T, r io.Reader) []byte {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return text
}

// FuzzAPI: whatever is asked, the status is one of HTTP's and an error is a
// document that an SDK can read.
func FuzzAPI(f *testing.F) {
	f.Add("POST", functions, `{"FunctionName":"x","Runtime":"python3.12","Code":{"LocalFolder":"/"}}`, "")
	f.Add("POST", functions+"/hello/invocations", `{}`, "Qualifier=$LATEST")
	f.Add("POST", functions+"/hello/invocations", `"crash"`, "")
	f.Add("PUT", "/2017-10-31/functions/hello/concurrency", `{"ReservedConcurrentExecutions":1}`, "")
	f.Add("GET", "/2019-09-30/functions/hello/concurrency", "", "")
	f.Add("GET", functions+"/arn:aws:lambda:us-east-1:000000000000:function:hello", "", "")
	f.Add("PUT", functions+"/hello/code", `{"ZipFile":"UEsDBA==","DryRun":true}`, "")
	f.Add("PUT", functions+"/hello/configuration", `{"Timeout":1e300,"MemorySize":-1,"VpcConfig":{"SubnetIds":["s"]}}`, "")
	f.Add("POST", functions+"/hello/aliases", `{"Name":"live","FunctionVersion":"$LATEST","RoutingConfig":{"AdditionalVersionWeights":{"1":2}}}`, "")
	f.Add("GET", functions, "", "MaxItems=1&Marker=x&FunctionVersion=ALL")
	f.Add("PUT", "/2019-09-30/functions/hello/provisioned-concurrency", `{"ProvisionedConcurrentExecutions":1}`, "Qualifier=1")
	f.Add("POST", "/2021-10-31/functions/hello/url", `{"AuthType":"NONE","Cors":{"MaxAge":-1}}`, "")
	f.Add("PUT", "/2019-09-25/functions/hello/event-invoke-config", `{"MaximumEventAgeInSeconds":9223372036854775807,"DestinationConfig":{"OnFailure":{}}}`, "")
	f.Add("GET", "/2016-08-19/account-settings", "", "")
	f.Add("GET", "/coldcurve/v1/instances", "", "")
	f.Add("POST", "/coldcurve/v1/functions/hello/evict", "", "")
	h := newAPI(f, newRuntime(f, lifecycle.Policy{Concurrency: 10, KeepAlive: time.Minute}))
	f.Fuzz(func(t *testing.T, method, path, body, query string) {
		if body == `"wait"` {
			t.Skip("would wait for ever")
		}
		if w := do(h, "GET", functions+"/hello", ""); w.Code == http.StatusNotFound {
			create(t, h, "hello") // a delete has been tried
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL.Path, r.URL.RawQuery = method, path, query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("status %d", w.Code)
		}
		if w.Code >= 400 {
			checkError(t, w)
			if w.Header().Get("X-Amzn-ErrorType") == "" {
				t.Errorf("status %d without an error type", w.Code)
			}
		}
	})
}
