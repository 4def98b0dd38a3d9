package container

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/cgroup"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// lastLines bounds the wait for what an ended container has printed.
const lastLines = time.Second

// attempt is one container that was started.
type attempt struct {
	*berth
	sandbox   *Sandbox
	memory    int64 // its limit
	created   int64 // CLOCK_MONOTONIC: there was a container to start
	ahead     bool  // it had been created before
	log       *log
	exited    chan struct{}
	ending    session.Ending // once exited is closed
	condemned atomic.Bool    // we end it
	works     sync.WaitGroup // what goes on with it beside its requests

	freezer sync.Mutex // one pause or resume at a time, and none while it is put away
	frozen  bool       // it is paused, or may be

	mu   sync.Mutex
	file string // where the kernel tells its peak memory; "" where that is not known
	peak int64
}

// begin makes a container run. Those on the shelf are told, like any that is
// created, what they are for, and that is requests.
func (s *Sandbox) begin(ctx context.Context, t tag, spec *sandbox.Spec, i *image, begun int64) (session.Attempt, int64, error) {
	var b *berth
	if t.why == sandbox.OnDemand {
		b = s.shelf.take(spec)
	}
	ahead := b != nil
	if !ahead {
		var err error
		if b, err = s.furnish(ctx, t, spec, i); err != nil {
			return nil, 0, unusable(err)
		}
	}
	b.api.Begin(spec.ARN, begun)
	a := &attempt{berth: b, sandbox: s, memory: int64(spec.Memory), created: s.clock.Now(), ahead: ahead, exited: make(chan struct{})}
	if err := a.run(ctx); err != nil {
		return nil, 0, unusable(errors.Join(err, s.discard(b)))
	}
	provisioned := s.clock.Now()
	a.works.Go(a.watch)
	return a, provisioned, nil
}

// run attaches to the created container and starts it.
func (a *attempt) run(ctx context.Context) error {
	e := a.sandbox.engine
	// The attachment outlives the context, which is only its handshake's.
	attached, err := e.ContainerAttach(ctx, a.container, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("attach to container: %w", err)
	}
	a.log = newLog(attached.HijackedResponse, a.sandbox.limits.LogTail)
	if _, err = e.ContainerStart(ctx, a.container, client.ContainerStartOptions{}); err == nil && a.sandbox.options.Network != "" {
		err = a.locate(ctx)
	}
	if err != nil {
		a.log.close()
		return fmt.Errorf("start container: %w", err)
	}
	group := e.group(a.container)
	a.findPeak("0::" + group + "\n1:memory:" + group + "\n")
	return nil
}

