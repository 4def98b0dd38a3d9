package html_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

func render(t *testing.T, r *reports.Report) string {
	t.Helper()
	var b strings.Builder
	if err := html.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// words is the page's text without its tags.
func words(page string) string {
	page = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, "")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " ")
}

// TestNeedsNothingElse: the page opens from disk on a machine without a network.
func TestNeedsNothingElse(t *testing.T) {
	page := render(t, reportstest.Quick())
	for _, bad := range []string{"<script", "<link", "<img", "<iframe", "@import", "url(", "src=", "onclick"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	for _, url := range regexp.MustCompile(`https?://[^"' >]*`).FindAllString(page, -1) {
		if url != "http://www.w3.org/2000/svg" { // a namespace, not an address
			t.Errorf("the page names %s", url)
		}
	}
	if !strings.Contains(page, `Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("the page may load things")
	}
}

func TestSaysTheAnswerFirst(t *testing.T) {
	r := reportstest.Quick()
	page := words(render(t, r))
	last := 0
	for _, s := range append(reports.Answer(&r.Document.Runs[0]),
		"How long callers wait", "Latency over time", "Latency by percentile", "How often each latency occurred",
		"Instances and concurrency over time", "Starts taken apart", "What was sent",
		"What to keep in mind", "memory limits are not enforced", "How it was measured", "drop at 10000",
		"Where it was measured", "Imaginary 9", "Files", "summary.json", "coldcurve v1.0.0", "What the words mean",
	) {
		at := strings.Index(page[last:], s)
		if at < 0 {
			t.Fatalf("%q does not stand after what comes before it", s)
		}
		last += at
	}
	for _, s := range []string{"73.7 to 81.2 ms", "3 timeout", "4,000"} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	if strings.Contains(page, "must not be used") {
		t.Error("a valid run is called invalid")
	}
}

func TestBannerOfARunThatCannotBeUsed(t *testing.T) {
	r := reportstest.Broken()
	page := words(render(t, r))
	for _, s := range []string{"INCOMPLETE – these figures must not be used: the run was interrupted 4 of 44 arrivals were dropped",
		"broken : latency.p50 in spike: 40.0 ms, allowed 10ms", "held : errors: 6, allowed 100"} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	r.Document.Runs[0].Complete, r.Document.Runs[0].Failure = true, "all of it"
	if !strings.Contains(words(render(t, r)), "The platform's failure in full: all of it") {
		t.Error("the page lacks why the platform failed")
	}
	if !strings.Contains(words(render(t, r)), "INVALID – these figures must not be used") {
		t.Error("a complete but invalid run has no INVALID")
	}
}

// TestOneLimitedQuantileIsMarked: it is named and marked, and takes no other
// figure with it.
func TestOneLimitedQuantileIsMarked(t *testing.T) {
	page := render(t, reportstest.Limited())
	if n := strings.Count(page, `<td class="limited">`); n != 1 {
		t.Errorf("%d marked cells, want 1", n)
	}
	page = words(page)
	for _, s := range []string{"LIMITED – Do not use: warm p99 of hello in sustained (", "Every other quantile holds.", "A ~ says do not use it"} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	for _, s := range []string{"INVALID", "must not be used:", "cannot be used"} {
		if strings.Contains(page, s) {
			t.Errorf("the page says %q of figures that hold", s)
		}
	}
	if strings.Contains(words(render(t, reportstest.Quick())), "~") {
		t.Error("a mark in a run without limits")
	}
}

func TestNamesAreHarmless(t *testing.T) {
	page := render(t, reportstest.Hostile())
	for _, bad := range []string{"<script", "<img", "<b ", "<i>", `href="javascript:`, "</title><b"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;") {
		t.Error("the name is not on the page")
	}
	if n := strings.Count(page, "</style>"); n != 1 {
		t.Errorf("there are %d ends of the style sheet", n)
	}
}

// TestAnyReport: whatever is missing, there is a page.
func TestAnyReport(t *testing.T) {
	two := reportstest.Quick()
	two.Document.Runs = append(two.Document.Runs, reportstest.Languages().Document.Runs...)
	for name, r := range map[string]*reports.Report{
		"nothing": {}, "empty": reportstest.Empty(), "languages": reportstest.Languages(),
		"summary alone": {Document: summary.Document{Runs: reportstest.Quick().Document.Runs}},
		"two runs":      two,
	} {
		page := render(t, r)
		if got, want := strings.Count(page, "<article>"), len(r.Document.Runs); got != want {
			t.Errorf("%s: %d runs on the page, want %d", name, got, want)
		}
		if !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
			t.Errorf("%s: the page has no end", name)
		}
	}
}

func TestCanBeReadAloud(t *testing.T) {
	page := render(t, reportstest.Languages())
	if !strings.Contains(page, `<html lang="en">`) {
		t.Error("the page has no language")
	}
	svgs := regexp.MustCompile(`<svg [^>]*>`).FindAllString(page, -1)
	if len(svgs) == 0 {
		t.Fatal("there is no chart")
	}
	for _, s := range svgs {
		if !regexp.MustCompile(`role="img" aria-label="[^"]{20,}"`).MatchString(s) {
			t.Errorf("a chart has no words: %s", s)
		}
	}
	for _, th := range regexp.MustCompile(`<th[ >][^>]*>?`).FindAllString(page, -1) {
		if !strings.Contains(th, "scope=") {
			t.Errorf("a heading has no scope: %s", th)
		}
	}
	if got, want := strings.Count(page, "<caption>"), strings.Count(page, "<table>"); got != want {
		t.Errorf("%d captions of %d tables", got, want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteFails(t *testing.T) {
	if got, want := fmt.Sprint(html.Write(full{}, reportstest.Quick())), "write report: disk full"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}
