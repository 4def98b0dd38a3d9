package owner

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Self is the owner that this process is.
func Self() (Owner, error) {
	var ns unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &ns); err != nil {
		return Owner{}, fmt.Errorf("read pid namespace: %w", err)
	}
	pid := os.Getpid()
	started, err := startTime(pid)
	if err != nil {
		return Owner{}, err
	}
	return Owner{namespace: ns.Ino, pid: pid, started: started}, nil
}

// Gone tells the owner that this process is whether another lives no more.
func (o Owner) Gone(other Owner) bool {
	if !o.Sees(other) {
		return false
	}
	started, err := startTime(other.pid)
	if err != nil {
		return os.IsNotExist(err)
	}
	return started != other.started
}

// startTime is field 22 of /proc/pid/stat. The second field may hold anything,
// parentheses and spaces too, so counting begins behind its last one.
func startTime(pid int) (uint64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return 0, fmt.Errorf("read start time of process %d: %d fields behind its name, want 20 or more", pid, len(fields))
	}
	return strconv.ParseUint(fields[19], 10, 64)
}
