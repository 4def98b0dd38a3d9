package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// wards are the processes that instances have left behind: the kernel makes
// an orphan the child of the nearest subreaper above it, which this process
// is. They are told from what this process starts for itself by their
// session: an instance has one of its own, and whatever it starts can have
// that or a newer one, but not ours.
//
// They are needed where no control group holds an instance's processes
// together. A process that clears its environment and whose parent had gone
// before its instance was stopped has no visible owner; it goes at close, if
// nobody but an instance can have left it.
type wards struct {
	session int // ours
	// before are children that this process had already, from before it executed
	// this program. They are not ours to end, or to reap.
	before map[kin]bool
	// held is whether control groups hold what instances start, and end it: then
	// orphans are only reaped.
	held bool
	// mixed is whether orphans can come from elsewhere: from those children, or
	// from everywhere where this process is the first of its namespace.
	mixed   bool
	signals chan os.Signal
	reaper  sync.WaitGroup

	// mu is held while an instance is forked and while orphans are looked for,
	// so that what is about to become an instance is not taken for one of them.
	mu        sync.Mutex
	instances map[int]struct{}
}

// kin is one process. An id alone may be used again.
type kin struct {
	pid     int
	started uint64 // clock ticks since boot
}

// adopt makes this process the subreaper of all that it starts.
func adopt(held bool) (*wards, error) {
	session, err := unix.Getsid(0)
	if err != nil {
		return nil, fmt.Errorf("read the session: %w", err)
	}
	children, err := childrenOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	before := map[kin]bool{}
	for _, pid := range children {
		if s, ok := readStatus(pid); ok {
			before[kin{pid, s.started}] = true
		}
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become the subreaper: %w", err)
	}
	w := &wards{session: session, held: held, before: before, mixed: len(before) > 0 || os.Getpid() == 1,
		signals: make(chan os.Signal, 1), instances: map[int]struct{}{}}
	signal.Notify(w.signals, syscall.SIGCHLD)
	w.reaper.Go(w.reap)
	return w, nil
}

// reap buries orphans that end by themselves.
func (w *wards) reap() {
	for range w.signals {
		w.mu.Lock()
		_, _ = w.orphans() // looking is burying; what cannot be seen now is tried again
		w.mu.Unlock()
	}
}

// close ends every orphan that is left; where they can come from elsewhere,
// only those that an instance has visibly left. No instance may be alive any
// more.
func (w *wards) close() error {
	family := map[kin]bool{}
	err := w.end(func(k kin, env []byte) bool {
		if w.held || w.mixed && !family[k] && logStream(env) == nil {
			return false
		}
		family[k] = true
		addFamily(k.pid, family)
		return true
	})
	signal.Stop(w.signals)
	close(w.signals)
	w.reaper.Wait()
	return errors.Join(err, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0))
}

// fork forks an instance's process.
func (w *wards) fork(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	return w.admit(func() (int, error) { return syscall.ForkExec(path, argv, attr) })
}

// admit calls make, which makes an instance's process.
func (w *wards) admit(make func() (int, error)) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	pid, err := make()
	if err == nil {
		w.instances[pid] = struct{}{}
	}
	return pid, err
}

// bury calls wait, which reaps an instance's process.
func (w *wards) bury(pid int, wait func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait()
	delete(w.instances, pid)
}

// endOf ends what an instance has left behind: the family that it had when it
// was stopped, and whatever carries its name in the environment.
func (w *wards) endOf(id string, family map[kin]bool) error {
	if w.held {
		return nil
	}
	mark := []byte("]" + id)
	return w.end(func(k kin, env []byte) bool {
		if !family[k] && !bytes.HasSuffix(logStream(env), mark) {
			return false
		}
		family[k] = true         // its environment goes before it does
		addFamily(k.pid, family) // which becomes ours in its turn
		return true
	})
}

// end kills the orphans that match until there are none: what one of them has
// started becomes an orphan when it goes.
func (w *wards) end(match func(k kin, env []byte) bool) error {
	wait := 50 * time.Microsecond
	start := time.Now()
	for last := start; ; wait = min(2*wait, 10*time.Millisecond) {
		n, unclear, err := w.kill(match)
		if n > 0 {
			last = time.Now()
		}
		if err != nil || n == 0 && (unclear == 0 || time.Since(last) > undress) {
			return err
		}
		if time.Since(start) > patience {
			return fmt.Errorf("end what an instance left behind: %d processes are left after %v", n, patience)
		}
		time.Sleep(wait)
	}
}

