package reports_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// searched is a search whose probes found instances there after some gaps, and
// gone after others.
func searched(kept, gone []time.Duration) *reports.KeepAlive {
	d := keepalive.Options{From: time.Second, To: time.Minute, Precision: .05}.Begin(keepalive.Document{Platform: "lambda", Function: "shop", Copies: 1, Budget: time.Hour})
	for _, gap := range kept {
		d.Add(keepalive.Probe{Asked: gap, Gap: gap, AtMost: gap, Kept: true})
	}
	for _, gap := range gone {
		d.Add(keepalive.Probe{Asked: gap, Gap: gap, AtMost: gap})
	}
	d.State = keepalive.Complete
	return reports.KeepAliveOf(&d)
}

// TestKeepAliveAnswer: each sentence is one that the probes bear out. The shares
// are those of Clopper and Pearson by hand: of n of n at least .05^(1/n), of
// none of n at most 1-.05^(1/n).
func TestKeepAliveAnswer(t *testing.T) {
	const s = time.Second
	for name, tt := range map[string]struct {
		search *reports.KeepAlive
		want   []string
	}{
		"found": {reportstest.KeepAlive(), []string{
			"reference keeps an idle instance for 2.00 s to 2.10 s.",
			"All 6 that were idle for up to 2.00 s were still there: at least 60.7% are, with 95% confidence.",
			"None of 3 that were idle for 2.10 s or longer was: at most 63.2% are, with 95% confidence.",
		}},
		"no end": {searched([]time.Duration{s, 2 * s}, nil), []string{
			"lambda keeps an idle instance for 2.00 s or longer: no gap that was tried was too long.",
			"All 2 that were idle for up to 2.00 s were still there: at least 22.4% are, with 95% confidence.",
		}},
		"no beginning": {searched(nil, []time.Duration{s, 2 * s}), []string{
			"lambda keeps no idle instance for 1.00 s: no gap that was tried was short enough.",
			"None of 2 that were idle for 1.00 s or longer was: at most 77.6% are, with 95% confidence.",
		}},
		"lives of different lengths": {searched([]time.Duration{s, 4 * s}, []time.Duration{2 * s, 3 * s, 5 * s}), []string{
			"Instances do not all live as long: longer gaps were outlived than some that were not. Fewer than half are still there after 2.00 s.",
			"All 1 that were idle for up to 1.00 s were still there: at least 5% are, with 95% confidence.",
			"None of 1 that were idle for 5.00 s or longer was: at most 95% are, with 95% confidence.",
		}},
		"nothing": {searched(nil, nil), []string{"No probe was answered, so there is nothing to tell."}},
	} {
		if diff := cmp.Diff(tt.want, tt.search.Answer()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestKeepAliveUnfinished: what did not come to its end says so, whatever it has found.
func TestKeepAliveUnfinished(t *testing.T) {
	k := reportstest.KeepAlive()
	before := len(k.Answer())
	for state, want := range map[keepalive.State]string{
		keepalive.OutOfTime:   "The search ended with its budget of time (30m) or of probes, not because it knew enough.",
		keepalive.Interrupted: "The search did not come to its end.",
		keepalive.Failed:      "The search did not come to its end.",
		keepalive.Running:     "The search did not come to its end.", // it was killed
	} {
		k.Document.State = state
		if got := k.Answer(); len(got) != before+1 || got[before] != want {
			t.Errorf("%s: %q, want it to end in %q", state, got, want)
		}
	}
}

// TestKeepAliveNotes: what was no probe is counted and told.
func TestKeepAliveNotes(t *testing.T) {
	k := reportstest.KeepAlive()
	if got := k.Notes(); len(got) != 1 || !strings.HasPrefix(got[0], "9 probes, 2 instances at a time, ") {
		t.Errorf("notes %q", got)
	}
	k.Document.Unknown, k.Document.Failed, k.Document.Failure = 1, 2, "connection refused"
	want := []string{"1 answer without evidence: no probes", "2 requests failed, and are no probes; the first: connection refused"}
	if diff := cmp.Diff(want, k.Notes()[1:]); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
