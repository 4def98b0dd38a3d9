package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/session"
	"golang.org/x/sys/unix"
)

// patience bounds the wait for the end of a process after SIGKILL, when
// only the kernel's own work is left. That is not little for a crowd: all
// groups together have the share of one other task of the machine, and 10 s
// were too short for one of 1,000 beside 20 compilers on two cores.
const patience = 30 * time.Second

// attempt is one process and its berth. An instance has one, or a second
// where its init had to be begun anew.
type attempt struct {
	*berth
	wards     *wards   // nil where a control group holds what the process starts, and its parent is this process
	lifeline  *os.File // ends the process when it is closed; nil where its launcher's end does
	pid       int
	exited    chan struct{} // closed when the process has ended and been reaped
	status    syscall.WaitStatus
	condemned atomic.Bool // we kill it

	reaping sync.Mutex // between signals to the process and the end of its id
	reaped  bool

	away sync.Once
	left error // of putting it away

	account sync.Mutex // between uses of the group and its end: it may be another's then
	over    bool
	peak    int64
}

// newAttempt watches over a started process.
func newAttempt(o *order, w *wards) *attempt {
	a := &attempt{berth: o.berth, wards: w, lifeline: o.lifeline, pid: o.pid, exited: make(chan struct{})}
	go func() {
		if o.born != nil {
			o.born()
		}
		a.wait(o.pidfd)
	}()
	return a
}

// wait reaps the process. With a pidfd (Linux 5.3) that costs no thread.
func (a *attempt) wait(pidfd int) {
	defer close(a.exited)
	if pidfd >= 0 {
		a.awaitPidfd(pidfd)
	} else {
		_ = unix.Waitid(unix.P_PID, a.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	}
	a.reaping.Lock()
	defer a.reaping.Unlock()
	// While the dead leader is not reaped its id cannot be used again, so this
	// hits its process group and nothing else.
	_ = unix.Kill(-a.pid, unix.SIGKILL)
	var usage unix.Rusage
	if a.wards != nil {
		a.wards.bury(a.pid, func() { usage = a.reap() })
	} else {
		usage = a.reap()
	}
	a.account.Lock()
	if a.group == nil {
		a.peak = max(a.peak, usage.Maxrss<<10)
	}
	a.account.Unlock()
}

// reap ends the process's id. Called with reaping held, once it is dead.
func (a *attempt) reap() (usage unix.Rusage) {
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(a.pid, &status, 0, &usage); err != unix.EINTR {
			break
		}
	}
	a.status = syscall.WaitStatus(status)
	a.reaped = true
	return usage
}

