package priority

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// policy is the one under which threads at the same level take turns, a
// tenth of a second each. Under SCHED_FIFO, where one runs until it blocks, two
// raised processes held each other up for good: Go's collector spins until
// another thread has gone on, and that thread was waiting for the processor on
// which the other process's collector span.
const policy = unix.SCHED_RR

// Raised is a process that comes before others. Its methods are for one
// goroutine at a time.
//
// With twelve processes on two cores, the load generator's lag p99 at 10,000/s
// was 22 ms without it, 3 to 22 ms at nice -15 (Linux weighs nice values only
// within a session), 23 ms with the pacing thread alone at real-time priority,
// and 56 µs with all threads.
//
// It takes the right to (root, CAP_SYS_NICE or RLIMIT_RTPRIO); without it
// nothing changes. The kernel leaves a twentieth of each second to others,
// come what may. Threads inherit it: a burst brings up many at once, and one
// that had to wait for its turn would hold up what it was brought up for. So do
// processes: who starts some does so from a spared thread, or before.
type Raised struct {
	own    *unix.SchedAttr // what every thread had and gets back
	level  uint32
	except []int
	raised bool
}

// Raise puts the process's threads, except those named, at a real-time level
// until Release is called. That is the whole process, whoever else works in it,
// so one Raised at a time makes sense: a second changes nothing, but if the
// first is released meanwhile, the second's owner is not raised any more.
func Raise(level uint32, except ...int) *Raised {
	own, err := unix.SchedGetAttr(0, 0)
	if err != nil || own.Policy != unix.SCHED_NORMAL {
		return &Raised{} // of the user's own choice, or beyond ours
	}
	p := &Raised{own: own, level: level, except: except}
	p.raised = p.each(unix.SCHED_NORMAL, 0, func(tid int) error {
		return unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: level}, 0)
	})
	return p
}

// Holds says whether the process is raised.
func (p *Raised) Holds() bool { return p.raised }

// Release puts every thread that is at its level back to where it was.
func (p *Raised) Release() {
	if p.own == nil {
		return
	}
	p.each(policy, p.level, func(tid int) error { return lower(tid, *p.own) })
}

// Spare puts the calling thread, and so the processes that it starts, back
// among those without real-time priority, at the nice value that it has had all
// along. It makes no difference who gave the priority: one that
// the user chose for the whole process goes too. A thread without it stays as
// it is. The caller has locked its goroutine to the thread and never unlocks
// it, so that no other goroutine runs there; and a Raise that comes later needs
// to be told of the thread.
func Spare() error {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != policy && attr.Policy != unix.SCHED_FIFO {
		return nil // not raised, or not by Raise, which reads the same
	}
	weight, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return fmt.Errorf("spare a thread: read its nice value: %w", err)
	}
	nice := int32(20 - weight) // the system call tells 40 to 1 for -20 to 19
	if err := lower(0, unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: nice}); err != nil {
		return fmt.Errorf("spare a thread: %w", err)
	}
	return nil
}

// lower gives a thread a policy without real-time priority.
func lower(tid int, attr unix.SchedAttr) error {
	if unix.SchedSetAttr(tid, &attr, 0) == nil {
		return nil
	}
	// Without privileges a thread may step down but not have its children
	// inherit again what they would inherit anyway.
	attr.Flags |= unix.SCHED_FLAG_RESET_ON_FORK
	return unix.SchedSetAttr(tid, &attr, 0)
}

// each calls do for every thread of the process with the scheduling policy and
// the real-time level, those included that come up meanwhile, until there is
// none. It is false if that cannot be done.
func (p *Raised) each(from, level uint32, do func(tid int) error) bool {
	for again := true; again; {
		again = false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return false
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				return false
			}
			if slices.Contains(p.except, tid) {
				continue
			}
			attr, err := unix.SchedGetAttr(tid, 0)
			if err != nil || attr.Policy != from || attr.Priority != level {
				continue // gone, or done
			}
			switch do(tid) {
			case nil:
				again = true
			case unix.ESRCH: // gone
			default:
				return false
			}
		}
	}
	return true
}
