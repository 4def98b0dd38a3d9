// Package histtest owns the readers that tests hold the written files against:
// Java's HdrHistogram, the reference implementation of the formats, and the
// Go library's own.
//
// In: a .hlog and a tag. Out: what the reader finds in it. Java's needs a JRE
// and the jar of Debian's libhdrhistogram-java, and ends the test where they
// are missing; nothing is checked here, and only tests import it.
package histtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// Percentiles is the percentile distribution, in milliseconds, that Java's
// HistogramLogProcessor prints for all intervals of log with that tag; "" is
// the intervals without one. It begins with the line of column heads.
func Percentiles(t testing.TB, log, tag string) string {
	t.Helper()
	args := []string{"-i", log}
	if tag != "" {
		args = append(args, "-tag", tag)
	}
	out := run(t, args)
	head := strings.Index(out, "       Value ")
	if head < 0 {
		t.Fatalf("HistogramLogProcessor %v printed no distribution:\n%s", args, out)
	}
	return out[head:]
}

// Tags are the tags that Java finds in log, one a line.
func Tags(t testing.TB, log string) string {
	t.Helper()
	return run(t, []string{"-i", log, "-listtags"})
}

func run(t testing.TB, args []string) string {
	t.Helper()
	java := need.Program(t, "java")
	const jar = "/usr/share/java/hdrhistogram.jar" // where Debian puts it
	if _, err := os.Stat(jar); err != nil {
		need.Missing(t, jar+" (package libhdrhistogram-java)")
	}
	cmd := exec.CommandContext(t.Context(), java, append([]string{"-cp", jar, "org.HdrHistogram.HistogramLogProcessor"}, args...)...)
	var faults strings.Builder
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil || faults.Len() > 0 {
		t.Fatalf("HistogramLogProcessor %v: %v\n%s", args, err, &faults)
	}
	return string(out)
}
