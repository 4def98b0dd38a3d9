package drive

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// nices is how many threads of the process have which nice value.
func nices(t *testing.T) map[int]int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]int{}
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		if n, err := niceness(tid); err == nil {
			got[n]++
		}
	}
	return got
}

func TestPriorityIsRaisedForTheRunOnly(t *testing.T) {
	need.Root(t)
	before, err := niceness(0)
	if err != nil {
		t.Fatal(err)
	}
	during := make(chan map[int]int, 1)
	p := planOf(every(0, 1), invoke(func(context.Context, platform.Request) (platform.Response, error) {
		time.Sleep(10 * time.Millisecond)
		during <- nices(t)
		return platform.Response{}, nil
	}))
	out, err := Run(t.Context(), p, &memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := <-during; !out.Raised || len(got) != 1 || got[raised] == 0 {
		t.Errorf("raised %v, threads by nice value during the run: %v, want all at %d", out.Raised, got, raised)
	}
	if got := nices(t); len(got) != 1 || got[before] == 0 {
		t.Errorf("threads by nice value after the run: %v, want all at %d", got, before)
	}
}
