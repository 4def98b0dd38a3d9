package platformtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// TestKitPasses runs it on a platform that keeps its word.
func TestKitPasses(t *testing.T) {
	cloud := &cloud{}
	Run(t, cloud.kit())
}

// TestKitFails has a platform tell a lie at a time, and wants the kit to find
// it where it belongs.
func TestKitFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		lie  lie
		part string // that has to fail, with these words
		says string
	}{
		{"cold when warm", lie{evidence: func(e *platform.Evidence) { e.Start = sample.Cold }}, "answers", "is called cold, and only the first can be"},
		{"warm when cold", lie{evidence: func(e *platform.Evidence) { e.Start = sample.Warm }}, "answers", "is called warm, and its instance was started for it"},
		{"no evidence", lie{evidence: func(e *platform.Evidence) { *e = platform.Evidence{Instance: e.Instance} }}, "answers", "no evidence, where attested is claimed"},
		{"another grade", lie{evidence: func(e *platform.Evidence) { e.Grade = sample.Inferred }}, "answers", "of grade inferred, where attested is claimed"},
		{"one name for all", lie{evidence: func(e *platform.Evidence) { e.Instance = "i-1" }}, "concurrent", `the platform calls its instance "i-1"`},
		{"parts longer than the whole", lie{evidence: func(e *platform.Evidence) { e.Breakdown.Init = time.Hour }}, "answers", "the parts {"},
		{"an answer lost", lie{body: func(n int, body []byte) []byte { return body[:len(body)*min(1, n%7)] }}, "concurrent", `answered with ""`},
		{"an answer given to two", lie{body: same()}, "concurrent", "answered with"},
		{"evict does nothing", lie{keeps: true}, "evict", "after evict: request 2 of"},
		{"something left behind", lie{leaves: true}, "removal", "there is still: [goes goes goes-again stays]"},
		{"a process that outlives its function", lie{child: untilClosed}, "removal", "after remove there is still: [process "},
		{"a process that outlives its platform", lie{child: untilEnd}, "answers", "after close there is still: [process "},
		{"a process that outlives all, without a mark", lie{child: always, secret: true}, "answers", "after the end there is still: [process "},
		{"a control group left behind", lie{child: untilClosed, group: true}, "answers", "after the end there is still: [control group "},
		{"a temporary file left behind", lie{file: true}, "answers", "after the end there is still: [temporary left-"},
		{"what was removed answers", lie{haunts: true}, "removal", "what was removed answers"},
		{"a failure that is none", lie{kind: func(sample.ErrorKind) sample.ErrorKind { return sample.NoError }}, "failures", "no error, want kind handler"},
		{"a kind that is claimed and not told", lie{kind: func(sample.ErrorKind) sample.ErrorKind { return sample.Platform }}, "failures", "kind platform, want handler"},
		{"a caller that is not let go", lie{deaf: true}, "cancellation", "want kind cancelled"},
		{"an evicter that is not claimed", lie{claims: func(c *platform.Claims) {
			c.Lacks = map[platform.Capability]string{platform.Evicting: "it cannot"}
		}}, "claims", "its deployments evict: true, and it claims false"},
		{"no reason", lie{claims: func(c *platform.Claims) { c.Lacks = map[platform.Capability]string{platform.Billing: ""} }}, "claims", "lacks billing without a reason"},
		{"a limit that is not kept", lie{claims: func(c *platform.Claims) { c.Payload = 1 << 10 }}, "payload limits", "a request beyond the limit"},
		{"a timeout that is none", lie{kind: func(sample.ErrorKind) sample.ErrorKind { return sample.NoError }}, "timeout", "a request beyond its time: no error, want kind timeout"},
		{"a timeout called otherwise", lie{kind: func(sample.ErrorKind) sample.ErrorKind { return sample.Crash }}, "timeout", "kind crash, want timeout"},
		{"a limit of concurrency that is not kept", lie{crowded: true}, "throttled", "two at once with a concurrency of 1: "},
		{"throttling that is claimed, and no limit to be had", lie{unlimited: true}, "throttled", "it claims to tell throttled, and takes no limit of concurrency"},
		{"a life that nobody tells of", lie{lives: func([]platform.InstanceRecord) []platform.InstanceRecord { return nil }}, "history", "instances without a life: map["},
		{"a life with a request too many", lie{lives: func(list []platform.InstanceRecord) []platform.InstanceRecord {
			list[0].Invocations++
			return list
		}}, "history", "4 invocations in its life, want 3 of history"},
		{"nothing billed", lie{free: true}, "answers", "no billed duration"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud := &cloud{lie: tt.lie}
			defer cloud.stop()
			if tt.lie.child != "" {
				need.Linux(t)
			}
			if tt.lie.group {
				cloud.group = controlGroup(t)
			}
			kit := cloud.kit()
			kit.Patience = 4 * time.Second // longer than the function of part timeout has
			failed := trial(t, kit, tt.part)
			if !slices.ContainsFunc(failed, func(text string) bool { return strings.Contains(text, tt.says) }) {
				t.Errorf("part %s says %q, want %q among it", tt.part, failed, tt.says)
			}
		})
	}
}

