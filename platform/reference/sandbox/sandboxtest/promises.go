package sandboxtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Run tests a sandbox.
func Run(t *testing.T, k Kit) {
	for _, part := range []struct {
		name string
		test func(*testing.T, Kit)
	}{
		{"answers", answers}, {"handler fails", handlerFails}, {"init fails", initFails}, {"process ends", processEnds},
		{"deadline", deadline}, {"payload limit", payloadLimit}, {"out of memory", outOfMemory}, {"log tail", logTail},
		{"stop", stop}, {"stop graceful", stopGraceful}, {"nothing to start", nothingToStart}, {"start after close", startAfterClose},
		{"many at once", manyAtOnce}, {"context", contexts}, {"initialization", initialization}, {"pause", pause},
		{"pauses and stops", pausesAndStops}, {"injuries", injuries},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, k) })
	}
}

func answers(t *testing.T, k Kit) {
	in := start(t, k.open(t), k.Spec(t, ""))
	m, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !(0 < m.Begun && m.Begun < m.Provisioned && m.Provisioned <= m.Ready) || m.Attempts != 1 || m.Failed != 0 {
		t.Errorf("marks out of order: %+v", m)
	}
	last := m.Ready
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
	if k.Limits {
		k.await(t, "max memory is not told", func() bool { return in.MaxMemory() > 200<<10 })
	}
}

// await wants something at once, or soon of a sandbox that tells late.
func (k Kit) await(t *testing.T, otherwise string, found func() bool) {
	t.Helper()
	for patience := time.Millisecond; ; patience *= 2 {
		if found() {
			return
		}
		if !k.Late || patience > 5*time.Second {
			t.Fatal(otherwise)
		}
		time.Sleep(patience)
	}
}

func handlerFails(t *testing.T, k Kit) {
	in := ready(t, k.open(t), k.Spec(t, ""))
	r := invoke(t, in, "fail no change")
	var told map[string]string
	want := map[string]string{"errorType": "Shop.Closed", "errorMessage": "no change"}
	if err := json.Unmarshal(r.Body, &told); err != nil || r.FunctionError != "Unhandled" || !maps.Equal(told, want) {
		t.Errorf("got %q %s, want Unhandled %s", r.FunctionError, r.Body, want)
	}
	if got := string(invoke(t, in, "back again").Body); got != "back again" {
		t.Errorf("got %q after a failure", got)
	}
}

func initFails(t *testing.T, k Kit) {
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
			broken := k.Spec(t, tt.behaviour)
			broken.Timeout = 10 * time.Second
			if tt.behaviour == "hang" {
				broken.InitLimit, broken.Timeout = 100*time.Millisecond, 200*time.Millisecond
			}
			in := start(t, k.open(t), broken)
			m, err := in.AwaitReady(t.Context())
			f := failure(t, err, tt.kind)
			if !(0 < m.Begun && m.Begun < m.Provisioned && m.Provisioned < m.Failed) || m.Ready != 0 || m.Attempts != 2 {
				t.Errorf("got marks %+v, want 2 attempts from the first process to the failure", m)
			}
			if f.Type != tt.errType || f.Message != tt.message || string(f.Log) != tt.log {
				t.Errorf("got %q %q log %q, want %q %q log %q", f.Type, f.Message, f.Log, tt.errType, tt.message, tt.log)
			}
		})
	}
}

func processEnds(t *testing.T, k Kit) {
	for _, tt := range []struct{ payload, message string }{
		{"exit 1", "Error: Runtime exited with error: exit status 1"},
		{"exit 0", "Error: Runtime exited without providing a reason"},
		{"signal 15", "Error: Runtime exited with error: signal: terminated"},
		{"signal 9", "Error: Runtime exited with error: signal: killed"},
	} {
		if k.Inside && strings.HasPrefix(tt.payload, "signal") {
			continue
		}
		t.Run(tt.payload, func(t *testing.T) {
			in := ready(t, k.open(t), k.Spec(t, ""))
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
			gone(t, in)
		})
	}
}

// gone waits for the end of an instance.
func gone(t *testing.T, in sandbox.Instance) {
	t.Helper()
	select {
	case <-in.Done():
	case <-time.After(time.Minute):
		t.Fatal("the instance's end is not told")
	}
}

