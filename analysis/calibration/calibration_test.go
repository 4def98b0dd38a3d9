package calibration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

func answered(start sample.Start, instance string, service, handler time.Duration) *sample.Sample {
	return &sample.Sample{
		Start: start, Instance: instance, Sent: time.Second, Done: time.Second + service,
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
		}, []string{"a"}, Error{Beyond: map[sample.Start]Spread{
			sample.Cold: {1, 2 * time.Millisecond, 2 * time.Millisecond},
			sample.Warm: {1, time.Millisecond, time.Millisecond},
		}}},
		{"a start that no sample tells of", nil, []string{"a"}, Error{Unaccounted: 1}},
		{"a cold sample of an instance that was not started", []*sample.Sample{
			answered(sample.Cold, "b", 2, 1),
		}, nil, Error{Invented: 1, Beyond: map[sample.Start]Spread{sample.Cold: {1, 1, 1}}}},
		{"one instance, two cold samples", []*sample.Sample{
			answered(sample.Cold, "a", 2, 1), answered(sample.Cold, "a", 2, 1),
		}, []string{"a"}, Error{Invented: 1, Beyond: map[sample.Start]Spread{sample.Cold: {2, 1, 1}}}},
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
			if tt.want.Beyond == nil {
				tt.want.Beyond = map[sample.Start]Spread{}
			}
			if diff := cmp.Diff(tt.want, tally.Compare(tt.started)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
