package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
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
	site
	cell Cell // nil without walls
	api  *runtimeapi.Server
	log  *log
	err  error // why there is nothing of all that
	// thread stands in the group and waits until nothing is left of who lives
	// here. It is nil where none does.
	thread *thread
}

// site is what of a berth can be another's when nothing is left of who lived in
// it. Made anew for each instance, and with the launcher moved to another group
// and back, it took an eighth of a start's processor time.
type site struct {
	group    *cgroup.Group // nil without control groups
	pipe     *pipe         // nil: to be made, as what follows
	listener net.Listener
}

// order asks a launcher for a process.
type order struct {
	program program
	spec    *sandbox.Spec // nil for a stem
	// tie makes the berth that of who will live in it, and gives the environment.
	tie   func(*berth) ([]string, error)
	extra []uintptr // descriptors that the process gets from 3 on
	berth *berth    // of the thread that gets the order
	done  chan struct{}
	// Set before done is closed.
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
	ahead  int           // how many berths are to be ready
	ready  chan *berth   // has room for all threads'
	relief chan struct{} // has a thread of the reserve begin
	quit   chan struct{}
	works  sync.WaitGroup
	tids   []int // of the threads, complete once newLauncher returns
}

// reserve is how many threads there are besides those that make berths ready.
// They take the place of those that stay where they have started an instance. Of
// eight that are started at once, as many others are just being put away.
const reserve = 16

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
	l := &launcher{clock: clk, groups: groups, wards: wards, limits: limits, listen: o.listen, walls: o.Walls, null: null, ahead: n, relief: make(chan struct{}), quit: make(chan struct{})}
	if groups != nil {
		n += reserve
	}
	l.ready = make(chan *berth, n)
	for i := range n {
		begun := make(chan error)
		l.works.Add(1)
		go l.work(begun, i >= l.ahead)
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
	var errs []error
	for len(l.ready) > 0 {
		errs = append(errs, (<-l.ready).clear(false))
	}
	return errors.Join(append(errs, l.null.Close())...)
}

// work is one thread's life. It ends locked, so that the runtime ends the
// thread and does not reuse one that has stood in a control group. It says on
// begun that the thread is its own, or why it cannot be used.
func (l *launcher) work(begun chan<- error, reserve bool) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread owns the process's memory: moving it into a group
		// would move the account of all that. While it is locked here, another
		// goroutine cannot be on it.
		another := make(chan error)
		go l.work(another, reserve)
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
	if reserve {
		select {
		case <-l.relief:
			time.Sleep(recess)
		case <-l.quit:
			return
		}
	}
	l.serve()
}

// thread is how the thread is spoken to that stands in a berth's group.
type thread struct {
	launcher *launcher
	orders   chan *order // for its berth
	returned chan site   // what is left of a berth that it has waited for
}

// serve prepares berths and fulfils the orders that come for them, until the
// launchers are closed.
func (l *launcher) serve() {
	t := &thread{launcher: l, orders: make(chan *order, 1), returned: make(chan site, 1)}
	var kept site
	for {
		l.ready <- l.prepare(t, kept)
		kept = site{}
		for stays := true; stays; {
			select {
			case o := <-t.orders:
				stays = l.fulfil(o)
			case kept = <-t.returned:
				stays = false
				if kept.group == nil {
					_ = l.groups.Leave() // failing that, the next Enter moves the thread all the same
				}
			case <-l.quit:
				return
			}
		}
	}
}

