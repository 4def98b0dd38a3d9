package selfcheck_test

import (
	"context"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sim/selfcheck"
)

// TestLaws runs a part of the work with a fixed seed.
func TestLaws(t *testing.T) {
	n := 0
	for c, err := range selfcheck.Run(context.Background(), selfcheck.Options{Seed: 1, Work: .1}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		t.Logf("%-60s %-28s want %.6g got %.6g +- %.2g (%.1f)", c.Law, c.Figure, c.Want, c.Got, c.Stderr, c.Off())
		if !c.OK {
			t.Errorf("%s: %s is %.6g with standard error %.2g, want %.6g (%s)", c.Law, c.Figure, c.Got, c.Stderr, c.Want, c.Source)
		}
		if c.Stderr > .1*c.Want {
			t.Errorf("%s: %s has standard error %.2g of %.6g: the check is blind", c.Law, c.Figure, c.Stderr, c.Got)
		}
	}
	if n < 40 {
		t.Errorf("%d checks, want all", n)
	}
}
