package drive

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// evictable is a deployment that can be put away, in the time that it takes.
type evictable struct {
	invoke
	takes time.Duration
	err   error
}

func (e *evictable) Evict(ctx context.Context) error {
	select {
	case <-time.After(e.takes):
		return e.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestEvictAfterEachRequest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		takes  time.Duration
		err    error
		wanted bool
		want   Evictions
	}{
		{name: "in time", takes: 200 * time.Millisecond, wanted: true, want: Evictions{Done: 5}},
		{name: "too slow", takes: 2500 * time.Millisecond, wanted: true, want: Evictions{Done: 5, Late: 4}},
		{name: "failing", err: errors.New("no such revision"), wanted: true, want: Evictions{Failed: 5, Err: errors.New("no such revision")}},
		{name: "not wanted", want: Evictions{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				schedule := every(time.Second, 5)
				schedule.Sources[0].Evict = tt.wanted
				sink := &memory{}
				out := drive(t, t.Context(), planOf(schedule, &evictable{instant, tt.takes, tt.err}), sink)
				got := out.Evictions
				if got.Done != tt.want.Done || got.Failed != tt.want.Failed || got.Late != tt.want.Late || (got.Err == nil) != (tt.want.Err == nil) {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				for _, s := range sink.samples {
					if s.Service() >= tt.takes && tt.takes > 0 {
						t.Errorf("request %d took %v, the eviction after it included", s.Seq, s.Service())
					}
				}
			})
		})
	}
}

func TestEvictWhatCannotBe(t *testing.T) {
	schedule := every(time.Second, 1)
	schedule.Sources[0].Evict = true
	_, err := Run(t.Context(), planOf(schedule, invoke(instant)), &memory{}, nil)
	if err == nil || !strings.Contains(err.Error(), `function "f" is to be put away after each request, which its platform cannot`) {
		t.Errorf("got %v, want that it cannot be", err)
	}
}
