package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"golang.org/x/sys/unix"
)

// Group bounds one instance. A process comes into it by birth: it is forked
// by a thread that Enter has put there (version 1), or with Descriptor
// (version 2). So no instruction of it runs unbounded, and nothing needs
// attaching on the path of a start.
//
// Its methods are called by one goroutine at a time; SetCPU and PeakMemory
// may be called by any.
type Group struct {
	parts   []part
	freezer *freezer // the manager's
	cold    string   // the folder that is frozen, there; it need not be yet
	// Open files, because to open one costs ten times a write. -1 is none.
	limit, swap, quota, peak, usage, oom, population, descriptor int

	spares  *spares     // the manager's
	kills   int64       // out of memory, before its present use
	most    units.Bytes // of memory; 0 is no bound, or halfBound
	bound   atomic.Bool // its CPU time may be bounded
	chilled bool        // it has been frozen in another folder than its own
}

// halfBound is a bound on memory that is not what was asked for: a change of it
// has failed, or the group was exhausted.
const halfBound = -1

// part is the group's folder in one hierarchy.
type part struct {
	Hierarchy
	path  string
	tasks int // open, for threads to enter by; -1 in version 2
}

// Make gives a group that is empty and bounds nothing yet but how many
// processes there are.
func (m *Manager) Make() (*Group, error) {
	if g := m.spares.pop(); g != nil {
		return g, nil
	}
	name := strconv.FormatUint(m.serial.Add(1), 10)
	g := newGroup(&m.spares)
	for _, t := range m.trees {
		p := part{Hierarchy: t.Hierarchy, path: filepath.Join(t.folder, name), tasks: -1}
		if err := os.Mkdir(p.path, 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("make control group: %w", err), g.Remove())
		}
		g.parts = append(g.parts, p)
		if err := g.open(&g.parts[len(g.parts)-1], m.options); err != nil {
			return nil, errors.Join(fmt.Errorf("make control group: %w", err), g.Remove())
		}
	}
	if m.freezer != nil {
		g.freezer, g.cold = m.freezer, filepath.Join(m.freezer.folder, name)
	}
	return g, nil
}

func newGroup(s *spares) *Group {
	return &Group{limit: -1, swap: -1, quota: -1, peak: -1, usage: -1, oom: -1, population: -1, descriptor: -1, spares: s}
}