func deadline(t *testing.T, k Kit) {
	slow := k.Spec(t, "")
	slow.Timeout = 250 * time.Millisecond
	in := ready(t, k.open(t), slow)
	inv := invocation("sleep 1h", slow.Timeout)
	_, err := in.Invoke(t.Context(), inv)
	f := failure(t, err, sample.Timeout)
	if want := "RequestId: " + inv.RequestID + " Error: Task timed out after 0.25 seconds"; f.Message != want || f.Type != "Sandbox.Timedout" {
		t.Errorf("got %q %q, want %q", f.Type, f.Message, want)
	}
}

func payloadLimit(t *testing.T, k Kit) {
	most := int(sandbox.Lambda().Response)
	in := ready(t, k.open(t), k.Spec(t, ""))
	if got := len(invoke(t, in, "large "+strconv.Itoa(most)).Body); got != most {
		t.Errorf("got %d bytes, want %d", got, most)
	}
	_, err := in.Invoke(t.Context(), invocation("large "+strconv.Itoa(most+1), time.Minute))
	if f := failure(t, err, sample.Payload); f.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %q", f.Type)
	}
	if got := string(invoke(t, in, "lives on").Body); got != "lives on" {
		t.Errorf("got %q afterwards", got)
	}
}

func outOfMemory(t *testing.T, k Kit) {
	if !k.Limits {
		t.Skip("memory limits are not enforced here")
	}
	small := k.Spec(t, "")
	small.Memory = 128 << 20
	in := ready(t, k.open(t), small)
	_, err := in.Invoke(t.Context(), invocation("eat", 30*time.Second))
	failure(t, err, sample.OutOfMemory)
	if peak := in.MaxMemory(); peak < 120<<20 || peak > 129<<20 {
		t.Errorf("peak %d bytes, want close to 128 MB", peak)
	}
}

func logTail(t *testing.T, k Kit) {
	in := ready(t, k.open(t), k.Spec(t, ""))
	logged := func(payload, want string) (last []byte) {
		last = invoke(t, in, payload).Log
		all := string(last)
		k.await(t, payload+": the log does not end in "+want, func() bool {
			if !strings.HasSuffix(all, want) {
				last = invoke(t, in, "quiet").Log
				all += string(last)
			}
			return strings.HasSuffix(all, want)
		})
		return last
	}
	for i := range 20 {
		want := "line " + strconv.Itoa(i)
		if got := string(logged("print "+want, want+"\n")); got != want+"\n" {
			t.Fatalf("got log %q, want %q", got, want)
		}
	}
	if got := invoke(t, in, "quiet").Log; got != nil {
		t.Errorf("got log %q of an invocation that wrote nothing", got)
	}
	most := sandbox.Lambda().LogTail
	flood := logged("flood 500", "\nthe end of the flood\n") // 8 MB
	if len(flood) > most || len(flood) < most && !k.Late {
		t.Errorf("got %d bytes of log, want %d", len(flood), most)
	}
}

func stop(t *testing.T, k Kit) {
	s := k.open(t)
	for name, payload := range map[string]string{"idle": "", "in an invocation": "sleep 1h", "with a child": "spawn"} {
		if k.Inside && payload == "spawn" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			in := ready(t, s, k.Spec(t, "", "SPAWN=session"))
			result := make(chan error, 1)
			switch payload {
			case "":
				result <- nil
			case "spawn":
				invoke(t, in, payload)
				result <- nil
			default:
				go func() {
					_, err := in.Invoke(context.Background(), invocation(payload, time.Hour))
					result <- err
				}()
				time.Sleep(50 * time.Millisecond)
			}
			for range 2 {
				if err := in.Stop(false); err != nil {
					t.Fatal(err)
				}
			}
			gone(t, in)
			if err := <-result; payload == "sleep 1h" {
				failure(t, err, sample.Platform)
			}
			for pid, mark := range residue.Marked() {
				if mark == t.Name() {
					t.Errorf("process %d is left after stop", pid)
				}
			}
		})
	}
	t.Run("in init", func(t *testing.T) {
		in := start(t, s, k.Spec(t, "hang"))
		time.AfterFunc(50*time.Millisecond, func() { _ = in.Stop(false) })
		_, err := in.AwaitReady(t.Context())
		failure(t, err, sample.Platform)
		gone(t, in)
	})
}

