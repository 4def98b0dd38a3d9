package engine

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Truth is what happened to one invocation and when, in nanoseconds of the
// machine's CLOCK_MONOTONIC. What did not happen, or happened for somebody
// else's sake, is 0: a warm request has no Begun.
type Truth struct {
	Arrived      int64 // the request came
	Assigned     int64 // an instance was picked for it, or one was ordered
	Begun        int64 // its start began
	Provisioned  int64 // its process ran, the first one where init was begun anew
	Booted       int64 // its language runtime ran; 0 where that is not told
	Ready        int64 // its init was done
	Failed       int64 // or had failed for good
	HandlerStart int64 // the request was handed over
	HandlerEnd   int64 // its reply was there
	Replied      int64 // the answer left the engine
	Triggered    int64 // what led to the request happened, as its caller says; 0 for a direct one
}

// instants are the fields in the order of the text form.
func (t *Truth) instants() [11]*int64 {
	return [...]*int64{
		&t.Arrived, &t.Assigned, &t.Begun, &t.Provisioned, &t.Booted,
		&t.Ready, &t.Failed, &t.HandlerStart, &t.HandlerEnd, &t.Replied,
		&t.Triggered,
	}
}

// AppendText appends the instants as decimal numbers, in the order of the
// fields, with commas between.
func (t Truth) AppendText(b []byte) ([]byte, error) {
	for i, v := range t.instants() {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, *v, 10)
	}
	return b, nil
}

// ParseTruth reads what AppendText wrote.
func ParseTruth(text string) (Truth, error) {
	var t Truth
	instants := t.instants()
	rest := text
	for i, v := range instants {
		field, after, more := strings.Cut(rest, ",")
		if last := i == len(instants)-1; more == last {
			return Truth{}, fmt.Errorf("parse truth %q: want %d numbers", text, len(instants))
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || n < 0 {
			return Truth{}, fmt.Errorf("parse truth %q: bad number %q", text, field)
		}
		*v, rest = n, after
	}
	return t, nil
}

// Breakdown takes the invocation apart. Where the language runtime's own first
// instruction is not told, Boot is 0 and Init holds both. An init that was
// begun anew, or failed, is Init as any other.
func (t Truth) Breakdown() sample.Breakdown {
	return sample.Breakdown{
		Trigger:   between(t.Triggered, t.Arrived),
		Queue:     between(t.Arrived, t.Assigned),
		Provision: between(t.Assigned, t.Provisioned),
		Boot:      between(t.Provisioned, t.Booted),
		Init:      between(max(t.Provisioned, t.Booted), t.initEnd()),
		Handler:   between(t.HandlerStart, t.HandlerEnd),
	}
}

// Init is what Lambda calls the init duration, boot included, whether it came
// to an end or to nothing; 0 for a request that started nothing.
func (t Truth) Init() time.Duration { return between(t.Provisioned, t.initEnd()) }

func (t Truth) initEnd() int64 { return cmp.Or(t.Ready, t.Failed) }

// Duration is the handler's time.
func (t Truth) Duration() time.Duration { return between(t.HandlerStart, t.HandlerEnd) }

// between is 0 if either instant is not known.
func between(from, to int64) time.Duration {
	if from == 0 || to == 0 {
		return 0
	}
	return time.Duration(max(0, to-from))
}
