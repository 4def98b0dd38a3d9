package namespace

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace/stage"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"golang.org/x/sys/unix"
)

// insideUser is a function's user and group as it sees them.
const insideUser = 1000

// cell is the namespaces of one instance. Three processes make it. The one that
// was started makes all that is needed, and the other two: the first of the new
// pid namespace, which does nothing but be there (the kernel reaps for it, and
// ends everything with it), and a second, which waits to become the function. A
// function that was the first itself could not be ended by a signal of its own,
// such as SIGABRT. And the first may not make children of this process, so the
// one that was started stays out of the namespace, and ends.
type cell struct {
	walls       *walls
	stage       *stage.Stage
	user, group int // outside
	first       int // pid of the first process
	waiting     int // pid of the second process, until it has executed the function
	listener    net.Listener
	made        map[string]bool // the folders in it
	once        sync.Once
	razed       error

	mu             sync.Mutex
	tmp, tmpFolder int         // /tmp's file system, to be reconfigured, and its root; -1 for none
	storage        units.Bytes // the size of /tmp, unless it is filled
}

// furnish makes all that does not depend on the function.
func (c *cell) furnish() error {
	s := c.script()
	c.walls.root(s)
	s.loopback()
	s.Call("set the host name", unix.SYS_SETHOSTNAME, s.Bytes([]byte("function")), stage.Of(len("function")))
	s.listen()                                                                                                                           // 4
	s.Call("open /tmp's settings", unix.SYS_FSPICK, stage.Of(unix.AT_FDCWD), s.String("/tmp"), stage.Of(0))                              // 5
	s.Call("open /tmp", unix.SYS_OPENAT, stage.Of(unix.AT_FDCWD), s.String("/tmp"), stage.Of(unix.O_PATH|unix.O_DIRECTORY), stage.Of(0)) // 6
	s.SendDescriptors("send descriptors", 4, 5, 6)
	s.Call("close descriptors", unix.SYS_CLOSE_RANGE, stage.Of(4), stage.Of(6), stage.Of(0))
	s.Call("make a pid namespace", unix.SYS_UNSHARE, stage.Of(unix.CLONE_NEWPID))
	first := s.Fork("fork the namespace's first process")
	second := s.Fork("fork the function's process")
	s.Call("end", unix.SYS_EXIT_GROUP, stage.Of(0))
	s.Begin(first)
	s.Say("say who is first")
	c.walls.rest(s, c)
	s.Begin(second)
	c.walls.proc(s)
	s.Call("keep the line from the function", unix.SYS_FCNTL, stage.Of(3), stage.Of(unix.F_SETFD), stage.Of(unix.FD_CLOEXEC))
	if err := c.stage.Send(&s.Script); err != nil {
		return err
	}
	for c.first == 0 || c.waiting == 0 {
		if err := c.hear(); err != nil {
			return err
		}
	}
	reap(c.stage.Pid)
	c.stage.Pid = 0
	return nil
}

// hear takes one message of those that the processes send when they are made.
func (c *cell) hear() error {
	m, err := c.stage.Await()
	switch {
	case m.Descriptors != nil:
		return errors.Join(err, c.take(m.Descriptors))
	case m.Pid == 0 || m.Pid == c.stage.Pid || m.Pid == c.first:
	case m.Done:
		c.waiting = m.Pid
	default:
		c.first = m.Pid
	}
	return err
}

// hush ends what was made of an unfinished cell, and hears of all that was.
func (c *cell) hush() {
	end(c.stage.Pid)
	for {
		kill(c.first)
		kill(c.waiting) // which holds the line as long as it lives
		err := c.hear()
		if _, one := errors.AsType[*stage.Error](err); err != nil && !one {
			return
		}
	}
}

func (c *cell) script() *script { return &script{made: c.made} }

// rest is the first process's life: no rights, no files, and no end of its own.
func (w *walls) rest(s *script, c *cell) {
	s.childEnds(sigIgnore)
	if w.outside != 0 {
		s.Call("leave the groups", unix.SYS_SETGROUPS, stage.Of(0), stage.Of(0))
		s.become(c.user, c.group)
	}
	s.prctl("die with the runtime", unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL))
	s.capset()
	s.Call("close everything", unix.SYS_CLOSE_RANGE, stage.Of(0), stage.Of(^uint32(0)), stage.Of(0))
	s.Call("wait for ever", unix.SYS_PPOLL, stage.Of(0), stage.Of(0), stage.Of(0), stage.Of(0))
}

func (c *cell) take(fds []int) error {
	if len(fds) != 3 {
		return fmt.Errorf("got %d descriptors, want 3", len(fds))
	}
	c.tmp, c.tmpFolder = fds[1], fds[2]
	f := os.NewFile(uintptr(fds[0]), "listener")
	l, err := net.FileListener(f)
	c.listener = l
	return errors.Join(err, f.Close())
}

// Listener implements process.Cell.
func (c *cell) Listener() net.Listener { return c.listener }

// executing names the call that executes the function.
const executing = "execute"