// controlGroup makes one that processes can be put into.
func controlGroup(t *testing.T) string {
	t.Helper()
	var refused error
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		folder := filepath.Join(root, "coldcurve-kit-test-"+strconv.Itoa(os.Getpid()))
		if refused = os.Mkdir(folder, 0o755); refused == nil {
			t.Cleanup(func() {
				if err := os.Remove(folder); err != nil {
					t.Error(err)
				}
			})
			return folder
		}
	}
	need.Missing(t, "control groups that can be made: "+refused.Error())
	return ""
}

// same gives every answer that the first request has.
func same() func(int, []byte) []byte {
	var first []byte
	return func(_ int, body []byte) []byte {
		if first == nil {
			first = body
		}
		return first
	}
}

// witness is a testing.TB whose failures are counted and not this test's.
type witness struct {
	testing.TB
	mu       sync.Mutex
	failed   []string
	cleanups []func()
}

func (w *witness) Helper()                      {}
func (w *witness) Context() context.Context     { return w.TB.Context() }
func (w *witness) Cleanup(f func())             { w.cleanups = append(w.cleanups, f) }
func (w *witness) Error(args ...any)            { w.add(fmt.Sprint(args...)) }
func (w *witness) Errorf(f string, args ...any) { w.add(fmt.Sprintf(f, args...)) }
func (w *witness) Fatal(args ...any)            { w.Error(args...); runtime.Goexit() }
func (w *witness) Fatalf(f string, args ...any) { w.Errorf(f, args...); runtime.Goexit() }

func (w *witness) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, text)
}

// trial runs one part of the kit and gives what it complains of.
func trial(t *testing.T, k Kit, name string) []string {
	t.Helper()
	i := slices.IndexFunc(parts(), func(p part) bool { return p.name == name })
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range slices.Backward(w.cleanups) {
				f()
			}
		}()
		parts()[i].test(w, &k)
	}()
	<-done
	return w.failed
}

// cloud is a platform in memory, whose instances are subjects.
type cloud struct {
	lie lie

	mu        sync.Mutex
	n         int // answers
	instances int
	all       []*instance // there were of the platform that is open
	functions map[string]*function
	left      []string
	group     string // that functions' processes are put into; "" for none
	children  []*exec.Cmd
}

// A lie about a function's process is how long it runs beyond the function.
const (
	untilClosed = "until the platform is closed"
	untilEnd    = "until what Open has begun ends"
	always      = "until the test stops it"
)

// lie is what a cloud does otherwise than it says; the zero value is honest.
type lie struct {
	evidence  func(*platform.Evidence)
	body      func(n int, body []byte) []byte
	kind      func(sample.ErrorKind) sample.ErrorKind
	claims    func(*platform.Claims)
	keeps     bool // instances, when it is told to evict
	leaves    bool // functions, when they are removed
	haunts    bool // it serves what was removed
	deaf      bool // to callers that go
	free      bool
	crowded   bool // functions' limits of concurrency are taken and not kept
	unlimited bool // functions with such a limit are refused
	lives     func([]platform.InstanceRecord) []platform.InstanceRecord
	child     string // each function has a process, that outlives it so long
	secret    bool   // and has no mark
	group     bool   // and is in a control group, which stays
	file      bool   // a temporary folder, which stays
}

func (c *cloud) kit() Kit {
	return Kit{
		Open: func(t testing.TB) platform.Platform {
			c.functions, c.all = make(map[string]*function), nil
			t.Cleanup(func() {
				if c.lie.child == untilEnd {
					c.stop()
				}
			})
			return c
		},
		Left: func(testing.TB) []string {
			c.mu.Lock()
			defer c.mu.Unlock()
			slices.Sort(c.left)
			return c.left
		},
		Patience: 10 * time.Second,
	}
}

const limit = 64 << 10

func (c *cloud) Claims() platform.Claims {
	claims := platform.Claims{
		Grade: sample.Attested, Payload: limit, Response: limit,
		Errors: []sample.ErrorKind{sample.Throttled, sample.Timeout, sample.Handler, sample.Init, sample.Crash, sample.Payload},
	}
	if c.lie.claims != nil {
		c.lie.claims(&claims)
	}
	return claims
}

// Instances are the lives of all that there were.
func (c *cloud) Instances(context.Context) ([]platform.InstanceRecord, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []platform.InstanceRecord
	for _, in := range c.all {
		list = append(list, platform.InstanceRecord{ID: in.name, Function: in.of, Invocations: in.served})
	}
	if c.lie.lives != nil {
		list = c.lie.lives(list)
	}
	return list, nil
}

