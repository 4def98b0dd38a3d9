package reference

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/events"
)

// triggers are the ways to a function beside a direct invocation, tied to the
// catalog.
type triggers struct {
	catalog   *catalog.Catalog
	clock     clock.Monotonic
	queue     *events.Queue
	scheduler *events.Scheduler
	watcher   *events.Watcher
	say       func(format string, args ...any)

	mu      sync.Mutex
	folders map[string]string // by function: what Fire puts files into
	root    string            // of those, removed by close; "" before the first
}

// Schedule is when which function is invoked, of a runtime's configuration.
type Schedule struct {
	Name       string
	Function   string // name, or name:qualifier
	Expression string // rate(...), cron(...) or at(...), as Amazon EventBridge writes them
	Input      []byte // JSON; nil is EventBridge's own event
}

// Folder is a folder whose new files a function is told of, as S3 does.
type Folder struct {
	Bucket         string // as the function is told it
	Folder         string
	Prefix, Suffix string
	Function       string // name, or name:qualifier
}

// destination says what is wrong with where a record is to go.
func destination(data string) func(string) error {
	return func(name string) error {
		to, err := events.ParseDestination(name)
		if err == nil && to.Folder != "" && data == "" {
			err = errors.New("destination " + name + " needs a runtime that keeps data: serve --data DIR")
		}
		if err != nil {
			err = &catalog.Error{Exception: "InvalidParameterValueException", Status: http.StatusBadRequest, Message: err.Error(), Err: err}
		}
		return err
	}
}

func openTriggers(o ServeOptions, c *catalog.Catalog, say func(format string, args ...any)) (*triggers, error) {
	t := &triggers{catalog: c, clock: clock.New(), say: say, folders: make(map[string]string)}
	destinations := ""
	if o.Data != "" {
		destinations = filepath.Join(o.Data, "destinations")
	}
	t.queue = events.NewQueue(events.QueueOptions{
		Invoker: c, Rules: o.rules(), Config: t.config, Region: o.Region, Clock: t.clock, Log: say,
		Destinations: events.Destinations{Folder: destinations}, Temporary: temporary,
	})
	t.scheduler = events.NewScheduler(t.queue)
	watcher, err := events.NewWatcher(t.queue)
	if err != nil {
		return nil, errors.Join(err, t.close(context.Background()))
	}
	t.watcher = watcher
	if err := errors.Join(t.addSchedules(o.Schedules), t.addFolders(o.Folders)); err != nil {
		return nil, errors.Join(err, t.close(context.Background()))
	}
	return t, nil
}

// rules are Lambda's, as far as the settings do not change them.
func (s Settings) rules() events.Rules {
	rules := events.LambdaRules()
	if s.AsyncRetries != nil {
		rules.Retries = *s.AsyncRetries
	}
	if len(s.AsyncWaits) > 0 {
		rules.Waits = s.AsyncWaits
	}
	return rules
}

// temporary says whether the same invocation may be accepted later.
func temporary(err error) bool {
	switch catalog.AsError(err).Exception {
	case "TooManyRequestsException", "ResourceConflictException", "ServiceException", "EC2ThrottledException":
		return true
	}
	return false
}

// config is how a function wants its events treated.
func (t *triggers) config(function, qualifier string) (events.Config, bool) {
	e, err := t.catalog.Treatment(function, qualifier)
	if err != nil || e.Modified.IsZero() {
		return events.Config{}, false // the rules' own
	}
	return events.Config{Retries: *e.Retries, Age: e.Age, OnSuccess: e.OnSuccess, OnFailure: e.OnFailure}, true
}

// CheckExpression says what is wrong with when a [Schedule] is due.
func CheckExpression(text string) error {
	_, err := events.ParseExpression(text)
	return err
}

