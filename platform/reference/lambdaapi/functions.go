package lambdaapi

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// removeGrace is how long requests may go on that are being served while their
// function is deleted.
const removeGrace = time.Second

// localBucket in place of S3's makes the key a folder of this machine.
const localBucket = "local-folder"

// CreateRequest is the body of CreateFunction, as far as it is understood.
// What is not here is catalog.Members' to refuse, or passes.
type CreateRequest struct {
	FunctionName  string
	Publish       bool     `json:",omitempty"`
	PackageType   string   `json:",omitempty"`
	Architectures []string `json:",omitempty"`
	Code          Code
	Tags          map[string]string `json:",omitempty"`
	SettingsRequest
}

// SettingsRequest are the members that CreateFunction and
// UpdateFunctionConfiguration share.
type SettingsRequest struct {
	Runtime          *string           `json:",omitempty"`
	Handler          *string           `json:",omitempty"`
	Role             *string           `json:",omitempty"`
	Description      *string           `json:",omitempty"`
	MemorySize       *int64            `json:",omitempty"` // MB
	Timeout          *float64          `json:",omitempty"` // seconds
	EphemeralStorage *EphemeralStorage `json:",omitempty"`
	Environment      *Environment      `json:",omitempty"`
	Sandbox          *string           `json:",omitempty"` // coldcurve's own, as the next
	Start            *string           `json:",omitempty"`
}

// EphemeralStorage is the size of /tmp.
type EphemeralStorage struct{ Size int64 } // MB

// Environment is a function's environment.
type Environment struct {
	Variables map[string]string
}

// Code is where a function's files are. LocalFolder is coldcurve's own.
type Code struct {
	LocalFolder string `json:",omitempty"`
	ZipFile     []byte `json:",omitempty"`
	ImageURI    string `json:"ImageUri,omitempty"`
	S3Bucket    string `json:",omitempty"`
	S3Key       string `json:",omitempty"`
}

// code gives the one source that is named.
func (c *Code) code() (catalog.Code, error) {
	switch {
	case c.S3Bucket == localBucket:
		c.LocalFolder = c.S3Key
	case c.S3Bucket != "":
		return catalog.Code{}, invalid(`Code in S3 is not supported here; upload it as ZipFile, or write "S3Bucket": "` + localBucket + `", "S3Key": "/absolute/path"`)
	}
	return catalog.Code{Zip: c.ZipFile, Folder: c.LocalFolder, Image: c.ImageURI}, nil
}

// megabytes are n MB; what cannot be a size stays one that is refused.
func megabytes(n int64) units.Bytes {
	return units.Bytes(max(-1, min(n, math.MaxInt32))) << 20
}

// seconds are so many; what cannot be a timeout stays one that is refused.
func seconds(s float64) time.Duration {
	return time.Duration(math.Round(max(-1, min(s, math.MaxInt32)) * float64(time.Second)))
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (r *CreateRequest) creation() (n catalog.Creation, err error) {
	n.Name, n.Publish = r.FunctionName, r.Publish
	n.Settings = catalog.Settings{
		Runtime: value(r.Runtime), Handler: value(r.Handler), Role: value(r.Role), Description: value(r.Description),
		Memory: megabytes(value(r.MemorySize)), Timeout: seconds(value(r.Timeout)),
		Sandbox: value(r.Sandbox), Start: value(r.Start),
	}
	if r.EphemeralStorage != nil {
		n.Storage = megabytes(r.EphemeralStorage.Size)
	}
	if r.Environment != nil {
		n.Environment = r.Environment.Variables
	}
	if n.Sandbox == "" {
		n.Sandbox = r.Tags[tagSandbox]
	}
	if n.Start == "" {
		n.Start = r.Tags[tagStart]
	}
	n.Consumer, n.Stage, n.Tags = r.Tags[tagConsumer], r.Tags[tagStage], r.Tags
	if n.Architecture, err = architecture(r.Architectures); err != nil {
		return n, err
	}
	if n.Code, err = r.Code.code(); err != nil {
		return n, err
	}
	if n.Code.Image != "" && n.Runtime == "" {
		n.Runtime = "image" // Lambda has the package type say it
	}
	return n, nil
}

func architecture(list []string) (string, error) {
	switch len(list) {
	case 0:
		return "", nil
	case 1:
		return list[0], nil
	}
	return "", invalid("Architectures has " + strconv.Itoa(len(list)) + " entries, at most 1")
}

func (r *SettingsRequest) update() catalog.SettingsUpdate {
	u := catalog.SettingsUpdate{
		Runtime: r.Runtime, Handler: r.Handler, Role: r.Role, Description: r.Description,
		Sandbox: r.Sandbox, Start: r.Start,
	}
	if r.MemorySize != nil {
		n := megabytes(*r.MemorySize)
		u.Memory = &n
	}
	if r.Timeout != nil {
		d := seconds(*r.Timeout)
		u.Timeout = &d
	}
	if r.EphemeralStorage != nil {
		n := megabytes(r.EphemeralStorage.Size)
		u.Storage = &n
	}
	if r.Environment != nil {
		if u.Environment = r.Environment.Variables; u.Environment == nil {
			u.Environment = map[string]string{}
		}
	}
	return u
}

// decode reads a JSON body. What it does not know it lets pass: SDKs send more
// than is needed here.
func (r *request) decode(v any) error {
	if err := json.Unmarshal(r.body, v); err != nil {
		return invalidRequest("Could not parse request body into json", err)
	}
	return nil
}

// members gives those members of the body that functions of the catalog do not
// have and that are set to something.
func (r *request) members() (names []string) {
	var all map[string]any
	if json.Unmarshal(r.body, &all) != nil {
		return nil // decode has told
	}
	for _, m := range catalog.Members() {
		if isSet(all[m.Name]) {
			names = append(names, m.Name)
		}
	}
	return names
}

// isSet says whether a member asks for anything: SDKs and tools write out
// defaults, such as {"ApplyOn": "None"}.
func isSet(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != "" && v != "None"
	case bool:
		return v
	case []any:
		return len(v) > 0
	case map[string]any:
		for _, member := range v {
			if isSet(member) {
				return true
			}
		}
		return false
	}
	return true
}

