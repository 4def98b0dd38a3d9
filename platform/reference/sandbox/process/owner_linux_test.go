package process_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// ownerDir is the variable that makes the test binary an owner of instances,
// with the function's folder as its value.
const ownerDir = "COLDCURVE_TEST_OWNER"

// own starts instances and waits to be killed.
func own(dir string) {
	s, err := process.New(process.Options{Adopt: true, RuntimeClients: os.Getenv("CLIENTS")})
	if err != nil {
		panic(err)
	}
	if os.Getenv("OWNED") == "tiers" {
		ownTiers(s)
	}
	spec := &sandbox.Spec{Function: platform.Function{Name: "orphan", Runtime: platform.Go, Code: dir,
		Env: map[string]string{marker: os.Getenv(marker), "BEHAVIOUR": os.Getenv("OWNED"), "SPAWN": "session"}},
		Version: "$LATEST", Memory: 256 << 20, Timeout: time.Minute, InitLimit: time.Minute}
	for i := range 5 {
		in, err := s.Start(context.Background(), "i-"+strconv.Itoa(i), spec, sandbox.OnDemand)
		if err != nil {
			panic(err)
		}
		if _, err := in.AwaitReady(context.Background()); err != nil {
			panic(err)
		}
	}
	fmt.Println("ready")
	select {}
}

// ownTiers starts what is ahead of Python instances, and one from each.
func ownTiers(s *process.Sandbox) {
	code := os.Getenv("CLIENTS") + "-code"
	if err := os.Mkdir(code, 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(code+"/index.py", []byte("def handler(event, context):\n    return event\n"), 0o644); err != nil {
		panic(err)
	}
	spec := &sandbox.Spec{Function: platform.Function{Name: "orphan", Runtime: platform.Python, Code: code, Handler: "index.handler"},
		Version: "$LATEST", Memory: 256 << 20, Timeout: time.Minute, InitLimit: time.Minute}
	z, err := s.Brood(context.Background(), "z-1", spec)
	if err != nil {
		panic(err)
	}
	for i := range 3 {
		st, err := s.Boot(context.Background(), "s-"+strconv.Itoa(i), platform.Python)
		if err != nil {
			panic(err)
		}
		if i == 2 {
			continue // stays a stem
		}
		grown, err := st.Assign(context.Background(), "i-1", spec, sandbox.OnDemand)
		if err != nil {
			panic(err)
		}
		forked, err := z.Fork(context.Background(), "i-2", sandbox.OnDemand)
		if err != nil {
			panic(err)
		}
		for _, in := range []sandbox.Instance{grown, forked} {
			if _, err := in.AwaitReady(context.Background()); err != nil {
				panic(err)
			}
		}
	}
}

// orphan has an owner start instances, kills it, and gives its pid.
func orphan(t *testing.T, behaviour string, env ...string) int {
	t.Helper()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerDir+"="+function, "OWNED="+behaviour, marker+"="+t.Name())
	owner.Env = append(owner.Env, env...)
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	word := make([]byte, len("ready"))
	if _, err := out.Read(word); err != nil {
		t.Fatalf("read from the owner: %v", err)
	}
	if n := marks(t.Name()); n < 6 {
		t.Errorf("%d processes, want the owner and its 5 instances", n)
	}
	for _, pair := range env {
		clients, _ := strings.CutPrefix(pair, "CLIENTS=")
		if n := len(running(clients)); n < 6 {
			t.Errorf("%d processes of Python, want a stem, 2 that were, a zygote and its 2 children", n)
		}
	}
	if err := owner.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	return owner.Process.Pid
}

func marks(name string) int {
	n := 0
	for _, mark := range marked() {
		if mark == name {
			n++
		}
	}
	return n
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for wait := time.Millisecond; wait < 20*time.Second; wait *= 2 {
		if done() {
			return
		}
		time.Sleep(wait)
	}
	t.Errorf("%s", what)
}

func TestKilledOwnerLeavesNoProcess(t *testing.T) {
	pid := orphan(t, "")
	eventually(t, "instances outlive their owner", func() bool { return marks(t.Name()) == 0 })
	s := open(t, process.Options{})
	if left := groups("-" + strconv.Itoa(pid) + "-"); len(left) > 0 && s.Facts()["cgroup"] != "none" {
		t.Errorf("a new sandbox leaves the groups of a dead owner: %s", strings.Join(left, ", "))
	}
}

func TestKilledOwnerLeavesNoStemAndNoZygote(t *testing.T) {
	need.Program(t, "python3")
	clients := withClients(t).RuntimeClients
	orphan(t, "tiers", "CLIENTS="+clients)
	eventually(t, "stems, zygotes or their children outlive their owner", func() bool { return len(running(clients)) == 0 })
	open(t, process.Options{})
}

func TestNextOwnerEndsOrphanedGrandchildren(t *testing.T) {
	s := limited(t, process.Options{})
	pid := orphan(t, "spawn")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, process.Options{})
	eventually(t, "grandchildren outlive the next New", func() bool { return marks(t.Name()) == 0 })
	if left := groups("-" + strconv.Itoa(pid) + "-"); len(left) > 0 {
		t.Errorf("a new sandbox leaves the groups of a dead owner: %s", strings.Join(left, ", "))
	}
}