func (t *triggers) addSchedules(list []Schedule) error {
	var errs []error
	for _, s := range list {
		e, err := events.ParseExpression(s.Expression)
		if err == nil {
			name, qualifier, _ := strings.Cut(s.Function, ":")
			err = t.scheduler.Add(events.Rule{Name: s.Name, Function: name, Qualifier: qualifier, Expression: e, Input: s.Input})
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (t *triggers) addFolders(list []Folder) error {
	var errs []error
	for _, f := range list {
		name, qualifier, _ := strings.Cut(f.Function, ":")
		errs = append(errs, t.watcher.Add(events.Watch{
			Bucket: f.Bucket, Folder: f.Folder, Prefix: f.Prefix, Suffix: f.Suffix, Function: name, Qualifier: qualifier,
		}))
	}
	return errors.Join(errs...)
}

// Accept takes an asynchronous invocation, as lambdaapi.Events.
func (t *triggers) Accept(function, qualifier string, inv engine.Invocation) (string, error) {
	return t.accept(function, qualifier, inv, nil)
}

func (t *triggers) accept(function, qualifier string, inv engine.Invocation, done func(events.Result)) (string, error) {
	inv.Trigger = sample.Async
	if inv.Triggered == 0 {
		inv.Triggered = t.clock.Now()
	}
	id, err := t.queue.Accept(events.Event{Function: function, Qualifier: qualifier, Invocation: inv, Done: done})
	return id, refusalOf(err)
}

// refusalOf words the queue's refusals as Lambda does.
func refusalOf(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, events.ErrTooLarge):
		return &engine.Error{Code: engine.TooLarge, Message: err.Error()}
	case errors.Is(err, events.ErrFull):
		return &engine.Error{Code: engine.Throttled, Message: "Rate Exceeded.", Reason: "CallerRateLimitExceeded", Err: err}
	}
	return &engine.Error{Code: engine.Unavailable, Message: err.Error()}
}

// Fire invokes a function by a trigger and waits for the end of that, as
// lambdaapi.Triggers: what an experiment wants to know.
func (t *triggers) Fire(ctx context.Context, function, qualifier string, inv engine.Invocation) (engine.Outcome, error) {
	if _, err := t.catalog.Resolve(function, qualifier); err != nil {
		return engine.Outcome{}, err // a queue would tell it to nobody
	}
	end := make(chan events.Result, 1)
	done := func(r events.Result) { end <- r }
	var err error
	switch inv.Trigger {
	case sample.Async:
		_, err = t.accept(function, qualifier, inv, done)
	case sample.Schedule:
		err = t.scheduler.Once(events.Rule{
			Name: "fired-" + engine.NewRequestID(), Function: function, Qualifier: qualifier, Input: inv.Payload, Done: done,
			Consumer: inv.Consumer, Stage: inv.Stage,
		}, time.Now())
	case sample.Folder:
		var path string
		path, err = t.put(function, qualifier, inv, done)
		defer func() { _ = os.Remove(path) }()
	case sample.URL:
		return t.request(ctx, function, qualifier, inv)
	default:
		err = fmt.Errorf("no trigger %q", inv.Trigger)
	}
	if err != nil {
		return engine.Outcome{}, err
	}
	select {
	case r := <-end:
		return r.Outcome, r.Err
	case <-ctx.Done():
		return engine.Outcome{}, &engine.Error{Code: engine.Cancelled, Message: "The caller gave up before the event had been handled", Err: context.Cause(ctx)}
	}
}

// put writes the payload as a file into the function's own watched folder.
func (t *triggers) put(function, qualifier string, inv engine.Invocation, done func(events.Result)) (path string, err error) {
	folder, err := t.folder(function, qualifier)
	if err != nil {
		return "", err
	}
	path = filepath.Join(folder, engine.NewRequestID())
	t.watcher.Expect(path, events.Awaited{Done: done, Consumer: inv.Consumer, Stage: inv.Stage})
	return path, os.WriteFile(path, inv.Payload, 0o600)
}

// folder is watched for a function, from its first file on.
func (t *triggers) folder(function, qualifier string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := function + ":" + qualifier
	if folder := t.folders[key]; folder != "" {
		return folder, nil
	}
	if t.root == "" {
		root, err := os.MkdirTemp("", "coldcurve-folders-")
		if err != nil {
			return "", err
		}
		t.root = root
	}
	folder, err := os.MkdirTemp(t.root, "bucket-")
	if err != nil {
		return "", err
	}
	err = t.watcher.Add(events.Watch{Bucket: filepath.Base(folder), Folder: folder, Function: function, Qualifier: qualifier})
	if err != nil {
		return "", err
	}
	t.folders[key] = folder
	return folder, nil
}

// request is a POST to the function's URL, without the way over the network.
func (t *triggers) request(ctx context.Context, function, qualifier string, inv engine.Invocation) (engine.Outcome, error) {
	inv.Triggered = t.clock.Now()
	inv.RequestID = engine.NewRequestID()
	r := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/"}, Proto: "HTTP/1.1", Host: "localhost", RemoteAddr: "127.0.0.1:0",
		Header: http.Header{"Content-Type": {"application/json"}},
	}
	inv.Payload = events.URLEvent(events.URL{ID: function, Domain: "localhost"}, r, "/", inv.Payload, inv.RequestID, time.Now())
	out, err := t.catalog.Invoke(ctx, function, qualifier, inv)
	if err != nil || out.FunctionError != "" {
		return out, err
	}
	reply, err := events.ParseReply(out.Body)
	if err != nil || reply.Status >= http.StatusInternalServerError {
		out.FunctionError, out.Kind = "Unhandled", sample.Handler
		return out, nil
	}
	out.Body = reply.Body
	return out, nil
}

// close takes nothing more, gives up what waits and says how much that was.
func (t *triggers) close(ctx context.Context) error {
	t.scheduler.Close()
	var err error
	if t.watcher != nil {
		err = t.watcher.Close()
	}
	if lost := t.queue.Close(ctx); lost != nil {
		t.say("%v", lost)
	}
	if t.root != "" {
		err = errors.Join(err, os.RemoveAll(t.root))
	}
	return err
}
