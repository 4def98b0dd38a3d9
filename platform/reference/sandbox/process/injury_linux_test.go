package process_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// eachTier runs a test with control groups and without.
func eachTier(t *testing.T, test func(t *testing.T, o process.Options)) {
	for _, without := range []bool{false, true} {
		t.Run(fmt.Sprintf("cgroups=%t", !without), func(t *testing.T) { test(t, process.Options{NoCgroups: without, Adopt: without}) })
	}
}

func injure(t *testing.T, in sandbox.Instance, what sandbox.Injury) {
	t.Helper()
	if err := in.(sandbox.Patient).Injure(what); err != nil {
		t.Error(err)
	}
}

// during injures an instance that serves a request, and gives what became of that.
func during(t *testing.T, in sandbox.Instance, what sandbox.Injury, timeout time.Duration) error {
	t.Helper()
	hurt := time.AfterFunc(50*time.Millisecond, func() { injure(t, in, what) })
	defer hurt.Stop()
	_, err := in.Invoke(t.Context(), invocation("sleep 20s", timeout))
	return err
}

func TestPauseAndResume(t *testing.T) {
	eachTier(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		if got := s.Facts()["pause"]; got == "" || o.NoCgroups && !strings.HasPrefix(got, "SIGSTOP") {
			t.Errorf("got pause by %q", got)
		}
		in := ready(t, s, spec(t, ""))
		p := in.(sandbox.Pauser)
		for range 3 {
			if err := p.Pause(); err != nil {
				t.Fatal(err)
			}
			if err := p.Resume(); err != nil {
				t.Fatal(err)
			}
			if got := string(invoke(t, in, "back").Body); got != "back" {
				t.Errorf("got %q", got)
			}
		}
		if err := p.Pause(); err != nil {
			t.Fatal(err)
		}
		_, err := in.Invoke(t.Context(), invocation("late", 50*time.Millisecond))
		failure(t, err, sample.Timeout) // it does not run
	})
}

// TestPausedInstanceIsStopped, and hears that it is if that is to be graceful.
func TestPausedInstanceIsStopped(t *testing.T) {
	eachTier(t, func(t *testing.T, o process.Options) {
		o.Grace = 10 * time.Second
		s := open(t, o)
		file := t.TempDir() + "/said"
		in := ready(t, s, spec(t, "term "+file))
		if err := in.(sandbox.Pauser).Pause(); err != nil {
			t.Fatal(err)
		}
		if err := in.Stop(true); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != "asked to go" {
			t.Errorf("got %q, %v", text, err)
		}
		in = ready(t, s, spec(t, ""))
		if err := in.(sandbox.Pauser).Pause(); err != nil {
			t.Fatal(err)
		}
		// which is left to Close
	})
}

func TestKill(t *testing.T) {
	eachTier(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		for _, frozen := range []bool{false, true} {
			in := ready(t, s, spec(t, "", "SPAWN=session"))
			invoke(t, in, "spawn")
			if frozen {
				injure(t, in, sandbox.Freeze)
			}
			f := failure(t, during(t, in, sandbox.Kill, 10*time.Second), sample.Crash)
			if f.Type != "Runtime.ExitError" || !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
				t.Errorf("got %s %q", f.Type, f.Message)
			}
			<-in.Done()
			eventually(t, "what it has started lives on", func() bool { return marks(t.Name()) == 0 })
		}
	})
}

func TestAbort(t *testing.T) {
	eachTier(t, func(t *testing.T, o process.Options) {
		in := ready(t, open(t, o), spec(t, ""))
		f := failure(t, during(t, in, sandbox.Abort, 10*time.Second), sample.Crash)
		// Go answers the signal with its stacks and exit status 2.
		if f.Type != "Runtime.ExitError" || !strings.HasSuffix(f.Message, "Error: Runtime exited with error: exit status 2") {
			t.Errorf("got %s %q", f.Type, f.Message)
		}
		<-in.Done()
	})
}

// TestExhaust has the kernel end the instance, whatever it does at the moment.
func TestExhaust(t *testing.T) {
	s := open(t, process.Options{})
	if s.Facts()["cgroup"] == "none" {
		need.Missing(t, "memory control group")
	}
	for range 5 {
		in := ready(t, s, spec(t, ""))
		f := failure(t, during(t, in, sandbox.Exhaust, 10*time.Second), sample.OutOfMemory)
		if f.Type != "Runtime.OutOfMemory" || !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
			t.Errorf("got %s %q", f.Type, f.Message)
		}
		<-in.Done()
		injure(t, in, sandbox.Exhaust) // one that is gone
	}
}

func TestFreezeDuringARequest(t *testing.T) {
	eachTier(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		shop := spec(t, "")
		shop.Timeout = 2 * time.Second // in which it is frozen
		in := ready(t, s, shop)
		f := failure(t, during(t, in, sandbox.Freeze, shop.Timeout), sample.Timeout)
		if f.Type != "Sandbox.Timedout" || !strings.HasSuffix(f.Message, "Error: Task timed out after 2.00 seconds") {
			t.Errorf("got %s %q", f.Type, f.Message)
		}
		if err := in.Stop(false); err != nil {
			t.Error(err)
		}

		in = ready(t, s, shop)
		injure(t, in, sandbox.Freeze)
		time.AfterFunc(50*time.Millisecond, func() { injure(t, in, sandbox.Thaw) })
		if r, err := in.Invoke(t.Context(), invocation("through", 10*time.Second)); err != nil || string(r.Body) != "through" {
			t.Errorf("got %q, %v of an instance that was thawed in time", r.Body, err)
		}
	})
}

func TestFreezeDuringInit(t *testing.T) {
	s := open(t, process.Options{})
	shop := spec(t, "hang")
	shop.InitLimit, shop.Timeout = 2*time.Second, 200*time.Millisecond // the first is in time for the frost
	in := start(t, s, shop)
	injure(t, in, sandbox.Freeze)
	_, err := in.AwaitReady(t.Context())
	failure(t, err, sample.Timeout)
}

func TestInjuriesThatCannotBe(t *testing.T) {
	in := ready(t, open(t, process.Options{NoCgroups: true}), spec(t, ""))
	p := in.(sandbox.Patient)
	if err := p.Injure(sandbox.Exhaust); err == nil || !strings.Contains(err.Error(), "no control group") {
		t.Errorf("without a memory limit it was exceeded: %v", err)
	}
	if err := p.Injure(sandbox.FillTmp); err == nil {
		t.Error("the machine's /tmp was filled")
	}
	if err := p.Injure(99); err == nil {
		t.Error("an unknown injury was done")
	}
	if err := in.Stop(false); err != nil {
		t.Fatal(err)
	}
	if err := p.Injure(sandbox.Kill); err == nil {
		t.Error("a stopped instance was injured")
	}
}
