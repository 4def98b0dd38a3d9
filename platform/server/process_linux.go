package server

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/priority"
)

// processors is how many this process may use.
func processors() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return runtime.NumCPU()
	}
	return set.Count()
}

// startTied starts a command tied to the last n processors that this process
// may use. A child inherits what its thread has, so a thread is made for it.
func startTied(cmd *exec.Cmd, n int) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's Ctrl-C is not for it
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := priority.Spare()
		if err == nil {
			err = tie(n)
		}
		if err == nil {
			err = cmd.Start()
		}
		done <- err
	}()
	return <-done
}

func tie(n int) error {
	var may, to unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return fmt.Errorf("read affinity: %w", err)
	}
	for cpu := len(may)*64 - 1; cpu >= 0 && to.Count() < n; cpu-- {
		if may.IsSet(cpu) {
			to.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &to); err != nil {
		return fmt.Errorf("set affinity: %w", err)
	}
	return nil
}

// read is what the server's processes, and theirs, have used so far; false
// where that cannot be told, as when one is gone.
func (s *server) read() (platform.Reading, bool) {
	if s.gone.Load() != 0 {
		return platform.Reading{}, false
	}
	r := platform.Reading{Function: s.function}
	for _, p := range s.processes {
		if !addTree(p.cmd.Process.Pid, &r) {
			return platform.Reading{}, false
		}
	}
	r.At = s.clock.Now()
	if busy, ok := busy(s.processes[0].cmd.Process.Pid); ok {
		r.Others = busy - r.CPU
	} else {
		r.Others = r.Waited // for whoever it was
	}
	return r, true
}

// busy is how much time of the processors that a process may use has been used
// since the machine started, by anybody: the lines "cpuN user nice system idle
// iowait irq softirq steal" of /proc/stat without idle and iowait.
func busy(pid int) (total time.Duration, ok bool) {
	var tied unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &tied); err != nil {
		return 0, false
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		cpu, err := strconv.Atoi(strings.TrimPrefix(fields[0], "cpu"))
		if err != nil || !strings.HasPrefix(line, "cpu") || !tied.IsSet(cpu) || len(fields) < 9 {
			continue
		}
		found++
		for _, i := range []int{1, 2, 3, 6, 7, 8} {
			ticks, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				return 0, false
			}
			total += time.Duration(ticks) * tick
		}
	}
	return total, found == tied.Count()
}

// tick is the unit of CPU times in /proc: USER_HZ is 100 on all architectures
// that Go runs on.
const tick = 10 * time.Millisecond

// waited is the second field of each thread's schedstat; 0 in a kernel that
// does not count it.
func waited(folder string) (total time.Duration) {
	threads, err := os.ReadDir(folder + "/task")
	if err != nil {
		return 0
	}
	for _, thread := range threads {
		text, err := os.ReadFile(folder + "/task/" + thread.Name() + "/schedstat")
		if err != nil {
			continue // it has ended
		}
		if fields := strings.Fields(string(text)); len(fields) >= 2 {
			ns, _ := strconv.ParseInt(fields[1], 10, 64)
			total += time.Duration(ns)
		}
	}
	return total
}

// addTree adds a process and what has come of it. The fields of
// /proc/pid/stat are counted behind the last parenthesis, for a name may hold
// anything: utime, stime, cutime and cstime are the 12th to the 15th there.
func addTree(pid int, r *platform.Reading) bool {
	folder := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return false
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 22 || fields[0] == "Z" {
		return false
	}
	for _, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return false
		}
		r.CPU += time.Duration(ticks) * tick
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return false
	}
	r.Memory += pages * int64(os.Getpagesize())
	r.Processes++
	r.Waited += waited(folder)
	children, err := os.ReadFile(folder + "/task/" + strconv.Itoa(pid) + "/children")
	if err != nil {
		return true // a kernel without that list
	}
	for child := range strings.FieldsSeq(string(children)) {
		if id, err := strconv.Atoi(child); err == nil {
			addTree(id, r)
		}
	}
	return true
}
