package process_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// both runs a test with control groups, where there are some, and without.
func both(t *testing.T, test func(t *testing.T, o process.Options)) {
	need.Program(t, "python3")
	for _, without := range []bool{false, true} {
		t.Run("cgroups="+strconv.FormatBool(!without), func(t *testing.T) {
			o := withClients(t)
			o.NoCgroups, o.Adopt = without, true
			test(t, o)
		})
	}
}

func brood(t testing.TB, s *process.Sandbox, spec *sandbox.Spec) sandbox.Zygote {
	t.Helper()
	z, err := s.Brood(t.Context(), "z-1", spec)
	if err != nil {
		t.Fatalf("brood: %v", err)
	}
	if err := z.AwaitReady(t.Context()); err != nil {
		t.Fatalf("await the zygote: %v", err)
	}
	return z
}

func fork(t testing.TB, z sandbox.Zygote, id string) sandbox.Instance {
	t.Helper()
	in, err := z.Fork(t.Context(), id, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("fork: %v", err)
	}
	return in
}

// tricky is a function that does as its event says.
const tricky = `
import os, random, signal, sys, time
loaded = os.getpid()
snapshot = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
print("loading")

def handler(event, context):
    do = event["do"]
    if do == "tell":
        print("told")
        return {"pid": os.getpid(), "loaded": loaded, "snapshot": snapshot, "random": random.random(), "session": os.getsid(0),
                "env": dict(os.environ), "dir": os.getcwd(), "stream": context.log_stream_name}
    if do == "exit":
        os._exit(event["code"])
    if do == "eat":
        return len(bytearray(event["size"]))
    if do == "sleep":
        time.sleep(event["seconds"])
        return "slept"
    if do == "spawn":
        child = os.fork()
        if child == 0:
            os.setsid()
            os.close(1), os.close(2)
            time.sleep(300)
        return child
`

func trickySpec(t *testing.T) *sandbox.Spec { return interpreters()[1].spec(t, tricky) }

type account struct {
	Pid, Loaded, Session int
	Random               float64
	Env                  map[string]string
	Dir, Stream          string
	Snapshot             string // what the loaded module was told that it is for
}

func tell(t *testing.T, in sandbox.Instance) (a account) {
	t.Helper()
	r := invoke(t, in, `{"do":"tell"}`)
	if err := json.Unmarshal(r.Body, &a); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
	if string(r.Log) != "told\n" {
		t.Errorf("got log %q", r.Log)
	}
	return a
}

func TestZygoteForksInstances(t *testing.T) {
	both(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		shop := trickySpec(t)
		z := brood(t, s, shop)
		random := map[float64]bool{}
		for i := range 3 {
			id := "i-" + strconv.Itoa(i)
			in := fork(t, z, id)
			expectMarks(t, awaited(t, in), sample.Restored)
			a := tell(t, in)
			if a.Loaded == a.Pid {
				t.Error("the instance has loaded its module itself")
			}
			if a.Session != a.Pid {
				t.Errorf("process %d is of session %d, want one of its own", a.Pid, a.Session)
			}
			// It may have answered before its forker, its parent until then, has ended.
			eventually(t, "an instance is not this process's child", func() bool {
				text, err := os.ReadFile("/proc/" + strconv.Itoa(a.Pid) + "/status")
				return err == nil && strings.Contains(string(text), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid()))
			})
			if !strings.HasSuffix(a.Stream, "]"+id) || a.Dir != shop.Function.Code || a.Env["COLDCURVE_START"] != "" {
				t.Errorf("got stream %q, folder %s, start %q", a.Stream, a.Dir, a.Env["COLDCURVE_START"])
			}
			if random[a.Random] {
				t.Error("two instances draw the same random numbers")
			}
			random[a.Random] = true
			if i == 0 {
				if err := in.Stop(true); err != nil {
					t.Error(err)
				}
				select {
				case <-in.Done():
				default:
					t.Error("done is open after stop")
				}
			}
		}
	})
}

// TestZygotesChildIsToldWhy: the module is loaded for a snapshot, and each child
// is made for what Fork says.
func TestZygotesChildIsToldWhy(t *testing.T) {
	need.Program(t, "python3")
	o := withClients(t)
	o.Adopt = true
	z := brood(t, open(t, o), trickySpec(t))
	for i, why := range []sandbox.Initialization{sandbox.SnapStart, sandbox.Provisioned} {
		in, err := z.Fork(t.Context(), "i-"+strconv.Itoa(i), why)
		if err != nil {
			t.Fatal(err)
		}
		awaited(t, in)
		a := tell(t, in)
		if got := a.Env["AWS_LAMBDA_INITIALIZATION_TYPE"]; got != string(why) || a.Snapshot != "snap-start" {
			t.Errorf("forked as %s it is told %q, and its module was %q", why, got, a.Snapshot)
		}
	}
}

// TestZygotesChildOutlivesIt: and its end is still seen as what it is.
func TestZygotesChildOutlivesIt(t *testing.T) {
	both(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		z := brood(t, s, trickySpec(t))
		in := fork(t, z, "i-1")
		awaited(t, in)
		if err := z.Stop(); err != nil {
			t.Fatal(err)
		}
		<-z.Done()
		if _, err := z.Fork(t.Context(), "i-2", sandbox.OnDemand); err == nil {
			t.Error("a stopped zygote has forked")
		}
		tell(t, in)
		_, err := in.Invoke(t.Context(), invocation(`{"do":"exit","code":7}`, 10*time.Second))
		if f := failure(t, err, sample.Crash); !strings.HasSuffix(f.Message, "Error: Runtime exited with error: exit status 7") {
			t.Errorf("got %q", f.Message)
		}
		<-in.Done()
	})
}

