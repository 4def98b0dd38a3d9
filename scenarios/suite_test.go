package scenarios

import (
	"slices"
	"testing"
)

// The suite must run anywhere, so all but runtimes are of Go, and each must
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
			if f.Runtime != "go" && name != "runtimes" {
				t.Errorf("%s: function %s is in %s, which not every machine has", name, f.Name, f.Runtime)
			}
		}
	}
	want := []string{"api-gateway", "diurnal-web", "flash-sale", "idle", "image-upload", "nightly-batch",
		"package-size", "quick", "runtimes", "spike", "sustained"}
	if got := Suite(); !slices.Equal(got, want) {
		t.Errorf("suite is %q, want %q", got, want)
	}
}
