package hist

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// The geometry of every histogram here, as the footer of .hgrm tells it.
const (
	buckets    = 32
	subBuckets = 2048
)

// ticksPerHalf is Java's default resolution of a percentile distribution.
const ticksPerHalf = 5

// WriteHGRM writes the percentile distribution in milliseconds, in the text
// format of Java's AbstractHistogram.outputPercentileDistribution, which
// HdrHistogram's plotting tools read. Its figures, maximum and mean included,
// are the three-digit ones that Java computes from the same counts.
func (h *Histogram) WriteHGRM(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	for _, step := range h.hdr.CumulativeDistributionWithTicks(ticksPerHalf) {
		level := step.Quantile / 100
		fmt.Fprintf(b, "%12s %s %10d", millis(float64(step.ValueAt)), halfUp(level, 12), step.Count)
		if level < 1 {
			fmt.Fprintf(b, " %14s", halfUp(1/(1-level), 2))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "#[Mean    = %12s, StdDeviation   = %12s]\n", millis(h.hdr.Mean()), millis(h.hdr.StdDev()))
	fmt.Fprintf(b, "#[Max     = %12s, Total count    = %12d]\n", millis(float64(h.hdr.Max())), h.n)
	fmt.Fprintf(b, "#[Buckets = %12d, SubBuckets     = %12d]\n", buckets, subBuckets)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write percentile distribution: %w", err)
	}
	return nil
}

func millis(nanoseconds float64) string {
	return halfUp(nanoseconds/float64(time.Millisecond), digits)
}

// halfUp rounds the way Java's Formatter does: the shortest decimal that reads
// back as v, with a tie going up. Go rounds the binary value, so that a tie
// may go either way.
func halfUp(v float64, places int) string {
	shortest := strconv.FormatFloat(v, 'f', -1, 64)
	point := strings.IndexByte(shortest, '.')
	if tie := point + places + 1; point >= 0 && tie == len(shortest)-1 && shortest[tie] == '5' {
		v = math.Nextafter(v, math.Inf(1))
	}
	return strconv.FormatFloat(v, 'f', places, 64)
}
