package wasm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
)

func TestInitFails(t *testing.T) {
	for _, tt := range []struct {
		behaviour     string
		kind          sample.ErrorKind
		errType, says string
		log           string
	}{
		{"crash", sample.Init, "Runtime.ExitError", "Error: Runtime exited with error: exit status 3", "init goes wrong\ninit goes wrong\n"},
		{"error", sample.Init, "Shop.NoStock", "nothing to sell", ""},
		{"return", sample.Init, "Runtime.ExitError", "Error: Runtime exited without providing a reason", ""},
		{"hang", sample.Timeout, "Sandbox.Timedout", "Error: Task timed out after 0.20 seconds", ""},
		{"nap", sample.Timeout, "Sandbox.Timedout", "Error: Task timed out after 0.20 seconds", ""},
		{"print", sample.Init, "Runtime.ExitError", `stdout is for answers (logs go to stderr): "hello, world"`, ""},
		{"eat", sample.OutOfMemory, "Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed", "goroutine"},
	} {
		t.Run(tt.behaviour, func(t *testing.T) {
			s := open(t, wasm.Options{})
			broken := function(t, "BEHAVIOUR="+tt.behaviour)
			if broken.Timeout = 10 * time.Second; tt.kind == sample.Timeout {
				broken.InitLimit, broken.Timeout = 100*time.Millisecond, 200*time.Millisecond
			}
			in := start(t, s, broken)
			marks, err := in.AwaitReady(t.Context())
			f := failure(t, err, tt.kind)
			if !(0 < marks.Begun && marks.Begun < marks.Provisioned && marks.Provisioned < marks.Failed) || marks.Ready != 0 || marks.Attempts != 2 {
				t.Errorf("got marks %+v, want 2 attempts from the first to the failure", marks)
			}
			if f.Type != tt.errType || !strings.Contains(f.Message, tt.says) || !strings.Contains(string(f.Log), tt.log) {
				t.Errorf("got %q %q log %q, want %q %q log %q", f.Type, f.Message, f.Log, tt.errType, tt.says, tt.log)
			}
			awaitDone(t, in)
		})
	}
}

func awaitDone(t *testing.T, in sandbox.Instance) {
	t.Helper()
	select {
	case <-in.Done():
	case <-time.After(time.Minute):
		t.Fatal("the end of the module is not noticed")
	}
}

// TestInitBegunAnew gives the first attempt less time than the function takes,
// and the second more.
func TestInitBegunAnew(t *testing.T) {
	s := open(t, wasm.Options{})
	twice := function(t, "BEHAVIOUR=slow")
	twice.InitLimit, twice.Timeout = 10*time.Millisecond, 30*time.Second
	in := start(t, s, twice)
	marks, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if marks.Attempts != 2 || !(marks.Begun < marks.Provisioned && marks.Provisioned < marks.Ready) {
		t.Errorf("got marks %+v, want 2 attempts in order", marks)
	}
	select {
	case <-in.Done():
		t.Error("done is closed by the end of the first attempt")
	default:
	}
	if got := string(invoke(t, in, "still here").Body); got != "still here" {
		t.Errorf("got %q", got)
	}
}

func TestHandlerEndsTheModule(t *testing.T) {
	for payload, want := range map[string]string{
		"exit 1": "Error: Runtime exited with error: exit status 1",
		"exit 0": "Error: Runtime exited without providing a reason",
	} {
		t.Run(payload, func(t *testing.T) {
			s := open(t, wasm.Options{})
			in := ready(t, s, function(t))
			invoke(t, in, "fine")
			inv := invocation(payload, 30*time.Second)
			_, err := in.Invoke(t.Context(), inv)
			f := failure(t, err, sample.Crash)
			if want := "RequestId: " + inv.RequestID + " " + want; f.Message != want || f.Type != "Runtime.ExitError" {
				t.Errorf("got %q %q, want %q", f.Type, f.Message, want)
			}
			if f.HandlerStart == 0 || f.HandlerEnd < f.HandlerStart {
				t.Errorf("handler from %d to %d", f.HandlerStart, f.HandlerEnd)
			}
			awaitDone(t, in)
			_, err = in.Invoke(t.Context(), invocation("too late", time.Minute))
			if f := failure(t, err, sample.Crash); f.HandlerStart != 0 {
				t.Errorf("handler start %d of an invocation that nobody took", f.HandlerStart)
			}
		})
	}
}

