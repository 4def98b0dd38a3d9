package cgroup

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/owner"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// manager makes one on the machine as it is.
func manager(t *testing.T) *Manager {
	t.Helper()
	need.Root(t)
	m, err := New(Options{CPUPeriod: 20 * time.Millisecond})
	if err != nil {
		need.Missing(t, "control groups that may be made: "+err.Error())
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for _, tree := range m.trees {
			if _, err := os.Stat(tree.folder); err == nil {
				t.Errorf("%s is left", tree.folder)
			}
		}
	})
	return m
}

func group(t *testing.T, m *Manager) *Group {
	t.Helper()
	g, err := m.Make()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// born starts a shell in a group from a thread that stands there.
func born(t *testing.T, m *Manager, g *Group, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if syscall.Gettid() == syscall.Getpid() {
			hold := make(chan struct{})
			defer close(hold)
			go func() { runtime.LockOSThread(); started <- startIn(cmd, m, g); <-hold }()
			<-hold
		}
		started <- startIn(cmd, m, g)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	return cmd
}

func startIn(cmd *exec.Cmd, m *Manager, g *Group) error {
	if fd, ok := g.Descriptor(); ok {
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}
	}
	if err := g.Enter(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	return m.Leave()
}

func TestGroupHoldsWhatIsBornInIt(t *testing.T) {
	m := manager(t)
	g := group(t, m)
	cmd := born(t, m, g, "sleep 60 & setsid sleep 60 & sleep 60")
	for _, p := range g.parts {
		deadline := time.Now().Add(time.Minute)
		for n := 0; n < 4 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			pids, err := members(p.path)
			if err != nil {
				t.Fatal(err)
			}
			n = len(pids)
		}
		if pids, _ := members(p.path); len(pids) < 4 {
			t.Errorf("%s holds %d processes, want a shell and three that it started", p.path, len(pids))
		}
	}
	if err := g.SetCPU(5 * time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := g.FreeCPU(); err != nil {
		t.Error(err)
	}
	if m.Enforces(Memory) && g.PeakMemory() == 0 {
		t.Error("no peak memory of a group with processes")
	}
	go func() { _ = cmd.Wait() }()
	if err := g.Kill(0); err != nil {
		t.Error(err)
	}
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
}

// TestFolderWeighsMoreThanATask: by default all instances together would have
// the time of one task beside them.
func TestFolderWeighsMoreThanATask(t *testing.T) {
	m := manager(t)
	for _, tree := range m.trees {
		if tree.Version != 1 || !tree.has(CPU) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(tree.folder, "cpu.shares"))
		want := strconv.Itoa(tasksPerCPU * runtime.NumCPU() * taskShares)
		if got := strings.TrimSpace(string(text)); err != nil || got != want {
			t.Errorf("%s has %s shares, %v, want %s", tree.folder, got, err, want)
		}
		return
	}
	need.Missing(t, "version 1 of the CPU controller")
}

func TestOutOfMemoryKillsAreCounted(t *testing.T) {
	m := manager(t)
	if !m.Enforces(Memory) {
		need.Missing(t, "the memory controller: "+strings.Join(m.Notes(), "; "))
	}
	g := group(t, m)
	if err := g.SetMemory(16 << 20); err != nil {
		t.Fatal(err)
	}
	if n, err := g.OutOfMemoryKills(); n != 0 || err != nil {
		t.Errorf("got %d kills, %v before anything ran", n, err)
	}
	cmd := born(t, m, g, "x=0123456789abcdef; while :; do x=$x$x; done")
	err := cmd.Wait()
	if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the shell ended with %v, want SIGKILL", err)
	}
	if n, err := g.OutOfMemoryKills(); n == 0 || err != nil {
		t.Errorf("got %d kills, %v", n, err)
	}
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
}