func (c *cloud) Deploy(_ context.Context, f platform.Function) (platform.Deployment, error) {
	if c.lie.unlimited && f.Reserved > 0 {
		return nil, &platform.Error{Kind: sample.Refused, Op: "deploy " + f.Name, Err: errors.New("it has no limit of its own")}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	made := &function{Function: f, cloud: c}
	c.functions[f.Name] = made
	return made, c.litter(f)
}

// litter makes what a function of a liar leaves on the machine.
func (c *cloud) litter(f platform.Function) error {
	if c.lie.file {
		if _, err := os.MkdirTemp("", "left-"); err != nil {
			return err
		}
	}
	if c.lie.child == "" {
		return nil
	}
	child := exec.Command("cat")
	child.Env = []string{residue.Marker + "=" + f.Env[residue.Marker]}
	if c.lie.secret {
		child.Env = []string{}
	}
	in, err := child.StdinPipe()
	if err != nil {
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	// Once it answers its environment is its own, for all to see.
	if _, err := in.Write([]byte{0}); err != nil {
		return err
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		return err
	}
	c.children = append(c.children, child)
	if c.group == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(c.group, "cgroup.procs"), []byte(strconv.Itoa(child.Process.Pid)), 0)
}

// Close ends the functions' processes, unless they are to outlive it.
func (c *cloud) Close(context.Context) error {
	if c.lie.child == untilClosed {
		c.stop()
	}
	return nil
}

func (c *cloud) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, child := range c.children {
		_ = child.Process.Kill()
		_ = child.Wait() // killed is how it ends
	}
	c.children = nil
}

// function is one of a cloud.
type function struct {
	platform.Function
	cloud   *cloud
	removed bool
	busy    int
	idle    []*instance
}

type instance struct {
	subject.Subject
	name   string
	of     string // function
	served uint64
	ended  bool
}

func (f *function) Remove(context.Context) error {
	f.cloud.mu.Lock()
	defer f.cloud.mu.Unlock()
	if f.cloud.lie.leaves && !f.removed {
		f.cloud.left = append(f.cloud.left, f.Name)
	}
	f.removed, f.idle = true, nil
	return nil
}

func (f *function) Evict(context.Context) error {
	f.cloud.mu.Lock()
	defer f.cloud.mu.Unlock()
	if !f.cloud.lie.keeps {
		f.idle = nil
	}
	return nil
}

func (f *function) fail(kind sample.ErrorKind) error {
	if told := f.cloud.lie.kind; told != nil {
		kind = told(kind)
	}
	if kind == sample.NoError {
		return nil
	}
	return &platform.Error{Kind: kind, Op: "invoke " + f.Name, Err: errors.New("it failed")}
}

// take gives an instance to a request, a new one where none is idle.
func (f *function) take() (in *instance, start sample.Start, refused sample.ErrorKind) {
	c := f.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.removed && !c.lie.haunts:
		return nil, 0, sample.Refused
	case f.Reserved > 0 && f.busy >= f.Reserved && !c.lie.crowded:
		return nil, 0, sample.Throttled
	case f.Env[subject.BrokenInit] != "":
		return nil, 0, sample.Init
	}
	f.busy++
	if n := len(f.idle); n > 0 {
		in, f.idle = f.idle[n-1], f.idle[:n-1]
		return in, sample.Warm, sample.NoError
	}
	c.instances++
	in = &instance{name: fmt.Sprint("i-", c.instances), of: f.Name}
	in.End = func() { in.ended = true }
	c.all = append(c.all, in)
	return in, sample.Cold, sample.NoError
}

func (f *function) Invoke(ctx context.Context, r platform.Request) (platform.Response, error) {
	if ctx.Err() != nil {
		return platform.Response{}, f.gone(ctx)
	}
	if len(r.Payload) > limit {
		return platform.Response{}, f.fail(sample.Payload)
	}
	in, start, refused := f.take()
	if refused != sample.NoError {
		return platform.Response{}, f.fail(refused)
	}
	evidence := platform.Evidence{Start: start, Grade: sample.Attested, Instance: in.name}
	inside, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	body, _, err := in.Serve(inside, r.Payload)
	return f.answer(ctx, in, evidence, body, err)
}

// answer says what became of a request, and keeps what can be used again.
func (f *function) answer(ctx context.Context, in *instance, evidence platform.Evidence, body []byte, err error) (platform.Response, error) {
	c := f.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	f.busy--
	in.served++
	lost := in.ended || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if !lost && !f.removed {
		f.idle = append(f.idle, in)
	}
	if c.lie.evidence != nil {
		c.lie.evidence(&evidence)
	}
	out := platform.Response{Status: 200, Body: body, Evidence: evidence, Billed: time.Millisecond}
	c.n++
	switch {
	case ctx.Err() != nil:
		return out, f.gone(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return out, f.fail(sample.Timeout)
	case in.ended:
		return out, f.fail(sample.Crash)
	case err != nil:
		return out, f.fail(sample.Handler)
	case len(body) > limit:
		return out, f.fail(sample.Payload)
	}
	if c.lie.body != nil {
		out.Body = c.lie.body(c.n, body)
	}
	if c.lie.free {
		out.Billed = 0
	}
	return out, nil
}

// gone is the error of a request whose caller has gone.
func (f *function) gone(ctx context.Context) error {
	kind := sample.Cancelled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = sample.Timeout
	}
	if f.cloud.lie.deaf {
		kind = sample.Platform
	}
	return &platform.Error{Kind: kind, Op: "invoke " + f.Name, Err: ctx.Err()}
}
