package process_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestHandlerFails(t *testing.T) {
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	r := invoke(t, in, "fail no change")
	if want := `{"errorType":"Shop.Closed","errorMessage":"no change"}`; r.FunctionError != "Unhandled" || string(r.Body) != want {
		t.Errorf("got %q %s, want Unhandled %s", r.FunctionError, r.Body, want)
	}
	if got := string(invoke(t, in, "open again").Body); got != "open again" {
		t.Errorf("got %q after a failure", got)
	}
}

func TestSlowChunkedBody(t *testing.T) {
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	if got := string(invoke(t, in, "chunks one two three").Body); got != "onetwothree" {
		t.Errorf("got %q", got)
	}
}

func TestWrongRequestID(t *testing.T) {
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	if got := string(invoke(t, in, "wrong 11111111-2222-3333-4444-555555555555").Body); got != "400 Bad Request" {
		t.Errorf("an answer to somebody else's request got %q, want 400", got)
	}
}

func TestPayloadLimit(t *testing.T) {
	const most = 6 << 20
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	if got := len(invoke(t, in, "large "+strconv.Itoa(most)).Body); got != most {
		t.Errorf("got %d bytes, want %d", got, most)
	}
	_, err := in.Invoke(t.Context(), invocation("large "+strconv.Itoa(most+1), time.Minute))
	if f := failure(t, err, sample.Payload); f.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %q", f.Type)
	}
	if got := string(invoke(t, in, "status").Body); got != "413 Request Entity Too Large" {
		t.Errorf("the function was told %q, want 413", got)
	}
	request := strings.Repeat("x", most)
	if got := string(invoke(t, in, request).Body); got != request {
		t.Errorf("a request of 6 MB came back as %d bytes", len(got))
	}
}

func TestLog(t *testing.T) {
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, ""))
	for i := range 50 {
		want := "line " + strconv.Itoa(i)
		if got := string(invoke(t, in, "print "+want).Log); got != want+"\n" {
			t.Fatalf("got log %q, want %q", got, want)
		}
	}
	if got := invoke(t, in, "quiet").Log; got != nil {
		t.Errorf("got log %q of an invocation that wrote nothing", got)
	}
	flood := invoke(t, in, "flood 2000").Log // 32 MB
	if len(flood) != 4<<10 || !bytes.HasSuffix(flood, []byte("\nthe end of the flood\n")) {
		t.Errorf("got %d bytes of log that end in %q", len(flood), flood[max(0, len(flood)-30):])
	}
}

// TestLogIsNotTheLastTenants: what an instance has written and nobody has read
// when it is killed is not in the log of another that gets its place.
func TestLogIsNotTheLastTenants(t *testing.T) {
	s := open(t, process.Options{Launchers: 1})
	for i := range 20 {
		in := ready(t, s, spec(t, ""))
		want := "instance " + strconv.Itoa(i)
		if got := string(invoke(t, in, "print "+want).Log); got != want+"\n" {
			t.Fatalf("got log %q, want %q", got, want)
		}
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			_, _ = in.Invoke(t.Context(), invocation("flood 2000", time.Minute))
		}()
		if err := in.Stop(false); err != nil {
			t.Fatal(err)
		}
		<-flooded
	}
}

