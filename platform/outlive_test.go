package platform

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestOutlive wants what follows a run to go on where that was interrupted or is
// over, and to keep to a limit that is still to come.
func TestOutlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		interrupted, interrupt := context.WithCancel(t.Context())
		bounded, done := context.WithTimeout(interrupted, time.Minute)
		defer done()
		over, cancelOver := context.WithTimeout(t.Context(), time.Second)
		defer cancelOver()
		time.Sleep(2 * time.Second)
		begun := func(ctx context.Context) context.Context {
			out, cancel := Outlive(ctx)
			t.Cleanup(cancel)
			return out
		}
		kept, late := begun(bounded), begun(over)
		interrupt()
		after := begun(bounded)
		time.Sleep(57 * time.Second)
		if kept.Err() != nil {
			t.Errorf("before its time: %v", kept.Err())
		}
		time.Sleep(2 * time.Second)
		if kept.Err() != context.DeadlineExceeded || context.Cause(kept) != errOver {
			t.Errorf("at its deadline: %v, because %v", kept.Err(), context.Cause(kept))
		}
		if late.Err() != nil || after.Err() != nil {
			t.Errorf("of one that was over %v, of one that was interrupted %v, want neither to end", late.Err(), after.Err())
		}
	})
}
