package catalog

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Latest is the version of a function that has not been published.
const Latest = engine.Latest

// Settings are the configuration that each version of a function has of its
// own. Fields without a default of their own say what 0 and "" mean.
type Settings struct {
	Runtime      string            `json:"runtime"` // an identifier of [RuntimeIdentifiers]
	Handler      string            `json:"handler,omitempty"`
	Role         string            `json:"role,omitempty"` // any text: nothing here is allowed by it
	Description  string            `json:"description,omitempty"`
	Memory       units.Bytes       `json:"memory_bytes"`  // a whole number of MB; 0 is the default, engine.Limits.MemoryDefault
	Timeout      time.Duration     `json:"timeout_ns"`    // 0 is the default, engine.Limits.TimeoutDefault; fractions of a second are coldcurve's own
	Storage      units.Bytes       `json:"storage_bytes"` // of /tmp, a whole number of MB; 0 is the default, Limits.StorageDefault
	Environment  map[string]string `json:"environment,omitempty"`
	Architecture string            `json:"architecture"`       // x86_64 or arm64, and the machine's; "" is the machine's
	Sandbox      string            `json:"sandbox,omitempty"`  // coldcurve's own: how instances are isolated; "" is the runtime's default
	Consumer     string            `json:"consumer,omitempty"` // coldcurve's own: who is charged for requests that name nobody
	Stage        string            `json:"stage,omitempty"`    // coldcurve's own: the stage of requests that name none and come by no alias
	Start        string            `json:"start,omitempty"`    // coldcurve's own: the start tier; "" and plain, pool, zygote, pause
}

// Code is where a function's files come from: exactly one of the fields.
type Code struct {
	Zip    []byte // an archive, as Lambda takes it; not changed and not kept
	Folder string // coldcurve's own: absolute path of a folder, used in place until it is published
	Image  string // reference of a container image; the runtime is "image" then
}

// Package is a version's code as it is kept.
type Package struct {
	// SHA256 is Lambda's CodeSha256: base64 of the zip's digest, or of the
	// folder's as package code defines it, or of the image's reference. It is ""
	// for a folder that is used in place: its files may change at any time.
	SHA256 string      `json:"sha256,omitempty"`
	Size   units.Bytes `json:"size"`             // bytes of the zip; of a folder, of its files; 0 of an image and of a folder in place
	Folder string      `json:"folder,omitempty"` // of a folder that is used in place
	Image  string      `json:"image,omitempty"`
}

// stored says whether it is in the code store.
func (p *Package) stored() bool { return p.Folder == "" && p.Image == "" }

// State says whether a version can be invoked.
type State string

// The states. Inactive is not among them: nothing is put away for want of use.
const (
	Pending State = "Pending" // it is being prepared
	Active  State = "Active"
	Failed  State = "Failed" // it could not be prepared
)

// UpdateStatus says how the last update of $LATEST went. While it is in
// progress, and after it has failed, what was there before serves. A version
// that is being created has none.
type UpdateStatus string

// The update statuses.
const (
	Successful   UpdateStatus = "Successful"
	UpdateFailed UpdateStatus = "Failed"
	InProgress   UpdateStatus = "InProgress"
)

// Function is one version of a function as it stands. It is a copy, but for
// the map in it, which is not to be changed.
type Function struct {
	Settings
	Name     string
	ARN      string // with the qualifier by which the version was asked for, if there was one
	Version  string // "$LATEST" or a number
	Package  Package
	Folder   string // absolute path of its files; "" of an image
	Modified time.Time
	Revision string // changes with each change of the version, its state's too

	State           State
	StateReason     string // "" where it is Active
	StateReasonCode string // Lambda's: Creating, Restoring, InvalidConfiguration, ...

	Update           UpdateStatus
	UpdateReason     string
	UpdateReasonCode string

	Reserved *int              // the function's reserved concurrency; nil is none
	Tags     map[string]string // the function's
}

// PackageType is Lambda's: Zip or Image.
func (f *Function) PackageType() string {
	if f.Package.Image != "" {
		return "Image"
	}
	return "Zip"
}

// Creation is a request for a new function.
type Creation struct {
	Name string // or an ARN of ours
	Settings
	Code    Code
	Tags    map[string]string
	Publish bool     // version 1 is published with it
	Members []string // names of further members of the request that are set to something: see [Members]
}

// CodeUpdate is a request for other code.
type CodeUpdate struct {
	Code         Code
	Architecture string // "" leaves it
	Revision     string // if given, $LATEST's at present, else it is refused
	Publish      bool   // a version is published of it once it is in service
	DryRun       bool   // it is checked and answered, and nothing changes
}

