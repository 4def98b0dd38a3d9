package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/platform/owner"
	"golang.org/x/sys/unix"
)

// Options are what all groups of a manager have in common.
type Options struct {
	// CPUPeriod is the period of CPU quotas. The default is the kernel's, 100 ms.
	CPUPeriod time.Duration
	// Processes is the most processes and threads of a group. The default is
	// no bound.
	Processes int
	// Hierarchies replaces what /proc tells, for tests.
	Hierarchies []Hierarchy
}

// Manager makes groups. Its methods are safe for concurrent use.
type Manager struct {
	options Options
	trees   []tree
	freezer *freezer // nil where there is none
	notes   []string
	spares  spares
	serial  atomic.Uint64
}

// tree is the manager's folder in one hierarchy.
type tree struct {
	Hierarchy
	folder string
	home   int // the open file that takes a thread back to where it came from; version 1
}

// New removes what dead processes left behind, then takes a folder in every
// hierarchy that has a controller. It fails if there is none that it may use;
// what is missing in part is in Notes.
func New(o Options) (*Manager, error) {
	me, err := owner.Self()
	if err != nil {
		return nil, fmt.Errorf("make control groups: %w", err)
	}
	all := o.Hierarchies
	if all == nil {
		if all, err = machine(); err != nil {
			return nil, fmt.Errorf("make control groups: %w", err)
		}
	}
	if o.CPUPeriod == 0 {
		o.CPUPeriod = 100 * time.Millisecond
	}
	m := &Manager{options: o}
	var reasons []error
	sweepAll(all, me)
	for _, h := range all {
		if !h.limits() {
			continue
		}
		t, err := take(h, me)
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		m.trees = append(m.trees, t)
	}
	if !m.Enforces(Memory) && !m.Enforces(CPU) {
		err := fmt.Errorf("make control groups: %s", because(reasons, "no hierarchy with the memory or the cpu controller is mounted"))
		return nil, errors.Join(err, m.Close())
	}
	for _, c := range bounding() {
		if !m.Enforces(c) {
			m.notes = append(m.notes, fmt.Sprintf("%s limits are not enforced: %s", c, because(reasons, "no hierarchy has that controller")))
		}
	}
	m.freezer = takeFreezer(all, m.trees, me)
	return m, nil
}

// Sweep removes what dead processes left behind.
func Sweep() {
	me, err := owner.Self()
	if err != nil {
		return
	}
	all, err := machine()
	if err != nil {
		return
	}
	sweepAll(all, me)
}

// because tells all reasons on one line, which is what becomes of them: a note.
func because(reasons []error, otherwise string) string {
	if len(reasons) == 0 {
		return otherwise
	}
	texts := make([]string, len(reasons))
	for i, r := range reasons {
		texts[i] = r.Error()
	}
	return strings.Join(texts, "; ")
}

// machine reads this process's hierarchies from /proc.
func machine() ([]Hierarchy, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	return Hierarchies(string(mountinfo), string(self))
}

// managers numbers the managers of this process in their folders' names. It
// is the clock, because a package keeps no state and an address would repeat.
func managers() uint64 { return uint64(time.Now().UnixNano()) }

// prefix begins the name of every manager's folder.
const prefix = "coldcurve-"

// folderName is that of an owner's folder; nonce tells its managers apart.
func folderName(o owner.Owner, nonce uint64) string {
	return fmt.Sprintf("%s%s-%d", prefix, o, nonce)
}

// ownerOf reads a folder's name.
func ownerOf(name string) (owner.Owner, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	last := strings.LastIndexByte(rest, '-')
	if !ok || last < 0 {
		return owner.Owner{}, false
	}
	return owner.Parse(rest[:last])
}

