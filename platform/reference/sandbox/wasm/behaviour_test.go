package wasm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
)

func TestAnswersInvocations(t *testing.T) {
	s := open(t, wasm.Options{})
	in := start(t, s, function(t))
	marks, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !(0 < marks.Begun && marks.Begun < marks.Provisioned && marks.Provisioned < marks.Booted && marks.Booted < marks.Ready) || marks.Attempts != 1 {
		t.Errorf("marks out of order: %+v", marks)
	}
	last := marks.Ready
	for i := range 20 {
		want := fmt.Sprintf("hello %d", i)
		r := invoke(t, in, want)
		if string(r.Body) != want || r.FunctionError != "" {
			t.Fatalf("got %q %q, want %q", r.Body, r.FunctionError, want)
		}
		if !(last <= r.HandlerStart && r.HandlerStart < r.HandlerEnd) {
			t.Errorf("invocation %d: handler from %d to %d, after %d", i, r.HandlerStart, r.HandlerEnd, last)
		}
		last = r.HandlerEnd
	}
	if got := string(invoke(t, in, "served").Body); got != "21" {
		t.Errorf("the function has served %s, want 21: warm is warm", got)
	}
	if in.MaxMemory() < 1<<20 {
		t.Errorf("max memory %d, want more", in.MaxMemory())
	}
	large := strings.Repeat("x", 5<<20)
	if got := invoke(t, in, large); string(got.Body) != large {
		t.Errorf("of %d bytes %d came back", len(large), len(got.Body))
	}
}

func TestInstancesShareNothing(t *testing.T) {
	s := open(t, wasm.Options{})
	shop := function(t)
	one, two := ready(t, s, shop), ready(t, s, shop)
	invoke(t, one, "write /tmp/x")
	invoke(t, one, "served")
	if got := string(invoke(t, two, "served").Body); got != "1" {
		t.Errorf("the second instance has served %s, want 1", got)
	}
	if r := invoke(t, two, "read /tmp/x"); r.FunctionError == "" {
		t.Errorf("the second instance sees the first one's file: %s", r.Body)
	}
	if r := invoke(t, one, "read /tmp/x"); string(r.Body) != "written" {
		t.Errorf("got %s", r.Body)
	}
}

func TestFunctionErrors(t *testing.T) {
	s := open(t, wasm.Options{})
	in := ready(t, s, function(t))
	r := invoke(t, in, "fail")
	if want := `{"errorMessage":"nothing to sell","errorType":"Shop.NoStock"}`; r.FunctionError != "Unhandled" || string(r.Body) != want {
		t.Errorf("got %q %s, want %s", r.FunctionError, r.Body, want)
	}
	_, err := in.Invoke(t.Context(), invocation("large 7340032", 10*time.Second))
	if f := failure(t, err, sample.Payload); f.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %q", f.Type)
	}
	if got := invoke(t, in, "less"); string(got.Body) != "less" {
		t.Errorf("after too large an answer: %q", got.Body)
	}
}

func TestLog(t *testing.T) {
	s := open(t, wasm.Options{})
	in := ready(t, s, function(t))
	if got := string(invoke(t, in, "log word").Log); got != "word\nword\n" {
		t.Errorf("got log %q", got)
	}
	if got := invoke(t, in, "log "+strings.Repeat("x", 10_000)).Log; len(got) != 4096 {
		t.Errorf("got %d bytes of log, want the last 4096", len(got))
	}
	if got := invoke(t, in, "nothing").Log; len(got) != 0 {
		t.Errorf("got log %q twice", got)
	}
}