// SettingsUpdate is a request for another configuration: what is nil stays.
type SettingsUpdate struct {
	Runtime, Handler, Role, Description *string
	Memory, Storage                     *units.Bytes
	Timeout                             *time.Duration
	Environment                         map[string]string // replaces all of it; empty but not nil takes it away
	Sandbox, Start                      *string
	Revision                            string   // as in CodeUpdate
	Members                             []string // as in Creation
}

// Publication is a request for a version of $LATEST as it is.
type Publication struct {
	CodeSHA256  string // if given, $LATEST's at present, else it is refused
	Revision    string // as in CodeUpdate
	Description string // "" is $LATEST's
}

// Page asks for a part of a list. Lists are in the order of their names,
// versions in that of their numbers with $LATEST first.
type Page struct {
	Marker string // where the page before ended, as its answer told; "" is the beginning
	Most   int    // entries; 0 is Limits.PageDefault
}

// Alias is a name for a version, or for two of them by weight.
type Alias struct {
	Name        string             `json:"name"`
	ARN         string             `json:"-"`
	Version     string             `json:"version"`
	Description string             `json:"description,omitempty"`
	Weights     map[string]float64 `json:"weights,omitempty"` // share of requests, 0 to 1, that another version gets; at most one
	Revision    string             `json:"revision"`
}

// AliasUpdate is a request for another alias of the name: what is nil stays.
type AliasUpdate struct {
	Version, Description *string
	Weights              map[string]float64 // empty but not nil takes them away
	Revision             string             // if given, the alias's at present, else it is refused
}

// Provisioned is the provisioned concurrency of a version or alias.
type Provisioned struct {
	ARN       string
	Requested int
	Available int       // instances that are ready
	Allocated int       // the same: what is asked for is not set aside before it is ready
	Status    string    // Lambda's: IN_PROGRESS, READY, FAILED
	Reason    string    // of FAILED
	Modified  time.Time // when it was asked for
}

// URLSettings are a function URL's.
type URLSettings struct {
	AuthType   string `json:"auth_type"`   // NONE or AWS_IAM
	InvokeMode string `json:"invoke_mode"` // "" and BUFFERED; RESPONSE_STREAM is refused: answers are whole here
	CORS       *CORS  `json:"cors,omitempty"`
}

// CORS is what browsers are told, as Lambda's document has it.
type CORS struct {
	AllowCredentials bool     `json:",omitempty"`
	AllowHeaders     []string `json:",omitempty"`
	AllowMethods     []string `json:",omitempty"`
	AllowOrigins     []string `json:",omitempty"`
	ExposeHeaders    []string `json:",omitempty"`
	MaxAge           int      `json:",omitempty"` // seconds, 0 to 86400
}

// URLUpdate is a request for another function URL: what is nil or "" stays.
type URLUpdate struct {
	AuthType, InvokeMode string
	CORS                 *CORS
}

// URL is a function URL. Where it is served is not the catalogue's: a host
// whose first label is ID is how Lambda does it.
type URL struct {
	ID        string // 32 letters and digits, unique
	Function  string // the bare name
	Qualifier string // an alias, or "" for $LATEST
	ARN       string
	URLSettings
	Created, Modified time.Time
}

// EventInvoke is how asynchronous invocations are treated.
type EventInvoke struct {
	ARN       string        `json:"-"`
	Qualifier string        `json:"qualifier"`            // a version, an alias, or $LATEST
	Retries   *int          `json:"retries,omitempty"`    // further attempts after the first, 0 to 2; nil is Limits.EventRetriesDefault
	Age       time.Duration `json:"age_ns,omitempty"`     // longest wait, 60 s to 6 h; 0 is the longest
	OnSuccess string        `json:"on_success,omitempty"` // destination; "" is none
	OnFailure string        `json:"on_failure,omitempty"`
	Modified  time.Time     `json:"modified"`
}

// EventInvokeUpdate is a request for another treatment: what is nil stays.
type EventInvokeUpdate struct {
	Retries              *int
	Age                  *time.Duration
	OnSuccess, OnFailure *string // "" takes it away
}

// Target is what a name leads to at this moment.
type Target struct {
	Version  *engine.Version
	Executed string // the version's name: "$LATEST" or a number
	Alias    string // by which it was found; "" for none
	Consumer string // who is charged for requests that name nobody
	Stage    string // of requests that name none and come by no alias
}
