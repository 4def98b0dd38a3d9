package html_test

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// TestMatrix: the page has a chart by platform, the failure, a link to each run
// that was made, and nothing that a platform says is markup.
func TestMatrix(t *testing.T) {
	m := reportstest.Matrix()
	m.Document.Platforms[2].Failure = `<script>alert(1)</script>`
	var b strings.Builder
	if err := html.Matrix(&b, m); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for want, n := range map[string]int{
		"<script": 0,
		`<strong>FAILED</strong> docker failed: &lt;script&gt;`: 1,
		"<svg ":                                   4, // platforms, starts, percentiles of cold and of warm
		`<a href="01-reference/report.html">`:     1,
		"not made":                                1,
		"$0.25 as aws/lambda in us-east-1":        1,
		"What callers wait, platform by platform": 1,
	} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%q is there %d times, want %d", want, got, n)
		}
	}
}