// unified is a folder of plain files that looks like a version 2 tree: what is
// written where can be read back. Its kernel is asleep.
func unified(t *testing.T, groups ...string) Hierarchy {
	t.Helper()
	mount := t.TempDir()
	for _, g := range append([]string{"."}, groups...) {
		dir := filepath.Join(mount, g)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"cgroup.controllers": "cpu io memory pids\n", "cgroup.subtree_control": ""} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return Hierarchy{Version: 2, Mount: mount, Position: filepath.Join(mount, groups[len(groups)-1])}
}

// TestUnifiedTakesTheNearestGroupThatDelegates walks up from a group that
// cannot pass controllers on.
func TestUnifiedTakesTheNearestGroupThatDelegates(t *testing.T) {
	h := unified(t, "user", "user/session")
	// Its children would have nothing.
	if err := os.WriteFile(filepath.Join(h.Position, "cgroup.controllers"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	enabled, err := delegate(filepath.Join(h.Mount, "user"))
	if err != nil || len(enabled) != 3 {
		t.Fatalf("got %v, %v, want all controllers", enabled, err)
	}
	if text, _ := os.ReadFile(filepath.Join(h.Mount, "user/cgroup.subtree_control")); !strings.HasPrefix(string(text), "+") {
		t.Errorf("subtree control was told %q", text)
	}
	me, err := owner.Self()
	if err != nil {
		t.Fatal(err)
	}
	got, err := takeUnified(h, me)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(got.folder) != filepath.Join(h.Mount, "user") {
		t.Errorf("took %s, want a folder in %s/user", got.folder, h.Mount)
	}
}

func TestUnifiedWithoutControllers(t *testing.T) {
	h := unified(t, "user")
	for _, dir := range []string{h.Mount, h.Position} {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.controllers"), []byte("io pids\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := New(Options{Hierarchies: []Hierarchy{h}})
	if err == nil || !strings.Contains(err.Error(), "neither the memory nor the cpu controller") {
		t.Errorf("got %v", err)
	}
}

func TestUnifiedLimits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"memory.max", "memory.swap.max", "memory.events", "cpu.max"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := part{Hierarchy: Hierarchy{Version: 2, Controllers: []Controller{Memory, CPU}}, path: dir}
	g := newGroup(&spares{})
	g.parts = []part{p}
	if err := g.open(&p, Options{CPUPeriod: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	expect := func(name, want string) {
		t.Helper()
		if got, _ := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	expect("cpu.max", "max 20000")
	if err := g.SetMemory(128 << 20); err != nil {
		t.Fatal(err)
	}
	expect("memory.max", "134217728")
	expect("memory.swap.max", "0")
	if err := os.Truncate(filepath.Join(dir, "cpu.max"), 0); err != nil {
		t.Fatal(err)
	}
	if err := g.SetCPU(1447 * time.Microsecond); err != nil {
		t.Fatal(err)
	}
	expect("cpu.max", "1447")
	if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte("low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n, err := g.OutOfMemoryKills(); n != 1 || err != nil {
		t.Errorf("got %d kills, %v, want 1", n, err)
	}
}

func TestFolderNames(t *testing.T) {
	me, err := owner.Self()
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := ownerOf(folderName(me, 17)); !ok || got != me {
		t.Errorf("%s is read as %v, want %v", folderName(me, 17), got, me)
	}
	for _, name := range []string{"coldcurve", "coldcurve-1-2-3", "coldcurve-a-2-3-4", "other-1-2-3-4", "coldcurve-1-2-3-4-5"} {
		if _, ok := ownerOf(name); ok {
			t.Errorf("%q counts as an owner's folder", name)
		}
	}
}

func TestSweepRemovesOnlyWhatTheDeadLeft(t *testing.T) {
	m := manager(t)
	tree := m.trees[0]
	me, err := owner.Self()
	if err != nil {
		t.Fatal(err)
	}
	dead := exec.Command("/bin/true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	namespace, _, _ := strings.Cut(me.String(), "-")
	gone, ok := owner.Parse(fmt.Sprintf("%s-%d-1", namespace, dead.Process.Pid))
	if !ok {
		t.Fatal("cannot name a dead process")
	}
	stale := filepath.Join(tree.Position, folderName(gone, 1))
	for _, dir := range []string{stale, filepath.Join(stale, "1")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sweep(tree.Mount, me)
	if _, err := os.Stat(stale); err == nil {
		t.Errorf("%s is still there", stale)
		_ = removeTree(stale)
	}
	if _, err := os.Stat(tree.folder); err != nil {
		t.Errorf("the sweep took a living manager's folder: %v", err)
	}
}

func TestNamesDifferBetweenManagers(t *testing.T) {
	a, b := manager(t), manager(t)
	for i := range a.trees {
		if a.trees[i].folder == b.trees[i].folder {
			t.Errorf("both managers have %s", a.trees[i].folder)
		}
	}
	if !strings.Contains(a.trees[0].folder, "-"+strconv.Itoa(os.Getpid())+"-") {
		t.Errorf("%s does not tell its owner", a.trees[0].folder)
	}
}

// frozen runs a test with every freezer of the machine.
func frozen(t *testing.T, test func(t *testing.T, m *Manager)) {
	need.Root(t)
	all, err := machine()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{1, 2} {
		t.Run("version "+strconv.Itoa(version), func(t *testing.T) {
			m := manager(t)
			if m.freezer == nil || m.freezer.Version != version {
				if m.freezer != nil && !m.freezer.shared {
					if err := rmdir(m.freezer.folder); err != nil {
						t.Fatal(err)
					}
				}
				var those []Hierarchy
				for _, h := range all {
					if h.Version == version {
						those = append(those, h)
					}
				}
				me, err := owner.Self()
				if err != nil {
					t.Fatal(err)
				}
				if m.freezer = takeFreezer(those, nil, me); m.freezer == nil {
					need.Missing(t, "a freezer of version "+strconv.Itoa(version))
				}
			}
			if want := "cgroup v" + strconv.Itoa(version) + " freezer"; m.Freezer() != want {
				t.Errorf("got %q, want %q", m.Freezer(), want)
			}
			test(t, m)
		})
	}
}

func TestFreezeStopsAllAndThawLetsThemRun(t *testing.T) {
	frozen(t, func(t *testing.T, m *Manager) {
		g := group(t, m)
		file := filepath.Join(t.TempDir(), "ticks")
		cmd := born(t, m, g, "for i in 1 2; do setsid sh -c 'while :; do echo >>"+file+"; sleep .001; done' & done; wait")
		go func() { _ = cmd.Wait() }()
		size := func() int64 {
			info, err := os.Stat(file)
			if err != nil {
				return 0
			}
			return info.Size()
		}
		grows := func() bool {
			before := size()
			for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
				if size() > before {
					return true
				}
			}
			return false
		}
		for range 3 {
			if !grows() {
				t.Fatal("the processes do not run")
			}
			if err := g.Freeze(); err != nil {
				t.Fatal(err)
			}
			if got := g.Standing(); !strings.Contains(got, "cgroup.freeze 1") && !strings.Contains(got, "freezer.state FROZEN") {
				t.Errorf("frozen, it stands at %q", got)
			}
			before := size()
			time.Sleep(30 * time.Millisecond)
			if after := size(); after != before {
				t.Errorf("the processes have gone on from %d to %d", before, after)
			}
			if err := g.Thaw(); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := g.Kill(0); err != nil { // frozen as it is
			t.Error(err)
		}
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseEndsWhatIsFrozen(t *testing.T) {
	frozen(t, func(t *testing.T, m *Manager) {
		g := group(t, m)
		cmd := born(t, m, g, "sleep 60")
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(ended)
		}()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		<-ended
		_ = g.Remove() // its descriptors; the folders have gone
	})
}

func TestReleasedGroupIsAsNew(t *testing.T) {
	m := manager(t)
	if !m.Enforces(Memory) {
		need.Missing(t, "the memory controller: "+strings.Join(m.Notes(), "; "))
	}
	g := group(t, m)
	if err := errors.Join(g.SetMemory(16<<20), g.SetCPU(5*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	cmd := born(t, m, g, "x=0123456789abcdef; while :; do x=$x$x; done")
	_ = cmd.Wait()
	if n, err := g.OutOfMemoryKills(); err != nil || n == 0 {
		t.Fatalf("got %d kills, %v, want some", n, err)
	}
	before := g.PeakMemory()
	if err := g.Kill(0); err != nil {
		t.Fatal(err)
	}
	if err := g.Release(); err != nil {
		t.Fatal(err)
	}

	again := group(t, m)
	if n, err := again.OutOfMemoryKills(); err != nil || n != 0 {
		t.Errorf("a group given again tells of %d kills, %v", n, err)
	}
	if peak := again.PeakMemory(); peak > mostResidue || peak >= before {
		t.Errorf("a group given again has peak memory %d, of %d before", peak, before)
	}
	for _, most := range []units.Bytes{64 << 20, 16 << 20, 16 << 20, 0} { // more than its limit was, less, the same, none
		if err := again.SetMemory(most); err != nil {
			t.Error(err)
		}
		if limit := memoryLimit(t, again); most > 0 && limit != int64(most) || most == 0 && limit < 1<<40 {
			t.Errorf("a group given again has a limit of %d bytes, want %d", limit, most)
		}
	}
	if out, err := exec.Command("cat", quotaFile(again)).Output(); err != nil || !strings.HasPrefix(string(out), "-1") && !strings.HasPrefix(string(out), "max") {
		t.Errorf("a group given again has CPU quota %s, %v", out, err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

// TestExhaustedGroupIsBoundAnew: what drove it over its limit is not left to its
// next user, who has the same limit. Many times, as the kernel may refuse
// memory at any call of the thread that asks for it.
func TestExhaustedGroupIsBoundAnew(t *testing.T) {
	const most = 16 << 20
	m := manager(t)
	if !m.Enforces(Memory) {
		need.Missing(t, "the memory controller: "+strings.Join(m.Notes(), "; "))
	}
	for range 60 {
		g := group(t, m)
		if err := g.SetMemory(most); err != nil {
			t.Fatal(err)
		}
		cmd := born(t, m, g, "sleep 60")
		if err := g.Exhaust(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if err := errors.Join(g.Kill(0), g.Release()); err != nil {
			t.Fatal(err)
		}
		again := group(t, m)
		if limit := memoryLimit(t, again); again == g && limit <= most {
			t.Errorf("a group that was exhausted waits with a limit of %d bytes", limit)
		}
		if err := again.SetMemory(most); err != nil {
			t.Fatal(err)
		}
		if limit := memoryLimit(t, again); limit != most {
			t.Errorf("the next user has a limit of %d bytes, want %d", limit, most)
		}
		if err := again.Release(); err != nil {
			t.Error(err)
		}
	}
}

// memoryLimit is what the kernel holds for the group's limit.
func memoryLimit(t *testing.T, g *Group) int64 {
	t.Helper()
	for _, p := range g.parts {
		if p.has(Memory) {
			text, err := os.ReadFile(filepath.Join(p.path, map[int]string{1: "memory.limit_in_bytes", 2: "memory.max"}[p.Version]))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				return n
			}
		}
	}
	return math.MaxInt64
}

func quotaFile(g *Group) string {
	for _, p := range g.parts {
		if p.has(CPU) {
			return filepath.Join(p.path, map[int]string{1: "cpu.cfs_quota_us", 2: "cpu.max"}[p.Version])
		}
	}
	return ""
}

func TestFrozenGroupIsNotUsedAgain(t *testing.T) {
	m := manager(t)
	g := group(t, m)
	cmd := born(t, m, g, "sleep 60")
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	if m.freezer == nil {
		need.Missing(t, "a freezer")
	}
	if err := g.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := g.Kill(0); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := g.Release(); err != nil {
		t.Fatal(err)
	}
	if !m.freezer.shared && len(m.spares.groups) > 0 {
		t.Error("it waits to be used again")
	}
}