// TestWorld is what a module sees: what it is given, and nothing of the host.
func TestWorld(t *testing.T) {
	t.Setenv("COLDCURVE_SECRET", "of the host")
	s := open(t, wasm.Options{Region: "eu-central-1"})
	code := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	err := os.WriteFile(outside, []byte("secret"), 0o644)
	for name, target := range map[string]string{"link": outside, "up": "../../../../etc/passwd", "fine": "data"} {
		if err == nil {
			err = os.Symlink(target, filepath.Join(code, name))
		}
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(code, "data"), []byte("of the code"), 0o644)
	}
	if err == nil {
		err = os.Link(filepath.Join(module, wasm.Module), filepath.Join(code, wasm.Module))
	}
	if err != nil {
		t.Fatal(err)
	}
	in := ready(t, s, spec(t, code, map[string]string{"COLOUR": "green", "AWS_REGION": "mars"}))
	environment := strings.Split(string(invoke(t, in, "env").Body), "\n")
	for _, want := range []string{"COLOUR=green", "AWS_REGION=eu-central-1", "LAMBDA_TASK_ROOT=/var/task", "AWS_LAMBDA_FUNCTION_NAME=shop", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256"} {
		if !slices.Contains(environment, want) {
			t.Errorf("environment %q lacks %s", environment, want)
		}
	}
	if i := slices.IndexFunc(environment, func(v string) bool { return strings.HasPrefix(v, "COLDCURVE_") }); i >= 0 {
		t.Errorf("the host's %s is in the environment", environment[i])
	}
	for payload, want := range map[string]string{
		"read /var/task/data": "of the code",
		"read data":           "of the code", // the working directory is Lambda's
		"read /var/task/fine": "of the code",
		"list /tmp":           "",
	} {
		if r := invoke(t, in, payload); r.FunctionError != "" || string(r.Body) != want {
			t.Errorf("%s: got %s, want %q", payload, r.Body, want)
		}
	}
	for _, payload := range []string{
		"read /etc/passwd", "read " + outside, "read /var/task/../../etc/passwd", "read /var/task/link", "read /var/task/up",
		"write /var/task/new", "write /var/task/data", "write /etc/x", "dial 127.0.0.1:22", "list /", "list /proc",
	} {
		if r := invoke(t, in, payload); r.FunctionError == "" && !strings.HasPrefix(payload, "list /") {
			t.Errorf("%s: got %q, want an error", payload, r.Body)
		} else if strings.Contains(string(r.Body), "root") {
			t.Errorf("%s: got %q", payload, r.Body)
		}
	}
	now, err := strconv.ParseInt(string(invoke(t, in, "clock").Body), 10, 64)
	if off := time.Since(time.UnixMilli(now)); err != nil || off < -time.Second || off > time.Minute {
		t.Errorf("the module's clock is off by %v (%v)", off, err)
	}
}

func TestScratch(t *testing.T) {
	s := open(t, wasm.Options{})
	shop := function(t)
	shop.Storage = 1 << 20
	in := ready(t, s, shop)
	for range 3 { // what is removed is given back
		if r := invoke(t, in, "files /tmp"); r.FunctionError != "" {
			t.Fatalf("files: %s", r.Body)
		}
	}
	var filled struct {
		Bytes int
		Error string
	}
	if err := json.Unmarshal(invoke(t, in, "fill /tmp/x").Body, &filled); err != nil {
		t.Fatal(err)
	}
	if filled.Bytes > 1<<20 || filled.Bytes < 1<<19 || filled.Error == "" {
		t.Errorf("%+v fit into 1 MB", filled)
	}
	for _, file := range []string{"/tmp/x", "/var/task/bootstrap.wasm"} {
		n, err := strconv.Atoi(string(invoke(t, ready(t, s, shop), "open "+file).Body))
		if err == nil && n > 1024 {
			t.Errorf("%d open files of %s", n, file)
		}
	}
}

