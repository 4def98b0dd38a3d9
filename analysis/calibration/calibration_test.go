package calibration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

func answered(start sample.Start, instance string, service, handler time.Duration) *sample.Sample {
	return &sample.Sample{
		Function: "f", Start: start, Instance: instance, Sent: time.Second, Done: time.Second + service,
		Breakdown: sample.Breakdown{Handler: handler},
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name    string
		samples []*sample.Sample
		started []string
		want    Error
	}{
		{"agreement", []*sample.Sample{
			answered(sample.Cold, "a", 12*time.Millisecond, 10*time.Millisecond),
			answered(sample.Warm, "a", 3*time.Millisecond, 2*time.Millisecond),
		}, []string{"a"}, Error{Groups: map[Group]Times{
			{"f", sample.Cold}: {1, 12 * time.Millisecond, 10 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
			{"f", sample.Warm}: {1, 3 * time.Millisecond, 2 * time.Millisecond, time.Millisecond, time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond},
		}}},
		{"a start that no sample tells of", nil, []string{"a"}, Error{Unaccounted: 1}},
		{"a cold sample of an instance that was not started", []*sample.Sample{
			answered(sample.Cold, "b", 2, 1),
		}, nil, Error{Invented: 1, Groups: map[Group]Times{{"f", sample.Cold}: {1, 2, 1, 1, 1, 1, 1}}}},
		{"one instance, two cold samples", []*sample.Sample{
			answered(sample.Cold, "a", 2, 1), answered(sample.Cold, "a", 2, 1),
		}, []string{"a"}, Error{Invented: 1, Groups: map[Group]Times{{"f", sample.Cold}: {2, 2, 1, 1, 1, 1, 1}}}},
		{"an answer before its time", []*sample.Sample{
			answered(sample.Warm, "a", 1, 2),
		}, nil, Error{Early: 1}},
		{"no record", []*sample.Sample{answered(sample.Warm, "a", 1, 0)}, nil, Error{Missing: 1}},
		{"failures are passed over", []*sample.Sample{{Err: sample.Crash, Start: sample.Cold, Instance: "x"}}, nil, Error{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tally := New()
			for _, s := range tt.samples {
				tally.Add(s)
			}
			if tt.want.Groups == nil {
				tt.want.Groups = map[Group]Times{}
			}
			if diff := cmp.Diff(tt.want, tally.Compare(tt.started)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestShare(t *testing.T) {
	tally := New()
	for i := range 11 {
		record := time.Duration(20+i) * time.Millisecond // median 25 ms
		tally.Add(answered(sample.Warm, "a", record+time.Millisecond, record))
	}
	got := tally.Compare(nil).Groups[Group{"f", sample.Warm}]
	if share := got.Share(); share < .0395 || share > .0405 { // 1 ms of 25
		t.Errorf("%+v: share %v, want .04 but for the histogram's digits", got, share)
	}
	if share := new(Times).Share(); share != 0 {
		t.Errorf("share of nothing %v, want 0", share)
	}
}
