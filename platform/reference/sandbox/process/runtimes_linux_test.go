package process_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/aws/aws-lambda-go/lambda" // testdata/awslambdago needs it, and go mod tidy does not look there
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/google/go-cmp/cmp"
)

// awsLambdaGo builds a function with AWS's own library.
func awsLambdaGo(t *testing.T) *sandbox.Spec {
	t.Helper()
	s := spec(t, "")
	s.Function.Code = t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(s.Function.Code, "bootstrap"), "./testdata/awslambdago").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return s
}

// TestAWSLibraryServesSeveralAtOnce has three requests wait for each other on
// one instance.
func TestAWSLibraryServesSeveralAtOnce(t *testing.T) {
	s := open(t, process.Options{})
	shop := awsLambdaGo(t)
	shop.Slots = 3
	if err := s.Shares(shop); err != nil {
		t.Fatal(err)
	}
	in := ready(t, s, shop)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			inv := invocation(`{"name":"three"}`, 10*time.Second)
			inv.RequestID = fmt.Sprintf("request-%d", i)
			r, err := in.Invoke(t.Context(), inv)
			if err != nil || r.FunctionError != "" || !strings.Contains(string(r.Body), `"request_id":"`+inv.RequestID+`"`) {
				t.Errorf("request %d: %s %s, %v", i, r.FunctionError, r.Body, err)
			}
		})
	}
	all.Wait()
	// One that nobody joins runs into its own deadline, and takes the instance with it.
	lonely := invocation(`{"name":"hang"}`, 200*time.Millisecond)
	if _, err := in.Invoke(t.Context(), lonely); err == nil {
		t.Error("a request that never ends has ended")
	} else {
		failure(t, err, sample.Timeout)
	}
	python := *shop
	python.Function.Runtime = platform.Python
	if err := s.Shares(&python); err == nil {
		t.Error("Python's client fetches one request after the other, and may have several")
	}
}

// TestAWSLibrary runs a function that is built with aws-lambda-go, unmodified.
func TestAWSLibrary(t *testing.T) {
	s := open(t, process.Options{})
	shop := awsLambdaGo(t)
	in := ready(t, s, shop)

	inv := invocation(`{"name":"world"}`, 10*time.Second)
	r, err := in.Invoke(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
	want := map[string]any{"greeting": "hello world", "request_id": inv.RequestID, "arn": shop.ARN,
		"deadline_ms": float64(inv.Deadline.UnixMilli()), "function": "shop", "memory_mb": 256.}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	if string(r.Log) != "serving world\n" {
		t.Errorf("got log %q", r.Log)
	}

	r = invoke(t, in, `{}`)
	if r.FunctionError != "Unhandled" || !strings.Contains(string(r.Body), `"errorMessage":"nobody to greet"`) {
		t.Errorf("an error came as %q %s", r.FunctionError, r.Body)
	}

	// The library reports a panic and then ends the process.
	r = invoke(t, in, `{"name":"panic"}`)
	if r.FunctionError != "Unhandled" || !strings.Contains(string(r.Body), "no such name") {
		t.Errorf("a panic came as %q %s", r.FunctionError, r.Body)
	}
	<-in.Done()
}

// interpreted is a handler for an interpreter and its runtime client.
type interpreted struct {
	runtime platform.Runtime
	program string
	file    string
	source  string // answers with the event's name, prints it, fails without one
	broken  string // fails at init
}

func interpreters() []interpreted {
	return []interpreted{
		{platform.NodeJS, "node", "index.mjs", `
export const handler = async (event) => {
  console.log("serving " + event.name);
  if (!event.name) throw new Error("nobody to greet");
  return { greeting: "hello " + event.name };
};
`, `throw new Error("no stock");`},
		{platform.Python, "python3", "index.py", `
def handler(event, context):
    print("serving", event.get("name"))
    if not event.get("name"):
        raise ValueError("nobody to greet")
    return {"greeting": "hello " + event["name"]}
`, `raise ValueError("no stock")`},
	}
}

func (i interpreted) spec(t *testing.T, source string) *sandbox.Spec {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, i.file), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	s := spec(t, "")
	s.Function.Runtime, s.Function.Code, s.Function.Handler = i.runtime, dir, "index.handler"
	s.Memory, s.Timeout = 1769<<20, 30*time.Second
	return s
}

