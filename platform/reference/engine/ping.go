package engine

import (
	"context"

	"github.com/coldcurve/coldcurve/analysis/usage"
)

// PingPayload is what a function gets with a keep-warm ping. One that is not
// to work for it returns at once when it sees it.
const PingPayload = `{"source":"coldcurve.keep-warm"}`

// ping invokes the version once to keep an instance warm, as a request like any
// other: it may be cold, wait, and be refused, and it is charged. Called with
// mu held.
func (v *Version) ping() {
	if v.rt.closing || v.retired {
		return
	}
	v.rt.running++ // so that Close waits for it to be charged
	go func() {
		defer v.rt.release()
		// What becomes of it is in the charge; nobody else wants to know.
		_, _ = v.Invoke(context.Background(), Invocation{Payload: []byte(PingPayload), Consumer: usage.KeepWarm})
	}()
}
