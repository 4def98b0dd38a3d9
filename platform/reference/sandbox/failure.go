package sandbox

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// OutOfMemory is Lambda's errorType of an instance that was killed for
// exceeding its memory limit.
const OutOfMemory = "Runtime.OutOfMemory"

// TimedOut is the failure of an instance that has not answered within limit;
// request is empty in init.
func TimedOut(request string, limit time.Duration, log []byte) *Failure {
	return &Failure{Kind: sample.Timeout, Type: "Sandbox.Timedout", Log: log,
		Cause:   fmt.Errorf("no answer within %v", limit),
		Message: fmt.Sprintf("%sError: Task timed out after %.2f seconds", ForRequest(request), limit.Seconds())}
}

// ForRequest is how Lambda begins the message of a request's failure; nothing
// for the empty id of init.
func ForRequest(id string) string {
	if id == "" {
		return ""
	}
	return "RequestId: " + id + " "
}
