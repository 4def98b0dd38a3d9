//go:build linux

package reference_test

import (
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestOversizePayloadHarmsNobodyElse: the connection on which one was refused
// is not another's.
func TestOversizePayloadHarmsNobodyElse(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	fn := build(t, "hello", platform.Go)
	small := deploy(t, client, fn)
	fn.Name = "big"
	big := deploy(t, client, fn)

	invokeSmall := func() {
		if _, err := small.Invoke(t.Context(), platform.Request{Payload: []byte("{}")}); err != nil {
			t.Errorf("a small payload: %v", err)
		}
	}
	invokeBig := func() {
		_, err := big.Invoke(t.Context(), platform.Request{Payload: make([]byte, 6<<20+1)})
		if kind := platform.KindOf(err); kind != sample.Payload {
			t.Errorf("a payload above 6 MiB is of kind %v: %v", kind, err)
		}
	}
	for range 5 { // each finds the other's connection on top of the pool
		invokeBig()
		invokeSmall()
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range 10 {
				invokeBig()
			}
		})
		all.Go(func() {
			for range 50 {
				invokeSmall()
			}
		})
	}
	all.Wait()
}
