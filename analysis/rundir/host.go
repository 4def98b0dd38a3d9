package rundir

import (
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// HostFacts describes this machine. Off Linux it tells what Go's runtime knows.
func HostFacts() Host { return hostFacts(os.DirFS("/")) }

func hostFacts(root fs.FS) Host {
	cpu := read(root, "proc/cpuinfo")
	memory, _, _ := strings.Cut(field(read(root, "proc/meminfo"), "MemTotal"), " ")
	return Host{
		OS:          runtime.GOOS,
		Arch:        runtime.GOARCH,
		Kernel:      strings.TrimSpace(read(root, "proc/sys/kernel/osrelease")),
		CPU:         field(cpu, "model name"),
		Cores:       runtime.NumCPU(),
		MemoryBytes: number(memory) << 10,
		Governor:    strings.TrimSpace(read(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
		Go:          runtime.Version(),
		GOMAXPROCS:  runtime.GOMAXPROCS(0),
		Container:   limits(root),
		Virtual:     hypervisor(root, field(cpu, "flags")),
	}
}

// hypervisor names the virtual machine's maker where the CPU says that it is
// in one.
func hypervisor(root fs.FS, flags string) string {
	if !strings.Contains(" "+flags+" ", " hypervisor ") {
		return ""
	}
	for _, name := range []string{"sys/hypervisor/type", "sys/class/dmi/id/sys_vendor"} {
		if s := strings.TrimSpace(read(root, name)); s != "" {
			return s
		}
	}
	return "unnamed"
}

// field is the value of the first "key : value" line of text.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		k, v, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// Load is the machine's load average of the last minute; 0 where it is not told.
func Load() float64 { return load(os.DirFS("/")) }

func load(root fs.FS) float64 {
	first, _, _ := strings.Cut(read(root, "proc/loadavg"), " ")
	v, _ := strconv.ParseFloat(first, 64) // 0 where it is no number
	return v
}
