package rundir

import (
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// cgroup is the harness's own place in one hierarchy of control groups, as
// folders of a file system: its own group first, then those around it, as far
// as they can be seen. It has no folders where there is no hierarchy.
type cgroup struct {
	version int // 1 or 2
	folders []string
}

// ownCgroup finds the hierarchy that has a controller: version 1 where it is
// mounted there (hybrid set-ups are), else version 2.
func ownCgroup(root fs.FS, controller string) cgroup {
	v1, v2 := ownPaths(root, controller)
	var found cgroup
	for line := range strings.Lines(read(root, "proc/self/mountinfo")) {
		// 31 23 0:27 / /sys/fs/cgroup/cpu rw,... shared:9 - cgroup cgroup rw,cpu,cpuacct
		place, kind, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(place), strings.Fields(kind)
		if len(where) < 5 || len(what) < 3 {
			continue
		}
		switch {
		case what[0] == "cgroup" && v1 != "" && hasWord(what[2], controller):
			return cgroup{version: 1, folders: folders(where[3], where[4], v1)}
		case what[0] == "cgroup2" && v2 != "":
			found = cgroup{version: 2, folders: folders(where[3], where[4], v2)}
		}
	}
	return found
}

// ownPaths are this process's paths in the controller's version 1 hierarchy
// and in the version 2 one, "" where it is in none.
func ownPaths(root fs.FS, controller string) (v1, v2 string) {
	for line := range strings.Lines(read(root, "proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[0] == "0" && parts[1] == "":
			v2 = parts[2]
		case hasWord(parts[1], controller):
			v1 = parts[2]
		}
	}
	return v1, v2
}

func hasWord(list, word string) bool { return slices.Contains(strings.Split(list, ","), word) }

// folders walks from a process's group up to where the hierarchy is mounted.
// mounted is the group that the mount shows as its top; in a container without
// a cgroup namespace of its own the process's path may lie outside of it, and
// then the mount's top is the container's own group.
func folders(mounted, mount, own string) []string {
	mount = strings.TrimPrefix(path.Clean(mount), "/")
	below, inside := strings.CutPrefix(path.Clean(own), strings.TrimSuffix(mounted, "/"))
	if !inside || strings.HasPrefix(below, "/..") {
		below = "/"
	}
	var all []string
	for ; below != "/" && below != "." && below != ""; below = path.Dir(below) {
		all = append(all, path.Join(mount, below))
	}
	return append(all, mount)
}

// limits says what the groups allow: "cpu 1.5, memory 512 MB"; "" where they
// set no limit.
func limits(root fs.FS) string {
	var parts []string
	if cores := ownCgroup(root, "cpu").cores(root); !math.IsInf(cores, 1) {
		parts = append(parts, "cpu "+strconv.FormatFloat(math.Round(cores*100)/100, 'f', -1, 64))
	}
	if b := ownCgroup(root, "memory").bytes(root); b < math.MaxInt64 {
		parts = append(parts, "memory "+b.String())
	}
	return strings.Join(parts, ", ")
}

// cores is the tightest CPU quota, in cores; +Inf for none.
func (c cgroup) cores(root fs.FS) float64 {
	tightest := math.Inf(1)
	for _, dir := range c.folders {
		quota, period := read(root, dir+"/cpu.cfs_quota_us"), read(root, dir+"/cpu.cfs_period_us")
		if c.version == 2 {
			quota, period, _ = strings.Cut(read(root, dir+"/cpu.max"), " ")
		}
		q, p := number(quota), number(period)
		if q > 0 && p > 0 { // "max" and -1 are no quota
			tightest = min(tightest, float64(q)/float64(p))
		}
	}
	return tightest
}

// bytes is the tightest memory limit; the greatest number for none.
func (c cgroup) bytes(root fs.FS) units.Bytes {
	file := "/memory.limit_in_bytes"
	if c.version == 2 {
		file = "/memory.max"
	}
	// Version 1 says "no limit" as the greatest whole number of pages.
	const unlimited = math.MaxInt64 - 1<<20
	tightest := int64(math.MaxInt64)
	for _, dir := range c.folders {
		if limit := number(read(root, dir+file)); limit > 0 && limit < unlimited {
			tightest = min(tightest, limit)
		}
	}
	return units.Bytes(tightest)
}

// throttled adds up how often and how long the groups were held back by their
// CPU quotas.
func (c cgroup) throttled(root fs.FS) (periods uint64, d time.Duration) {
	for _, dir := range c.folders {
		for line := range strings.Lines(read(root, dir+"/cpu.stat")) {
			key, value, _ := strings.Cut(line, " ")
			n := number(value)
			switch key {
			case "nr_throttled":
				periods += uint64(n)
			case "throttled_usec": // version 2
				d += time.Duration(n) * time.Microsecond
			case "throttled_time": // version 1
				d += time.Duration(n)
			}
		}
	}
	return periods, d
}

// read is the file's content, "" where it cannot be read: a fact that the
// machine does not tell.
func read(root fs.FS, name string) string {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// number is the whole number in text, 0 where there is none or it is negative.
func number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}
