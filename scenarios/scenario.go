// Package scenarios owns the scenario: what is deployed, what traffic is sent
// at it and what is expected of the outcome.
//
// In: YAML (a file, or one of the embedded suite) and overrides. Out: a valid
// [Scenario] with its arrival schedule, or every fault with file, line and
// column. It sends nothing and deploys nothing.
package scenarios

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/budget"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Scenario is one experiment, valid and complete: every default is filled in.
type Scenario struct {
	Name        string
	Description string
	Seed        uint64 // of every random choice; the default is 1
	Platform    Platform
	Platforms   []Listed   // those that the file lists, of which Platform is one; nil where it names one
	Functions   []Function // at least one; platform http gets one named "target" if none is given
	Phases      []Phase    // at least one, in order, back to back
	Expect      []budget.Budget
	InFlight    InFlight
	Faults      []platform.Fault // what goes wrong on purpose
	Notes       []string         // what a reader of the results must know: what was scaled, ignored, cut off
	Source      string           // file name, or "embedded:quick"
	Text        []byte           // the file, to be kept: as read, or laid out anew where secrets were struck out of it
}

// Platform is the platform's name and its options. An option that the named
// platform does not have is a fault of the file.
type Platform struct {
	Name string // the default is "reference"
	As   string // what it is called among several; "" is as its name

	// reference
	Profile      string                          // of fixtures.ProfileNames: where the policy comes from; "" is coldcurve's own
	Policy       lifecycle.Policy                // of every function; Concurrency is over all functions; the default keeps alive for 10m
	Sandbox      string                          // of functions that do not say; the default is "process"
	Start        string                          // of functions that do not say; the default is "plain"
	Memory       units.Bytes                     // budget of all instances together; 0 is none
	Pool         map[platform.Runtime]int        // stems kept booted
	Bases        map[platform.Runtime]string     // images that functions are built on for containers
	AsyncRetries *int                            // of asynchronous invocations that fail; nil is Lambda's 2
	AsyncWaits   []time.Duration                 // before each; nil is Lambda's 1 and 2 minutes
	StartDelay   map[platform.Runtime][]Quantile // emulated: least duration of a start; nil for none

	// lambda
	Lambda Lambda

	// workers
	Workerd Workerd

	// docker, beside Bases
	Docker Docker
	// openwhisk
	OpenWhisk OpenWhisk

	// http
	Preset string // of presets.Names: how the platform wants to be asked; "" is a server without habits
	URL    string // {function} in it is the function's name
	Host   string // of the Host header, with the same mark; "" is the URL's
	Method string // the default is GET, POST where a payload is given
	// ExpectStatus are the statuses of answers; the default is those below 300, and 304.
	ExpectStatus []int
	Headers      map[string]string // sent with every request; where [Overrides] have no Env, without what is in the environment
	Timeout      time.Duration     // of one request (lambda: beside the function's own); the default is 30s

	// server
	Workers int           // processors of each function's server; the default is 1
	Backlog int           // requests at a server, in service and waiting; 0 is no limit
	Target  time.Duration // p99 at which capacity is stated; 0 is none
}

// Lambda is where and how functions run on platform lambda. What is not given
// is as AWS's own configuration says.
type Lambda struct {
	Endpoint     string // URL; "" is AWS's own
	Region       string
	Profile      string
	Role         string // ARN
	Architecture string // x86_64 or arm64; "" is this machine's
	SnapStart    bool
	Provisioned  int  // instances kept ready; 0 is none
	Change       bool // functions that are there already may be changed to make starts cold
}

// Workerd is the program of platform workers. What is not given is the
// adapter's to say.
type Workerd struct {
	Program           string // path
	CompatibilityDate string // a day: 2026-01-31
}

// Docker is how containers are made on platform docker.
type Docker struct {
	OCIRuntime string // "" is the engine's own
	Network    string // "" is the machine's own
	Tier       string // plain, created or paused; the default is plain
	Ahead      int    // in tier created: containers kept; 0 is the adapter's default
}

// OpenWhisk is where functions run on platform openwhisk. What is not given is
// as the wsk command's own configuration says, and so is the key.
type OpenWhisk struct {
	APIHost   string // host or URL
	Namespace string
}

// Quantile is one point of a distribution of delays; between two of them it is linear.
type Quantile struct {
	Share float64       // 0 to 1
	Delay time.Duration // that so many do not exceed
}

// Function is a function of a scenario: a fixture that coldcurve ships or a
// folder of the user's own. On platform http, which runs what is already
// there, only Name and Payload are set.
type Function struct {
	Name        string
	Of          string           // the name in the file, where that is run in several ways and this is one of them
	Fixture     string           // one of fixtures.Names; "" with Code
	Code        string           // the user's folder; "" with Fixture
	Image       string           // the user's container image, with runtime image; "" with the others
	Runtime     platform.Runtime // the default is go
	Handler     string
	Memory      units.Bytes   // the default is 1769MB (one vCPU)
	MemoryGiven bool          // the file gives Memory
	Timeout     time.Duration // the default is 30s
	Env         map[string]string
	Reserved    int
	Storage     units.Bytes // size of /tmp where the sandbox bounds it; 0 is the platform's default
	Sandbox     string      // the default is the platform's
	Start       string      // how instances are started; the default is the platform's
	Existing    string      // lambda: what it is called where it is there already; "" where it is to be deployed
	PackageSize units.Bytes // fixtures: how much code to add to the function; 0 adds none
	Payload     Payload
}

// Payload is what each request carries. At most one of Size, JSON and File is
// set. Without any it is the fixture's own, and nothing for code of the user's
// and on platform http.
type Payload struct {
	Size units.Bytes // so many bytes of a JSON document
	JSON []byte      // this JSON document, from a YAML value
	File string      // this file's content, resolved and read
	Data []byte      // the bytes to send, whichever way they came about; nil for none
}

// Phase is a stretch of the schedule, [start, start+Duration).
type Phase struct {
	Name     string
	Duration time.Duration
	Warmup   bool // driven and recorded, left out of every figure
	Arrivals []Arrivals
}

// Arrivals is one arrival process at one function. Fields that the process
// does not name are zero.
type Arrivals struct {
	Function  string // the default is the scenario's only function
	Process   string // constant poisson ramp step spike sine bursty burst gap replay
	Rate      units.Rate
	From, To  units.Rate
	Mean      units.Rate
	Amplitude units.Rate
	Period    time.Duration
	Count     int           // burst: how many at once
	At        time.Duration // step, spike, burst, gap (its first): when, from the phase's start
	Width     time.Duration // spike: how long
	CV        float64       // bursty: coefficient of variation of inter-arrival times, > 1
	Gap       time.Duration
	File      string   // replay, resolved against the scenario's folder
	Speed     float64  // replay: 60 plays a minute in a second; the default is 1
	Even      bool     // ramp, step, spike, sine: evenly spaced as the rate goes, not at random
	Consumer  string   // who the requests are accounted to
	Stage     string   // which of the consumer's environments
	Evict     []string // gap: the platforms on which the function is put away after each request
	Trigger   string   // by what the requests reach the function: "" directly, or one of sample.Triggers

	Trace arrival.Trace // replay: what File holds
	Scale float64       // replay: how often each recorded request is sent; 0 is once
}

// InFlight is the cap on requests under way.
type InFlight struct {
	Max  int    // the default is 10000
	When string // "drop" (the default) or "wait": what happens to an arrival at the cap
}
