package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
)

// Invoke sends one request, with the end of its log asked for, and reads how it
// was served off that.
func (d *deployment) Invoke(ctx context.Context, r platform.Request) (platform.Response, error) {
	limited, cancel := context.WithTimeout(ctx, d.longest())
	defer cancel()
	var first atomic.Int64 // ns after sent; the transport may still write it after its request was given up
	sent := time.Now()
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { first.Store(int64(time.Since(sent))) },
	})
	evicted := d.cold.Swap(false)
	out, err := d.p.invoker.Invoke(traced, &lambda.InvokeInput{
		FunctionName: &d.name, Qualifier: d.version.Load(), Payload: r.Payload, LogType: types.LogTypeTail,
	})
	took := time.Since(sent)
	var response platform.Response
	if at := first.Load(); at != 0 {
		response.FirstByte = sent.Add(time.Duration(at))
	}
	if err != nil {
		response.Status = statusOf(err)
		w := patience{caller: ctx, limit: d.longest()}
		w.begun.Store(!response.FirstByte.IsZero())
		return response, d.p.failure(&w, d.op, err)
	}
	response.Status, response.Body = int(out.StatusCode), out.Payload
	told := d.judge(out, sent, took, &response)
	if d.function.Existing != "" {
		d.p.memory.tell(d.function.Name, told.memory)
	}
	switch e := &response.Evidence; {
	case evicted && e.Start == sample.Warm:
		d.p.disproved.Add(1)
	case !evicted && e.Start == sample.Cold && e.Instance == "":
		d.p.unheld.Add(1)
	}
	if out.FunctionError != nil {
		return response, &platform.Error{Kind: told.kind(out.Payload), Op: d.op, Err: d.p.functionError(out.Payload)}
	}
	return response, nil
}

// longest is more than any answer takes: the function's time, its init, and
// the API's own.
func (d *deployment) longest() time.Duration {
	return d.function.Timeout + LambdaLimits().Init + d.p.options.Answer
}

// judge reads the answer's report and says by it how the request was served.
// A report that is of another request says nothing, and neither does one of a
// handler that took longer than the request. A beacon beside it is held
// against it, and where there is no report it is the evidence.
func (d *deployment) judge(out *lambda.InvokeOutput, sent time.Time, took time.Duration, response *platform.Response) report {
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	r, cold, restored, ok := readReport(log)
	own, arrived := beacon.InAnswer(out.Payload), sent.Add(took)
	if err != nil || !ok {
		response.Evidence = d.p.beacons.Judge(own, sent, arrived)
		if response.Evidence.Start == sample.Unknown {
			d.p.silent.Add(1)
		}
		return r
	}
	if id, known := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); known && id != r.request {
		d.p.foreign.Add(1)
		return report{}
	}
	if r.duration > took+roundings(took) {
		d.p.impossible.Add(1)
		return report{}
	}
	response.Billed = r.billed
	e := &response.Evidence
	if restored { // the process began before the snapshot was taken, and others of it have
		*e = platform.Evidence{Start: sample.Restored, Grade: sample.Attested}
		e.Breakdown.Handler, e.Breakdown.Provision = r.duration, r.restore
		return r
	}
	*e = d.p.beacons.Beside(cold, own, sent, arrived)
	e.Breakdown.Handler = r.duration
	switch {
	case e.Start == sample.Unknown: // one of the two has lied
	case cold && (e.Start == sample.Provisioned || r.init+r.duration > took):
		// The line has the init of an instance that was started ahead, too, though
		// it was long before the request: the process is older than the request, or
		// its init does not fit into that.
		e.Start = sample.Provisioned
		d.p.ahead.Add(1)
	case cold && d.p.options.Provisioned > 0:
		// It may have spilled over and had one started.
		e.Start, e.Grade = sample.Unknown, sample.NoGrade
	case e.Start == sample.Cold:
		e.Breakdown.Init = r.init
	}
	return r
}

// roundings are how much longer than a request its handler may seem to have taken:
// by the hundredths of milliseconds of the report, and by another machine's clock,
// which is wrong by less than a thousandth.
func roundings(took time.Duration) time.Duration { return 10*time.Microsecond + took/1000 }

// kind is what went wrong with an invocation whose function failed.
func (r *report) kind(body []byte) sample.ErrorKind {
	var doc errorDocument
	_ = json.Unmarshal(body, &doc) // what cannot be read has no type
	failed := []string{doc.Type, r.errorType}
	is := func(types ...string) bool {
		return slices.ContainsFunc(failed, func(t string) bool { return slices.Contains(types, t) })
	}
	switch {
	case r.status == "timeout" || is("Sandbox.Timedout") || strings.Contains(doc.Message, "Task timed out after"),
		strings.Contains(doc.Message, "Lambda timeout"): // serverless-offline's words
		return sample.Timeout
	case is("Function.ResponseSizeTooLarge"):
		return sample.Payload
	case r.initFailed || is("Runtime.ImportModuleError", "Runtime.HandlerNotFound", "Runtime.UserCodeSyntaxError",
		"Runtime.MalformedHandlerName", "Runtime.InvalidEntrypoint", "Extension.InitError"):
		return sample.Init
	case is("Runtime.OutOfMemory"), is("Runtime.ExitError") && strings.Contains(doc.Message, "signal: killed") && r.used > 0 && r.used >= r.memory:
		return sample.OutOfMemory
	case is("Runtime.ExitError", "Extension.Crash"):
		return sample.Crash
	}
	return sample.Handler
}

// errorDocument is what a function that failed answers with.
type errorDocument struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// functionError is what a function that failed says of it.
func (p *Platform) functionError(body []byte) error {
	var doc errorDocument
	if err := json.Unmarshal(body, &doc); err != nil || doc.Type+doc.Message == "" {
		return fmt.Errorf("the function failed: %q", p.secrets.Words(string(body)))
	}
	return errors.New("the function failed: " + p.secrets.Words(doc.Type+": "+doc.Message))
}
