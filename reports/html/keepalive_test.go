package html_test

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// TestKeepAlive: the page has the curve, each gap, the platform's own facts, and
// nothing that a platform says is markup.
func TestKeepAlive(t *testing.T) {
	k := reportstest.KeepAlive()
	k.Document.Facts["engine"] = `<script>alert(1)</script>`
	var b strings.Builder
	if err := html.KeepAlive(&b, k); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for want, n := range map[string]int{
		"<script": 0,
		"<dt>engine</dt><dd>&lt;script&gt;alert(1)&lt;/script&gt;</dd>": 1,
		"<svg ": 1,
		"<p>reference keeps an idle instance for 2.00 s to 2.10 s.</p>":                   1,
		"<tr><td>2.00 s</td><td>2</td><td>2</td><td>100%</td><td>15.8% to 100%</td></tr>": 1,
		"<tr><td>": 7, // gaps
	} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%q is there %d times, want %d", want, got, n)
		}
	}
}
