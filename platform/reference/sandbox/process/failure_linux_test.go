package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// limited wants a sandbox that enforces memory and CPU limits.
func limited(t testing.TB, o process.Options) *process.Sandbox {
	t.Helper()
	need.Root(t)
	s := open(t, o)
	if s.Facts()["cgroup"] == "none" || len(s.Notes()) > 0 {
		need.Missing(t, "control groups that may be made: "+strings.Join(s.Notes(), "; "))
	}
	return s
}

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
			s := open(t, process.Options{})
			broken := spec(t, tt.behaviour)
			broken.InitLimit, broken.Timeout = 10*time.Second, 10*time.Second
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

func TestInitBegunAnew(t *testing.T) {
	for _, first := range []string{"crash", "error", "hang"} {
		t.Run(first, func(t *testing.T) {
			s := open(t, process.Options{})
			flag := filepath.Join(t.TempDir(), "flag")
			twice := spec(t, "first "+flag+" "+first)
			if first == "hang" {
				twice.InitLimit = 2 * time.Second // in which it leaves its flag, on a busy machine, too
			}
			in := start(t, s, twice)
			marks, err := in.AwaitReady(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if marks.Attempts != 2 || marks.Provisioned <= marks.Begun || marks.Ready <= marks.Provisioned {
				t.Errorf("got marks %+v, want 2 attempts in order", marks)
			}
			if init := time.Duration(marks.Ready - marks.Provisioned); first == "hang" && init < twice.InitLimit {
				t.Errorf("init took %v, want the first attempt's %v in it", init, twice.InitLimit)
			}
			select {
			case <-in.Done():
				t.Error("done is closed by the end of the first process")
			default:
			}
			if got := string(invoke(t, in, "still here").Body); got != "still here" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestHandlerEndsTheProcess(t *testing.T) {
	for _, tt := range []struct{ payload, message string }{
		{"exit 1", "Error: Runtime exited with error: exit status 1"},
		{"exit 0", "Error: Runtime exited without providing a reason"},
		{"signal 15", "Error: Runtime exited with error: signal: terminated"},
		{"signal 9", "Error: Runtime exited with error: signal: killed"},
	} {
		t.Run(tt.payload, func(t *testing.T) {
			s := open(t, process.Options{})
			in := ready(t, s, spec(t, ""))
			invoke(t, in, "fine")
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
		})
	}
}

func TestAnswerBeforeTheEndCounts(t *testing.T) {
	for _, connection := range []string{"one", "each"} {
		t.Run(connection, func(t *testing.T) {
			s := open(t, process.Options{})
			for range 20 {
				in := ready(t, s, spec(t, "", "CONNECTION="+connection))
				if got := string(invoke(t, in, "last").Body); got != "famous last words" {
					t.Fatalf("got %q", got)
				}
				<-in.Done()
				if err := in.Stop(false); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	s := open(t, process.Options{})
	slow := spec(t, "")
	slow.Timeout = 250 * time.Millisecond
	in := ready(t, s, slow)
	inv := invocation("sleep 1h", slow.Timeout)
	_, err := in.Invoke(t.Context(), inv)
	f := failure(t, err, sample.Timeout)
	if want := "RequestId: " + inv.RequestID + " Error: Task timed out after 0.25 seconds"; f.Message != want || f.Type != "Sandbox.Timedout" {
		t.Errorf("got %q %q, want %q", f.Type, f.Message, want)
	}
	if early := time.Duration(clock.New().At(inv.Deadline) - f.HandlerEnd); early > time.Millisecond {
		t.Errorf("the handler's end is %v before its deadline", early)
	}
}

func TestOutOfMemory(t *testing.T) {
	t.Run("handler", func(t *testing.T) {
		s := limited(t, process.Options{})
		small := spec(t, "")
		small.Memory = 128 << 20
		in := ready(t, s, small)
		_, err := in.Invoke(t.Context(), invocation("eat", 30*time.Second))
		f := failure(t, err, sample.OutOfMemory)
		if !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
			t.Errorf("got message %q", f.Message)
		}
		if peak := in.MaxMemory(); peak < 120<<20 || peak > 129<<20 {
			t.Errorf("peak %d bytes, want close to 128 MB", peak)
		}
	})
	t.Run("init", func(t *testing.T) {
		s := limited(t, process.Options{})
		small := spec(t, "eat")
		small.Memory, small.Timeout = 128<<20, 30*time.Second
		in := start(t, s, small)
		_, err := in.AwaitReady(t.Context())
		failure(t, err, sample.OutOfMemory)
	})
	t.Run("killed by hand", func(t *testing.T) {
		s := limited(t, process.Options{})
		in := ready(t, s, spec(t, ""))
		_, err := in.Invoke(t.Context(), invocation("signal 9", 10*time.Second))
		failure(t, err, sample.Crash)
	})
}

// TestCPUShare gives a function the CPU of 128 MB: about 7% of one.
func TestCPUShare(t *testing.T) {
	s := limited(t, process.Options{})
	small := spec(t, "")
	small.Memory, small.Timeout = 128<<20, 30*time.Second
	in := ready(t, s, small)
	got, err := time.ParseDuration(string(invoke(t, in, "burn 1s").Body))
	if err != nil {
		t.Fatal(err)
	}
	if got > 150*time.Millisecond {
		t.Errorf("used %v of CPU in a second, want about 72 ms", got)
	}
}

func TestGrandchildrenGo(t *testing.T) {
	t.Run("in the control group", func(t *testing.T) {
		s := limited(t, process.Options{})
		in := ready(t, s, spec(t, "", "SPAWN=session"))
		invoke(t, in, "spawn")
		// A process has no environment for a moment while it executes a program.
		eventually(t, "there is no child", func() bool { return marks(t.Name()) > 1 })
		if err := in.Stop(true); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("in the process group", func(t *testing.T) {
		s := open(t, process.Options{NoCgroups: true})
		in := ready(t, s, spec(t, "spawn"))
		if err := in.Stop(true); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("when the function ends by itself", func(t *testing.T) {
		s := open(t, process.Options{NoCgroups: true})
		in := ready(t, s, spec(t, "spawn"))
		_, err := in.Invoke(t.Context(), invocation("exit 0", time.Minute))
		failure(t, err, sample.Crash)
	})
}

func TestKilledIdleInstanceIsNoticed(t *testing.T) {
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	for pid, mark := range marked() {
		if mark == t.Name() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case <-in.Done():
	case <-time.After(time.Minute):
		t.Fatal("the end of the process is not noticed")
	}
	_, err := in.Invoke(t.Context(), invocation("too late", time.Minute))
	f := failure(t, err, sample.Crash)
	if f.HandlerStart != 0 {
		t.Errorf("handler start %d of an invocation that nobody took", f.HandlerStart)
	}
}

func TestStopGraceful(t *testing.T) {
	s := open(t, process.Options{Grace: 10 * time.Second})
	note := filepath.Join(t.TempDir(), "note")
	in := ready(t, s, spec(t, "term "+note))
	if err := in.Stop(true); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(note); err != nil || string(text) != "asked to go" {
		t.Errorf("got %q, %v: the function was not asked", text, err)
	}
	if err := in.Stop(true); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

func TestStopDuringInvocation(t *testing.T) {
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	go func() {
		time.Sleep(50 * time.Millisecond)
		_ = in.Stop(false)
	}()
	_, err := in.Invoke(t.Context(), invocation("sleep 1h", time.Hour))
	failure(t, err, sample.Platform)
}

func TestStopDuringInit(t *testing.T) {
	s := open(t, process.Options{})
	in := start(t, s, spec(t, "hang"))
	go func() {
		time.Sleep(50 * time.Millisecond)
		_ = in.Stop(false)
	}()
	_, err := in.AwaitReady(t.Context())
	failure(t, err, sample.Platform)
	<-in.Done()
}

func TestStartOfNothing(t *testing.T) {
	s := open(t, process.Options{})
	nothing := spec(t, "")
	nothing.Function.Code = t.TempDir()
	_, err := s.Start(t.Context(), "i-1", nothing, sandbox.OnDemand)
	if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
		t.Errorf("got %q", f.Type)
	}
	if err := os.WriteFile(filepath.Join(nothing.Function.Code, "bootstrap"), []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = s.Start(t.Context(), "i-2", nothing, sandbox.OnDemand)
	failure(t, err, sample.Init)
	nothing.Function.Runtime = platform.Runtime("cobol")
	if _, err := s.Start(t.Context(), "i-3", nothing, sandbox.OnDemand); err == nil || !strings.Contains(err.Error(), "cobol") {
		t.Errorf("got %v", err)
	}
	if got := string(invoke(t, ready(t, s, spec(t, "")), "after all").Body); got != "after all" {
		t.Errorf("got %q after failed starts", got)
	}
}

// TestProgramThatIsBusy is open for writing for a while yet.
func TestProgramThatIsBusy(t *testing.T) {
	s := open(t, process.Options{})
	fresh := spec(t, "")
	fresh.Function.Code = t.TempDir()
	program := filepath.Join(fresh.Function.Code, "bootstrap")
	if out, err := exec.Command("cp", filepath.Join(function, "bootstrap"), program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	written, err := os.OpenFile(program, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = written.Close() })
	if got := string(invoke(t, ready(t, s, fresh), "at last").Body); got != "at last" {
		t.Errorf("got %q", got)
	}
}

func TestStartAfterClose(t *testing.T) {
	s := open(t, process.Options{})
	ready(t, s, spec(t, ""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(t.Context(), "i-2", spec(t, ""), sandbox.OnDemand)
	failure(t, err, sample.Platform)
}
