package scenarios

import (
	"slices"
	"testing"
	"time"
)

// The suite must run anywhere, so all but runtimes and tiers are of Go, and each must
// come to an end in a time that people wait.
func TestSuiteIsSound(t *testing.T) {
	for _, name := range Suite() {
		s, err := LoadEmbedded(name, Overrides{})
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		if s.Name != name {
			t.Errorf("file %s is named %s", name, s.Name)
		}
		if s.Description == "" {
			t.Errorf("%s: no description", name)
		}
		schedule, err := s.Schedule()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range schedule.Phases {
			t.Logf("%-14s %-12s %6v - %6v %7d", name, p.Name, p.Start, p.End, p.Offered)
		}
		for _, f := range s.Functions {
			if f.Runtime != "go" && name != "runtimes" && name != "tiers" {
				t.Errorf("%s: function %s is in %s, which not every machine has", name, f.Name, f.Runtime)
			}
		}
	}
	want := []string{"api-gateway", "capacity", "diurnal-web", "events", "flash-sale", "idle", "image-upload", "nightly-batch",
		"package-size", "quick", "runtimes", "spike", "sustained", "tiers"}
	if got := Suite(); !slices.Equal(got, want) {
		t.Errorf("suite is %q, want %q", got, want)
	}
}

// What the descriptions promise of cold and warm starts must follow from the
// gaps alone, with room for a slow start between them.
func TestIdlePhasesAreColdOrWarmByTheirGaps(t *testing.T) {
	const room = 300 * time.Millisecond
	cold := make(map[string]int)
	for _, name := range []string{"quick", "idle", "runtimes", "package-size", "tiers"} {
		s, err := LoadEmbedded(name, Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Phases {
			for _, a := range p.Arrivals {
				switch gap := a.Gap - s.Platform.Policy.KeepAlive; {
				case a.Process != "gap":
				case gap >= room:
					cold[name] = max(cold[name], int((p.Duration-1)/a.Gap)+1)
				case gap > -room:
					t.Errorf("%s, %s: a gap of %v is too near to the keep-alive of %v", name, p.Name, a.Gap, s.Platform.Policy.KeepAlive)
				}
			}
		}
		if cold[name] < 12 {
			t.Errorf("%s: at most %d cold starts in a phase, want 12 for a median with an interval", name, cold[name])
		}
	}
}

func TestQuickIsQuick(t *testing.T) {
	s, err := LoadEmbedded("quick", Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := s.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	if end := schedule.Phases[len(schedule.Phases)-1].End; end > 45*time.Second {
		t.Errorf("quick lasts %v, want at most 45s", end)
	}
}
