package openwhisk

import (
	"cmp"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/bundle"
	"github.com/coldcurve/coldcurve/platform/mark"
)

//go:embed shims/main.js shims/__main__.py
var shims embed.FS

// action is an action as it is put; what is not given stays as it is.
type action struct {
	Exec        *executable `json:"exec,omitempty"`
	Annotations []pair      `json:"annotations"`
	Parameters  []parameter `json:"parameters,omitempty"`
	Limits      *limits     `json:"limits,omitempty"`
}

type executable struct {
	Kind string `json:"kind"` // nodejs:default
	Code string `json:"code"` // base64 of a zip archive
	Main string `json:"main"`
}

type pair struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// parameter is one that reaches the function as an environment variable, when it
// is initialized.
type parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Init  bool   `json:"init"`
}

type limits struct {
	Timeout int64 `json:"timeout"`          // ms
	Memory  int64 `json:"memory,omitempty"` // MB
}

// listed is an action as the API tells of it.
type listed struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Annotations []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"annotations"`
}

// text is an annotation that is one; "" where there is none.
func (l *listed) text(key string) (text string) {
	for _, a := range l.Annotations {
		if a.Key == key {
			_ = json.Unmarshal(a.Value, &text) // what is no text is none
		}
	}
	return text
}

// The annotations of what is made here.
const (
	markAnnotation     = "coldcurve"
	evictionAnnotation = "coldcurve-eviction"
)

const usualTimeout = time.Minute // OpenWhisk's own

// deployment is one action. It is a platform.Evicter too.
type deployment struct {
	p       *Platform
	name    string // the action's
	title   string // the function's
	timeout time.Duration
	cold    atomic.Bool // the next request is the first after an eviction

	changing sync.Mutex // of what follows, and of the action
	version  string
	count    int // evictions
}

// Deploy creates the action. It starts no container.
func (p *Platform) Deploy(ctx context.Context, f platform.Function) (platform.Deployment, error) {
	d := &deployment{p: p, title: f.Name, name: p.mark.Name(f.Name, UsualLimits().Name), timeout: cmp.Or(f.Timeout, usualTimeout)}
	op := "deploy " + f.Name
	made, err := d.action(f)
	if err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: op, Err: err}
	}
	var now listed
	err = p.ask(ctx, op, http.MethodPut, "/actions/"+d.name+"?overwrite=true", made, &now)
	if err != nil {
		return nil, d.undo(ctx, f, err)
	}
	d.version = now.Version
	return d, nil
}

// undo takes away what may have been made by a request whose answer was lost,
// and says what can be done about one that was refused.
func (d *deployment) undo(ctx context.Context, f platform.Function, err error) error {
	failed, ok := errors.AsType[*platform.Error](err)
	most := UsualLimits().Memory
	switch {
	case !ok:
	case failed.Kind == sample.Refused && failed.Hint == "" && f.Memory > most:
		failed.Hint = fmt.Sprintf("OpenWhisk gives %s at most unless it is told otherwise: write memory: 256MB, or leave memory out", most)
	case failed.Kind == sample.Timeout || failed.Kind == sample.Cancelled || failed.Kind == sample.Network && !isDial(failed.Err):
		if d.Remove(ctx) != nil {
			failed.Hint = "what may have been made is removed by `coldcurve cleanup --platform openwhisk`"
		}
	}
	return err
}

// action is the document that makes the action.
func (d *deployment) action(f platform.Function) (*action, error) {
	kind, shim := "", ""
	switch f.Runtime {
	case platform.NodeJS:
		kind, shim = "nodejs:default", "main.js"
	case platform.Python:
		kind, shim = "python:default", "__main__.py"
	default:
		return nil, fmt.Errorf("runtime %s: it speaks Lambda's Runtime API, and OpenWhisk another; write runtime: nodejs or python", f.Runtime)
	}
	if f.Reserved > 0 {
		return nil, fmt.Errorf("reserved %d: OpenWhisk limits the concurrency of namespaces and not of functions; leave it out", f.Reserved)
	}
	if f.Memory%units.MB != 0 || f.Timeout%time.Millisecond != 0 {
		return nil, errors.New("memory of OpenWhisk is whole MB, and a timeout whole milliseconds")
	}
	code, err := archive(f, shim)
	if err != nil {
		return nil, err
	}
	made := &action{
		Exec:        &executable{Kind: kind, Code: base64.StdEncoding.EncodeToString(code), Main: "main"},
		Annotations: d.annotations(),
		Limits:      &limits{Timeout: d.timeout.Milliseconds(), Memory: int64(f.Memory / units.MB)},
	}
	for name, value := range f.Env {
		made.Parameters = append(made.Parameters, parameter{name, value, true})
	}
	return made, nil
}

// archive is the function's folder with the shim that its runtime begins with.
func archive(f platform.Function, shim string) ([]byte, error) {
	text, err := shims.ReadFile("shims/" + shim)
	if err != nil {
		return nil, err
	}
	about, err := json.Marshal(map[string]string{"handler": f.Handler, "name": f.Name})
	if err != nil {
		return nil, err
	}
	further := map[string][]byte{shim: text, "coldcurve.json": about}
	if f.Runtime == platform.NodeJS {
		further["package.json"] = []byte(`{"name":"coldcurve-action","version":"1.0.0","main":"main.js"}`)
	}
	return bundle.Zip(f.Code, "function", further)
}

func (d *deployment) annotations() []pair {
	return []pair{{markAnnotation, d.p.mark.Text()}, {evictionAnnotation, strconv.Itoa(d.count)}}
}

const hintNoEviction = "this endpoint keeps no versions of actions: leave evict out, and let gaps exceed its keep-alive"

// Evict updates the action and returns when that has another version. A
// container belongs to the version that it was started for.
func (d *deployment) Evict(ctx context.Context) error {
	op := "evict " + d.title
	d.changing.Lock()
	defer d.changing.Unlock()
	d.count++
	var now listed
	if err := d.p.ask(ctx, op, http.MethodPut, "/actions/"+d.name+"?overwrite=true", &action{Annotations: d.annotations()}, &now); err != nil {
		return err
	}
	if now.Version == d.version || now.Version == "" {
		return &platform.Error{Kind: sample.Refused, Op: op, Hint: hintNoEviction,
			Err: fmt.Errorf("%s has accepted an update of the action and shows none (version %q)", d.p.Where(), now.Version)}
	}
	d.version = now.Version
	d.p.evictions.Add(1)
	d.cold.Store(true)
	return nil
}

// Remove deletes the action. It works after ctx has ended.
func (d *deployment) Remove(ctx context.Context) error {
	lasting, cancel := platform.Outlive(ctx)
	defer cancel()
	return d.p.remove(lasting, "remove "+d.title, d.name)
}

func (p *Platform) remove(ctx context.Context, op, name string) error {
	err := p.ask(ctx, op, http.MethodDelete, "/actions/"+name, nil, nil)
	if gone, ok := errors.AsType[*refusal](err); ok && gone.status == http.StatusNotFound {
		return nil
	}
	return err
}

// page is how many actions are listed at a time; the API gives no more.
const page = 200

// Leftovers are the actions of all runs in the namespace.
func (p *Platform) Leftovers(ctx context.Context) (list []mark.Leftover, err error) {
	for skip := 0; ; skip += page {
		var some []listed
		if err := p.ask(ctx, "list actions", http.MethodGet, fmt.Sprintf("/actions?limit=%d&skip=%d", page, skip), nil, &some); err != nil {
			return nil, err
		}
		for i := range some {
			if m, ours := mark.Read(some[i].Name, some[i].text(markAnnotation)); ours {
				list = append(list, m.Leftover(some[i].Name, p.mark))
			}
		}
		if len(some) < page {
			return list, nil
		}
	}
}

// Take removes a leftover.
func (p *Platform) Take(ctx context.Context, l mark.Leftover) error {
	return p.remove(ctx, "remove "+l.Title(), l.Name)
}