// stays says whether a thread that has an order waits for the instance's end: so
// many berths are ready that nobody else needs it, or another comes for it.
// Without control groups nobody can be sure that nothing is left of an instance.
func (l *launcher) stays() bool {
	if l.groups == nil {
		return false
	}
	if len(l.ready) >= l.ahead {
		return true
	}
	select {
	case l.relief <- struct{}{}:
		return true
	default:
		return false
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

// prepare makes the next berth, of what is kept, and stands in it.
func (l *launcher) prepare(t *thread, kept site) *berth {
	b := &berth{site: kept, thread: t}
	if err := l.furnish(b, (*cgroup.Group).Enter); err != nil {
		return &berth{thread: t, err: errors.Join(err, l.discard(b))}
	}
	return b
}

// furnish makes what a berth has, and has place put into its group who will
// fork there.
func (l *launcher) furnish(b *berth, place func(*cgroup.Group) error) (err error) {
	if l.groups != nil && b.group == nil {
		if b.group, err = l.groups.Make(); err != nil {
			return err
		}
		if err := place(b.group); err != nil {
			return err
		}
	}
	if b.pipe == nil {
		if b.pipe, err = newPipe(); err != nil {
			return err
		}
	}
	if b.listener == nil {
		if b.listener, err = l.open(b); err != nil {
			return err
		}
	}
	l.begin(b)
	return nil
}

// begin is what a berth of which all is there has for each process anew.
func (l *launcher) begin(b *berth) {
	b.log = b.pipe.begin(l.limits.LogTail)
	b.api = runtimeapi.Serve(b.listener, l.clock, l.limits.Response)
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
	output := uintptr(b.pipe.out)
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
	return errors.Join(err, b.clear(true))
}

// clear takes apart a berth that no thread stands in, or is about to leave. Again
// says whether its group may be used again.
func (b *berth) clear(again bool) error {
	var errs []error
	if b.api != nil {
		errs = append(errs, b.api.Close())
	} else if b.listener != nil {
		errs = append(errs, b.listener.Close())
	}
	if b.pipe != nil {
		b.pipe.close()
	}
	if b.cell != nil {
		errs = append(errs, b.cell.Raze())
	}
	switch {
	case b.group == nil:
	case again:
		errs = append(errs, b.group.Release())
	default:
		errs = append(errs, b.group.Remove())
	}
	return errors.Join(errs...)
}

// vacate takes apart what its process has left of a berth that was lived in, or
// makes it ready for the next. Clean says that nothing can come from that process
// any more.
func (b *berth) vacate(clean bool) error {
	t := b.thread
	if t == nil {
		return b.clear(clean)
	}
	if !clean || !b.group.Reset() {
		t.returned <- site{} // it has to leave before the group can be removed
		return b.clear(false)
	}
	kept := site{group: b.group, pipe: b.log.end()}
	var err error
	if b.cell == nil {
		kept.listener, err = b.api.Retire()
	} else {
		err = b.api.Close() // its listener was the cell's
	}
	if kept.listener == nil {
		t.returned <- kept
		return err
	}
	// The thread goes on sleeping: its wake-up would be a tenth of what all this costs.
	next := &berth{site: kept, thread: t}
	t.launcher.begin(next)
	t.launcher.ready <- next
	return err
}

// fulfil has the thread in an order's berth start what is asked for, and says
// whether the thread stays there.
func (l *launcher) fulfil(o *order) (stays bool) {
	b := o.berth
	if o.err = b.err; o.err != nil {
		close(o.done)
		return false
	}
	others := len(l.ready) > 0
	if !l.stays() {
		b.thread = nil
	}
	l.start(o)
	stays = b.thread != nil && o.err == nil
	close(o.done)
	if !stays && o.err == nil && others {
		l.rest()
	}
	return stays
}

// start forks and executes. On failure the berth is gone.
func (l *launcher) start(o *order) {
	env, err := o.tie(o.berth)
	if err != nil {
		o.err = errors.Join(err, l.discard(o.berth))
		return
	}
	o.pid, o.pidfd, err = l.execute(o, env)
	o.provisioned = l.clock.Now()
	if err != nil {
		o.err = errors.Join(fmt.Errorf("execute %s: %w", o.program.path, err), l.discard(o.berth))
	}
}

// execute makes the berth's process.
func (l *launcher) execute(o *order, env []string) (pid, pidfd int, err error) {
	b := o.berth
	if b.cell != nil {
		return b.cell.Execute(&Execution{Path: o.program.path, Argv: o.program.argv, Env: env, Dir: o.program.dir, Spec: o.spec})
	}
	pidfd = -1
	attr := &syscall.ProcAttr{
		Dir:   o.program.dir,
		Env:   env,
		Files: append([]uintptr{l.null.Fd(), uintptr(b.pipe.out), uintptr(b.pipe.out)}, o.extra...),
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
	// A process of ours that was forked while the program was written, and
	// executes its own not yet, has it open for writing.
	for wait := time.Millisecond; errors.Is(err, syscall.ETXTBSY) && wait < 2*time.Second; wait *= 2 {
		time.Sleep(wait)
		pid, err = fork(o.program.path, o.program.argv, attr)
	}
	return pid, pidfd, err
}

// bind bounds the berth and ties it to an instance; it completes the instance's
// environment.
func (b *berth) bind(env []string, to birth) ([]string, error) {
	if b.group != nil {
		if err := b.group.SetMemory(to.spec.Memory); err != nil {
			return nil, err
		}
	}
	b.api.Begin(to.spec.ARN, to.begun)
	b.api.Share(max(1, to.spec.Slots))
	return append(sandbox.Own(env, to.id, to.spec.Version, to.why, time.Now()), "AWS_LAMBDA_RUNTIME_API="+b.api.Addr()), nil
}
