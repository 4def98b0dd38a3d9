package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Destinations are where records of ended events may go beside functions.
type Destinations struct {
	// Folder takes the records that are addressed to "file:NAME": each is a file
	// of its own in Folder/NAME. The default is to refuse them.
	Folder string
}

// Destination is where a record goes: a function, or a folder's name.
type Destination struct {
	Function, Qualifier string
	Folder              string
}

// ParseDestination reads a function's ARN, or "file:NAME" (coldcurve's own).
func ParseDestination(text string) (Destination, error) {
	if name, ok := strings.CutPrefix(text, "file:"); ok {
		if !isFolderName(name) {
			return Destination{}, fmt.Errorf("destination %q: the name of a folder is 1 to 64 letters, digits, -, _ and ., the first no dot; write for example file:failures", text)
		}
		return Destination{Folder: name}, nil
	}
	_, rest, ok := strings.Cut(text, ":function:")
	if !ok || !strings.HasPrefix(text, "arn:") || rest == "" {
		return Destination{}, fmt.Errorf("destination %q: write a function's ARN, or file:NAME", text)
	}
	name, qualifier, _ := strings.Cut(rest, ":")
	return Destination{Function: name, Qualifier: qualifier}, nil
}

// isFolderName says whether a name is one folder's on every file system.
func isFolderName(name string) bool {
	for _, c := range name {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.", c)) {
			return false
		}
	}
	return 0 < len(name) && len(name) <= 64 && name[0] != '.'
}

// record is Lambda's account of how an asynchronous invocation ended.
type record struct {
	Version        string          `json:"version"`
	Timestamp      string          `json:"timestamp"`
	Request        recordRequest   `json:"requestContext"`
	RequestPayload json.RawMessage `json:"requestPayload"`
	Response       *recordResponse `json:"responseContext,omitempty"`
	Reply          json.RawMessage `json:"responsePayload,omitempty"`
}

type recordRequest struct {
	ID        string    `json:"requestId"`
	ARN       string    `json:"functionArn"`
	Condition Condition `json:"condition"`
	Attempts  int       `json:"approximateInvokeCount"`
}

type recordResponse struct {
	Status  int    `json:"statusCode"`
	Version string `json:"executedVersion"`
	Error   string `json:"functionError,omitempty"`
}

func (p *pending) record(arn string, c Condition) ([]byte, error) {
	r := record{
		Version:   "1.0",
		Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		Request: recordRequest{
			ID: p.Invocation.RequestID, ARN: arn, Condition: c, Attempts: p.attempts,
		},
		RequestPayload: document(p.Invocation.Payload),
	}
	if p.last.Version != "" {
		r.Response = &recordResponse{Status: 200, Version: p.last.Version, Error: p.last.FunctionError}
		r.Reply = document(p.last.Body)
	}
	return json.Marshal(r)
}

// document is text as a JSON value, whatever it is.
func document(text []byte) json.RawMessage {
	switch {
	case len(text) == 0:
		return json.RawMessage("null")
	case json.Valid(text):
		return text
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		panic(err) // a string can be marshalled
	}
	return quoted
}

// deliver sends the record of an event's end where its function wants it.
func (q *Queue) deliver(p *pending, c Condition) {
	config := q.config(p)
	target := config.OnFailure
	if c == Success {
		target = config.OnSuccess
	}
	if target == "" {
		return
	}
	err := q.send(p, c, target)
	if err != nil {
		q.o.Log("event %s for %s: its record did not reach %s: %v", p.Invocation.RequestID, p.Function, target, err)
	}
}

func (q *Queue) send(p *pending, c Condition, target string) error {
	to, err := ParseDestination(target)
	if err != nil {
		return err
	}
	text, err := p.record(q.o.arn(p.Function, p.Qualifier), c)
	if err != nil {
		return err
	}
	if to.Folder != "" {
		return q.o.Destinations.write(to.Folder, p.Invocation.RequestID, text)
	}
	_, err = q.Accept(Event{
		Function: to.Function, Qualifier: to.Qualifier, depth: p.depth + 1,
		Invocation: engine.Invocation{
			Payload: text, Consumer: p.Invocation.Consumer, Stage: p.Invocation.Stage,
			Trigger: sample.Async, Triggered: q.o.Clock.Now(),
		},
	})
	return err
}

var errNoFolder = errors.New("the runtime was given no folder for destinations")

// write makes a record a file: under another name first, so that nobody reads half of it.
func (d Destinations) write(folder, id string, text []byte) error {
	if d.Folder == "" {
		return errNoFolder
	}
	dir := filepath.Join(d.Folder, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	half := filepath.Join(dir, "."+id+".part")
	if err := os.WriteFile(half, text, 0o600); err != nil {
		return errors.Join(err, os.Remove(half))
	}
	return os.Rename(half, filepath.Join(dir, id+".json"))
}