// stopGraceful wants a process that hears SIGTERM not to be waited for as one is
// that does not: both are measured here, several times where what else there is
// to do for an end takes longer than the wait.
func stopGraceful(t *testing.T, k Kit) {
	const grace, tries = 300 * time.Millisecond, 8 // which every sandbox has by default
	if k.Inside {
		t.Skip("its instances hear no signals")
	}
	s := k.open(t)
	took := func(behaviour string) time.Duration {
		in := ready(t, s, k.Spec(t, behaviour))
		begun := time.Now()
		if err := in.Stop(true); err != nil {
			t.Fatal(err)
		}
		return time.Since(begun)
	}
	var told []string
	for range tries {
		deaf, hears := took("deaf"), took("")
		if deaf-hears > grace/2 {
			return
		}
		told = append(told, fmt.Sprintf("%v and %v", hears, deaf))
	}
	t.Errorf("one that hears SIGTERM took as long to stop as one that does not: %s", strings.Join(told, ", "))
}

func nothingToStart(t *testing.T, k Kit) {
	s := k.open(t)
	nothing := k.Spec(t, "")
	nothing.Function.Code = readable(t)
	_, err := s.Start(t.Context(), "i-1", nothing, sandbox.OnDemand)
	if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
		t.Errorf("got %q", f.Type)
	}
	if got := string(invoke(t, ready(t, s, k.Spec(t, "")), "after all").Body); got != "after all" {
		t.Errorf("got %q after a failed start", got)
	}
}

