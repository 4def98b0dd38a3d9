package clock

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// TestMain doubles as the other process of TestComparableBetweenProcesses.
func TestMain(m *testing.M) {
	if os.Getenv("COLDCURVE_TEST_CLOCK") != "" {
		os.Stdout.WriteString(strconv.FormatInt(New().Now(), 10))
		return
	}
	os.Exit(m.Run())
}

func TestComparableBetweenProcesses(t *testing.T) {
	need.Linux(t) // nothing else has a monotonic clock that processes share
	c := New()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COLDCURVE_TEST_CLOCK=1")
	before := c.Now()
	out, err := cmd.Output()
	after := c.Now()
	if err != nil {
		t.Fatal(err)
	}
	there, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if there < before || there > after {
		t.Errorf("another process read %d, want between our %d and %d", there, before, after)
	}
}

func TestAtAgreesWithNow(t *testing.T) {
	c := New()
	for range 1000 {
		before := c.Now()
		at := c.At(time.Now())
		after := c.Now()
		if at < before || at > after {
			t.Fatalf("At = %d, want between Now before %d and after %d", at, before, after)
		}
	}
}

func TestTwoClocksAgree(t *testing.T) {
	a, b := New(), New()
	before := a.Now()
	read := b.Now()
	after := a.Now()
	// Each offset is off by at most half the tightest bracket; both brackets
	// together are far below a millisecond even on a busy machine.
	const slack = int64(time.Millisecond)
	if read < before-slack || read > after+slack {
		t.Errorf("two clocks of one process disagree: %d is not near [%d, %d]", read, before, after)
	}
}

func TestNowDoesNotAllocate(t *testing.T) {
	c := New()
	if n := testing.AllocsPerRun(100, func() { c.Now() }); n != 0 {
		t.Errorf("Now allocates %v times, want 0", n)
	}
}