func withClients(t *testing.T) process.Options {
	t.Helper()
	dir, err := fixtures.RuntimeClients(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return process.Options{RuntimeClients: dir}
}

// TestPythonContext: what the caller tells of itself, and who it is, is got as
// from AWS's own client, and is None where nobody tells it.
func TestPythonContext(t *testing.T) {
	need.Program(t, "python3")
	s := open(t, withClients(t))
	python := interpreters()[1]
	in := ready(t, s, python.spec(t, `
def handler(event, context):
    c = context.client_context
    return [context.identity.cognito_identity_id, c and [c.custom["a"], c.env, c.client.app_title, c.client.installation_id]]
`))
	told := invocation("{}", time.Minute)
	told.ClientContext = []byte(`{"custom": {"a": 1}, "client": {"app_title": "shop"}}`)
	for want, inv := range map[string]*sandbox.Invocation{`[null,null]`: invocation("{}", time.Minute), `[null,[1,null,"shop",null]]`: told} {
		r, err := in.Invoke(t.Context(), inv)
		if got := strings.Join(strings.Fields(string(r.Body)), ""); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// TestExecutionEnvironment: what the function asked for, whatever runs here.
func TestExecutionEnvironment(t *testing.T) {
	says := map[platform.Runtime]string{
		platform.NodeJS: `export const handler = async () => process.env.AWS_EXECUTION_ENV;`,
		platform.Python: "import os\ndef handler(event, context):\n    return os.environ['AWS_EXECUTION_ENV']\n",
	}
	for _, i := range interpreters() {
		t.Run(string(i.runtime), func(t *testing.T) {
			need.Program(t, i.program)
			s := open(t, withClients(t))
			for identifier, want := range map[string]string{
				i.program + "99.x": "AWS_Lambda_" + i.program + "99.x",
				"":                 "AWS_Lambda_" + string(i.runtime),
			} {
				shop := i.spec(t, says[i.runtime])
				shop.Identifier = identifier
				if got := string(invoke(t, ready(t, s, shop), `{}`).Body); got != strconv.Quote(want) {
					t.Errorf("asked for as %q it has %s, want %q", identifier, got, want)
				}
			}
		})
	}
}

func TestInterpreters(t *testing.T) {
	for _, i := range interpreters() {
		t.Run(string(i.runtime), func(t *testing.T) {
			need.Program(t, i.program)
			s := open(t, withClients(t))
			shop := i.spec(t, i.source)
			if err := s.Prepare(t.Context(), shop); err != nil {
				t.Fatal(err)
			}
			if path := s.Facts()["interpreter."+string(i.runtime)]; !filepath.IsAbs(path) {
				t.Errorf("the facts name interpreter %q", path)
			}
			if what, version := s.Interpreter(shop); !strings.HasSuffix(what, " "+version) || strings.Count(version, ".") != 2 {
				t.Errorf("it is told as %q of version %q", what, version)
			}
			in := start(t, s, shop)
			marks, err := in.AwaitReady(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if marks.Booted < marks.Provisioned || marks.Booted > marks.Ready {
				t.Errorf("marks out of order: %+v", marks)
			}
			r := invoke(t, in, `{"name":"world"}`)
			if got := strings.Join(strings.Fields(string(r.Body)), ""); got != `{"greeting":"helloworld"}` {
				t.Errorf("got %s", r.Body)
			}
			if !strings.Contains(string(r.Log), "serving world\n") {
				t.Errorf("got log %q", r.Log)
			}
			r = invoke(t, in, `{}`)
			if r.FunctionError != "Unhandled" || !strings.Contains(string(r.Body), "nobody to greet") {
				t.Errorf("an error came as %q %s", r.FunctionError, r.Body)
			}
			invoke(t, in, `{"name":"again"}`)
		})
		t.Run(string(i.runtime)+" fails at init", func(t *testing.T) {
			need.Program(t, i.program)
			s := open(t, withClients(t))
			_, err := start(t, s, i.spec(t, i.broken)).AwaitReady(t.Context())
			if f := failure(t, err, sample.Init); !strings.Contains(f.Message, "no stock") {
				t.Errorf("got %q %q", f.Type, f.Message)
			}
		})
	}
}

// TestMaxMemoryHasWhatTheProcessSees compares what is told of an instance with
// the kernel's account of the process, most of which is an interpreter's file.
func TestMaxMemoryHasWhatTheProcessSees(t *testing.T) {
	need.Program(t, "python3")
	s := open(t, withClients(t))
	in := ready(t, s, interpreters()[1].spec(t, `
def handler(event, context):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
`))
	seen, err := strconv.ParseInt(string(invoke(t, in, "{}").Body), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if told := in.MaxMemory(); told < seen {
		t.Errorf("told %d bytes, the process had %d", told, seen)
	}
	if err := in.Stop(false); err != nil {
		t.Fatal(err)
	}
	if told := in.MaxMemory(); told < seen {
		t.Errorf("told %d bytes after its end, the process had %d", told, seen)
	}
}

func TestRuntimeWithoutItsClient(t *testing.T) {
	s := open(t, process.Options{})
	shop := spec(t, "")
	shop.Function.Runtime = platform.Python
	if err := s.Prepare(t.Context(), shop); err == nil || !strings.Contains(err.Error(), "runtime client") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Start(t.Context(), "i-1", shop, sandbox.OnDemand); errors.Unwrap(err) == nil {
		t.Errorf("got %v", err)
	}
}