// TestTrap runs (module (func (export "_start") (unreachable))).
func TestTrap(t *testing.T) {
	code := t.TempDir()
	module := "\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x07\x0a\x01\x06_start\x00\x00" + "\x0a\x05\x01\x03\x00\x00\x0b"
	if err := os.WriteFile(filepath.Join(code, wasm.Module), []byte(module), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := start(t, open(t, wasm.Options{}), spec(t, code, nil)).AwaitReady(t.Context())
	f := failure(t, err, sample.Init)
	if f.Message != "Error: Runtime exited with error: wasm error: unreachable" || !strings.Contains(string(f.Log), "wasm stack trace") {
		t.Errorf("got %q, log %q", f.Message, f.Log)
	}
}

// TestPanicIsAnsweredAndEnds has the function's client report a panic and exit.
func TestPanicIsAnsweredAndEnds(t *testing.T) {
	s := open(t, wasm.Options{})
	in := ready(t, s, function(t))
	r := invoke(t, in, "panic")
	if r.FunctionError != "Unhandled" || !strings.Contains(string(r.Body), `"errorMessage":"out of luck"`) {
		t.Errorf("got %q %s", r.FunctionError, r.Body)
	}
	awaitDone(t, in)
}

func TestDeadline(t *testing.T) {
	for _, payload := range []string{"loop", "sleep 1h"} {
		t.Run(payload, func(t *testing.T) {
			s := open(t, wasm.Options{})
			slow := function(t)
			slow.Timeout = 250 * time.Millisecond
			in := ready(t, s, slow)
			inv := invocation(payload, slow.Timeout)
			_, err := in.Invoke(t.Context(), inv)
			f := failure(t, err, sample.Timeout)
			if want := "RequestId: " + inv.RequestID + " Error: Task timed out after 0.25 seconds"; f.Message != want || f.Type != "Sandbox.Timedout" {
				t.Errorf("got %q %q, want %q", f.Type, f.Message, want)
			}
			if early := time.Duration(clock.New().At(inv.Deadline) - f.HandlerEnd); early > time.Millisecond {
				t.Errorf("the handler's end is %v before its deadline", early)
			}
			awaitDone(t, in) // it is not left running
		})
	}
}

// TestDeadlineInRecursion calls without a loop, which
// wazero's own check would not end.
func TestDeadlineInRecursion(t *testing.T) {
	code := t.TempDir()
	module, err := os.ReadFile("testdata/fib.wasm")
	if err == nil {
		err = os.WriteFile(filepath.Join(code, wasm.Module), module, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	deep := spec(t, code, nil)
	deep.InitLimit, deep.Timeout = 50*time.Millisecond, 50*time.Millisecond
	in := start(t, open(t, wasm.Options{}), deep)
	_, err = in.AwaitReady(t.Context())
	failure(t, err, sample.Timeout)
	awaitDone(t, in)
}

// TestModuleThatIsNotMetered runs (module (func (export "_start") (loop (br 0)))):
// it has no memory, so that wazero checks it.
func TestModuleThatIsNotMetered(t *testing.T) {
	code := t.TempDir()
	module := "\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x07\x0a\x01\x06_start\x00\x00" + "\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b"
	if err := os.WriteFile(filepath.Join(code, wasm.Module), []byte(module), 0o644); err != nil {
		t.Fatal(err)
	}
	loop := spec(t, code, nil)
	loop.InitLimit, loop.Timeout = 50*time.Millisecond, 50*time.Millisecond
	in := start(t, open(t, wasm.Options{}), loop)
	_, err := in.AwaitReady(t.Context())
	failure(t, err, sample.Timeout)
	awaitDone(t, in)
}

func TestOutOfMemory(t *testing.T) {
	s := open(t, wasm.Options{})
	small := function(t)
	small.Memory = 64 << 20
	in := ready(t, s, small)
	_, err := in.Invoke(t.Context(), invocation("eat", 30*time.Second))
	f := failure(t, err, sample.OutOfMemory)
	if !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
		t.Errorf("got message %q", f.Message)
	}
	if peak := in.MaxMemory(); peak < 50<<20 || peak > 64<<20 {
		t.Errorf("peak %d bytes, want close to 64 MB and no more", peak)
	}
}

func TestInjuries(t *testing.T) {
	for injury, want := range map[sandbox.Injury]string{sandbox.Kill: "signal: killed", sandbox.Abort: "signal: aborted"} {
		for _, payload := range []string{"loop", "sleep 1h"} {
			s := open(t, wasm.Options{})
			in := ready(t, s, function(t))
			time.AfterFunc(50*time.Millisecond, func() { _ = in.(sandbox.Patient).Injure(injury) })
			_, err := in.Invoke(t.Context(), invocation(payload, time.Minute))
			if f := failure(t, err, sample.Crash); !strings.HasSuffix(f.Message, "Error: Runtime exited with error: "+want) {
				t.Errorf("%s: got %q, want %q", payload, f.Message, want)
			}
		}
	}
	s := open(t, wasm.Options{})
	in := ready(t, s, function(t))
	if err := in.(sandbox.Patient).Injure(sandbox.Freeze); err == nil {
		t.Error("a module was frozen")
	}
	if err := in.(sandbox.Patient).Injure(sandbox.FillTmp); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, in, "write /tmp/x"); r.FunctionError == "" {
		t.Errorf("a full /tmp takes a file: %s", r.Body)
	}
	if err := in.(sandbox.Patient).Injure(sandbox.Kill); err != nil {
		t.Fatal(err)
	}
	awaitDone(t, in) // idle, in a read
}

func TestStopAtAnyTime(t *testing.T) {
	for _, payload := range []string{"loop", "sleep 1h"} {
		s := open(t, wasm.Options{})
		in := ready(t, s, function(t))
		time.AfterFunc(50*time.Millisecond, func() { _ = in.Stop(false) })
		_, err := in.Invoke(t.Context(), invocation(payload, time.Hour))
		failure(t, err, sample.Platform)
	}
	for _, behaviour := range []string{"hang", "nap"} {
		s := open(t, wasm.Options{})
		in := start(t, s, function(t, "BEHAVIOUR="+behaviour))
		time.AfterFunc(50*time.Millisecond, func() { _ = in.Stop(true) })
		_, err := in.AwaitReady(t.Context())
		failure(t, err, sample.Platform)
		awaitDone(t, in)
	}
}

// TestStopGracefulEndsStdin wants an idle module to be gone long before the grace is over.
func TestStopGracefulEndsStdin(t *testing.T) {
	s := open(t, wasm.Options{Grace: time.Hour})
	in := ready(t, s, function(t))
	for range 2 {
		if err := in.Stop(true); err != nil {
			t.Fatal(err)
		}
	}
	awaitDone(t, in)
}

func TestStartOfNothing(t *testing.T) {
	s := open(t, wasm.Options{})
	nothing := spec(t, t.TempDir(), nil)
	_, err := s.Start(t.Context(), "i-1", nothing, sandbox.OnDemand)
	if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
		t.Errorf("got %q", f.Type)
	}
	empty := "\x00asm\x01\x00\x00\x00"
	for content, want := range map[string]string{
		"not a module":     "not a WebAssembly module",
		empty:              "exports no _start",
		empty + "\x01\x7f": "in the middle of a section",
	} {
		if err := os.WriteFile(filepath.Join(nothing.Function.Code, wasm.Module), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		err := s.Prepare(t.Context(), nothing)
		if failure(t, err, sample.Init); !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", content, err, want)
		}
	}
	small := function(t)
	small.Memory = 1 << 20
	_, err = s.Start(t.Context(), "i-2", small, sandbox.OnDemand)
	if failure(t, err, sample.Init); !strings.Contains(err.Error(), "its memory begins with") {
		t.Errorf("got %v", err)
	}
	other := function(t)
	other.Function.Runtime = platform.Runtime("cobol")
	if _, err := s.Start(t.Context(), "i-3", other, sandbox.OnDemand); err == nil || !strings.Contains(err.Error(), "cobol") {
		t.Errorf("got %v", err)
	}
	if got := string(invoke(t, ready(t, s, function(t)), "after all").Body); got != "after all" {
		t.Errorf("got %q after failed starts", got)
	}
}

func TestStartAfterClose(t *testing.T) {
	s := open(t, wasm.Options{})
	ready(t, s, function(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(t.Context(), "i-2", function(t), sandbox.OnDemand)
	failure(t, err, sample.Platform)
}
