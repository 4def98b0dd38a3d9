// Package beacon owns what a function says of itself in the headers of its
// replies, and what that proves.
//
// In: the headers of a reply and the instant at which its request was sent, and
// the platform's own word where it gives one. Out: [platform.Evidence] of grade
// Beacon (Attested beside such a word), or none. A beacon tells how often its
// process has served, and how long it has been there; it cannot tell that a
// request waited for a start that another request caused, so such a request
// counts as warm, or as provisioned. No latency is evidence here, and the times
// of two machines are held against each other by [ClockDifference] alone.
package beacon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// The headers of a beacon. The first two must be there, once each.
const (
	// Instance is a word that the process draws at random when it starts, of
	// at most 128 bytes.
	Instance = "X-Coldcurve-Instance"
	// Ordinal is the count of requests that the process has taken, this one
	// included: 1 for its first.
	Ordinal = "X-Coldcurve-Ordinal"
	// Started is when the process began, as one text for all of its replies:
	// milliseconds since 1970, and after a space what tells it from another that
	// began with it. It may be left out.
	Started = "X-Coldcurve-Started"
	// Age is how many whole milliseconds the process had been there at least when
	// it made the reply, by its own clock. It may be left out; then a process that
	// was there before its first request cannot be told from one that was not.
	Age = "X-Coldcurve-Age"
)

const longestInstance = 128

// ClockDifference is the most that the clocks of the harness and of a process are
// taken to be apart, where only they tell which of two things was first.
const ClockDifference = time.Minute

// Ledger remembers what instances have said, to hold them to it. The zero
// value is ready. It is safe for concurrent use.
type Ledger struct {
	mu        sync.Mutex
	instances map[string]*instance
	started   map[string]time.Time // by that text, when the first reply with it arrived
	counts    Counts
}

// instance is what is known of one process.
type instance struct {
	heard     time.Time // its first reply arrived
	started   string    // as that one said
	began     bool      // ordinal 1 has been claimed
	highest   uint64    // ordinal, of the replies so far
	highestAt time.Time // the reply with it arrived
}

// Judge says how a request was served whose reply carries header. It was sent
// and its reply has arrived at the given times.
//
//   - ordinal 1 from a process that nobody had heard of when the request was
//     sent: cold; provisioned, if the process is older than the request
//   - a higher ordinal: warm
//   - what cannot be (a second first request, an ordinal no higher than one
//     that had arrived before the request was sent, a process that began
//     twice, or has a second word): unknown, and counted
//   - ordinal 1 without an age, from a process that began long before the
//     request by its own clock: unknown, and counted
//
// Replies may overtake each other: a process that serves several requests at
// once is not held to their order.
func (l *Ledger) Judge(header http.Header, sent, arrived time.Time) platform.Evidence {
	evidence, _ := l.judge(header, sent, arrived)
	if evidence.Start == sample.Cold && len(header[Age]) == 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.counts.Ageless++
	}
	return evidence
}

// Beside is Judge where the platform tells, too, whether the request waited for
// an instance to be started. It is taken at its word, of grade Attested, and the
// beacon says what kind of wait or start that was:
//
//   - waited, ordinal 1: cold; a higher ordinal of a process that nobody had
//     heard of when the request was sent: queued behind the start
//   - not waited, ordinal 1: provisioned, started ahead of demand
//   - waited, ordinal 1 of a process that is older than the request:
//     provisioned, too; what the wait was for is the platform's to know
//   - waited, of a process that had answered before: unknown, and counted
//
// Without a beacon to hold against it, a wait is a cold start.
func (l *Ledger) Beside(waited bool, header http.Header, sent, arrived time.Time) platform.Evidence {
	own, heard := l.judge(header, sent, arrived)
	out := platform.Evidence{Instance: own.Instance, Start: sample.Warm, Grade: sample.Attested}
	switch {
	case own.Instance != "" && own.Start == sample.Unknown:
		return own // it contradicts itself
	case waited && heard:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.counts.Disproved++
		return platform.Evidence{Instance: own.Instance}
	case waited && own.Start == sample.Warm:
		out.Start = sample.Queued
	case own.Start == sample.Provisioned, own.Start == sample.Cold && !waited:
		out.Start = sample.Provisioned
	case waited:
		out.Start = sample.Cold
	}
	return out
}