// take makes the manager's folder in a hierarchy.
func take(h Hierarchy, me owner.Owner) (tree, error) {
	if h.Version == 2 {
		return takeUnified(h, me)
	}
	t := tree{Hierarchy: h, folder: filepath.Join(h.Position, folderName(me, managers()))}
	if err := os.Mkdir(t.folder, 0o755); err != nil {
		return tree{}, err
	}
	if h.has(CPU) {
		if err := write(filepath.Join(t.folder, "cpu.shares"), strconv.Itoa(tasksPerCPU*runtime.NumCPU()*taskShares)); err != nil {
			return tree{}, errors.Join(err, unix.Rmdir(t.folder))
		}
	}
	tasks := filepath.Join(h.Position, "tasks")
	home, err := unix.Open(tasks, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return tree{}, errors.Join(&fs.PathError{Op: "open", Path: tasks, Err: err}, unix.Rmdir(t.folder))
	}
	t.home = home
	return t, nil
}

const (
	// taskShares is what a task without a group of its own weighs where version
	// 1 shares out the CPU, and a group that nothing is said of.
	taskShares = 1024
	// tasksPerCPU is how many such tasks the manager's folder weighs as much as,
	// for each processor. As a single one, which it would be by default, all
	// instances that start at once have the time of one beside this process.
	tasksPerCPU = 4
)

// takeUnified finds the nearest group, from the process's own upwards, whose
// children can have a controller. A group with processes in it cannot pass
// controllers on (except the root), and moving them is not ours to do.
func takeUnified(h Hierarchy, me owner.Owner) (tree, error) {
	var last error
	for at := h.Position; within(at, h.Mount); at = filepath.Dir(at) {
		enabled, err := delegate(at)
		if !slices.Contains(enabled, Memory) && !slices.Contains(enabled, CPU) {
			last = err
			continue
		}
		t := tree{Hierarchy: h, folder: filepath.Join(at, folderName(me, managers()))}
		t.Controllers = enabled
		if err := os.Mkdir(t.folder, 0o755); err != nil {
			last = err
			continue
		}
		if _, err := delegate(t.folder); err != nil {
			_ = os.Remove(t.folder)
			last = err
			continue
		}
		return t, nil
	}
	if last == nil {
		last = fmt.Errorf("%s has neither the memory nor the cpu controller", h.Mount)
	}
	return tree{}, last
}

func within(path, top string) bool {
	return path == top || strings.HasPrefix(path, strings.TrimSuffix(top, "/")+"/")
}

// delegate turns on what a group can pass on to its children of what bounds them.
func delegate(group string) ([]Controller, error) {
	var have []Controller
	var last error
	for _, c := range bounding() {
		if !listed(filepath.Join(group, "cgroup.controllers"), c) {
			continue
		}
		if !listed(filepath.Join(group, "cgroup.subtree_control"), c) {
			if err := write(filepath.Join(group, "cgroup.subtree_control"), "+"+string(c)); err != nil {
				last = err
				continue
			}
		}
		have = append(have, c)
	}
	return have, last
}

func listed(file string, c Controller) bool {
	text, err := os.ReadFile(file)
	return err == nil && slices.Contains(strings.Fields(string(text)), string(c))
}

// write writes a control file. An os.File would be tried with the poller
// first, for nothing.
func write(file, value string) error {
	fd, err := unix.Open(file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: file, Err: err}
	}
	if err = put(fd, value); err != nil {
		err = &fs.PathError{Op: "write", Path: file, Err: err}
	}
	return errors.Join(err, unix.Close(fd))
}

// Enforces tells whether groups bound what the controller counts.
func (m *Manager) Enforces(c Controller) bool {
	return slices.ContainsFunc(m.trees, func(t tree) bool { return t.has(c) })
}

// Version is "v1", "v2" or "hybrid", by the hierarchies in use.
func (m *Manager) Version() string {
	seen := [3]bool{}
	for _, t := range m.trees {
		seen[t.Version] = true
	}
	switch {
	case seen[1] && seen[2]:
		return "hybrid"
	case seen[2]:
		return "v2"
	default:
		return "v1"
	}
}

// Notes say which limits are not enforced, and why; none if all are.
func (m *Manager) Notes() []string { return m.notes }