// Execute implements process.Cell.
func (c *cell) Execute(x *process.Execution) (pid, pidfd int, err error) {
	c.storage = x.Spec.Storage
	if err := c.sizeTmp(c.storage); err != nil {
		return 0, -1, err
	}
	s := c.script()
	c.walls.move(s, x)
	if c.walls.outside != 0 {
		s.Call("leave the groups", unix.SYS_SETGROUPS, stage.Of(0), stage.Of(0))
		s.Call("make a user namespace", unix.SYS_UNSHARE, stage.Of(unix.CLONE_NEWUSER))
		if err := c.stage.Do(&s.Script); err != nil {
			return 0, -1, err
		}
		if err := c.mapUsers(); err != nil {
			return 0, -1, err
		}
		s = c.script()
		s.become(insideUser, insideUser)
	}
	c.walls.confine(s)
	s.Call("change to "+x.Dir, unix.SYS_CHDIR, s.String(x.Dir))
	s.seccomp(c.walls.filter)
	s.Call(executing, unix.SYS_EXECVE, s.String(x.Path), s.Strings(x.Argv), s.Strings(x.Env))
	switch err := c.stage.Do(&s.Script); err {
	case io.EOF:
	case nil:
		return 0, -1, errors.New("the stage has come back from execve")
	default:
		return 0, -1, err
	}
	pid, c.waiting = c.waiting, 0
	if pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		pidfd = -1
	}
	return pid, pidfd, nil
}

// mapUsers says who the function's user is outside.
func (c *cell) mapUsers() error {
	proc := "/proc/" + strconv.Itoa(c.waiting)
	line := func(id int) []byte { return fmt.Appendf(nil, "%d %d 1\n", insideUser, id) }
	return errors.Join(
		os.WriteFile(proc+"/gid_map", line(c.group), 0),
		os.WriteFile(proc+"/uid_map", line(c.user), 0),
	)
}

// move brings the function's own files in and shuts the door.
func (w *walls) move(s *script, x *process.Execution) {
	if x.Spec.Function.Code != "" {
		s.bindReadOnly(host+x.Spec.Function.Code, codeFolder)
	}
	if prefix := prefixOf(x); prefix != "" {
		s.folders(prefix)
		s.bindReadOnly(host+prefix, prefix)
	}
	s.Call("let go of the host", unix.SYS_UMOUNT2, s.String(host), stage.Of(unix.MNT_DETACH))
	s.Call("remove the host's place", unix.SYS_UNLINKAT, stage.Of(unix.AT_FDCWD), s.String(host), stage.Of(unix.AT_REMOVEDIR))
	s.fix("/", readOnly, false)
}

// prefixOf is the folder that an interpreter brings along.
func prefixOf(x *process.Execution) string {
	if x.Spec.Function.Runtime == platform.Go || strings.HasPrefix(x.Path, "/usr/") {
		return ""
	}
	if prefix := filepath.Dir(filepath.Dir(x.Path)); prefix != "/" {
		return prefix
	}
	return ""
}

// confine takes from the process what it could do harm with. The filter comes
// later: it would not let these pass.
func (w *walls) confine(s *script) {
	s.noCapabilities(w.lastCap)
	s.prctl("die with the runtime", unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL))
	s.prctl("get no new privileges", unix.PR_SET_NO_NEW_PRIVS, 1)
	s.limit(unix.RLIMIT_NOFILE, uint64(w.limits.Files))
	s.limit(unix.RLIMIT_NPROC, uint64(w.limits.Processes))
	s.limit(unix.RLIMIT_CORE, 0)
	s.Call("make a session", unix.SYS_SETSID)
}

// sizeTmp sets the size of /tmp, 0 for what it has.
func (c *cell) sizeTmp(size units.Bytes) error {
	if size == 0 {
		return nil
	}
	err := unix.FsconfigSetString(c.tmp, "size", strconv.FormatInt(int64(size), 10))
	if err == nil {
		err = unix.FsconfigReconfigure(c.tmp)
	}
	if err != nil {
		return fmt.Errorf("set the size of /tmp: %w", err)
	}
	return nil
}

// FillTmp implements process.Cell: /tmp shrinks to what is in it, which takes
// no memory of the function's. What is written meanwhile makes it try again.
func (c *cell) FillTmp(full bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tmp < 0 {
		return errors.New("fill /tmp: the instance is gone")
	}
	if !full {
		return c.sizeTmp(c.storage)
	}
	var last error
	for range 100 {
		var fs unix.Statfs_t
		if err := unix.Fstatfs(c.tmpFolder, &fs); err != nil {
			return fmt.Errorf("fill /tmp: %w", err)
		}
		used := max(1, fs.Blocks-fs.Bfree) // 0 would be no limit
		if last = c.sizeTmp(units.Bytes(used * uint64(fs.Bsize))); last == nil {
			return nil
		}
	}
	return last
}

// Raze implements process.Cell.
func (c *cell) Raze() error {
	c.once.Do(func() {
		if c.stage.Pid != 0 {
			c.hush()
		}
		// Where the function runs, its waiter reaps it; the first ends after it.
		kill(c.first)
		end(c.waiting)
		end(c.first)
		c.razed = c.stage.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, fd := range []*int{&c.tmp, &c.tmpFolder} {
			if *fd >= 0 {
				c.razed = errors.Join(c.razed, unix.Close(*fd))
				*fd = -1
			}
		}
	})
	return c.razed
}

// end kills a child of this process and reaps it, so that its id is its own
// until then; 0 is nobody.
func end(pid int) {
	kill(pid)
	reap(pid)
}

func kill(pid int) {
	if pid != 0 {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

func reap(pid int) {
	for pid != 0 {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}
