package container_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

func TestInitFails(t *testing.T) {
	for _, tt := range []struct {
		behaviour        string
		kind             sample.ErrorKind
		errType, message string
		log              string
	}{
		{"crash", sample.Init, "Runtime.ExitError", "Error: Runtime exited with error: exit status 3", "init goes wrong\ninit goes wrong\n"},
		{"error", sample.Init, "Shop.NoStock", "nothing to sell", ""},
		{"hang", sample.Timeout, "Sandbox.Timedout", "Error: Task timed out after 0.20 seconds", ""},
	} {
		t.Run(tt.behaviour, func(t *testing.T) {
			s := open(t, container.Options{})
			broken := spec(tt.behaviour)
			if tt.behaviour == "hang" {
				broken.InitLimit, broken.Timeout = 100*time.Millisecond, 200*time.Millisecond
			}
			in := start(t, s, broken)
			marks, err := in.AwaitReady(t.Context())
			f := failure(t, err, tt.kind)
			if !(0 < marks.Begun && marks.Begun < marks.Provisioned && marks.Provisioned < marks.Failed) || marks.Ready != 0 || marks.Attempts != 2 {
				t.Errorf("got marks %+v, want 2 attempts from the first process to the failure", marks)
			}
			if f.Type != tt.errType || f.Message != tt.message || string(f.Log) != tt.log {
				t.Errorf("got %q %q log %q, want %q %q log %q", f.Type, f.Message, f.Log, tt.errType, tt.message, tt.log)
			}
		})
	}
}

func TestHandlerEndsTheProcess(t *testing.T) {
	s := open(t, container.Options{})
	function := spec("")
	for _, tt := range []struct{ payload, message string }{
		{"exit 1", "Error: Runtime exited with error: exit status 1"},
		{"exit 0", "Error: Runtime exited without providing a reason"},
		{"signal 15", "Error: Runtime exited with error: signal: terminated"},
		{"signal 9", "Error: Runtime exited with error: signal: killed"},
	} {
		t.Run(tt.payload, func(t *testing.T) {
			in := ready(t, s, function)
			invoke(t, in, "print so far so good")
			inv := invocation(tt.payload, 10*time.Second)
			_, err := in.Invoke(t.Context(), inv)
			f := failure(t, err, sample.Crash)
			if want := "RequestId: " + inv.RequestID + " " + tt.message; f.Message != want || f.Type != "Runtime.ExitError" {
				t.Errorf("got %q %q, want %q", f.Type, f.Message, want)
			}
			if f.HandlerStart == 0 || f.HandlerEnd < f.HandlerStart {
				t.Errorf("handler from %d to %d", f.HandlerStart, f.HandlerEnd)
			}
			<-in.Done()
			if err := in.Stop(true); err != nil {
				t.Error(err)
			}
		})
	}
	in := ready(t, s, function)
	if got := string(invoke(t, in, "last").Body); got != "famous last words" {
		t.Errorf("got %q from a function that answered and ended", got)
	}
}

func TestDeadline(t *testing.T) {
	s := open(t, container.Options{})
	slow := spec("")
	slow.Timeout = 250 * time.Millisecond
	in := ready(t, s, slow)
	inv := invocation("sleep 1h", slow.Timeout)
	_, err := in.Invoke(t.Context(), inv)
	f := failure(t, err, sample.Timeout)
	if want := "RequestId: " + inv.RequestID + " Error: Task timed out after 0.25 seconds"; f.Message != want || f.Type != "Sandbox.Timedout" {
		t.Errorf("got %q %q, want %q", f.Type, f.Message, want)
	}
}

func TestOutOfMemory(t *testing.T) {
	for _, oci := range []string{"runc", "crun"} {
		t.Run(oci, func(t *testing.T) {
			s := open(t, container.Options{OCIRuntime: oci})
			small := spec("")
			small.Memory, small.Timeout = 128<<20, 30*time.Second
			in := ready(t, s, small)
			_, err := in.Invoke(t.Context(), invocation("eat", 30*time.Second))
			f := failure(t, err, sample.OutOfMemory)
			if !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
				t.Errorf("got message %q", f.Message)
			}
			if peak := in.MaxMemory(); peak < 120<<20 || peak > 129<<20 {
				t.Errorf("peak %d bytes, want close to 128 MB", peak)
			}
			hungry := spec("eat")
			hungry.Memory, hungry.Timeout = small.Memory, small.Timeout
			_, err = start(t, s, hungry).AwaitReady(t.Context())
			failure(t, err, sample.OutOfMemory)
		})
	}
}

// TestCPUShare gives a function the CPU of 128 MB: about 7% of one.
func TestCPUShare(t *testing.T) {
	for _, oci := range []string{"runc", "crun"} {
		t.Run(oci, func(t *testing.T) {
			s := open(t, container.Options{OCIRuntime: oci})
			small := spec("")
			small.Memory, small.Timeout = 128<<20, 30*time.Second
			in := ready(t, s, small)
			var got time.Duration
			eventually(t, "it has too much", func() bool { // until the engine has set the share
				var err error
				if got, err = time.ParseDuration(string(invoke(t, in, "burn 1s").Body)); err != nil {
					t.Fatal(err)
				}
				return got <= 150*time.Millisecond
			})
			if t.Failed() {
				t.Errorf("used %v of CPU in a second, want about 72 ms; notes %q", got, s.Notes())
			}
			if got := container.Inspect(t, in).HostConfig; got.Memory != 128<<20 || got.MemorySwap != 128<<20 {
				t.Errorf("memory %d, with swap %d, want 128 MB", got.Memory, got.MemorySwap)
			}
		})
	}
}