// Close removes the manager's folders. Its groups must have been released or
// removed.
func (m *Manager) Close() error {
	var errs []error
	for _, g := range m.spares.close() {
		errs = append(errs, g.Remove())
	}
	if m.freezer != nil && !m.freezer.shared {
		errs = append(errs, removeTree(m.freezer.folder))
	}
	for i := range m.trees {
		t := &m.trees[i]
		errs = append(errs, removeTree(t.folder))
		if t.Version == 1 && t.home >= 0 {
			_ = unix.Close(t.home)
			t.home = -1
		}
	}
	return errors.Join(errs...)
}

// sweepAll sweeps version 1's freezers first: what is frozen there cannot die.
func sweepAll(all []Hierarchy, me owner.Owner) {
	for _, freezers := range []bool{true, false} {
		for _, h := range all {
			if h.has(Freezer) == freezers {
				sweep(h.Mount, me)
			}
		}
	}
}

// sweep removes the folders of owners that are gone, wherever they are in the
// tree: a dead owner need not have stood where this process stands. What it
// cannot see or remove is left for the next.
func sweep(mount string, me owner.Owner) {
	_ = filepath.WalkDir(mount, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		who, ok := ownerOf(d.Name())
		if !ok {
			return nil
		}
		if me.Gone(who) {
			_ = removeTree(path)
		}
		return filepath.SkipDir
	})
}

// removeTree kills what lives in a folder's groups and removes them.
func removeTree(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			path := filepath.Join(folder, e.Name())
			err = errors.Join(err, killAll(path), rmdir(path))
		}
	}
	return errors.Join(err, killAll(folder), rmdir(folder))
}

// patience bounds how long the end of a group's processes is waited for.
// After SIGKILL only the kernel's own work stands between them and their end.
const patience = 5 * time.Second

// rmdir removes a group whose last process may still be on its way out.
func rmdir(path string) error {
	wait := 50 * time.Microsecond
	for start := time.Now(); ; wait = min(2*wait, 10*time.Millisecond) {
		err := unix.Rmdir(path)
		if err == nil || err == unix.ENOENT {
			return nil
		}
		if err != unix.EBUSY && err != unix.EINTR || time.Since(start) > patience {
			return &fs.PathError{Op: "rmdir", Path: path, Err: err}
		}
		time.Sleep(wait)
	}
}

// killAll kills every process of a group until none is left. Version 2 does it
// in one write. In version 1 a process may fork between being listed and being
// killed, so it takes rounds; each leaves only what the round before did not see.
//
// This process is not of the group, even where it is listed: one thread of it
// that is on its way elsewhere is enough for that in version 1.
func killAll(group string) error {
	_ = write(filepath.Join(group, "cgroup.kill"), "1")
	wait := 50 * time.Microsecond
	for start := time.Now(); ; wait = min(2*wait, 10*time.Millisecond) {
		pids, err := members(group)
		if len(pids) == 0 {
			return err
		}
		if time.Since(start) > patience {
			return fmt.Errorf("kill the processes of %s: %d are left after %v", group, len(pids), patience)
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		_ = write(filepath.Join(group, "freezer.state"), "THAWED") // what is frozen in version 1 does not die
		time.Sleep(wait)
	}
}

// members are the processes in a group apart from this one. The file is opened
// each time: version 1 tells through an open one who was there a second ago.
func members(group string) ([]int, error) {
	text, err := read(filepath.Join(group, "cgroup.procs"))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		// A process of another pid namespace is listed as 0, and as a pid that
		// would be this process's whole group.
		if pid, err := strconv.Atoi(field); err == nil && pid > 0 && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// read reads a control file. As for write, os.ReadFile would be tried with the
// poller first, which is more than half of what it costs.
func read(file string) (text []byte, err error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: file, Err: err}
	}
	defer unix.Close(fd)
	for buf := make([]byte, 512); ; {
		n, err := unix.Read(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			if err != nil {
				err = &fs.PathError{Op: "read", Path: file, Err: err}
			}
			return text, err
		}
		text = append(text, buf[:n]...)
	}
}
