package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/priority"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/cgroup"
	"golang.org/x/sys/unix"
)

// berth is all that an instance needs besides its process, made ahead.
type berth struct {
	group  *cgroup.Group // nil without control groups
	cell   Cell          // nil without walls
	api    *runtimeapi.Server
	log    *log
	output int // the log's writing end, -1 when closed
}

// order asks a launcher for a process.
type order struct {
	program program
	spec    *sandbox.Spec // nil for a stem
	// tie makes the berth that of who will live in it, and gives the environment.
	tie   func(*berth) ([]string, error)
	extra []uintptr // descriptors that the process gets from 3 on
	done  chan struct{}
	// Set before done is closed.
	berth       *berth
	pid         int
	pidfd       int
	provisioned int64
	err         error
	// Of a zygote's child: what keeps it alive, and the wait until it is a child
	// of this process. Else nil.
	lifeline *os.File
	born     func()
}

// launcher prepares berths and forks into them, on threads of its own: an
// instance dies with the thread that forked it, so that thread must live as
// long as the sandbox, and it stands in control groups where nothing else of
// this process may stand.
type launcher struct {
	clock  clock.Monotonic
	groups *cgroup.Manager // nil without control groups
	wards  *wards          // nil with control groups, or where orphans are not ours
	limits sandbox.Limits
	listen func() (net.Listener, error) // for an instance's Runtime API
	walls  Walls                        // nil for plain processes
	null   *os.File
	orders chan *order
	quit   chan struct{}
	works  sync.WaitGroup
	spare  atomic.Int64 // launchers that wait for an order
	tids   []int        // of the threads, complete once newLauncher returns
}

// recess is how long a launcher leaves the machine to the instance that it has
// just started, if another launcher is ready: what it has to prepare would
// slow that instance's boot on a small machine.
const recess = 5 * time.Millisecond

