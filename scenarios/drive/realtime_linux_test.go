package drive

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// policies is how many threads of a process have which scheduling policy.
func policies(t *testing.T, pid string) map[uint32]int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/" + pid + "/task")
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]int{}
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		if attr, err := unix.SchedGetAttr(tid, 0); err == nil {
			got[attr.Policy]++
		}
	}
	return got
}

func TestPriorityIsRaisedForTheRunOnly(t *testing.T) {
	need.Root(t)
	own, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var during map[uint32]int
	p := planOf(every(0, 1), invoke(func(context.Context, platform.Request) (platform.Response, error) {
		time.Sleep(10 * time.Millisecond)
		during = policies(t, "self")
		return platform.Response{}, nil
	}))
	out, err := Run(t.Context(), p, &memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !out.Generator.Realtime || during[unix.SCHED_RR] < 2 {
		t.Errorf("raised %v, threads by policy during the run: %v, want most at %d", out.Generator.Realtime, during, unix.SCHED_RR)
	}
	if after := policies(t, "self"); len(after) != 1 || after[unix.SCHED_NORMAL] == 0 {
		t.Errorf("threads by policy after the run: %v, want all at %d", after, unix.SCHED_NORMAL)
	}
	now, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(own, now); diff != "" {
		t.Errorf("attributes before and after the run (-before +after):\n%s", diff)
	}
}
