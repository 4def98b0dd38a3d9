package cli

import (
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

// TestPlatformsAreAScenarios wants every listed platform to be one that a
// scenario can name.
func TestPlatformsAreAScenarios(t *testing.T) {
	for _, p := range platformList("linux") {
		o := scenarios.Overrides{Platform: p.Name, Runtime: platform.NodeJS} // which all of them run
		if p.Name == "http" {
			o.URL = "http://127.0.0.1:1/"
		}
		if s, err := scenarios.Parse("probe", []byte(probe), o); err != nil || s.Platform.Name != p.Name || !p.Here {
			t.Errorf("%s: %+v, %v", p.Name, s, err)
		}
	}
}
