package html_test

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// TestSheets: a page has the answer first, every cell of its tables and every
// note of the terminal's, and needs nothing else.
func TestSheets(t *testing.T) {
	outlook := reportstest.Outlook()
	for name, tt := range map[string]struct {
		sheet  *reports.Sheet
		charts []chart.Chart
	}{
		"bill":       {reportstest.Bill().Page(), chart.Bills(reportstest.Bill())},
		"bills":      {reportstest.Bills().Page(), chart.Bills(reportstest.Bills())},
		"situations": {outlook.Sheet(), chart.Outlook(outlook)},
	} {
		t.Run(name, func(t *testing.T) {
			if len(tt.charts) == 0 {
				t.Error("there is no chart")
			}
			var b strings.Builder
			if err := html.Sheet(&b, tt.sheet, tt.charts); err != nil {
				t.Fatal(err)
			}
			page := b.String()
			for _, bad := range []string{"<script", "<link", "<img", "src=", "url(", "NaN", "Inf"} {
				if strings.Contains(page, bad) {
					t.Errorf("the page contains %s", bad)
				}
			}
			text, last := words(page), 0
			parts := append([]string{tt.sheet.Title}, tt.sheet.Answer...)
			for _, table := range tt.sheet.Tables {
				for _, row := range table.Columns {
					parts = append(parts, row.Head)
				}
			}
			for _, part := range append(parts, append(tt.sheet.Notes, tt.sheet.Footnotes...)...) {
				part = strings.Join(strings.Fields(part), " ")
				at := strings.Index(text[last:], escaped(part))
				if at < 0 {
					t.Fatalf("%q does not stand after what comes before it", part)
				}
				last += at
			}
			for _, table := range tt.sheet.Tables {
				for _, column := range table.Columns {
					for _, cell := range column.Cells {
						if !strings.Contains(text, escaped(strings.Join(strings.Fields(cell), " "))) {
							t.Errorf("the page lacks %q", cell)
						}
					}
				}
			}
		})
	}
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;", "+", "&#43;").Replace
