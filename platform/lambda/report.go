package lambda

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// report is what the end of an invocation's log says: Lambda's REPORT line,
//
//	REPORT RequestId: ID\tDuration: 155.51 ms\tBilled Duration: 156 ms\tMemory Size: 1769 MB\tMax Memory Used: 40 MB\tInit Duration: 98.40 ms
//
// A field that is not there is 0 or "".
type report struct {
	request       string
	duration      time.Duration // of the handler; without init
	billed        time.Duration
	init, restore time.Duration
	memory, used  units.Bytes
	status        string // "timeout" or "error", of an invocation that failed in that way
	errorType     string
	initFailed    bool // an INIT_REPORT line says so
}

// cold and restored say how the instance came to be. They do not go by a
// duration, which may be printed as 0.00.
func readReport(log []byte) (r report, cold, restored, ok bool) {
	for line := range bytes.Lines(log) {
		text := strings.TrimRight(string(line), "\r\n")
		switch {
		case strings.HasPrefix(text, "INIT_REPORT "):
			r.initFailed = strings.Contains(text, "\tStatus: ")
		case strings.HasPrefix(text, "REPORT RequestId: "):
			failed := r.initFailed // INIT_REPORT stands before it
			r, cold, restored, ok = readLine(text)
			r.initFailed = failed
		}
	}
	return r, cold, restored, ok
}

// readLine reads one REPORT line. One that does not tell a duration or has one
// that cannot be read is none.
func readLine(text string) (r report, cold, restored, ok bool) {
	duration, billed := false, false
	for i, field := range strings.Split(text, "\t") {
		name, value, found := strings.Cut(field, ": ")
		if !found {
			continue // X-Ray's fields end the line, some without a value
		}
		ok = true
		switch value = strings.TrimSpace(value); name {
		case "REPORT RequestId":
			r.request = value
			ok = i == 0
		case "Duration":
			r.duration, duration = milliseconds(value)
			ok = duration
		case "Billed Duration":
			r.billed, billed = milliseconds(value)
			ok = billed
		case "Init Duration":
			r.init, cold = milliseconds(value)
			ok = cold
		case "Restore Duration":
			r.restore, restored = milliseconds(value)
			ok = restored
		case "Memory Size":
			r.memory, ok = megabytes(value)
		case "Max Memory Used":
			r.used, ok = megabytes(value)
		case "Status":
			r.status = value
		case "Error Type":
			r.errorType = value
		}
		if !ok {
			return report{}, false, false, false
		}
	}
	if !duration || !billed || r.request == "" {
		return report{}, false, false, false
	}
	return r, cold, restored, true
}

// milliseconds reads "155.51 ms". It is exact: the text has two decimals at
// most, and six are nanoseconds.
func milliseconds(text string) (time.Duration, bool) {
	number, ok := strings.CutSuffix(text, " ms")
	whole, part, _ := strings.Cut(number, ".")
	if !ok || whole == "" || len(whole) > 12 || len(part) > 6 {
		return 0, false
	}
	ns, err := strconv.ParseUint(whole+part+strings.Repeat("0", 6-len(part)), 10, 63)
	return time.Duration(ns), err == nil
}

func megabytes(text string) (units.Bytes, bool) {
	number, ok := strings.CutSuffix(text, " MB")
	n, err := strconv.ParseUint(number, 10, 32)
	return units.Bytes(n) * units.MB, ok && err == nil
}