func (g *Group) open(p *part, o Options) (err error) {
	file := func(name string, flags int) int {
		fd, e := unix.Open(filepath.Join(p.path, name), flags|unix.O_CLOEXEC, 0)
		if e != nil {
			fd = -1
			err = errors.Join(err, fmt.Errorf("open %s: %w", filepath.Join(p.path, name), e))
		}
		return fd
	}
	optional := func(name string, flags int) int {
		fd, e := unix.Open(filepath.Join(p.path, name), flags|unix.O_CLOEXEC, 0)
		if e != nil {
			return -1
		}
		return fd
	}
	writable := func(name string) int { // where it can be
		if fd := optional(name, unix.O_RDWR); fd >= 0 {
			return fd
		}
		return optional(name, unix.O_RDONLY)
	}
	if p.has(Processes) {
		g.population = file("pids.current", unix.O_RDONLY)
		if o.Processes > 0 { // besides the thread that forks into it
			err = errors.Join(err, write(filepath.Join(p.path, "pids.max"), strconv.Itoa(o.Processes+1)))
		}
	}
	if p.Version == 2 {
		g.descriptor = file("", unix.O_RDONLY|unix.O_DIRECTORY)
		if p.has(Memory) {
			g.limit = file("memory.max", unix.O_WRONLY)
			g.swap = optional("memory.swap.max", unix.O_WRONLY) // none where swap is not accounted
			g.peak = writable("memory.peak")                    // since Linux 5.19
			g.usage = optional("memory.current", unix.O_RDONLY)
			g.oom = file("memory.events", unix.O_RDONLY)
		}
		if p.has(CPU) {
			g.quota = file("cpu.max", unix.O_WRONLY)
			if g.quota >= 0 {
				err = errors.Join(err, put(g.quota, "max "+micros(o.CPUPeriod)))
			}
		}
		return err
	}
	p.tasks = file("tasks", unix.O_WRONLY)
	if p.has(Memory) {
		g.limit = file("memory.limit_in_bytes", unix.O_WRONLY)
		g.swap = optional("memory.memsw.limit_in_bytes", unix.O_WRONLY)
		g.peak = writable("memory.max_usage_in_bytes")
		g.usage = optional("memory.usage_in_bytes", unix.O_RDONLY)
		g.oom = file("memory.oom_control", unix.O_RDONLY)
	}
	if p.has(CPU) {
		g.quota = file("cpu.cfs_quota_us", unix.O_WRONLY)
		err = errors.Join(err, write(filepath.Join(p.path, "cpu.cfs_period_us"), micros(o.CPUPeriod)))
	}
	return err
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// put writes a limit. The kernel gives up a change of the memory limit when a
// signal comes, and Go sends itself signals.
func put(fd int, value string) error {
	for {
		_, err := unix.Pwrite(fd, []byte(value), 0)
		if err != unix.EINTR {
			return err
		}
	}
}

// SetMemory bounds the group's memory, swap included; 0 takes the bound off. It
// is called before a process is born into the group: one that is used again has
// the bound of its last user until then, who is most often of the same function.
func (g *Group) SetMemory(most units.Bytes) error {
	if g.limit < 0 || g.most == most {
		return nil
	}
	if g.most != 0 { // version 1 refuses a limit above that of the sum with swap
		if err := g.freeMemory(); err != nil {
			return fmt.Errorf("take off memory limit: %w", err)
		}
	}
	if most == 0 {
		return nil
	}
	if err := g.boundMemory(most); err != nil {
		return err
	}
	g.most = most
	return nil
}

func (g *Group) boundMemory(most units.Bytes) error {
	g.most = halfBound
	value := strconv.FormatInt(int64(most), 10)
	if err := put(g.limit, value); err != nil {
		return fmt.Errorf("set memory limit of %s: %w", most, err)
	}
	if g.swap < 0 {
		return nil
	}
	if g.version(Memory) == 2 {
		value = "0" // swap has its own limit there; version 1 bounds the sum
	}
	if err := put(g.swap, value); err != nil {
		return fmt.Errorf("turn off swap: %w", err)
	}
	return nil
}

// freeMemory takes the bound off.
func (g *Group) freeMemory() error {
	g.most = halfBound
	none := "-1"
	if g.version(Memory) == 2 {
		none = "max"
	}
	if g.swap >= 0 {
		if err := put(g.swap, none); err != nil {
			return err
		}
	}
	if err := put(g.limit, none); err != nil {
		return err
	}
	g.most = 0
	return nil
}

// SetCPU bounds the group's CPU time in each period.
func (g *Group) SetCPU(quota time.Duration) error {
	if g.quota < 0 {
		return nil
	}
	g.bound.Store(true)
	if err := put(g.quota, micros(quota)); err != nil {
		return fmt.Errorf("set CPU quota of %v: %w", quota, err)
	}
	return nil
}

// FreeCPU takes the bound off again, if there is one.
func (g *Group) FreeCPU() error {
	if g.quota < 0 || !g.bound.Load() {
		return nil
	}
	none := "-1"
	if g.version(CPU) == 2 {
		none = "max"
	}
	if err := put(g.quota, none); err != nil {
		return fmt.Errorf("take off CPU quota: %w", err)
	}
	g.bound.Store(false)
	return nil
}

func (g *Group) version(c Controller) int {
	for _, p := range g.parts {
		if p.has(c) {
			return p.Version
		}
	}
	return 0
}

// Enter puts the calling thread into the group's version 1 folders, so that
// what it forks is born there. The caller's goroutine is locked to a thread
// other than the process's first, whose memory would move too.
func (g *Group) Enter() error {
	for _, p := range g.parts {
		if p.tasks >= 0 {
			if err := enter(p.tasks); err != nil {
				return err
			}
		}
	}
	return nil
}

// Adopt moves a process into the group, with all its threads. What it has used
// by then stays where it was counted.
func (g *Group) Adopt(pid int) error {
	for _, p := range g.parts {
		if err := move(pid, p.path); err != nil {
			return err
		}
	}
	return nil
}

func move(pid int, folder string) error {
	if err := write(filepath.Join(folder, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
		return fmt.Errorf("move process %d into a control group: %w", pid, err)
	}
	return nil
}

// Leave takes the calling thread back to where the process was when the
// manager was made.
func (m *Manager) Leave() error {
	for _, t := range m.trees {
		if t.Version == 1 {
			if err := enter(t.home); err != nil {
				return err
			}
		}
	}
	return nil
}

func enter(tasks int) error {
	if err := put(tasks, "0"); err != nil { // 0 is the thread that writes
		return fmt.Errorf("move thread between control groups: %w", err)
	}
	return nil
}

// Descriptor is an open version 2 folder for SysProcAttr.CgroupFD; ok is false
// where there is none.
func (g *Group) Descriptor() (fd int, ok bool) { return g.descriptor, g.descriptor >= 0 }

// PeakMemory is the most memory that the group has used, in bytes; 0 where the
// kernel does not tell.
func (g *Group) PeakMemory() int64 {
	peak, _ := count(g.peak)
	return peak
}

// OutOfMemoryKills is how many of the group's processes the kernel has killed
// because the group reached its memory limit.
func (g *Group) OutOfMemoryKills() (int64, error) {
	kills, err := g.outOfMemoryKills()
	return kills - g.kills, err
}

// counter finds a "name value" line; 0 where there is none.
func counter(text, name string) int64 {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// Kill kills everything in the group and returns when nothing is left in it
// but threads of this process; ours is how many are there for certain.
func (g *Group) Kill(ours int) error {
	if n, ok := count(g.population); ok && !g.chilled && n == int64(ours) {
		return nil // as nearly always, and told for a fiftieth of what a look into the folders costs
	}
	var errs []error
	if g.chilled {
		errs = append(errs, killAll(g.cold)) // first, because it thaws
	}
	for _, p := range g.parts {
		if p.Version == 1 {
			if left, err := members(p.path); err == nil && len(left) == 0 {
				continue // version 1 has no file that killAll could try first
			}
		}
		errs = append(errs, killAll(p.path))
	}
	return errors.Join(errs...)
}

// Remove removes the group, which must be empty or about to be.
func (g *Group) Remove() error {
	open := []*int{&g.limit, &g.swap, &g.quota, &g.peak, &g.usage, &g.oom, &g.population, &g.descriptor}
	for i := range g.parts {
		open = append(open, &g.parts[i].tasks)
	}
	for _, fd := range open {
		if *fd >= 0 {
			_ = unix.Close(*fd)
			*fd = -1
		}
	}
	var errs []error
	if g.chilled {
		errs = append(errs, rmdir(g.cold))
	}
	for _, p := range g.parts {
		errs = append(errs, rmdir(p.path))
	}
	g.parts = nil
	return errors.Join(errs...)
}
