package reference

import (
	"encoding/json"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Settings are the runtime's own options: what a serving process is told by
// its flags or its configuration file, and what [Open] tells its child.
type Settings struct {
	// Policy is every function's. Its Concurrency is over all functions together.
	Policy lifecycle.Policy
	// Sandboxes are the ways to isolate instances that functions can choose
	// from; functions that do not choose have the first that can run them. The
	// default is the process alone.
	Sandboxes []string
	// Stock is how many stems of a runtime are kept booted for functions whose
	// start is the pool. The default is 1.
	Stock map[platform.Runtime]int
	// Bases are the images on which the container sandbox builds functions of
	// nodejs and python. The defaults are its own.
	Bases map[platform.Runtime]string
	// Memory is the budget of all instances together. 0 is no limit.
	Memory units.Bytes
	// StartDelay are emulated start delays. The default is none.
	StartDelay map[platform.Runtime]engine.StartDelay
	// AsyncRetries is how often an asynchronous invocation is tried again that
	// failed, and AsyncWaits how long after, for functions that are not configured
	// otherwise. The defaults are Lambda's: twice, after one and two minutes.
	AsyncRetries *int
	AsyncWaits   []time.Duration
	// Schedules and Folders invoke functions.
	Schedules []Schedule
	Folders   []Folder
	// Faults are what goes wrong on purpose. The default is nothing.
	Faults []platform.Fault
	// Seed begins all that is drawn: faults, start delays, how long instances
	// live by a survival curve, routing noise, the versions of weighted aliases.
	Seed uint64
	// NoCgroups leaves memory and CPU unlimited.
	NoCgroups bool
	// AllowAnyLocalUser lets every user of this machine connect, where the
	// default is this process's user and root. Whoever can connect runs code
	// as this process's user.
	AllowAnyLocalUser bool
	// Region is the one that ARNs name and functions are told: a runtime is one
	// region. The default is us-east-1.
	Region string
	// Cache is the folder for the runtime clients. The default is the user's
	// cache folder.
	Cache string
}

// Args are the arguments of a serve command with these settings; [ServeFlags]
// is what reads them.
func (s Settings) Args() []string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts and numbers can be marshalled
	}
	return []string{"--settings=" + string(text)}
}
