package process

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// plight is what the kernel tells of a process that should be gone: who reads
// the error finds it no more.
func plight(pid int) string {
	folder := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(folder)
	if err != nil {
		return "it has gone since"
	}
	alike := map[string]int{}
	for _, t := range threads {
		if at, ok := whereabouts(folder + t.Name()); ok {
			alike[at]++
		}
	}
	var told []string
	for _, at := range slices.Sorted(maps.Keys(alike)) {
		told = append(told, fmt.Sprintf("%d %s", alike[at], at))
	}
	return "its threads: " + strings.Join(told, ", ")
}

// whereabouts is a thread's state, where in the kernel it waits ("0" is nowhere)
// and whether a SIGKILL has yet to reach it; not ok once it has ended.
func whereabouts(thread string) (at string, ok bool) {
	status, err := os.ReadFile(thread + "/status")
	if err != nil {
		return "", false
	}
	where, _ := os.ReadFile(thread + "/wchan") // not everywhere, and not for everybody
	pending, _ := strconv.ParseUint(statusField(status, "SigPnd"), 16, 64)
	state, _, _ := strings.Cut(statusField(status, "State"), " ")
	at = state + " in " + string(where)
	if pending&(1<<(syscall.SIGKILL-1)) != 0 {
		at += " with SIGKILL pending"
	}
	return at, true
}

// statusField is the value behind a name in /proc/PID/status.
func statusField(status []byte, name string) string {
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
