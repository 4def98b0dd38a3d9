// Package cgroup owns the control groups that bound what an instance uses.
//
// In: the machine's control group hierarchies as they are (version 1, version
// 2 or both at once), and a memory limit and a CPU quota for each group. Out:
// groups that a process can be born into or moved to and that can be frozen,
// what the kernel counted in them, and their end with everything that lives in them. It knows no functions,
// and it sets no limit by other means where the kernel's are out of reach:
// then there are notes that say so.
//
// A manager's groups lie below one folder in each hierarchy whose name tells
// the process that made it, so that what a killed process left behind is
// found and removed by the next.
//
// What it costs (2 vCPU of an AMD EPYC, Linux 6.18, version 1): mkdir of a
// group 75-180 us, opening its files 60-110 us, attaching a thread 20-60 us,
// but 13-15 ms for the first after a pause of a second or so (the kernel waits
// for an RCU grace period); writing a limit to an open file 1-5 us; rmdir
// 25-50 us. So everything but the writes belongs off the path of a start.
package cgroup

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Controller is what a hierarchy can bound.
type Controller string

// The controllers that instances need; Freezer is one in version 1 only.
const (
	Memory    Controller = "memory"
	CPU       Controller = "cpu"
	Processes Controller = "pids"
	Freezer   Controller = "freezer"
)

// bounding are the controllers that bound what a group uses.
func bounding() []Controller { return []Controller{Memory, CPU, Processes} }

// Hierarchy is a mounted tree of control groups and this process's place in it.
type Hierarchy struct {
	Version     int // 1 or 2
	Controllers []Controller
	Mount       string // where the tree is mounted
	Position    string // this process's own group, at or below Mount
}

// has tells whether the hierarchy has the controller.
func (h Hierarchy) has(c Controller) bool { return slices.Contains(h.Controllers, c) }

// limits tells whether the hierarchy can bound anything.
func (h Hierarchy) limits() bool { return h.Version == 2 || slices.ContainsFunc(bounding(), h.has) }

// Hierarchies reads the trees that hold any of those controllers from
// the text of /proc/self/mountinfo and /proc/self/cgroup. A version 2 tree
// comes without controllers: what it has is in its files.
func Hierarchies(mountinfo, self string) ([]Hierarchy, error) {
	places, err := places(self)
	if err != nil {
		return nil, err
	}
	var found []Hierarchy
	for line := range strings.Lines(mountinfo) {
		h, root, ok := mounted(line)
		if !ok {
			continue
		}
		place, ok := places[h.key()]
		if !ok {
			continue
		}
		h.Position = filepath.Join(h.Mount, below(place, root))
		found = append(found, h)
	}
	return found, nil
}

// key is how /proc/self/cgroup names the hierarchy: by any one of its
// controllers in version 1, by none in version 2.
func (h Hierarchy) key() Controller {
	if h.Version == 2 {
		return ""
	}
	return h.Controllers[0]
}

// mounted reads a line of mountinfo: a cgroup mount with a controller that
// matters, and which part of its tree the mount shows.
func mounted(line string) (h Hierarchy, root string, ok bool) {
	before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
	fields, types := strings.Fields(before), strings.Fields(after)
	if !ok || len(fields) < 6 || len(types) < 3 {
		return Hierarchy{}, "", false
	}
	h.Mount, root = unescape(fields[4]), unescape(fields[3])
	switch types[0] {
	case "cgroup2":
		h.Version = 2
		return h, root, true
	case "cgroup":
		h.Version = 1
		for option := range strings.SplitSeq(types[2], ",") {
			if c := Controller(option); c == Freezer || slices.Contains(bounding(), c) {
				h.Controllers = append(h.Controllers, c)
			}
		}
		return h, root, len(h.Controllers) > 0
	default:
		return Hierarchy{}, "", false
	}
}

// places reads /proc/self/cgroup: the path of the process's group by
// controller, and by "" in the version 2 tree.
func places(self string) (map[Controller]string, error) {
	at := map[Controller]string{}
	for line := range strings.Lines(self) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("read control group membership: malformed line %q", line)
		}
		for name := range strings.SplitSeq(fields[1], ",") {
			at[Controller(name)] = fields[2]
		}
	}
	return at, nil
}

// below is where a place of the whole tree lies under a mount that shows only
// the part from root on. A place outside of that part is seen as its top.
func below(place, root string) string {
	if root == "/" {
		return place
	}
	rest, ok := strings.CutPrefix(place, root)
	if !ok || (rest != "" && rest[0] != '/') {
		return "/"
	}
	return rest
}

// unescape undoes mountinfo's octal escapes of space, tab, newline, backslash.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
