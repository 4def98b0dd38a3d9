package namespace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace/filter"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace/stage"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"golang.org/x/sys/unix"
)

// Where things lie inside.
const (
	codeFolder    = "/var/task"
	clientsFolder = "/var/runtime"
	host          = "/.host" // the machine's root, until a function is executed
)

// walls makes cells. It is safe for concurrent use.
type walls struct {
	program *stage.Program
	filter  []unix.SockFilter
	limits  sandbox.Limits
	clients string // the runtime clients' folder on the host; "" for none
	outside int    // the first of the instances' users on the host; 0: the caller's
	lastCap int    // the kernel's highest capability
	hidden  hidden
	cells   atomic.Uint32
}

// userspan is how many users instances have outside: as many as they may be at
// once, several times. [firstUser, firstUser+userspan) are those that systemd
// leaves to nobody (https://systemd.io/UIDS-GIDS/, "1879048192…2147483647").
const (
	firstUser = 0x70000000
	userspan  = 1 << 20
)

// newWalls makes walls and tries them.
func newWalls(o Options) (*walls, error) {
	program, err := stage.Load()
	if err != nil {
		return nil, err
	}
	w := &walls{program: program, limits: sandbox.Lambda(), clients: o.RuntimeClients}
	if err := w.survey(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.try(); err != nil {
		return nil, errors.Join(explain(err), w.close())
	}
	return w, nil
}

// survey looks at the machine.
func (w *walls) survey() (err error) {
	if w.filter, err = filter.Default(runtime.GOARCH); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if w.outside, err = spareUsers(); err != nil {
			return err
		}
	}
	text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return err
	}
	if w.lastCap, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return err
	}
	w.hidden = hide("/proc")
	return nil
}

// spareUsers gives the first of the users that instances have outside.
// Processes of different runtimes begin at different ones.
func spareUsers() (int, error) {
	first := firstUser + os.Getpid()%128*userspan
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var inside, outside, count int
		if _, err := fmt.Sscan(line, &inside, &outside, &count); err == nil && inside <= first && first+userspan <= inside+count {
			return first, nil
		}
	}
	return 0, fmt.Errorf("this process is root of a user namespace without users %d to %d to give to functions: "+
		"run it as root of the machine, or as another user than root", first, first+userspan-1)
}

// try makes a cell as a start would and executes nothing in it.
func (w *walls) try() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	c, err := w.Raise([3]uintptr{null.Fd(), null.Fd(), null.Fd()}, -1)
	if err != nil {
		return err
	}
	_, pidfd, err := c.Execute(&process.Execution{Path: "/", Dir: "/", Spec: &sandbox.Spec{Storage: 1 << 20}})
	if pidfd >= 0 {
		_ = unix.Close(pidfd)
	}
	err = errors.Join(c.Listener().Close(), c.Raze(), exceptAccess(err))
	return err
}

// exceptAccess is nil for what executing a folder gives, when all went well
// before it.
func exceptAccess(err error) error {
	if e, ok := errors.AsType[*stage.Error](err); ok && e.What == executing && e.Errno == unix.EACCES {
		return nil
	}
	if err == nil {
		return errors.New("a folder was executed")
	}
	return err
}

// explain adds what to do.
func explain(err error) error {
	for _, switched := range []struct{ file, bad, hint string }{
		{"/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1, or run as root"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root"},
	} {
		text, e := os.ReadFile(switched.file)
		if e == nil && strings.TrimSpace(string(text)) == switched.bad {
			return fmt.Errorf("%w (%s is %s: say %s)", err, switched.file, switched.bad, switched.hint)
		}
	}
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%w (it needs Linux 5.12 or later)", err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w (inside a container, it wants --privileged, or seccomp and AppArmor profiles that allow mounts)", err)
	}
	return err
}

// Inside implements process.Walls.
func (*walls) Inside() (code, clients string) { return codeFolder, clientsFolder }

func (w *walls) close() error { return w.program.Close() }

// namespaces are those that a cell's first process is made in. The pid
// namespace comes later, and as root the user namespace last.
const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// Raise implements process.Walls.
func (w *walls) Raise(files [3]uintptr, group int) (process.Cell, error) {
	c := &cell{walls: w, user: os.Geteuid(), group: os.Getegid(), made: map[string]bool{}, tmp: -1, tmpFolder: -1}
	attr := &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	if group >= 0 {
		attr.UseCgroupFD, attr.CgroupFD = true, group
	}
	if w.outside != 0 {
		c.user = w.outside + int(w.cells.Add(1)%userspan)
		c.group = c.user
	} else {
		w.asCaller(attr, c)
	}
	var err error
	if c.stage, err = w.program.Start(files, attr); err != nil {
		return nil, fmt.Errorf("make a cell: %w", err)
	}
	if err := c.furnish(); err != nil {
		return nil, errors.Join(fmt.Errorf("make a cell: %w", err), c.Raze())
	}
	return c, nil
}

// asCaller makes the user namespace with the process: who is not root has no
// right to the others without. Go maps the users then; root makes it last,
// because within it the host's root owns nothing and may read nothing.
func (w *walls) asCaller(attr *syscall.SysProcAttr, c *cell) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: c.user, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: c.group, Size: 1}}
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}
}

// hidden are the parts of /proc that are the machine's.
type hidden struct{ files, folders, fixed []string }

// hide tells those that exist on this kernel. The list is Docker's (daemon
// pkg oci: DefaultSpec, MaskedPaths and ReadonlyPaths).
func hide(proc string) (h hidden) {
	for _, name := range []string{"acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi"} {
		switch info, err := os.Stat(filepath.Join(proc, name)); {
		case err != nil:
		case info.IsDir():
			h.folders = append(h.folders, "/proc/"+name)
		default:
			h.files = append(h.files, "/proc/"+name)
		}
	}
	for _, name := range []string{"bus", "fs", "irq", "sys", "sysrq-trigger"} {
		if _, err := os.Stat(filepath.Join(proc, name)); err == nil {
			h.fixed = append(h.fixed, "/proc/"+name)
		}
	}
	return h
}
