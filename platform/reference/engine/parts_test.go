package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

func TestBilled(t *testing.T) {
	rules := BillingRules()
	before, since := rules[0], rules[1]
	const us = time.Microsecond
	tests := []struct {
		rule           BillingRule
		start          sample.Start
		init, duration time.Duration
		want, ofInit   time.Duration
	}{
		// From a real REPORT line: 155.51 ms bill 156.
		{before, sample.Cold, 98_400 * us, 155_510 * us, 156_000 * us, 0},
		{since, sample.Cold, 98_400 * us, 155_510 * us, 254_000 * us, 98_000 * us},
		{since, sample.Warm, 0, 155_510 * us, 156_000 * us, 0},
		// Printed as 7.00, and billed 8.
		{since, sample.Warm, 0, 7004 * us, 8000 * us, 0},
		{since, sample.Warm, 0, 7000 * us, 7000 * us, 0},
		// The sum is rounded, not the parts.
		{since, sample.Cold, 400 * us, 600 * us, 1000 * us, 0},
		{since, sample.Cold, 0, 0, 0, 0},
		{before, sample.Prewarmed, 5000 * us, 1000 * us, 1000 * us, 0},
		{since, sample.Prewarmed, 5000 * us, 1000 * us, 6000 * us, 5000 * us},
		{before, sample.Restored, 2000 * us, 1000 * us, 1000 * us, 0},
		{since, sample.Restored, 2000 * us, 1000 * us, 3000 * us, 2000 * us},
		{since, sample.Provisioned, 0, 1000 * us, 1000 * us, 0},
	}
	for _, tt := range tests {
		got, ofInit := tt.rule.Billed(tt.start, tt.init, tt.duration)
		if got != tt.want || ofInit != tt.ofInit {
			t.Errorf("since %s: a %v start's init %v and handler %v bill %v (init %v), want %v (%v)", tt.rule.Since, tt.start, tt.init, tt.duration, got, ofInit, tt.want, tt.ofInit)
		}
	}
}

func TestReportLine(t *testing.T) {
	const ms = int64(time.Millisecond)
	out := &Outcome{
		RequestID: "8f507cfc-xmpl-4697-b07a-ac58fc914c95", Version: Latest,
		Truth:  Truth{Provisioned: 1, Ready: 1 + 98*ms + 400_000, HandlerStart: 200 * ms, HandlerEnd: 355*ms + 510_000},
		Billed: 156 * time.Millisecond,
	}
	r := report{outcome: out, memory: 1769 << 20, maxMemory: 40<<20 - 5}
	const start = "START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST\n"
	const end = "END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\n" +
		"REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 155.51 ms\tBilled Duration: 156 ms\t" +
		"Memory Size: 1769 MB\tMax Memory Used: 40 MB"
	if got, want := string(r.tail([]byte("hello"), 4096)), start+"hello\n"+end+"\tInit Duration: 98.40 ms\n"; got != want {
		t.Errorf("cold:\n%q, want\n%q", got, want)
	}
	out.Truth.Provisioned, out.Truth.Ready = 0, 0
	if got, want := string(r.tail(nil, 4096)), start+end+"\n"; got != want {
		t.Errorf("warm:\n%q, want\n%q", got, want)
	}
	out.Kind, r.errorType = sample.Crash, "Runtime.ExitError"
	if got, want := string(r.tail(nil, 4096)), start+end+"\tStatus: error\tError Type: Runtime.ExitError\n"; got != want {
		t.Errorf("crashed:\n%q, want\n%q", got, want)
	}
	if got := r.tail([]byte(strings.Repeat("x", 9000)), 4096); len(got) != 4096 || !strings.HasSuffix(string(got), "ExitError\n") {
		t.Errorf("a long log's tail has %d bytes: %q", len(got), got)
	}
}

func TestTruthText(t *testing.T) {
	want := Truth{1, 2, 0, 4, 5, 6, 0, 7, 8, 9_223_372_036_854_775_807, 9}
	text, err := want.AppendText(nil)
	if err != nil || string(text) != "1,2,0,4,5,6,0,7,8,9223372036854775807,9" {
		t.Errorf("text %q, %v", text, err)
	}
	if got, err := ParseTruth(string(text)); err != nil || got != want {
		t.Errorf("parsed %+v, %v", got, err)
	}
	for _, bad := range []string{"", "1,2,3", "1,2,3,4,5,6,7,8,9,10", "1,2,3,4,5,6,7,8,9,10,11,12", "1,2,3,4,5,6,7,8,9,10,x", "1,2,3,4,5,6,7,8,9,10,-9"} {
		if got, err := ParseTruth(bad); err == nil {
			t.Errorf("%q was parsed: %+v", bad, got)
		}
	}
}

func TestBreakdown(t *testing.T) {
	cold := Truth{Triggered: 60, Arrived: 100, Assigned: 110, Begun: 120, Provisioned: 150, Booted: 170, Ready: 220, HandlerStart: 225, HandlerEnd: 300, Replied: 301}
	if diff := cmp.Diff(sample.Breakdown{Trigger: 40, Queue: 10, Provision: 40, Boot: 20, Init: 50, Handler: 75}, cold.Breakdown()); diff != "" {
		t.Errorf("cold (-want +got):\n%s", diff)
	}
	cold.Booted = 0
	if diff := cmp.Diff(sample.Breakdown{Trigger: 40, Queue: 10, Provision: 40, Init: 70, Handler: 75}, cold.Breakdown()); diff != "" {
		t.Errorf("without Booted (-want +got):\n%s", diff)
	}
	failed := Truth{Arrived: 100, Assigned: 110, Begun: 120, Provisioned: 150, Failed: 400, Replied: 401}
	if diff := cmp.Diff(sample.Breakdown{Queue: 10, Provision: 40, Init: 250}, failed.Breakdown()); diff != "" {
		t.Errorf("a failed init (-want +got):\n%s", diff)
	}
	if failed.Init() != 250 {
		t.Errorf("a failed init took %v, want 250ns", failed.Init())
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := history{limit: 2}
	for range 5 {
		h.add(platform.InstanceRecord{})
	}
	if len(h.records) != 2 || h.dropped != 3 {
		t.Errorf("%d records, %d dropped; want 2 and 3", len(h.records), h.dropped)
	}
}

func TestRequestIDsAreUUIDs(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		id := NewRequestID()
		if len(id) != 36 || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) || seen[id] {
			t.Fatalf("request id %q", id)
		}
		seen[id] = true
	}
}
