package workers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/workers"
)

// fakeEnv makes this program a workerd of sorts, or a coldcurve that has one.
const fakeEnv = "COLDCURVE_FAKE_WORKERD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeEnv); mode != "" {
		fake(mode)
		return
	}
	os.Exit(m.Run())
}

// fake is a workerd that does as its mode says.
func fake(mode string) {
	says := os.NewFile(3, "control")
	switch mode {
	case "parent":
		parent()
	case "mute":
		select {}
	case "babbling":
		fmt.Fprintln(says, "hello")
		select {}
	case "broken":
		fmt.Fprintln(os.Stderr, "starting\nconfig.capnp:3:1: error: no such thing")
		os.Exit(1)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(says, `{"event":"listen","socket":"http","port":%d}`+"\n", listener.Addr().(*net.TCPAddr).Port)
	switch mode {
	case "silent":
		select {} // the kernel accepts; nobody reads
	case "garbage":
		for {
			if conn, err := listener.Accept(); err == nil {
				_, _ = io.WriteString(conn, "garbage\r\n\r\n")
				_ = conn.Close()
			}
		}
	}
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		invoked := strings.HasPrefix(r.URL.Path, "/invocations/")
		switch {
		case !invoked:
			w.WriteHeader(http.StatusNoContent)
		case mode == "dying":
			fmt.Fprintln(os.Stderr, "V8 out of memory")
			os.Exit(7)
		case mode == "holding":
			fmt.Fprintln(os.Stderr, "held")
			select {}
		default: // it says of an answer what it is told to
			told := make(map[string]string)
			_ = json.NewDecoder(r.Body).Decode(&told)
			for name, value := range told {
				w.Header().Set(name, value)
			}
		}
	}))
}

// faked is a program that is fake in a mode.
func faked(t *testing.T, mode string) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "workerd")
	text := "#!/bin/sh\ntest \"$1\" = --version && echo workerd 2026-11-17 && exit\n" + fakeEnv + "=" + mode + "\nexport " + fakeEnv + "\nexec " + own + "\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, o workers.Options) *workers.Platform {
	t.Helper()
	p, err := workers.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// hello is a function that can be read.
func hello(t *testing.T) platform.Function {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.mjs"), []byte("export const handler = async () => 1;"), 0o644); err != nil {
		t.Fatal(err)
	}
	return platform.Function{Name: "hello", Runtime: platform.NodeJS, Code: dir, Handler: "index.handler", Timeout: time.Minute}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir())
	_, err := workers.Open(t.Context(), workers.Options{})
	platformtest.ExpectFailure(t, err, sample.Refused, "platform workers: there is no workerd, neither on the PATH nor in ./node_modules", "`npm install --save-exact workerd@")
	_, err = workers.Open(t.Context(), workers.Options{Program: "/no/such/workerd"})
	platformtest.ExpectFailure(t, err, sample.Refused, "platform workers: /no/such/workerd cannot be executed: ", "npm install")
}

// TestStarts is of programs that are no workerd, or none that runs.
func TestStarts(t *testing.T) {
	for _, tt := range []struct {
		mode, says string
		answer     time.Duration
	}{
		{"broken", "workerd ended (exit status 1): config.capnp:3:1: error: no such thing", time.Minute},
		{"babbling", `its message "hello" is not JSON: is it workerd?`, time.Minute},
		{"mute", "does not say within 300 ms that it listens", 300 * time.Millisecond},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			program := faked(t, tt.mode)
			_, err := workers.Open(t.Context(), workers.Options{Program: program, Answer: tt.answer})
			platformtest.ExpectFailure(t, err, sample.Refused, "platform workers: ", "npm install")
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q in it", err, tt.says)
			}
		})
	}
}

// TestHalfDead is of a workerd that listens and does nothing more.
func TestHalfDead(t *testing.T) {
	p := open(t, workers.Options{Program: faked(t, "silent")})
	gone, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := p.Deploy(gone, hello(t))
	platformtest.ExpectFailure(t, err, sample.Timeout, "deploy hello: context deadline exceeded", "")

	p = open(t, workers.Options{Program: faked(t, "garbage")})
	_, err = p.Deploy(t.Context(), hello(t))
	platformtest.ExpectFailure(t, err, sample.Network, "deploy hello: ", "")

	p = open(t, workers.Options{Program: faked(t, "holding")})
	function := hello(t)
	function.Timeout = 300 * time.Millisecond
	d, err := p.Deploy(t.Context(), function)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Invoke(t.Context(), platform.Request{})
	platformtest.ExpectFailure(t, err, sample.Timeout, "invoke hello: no answer within 300 ms", "has a function computed all that time?")
}

