// Package residue owns what a test sees on the machine of what it has started:
// processes, control groups, and files in the folder for what is temporary.
//
// In: a test, before it starts anything. Out: what is there of that, by /proc and
// /sys/fs/cgroup, without asking whoever has started it. It ends and removes
// nothing, and knows no container engine: a container's processes are the
// machine's, one that does not run is not to be seen here. On a system without
// these folders it sees files alone.
package residue

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Marker is the environment variable that tells which test a process is of.
const Marker = "COLDCURVE_TEST_MARK"

// Marked are the processes with the marker in their environment, and its value.
func Marked() map[int]string {
	found := map[int]string{}
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		env, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for pair := range bytes.SplitSeq(env, []byte{0}) {
			if value, ok := bytes.CutPrefix(pair, []byte(Marker+"=")); ok {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				found[pid] = string(value)
			}
		}
	}
	return found
}

// Groups are coldcurve's control group folders whose name holds part.
func Groups(part string) []string {
	var found []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), "coldcurve-") {
			if strings.Contains(d.Name(), part) {
				found = append(found, path)
			}
			return filepath.SkipDir
		}
		return nil
	})
	return found
}

// Watch sees what one test has started. Its methods may be called by several
// goroutines at a time.
type Watch struct {
	word   string
	folder string
	before map[process]bool // children that this process had already

	mu     sync.Mutex
	seen   map[process]string // what each is called
	groups map[string]bool    // that they were in, and this process was not
}

// process is one of the machine's. A number may be used again, its start not.
type process struct {
	pid     int
	started string // clock ticks since boot
}

// Begin has what the test starts from now on carry a mark in its environment,
// and make its temporary files in a folder of their own.
func Begin(t testing.TB) *Watch {
	t.Helper()
	w := &Watch{word: rand.Text(), before: map[process]bool{}, seen: map[process]string{}, groups: map[string]bool{}}
	var err error
	if w.folder, err = os.MkdirTemp("", "kit-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(w.folder) })
	if err := os.Chmod(w.folder, 0o777|os.ModeSticky); err != nil { // as /tmp is: functions run as other users
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", w.folder)
	t.Setenv(Marker, w.word)
	for _, a := range table() {
		if a.parent == os.Getpid() {
			w.before[a.process] = true
		}
	}
	return w
}

// Mark is the marker's value for a function of that name.
func (w *Watch) Mark(function string) string { return w.word + " " + function }

// Inherited is what a process has to have in its environment that gets none of
// this one's, for a watch to see it.
func Inherited() []string { return []string{Marker + "=" + os.Getenv(Marker)} }

// Running are the processes that run for the test; of one function, if it is
// named, as far as they have its mark.
func (w *Watch) Running(function string) (left []string) {
	marks := Marked()
	for _, a := range table() {
		mark := marks[a.pid]
		if ours := function == "" && strings.HasPrefix(mark, w.word) || mark == w.Mark(function); ours && !a.ended {
			left = append(left, a.String())
		}
	}
	return left
}

// Look keeps in mind what there is now: the processes with the mark, this one's
// children, all that these have started, and the control groups that they are in.
func (w *Watch) Look() {
	all, marks := table(), Marked()
	ours := map[int]bool{}
	for grown := true; grown; { // a child may stand before its parent
		grown = false
		for _, a := range all {
			if !ours[a.pid] && !w.before[a.process] && (strings.HasPrefix(marks[a.pid], w.word) || a.parent == os.Getpid() || ours[a.parent]) {
				ours[a.pid], grown = true, true
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range all {
		if !ours[a.pid] {
			continue
		}
		w.seen[a.process] = a.name
		for _, group := range groupsOf(a.pid) {
			w.groups[group] = true
		}
	}
}

// Left is what is still there of all that was seen, and what is in the folder
// for temporary files.
func (w *Watch) Left() (left []string) {
	w.Look()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range table() {
		if _, ours := w.seen[a.process]; ours && !a.ended {
			left = append(left, a.String())
		}
	}
	for group := range w.groups {
		if _, err := os.Stat(group); err == nil {
			left = append(left, "control group "+group)
		}
	}
	entries, _ := os.ReadDir(w.folder) // one that is gone has nothing in it
	for _, e := range entries {
		left = append(left, "temporary "+e.Name())
	}
	slices.Sort(left)
	return left
}

// about is what the machine says of a process.
type about struct {
	process
	parent int
	name   string
	ended  bool // and nobody has asked how
}

func (a about) String() string { return "process " + strconv.Itoa(a.pid) + " (" + a.name + ")" }

// table are the machine's processes, by /proc/PID/stat (proc(5)): the number,
// the name in parentheses, which may hold anything, the state, the parent; the
// start is field 22.
func table() (all []about) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		open, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
		if err != nil || open < 0 || end < open {
			continue // it has gone meanwhile
		}
		fields := strings.Fields(string(text[end+1:]))
		if len(fields) < 20 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		all = append(all, about{process{pid, fields[19]}, parent, string(text[open+1 : end]), fields[0] == "Z" || fields[0] == "X"})
	}
	return all
}

// groupsOf are the folders of the control groups that a process is in, and this
// one is neither in nor below.
func groupsOf(pid int) (folders []string) {
	own := hierarchies("self")
	for controllers, path := range hierarchies(strconv.Itoa(pid)) {
		if strings.HasPrefix(own[controllers]+"/", strings.TrimSuffix(path, "/")+"/") {
			continue
		}
		name := strings.TrimPrefix(controllers, "name=")
		for _, root := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/unified"} {
			if _, err := os.Stat(root + path); err == nil {
				folders = append(folders, root+path)
				break
			}
		}
	}
	return folders
}

// hierarchies are a process's paths by the controllers of each hierarchy; those
// of version 2 are under "".
func hierarchies(pid string) map[string]string {
	text, _ := os.ReadFile("/proc/" + pid + "/cgroup") // of one that has gone there is none
	paths := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); len(parts) == 3 {
			paths[parts[1]] = parts[2]
		}
	}
	return paths
}
