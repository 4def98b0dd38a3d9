package drive

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is how much garbage may pile up between two collections of a run.
const headroom = 32 << 20

// calmCollector makes collections rare while the run goes on, and returns what
// undoes it. vegeta leaves about 2.5 KB of garbage a request, which over a heap
// of a few megabytes is five collections a second at 10,000/s; each takes a
// core away for a millisecond. A GOGC of the user's own, and a heap so large
// that collections are rare already, stay as they are.
func calmCollector() (restore func()) {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(live)
	heap, percent := live[0].Value.Uint64(), live[1].Value.Uint64()
	calm := calmPercent(heap)
	if percent != 100 || calm <= 100 {
		return func() {}
	}
	before := debug.SetGCPercent(calm)
	return func() { debug.SetGCPercent(before) }
}

// calmPercent is the growth, in percent of a live heap, that makes headroom.
func calmPercent(live uint64) int {
	return int(min(headroom*100/max(live, 1), math.MaxInt32))
}