func (a *attempt) awaitPidfd(pidfd int) {
	if err := unix.SetNonblock(pidfd, true); err == nil {
		f := os.NewFile(uintptr(pidfd), "pidfd")
		defer f.Close()
		if raw, err := f.SyscallConn(); err == nil {
			// The poller wakes us for the end, which this tells without reaping.
			err = raw.Read(func(fd uintptr) bool {
				var end unix.Siginfo
				err := unix.Waitid(unix.P_PIDFD, int(fd), &end, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
				return end.Signo != 0 || err != nil && err != unix.EINTR && err != unix.EAGAIN
			})
			if err == nil {
				return
			}
		}
	}
	_ = unix.Waitid(unix.P_PID, a.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
}

// signal sends to the process group, unless the process is gone.
func (a *attempt) signal(s syscall.Signal) {
	a.reaping.Lock()
	defer a.reaping.Unlock()
	if !a.reaped {
		_ = unix.Kill(-a.pid, s)
	}
}

// family is what the process has started, as far as its line is unbroken.
func (a *attempt) family() map[kin]bool {
	a.reaping.Lock()
	defer a.reaping.Unlock()
	family := map[kin]bool{}
	if !a.reaped {
		addFamily(a.pid, family)
	}
	return family
}

// API implements session.Attempt.
func (a *attempt) API() *runtimeapi.Server { return a.api }

// Exited implements session.Attempt.
func (a *attempt) Exited() <-chan struct{} { return a.exited }

// TakeLog implements session.Attempt.
func (a *attempt) TakeLog() []byte { return a.log.take() }

// SeedLog implements session.Attempt.
func (a *attempt) SeedLog(earlier []byte) { a.log.seed(earlier) }

// Terminate implements session.Attempt.
func (a *attempt) Terminate() error {
	a.condemned.Store(true)
	err := a.thaw() // it could not hear otherwise
	a.signal(syscall.SIGTERM)
	return err
}

// Ending implements session.Attempt.
func (a *attempt) Ending() (end session.Ending) {
	switch {
	case a.status.Signaled():
		end.How = "signal: " + a.status.Signal().String()
	case a.status.ExitStatus() != 0:
		end.How = "exit status " + strconv.Itoa(a.status.ExitStatus())
	}
	if a.condemned.Load() {
		end.Cause = errors.New("the instance was stopped")
	} else if a.status.Signaled() && a.status.Signal() == syscall.SIGKILL {
		end.OutOfMemory = a.outOfMemory()
	}
	return end
}

func (a *attempt) outOfMemory() bool {
	a.account.Lock()
	defer a.account.Unlock()
	if a.group == nil || a.over {
		return false
	}
	kills, err := a.group.OutOfMemoryKills()
	return err == nil && kills > 0
}

// limit sets the CPU share that the instance has from now on.
func (a *attempt) limit(s *Sandbox, memory units.Bytes) error {
	a.account.Lock()
	defer a.account.Unlock()
	if a.group == nil || a.over {
		return nil
	}
	return s.limitCPU(a.group, memory)
}

// putAway ends the process and everything of it; id is the instance's. It does
// so once: what is left of the berth may be another's after that.
func (a *attempt) putAway(id string) error {
	a.away.Do(func() { a.left = a.end(id) })
	return a.left
}

func (a *attempt) end(id string) error {
	a.condemned.Store(true)
	var errs []error
	var family map[kin]bool
	if a.group != nil {
		// A throttled process would get to its end only in its next period.
		errs = append(errs, a.group.FreeCPU())
	}
	if a.wards != nil {
		family = a.family()
	}
	a.signal(syscall.SIGKILL)
	if a.freezes() {
		errs = append(errs, a.group.Thaw()) // what is frozen in version 1 does not die
	}
	select {
	case <-a.exited:
	case <-time.After(patience):
		errs = append(errs, a.stuck())
	}
	if a.cell != nil {
		errs = append(errs, a.cell.Raze())
	}
	if a.group != nil {
		ours := 0
		if a.thread != nil {
			ours = 1
		}
		errs = append(errs, a.group.Kill(ours))
	}
	if a.wards != nil {
		errs = append(errs, a.wards.endOf(id, family))
	}
	if a.lifeline != nil {
		_ = a.lifeline.Close()
	}
	a.account.Lock()
	if a.group != nil {
		a.peak = max(a.peak, a.group.PeakMemory())
	}
	a.over = true
	a.account.Unlock()
	err := errors.Join(errs...)
	return errors.Join(err, a.vacate(err == nil))
}

// stuck is the error of a process that does not end, with what could hold it.
func (a *attempt) stuck() error {
	held := plight(a.pid)
	if a.group != nil {
		held += "; its control group: " + a.group.Standing()
	}
	return fmt.Errorf("process %d has not ended %v after SIGKILL: %s", a.pid, patience, held)
}

// MaxMemory implements session.Attempt. A group is charged neither for a
// program's pages that another has brought into memory nor, while it has
// charges in stock, at once; the process's own mark has all that was resident,
// and nothing of what it has started. The larger counts.
func (a *attempt) MaxMemory() int64 {
	resident := a.resident()
	a.account.Lock()
	defer a.account.Unlock()
	a.peak = max(a.peak, resident)
	if a.group != nil && !a.over {
		a.peak = max(a.peak, a.group.PeakMemory())
	}
	return a.peak
}

// resident is the process's own peak; 0 once it has gone.
func (a *attempt) resident() int64 {
	a.reaping.Lock()
	defer a.reaping.Unlock()
	if a.reaped {
		return 0
	}
	return residentPeak(a.pid)
}

// residentPeak reads the process's high-water mark; 0 if it is gone. With
// os.ReadFile it took a sixteenth of what this process spends on a start, and
// made a third of its garbage.
func residentPeak(pid int) int64 {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	var status [4 << 10]byte // one read is one look at the process
	n, err := unix.Read(fd, status[:])
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status[:n], []byte("\nVmHWM:"))
	number, _, _ := bytes.Cut(bytes.TrimLeft(rest, " \t"), []byte(" kB\n"))
	kib, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