// judge is Judge, and says whether the process had been heard of when the
// request was sent.
func (l *Ledger) judge(header http.Header, sent, arrived time.Time) (e platform.Evidence, heard bool) {
	own, ok := read(header)
	if own.name == "" && ok {
		return platform.Evidence{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		l.counts.Malformed++
		return platform.Evidence{}, false
	}
	known := l.instance(&own, arrived)
	heard = known.heard.Before(sent)
	possible := known.started == own.started && known.allows(own.ordinal, sent)
	known.note(own.ordinal, arrived)
	e = platform.Evidence{Instance: own.name, Start: sample.Warm, Grade: sample.Beacon}
	switch {
	case !possible:
		l.counts.Contradictions++
		e.Start = sample.Unknown
	case own.ordinal == 1:
		e.Start = l.first(&own, sent, arrived)
	}
	if e.Start == sample.Unknown {
		e.Grade = sample.NoGrade
	}
	return e, heard
}

// instance is what is known of a beacon's process; it is from now on.
func (l *Ledger) instance(own *reading, arrived time.Time) *instance {
	if l.instances == nil {
		l.instances, l.started = map[string]*instance{}, map[string]time.Time{}
	}
	known, found := l.instances[own.name]
	if !found {
		known = &instance{heard: arrived, started: own.started}
		l.instances[own.name] = known
	}
	if before, found := l.started[own.started]; !found || arrived.Before(before) {
		l.started[own.started] = arrived
	}
	return known
}

// first says how the request was served that was its process's first.
func (l *Ledger) first(own *reading, sent, arrived time.Time) sample.Start {
	took := arrived.Sub(sent)
	took += took / 1000 // another machine's clock is wrong by less
	began, dated := own.began()
	switch {
	case own.started != "" && l.started[own.started].Before(sent):
		l.counts.Renamed++
		return sample.Unknown
	case own.aged && own.age > took:
		return sample.Provisioned
	case !own.aged && dated && sent.Sub(began) > ClockDifference:
		l.counts.Stale++
		return sample.Unknown
	}
	return sample.Cold
}

func (i *instance) allows(ordinal uint64, sent time.Time) bool {
	if ordinal == 1 {
		return !i.began && !i.heard.Before(sent)
	}
	return ordinal > i.highest || !i.highestAt.Before(sent)
}

func (i *instance) note(ordinal uint64, arrived time.Time) {
	i.began = i.began || ordinal == 1
	if ordinal > i.highest {
		i.highest, i.highestAt = ordinal, arrived
	}
}

// Counts are the beacons that proved nothing, or less than they claim, so far.
type Counts struct {
	Malformed      uint64 // one header without the other, no number, an instance that is too long
	Contradictions uint64 // what cannot be
	Disproved      uint64 // a platform's word that a request waited for a start, of a process that had answered before
	Renamed        uint64 // a first request of a process that had answered under another word
	Stale          uint64 // a first request of a process that began long before it, by its own clock alone
	Ageless        uint64 // a cold start by a beacon alone that tells no age: the process may have been there before
}

// Notes are the counts for a reader of the results.
func (c Counts) Notes() (notes []string) {
	note := func(n uint64, format string, args ...any) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(format, append([]any{n}, args...)...))
		}
	}
	note(c.Contradictions, "%d beacons say what cannot be: the start kinds of those answers are unknown")
	note(c.Renamed, "%d beacons tell a first request of a process that had answered under another word: the start kinds of those answers are unknown "+
		"(is the beacon made anew for each request, or each instance restored from one snapshot?)")
	note(c.Stale, "%d beacons tell a first request and no age ("+Age+") of a process that began more than %s before it by its own clock: "+
		"the start kinds of those answers are unknown", units.FormatDuration(ClockDifference))
	note(c.Ageless, "%d cold starts are by beacons that do not tell their process's age ("+Age+"): one that was there before its first request counts among them")
	note(c.Disproved, "%d times the platform told a start of a process that had answered before: those start kinds are unknown")
	note(c.Malformed, "%d beacons cannot be read")
	return notes
}

// Counts gives the counts.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// reading is what one beacon says.
type reading struct {
	name    string
	ordinal uint64
	started string
	age     time.Duration
	aged    bool // it tells an age
}

// began is when the process did, by its machine's clock; not ok where that is not
// told, or cannot be read.
func (r *reading) began() (at time.Time, ok bool) {
	text, _, _ := strings.Cut(r.started, " ")
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err == nil
}

// read gives a beacon; one without a name and true where there is none.
func read(header http.Header) (r reading, ok bool) {
	names, ordinals, ages := header[Instance], header[Ordinal], header[Age]
	if len(names) == 0 && len(ordinals) == 0 {
		return r, true
	}
	if len(names) != 1 || len(ordinals) != 1 || len(ages) > 1 || names[0] == "" || len(names[0]) > longestInstance {
		return r, false
	}
	ordinal, err := strconv.ParseUint(ordinals[0], 10, 64)
	r = reading{name: names[0], ordinal: ordinal, started: header.Get(Started), aged: len(ages) == 1}
	if err != nil || ordinal == 0 {
		return r, false
	}
	if r.aged {
		ms, err := strconv.ParseUint(ages[0], 10, 63)
		if err != nil || ms > uint64(math.MaxInt64/time.Millisecond) {
			return r, false
		}
		r.age = time.Duration(ms) * time.Millisecond
	}
	return r, true
}

// InAnswer is the beacon that a function's answer carries among the headers of
// its document, as functions behind a URL answer; empty for none.
func InAnswer(body []byte) http.Header {
	header := make(http.Header)
	var document struct {
		Headers map[string]any `json:"headers"`
	}
	if !bytes.HasPrefix(body, []byte("{")) || json.Unmarshal(body, &document) != nil {
		return header
	}
	for name, v := range document.Headers {
		if text, ok := v.(string); ok {
			header.Add(name, text)
		}
	}
	return header
}