func TestPause(t *testing.T) {
	s := open(t, container.Options{})
	in := ready(t, s, spec(""))
	p := in.(sandbox.Pauser)
	for range 2 {
		if err := p.Pause(); err != nil {
			t.Fatal(err)
		}
		if !container.Inspect(t, in).State.Paused {
			t.Error("the engine says that it runs")
		}
		if err := p.Resume(); err != nil {
			t.Fatal(err)
		}
		if got := string(invoke(t, in, "awake").Body); got != "awake" {
			t.Errorf("got %q", got)
		}
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := in.Stop(true); err != nil {
		t.Errorf("stop while paused: %v", err)
	}
}

func TestInjuries(t *testing.T) {
	s := open(t, container.Options{})
	function := spec("")
	hurt := func(t *testing.T, in sandbox.Instance, what sandbox.Injury) {
		t.Helper()
		if err := in.(sandbox.Patient).Injure(what); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("kill in the middle", func(t *testing.T) {
		in := ready(t, s, function)
		time.AfterFunc(50*time.Millisecond, func() { _ = in.(sandbox.Patient).Injure(sandbox.Kill) })
		_, err := in.Invoke(t.Context(), invocation("sleep 1h", time.Hour))
		if f := failure(t, err, sample.Crash); !strings.HasSuffix(f.Message, "signal: killed") {
			t.Errorf("got %q", f.Message)
		}
	})
	t.Run("abort", func(t *testing.T) {
		need.Root(t)
		in := ready(t, s, function)
		hurt(t, in, sandbox.Abort)
		<-in.Done()
		_, err := in.Invoke(t.Context(), invocation("too late", time.Minute))
		failure(t, err, sample.Crash)
	})
	t.Run("freeze", func(t *testing.T) {
		slow := spec("")
		slow.Timeout = 200 * time.Millisecond
		in := ready(t, s, slow)
		hurt(t, in, sandbox.Freeze)
		_, err := in.Invoke(t.Context(), invocation("hello", slow.Timeout))
		failure(t, err, sample.Timeout)
		hurt(t, in, sandbox.Thaw)
		if err := in.Stop(false); err != nil {
			t.Error(err)
		}
	})
	t.Run("fill /tmp", func(t *testing.T) {
		need.Root(t)
		in := ready(t, s, looker(t))
		hurt(t, in, sandbox.FillTmp)
		if r := invoke(t, in, `{"write": "/tmp/x", "size": "1"}`); !strings.Contains(string(r.Body), "no space left") {
			t.Errorf("got %q, want no space", r.Body)
		}
	})
}

func TestStopGraceful(t *testing.T) {
	s := open(t, container.Options{Grace: 10 * time.Second})
	in := ready(t, s, spec("term /tmp/note"))
	begun := time.Now()
	if err := in.Stop(true); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 9*time.Second {
		t.Errorf("took %v: the function was not asked", took)
	}
	if err := in.Stop(true); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

func TestStopDuringInvocation(t *testing.T) {
	s := open(t, container.Options{})
	in := ready(t, s, spec(""))
	time.AfterFunc(50*time.Millisecond, func() { _ = in.Stop(false) })
	_, err := in.Invoke(t.Context(), invocation("sleep 1h", time.Hour))
	failure(t, err, sample.Platform)
}

func TestStartOfNothing(t *testing.T) {
	s := open(t, container.Options{})
	nothing := spec("")
	nothing.Function.Code = t.TempDir()
	_, err := s.Start(t.Context(), "i-1", nothing, sandbox.OnDemand)
	if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
		t.Errorf("got %q", f.Type)
	}
	if err := os.WriteFile(filepath.Join(nothing.Function.Code, "bootstrap"), []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	marks, err := start(t, s, nothing).AwaitReady(t.Context())
	if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" || marks.Attempts != 1 {
		t.Errorf("got %q after %d attempts", f.Type, marks.Attempts)
	}
	nothing = spec("")
	nothing.Function.Runtime = "cobol"
	if _, err := s.Start(t.Context(), "i-3", nothing, sandbox.OnDemand); err == nil || !strings.Contains(err.Error(), "cobol") {
		t.Errorf("got %v", err)
	}
}

func TestStartAfterClose(t *testing.T) {
	s := open(t, container.Options{})
	ready(t, s, spec(""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(t.Context(), "i-2", spec(""), sandbox.OnDemand)
	failure(t, err, sample.Platform)
}

// TestLog reads on with further invocations, because the engine passes on late.
func TestLog(t *testing.T) {
	s := open(t, container.Options{})
	in := ready(t, s, spec(""))
	got := string(invoke(t, in, "print one line").Log)
	eventually(t, "the line does not come", func() bool {
		got += string(invoke(t, in, "sleep 10ms").Log)
		return got == "one line\n"
	})
	got = string(invoke(t, in, "flood 64").Log)
	eventually(t, "the flood does not end", func() bool {
		if len(got) > 4<<10 {
			t.Fatalf("an invocation's log has %d bytes", len(got))
		}
		if strings.HasSuffix(got, "the end of the flood\n") {
			return true
		}
		got = string(invoke(t, in, "sleep 10ms").Log)
		return false
	})
	broken := start(t, s, spec("crash"))
	_, err := broken.AwaitReady(t.Context())
	if f := failure(t, err, sample.Init); string(f.Log) != "init goes wrong\ninit goes wrong\n" {
		t.Errorf("got log %q of what has ended", f.Log)
	}
}
