package reference

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// never is a runtime that takes requests and answers none.
type never struct{}

func (never) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// TestSilenceIsBoundedAndExplained deploys to a runtime that stands still.
func TestSilenceIsBoundedAndExplained(t *testing.T) {
	c := &Client{
		child: &child{cmd: &exec.Cmd{Process: &os.Process{Pid: 4711}}, exited: make(chan struct{})},
		http:  &http.Client{Transport: never{}}, limit: time.Millisecond,
	}
	_, err := c.Deploy(t.Context(), platform.Function{Name: "f", Runtime: platform.Go, Code: "code"})
	if platform.KindOf(err) != sample.Timeout || !strings.Contains(fmt.Sprint(err), "POST /2015-03-31/functions: no answer from the runtime, process 4711, within 1ms") {
		t.Errorf("got %v (%v), want a timeout that names the request and the process", err, platform.KindOf(err))
	}
}
