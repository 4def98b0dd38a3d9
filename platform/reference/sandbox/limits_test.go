package sandbox_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

func TestCPUQuota(t *testing.T) {
	for _, tt := range []struct {
		memory units.Bytes
		want   time.Duration
	}{
		{128 << 20, 1447145},                       // 128/1769 of 20 ms, in nanoseconds
		{1769 << 20, 20 * time.Millisecond},        // one vCPU
		{2 * 1769 << 20, 40 * time.Millisecond},    // two
		{10240 << 20, 115771622 * time.Nanosecond}, // nearly six
	} {
		if got := sandbox.Lambda().CPUQuota(tt.memory); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.memory, got, tt.want)
		}
	}
}

// TestEveryLimitHasASource wants a source for each figure and no other.
func TestEveryLimitHasASource(t *testing.T) {
	limits := sandbox.Lambda()
	sourced := map[string]bool{}
	for _, s := range limits.Sources {
		if s.Where == "" || s.Date == "" {
			t.Errorf("%s: source %q of %q", s.Figure, s.Where, s.Date)
		}
		sourced[s.Figure] = true
	}
	fields := reflect.TypeOf(limits)
	for i := range fields.NumField() {
		if name := fields.Field(i).Name; name != "Sources" && !sourced[name] {
			t.Errorf("%s has no source", name)
		}
		delete(sourced, fields.Field(i).Name)
	}
	for name := range sourced {
		t.Errorf("there is a source of %s, which is no limit", name)
	}
}
