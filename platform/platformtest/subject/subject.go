// Package subject owns the function that the conformance kit deploys: it does
// what each request tells it, and answers with an account of itself that the
// kit holds the platform's evidence against.
//
// In: a [Request] as JSON. Out: an [Answer], or a failure of the kind that was
// asked for. [Build] makes it deployable; it knows no platform and judges none.
package subject

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/fixtures/beacon"
)

// What a subject can be told to do. The last two run into a limit.
const (
	Echo  = "echo"  // answer with Text
	Sleep = "sleep" // and then answer, after MS
	Hold  = "hold"  // and then answer, when the [Gate] that Text names is open
	Fail  = "fail"  // report an error
	Exit  = "exit"  // end the process
	Large = "large" // answer with so many Bytes
)

// BrokenInit is the environment variable that has a subject end before it is
// ready for requests.
const BrokenInit = "SUBJECT_BROKEN"

// Request is what a subject is told.
type Request struct {
	Do    string `json:"do"`
	Text  string `json:"text,omitempty"`
	MS    int    `json:"ms,omitempty"`
	Bytes int    `json:"bytes,omitempty"`
}

// Answer is what it says.
type Answer struct {
	Text     string `json:"text"`
	Instance string `json:"instance"` // of its beacon, as the next
	Ordinal  uint64 `json:"ordinal"`
	Size     int    `json:"size"` // of the request that it got, in bytes
}

// Subject is one instance of the function. The zero value is ready.
type Subject struct {
	counter beacon.Counter
	// End ends the process. The default does.
	End func()
}

// Handle serves one request, as lambdago wants it.
func (s *Subject) Handle(event []byte) ([]byte, error) {
	answer, _, err := s.Serve(context.Background(), event)
	return answer, err
}

// Serve serves one request whose caller stays until ctx ends, and gives the
// beacon beside the answer.
func (s *Subject) Serve(ctx context.Context, event []byte) ([]byte, beacon.Beacon, error) {
	var r Request
	if err := json.Unmarshal(event, &r); err != nil {
		return nil, beacon.Beacon{}, fmt.Errorf("subject: %w", err)
	}
	own := s.counter.Next()
	switch r.Do {
	case Sleep:
		select {
		case <-time.After(time.Duration(r.MS) * time.Millisecond):
		case <-ctx.Done():
			return nil, own, ctx.Err()
		}
	case Hold:
		if err := Gate(r.Text).pass(ctx); err != nil {
			return nil, own, err
		}
	case Fail:
		return nil, own, fmt.Errorf("failed as it was told: %s", r.Text)
	case Exit:
		s.end()
	case Large:
		const quotes = 2
		return []byte(`"` + strings.Repeat("x", r.Bytes-quotes) + `"`), own, nil
	}
	text, err := json.Marshal(Answer{Text: r.Text, Instance: own.Instance, Ordinal: own.Ordinal, Size: len(event)})
	return text, own, err
}

func (s *Subject) end() {
	if s.End == nil {
		os.Exit(3)
	}
	s.End()
}