// TestNothingIsLeft looks for goroutines, descriptors and mappings of many
// instances that ended in every way, some of them with files open.
func TestNothingIsLeft(t *testing.T) {
	s := open(t, wasm.Options{})
	shop := function(t)
	invoke(t, ready(t, s, shop), "open /var/task/bootstrap.wasm")
	if err := ready(t, s, shop).Stop(false); err != nil {
		t.Fatal(err)
	}
	before := settled()
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			in := ready(t, s, shop)
			switch i % 4 {
			case 0:
				invoke(t, in, "open /var/task/bootstrap.wasm")
			case 1:
				_, _ = in.Invoke(t.Context(), invocation("exit 1", time.Minute))
			case 2:
				_, _ = in.Invoke(t.Context(), invocation("loop", 20*time.Millisecond))
			}
			if err := in.Stop(i%8 < 4); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	deadline := time.Now().Add(time.Minute)
	for after := holdings(); after.exceeds(before); after = holdings() {
		if time.Now().After(deadline) {
			t.Fatalf("holds %+v, before %+v", after, before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestMadeAheadIsNobodysYet starts an instance that was made before it had a
// name: its environment is its own, and the next one's is not.
func TestMadeAheadIsNobodysYet(t *testing.T) {
	s := open(t, wasm.Options{})
	shop := function(t, "PWD=/elsewhere", "COLOUR=blue")
	ready(t, s, shop)
	settled()
	for _, id := range []string{"i-2", "i-3"} {
		in, err := s.Start(t.Context(), id, shop, sandbox.OnDemand)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		environment := strings.Split(string(invoke(t, in, "env").Body), "\n")
		for _, want := range []string{"COLOUR=blue", "PWD=/var/task"} {
			if !slices.Contains(environment, want) {
				t.Errorf("%s: environment %q lacks %s", id, environment, want)
			}
		}
		if !slices.ContainsFunc(environment, func(v string) bool {
			return strings.HasPrefix(v, "AWS_LAMBDA_LOG_STREAM_NAME=") && strings.HasSuffix(v, "]"+id)
		}) {
			t.Errorf("%s has another's log: %q", id, environment)
		}
	}
}

func TestVariableThatCannotBeTold(t *testing.T) {
	s := open(t, wasm.Options{})
	_, err := s.Start(t.Context(), "i-1", function(t, "COLOUR=blue\x00SIZE=9"), sandbox.OnDemand)
	if want := `environment variable "COLOUR=blue\x00SIZE=9": want a name, and no zero byte`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// settled is what is held beside one instance when the next one has been made
// ahead, and who made it has gone.
func settled() held {
	for wait := time.Now().Add(time.Minute); holdings().images == 1 && time.Now().Before(wait); {
		time.Sleep(time.Millisecond)
	}
	h := holdings()
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		h.goroutines = min(h.goroutines, runtime.NumGoroutine())
	}
	return h
}

type held struct{ goroutines, descriptors, images int }

func (h held) exceeds(before held) bool {
	return h.goroutines > before.goroutines || h.descriptors > before.descriptors || h.images > before.images
}

func holdings() held {
	h := held{goroutines: runtime.NumGoroutine()}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		h.descriptors = len(entries)
	}
	if maps, err := os.ReadFile("/proc/self/maps"); err == nil {
		h.images = strings.Count(string(maps), "memfd:coldcurve-wasm")
	}
	return h
}

// TestLoopDoesNotStopTheRuntime has more modules loop than there are cores,
// while another is served and garbage is collected: both need every goroutine
// of the process to stop for a moment.
func TestLoopDoesNotStopTheRuntime(t *testing.T) {
	s := open(t, wasm.Options{})
	shop := function(t)
	other := ready(t, s, shop)
	var loops sync.WaitGroup
	var looping []sandbox.Instance
	for range runtime.GOMAXPROCS(0) + 1 {
		in := ready(t, s, shop)
		looping = append(looping, in)
		loops.Go(func() { _, _ = in.Invoke(t.Context(), invocation("loop", time.Minute)) })
	}
	time.Sleep(50 * time.Millisecond)
	for range 5 {
		runtime.GC()
		invoke(t, other, "hello")
	}
	for _, in := range looping {
		if err := in.Stop(false); err != nil {
			t.Error(err)
		}
	}
	loops.Wait()
}

// TestFixtures runs each fixture as a module, as its contract in every language says.
func TestFixtures(t *testing.T) {
	s := open(t, wasm.Options{})
	for name, want := range map[string]string{
		"hello":          `{"bytes":20,"greeting":"hello"}`,
		"cpu":            `{"ms":10}`,
		"sleep":          `{"ms":100}`,
		"heavyinit":      `{"init_mb":50,"init_ms":200}`,
		"thumbnail":      `{"height":`,
		fixtures.Minimal: `{"greeting":"hello"}`,
	} {
		t.Run(name, func(t *testing.T) {
			in := ready(t, s, fixture(t, name))
			for range 3 {
				if r := invoke(t, in, string(fixtures.Payload(name))); r.FunctionError != "" || !strings.HasPrefix(string(r.Body), want) {
					t.Errorf("got %q %.80s, want %s", r.FunctionError, r.Body, want)
				}
			}
			if err := in.Stop(true); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestMinimalTakesAnyPayload sends the hand-written module what does not fit its memory.
func TestMinimalTakesAnyPayload(t *testing.T) {
	s := open(t, wasm.Options{})
	in := ready(t, s, fixture(t, fixtures.Minimal))
	for _, n := range []int{0, 1, 2, 64_000, 64_512, 70_000, 6 << 20} {
		payload := strings.Repeat("\n", n)
		if got := invoke(t, in, payload); string(got.Body) != payload {
			t.Errorf("of %d bytes %d came back", n, len(got.Body))
		}
	}
}

// TestCompiledOnce wants a second sandbox to take the machine code off the disk.
func TestCompiledOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	shop := fixture(t, fixtures.Minimal)
	compiled := map[string]time.Time{}
	for range 2 {
		s := open(t, wasm.Options{Cache: dir})
		if err := s.Prepare(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		had := len(compiled)
		if err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() {
				if before, there := compiled[path]; there != (had > 0) || there && before != info.ModTime() {
					t.Errorf("%s was compiled anew", path)
				}
				compiled[path] = info.ModTime()
			}
			return err
		}); err != nil || len(compiled) == 0 {
			t.Fatalf("%d files of machine code (%v), want some", len(compiled), err)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := wasm.New(wasm.Options{Cache: dir}); err == nil {
		t.Error("a cache that others may write to is taken")
	}
}

// TestVersionsGo wants the code of a version that nobody has any more to go.
func TestVersionsGo(t *testing.T) {
	s := open(t, wasm.Options{})
	before := descriptorsOf("memfd:coldcurve-wasm")
	for range 5 {
		if err := ready(t, s, function(t)).Stop(false); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(time.Minute)
	for descriptorsOf("memfd:coldcurve-wasm") > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d images are left, before %d", descriptorsOf("memfd:coldcurve-wasm"), before)
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

func descriptorsOf(name string) (n int) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.Contains(to, name) {
			n++
		}
	}
	return n
}