func TestForkBombIsBounded(t *testing.T) {
	s := open(t, process.Options{})
	if notes := strings.Join(s.Notes(), "; "); s.Facts()["cgroup"] == "none" || strings.Contains(notes, "pids limits") {
		need.Missing(t, "control groups with the pids controller: "+notes)
	}
	sp := spec(t, "")
	sp.Memory, sp.Timeout = 1<<30, time.Minute
	r, err := ready(t, s, sp).Invoke(t.Context(), invocation("multiply", time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	got := string(r.Body)
	n, err := strconv.Atoi(strings.Fields(got)[0])
	if err != nil || n < 500 || n >= 1024 || !strings.Contains(got, "resource temporarily unavailable") {
		t.Errorf("the bomb made %s, want an end below 1024", got)
	}
	if got := string(invoke(t, ready(t, s, spec(t, "")), "beside it").Body); got != "beside it" {
		t.Errorf("beside the bomb an instance answers %q", got)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("COLDCURVE_SECRET", "ours")
	s := open(t, process.Options{})
	in := ready(t, s, spec(t, "", "LANG=C", "AWS_REGION=atlantis-1", "GREETING=hi"))
	var got []string
	for line := range strings.Lines(string(invoke(t, in, "env").Body)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if name == "AWS_LAMBDA_RUNTIME_API" || name == "AWS_LAMBDA_LOG_STREAM_NAME" {
			value = "..."
		}
		got = append(got, name+"="+value)
	}
	slices.Sort(got)
	want := []string{
		"AWS_ACCESS_KEY_ID=coldcurve",
		"AWS_DEFAULT_REGION=us-east-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_FUNCTION_NAME=shop",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/shop",
		"AWS_LAMBDA_LOG_STREAM_NAME=...",
		"AWS_LAMBDA_RUNTIME_API=...",
		"AWS_REGION=us-east-1", // reserved, so the function's own is not taken
		"AWS_SECRET_ACCESS_KEY=coldcurve",
		"AWS_SESSION_TOKEN=coldcurve",
		"COLDCURVE_TEST_MARK=TestEnvironment",
		"GREETING=hi",
		"LAMBDA_RUNTIME_DIR=",
		"LAMBDA_TASK_ROOT=" + function,
		"LANG=C",
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ=:UTC",
		"_HANDLER=index.handler",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestDescriptors(t *testing.T) {
	// One that this process was given itself, and that its children would get.
	ours, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ours)
	s := open(t, process.Options{})
	for range 3 {
		in := ready(t, s, spec(t, ""))
		var inherited []string
		for line := range strings.Lines(string(invoke(t, in, "fds").Body)) {
			_, target, _ := strings.Cut(strings.TrimSpace(line), " ")
			// Its own: the poller, the connection, and Go's look at its CPU quota.
			if !strings.HasPrefix(target, "anon_inode:") && !strings.HasPrefix(target, "socket:") && !strings.HasPrefix(target, "/sys/") {
				inherited = append(inherited, strings.TrimSpace(line))
			}
		}
		slices.Sort(inherited)
		if len(inherited) != 3 || inherited[0] != "0 /dev/null" || !strings.HasPrefix(inherited[1], "1 pipe:") || inherited[1][2:] != inherited[2][2:] {
			t.Errorf("got descriptors %q, want /dev/null and one pipe twice", inherited)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	n := 200
	if testing.Short() {
		n = 20
	}
	s := open(t, process.Options{})
	shop := spec(t, "")
	shop.InitLimit, shop.Timeout = time.Minute, time.Minute
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			in, err := s.Start(t.Context(), "i-"+strconv.Itoa(i), shop, sandbox.OnDemand)
			if err != nil {
				t.Errorf("start %d: %v", i, err)
				return
			}
			if _, err := in.AwaitReady(t.Context()); err != nil {
				t.Errorf("ready %d: %v", i, err)
				return
			}
			r, err := in.Invoke(t.Context(), invocation("many", time.Minute))
			if err != nil || string(r.Body) != "many" {
				t.Errorf("invoke %d: %q, %v", i, r.Body, err)
			}
			if i%2 == 0 { // the other half is left to Close
				if err := in.Stop(false); err != nil {
					t.Errorf("stop %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
}

func TestWithoutControlGroups(t *testing.T) {
	s := open(t, process.Options{NoCgroups: true})
	if notes := strings.Join(s.Notes(), "\n"); !strings.Contains(notes, "not enforced") {
		t.Errorf("notes %q do not say what is not enforced", notes)
	}
	if got := s.Facts()["cgroup"]; got != "none" {
		t.Errorf("got cgroup %q, want none", got)
	}
	in := ready(t, s, spec(t, ""))
	invoke(t, in, "hello")
	if in.MaxMemory() < 500<<10 {
		t.Errorf("got peak memory %d", in.MaxMemory())
	}
	if err := in.Stop(false); err != nil {
		t.Fatal(err)
	}
	if in.MaxMemory() < 500<<10 {
		t.Errorf("got peak memory %d after stop", in.MaxMemory())
	}
}
