package beacon_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
)

func header(instance, ordinal string) http.Header {
	h := http.Header{}
	if instance != "" {
		h.Set(beacon.Instance, instance)
	}
	if ordinal != "" {
		h.Set(beacon.Ordinal, ordinal)
	}
	return h
}

// TestJudge tells short stories: one line is one reply, in order of arrival.
func TestJudge(t *testing.T) {
	type reply struct {
		instance, ordinal string
		sent, arrived     int // seconds
		want              sample.Start
	}
	for _, story := range []struct {
		name    string
		replies []reply
		counts  beacon.Counts
	}{
		{name: "a start and reuse", replies: []reply{
			{"a", "1", 0, 1, sample.Cold},
			{"a", "2", 2, 3, sample.Warm},
			{"b", "1", 2, 4, sample.Cold},
			{"a", "5", 5, 6, sample.Warm},
		}},
		{name: "a process that had served others", replies: []reply{
			{"a", "17", 0, 1, sample.Warm},
		}},
		{name: "replies that overtake each other", replies: []reply{
			{"a", "2", 0, 1, sample.Warm},
			{"a", "4", 0, 2, sample.Warm},
			{"a", "3", 1, 3, sample.Warm},
			{"a", "1", 0, 4, sample.Cold},
		}},
		{name: "a second first request", counts: beacon.Counts{Contradictions: 2}, replies: []reply{
			{"a", "1", 0, 1, sample.Cold},
			{"a", "1", 0, 2, sample.Unknown},
			{"a", "1", 3, 4, sample.Unknown},
		}},
		{name: "a first request to a process that had answered before", counts: beacon.Counts{Contradictions: 1}, replies: []reply{
			{"a", "3", 0, 1, sample.Warm},
			{"a", "1", 2, 3, sample.Unknown},
		}},
		{name: "an ordinal that goes back", counts: beacon.Counts{Contradictions: 2}, replies: []reply{
			{"a", "7", 0, 1, sample.Warm},
			{"a", "6", 2, 3, sample.Unknown},
			{"a", "7", 4, 5, sample.Unknown},
			{"a", "8", 6, 7, sample.Warm},
		}},
		{name: "no beacon", replies: []reply{
			{"", "", 0, 1, sample.Unknown},
		}},
		{name: "malformed", counts: beacon.Counts{Malformed: 6}, replies: []reply{
			{"a", "", 0, 1, sample.Unknown},
			{"", "1", 0, 1, sample.Unknown},
			{"a", "0", 0, 1, sample.Unknown},
			{"a", "-1", 0, 1, sample.Unknown},
			{"a", "one", 0, 1, sample.Unknown},
			{strings.Repeat("a", 129), "1", 0, 1, sample.Unknown},
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			var ledger beacon.Ledger
			at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
			for i, r := range story.replies {
				got := ledger.Judge(header(r.instance, r.ordinal), at(r.sent), at(r.arrived))
				if got.Start != r.want || (got.Grade == sample.Beacon) != (r.want != sample.Unknown) {
					t.Errorf("reply %d (%s %s): start %d, grade %d, want start %d", i, r.instance, r.ordinal, got.Start, got.Grade, r.want)
				}
			}
			for _, r := range story.replies {
				if r.want == sample.Cold {
					story.counts.Ageless++
				}
			}
			if diff := cmp.Diff(story.counts, ledger.Counts()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFirst has processes tell when they began, or how long they have been there.
func TestFirst(t *testing.T) {
	type reply struct {
		instance, started, age string
		sent, arrived          int // seconds
		want                   sample.Start
	}
	for _, story := range []struct {
		name    string
		replies []reply
		counts  beacon.Counts
	}{
		{name: "started for its request, by whatever clock", replies: []reply{
			{"a", "5 1", "2000", 1000, 1002, sample.Cold},
			{"b", "9000000000000 1", "1999", 1004, 1006, sample.Cold},
			{"c", "", "0", 1006, 1008, sample.Cold},
		}},
		{name: "there before its request, by whatever clock", replies: []reply{
			{"a", "1001000 1", "2003", 1000, 1002, sample.Provisioned},
			{"b", "5 1", "3600000", 1000, 1002, sample.Provisioned},
			{"c", "9000000000000 1", "9223372036854", 1000, 1002, sample.Provisioned},
		}},
		{name: "another machine's clock that is a little fast", replies: []reply{
			{"a", "", "1000999", 0, 1000, sample.Cold},
			{"b", "", "1001001", 0, 1000, sample.Provisioned},
		}},
		{name: "a counter for each request", counts: beacon.Counts{Renamed: 2}, replies: []reply{
			{"a", "980000 7", "22000", 1000, 1002, sample.Provisioned},
			{"b", "980000 7", "24000", 1003, 1004, sample.Unknown},
			{"c", "980000 7", "2000", 1003, 1006, sample.Unknown},
		}},
		{name: "a counter for each request, and no age", counts: beacon.Counts{Renamed: 1, Ageless: 1}, replies: []reply{
			{"a", "999000", "", 1000, 1002, sample.Cold},
			{"b", "999000", "", 1003, 1004, sample.Unknown},
		}},
		{name: "two that began in the same moment, for two requests", replies: []reply{
			{"a", "1001000 1", "900", 1000, 1002, sample.Cold},
			{"b", "1001000 1", "900", 1000, 1003, sample.Cold},
		}},
		{name: "long before its request by its own clock, and no age", counts: beacon.Counts{Stale: 1, Ageless: 2}, replies: []reply{
			{"a", "939000 1", "", 1000, 1002, sample.Unknown},
			{"b", "940000 1", "", 1000, 1002, sample.Cold}, // the clocks may be a minute apart
			{"c", "yesterday", "", 1000, 1002, sample.Cold},
		}},
		{name: "malformed", counts: beacon.Counts{Malformed: 4}, replies: []reply{
			{"a", "", "-1", 1000, 1002, sample.Unknown},
			{"a", "", "1.5", 1000, 1002, sample.Unknown},
			{"a", "", "NaN", 1000, 1002, sample.Unknown},
			{"a", "", "9223372036855", 1000, 1002, sample.Unknown},
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			var ledger beacon.Ledger
			for i, r := range story.replies {
				h := header(r.instance, "1")
				if r.started != "" {
					h.Set(beacon.Started, r.started)
				}
				if r.age != "" {
					h.Set(beacon.Age, r.age)
				}
				got := ledger.Judge(h, time.Unix(int64(r.sent), 0), time.Unix(int64(r.arrived), 0))
				if got.Start != r.want || (got.Grade == sample.Beacon) != (r.want != sample.Unknown) {
					t.Errorf("reply %d: %s, %s, want %s", i, got.Start, got.Grade, r.want)
				}
			}
			if diff := cmp.Diff(story.counts, ledger.Counts()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			told := uint64(0)
			for _, note := range ledger.Counts().Notes() {
				n, _, _ := strings.Cut(note, " ")
				count, err := strconv.ParseUint(n, 10, 64)
				if err != nil || strings.Contains(note, "%!") {
					t.Errorf("note %q", note)
				}
				told += count
			}
			if want := story.counts.Malformed + story.counts.Renamed + story.counts.Stale + story.counts.Ageless; told != want {
				t.Errorf("%q tell of %d beacons, want %d", ledger.Counts().Notes(), told, want)
			}
		})
	}
}

// TestBesideAge has a platform say that a first request waited, of a process that
// was there before.
func TestBesideAge(t *testing.T) {
	var ledger beacon.Ledger
	for age, want := range map[string]sample.Start{"5000": sample.Provisioned, "900": sample.Cold} {
		h := header("of age "+age, "1")
		h.Set(beacon.Age, age)
		if got := ledger.Beside(true, h, time.Unix(0, 0), time.Unix(1, 0)); got.Start != want || got.Grade != sample.Attested {
			t.Errorf("of age %s ms, and waited for 1s: %s, %s, want %s", age, got.Start, got.Grade, want)
		}
	}
}

func TestJudgeRepeatedHeader(t *testing.T) {
	var ledger beacon.Ledger
	twice := header("a", "1")
	twice.Add(beacon.Ordinal, "2")
	if got := ledger.Judge(twice, time.Unix(0, 0), time.Unix(1, 0)); got != (platform.Evidence{}) {
		t.Errorf("got %+v, want no evidence", got)
	}
}

// TestJudgeSharedWord is of processes that were forked after the word was drawn.
func TestJudgeSharedWord(t *testing.T) {
	var ledger beacon.Ledger
	first, second := header("a", "1"), header("a", "2")
	first.Set(beacon.Started, "1000")
	second.Set(beacon.Started, "1010")
	ledger.Judge(first, time.Unix(0, 0), time.Unix(1, 0))
	if got := ledger.Judge(second, time.Unix(2, 0), time.Unix(3, 0)); got.Start != sample.Unknown || ledger.Counts().Contradictions != 1 {
		t.Errorf("got %+v and %+v, want nothing believed and one contradiction", got, ledger.Counts())
	}
}

func TestJudgeConcurrently(t *testing.T) {
	var ledger beacon.Ledger
	var wait sync.WaitGroup
	var mu sync.Mutex
	cold := 0
	sent := time.Unix(0, 0)
	for range 50 {
		wait.Go(func() {
			if got := ledger.Judge(header("a", "1"), sent, time.Unix(1, 0)); got.Start == sample.Cold {
				mu.Lock()
				cold++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if got := ledger.Counts().Contradictions; cold != 1 || got != 49 {
		t.Errorf("%d cold and %d contradictions, want 1 and 49", cold, got)
	}
}

// TestBeside has a platform say of each reply whether its request waited.
func TestBeside(t *testing.T) {
	type reply struct {
		waited            bool
		instance, ordinal string
		sent, arrived     int // seconds
		want              sample.Start
	}
	for _, story := range []struct {
		name    string
		replies []reply
		counts  beacon.Counts
	}{
		{name: "from zero and back", replies: []reply{
			{true, "a", "1", 0, 1, sample.Cold},
			{false, "a", "2", 2, 3, sample.Warm},
			{true, "b", "1", 10, 11, sample.Cold},
		}},
		{name: "two that wait for one start", replies: []reply{
			{true, "a", "2", 0, 3, sample.Queued},
			{true, "a", "1", 0, 2, sample.Cold},
		}},
		{name: "a second instance, ahead of its first request", replies: []reply{
			{false, "a", "1", 0, 1, sample.Provisioned},
		}},
		{name: "a lie", counts: beacon.Counts{Disproved: 1}, replies: []reply{
			{false, "a", "3", 0, 1, sample.Warm},
			{true, "a", "4", 2, 3, sample.Unknown},
		}},
		{name: "no beacon to hold against it", replies: []reply{
			{true, "", "", 0, 1, sample.Cold},
			{false, "", "", 2, 3, sample.Warm},
		}},
		{name: "a beacon that contradicts itself", counts: beacon.Counts{Contradictions: 1}, replies: []reply{
			{true, "a", "1", 0, 1, sample.Cold},
			{false, "a", "1", 2, 3, sample.Unknown},
		}},
		{name: "a beacon that cannot be read", counts: beacon.Counts{Malformed: 1}, replies: []reply{
			{true, "a", "one", 0, 1, sample.Cold},
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			var ledger beacon.Ledger
			at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
			for i, r := range story.replies {
				got := ledger.Beside(r.waited, header(r.instance, r.ordinal), at(r.sent), at(r.arrived))
				if got.Start != r.want || (got.Grade == sample.Attested) != (r.want != sample.Unknown) {
					t.Errorf("reply %d (waited %v, %s %s): start %s of grade %s, want start %s", i, r.waited, r.instance, r.ordinal, got.Start, got.Grade, r.want)
				}
			}
			if diff := cmp.Diff(story.counts, ledger.Counts()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}
