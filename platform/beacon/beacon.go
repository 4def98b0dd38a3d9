// Package beacon owns what a function says of itself in the headers of its
// replies, and what that proves.
//
// In: the headers of a reply and the instant at which its request was sent, and
// the platform's own word where it gives one. Out: [platform.Evidence] of grade
// Beacon (Attested beside such a word), or none. A beacon tells how often
// its process has served; it cannot tell that a request waited for a start that
// another request caused, so such a request counts as warm. No latency and no
// clock but the harness's own is evidence here.
package beacon

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
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
	// Started is when the process began, as one text for all of its replies. It
	// may be left out.
	Started = "X-Coldcurve-Started"
)

const longestInstance = 128

// Ledger remembers what instances have said, to hold them to it. The zero
// value is ready. It is safe for concurrent use.
type Ledger struct {
	mu        sync.Mutex
	instances map[string]*instance
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
//     sent: cold
//   - a higher ordinal: warm
//   - what cannot be (a second first request, an ordinal no higher than one
//     that had arrived before the request was sent, a process that began
//     twice): unknown, and counted
//
// Replies may overtake each other: a process that serves several requests at
// once is not held to their order.
func (l *Ledger) Judge(header http.Header, sent, arrived time.Time) platform.Evidence {
	evidence, _ := l.judge(header, sent, arrived)
	return evidence
}

// Beside is Judge where the platform tells, too, whether the request waited for
// an instance to be started. It is taken at its word, of grade Attested, and the
// beacon says what kind of wait or start that was:
//
//   - waited, ordinal 1: cold; a higher ordinal of a process that nobody had
//     heard of when the request was sent: queued behind the start
//   - not waited, ordinal 1: provisioned, started ahead of demand
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
	case waited:
		out.Start = sample.Cold
	case own.Start == sample.Cold:
		out.Start = sample.Provisioned
	}
	return out
}

// judge is Judge, and says whether the process had been heard of when the
// request was sent.
func (l *Ledger) judge(header http.Header, sent, arrived time.Time) (e platform.Evidence, heard bool) {
	name, ordinal, ok := read(header)
	if name == "" && ok {
		return platform.Evidence{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok {
		l.counts.Malformed++
		return platform.Evidence{}, false
	}
	known, found := l.instances[name]
	if !found {
		if l.instances == nil {
			l.instances = map[string]*instance{}
		}
		known = &instance{heard: arrived, started: header.Get(Started)}
		l.instances[name] = known
	}
	heard = known.heard.Before(sent)
	possible := known.started == header.Get(Started) && known.allows(ordinal, sent)
	known.note(ordinal, arrived)
	e = platform.Evidence{Instance: name, Start: sample.Warm, Grade: sample.Beacon}
	switch {
	case !possible:
		l.counts.Contradictions++
		e.Start, e.Grade = sample.Unknown, sample.NoGrade
	case ordinal == 1:
		e.Start = sample.Cold
	}
	return e, heard
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

// Counts are the beacons that proved nothing, so far.
type Counts struct {
	Malformed      uint64 // one header without the other, no number, an instance that is too long
	Contradictions uint64 // what cannot be
	Disproved      uint64 // a platform's word that a request waited for a start, of a process that had answered before
}

// Counts gives the counts.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// read gives a beacon; an empty name and true where there is none.
func read(header http.Header) (name string, ordinal uint64, ok bool) {
	names, ordinals := header[Instance], header[Ordinal]
	if len(names) == 0 && len(ordinals) == 0 {
		return "", 0, true
	}
	if len(names) != 1 || len(ordinals) != 1 || names[0] == "" || len(names[0]) > longestInstance {
		return "", 0, false
	}
	ordinal, err := strconv.ParseUint(ordinals[0], 10, 64)
	return names[0], ordinal, err == nil && ordinal > 0
}
