package sandbox

import (
	"testing"
	"testing/synctest"
	"time"
)

func rings(a *Alarm) bool {
	synctest.Wait()
	select {
	case <-a.Rung():
		return true
	default:
		return false
	}
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAlarm()
		a.Prime(3 * time.Second)
		for i := range 10 { // deadlines that are met, past the primed timer
			a.Set(time.Now().Add(3 * time.Second))
			time.Sleep(time.Second)
			a.Clear()
			if rings(a) {
				t.Fatalf("rings for deadline %d, which was met", i)
			}
		}
		a.Set(time.Now().Add(3 * time.Second))
		time.Sleep(3*time.Second - time.Nanosecond)
		if rings(a) {
			t.Error("rings before the deadline")
		}
		time.Sleep(time.Nanosecond)
		if !rings(a) {
			t.Error("does not ring at the deadline")
		}

		a.Set(time.Now().Add(time.Hour))
		a.Set(time.Now().Add(time.Second)) // an earlier one after a later one
		time.Sleep(time.Second)
		if !rings(a) {
			t.Error("does not ring at an earlier deadline")
		}

		a.Set(time.Now().Add(time.Second))
		time.Sleep(2 * time.Second) // rings, and nobody hears it
		a.Set(time.Now().Add(time.Second))
		if rings(a) {
			t.Error("rings for a deadline of the past")
		}
		a.Set(time.Now().Add(time.Second))
		a.Stop()
		time.Sleep(time.Minute)
		if rings(a) {
			t.Error("rings after stop")
		}
	})
}