// TestDying has workerd end while it has a request, and wants that said, then
// and from then on.
func TestDying(t *testing.T) {
	p := open(t, workers.Options{Program: faked(t, "dying")})
	d, err := p.Deploy(t.Context(), hello(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := d.Invoke(t.Context(), platform.Request{})
		platformtest.ExpectFailure(t, err, sample.Platform, "invoke hello: workerd ended (exit status 7): V8 out of memory", "start the run again")
	}
	if err := d.Remove(t.Context()); err != nil {
		t.Errorf("remove: %v", err)
	}
}

// TestLies wants an account of an isolate that cannot be to prove nothing.
func TestLies(t *testing.T) {
	p := open(t, workers.Options{Program: faked(t, "telling")})
	d, err := p.Deploy(t.Context(), hello(t))
	if err != nil {
		t.Fatal(err)
	}
	doubts := 0
	for i, tt := range []struct {
		start, instance, ordinal string
		want                     sample.Start
	}{
		{"cold", "a", "1", sample.Cold},
		{"warm", "a", "2", sample.Warm},
		{"warm", "b", "1", sample.Unknown}, // one that started, and nobody had it loaded
		{"cold", "a", "1", sample.Unknown}, // a second first request
		{"warm", "a", "", sample.Unknown},
		{"tepid", "a", "3", sample.Unknown},
		{"queued", "c", "2", sample.Queued},
		{"cold", "d", "2", sample.Queued}, // another that waited was served before it
		{"queued", "e", "1", sample.Cold},
		{"", "", "", sample.Unknown},
	} {
		told := map[string]string{"X-Coldcurve-Start": tt.start, "X-Coldcurve-Instance": tt.instance, "X-Coldcurve-Ordinal": tt.ordinal}
		for name, value := range told {
			if value == "" {
				delete(told, name)
			}
		}
		payload, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Invoke(t.Context(), platform.Request{Payload: payload})
		if out.Evidence.Start != tt.want || err != nil {
			t.Errorf("answer %d, %+v: %+v, %v, want %s", i, tt, out.Evidence, err, tt.want)
		}
		if tt.want == sample.Unknown && tt.start != "" {
			doubts++
		}
	}
	about, err := p.Describe(t.Context())
	if note := fmt.Sprintf("%d answers came with an account", doubts); err != nil || !strings.Contains(strings.Join(about.Notes, "\n"), note) || about.Version != "workerd 2026-11-17" {
		t.Errorf("%+v, %v, want %q in it", about, err, note)
	}
}

// TestRefusals is of functions that workerd cannot run, said before any of them
// is asked for.
func TestRefusals(t *testing.T) {
	p := open(t, workers.Options{Program: faked(t, "telling")})
	for want, edit := range map[string]func(*platform.Function){
		"runtime go: workerd runs JavaScript alone":           func(f *platform.Function) { f.Runtime = platform.Go },
		"reserved 3: an isolate takes any number of requests": func(f *platform.Function) { f.Reserved = 3 },
		`handler "index" does not name file and export`:       func(f *platform.Function) { f.Handler = "index" },
		"there is no other.mjs, .js or .cjs in ":              func(f *platform.Function) { f.Handler = "other.handler" },
		"no such file or directory":                           func(f *platform.Function) { f.Code += "/elsewhere" },
		"its files are more than 64 MB, which is all that a worker may have": func(f *platform.Function) {
			if err := os.Truncate(filepath.Join(f.Code, "index.mjs"), 64<<20+1); err != nil {
				t.Fatal(err)
			}
		},
	} {
		f := hello(t)
		edit(&f)
		_, err := p.Deploy(t.Context(), f)
		if err == nil || platform.KindOf(err) != sample.Refused || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	_, err := workers.Open(t.Context(), workers.Options{CompatibilityDate: "soon", Answer: -1})
	for _, want := range []string{`compatibility date "soon": write for example `, "a time to wait of -1ns is below 0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestLauncher wants npm's launcher passed by for the program that it launches.
func TestLauncher(t *testing.T) {
	modules := filepath.Join(t.TempDir(), "node_modules")
	machine := map[string]string{"amd64": "64"}[runtime.GOARCH]
	if machine == "" {
		machine = runtime.GOARCH
	}
	native := filepath.Join(modules, "@cloudflare", "workerd-linux-"+machine, "bin", "workerd")
	for path, text := range map[string]string{
		filepath.Join(modules, "workerd", "bin", "workerd"): "#!/bin/sh\nexit 3\n",
		native: mustRead(t, faked(t, "telling")),
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", t.TempDir()+":/usr/bin:/bin")
	t.Chdir(filepath.Dir(modules))
	about, err := open(t, workers.Options{}).Describe(t.Context())
	if err != nil || about.Facts["program"] != native {
		t.Errorf("%+v, %v, want program %s", about, err, native)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parent is a coldcurve that has a workerd, says which, and waits to be killed.
func parent() {
	p, err := workers.Open(context.Background(), workers.Options{Program: os.Getenv("PROGRAM")})
	if err != nil {
		panic(err)
	}
	about, _ := p.Describe(context.Background())
	fmt.Println(about.Process)
	select {}
}

// TestOrphan wants workerd to end with a coldcurve that is killed.
func TestOrphan(t *testing.T) {
	program := faked(t, "telling")
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(own)
	cmd.Env = append(os.Environ(), fakeEnv+"=parent", "PROGRAM="+program)
	cmd.Stderr = t.Output()
	says, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(says).ReadString('\n')
	pid, errPid := strconv.Atoi(strings.TrimSpace(line))
	if err := errors.Join(err, errPid, cmd.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for deadline := time.Now().Add(time.Minute); running(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// running says whether a process is there and no corpse that nobody has buried.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ") && syscall.Kill(pid, 0) == nil
}

// TestTested wants the version that users are told to install to be the one
// that tests run with.
func TestTested(t *testing.T) {
	if setup := mustRead(t, "../../.ci/setup"); !strings.Contains(setup, " workerd@"+workers.Tested+"\n") {
		t.Errorf("tests install another workerd than %s", workers.Tested)
	}
}