// undress is how long a process may be without an environment because it is
// just being executed: then nobody can tell whose it is.
const undress = 50 * time.Millisecond

// kill tells how many orphans matched and were not dead yet, and how many
// others have no environment now.
func (w *wards) kill(match func(k kin, env []byte) bool) (n, unclear int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	orphans, err := w.orphans()
	for _, k := range orphans {
		// Read once: it may be another a moment later.
		env, err := os.ReadFile("/proc/" + strconv.Itoa(k.pid) + "/environ")
		if match(k, env) {
			_ = unix.Kill(k.pid, unix.SIGKILL) // ours to reap, so the id is still its own
			n++
		} else if err == nil && len(env) == 0 {
			unclear++
		}
	}
	return n, unclear, err
}

// orphans are the living children of this process that are neither instances
// nor its own nor from before; the dead are reaped. Called with mu held.
func (w *wards) orphans() ([]kin, error) {
	for {
		// What a process that was dead has left came to us at its end, which may
		// have been after the list was read.
		living, reaped, err := w.look()
		if err != nil || !reaped {
			return living, err
		}
	}
}

// look tells the living orphans, and whether a dead one was reaped.
func (w *wards) look() (living []kin, reaped bool, err error) {
	children, err := w.children()
	if err != nil {
		return nil, false, err
	}
	for _, pid := range children {
		if _, ok := w.instances[pid]; ok {
			continue
		}
		s, ok := readStatus(pid)
		k := kin{pid, s.started}
		if !ok || s.session == w.session || w.before[k] {
			continue
		}
		if s.dead {
			got, _ := unix.Wait4(pid, nil, unix.WNOHANG, nil)
			reaped = reaped || got == pid
			continue
		}
		living = append(living, k)
	}
	return living, reaped, nil
}

// children are those that may be orphans. The kernel gives orphans to the first
// thread of this process; the launchers, whose children are many and known, are
// not it.
func (w *wards) children() ([]int, error) {
	me := os.Getpid()
	if w.held {
		return childrenOfThread(me, me)
	}
	return childrenOf(me)
}

// addFamily adds the processes below pid.
func addFamily(pid int, family map[kin]bool) {
	children, _ := childrenOf(pid) // none if it has gone
	for _, child := range children {
		s, ok := readStatus(child)
		if k := (kin{child, s.started}); ok && !family[k] {
			family[k] = true
			addFamily(child, family)
		}
	}
}

// childrenOf reads which processes a process has to reap, of all its threads.
func childrenOf(pid int) ([]int, error) {
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil, fmt.Errorf("list children: %w", err)
	}
	var children []int
	var last error
	read := false
	for _, t := range threads {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		its, err := childrenOfThread(pid, tid)
		if err != nil {
			last = err // a thread that has ended, or a kernel without the file
			continue
		}
		read = true
		children = append(children, its...)
	}
	if !read {
		return nil, last
	}
	return children, nil
}

func childrenOfThread(pid, tid int) (children []int, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(tid) + "/children")
	if err != nil {
		return nil, fmt.Errorf("list children: %w", err)
	}
	for field := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			children = append(children, child)
		}
	}
	return children, nil
}

// status is what /proc/pid/stat tells of a process.
type status struct {
	dead    bool // and not reaped
	session int
	started uint64 // clock ticks since boot
}

// readStatus is not ok if the process has gone. The second field of the file
// may hold anything, so counting begins behind its last parenthesis.
func readStatus(pid int) (s status, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return s, false
	}
	s.dead = fields[0] == "Z" || fields[0] == "X"
	s.session, _ = strconv.Atoi(fields[3])
	s.started, err = strconv.ParseUint(fields[19], 10, 64)
	return s, err == nil
}

// logStream is the variable by which a process tells whose it is; nil without.
func logStream(env []byte) []byte {
	for pair := range bytes.SplitSeq(env, []byte{0}) {
		if value, ok := bytes.CutPrefix(pair, []byte("AWS_LAMBDA_LOG_STREAM_NAME=")); ok {
			return value
		}
	}
	return nil
}