func TestZygotesChildIsKilled(t *testing.T) {
	both(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		in := fork(t, brood(t, s, trickySpec(t)), "i-1")
		awaited(t, in)
		pid := tell(t, in).Pid
		time.AfterFunc(100*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		_, err := in.Invoke(t.Context(), invocation(`{"do":"sleep","seconds":20}`, 20*time.Second))
		if f := failure(t, err, sample.Crash); !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
			t.Errorf("got %q", f.Message)
		}
		<-in.Done()
	})
}

func TestZygotesChildRunsOutOfMemory(t *testing.T) {
	need.Program(t, "python3")
	o := withClients(t)
	o.Adopt = true
	s := limited(t, o)
	shop := trickySpec(t)
	shop.Memory = 128 << 20
	z := brood(t, s, shop)
	in := fork(t, z, "i-1")
	awaited(t, in)
	invoke(t, in, `{"do":"eat","size":20000000}`)
	if peak := in.MaxMemory(); peak < 20000000 || peak > 128<<20 {
		t.Errorf("got peak memory %d", peak)
	}
	_, err := in.Invoke(t.Context(), invocation(`{"do":"eat","size":200000000}`, 10*time.Second))
	failure(t, err, sample.OutOfMemory)
	tell(t, fork2(t, z))
}

// fork2 shows that a zygote has come through what one of its children has not.
func fork2(t *testing.T, z sandbox.Zygote) sandbox.Instance {
	in := fork(t, z, "i-2")
	awaited(t, in)
	return in
}

func TestZygotesGrandchildrenAreEnded(t *testing.T) {
	both(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		in := fork(t, brood(t, s, trickySpec(t)), "i-1")
		awaited(t, in)
		grandchild := string(invoke(t, in, `{"do":"spawn"}`).Body)
		if !slices.Contains(running(o.RuntimeClients), grandchild) {
			t.Errorf("no process %s among %v", grandchild, running(o.RuntimeClients))
		}
		if err := in.Stop(false); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a grandchild is left", func() bool { return !slices.Contains(running(o.RuntimeClients), grandchild) })
	})
}

func TestManyForks(t *testing.T) {
	both(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		z := brood(t, s, trickySpec(t))
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				in, err := z.Fork(t.Context(), "i-"+strconv.Itoa(i), sandbox.OnDemand)
				if err != nil {
					t.Errorf("fork %d: %v", i, err)
					return
				}
				if _, err := in.AwaitReady(t.Context()); err != nil {
					t.Errorf("ready %d: %v", i, err)
					return
				}
				if _, err := in.Invoke(t.Context(), invocation(`{"do":"tell"}`, time.Minute)); err != nil {
					t.Errorf("invoke %d: %v", i, err)
				}
				if i%2 == 0 { // the other half is left to Close
					if err := in.Stop(false); err != nil {
						t.Errorf("stop %d: %v", i, err)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestZygoteFails(t *testing.T) {
	need.Program(t, "python3")
	for _, c := range []struct {
		name, source string
		kind         sample.ErrorKind
		want         string
	}{
		{"raises", `raise ValueError("no stock")`, sample.Init, "no stock"},
		{"exits", `import os; os._exit(3)`, sample.Init, "exit status 3"},
		{"hangs", `import time; time.sleep(60)`, sample.Timeout, "no answer"},
		{"starts threads", "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\ndef handler(e, c): pass\n", sample.Platform, "threads"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := withClients(t)
			o.Adopt = true
			s := open(t, o)
			shop := interpreters()[1].spec(t, c.source)
			if c.kind == sample.Timeout {
				shop.InitLimit = time.Second // the others come to their ends, on a busy machine later
			}
			z, err := s.Brood(t.Context(), "z-1", shop)
			if err != nil {
				t.Fatal(err)
			}
			if f := failure(t, z.AwaitReady(t.Context()), c.kind); !strings.Contains(f.Message+f.Error(), c.want) {
				t.Errorf("got %q %v, want %s in it", f.Message, f, c.want)
			}
			if err := z.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestZygoteThatEndsByItself(t *testing.T) {
	both(t, func(t *testing.T, o process.Options) {
		s := open(t, o)
		z := brood(t, s, trickySpec(t))
		in := fork(t, z, "i-1")
		awaited(t, in)
		child := strconv.Itoa(tell(t, in).Pid)
		for _, pid := range running(o.RuntimeClients) {
			if pid != child {
				kill(t, []string{pid}, syscall.SIGKILL)
			}
		}
		<-z.Done()
		if _, err := z.Fork(t.Context(), "i-2", sandbox.OnDemand); err == nil {
			t.Error("a dead zygote has forked")
		}
		tell(t, in)
	})
}

func TestNoZygote(t *testing.T) {
	o := withClients(t)
	s := open(t, o)
	if _, err := s.Brood(t.Context(), "z-1", trickySpec(t)); err == nil || !strings.Contains(err.Error(), "Adopt") {
		t.Errorf("got %v, want what is missing", err)
	}
	if _, err := s.Brood(t.Context(), "z-1", interpreters()[0].spec(t, "")); err == nil || !strings.Contains(err.Error(), "Python") {
		t.Errorf("got %v, want which runtime can", err)
	}
}
