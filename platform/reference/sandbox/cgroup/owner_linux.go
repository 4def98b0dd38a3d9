package cgroup

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// prefix begins the name of every manager's folder.
const prefix = "coldcurve-"

// owner is a process that has a manager. Process ids mean something only in
// their namespace and only until they are used again, so it has all three.
type owner struct {
	namespace uint64 // inode of the pid namespace
	pid       int
	started   uint64 // in clock ticks since boot
}

// self is the owner that this process is.
func self() (owner, error) {
	var ns unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &ns); err != nil {
		return owner{}, fmt.Errorf("read pid namespace: %w", err)
	}
	pid := os.Getpid()
	started, err := startTime(pid)
	if err != nil {
		return owner{}, err
	}
	return owner{namespace: ns.Ino, pid: pid, started: started}, nil
}

// name is the owner's folder name; nonce tells its managers apart.
func (o owner) name(nonce uint64) string {
	return fmt.Sprintf("%s%d-%d-%d-%d", prefix, o.namespace, o.pid, o.started, nonce)
}

// ownerOf reads a folder's name.
func ownerOf(name string) (owner, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	parts := strings.Split(rest, "-")
	if !ok || len(parts) != 4 {
		return owner{}, false
	}
	namespace, err1 := strconv.ParseUint(parts[0], 10, 64)
	pid, err2 := strconv.Atoi(parts[1])
	started, err3 := strconv.ParseUint(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return owner{}, false
	}
	return owner{namespace, pid, started}, true
}

// gone tells whether the owner lives no more. One of another namespace cannot
// be seen and counts as alive.
func (o owner) gone(namespace uint64) bool {
	if o.namespace != namespace {
		return false
	}
	started, err := startTime(o.pid)
	if err != nil {
		return os.IsNotExist(err)
	}
	return started != o.started
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
