//go:build unix

package drive

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the user and system time of this process.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic("getrusage: " + err.Error()) // every Unix has it
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
