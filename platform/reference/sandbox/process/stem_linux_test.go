package process_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// boot gives a stem that can be assigned.
func boot(t testing.TB, s *process.Sandbox, runtime platform.Runtime) sandbox.Stem {
	t.Helper()
	st, err := s.Boot(t.Context(), "s-1", runtime)
	if err != nil {
		t.Fatalf("boot: %v", err)
	}
	if err := st.AwaitBooted(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

func assign(t testing.TB, st sandbox.Stem, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in, err := st.Assign(t.Context(), "i-1", spec, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("assign: %v", err)
	}
	return in
}

// awaited gives the marks of an instance that gets ready.
func awaited(t testing.TB, in sandbox.Instance) sandbox.Marks {
	t.Helper()
	m, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatalf("await ready: %v", err)
	}
	return m
}

func expectMarks(t *testing.T, m sandbox.Marks, kind sample.Start) {
	t.Helper()
	if m.Start != kind {
		t.Errorf("got start %v, want %v", m.Start, kind)
	}
	if !(0 < m.Begun && m.Begun < m.Provisioned && m.Provisioned <= m.Booted && m.Booted < m.Ready) || m.Attempts != 1 {
		t.Errorf("marks out of order: %+v", m)
	}
}

func TestStemBecomesAnInstance(t *testing.T) {
	for _, i := range interpreters() {
		t.Run(string(i.runtime), func(t *testing.T) {
			need.Program(t, i.program)
			s := open(t, withClients(t))
			in := assign(t, boot(t, s, i.runtime), i.spec(t, i.source))
			expectMarks(t, awaited(t, in), sample.Prewarmed)
			r := invoke(t, in, `{"name":"world"}`)
			if got := strings.Join(strings.Fields(string(r.Body)), ""); got != `{"greeting":"helloworld"}` {
				t.Errorf("got %s", r.Body)
			}
			if !strings.HasSuffix(string(r.Log), "serving world\n") {
				t.Errorf("got log %q", r.Log)
			}
			if err := in.Stop(false); err != nil {
				t.Error(err)
			}
			select {
			case <-in.Done():
			default:
				t.Error("done is open after stop")
			}
		})
	}
}

// surroundings are handlers that tell their environment, folder and arguments.
func surroundings() map[platform.Runtime]string {
	return map[platform.Runtime]string{
		platform.NodeJS: `export const handler = async () => ({ env: process.env, dir: process.cwd(), zone: new Date(0).toString() });`,
		platform.Python: "import os, time\ndef handler(event, context):\n    return {'env': dict(os.environ), 'dir': os.getcwd(), 'zone': time.strftime('%H', time.localtime(0))}\n",
	}
}

// TestStemIsAsIfStartedPlain compares what a function can see of where it runs.
func TestStemIsAsIfStartedPlain(t *testing.T) {
	for _, i := range interpreters() {
		t.Run(string(i.runtime), func(t *testing.T) {
			need.Program(t, i.program)
			t.Setenv("COLDCURVE_SECRET", "ours")
			s := open(t, withClients(t))
			shop := i.spec(t, surroundings()[i.runtime])
			shop.Function.Env["TZ"], shop.Function.Env["GREETING"] = "Asia/Tokyo", "grüezi"
			plain := told(t, ready(t, s, shop))
			grown := assign(t, boot(t, s, i.runtime), shop)
			awaited(t, grown)
			if got := told(t, grown); got != plain {
				t.Errorf("got\n%s\nwant what a plain start has:\n%s", got, plain)
			}
		})
	}
}

// TestStemIsToldWhy: it boots before anybody knows, and its function reads it.
func TestStemIsToldWhy(t *testing.T) {
	for _, i := range interpreters() {
		t.Run(string(i.runtime), func(t *testing.T) {
			need.Program(t, i.program)
			shop := i.spec(t, surroundings()[i.runtime])
			shop.Function.Env["GREETING"] = "grüezi"
			in, err := boot(t, open(t, withClients(t)), i.runtime).Assign(t.Context(), "i-1", shop, sandbox.Provisioned)
			if err != nil {
				t.Fatal(err)
			}
			awaited(t, in)
			if got := told(t, in); !strings.Contains(got, `"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"`) {
				t.Errorf("it has\n%s", got)
			}
		})
	}
}

// told is the handler's account, without what differs between instances.
func told(t *testing.T, in sandbox.Instance) string {
	t.Helper()
	var account struct {
		Env       map[string]string
		Dir, Zone string
	}
	if err := json.Unmarshal(invoke(t, in, "{}").Body, &account); err != nil {
		t.Fatal(err)
	}
	if account.Env["GREETING"] != "grüezi" {
		t.Errorf("the function's variable is %q", account.Env["GREETING"])
	}
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "_X_AMZN_TRACE_ID"} {
		if account.Env[name] == "" {
			t.Errorf("%s is not set", name)
		}
		account.Env[name] = "..."
	}
	text, err := json.MarshalIndent(account, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStemHoldsNothing reads a stem's environment from outside.
func TestStemHoldsNothing(t *testing.T) {
	need.Program(t, "python3")
	t.Setenv("COLDCURVE_SECRET", "ours")
	o := withClients(t)
	s := open(t, o)
	boot(t, s, platform.Python)
	pids := running(o.RuntimeClients)
	if len(pids) != 1 {
		t.Fatalf("got processes %v, want the stem's", pids)
	}
	text, err := os.ReadFile(filepath.Join("/proc", pids[0], "environ"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for pair := range strings.SplitSeq(strings.TrimRight(string(text), "\x00"), "\x00") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "AWS_LAMBDA_RUNTIME_API COLDCURVE_START LANG PATH TZ" {
		t.Errorf("a stem's variables are %s", got)
	}
}

func TestStemIsBounded(t *testing.T) {
	need.Program(t, "python3")
	s := limited(t, withClients(t))
	python := interpreters()[1]
	shop := python.spec(t, "def handler(event, context):\n    return len(bytearray(event['size']))\n")
	shop.Memory = 128 << 20
	in := assign(t, boot(t, s, platform.Python), shop)
	awaited(t, in)
	invoke(t, in, `{"size":10000000}`)
	_, err := in.Invoke(t.Context(), invocation(`{"size":200000000}`, 10*time.Second))
	failure(t, err, sample.OutOfMemory)
}

func TestStemFailsAtInit(t *testing.T) {
	need.Program(t, "node")
	s := open(t, withClients(t))
	node := interpreters()[0]
	m, err := assign(t, boot(t, s, platform.NodeJS), node.spec(t, node.broken)).AwaitReady(t.Context())
	if f := failure(t, err, sample.Init); !strings.Contains(f.Message, "no stock") {
		t.Errorf("got %q %q", f.Type, f.Message)
	}
	if m.Attempts != 2 || m.Start != sample.Cold {
		t.Errorf("got %d attempts of start %v, want 2, and the last is cold", m.Attempts, m.Start)
	}
}

// TestVariableThatIsReadAtBoot: a stem could not follow it.
func TestVariableThatIsReadAtBoot(t *testing.T) {
	need.Program(t, "node")
	s := open(t, withClients(t))
	shop := interpreters()[0].spec(t, `export const handler = async () => process.title;`)
	shop.Function.Env["NODE_OPTIONS"] = "--title=shop"
	st := boot(t, s, platform.NodeJS)
	in := assign(t, st, shop)
	expectMarks(t, awaited(t, in), sample.Cold)
	if got := string(invoke(t, in, "{}").Body); got != `"shop"` {
		t.Errorf("got title %s", got)
	}
	select {
	case <-st.Done():
	default:
		t.Error("the stem is still there")
	}
}

func TestStemIsUsedUp(t *testing.T) {
	need.Program(t, "python3")
	s := open(t, withClients(t))
	python := interpreters()[1]
	st := boot(t, s, platform.Python)
	in := assign(t, st, python.spec(t, python.source))
	if _, err := st.Assign(t.Context(), "i-2", python.spec(t, python.source), sandbox.OnDemand); err == nil {
		t.Error("a stem was assigned twice")
	}
	if err := st.Stop(); err != nil {
		t.Error(err)
	}
	awaited(t, in)
	invoke(t, in, `{"name":"still here"}`)
}

func TestStemThatIsStopped(t *testing.T) {
	need.Program(t, "python3")
	o := withClients(t)
	s := open(t, o)
	st := boot(t, s, platform.Python)
	for range 2 {
		if err := st.Stop(); err != nil {
			t.Error(err)
		}
	}
	<-st.Done()
	if pids := running(o.RuntimeClients); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
	python := interpreters()[1]
	if _, err := st.Assign(t.Context(), "i-1", python.spec(t, python.source), sandbox.OnDemand); err == nil {
		t.Error("a stopped stem was assigned")
	}
}

func TestStemThatEndsByItself(t *testing.T) {
	need.Program(t, "python3")
	o := withClients(t)
	s := open(t, o)
	st := boot(t, s, platform.Python)
	kill(t, running(o.RuntimeClients), syscall.SIGKILL)
	<-st.Done()
	if err := st.AwaitBooted(t.Context()); err != nil && !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
}

func TestRuntimeThatCannotBeBootedAhead(t *testing.T) {
	s := open(t, withClients(t))
	if _, err := s.Boot(t.Context(), "s-1", platform.Go); err == nil {
		t.Error("a Go stem was booted")
	}
}
