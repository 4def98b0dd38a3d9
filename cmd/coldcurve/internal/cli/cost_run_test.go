package cli

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// TestMemoryOfWhatWasThere bills a function that was there already by its own
// size, and says where nobody has told that.
func TestMemoryOfWhatWasThere(t *testing.T) {
	for _, tt := range []struct {
		facts map[string]string
		given units.Bytes
		want  units.Bytes
		noted bool
	}{
		{map[string]string{platform.MemoryFact("shop"): "128 MB"}, 0, 128 * units.MB, false},
		{map[string]string{platform.MemoryFact("shop"): "128 MB"}, units.GB, units.GB, false},
		{map[string]string{platform.MemoryFact("shop"): ""}, 0, 0, true},
		{nil, 0, 0, false},
	} {
		m := &measured{dir: &rundir.Dir{Path: t.TempDir(), Manifest: rundir.Manifest{Platform: platform.Description{Facts: tt.facts}}}}
		if got := m.memory(tt.given)("shop"); got != tt.want {
			t.Errorf("%v, given %v: %v, want %v", tt.facts, tt.given, got, tt.want)
		}
		notes := strings.Join(m.standby([]cost.Work{{Name: "shop", Memory: units.GB}}, cost.Month), " ")
		if strings.Contains(notes, "nothing told how much memory it has: 1 GB is billed") != tt.noted {
			t.Errorf("%v: notes %q", tt.facts, notes)
		}
	}
}
