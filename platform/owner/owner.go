// Package owner owns the name of the process that something outlives, should
// that process be killed: a control group's folder, a container's label, a
// function's description.
//
// In: this process. Out: a name, and later, in another process, whether the
// named one has gone. It removes nothing.
package owner

import (
	"fmt"
	"strconv"
	"strings"
)

// Owner is a process. Process ids mean something only in their namespace and
// only until they are used again, so it has all three. One of another
// namespace cannot be seen and counts as alive.
type Owner struct {
	namespace uint64 // inode of the pid namespace
	pid       int
	started   uint64 // in clock ticks since boot
}

// String is the owner's name: three numbers, joined by dashes.
func (o Owner) String() string { return fmt.Sprintf("%d-%d-%d", o.namespace, o.pid, o.started) }

// Sees tells the owner that this process is whether it could see the other: it
// is of the same namespace.
func (o Owner) Sees(other Owner) bool { return o.namespace == other.namespace }

// Parse reads an owner's name.
func Parse(name string) (Owner, bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 3 {
		return Owner{}, false
	}
	namespace, err1 := strconv.ParseUint(parts[0], 10, 64)
	pid, err2 := strconv.Atoi(parts[1])
	started, err3 := strconv.ParseUint(parts[2], 10, 64)
	return Owner{namespace, pid, started}, err1 == nil && err2 == nil && err3 == nil
}