// locate asks for the container's address in its network.
func (a *attempt) locate(ctx context.Context) error {
	r, err := a.sandbox.engine.ContainerInspect(ctx, a.container, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	at := netip.Addr{}
	if r.Container.NetworkSettings != nil {
		if n := r.Container.NetworkSettings.Networks[a.sandbox.options.Network]; n != nil {
			at = n.IPAddress
		}
	}
	a.place(at)
	return nil
}

// watch waits for the container's end.
func (a *attempt) watch() {
	wait := a.sandbox.engine.ContainerWait(context.Background(), a.container, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case r := <-wait.Result:
		a.ending = a.explain(r)
	case err := <-wait.Error:
		a.ending = session.Ending{Cause: fmt.Errorf("the engine has lost the container: %w", err)}
	}
	if a.condemned.Load() {
		a.ending.Cause = errors.New("the instance was stopped")
	} else {
		a.log.complete(lastLines)
	}
	close(a.exited)
}

// explain words how a container has ended. The engine tells a signal by a
// status above 128, as a shell does, and so it is read; 126 and 127 are a
// program that could not be executed.
func (a *attempt) explain(r container.WaitResponse) session.Ending {
	code := int(r.StatusCode)
	end := session.Ending{Unfit: code == 126 || code == 127}
	switch {
	case r.Error != nil:
		end.Cause = errors.New(r.Error.Message)
	case code > 128 && code <= 128+64:
		end.How = "signal: " + syscall.Signal(code-128).String()
	case code != 0:
		end.How = "exit status " + strconv.Itoa(code)
	}
	if code == 128+int(syscall.SIGKILL) && !a.condemned.Load() {
		end.OutOfMemory = a.outOfMemory()
	}
	return end
}

// outOfMemory asks whether the kernel has killed for want of memory, in which
// case all that was allowed was used.
func (a *attempt) outOfMemory() bool {
	state, err := a.state()
	if err != nil || !state.OOMKilled {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.peak = a.memory
	return true
}

// settle takes away the full CPU that init had, and notes the memory that init
// took. Nobody waits for it.
func (a *attempt) settle(spec *sandbox.Spec) {
	a.works.Go(func() {
		if err := a.limitCPU(spec); err != nil && !a.condemned.Load() {
			select {
			case <-a.exited:
			default:
				a.sandbox.note("CPU shares are not enforced: " + err.Error())
			}
		}
		a.askForPeak()
		a.MaxMemory() // one that ends by itself takes its control group with it
	})
}

// limitCPU sets the share that comes with a memory size. A share of the whole
// machine needs no limit.
func (a *attempt) limitCPU(spec *sandbox.Spec) error {
	l := a.sandbox.limits
	quota := l.CPUQuota(spec.Memory)
	if quota >= l.CPUPeriod*time.Duration(a.sandbox.engine.info.NCPU) {
		return nil
	}
	ctx, cancel := patiently()
	defer cancel()
	_, err := a.sandbox.engine.ContainerUpdate(ctx, a.container, client.ContainerUpdateOptions{Resources: &container.Resources{
		CPUPeriod: l.CPUPeriod.Microseconds(), CPUQuota: quota.Microseconds(),
		Memory: a.memory, MemorySwap: a.memory, // crun 1.8 sets what is not given to nothing
	}})
	return err
}

// process is the container's first process, by this machine's number.
func (a *attempt) process() (int, error) {
	state, err := a.state()
	if err != nil {
		return 0, err
	}
	if state.Pid == 0 {
		return 0, errors.New("the container has no process")
	}
	return state.Pid, nil
}

// state is the engine's account of the container now.
func (a *attempt) state() (*container.State, error) {
	ctx, cancel := patiently()
	defer cancel()
	r, err := a.sandbox.engine.ContainerInspect(ctx, a.container, client.ContainerInspectOptions{})
	switch {
	case err != nil:
		return nil, err
	case r.Container.State == nil:
		return nil, errors.New("the engine tells nothing of the container's state")
	}
	return r.Container.State, nil
}

// askForPeak is findPeak in the group that the container's process says that it
// is in, where the engine puts its groups elsewhere than by default. To ask
// takes some 10 ms, so that a first short invocation's peak is not known then.
func (a *attempt) askForPeak() {
	if a.peakFile() != "" {
		return
	}
	pid, err := a.process()
	if err != nil {
		return
	}
	if groups, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup"); err == nil {
		a.findPeak(string(groups))
	}
}

// findPeak finds the file that tells the most memory that the container used,
// by the groups that it is in, as /proc/PID/cgroup has them.
func (a *attempt) findPeak(groups string) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	hierarchies, err := cgroup.Hierarchies(string(mounts), groups)
	if err != nil {
		return
	}
	for _, h := range hierarchies {
		for _, name := range []string{"memory.peak", "memory.max_usage_in_bytes"} {
			file := filepath.Join(h.Position, name)
			if _, ok := readCount(file); ok {
				a.mu.Lock()
				a.file = file
				a.mu.Unlock()
				return
			}
		}
	}
}

func (a *attempt) peakFile() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file
}

func readCount(file string) (int64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// API implements session.Attempt.
func (a *attempt) API() *runtimeapi.Server { return a.api }

// Exited implements session.Attempt.
func (a *attempt) Exited() <-chan struct{} { return a.exited }

// Ending implements session.Attempt.
func (a *attempt) Ending() session.Ending { return a.ending }

// TakeLog implements session.Attempt.
func (a *attempt) TakeLog() []byte { return a.log.take() }

// SeedLog implements session.Attempt.
func (a *attempt) SeedLog(earlier []byte) { _, _ = a.log.Write(earlier) }

// Terminate implements session.Attempt.
func (a *attempt) Terminate() error {
	a.condemned.Store(true)
	_ = a.signal("SIGTERM") // what cannot be asked is killed
	return nil
}

func (a *attempt) signal(name string) error {
	ctx, cancel := patiently()
	defer cancel()
	_, err := a.sandbox.engine.ContainerKill(ctx, a.container, client.ContainerKillOptions{Signal: name})
	return err
}

// PutAway implements session.Attempt.
func (a *attempt) PutAway() error {
	a.condemned.Store(true)
	a.thawForGood()
	a.MaxMemory() // while it can still be asked
	err := a.sandbox.discard(a.berth)
	select {
	case <-a.exited:
	case <-time.After(patience):
		return errors.Join(err, fmt.Errorf("container %.12s has not ended within %v", a.container, patience))
	}
	a.works.Wait()
	a.log.close()
	return err
}

// thawForGood waits for a pause that is being made and undoes it. Where the kernel
// keeps what is frozen from being killed (cgroup v1), the engine thaws what it
// kills only if it believes it to be paused, and it believes late. That it was not
// is no failure.
func (a *attempt) thawForGood() {
	a.freezer.Lock()
	defer a.freezer.Unlock()
	if a.frozen {
		_ = a.thaw()
	}
}

// MaxMemory implements session.Attempt.
func (a *attempt) MaxMemory() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n, ok := readCount(a.file); ok && a.file != "" {
		a.peak = max(a.peak, n)
	}
	return a.peak
}
