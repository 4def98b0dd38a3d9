package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHierarchies(t *testing.T) {
	for _, tt := range []struct {
		name, mountinfo, self string
		want                  []Hierarchy
	}{
		{
			name: "version 2",
			mountinfo: `24 31 0:22 / /sys rw,nosuid - sysfs sysfs rw
29 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
`,
			self: "0::/user.slice/user-1000.slice/session-3.scope\n",
			want: []Hierarchy{{Version: 2, Mount: "/sys/fs/cgroup", Position: "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope"}},
		},
		{
			name: "hybrid with nested memory",
			mountinfo: `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
34 31 0:31 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`,
			self: "9:name=systemd:/\n6:freezer:/\n4:memory:/jobs/17\n2:cpuacct:/\n1:cpu:/\n0::/\n",
			want: []Hierarchy{
				{Version: 1, Controllers: []Controller{CPU}, Mount: "/sys/fs/cgroup/cpu", Position: "/sys/fs/cgroup/cpu"},
				{Version: 1, Controllers: []Controller{Freezer}, Mount: "/sys/fs/cgroup/freezer", Position: "/sys/fs/cgroup/freezer"},
				{Version: 1, Controllers: []Controller{Memory}, Mount: "/sys/fs/cgroup/memory", Position: "/sys/fs/cgroup/memory/jobs/17"},
				{Version: 2, Mount: "/sys/fs/cgroup/unified", Position: "/sys/fs/cgroup/unified"},
			},
		},
		{
			name: "controllers mounted together, in a container that sees its own part",
			mountinfo: `40 31 0:33 /docker/0a1b /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct
41 31 0:34 /docker/0a1b /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory
`,
			self: "11:memory:/docker/0a1b/inner\n4:cpu,cpuacct:/docker/0a1b\n",
			want: []Hierarchy{
				{Version: 1, Controllers: []Controller{CPU}, Mount: "/sys/fs/cgroup/cpu,cpuacct", Position: "/sys/fs/cgroup/cpu,cpuacct"},
				{Version: 1, Controllers: []Controller{Memory}, Mount: "/sys/fs/cgroup/memory", Position: "/sys/fs/cgroup/memory/inner"},
			},
		},
		{
			name:      "a place outside of what the mount shows",
			mountinfo: "41 31 0:34 /docker/0a1b /cg\\040root/memory ro - cgroup cgroup rw,memory\n",
			self:      "11:memory:/docker/0a1bcd\n",
			want:      []Hierarchy{{Version: 1, Controllers: []Controller{Memory}, Mount: "/cg root/memory", Position: "/cg root/memory"}},
		},
		{name: "none", mountinfo: "24 31 0:22 / /sys rw - sysfs sysfs rw\n\n", self: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Hierarchies(tt.mountinfo, tt.self)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("hierarchies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHierarchiesRefusesNonsense(t *testing.T) {
	if _, err := Hierarchies("", "not a membership\n"); err == nil {
		t.Error("got no error")
	}
}