func newLauncher(n int, groups *cgroup.Manager, wards *wards, limits sandbox.Limits, clk clock.Monotonic, o Options) (*launcher, error) {
	if err := keepDescriptors(); err != nil {
		return nil, fmt.Errorf("keep descriptors from functions: %w", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	l := &launcher{clock: clk, groups: groups, wards: wards, limits: limits, listen: o.listen, walls: o.Walls, null: null, orders: make(chan *order), quit: make(chan struct{})}
	for range n {
		begun := make(chan error)
		l.works.Add(1)
		go l.work(begun)
		if err := <-begun; err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// keepDescriptors keeps what this process was given at its own start (a
// shell's, a terminal's) from its children. What Go opens is closed at exec.
func keepDescriptors() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// close ends the threads. Every instance must have gone before.
func (l *launcher) close() error {
	close(l.quit)
	l.works.Wait()
	return l.null.Close()
}

// work is one thread's life. It ends locked, so that the runtime ends the
// thread and does not reuse one that has stood in a control group. It says on
// begun that the thread is its own, or why it cannot be used.
func (l *launcher) work(begun chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread owns the process's memory: moving it into a group
		// would move the account of all that. While it is locked here, another
		// goroutine cannot be on it.
		another := make(chan error)
		go l.work(another)
		err := <-another
		runtime.UnlockOSThread()
		begun <- err
		return
	}
	defer l.works.Done()
	if err := priority.Spare(); err != nil { // what it forks would be raised too
		begun <- err
		return
	}
	l.tids = append(l.tids, unix.Gettid()) // newLauncher waits for each before the next
	begun <- nil
	for {
		b, err := l.prepare()
		l.spare.Add(1)
		select {
		case o := <-l.orders:
			more := l.spare.Add(-1) > 0
			if err != nil {
				o.err = err
			} else {
				l.fulfil(o, b)
			}
			close(o.done)
			if more && err == nil {
				l.rest()
			}
		case <-l.quit:
			if b != nil {
				_ = l.discard(b)
			}
			return
		}
	}
}

// rest waits for a recess, outside of the instance's groups: there the thread
// would share the instance's CPU quota and hold up its end.
func (l *launcher) rest() {
	if l.groups != nil {
		_ = l.groups.Leave() // failing that, the next Enter moves the thread all the same
	}
	time.Sleep(recess)
}

// prepare makes the next berth and stands in it.
func (l *launcher) prepare() (*berth, error) {
	b := &berth{output: -1}
	if err := l.furnish(b, (*cgroup.Group).Enter); err != nil {
		return nil, errors.Join(err, l.discard(b))
	}
	return b, nil
}

// furnish makes what a berth has, and has place put into its group who will
// fork there.
func (l *launcher) furnish(b *berth, place func(*cgroup.Group) error) (err error) {
	if l.groups != nil {
		if b.group, err = l.groups.Make(l.limits.CPUPeriod); err != nil {
			return err
		}
		if err := place(b.group); err != nil {
			return err
		}
	}
	if b.log, b.output, err = newLog(l.limits.LogTail); err != nil {
		return err
	}
	listener, err := l.open(b)
	if err != nil {
		return err
	}
	b.api = runtimeapi.Serve(listener, l.clock, l.limits.Response)
	return nil
}

// open gives the listener for the berth's Runtime API: inside its walls, or on
// this machine.
func (l *launcher) open(b *berth) (net.Listener, error) {
	if l.walls == nil {
		return l.listen()
	}
	group := -1
	if b.group != nil {
		if fd, ok := b.group.Descriptor(); ok {
			group = fd
		}
	}
	output := uintptr(b.output)
	cell, err := l.walls.Raise([3]uintptr{l.null.Fd(), output, output}, group)
	if err != nil {
		return nil, err
	}
	b.cell = cell
	return cell.Listener(), nil
}

// discard takes apart a berth that no process has lived in. The calling
// thread stands in it.
func (l *launcher) discard(b *berth) error {
	var err error
	if b.group != nil {
		err = l.groups.Leave()
	}
	return errors.Join(err, b.clear())
}

// clear takes apart a berth that nobody stands in any more.
func (b *berth) clear() error {
	if b.output >= 0 {
		_ = unix.Close(b.output)
	}
	if b.log != nil {
		b.log.close()
	}
	var errs []error
	if b.api != nil {
		errs = append(errs, b.api.Close())
	}
	if b.cell != nil {
		errs = append(errs, b.cell.Raze())
	}
	if b.group != nil {
		errs = append(errs, b.group.Remove())
	}
	return errors.Join(errs...)
}

// fulfil forks and executes. On failure the berth is gone.
func (l *launcher) fulfil(o *order, b *berth) {
	env, err := o.tie(b)
	if err != nil {
		o.err = errors.Join(err, l.discard(b))
		return
	}
	pid, pidfd, err := l.execute(o, b, env)
	o.provisioned = l.clock.Now()
	if err != nil {
		o.err = errors.Join(fmt.Errorf("execute %s: %w", o.program.path, err), l.discard(b))
		return
	}
	_ = unix.Close(b.output)
	b.output = -1
	o.pid, o.pidfd, o.berth = pid, pidfd, b
}

// execute makes the berth's process.
func (l *launcher) execute(o *order, b *berth, env []string) (pid, pidfd int, err error) {
	if b.cell != nil {
		return b.cell.Execute(&Execution{Path: o.program.path, Argv: o.program.argv, Env: env, Dir: o.program.dir, Spec: o.spec})
	}
	pidfd = -1
	attr := &syscall.ProcAttr{
		Dir:   o.program.dir,
		Env:   env,
		Files: append([]uintptr{l.null.Fd(), uintptr(b.output), uintptr(b.output)}, o.extra...),
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd},
	}
	if b.group != nil {
		if fd, ok := b.group.Descriptor(); ok {
			attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, fd
		}
	}
	fork := syscall.ForkExec
	if l.wards != nil {
		fork = l.wards.fork
	}
	pid, err = fork(o.program.path, o.program.argv, attr)
	return pid, pidfd, err
}

// bind bounds the berth and ties it to an instance that was asked for at begun;
// it completes the instance's environment.
func (b *berth) bind(env []string, spec *sandbox.Spec, id string, begun int64) ([]string, error) {
	if b.group != nil {
		if err := b.group.SetMemory(spec.Memory); err != nil {
			return nil, err
		}
	}
	b.api.Begin(spec.ARN, begun)
	b.api.Share(max(1, spec.Slots))
	return append(sandbox.Own(env, id, spec.Version, time.Now()), "AWS_LAMBDA_RUNTIME_API="+b.api.Addr()), nil
}
