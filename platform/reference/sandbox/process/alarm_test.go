package process

import (
	"testing"
	"testing/synctest"
	"time"
)

func rings(a *alarm) bool {
	synctest.Wait()
	select {
	case <-a.rung:
		return true
	default:
		return false
	}
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAlarm()
		a.prime(3 * time.Second)
		for i := range 10 { // deadlines that are met, past the primed timer
			a.set(time.Now().Add(3 * time.Second))
			time.Sleep(time.Second)
			a.clear()
			if rings(a) {
				t.Fatalf("rings for deadline %d, which was met", i)
			}
		}
		a.set(time.Now().Add(3 * time.Second))
		time.Sleep(3*time.Second - time.Nanosecond)
		if rings(a) {
			t.Error("rings before the deadline")
		}
		time.Sleep(time.Nanosecond)
		if !rings(a) {
			t.Error("does not ring at the deadline")
		}

		a.set(time.Now().Add(time.Hour))
		a.set(time.Now().Add(time.Second)) // an earlier one after a later one
		time.Sleep(time.Second)
		if !rings(a) {
			t.Error("does not ring at an earlier deadline")
		}

		a.set(time.Now().Add(time.Second))
		time.Sleep(2 * time.Second) // rings, and nobody hears it
		a.set(time.Now().Add(time.Second))
		if rings(a) {
			t.Error("rings for a deadline of the past")
		}
		a.set(time.Now().Add(time.Second))
		a.stop()
		time.Sleep(time.Minute)
		if rings(a) {
			t.Error("rings after stop")
		}
	})
}
