package lifecycle_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/google/go-cmp/cmp"
)

func TestPolicyValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy lifecycle.Policy
		want   []string
	}{
		{"zero", lifecycle.Policy{}, nil},
		{"everything", lifecycle.Policy{
			KeepAlive: time.Minute, Concurrency: 1, StartBurst: 1, StartEvery: 1, QueueLimit: 1, QueueTimeout: 1, LateBinding: true,
		}, nil},
		{"extremes", lifecycle.Policy{
			KeepAlive: math.MaxInt64, Concurrency: math.MaxInt, StartBurst: 1, StartEvery: math.MaxInt64,
			QueueLimit: math.MaxInt, QueueTimeout: math.MaxInt64,
		}, nil},
		{"for ever", lifecycle.Policy{KeepAlive: -1}, nil},
		{"all negative", lifecycle.Policy{
			Concurrency: -1, StartBurst: -2, StartEvery: -3, QueueLimit: -4, QueueTimeout: -5,
		}, []string{
			"lifecycle policy: concurrency -1: must be at least 0, which is no limit",
			"lifecycle policy: start burst -2: must be at least 0, which is no bound",
			"lifecycle policy: start every -3ns: must be at least 0s",
			"lifecycle policy: queue limit -4: must be at least 0, which is no queue",
			"lifecycle policy: queue timeout -5ns: must be at least 0s, which is no bound",
		}},
		{"burst without refill", lifecycle.Policy{StartBurst: 3}, []string{
			"lifecycle policy: start every 0s: must be positive with a start burst of 3",
		}},
		{"refill without burst", lifecycle.Policy{StartEvery: time.Second}, []string{
			"lifecycle policy: start every 1s: needs a start burst of at least 1",
		}},
		{"bucket beyond the end of time", lifecycle.Policy{StartBurst: 1e10, StartEvery: time.Second}, []string{
			"lifecycle policy: start burst 10000000000: must be at most 9223372036 with start every 1s, so that the bucket's refill fits a duration",
		}},
		{"pause without anything idle", lifecycle.Policy{Pause: true, PauseAfter: 1}, []string{
			"lifecycle policy: pause: needs a keep-alive, for without one nothing stands idle",
		}},
		{"pause after the end", lifecycle.Policy{KeepAlive: time.Second, Pause: true, PauseAfter: time.Second}, []string{
			"lifecycle policy: pause after 1s: must be below the keep-alive of 1s, at which the instance goes",
		}},
		{"pause without pause", lifecycle.Policy{KeepAlive: time.Second, PauseAfter: 2}, []string{
			"lifecycle policy: pause after 2ns: needs pause",
		}},
		{"noise", lifecycle.Policy{Noise: math.NaN()}, []string{"lifecycle policy: noise NaN: must be from 0 to 1"}},
		{"a curve", lifecycle.Policy{Survival: []lifecycle.Survivor{{0, 1}, {300 * time.Second, .92}, {360 * time.Second, 0}}}, nil},
		{"not a curve", lifecycle.Policy{
			KeepAlive: time.Minute,
			Survival:  []lifecycle.Survivor{{-1, 1.1}, {5, .5}, {5, .6}, {6, math.NaN()}},
		}, []string{
			"lifecycle policy: keep-alive 1m0s with a survival curve: leave it out, the curve says how long instances live",
			"lifecycle policy: survival at -1ns: must be at least 0s",
			"lifecycle policy: survival at -1ns: alive 1.1: must be at least 0 and at most 1, the share before",
			"lifecycle policy: survival at 5ns: must be after the point at 5ns",
			"lifecycle policy: survival at 5ns: alive 0.6: must be at least 0 and at most 0.5, the share before",
			"lifecycle policy: survival at 6ns: alive NaN: must be at least 0 and at most 0.6, the share before",
			"lifecycle policy: survival at 6ns: alive NaN: the last point's must be 0",
		}},
		{"half a ping", lifecycle.Policy{Ping: lifecycle.Pings{Every: time.Minute}}, []string{
			"lifecycle policy: ping every 1m0s, count 0: both must be positive, or neither",
		}},
		{"the paper's", lifecycle.Policy{Hybrid: &lifecycle.Hybrid{}, Pause: true, PauseAfter: time.Hour}, nil},
		{"hybrid and all else", lifecycle.Policy{
			Hybrid:    &lifecycle.Hybrid{Bin: time.Hour, Range: time.Minute, Head: .9, Tail: .1, Margin: 2, MinCV: math.NaN(), Recent: -1},
			KeepAlive: -1, Survival: []lifecycle.Survivor{{1, 0}}, Ping: lifecycle.Pings{Every: 1, Count: 1},
		}, []string{
			"lifecycle policy: keep-alive -1ns with a survival curve: leave it out, the curve says how long instances live",
			"lifecycle policy: keep-alive -1ns with hybrid: leave it out, hybrid's standard is the keep-alive where its histogram cannot be used",
			"lifecycle policy: survival with hybrid: leave one out, both say how long instances live",
			"lifecycle policy: ping with hybrid: leave one out, hybrid would learn the pings' intervals and not the requests'",
			"lifecycle policy: hybrid recent -1: must be at least 0",
			"lifecycle policy: hybrid range 1m0s: must be 1 to 65536 bins of 1h0m0s",
			"lifecycle policy: hybrid head 0.9, tail 0.1: must be quantiles, the head not above the tail",
			"lifecycle policy: hybrid margin 2: must be from 0 to 1",
			"lifecycle policy: hybrid min CV NaN: must be at least 0",
		}},
		{"slots", lifecycle.Policy{Slots: 2, LateBinding: true}, []string{
			"lifecycle policy: late binding with 2 slots: leave it out: requests then share an instance that starts, and wait only where none has a slot left",
		}},
		{"too many slots", lifecycle.Policy{Slots: 70000}, []string{
			"lifecycle policy: slots 70000: must be at most 65535",
		}},
		{"levels", lifecycle.Policy{
			Provisioned: []lifecycle.Level{{From: 1, Count: 1}, {From: 5, Count: -1}, {From: 5}}, Period: 5, AheadRetry: -1,
		}, []string{
			"lifecycle policy: ahead retry -1ns: must be at least 0s, which is 1s",
			"lifecycle policy: provisioned from 1ns: the first level must begin at 0s",
			"lifecycle policy: provisioned -1: must be at least 0, which is none",
			"lifecycle policy: provisioned from 5ns: must be after the level from 5ns",
			"lifecycle policy: period 5ns: must be longer than 5ns, where the last level begins",
		}},
		{"a period of nothing", lifecycle.Policy{Period: 5}, []string{
			"lifecycle policy: period 5ns: needs provisioned levels that it repeats",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			if err := test.policy.Validate(); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewRefusesAPolicyThatIsNotValid(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took a concurrency of -1")
		}
	}()
	lifecycle.New(lifecycle.Policy{Concurrency: -1})
}
