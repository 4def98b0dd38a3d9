package rundir

import (
	"math"
	"runtime"
	"runtime/metrics"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

func machine(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func TestHostFacts(t *testing.T) {
	root := machine(map[string]string{
		"proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC 7763\nflags\t\t: fpu hypervisor lahf_lm\n\n" +
			"processor\t: 1\nmodel name\t: AMD EPYC 7763\n",
		"proc/meminfo":                                         "MemTotal:       16384000 kB\nMemFree:        1 kB\n",
		"proc/sys/kernel/osrelease":                            "6.12.0-test\n",
		"sys/class/dmi/id/sys_vendor":                          "QEMU\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
	})
	want := Host{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Kernel: "6.12.0-test", CPU: "AMD EPYC 7763", Cores: runtime.NumCPU(),
		MemoryBytes: 16384000 << 10, Governor: "performance", Go: runtime.Version(), GOMAXPROCS: runtime.GOMAXPROCS(0), Virtual: "QEMU",
	}
	if diff := cmp.Diff(want, hostFacts(root)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	bare := Host{OS: want.OS, Arch: want.Arch, Cores: want.Cores, Go: want.Go, GOMAXPROCS: want.GOMAXPROCS}
	if diff := cmp.Diff(bare, hostFacts(machine(nil))); diff != "" {
		t.Errorf("on a machine that tells nothing: -want +got\n%s", diff)
	}
}

func TestHostFactsOfThisMachine(t *testing.T) {
	need.Linux(t)
	if h := HostFacts(); h.Kernel == "" || h.MemoryBytes == 0 || h.Cores == 0 {
		t.Errorf("this machine tells %+v", h)
	}
}

const (
	v1Mounts = "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
		"32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	v2Mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
)

func TestOwnCgroup(t *testing.T) {
	for name, c := range map[string]struct {
		files      map[string]string
		limits     string
		throttled  time.Duration
		throttledN uint64
	}{
		"none": {},
		"version 2, the tightest of the groups around": {
			files: map[string]string{
				"proc/self/cgroup":                           "0::/work/run.scope\n",
				"proc/self/mountinfo":                        v2Mount,
				"sys/fs/cgroup/work/run.scope/cpu.max":       "max 100000\n",
				"sys/fs/cgroup/work/cpu.max":                 "150000 100000\n",
				"sys/fs/cgroup/work/run.scope/memory.max":    "536870912\n",
				"sys/fs/cgroup/work/memory.max":              "max\n",
				"sys/fs/cgroup/work/cpu.stat":                "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 1500\n",
				"sys/fs/cgroup/work/run.scope/cpu.stat":      "usage_usec 5\nnr_throttled 0\nthrottled_usec 0\n",
				"sys/fs/cgroup/elsewhere/cpu.max":            "1 100000\n",
				"sys/fs/cgroup/elsewhere/run.scope/cpu.stat": "nr_throttled 99\n",
			},
			limits: "cpu 1.5, memory 512 MB", throttled: 1500 * time.Microsecond, throttledN: 3,
		},
		"version 2 without limits": {
			files: map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount, "sys/fs/cgroup/cpu.stat": "usage_usec 5\n"},
		},
		"version 1": {
			files: map[string]string{
				"proc/self/cgroup":    "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
				"proc/self/mountinfo": v1Mounts,
				"sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us":       "200000\n",
				"sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us":      "100000\n",
				"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":                  "-1\n",
				"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":                 "100000\n",
				"sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.stat":               "nr_periods 1\nnr_throttled 7\nthrottled_time 2000000\n",
				"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes":       "9223372036854771712\n",
				"sys/fs/cgroup/memory/docker/abc/memory.kmem.limit_in_bytes":  "1\n",
				"sys/fs/cgroup/memory/docker/memory.limit_in_bytes":           "1073741824\n",
				"sys/fs/cgroup/memory/docker/abc/child/memory.limit_in_bytes": "1\n",
			},
			limits: "cpu 2, memory 1 GB", throttled: 2 * time.Millisecond, throttledN: 7,
		},
		"hybrid: the controllers are in version 1": {
			files: map[string]string{
				"proc/self/cgroup": "3:cpu,cpuacct:/a\n0::/b\n",
				"proc/self/mountinfo": v1Mounts +
					"33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
				"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us":  "50000",
				"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000",
				"sys/fs/cgroup/unified/b/cpu.max":               "1 100000",
			},
			limits: "cpu 0.5",
		},
		"a container whose mount begins at its own group": {
			files: map[string]string{
				"proc/self/cgroup":                        "3:cpu,cpuacct:/docker/abc/sub\n",
				"proc/self/mountinfo":                     "31 23 0:27 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
				"sys/fs/cgroup/cpu/sub/cpu.cfs_quota_us":  "100000",
				"sys/fs/cgroup/cpu/sub/cpu.cfs_period_us": "100000",
			},
			limits: "cpu 1",
		},
		"a path outside of what is mounted": {
			files: map[string]string{
				"proc/self/cgroup":      "0::/../other\n",
				"proc/self/mountinfo":   v2Mount,
				"sys/fs/cgroup/cpu.max": "100000 100000",
			},
			limits: "cpu 1",
		},
		"nonsense": {
			files: map[string]string{"proc/self/cgroup": "x\n::\n", "proc/self/mountinfo": "a b - c\n - \n", "proc/stat": "cpu 1\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := machine(c.files)
			if got := limits(root); got != c.limits {
				t.Errorf("limits are %q, want %q", got, c.limits)
			}
			n, d := ownCgroup(root, "cpu").throttled(root)
			if n != c.throttledN || d != c.throttled {
				t.Errorf("throttled %d times for %v, want %d for %v", n, d, c.throttledN, c.throttled)
			}
		})
	}
}

func TestVitalsSince(t *testing.T) {
	at := func(steal, throttled string) Vitals {
		return readVitals(machine(map[string]string{
			"proc/stat":              "cpu  100 0 50 900 3 0 1 " + steal + " 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n",
			"proc/self/cgroup":       "0::/\n",
			"proc/self/mountinfo":    v2Mount,
			"sys/fs/cgroup/cpu.stat": "nr_throttled " + throttled + "\nthrottled_usec " + throttled + "00\n",
		}))
	}
	before := at("7", "2")
	runtime.GC()
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); { // uses CPU
	}
	g := at("12", "5").Since(before)
	if g.Steal != 50*time.Millisecond || g.ThrottledN != 3 || g.Throttled != 300*time.Microsecond {
		t.Errorf("stolen %v, throttled %d times for %v; want 50 ms, 3 and 300 µs", g.Steal, g.ThrottledN, g.Throttled)
	}
	if g.GCPauses == 0 || g.GCPauseMax <= 0 {
		t.Errorf("a collection left %d pauses, the longest %v", g.GCPauses, g.GCPauseMax)
	}
	if runtime.GOOS == "linux" && g.CPU <= 0 {
		t.Errorf("the process used %v of CPU time", g.CPU)
	}
	if same := before.Since(before); same != (Generator{}) {
		t.Errorf("nothing happened, and %+v is told", same)
	}
}

func TestPausesSince(t *testing.T) {
	buckets := []float64{math.Inf(-1), 1e-6, 1e-3, math.Inf(1)}
	h := func(counts ...uint64) *metrics.Float64Histogram {
		return &metrics.Float64Histogram{Counts: counts, Buckets: buckets}
	}
	for _, c := range []struct {
		now, earlier *metrics.Float64Histogram
		n            uint64
		longest      time.Duration
	}{
		{h(3, 2, 0), h(1, 2, 0), 2, time.Microsecond},
		{h(3, 2, 0), h(3, 1, 0), 1, time.Millisecond},
		{h(0, 0, 1), h(0, 0, 0), 1, time.Millisecond},
		{h(1, 1, 1), h(1, 1, 1), 0, 0},
		{nil, nil, 0, 0},
	} {
		if n, longest := pausesSince(c.now, c.earlier); n != c.n || longest != c.longest {
			t.Errorf("%v since %v: %d pauses, longest %v; want %d, %v", c.now, c.earlier, n, longest, c.n, c.longest)
		}
	}
}

func TestCPUShare(t *testing.T) {
	for _, tt := range []struct {
		g     Generator
		cores int
		want  float64
	}{
		{Generator{CPU: 3 * time.Second, Span: 10 * time.Second}, 1, .3},
		{Generator{CPU: 3 * time.Second, Span: 10 * time.Second}, 4, .075},
		{Generator{CPU: 11 * time.Second, Span: 10 * time.Second}, 1, 1}, // the clocks of CPU and span tick apart
		{Generator{CPU: 3 * time.Second}, 2, 0},
		{Generator{CPU: 3 * time.Second, Span: 10 * time.Second}, 0, 0},
	} {
		if got := tt.g.CPUShare(tt.cores); got != tt.want {
			t.Errorf("%v of %v on %d cores: %v, want %v", tt.g.CPU, tt.g.Span, tt.cores, got, tt.want)
		}
	}
}
