package html

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// curves are of which Lambda's have no end, and a fleet's cannot go on for ever.
func curves(t *testing.T, over study.Comparison) reports.Curves {
	t.Helper()
	over.Book, over.CPU, over.CPUBasis = prices.Open(), 100*time.Millisecond, "given"
	over.Options = []string{"aws/lambda", "aws/ec2/c7g.large", "aws/fargate"}
	over.Work = cost.Work{Requests: 1, Durations: cost.Constant(100 * time.Millisecond), Memory: 1769 * units.MB}
	over.Goal = queue.Goal{Quantile: .99, Within: 300 * time.Millisecond}
	c, err := over.Compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reports.Curves{Curves: c}
}

func TestCurvePage(t *testing.T) {
	c := curves(t, study.Comparison{Over: study.OverRate, From: 1, To: 50_000, Points: 30})
	var b strings.Builder
	if err := Curve(&b, c); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "<script") || strings.Contains(page, "src=") || strings.Contains(page, "url(") {
		t.Error("the page runs or loads something")
	}
	if got := strings.Count(page, `<g class="spot">`); got != 30 {
		t.Errorf("%d places show their values, want 30", got)
	}
	for i, p := range c.Series[0].Points {
		if p.Err != nil {
			continue
		}
		if want := fmt.Sprintf("aws/lambda: $%s<", p.Total.Cents().USD()); !strings.Contains(page, want) {
			t.Errorf("point %d lacks %q", i, want)
		}
	}
	for _, want := range []string{"aws/lambda: cannot do it", "calls under way", "Where one becomes cheaper", "2026-09-19"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
		t.Error("a place of the chart is no number")
	}
}

// TestCurveOfNothing is what remains of the charts where nothing can do the work.
func TestCurveOfNothing(t *testing.T) {
	c := curves(t, study.Comparison{Over: study.OverDuration, Rate: 1, From: 1, To: 10, Points: 5})
	var b strings.Builder
	if err := Curve(&b, c); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); !strings.Contains(page, "None of them can do the work") || strings.Contains(page, "NaN") {
		t.Error("the page does not say that none of them can do the work, or has a place that is no number")
	}
}
