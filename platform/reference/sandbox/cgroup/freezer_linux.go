package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/platform/owner"
	"golang.org/x/sys/unix"
)

// freezer is where groups can be frozen. Version 2 has that in every group,
// with any controllers or none; beside version 1's groups a process is moved
// there when its group is frozen for the first time, which costs a start
// nothing.
type freezer struct {
	tree
	shared bool // with the groups themselves, in version 2
}

// takeFreezer prefers version 2's: what is frozen there can still be killed.
func takeFreezer(all []Hierarchy, taken []tree, me owner.Owner) *freezer {
	for _, t := range taken {
		if t.Version == 2 {
			return &freezer{tree: t, shared: true}
		}
	}
	for _, version := range []int{2, 1} {
		for _, h := range all {
			if h.Version != version || version == 1 && !h.has(Freezer) {
				continue
			}
			f := &freezer{tree: tree{Hierarchy: h, folder: filepath.Join(h.Position, folderName(me, managers()))}}
			if os.Mkdir(f.folder, 0o755) != nil {
				continue
			}
			if _, err := os.Stat(filepath.Join(f.folder, f.file())); err == nil {
				return f
			}
			_ = unix.Rmdir(f.folder)
		}
	}
	return nil
}

// file is what freezes a group.
func (h Hierarchy) file() string {
	if h.Version == 2 {
		return "cgroup.freeze" // since Linux 5.2
	}
	return "freezer.state"
}

// Freezer says which one stops groups, "" where none does.
func (m *Manager) Freezer() string {
	if m.freezer == nil {
		return ""
	}
	return fmt.Sprintf("cgroup v%d freezer", m.freezer.Version)
}

// Freezes says whether the group can be frozen.
func (g *Group) Freezes() bool { return g.freezer != nil }

// errNoFreezer is what Freeze says where the manager has no Freezer.
var errNoFreezer = errors.New("freeze control group: no freezer")

// Freeze stops every process of the group and returns when they have stopped.
// In version 1 nothing, not even SIGKILL, ends them before Thaw.
func (g *Group) Freeze() error {
	if g.freezer == nil {
		return errNoFreezer
	}
	if err := g.freeze(); err != nil {
		return errors.Join(fmt.Errorf("freeze control group: %w", err), g.Thaw())
	}
	return nil
}

func (g *Group) freeze() error {
	if !g.freezer.shared {
		if err := g.gather(); err != nil {
			return err
		}
	}
	if g.freezer.Version == 2 {
		if err := write(filepath.Join(g.cold, "cgroup.freeze"), "1"); err != nil {
			return err
		}
		return until(func() (bool, error) {
			text, err := os.ReadFile(filepath.Join(g.cold, "cgroup.events"))
			return counter(string(text), "frozen") == 1, err
		})
	}
	return until(func() (bool, error) {
		// Written again, the kernel has another look at who has not stopped yet.
		if err := write(filepath.Join(g.cold, "freezer.state"), "FROZEN"); err != nil {
			return false, err
		}
		text, err := os.ReadFile(filepath.Join(g.cold, "freezer.state"))
		return strings.TrimSpace(string(text)) == "FROZEN", err
	})
}

// gather moves the group's processes to where they can be frozen. What they
// start while it is at that is there already or found in the next round.
func (g *Group) gather() error {
	if !g.chilled {
		if err := os.Mkdir(g.cold, 0o755); err != nil {
			return err
		}
		g.chilled = true
	}
	return until(func() (bool, error) {
		all, err := members(g.parts[0].path)
		if err != nil {
			return false, err
		}
		there, err := members(g.cold)
		if err != nil {
			return false, err
		}
		missing := false
		for _, pid := range all {
			if slices.Contains(there, pid) {
				continue
			}
			err := move(pid, g.cold)
			if err != nil && !errors.Is(err, unix.ESRCH) {
				return false, err
			}
			missing = missing || err == nil
		}
		return !missing, nil
	})
}

// Thaw lets the group's processes run again.
func (g *Group) Thaw() error {
	if g.freezer == nil || !g.freezer.shared && !g.chilled {
		return nil
	}
	value := "THAWED"
	if g.freezer.Version == 2 {
		value = "0"
	}
	return write(filepath.Join(g.cold, g.freezer.file()), value)
}

// Standing is what the kernel tells of the group's freezer and CPU quota, for who
// wonders why nothing in it moves.
func (g *Group) Standing() string {
	var told []string
	say := func(folder string, names ...string) {
		for _, name := range names { // either version's
			if text, err := read(filepath.Join(folder, name)); err == nil {
				told = append(told, name+" "+strings.Join(strings.Fields(string(text)), " "))
			}
		}
	}
	if g.freezer != nil {
		say(g.cold, "cgroup.freeze", "cgroup.events", "freezer.state", "freezer.self_freezing", "freezer.parent_freezing")
	}
	for _, p := range g.parts {
		if p.has(CPU) {
			say(p.path, "cpu.max", "cpu.cfs_quota_us", "cpu.stat")
		}
	}
	return strings.Join(told, "; ")
}

// until waits for something that the kernel does soon.
func until(done func() (bool, error)) error {
	wait := 50 * time.Microsecond
	for start := time.Now(); ; wait = min(2*wait, 10*time.Millisecond) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Since(start) > patience {
			return fmt.Errorf("not done after %v", patience)
		}
		time.Sleep(wait)
	}
}
