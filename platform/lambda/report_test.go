package lambda

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
)

const id = "5c1ac1a5-7d2f-4a0e-9d2c-0123456789ab"

func TestReadReport(t *testing.T) {
	const begin = "START RequestId: " + id + " Version: $LATEST\nREPORT of sales: none\nEND RequestId: " + id + "\n"
	line := "REPORT RequestId: " + id + "\tDuration: 155.51 ms\tBilled Duration: 156 ms\tMemory Size: 1769 MB\tMax Memory Used: 40 MB\t"
	usual := report{request: id, duration: 155510 * time.Microsecond, billed: 156 * time.Millisecond, memory: 1769 * units.MB, used: 40 * units.MB}
	with := func(edit func(*report)) report {
		r := usual
		edit(&r)
		return r
	}
	for _, tt := range []struct {
		name, log      string
		want           report
		cold, restored bool
	}{
		{"warm", begin + line + "\n", usual, false, false},
		{"cold", begin + line + "Init Duration: 98.40 ms\t\n", with(func(r *report) { r.init = 98400 * time.Microsecond }), true, false},
		{"an init that rounds to nothing", line + "Init Duration: 0.00 ms\n", usual, true, false},
		{
			"SnapStart", begin + line + "Restore Duration: 398.57 ms\tBilled Restore Duration: 50 ms\t\n",
			with(func(r *report) { r.restore = 398570 * time.Microsecond }), false, true,
		},
		{"X-Ray", line + "Init Duration: 1 ms\t\nXRAY TraceId: 1-5759\tSegmentId: 53995c3f\tSampled: true\n", with(func(r *report) { r.init = time.Millisecond }), true, false},
		{"a timeout", line + "Status: timeout\n", with(func(r *report) { r.status = "timeout" }), false, false},
		{
			"an init that failed", "INIT_REPORT Init Duration: 19.23 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n" +
				line + "Status: error\tError Type: Runtime.ExitError\n",
			with(func(r *report) { r.status, r.errorType, r.initFailed = "error", "Runtime.ExitError", true }), false, false,
		},
	} {
		got, cold, restored, ok := readReport([]byte(tt.log))
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(report{})); diff != "" || !ok || cold != tt.cold || restored != tt.restored {
			t.Errorf("%s: cold %v, restored %v, read %v, -want +got:\n%s", tt.name, cold, restored, ok, diff)
		}
	}
	for _, bad := range []string{
		"", "REPORT RequestId: x\tDuration: 1 ms\n", "REPORT RequestId: \tDuration: 1.00 ms\tBilled Duration: 1 ms\n",
		line + "Init Duration: -1 ms\n", line + "Init Duration: 1.0000001 ms\n", line + "Init Duration: 1 s\n",
		"Duration: 1.00 ms\tBilled Duration: 1 ms\tREPORT RequestId: x\n", "xREPORT RequestId: x\tDuration: 1 ms\tBilled Duration: 1 ms\n",
	} {
		if got, _, _, ok := readReport([]byte(bad)); ok {
			t.Errorf("%q was read as %+v", bad, got)
		}
	}
}

// FuzzReadReport holds the reader against a regular expression over the same
// line: what one reads the other does, and the same.
func FuzzReadReport(f *testing.F) {
	f.Add(155.51, uint32(156), true, 98.4, "\t")
	f.Add(0.0, uint32(0), false, 0.0, "\nREPORT RequestId: ")
	oracle := regexp.MustCompile(`^REPORT RequestId: (\S+)\tDuration: ([0-9.]+) ms\tBilled Duration: ([0-9]+) ms(?:\tInit Duration: ([0-9.]+) ms)?$`)
	f.Fuzz(func(t *testing.T, duration float64, billed uint32, cold bool, init float64, noise string) {
		readReport([]byte(noise)) // anything may stand in a log
		duration, init = math.Abs(math.Mod(duration, 1e6)), math.Abs(math.Mod(init, 1e6))
		if math.IsNaN(duration) || math.IsNaN(init) {
			return
		}
		text := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms", id, duration, billed)
		if cold {
			text += fmt.Sprintf("\tInit Duration: %.2f ms", init)
		}
		got, isCold, _, ok := readReport([]byte(text + "\n"))
		parts := oracle.FindStringSubmatch(text)
		if parts == nil || !ok || got.request != parts[1] || isCold != (parts[4] != "") {
			t.Fatalf("%q: read %+v, %v, %v; the oracle has %q", text, got, isCold, ok, parts)
		}
		ms := func(s string) time.Duration {
			v, _ := strconv.ParseFloat(s, 64)
			return time.Duration(math.Round(v * 1e6))
		}
		if got.duration != ms(parts[2]) || got.billed != ms(parts[3]) || cold && got.init != ms(parts[4]) {
			t.Errorf("%q: read %+v", text, got)
		}
	})
}

func TestKindOfFailures(t *testing.T) {
	for _, tt := range []struct {
		report report
		body   string
		want   sample.ErrorKind
	}{
		{report{}, `{"errorType":"KeyError","errorMessage":"'x'"}`, sample.Handler},
		{report{}, `not JSON`, sample.Handler},
		{report{status: "timeout"}, `{"errorType":"Sandbox.Timedout"}`, sample.Timeout},
		{report{}, `{"errorMessage":"2026-11-22T08:00:00Z 1 Task timed out after 3.00 seconds"}`, sample.Timeout},
		{report{}, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: exit status 1"}`, sample.Crash},
		{report{initFailed: true}, `{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}`, sample.Init},
		{report{}, `{"errorType":"Runtime.ImportModuleError","errorMessage":"No module named 'x'"}`, sample.Init},
		{report{used: 128, memory: 128}, `{"errorType":"Runtime.ExitError","errorMessage":"Error: Runtime exited with error: signal: killed"}`, sample.OutOfMemory},
		{report{used: 20, memory: 128}, `{"errorType":"Runtime.ExitError","errorMessage":"Error: Runtime exited with error: signal: killed"}`, sample.Crash},
		{report{}, `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded"}`, sample.Payload},
	} {
		if got := tt.report.kind([]byte(tt.body)); got != tt.want {
			t.Errorf("%+v %s: %s, want %s", tt.report, tt.body, got, tt.want)
		}
	}
}

// TestWhoseWordIsTaken tells AWS's own endpoints from others of its API.
func TestWhoseWordIsTaken(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"": true,
		"https://lambda.eu-central-1.amazonaws.com":              true,
		"https://vpce-1.lambda.eu-west-1.vpce.amazonaws.com:443": true,
		"https://lambda.cn-north-1.amazonaws.com.cn":             true,
		"http://127.0.0.1:9001":                                  false,
		"https://amazonaws.com.example.com":                      false,
		"https://notamazonaws.com":                               false,
	} {
		if got := (&Platform{endpoint: endpoint}).ofAWS(); got != want {
			t.Errorf("%q is AWS's own: %t", endpoint, got)
		}
	}
}
