package rundir

import (
	"io/fs"
	"math"
	"os"
	"runtime/metrics"
	"strings"
	"time"
)

// Vitals is a reading of what may disturb the load generator, counted from
// some moment in the past. Two readings make a [Generator], by [Vitals.Since].
type Vitals struct {
	at         time.Time
	pauses     *metrics.Float64Histogram
	cpu        time.Duration
	steal      time.Duration
	throttled  time.Duration
	throttledN uint64
}

// ReadVitals takes a reading. What the machine does not tell stays 0.
func ReadVitals() Vitals { return readVitals(os.DirFS("/")) }

func readVitals(root fs.FS) Vitals {
	v := Vitals{at: time.Now(), cpu: cpuTime(), steal: steal(read(root, "proc/stat"))}
	v.throttledN, v.throttled = ownCgroup(root, "cpu").throttled(root)
	pauses := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(pauses)
	if pauses[0].Value.Kind() == metrics.KindFloat64Histogram {
		v.pauses = pauses[0].Value.Float64Histogram()
	}
	return v
}

// Since is what happened from earlier to v. What the machine cannot tell (peaks,
// arrivals held, priority) stays 0.
func (v Vitals) Since(earlier Vitals) Generator {
	g := Generator{
		Span:       v.at.Sub(earlier.at),
		CPU:        v.cpu - earlier.cpu,
		Steal:      v.steal - earlier.steal,
		Throttled:  v.throttled - earlier.throttled,
		ThrottledN: v.throttledN - earlier.throttledN,
	}
	g.GCPauses, g.GCPauseMax = pausesSince(v.pauses, earlier.pauses)
	return g
}

// pausesSince counts the pauses in now that were not in earlier. The longest
// is the upper edge of its bucket, the lower where that is infinite.
func pausesSince(now, earlier *metrics.Float64Histogram) (n uint64, longest time.Duration) {
	if now == nil || earlier == nil {
		return 0, 0
	}
	for i, count := range now.Counts {
		if i < len(earlier.Counts) {
			count -= earlier.Counts[i]
		}
		if count == 0 {
			continue
		}
		n += count
		edge := now.Buckets[i+1]
		if math.IsInf(edge, 1) {
			edge = now.Buckets[i]
		}
		longest = time.Duration(edge * float64(time.Second))
	}
	return n, longest
}

// steal is the time that the hypervisor took from all cores, from /proc/stat,
// whose unit is a hundredth of a second on every architecture that Go knows.
func steal(stat string) time.Duration {
	for line := range strings.Lines(stat) {
		// cpu user nice system idle iowait irq softirq steal guest guest_nice
		if f := strings.Fields(line); len(f) > 8 && f[0] == "cpu" {
			return time.Duration(number(f[8])) * 10 * time.Millisecond
		}
	}
	return 0
}

// CPUShare is the harness's part of the time of as many cores, 0 to 1; 0 where
// that is not known.
func (g Generator) CPUShare(cores int) float64 {
	if g.Span <= 0 || cores <= 0 {
		return 0
	}
	return min(float64(g.CPU)/(float64(g.Span)*float64(cores)), 1)
}
