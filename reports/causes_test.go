package reports_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/reportstest"
	"github.com/coldcurve/coldcurve/reports/text"
)

// TestCausesAreTold: whoever sees that requests failed sees why.
func TestCausesAreTold(t *testing.T) {
	r := reportstest.Quick()
	r.Document.Runs[0].Causes = []summary.Cause{
		{Function: "shop", Kind: "init", N: 3, Message: "permission <denied>"},
		{Function: "shop", Kind: "timeout", N: 1, Message: "too slow"},
		{Function: "shop", Kind: "refused", N: 2, Message: "ExpiredTokenException: expired", Hint: "sign in again"},
		{Function: "till", Kind: "refused", N: 1, Message: "ExpiredTokenException: expired", Hint: "sign in again"},
	}
	var page, table bytes.Buffer
	if err := html.Write(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := text.Write(&table, r, text.Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shop: 3 init failures, the first: permission <denied>", "shop: 1 timeout failure: too slow",
		"shop: 2 refused failures, the first: ExpiredTokenException: expired; sign in again"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, table.String())
		}
		if escaped := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(want); !strings.Contains(page.String(), escaped) {
			t.Errorf("the page lacks %q", escaped)
		}
	}
	for where, text := range map[string]string{"text": table.String(), "page": page.String()} {
		if n := strings.Count(text, "sign in again"); n != 1 {
			t.Errorf("the %s says %d times what to do, want once", where, n)
		}
	}
}