func (h *Handler) createFunction(r *request) (any, error) {
	var body CreateRequest
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	n, err := body.creation()
	if err != nil {
		return nil, err
	}
	n.Members = r.members()
	f, err := h.Catalog.Create(n)
	if err != nil {
		return nil, err
	}
	return configurationOf(&f), nil
}

func (h *Handler) updateCode(r *request) (any, error) {
	var body struct {
		Code
		Architectures   []string
		RevisionID      string `json:"RevisionId"`
		Publish, DryRun bool
	}
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	u := catalog.CodeUpdate{Revision: body.RevisionID, Publish: body.Publish, DryRun: body.DryRun}
	var err error
	if u.Architecture, err = architecture(body.Architectures); err != nil {
		return nil, err
	}
	if u.Code, err = body.code(); err != nil {
		return nil, err
	}
	f, err := h.Catalog.UpdateCode(r.name, u)
	if err != nil {
		return nil, err
	}
	return configurationOf(&f), nil
}

func (h *Handler) updateConfiguration(r *request) (any, error) {
	var body struct {
		SettingsRequest
		RevisionID string `json:"RevisionId"`
	}
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	u := body.update()
	u.Revision, u.Members = body.RevisionID, r.members()
	f, err := h.Catalog.UpdateSettings(r.name, u)
	if err != nil {
		return nil, err
	}
	return configurationOf(&f), nil
}

func (h *Handler) function(r *request) (any, error) {
	f, err := h.Catalog.Function(r.name, r.qualifier())
	if err != nil {
		return nil, err
	}
	doc := struct {
		Configuration Configuration
		Code          codeLocation
		Concurrency   *Concurrency      `json:",omitempty"`
		Tags          map[string]string `json:",omitempty"`
	}{Configuration: configurationOf(&f), Code: locationOf(&f), Tags: f.Tags}
	if f.Reserved != nil {
		doc.Concurrency = &Concurrency{f.Reserved}
	}
	return doc, nil
}

func (h *Handler) configuration(r *request) (any, error) {
	f, err := h.Catalog.Function(r.name, r.qualifier())
	if err != nil {
		return nil, err
	}
	return configurationOf(&f), nil
}

func (h *Handler) listFunctions(r *request) (any, error) {
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	all := r.query.Get("FunctionVersion")
	if all != "" && all != "ALL" {
		return nil, invalid("FunctionVersion " + strconv.Quote(all) + " is not ALL")
	}
	list, next, err := h.Catalog.List(page, all != "")
	if err != nil {
		return nil, err
	}
	return struct {
		Functions  []Configuration
		NextMarker string `json:",omitempty"`
	}{configurationsOf(list), next}, nil
}

// deleteFunction goes on if the caller goes away: a function half deleted is no
// use to anybody.
func (h *Handler) deleteFunction(r *request) (any, error) {
	ctx, cancel := r.detached(removeGrace)
	defer cancel()
	return nil, h.Catalog.Delete(ctx, r.name, r.qualifier())
}

// page reads what a list's query asks for.
func (r *request) page() (catalog.Page, error) {
	page := catalog.Page{Marker: r.query.Get("Marker")}
	if text := r.query.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return page, invalid("MaxItems " + strconv.Quote(text) + " is not a number above 0")
		}
		page.Most = n
	}
	return page, nil
}