func startAfterClose(t *testing.T, k Kit) {
	s := k.open(t)
	in := ready(t, s, k.Spec(t, ""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	gone(t, in)
	_, err := s.Start(t.Context(), "i-2", k.Spec(t, ""), sandbox.OnDemand)
	failure(t, err, sample.Platform)
}

func manyAtOnce(t *testing.T, k Kit) {
	s, shop := k.open(t), k.Spec(t, "")
	shop.InitLimit, shop.Timeout = time.Minute, time.Minute
	var all sync.WaitGroup
	for i := range 20 {
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

func contexts(t *testing.T, k Kit) {
	s := k.open(t)
	over, cancel := context.WithCancel(t.Context())
	hangs := start(t, s, k.Spec(t, "hang"))
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := hangs.AwaitReady(over); !errors.Is(err, context.Canceled) {
		t.Errorf("await ready: got %v, want the context's end", err)
	}
	if err := hangs.Stop(false); err != nil {
		t.Error(err)
	}
	in := ready(t, s, k.Spec(t, ""))
	r, err := in.Invoke(over, invocation("the caller has gone", time.Minute))
	if err != nil || string(r.Body) != "the caller has gone" {
		t.Errorf("invoke: got %q, %v, want an answer all the same", r.Body, err)
	}
	if in, err := s.Start(over, "i-2", k.Spec(t, ""), sandbox.OnDemand); err == nil { // it may have been too quick
		if err := in.Stop(false); err != nil {
			t.Error(err)
		}
	}
}

// initialization wants an instance to be told why it was started, and its
// function not to have a say in it.
func initialization(t *testing.T, k Kit) {
	const name = "AWS_LAMBDA_INITIALIZATION_TYPE="
	s := k.open(t)
	for _, why := range []sandbox.Initialization{sandbox.OnDemand, sandbox.Provisioned} {
		in, err := s.Start(t.Context(), "i-"+string(why), k.Spec(t, "", name+"mine"), why)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		var told []string
		for line := range strings.Lines(string(invoke(t, in, "env").Body)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), name); ok {
				told = append(told, value)
			}
		}
		if !slices.Equal(told, []string{string(why)}) {
			t.Errorf("started as %s it is told %q", why, told)
		}
	}
}

func pause(t *testing.T, k Kit) {
	in := ready(t, k.open(t), k.Spec(t, ""))
	p, ok := in.(sandbox.Pauser)
	if !ok {
		t.Skip("its instances cannot be paused")
	}
	for range 3 {
		if err := p.Pause(); err != nil {
			t.Fatal(err)
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
	if err := in.Stop(false); err != nil {
		t.Errorf("stop while paused: %v", err)
	}
}

// pausesAndStops has instances paused and stopped at once, beside processes that
// leave them little of the machine: each ends, however far its pause has come.
func pausesAndStops(t *testing.T, k Kit) {
	s, spec := k.open(t), k.Spec(t, "")
	spec.InitLimit, spec.Timeout = time.Minute, time.Minute
	if _, ok := ready(t, s, spec).(sandbox.Pauser); !ok {
		t.Skip("its instances cannot be paused")
	}
	crowd := cmp.Or(k.Crowd, 12)
	busy(t, crowd/2)
	var all sync.WaitGroup
	slots := make(chan struct{}, crowd)
	for i := range 12 {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			in, err := s.Start(t.Context(), "i-"+strconv.Itoa(i), spec, sandbox.OnDemand)
			if err != nil {
				t.Errorf("start %d: %v", i, err)
				return
			}
			if _, err := in.AwaitReady(t.Context()); err != nil {
				t.Errorf("ready %d: %v", i, err)
			}
			p := in.(sandbox.Pauser)
			all.Go(func() {
				for range i % 3 {
					_, _ = p.Pause(), p.Resume()
				}
				_ = p.Pause() // which fails once it is being stopped
			})
			time.Sleep(time.Duration(i%6) * 5 * time.Millisecond)
			if err := in.Stop(i%4 == 0); err != nil {
				t.Errorf("stop %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// busy has so many processes compute until the test ends.
func busy(t *testing.T, n int) {
	t.Helper()
	for range n {
		loop := exec.Command("sh", "-c", "while :; do :; done")
		if err := loop.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = loop.Process.Kill()
			_ = loop.Wait()
		})
	}
}

func injuries(t *testing.T, k Kit) {
	s := k.open(t)
	hurt := func(t *testing.T, what sandbox.Injury) sandbox.Instance {
		t.Helper()
		in := ready(t, s, k.Spec(t, ""))
		p, ok := in.(sandbox.Patient)
		if !ok {
			t.Skip("its instances cannot be hurt")
		}
		if err := p.Injure(what); err != nil {
			t.Fatal(err)
		}
		return in
	}
	for name, what := range map[string]sandbox.Injury{"kill": sandbox.Kill, "abort": sandbox.Abort} {
		t.Run(name, func(t *testing.T) {
			in := hurt(t, what)
			gone(t, in)
			_, err := in.Invoke(t.Context(), invocation("too late", time.Minute))
			failure(t, err, sample.Crash)
		})
	}
	t.Run("freeze", func(t *testing.T) {
		if k.Inside {
			t.Skip("its instances cannot be frozen")
		}
		in := hurt(t, sandbox.Freeze)
		_, err := in.Invoke(t.Context(), invocation("frozen", 300*time.Millisecond))
		failure(t, err, sample.Timeout)
		if err := in.(sandbox.Patient).Injure(sandbox.Thaw); err != nil {
			t.Error(err)
		}
	})
	t.Run("fill /tmp", func(t *testing.T) {
		if !k.Tmp {
			in := ready(t, s, k.Spec(t, ""))
			if p, ok := in.(sandbox.Patient); ok && p.Injure(sandbox.FillTmp) == nil {
				t.Error("filled a /tmp that is not the instance's own")
			}
			return
		}
		in := hurt(t, sandbox.FillTmp)
		full := "no space left"
		if k.Inside {
			full = "I/O error" // which is all that WASI's host has for it
		}
		if got := string(invoke(t, in, "store /tmp/file").Body); !strings.Contains(got, full) {
			t.Errorf("writing gave %q, want no space", got)
		}
		if err := in.(sandbox.Patient).Injure(sandbox.FreeTmp); err != nil {
			t.Fatal(err)
		}
		if got := string(invoke(t, in, "store /tmp/file").Body); got != "stored" {
			t.Errorf("writing to a /tmp that has room again gave %q", got)
		}
	})
}
