package platform

import (
	"slices"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Capability is something that most platforms can, and not all.
type Capability string

// The capabilities.
const (
	// Deploying: it runs the code that it is given, and takes it away again.
	Deploying Capability = "deploying"
	// Starting: a request that finds no instance has one started for it.
	Starting Capability = "starting"
	// Evicting: its deployments are an Evicter.
	Evicting Capability = "evicting"
	// Naming: evidence names the instance that served.
	Naming Capability = "naming"
	// Billing: answers tell the billed duration.
	Billing Capability = "billing"
)

// Capabilities are all of them.
func Capabilities() []Capability {
	return []Capability{Deploying, Starting, Evicting, Naming, Billing}
}

// Claims are what a platform says that it can, before anything runs. The
// conformance kit holds it to each of them, also to what it says that it cannot.
type Claims struct {
	// Grade is, at least, of the evidence that every answer carries, where functions do
	// their part (a beacon); NoGrade says that none ever carries any.
	Grade sample.Grade
	// Errors are the kinds of failure that it tells apart. Another one is an
	// error too, of a kind that is near it.
	Errors []sample.ErrorKind
	// Payload and Response are the most bytes of a request and of its answer; 0
	// is no limit of the platform's.
	Payload, Response units.Bytes
	// Lacks is what it cannot, each with the reason. What is not in it, it can.
	Lacks map[Capability]string
}

// Can says whether the platform claims a capability.
func (c Claims) Can(what Capability) bool {
	_, lacks := c.Lacks[what]
	return !lacks
}

// Tells says whether the platform tells that kind of failure from others.
func (c Claims) Tells(kind sample.ErrorKind) bool { return slices.Contains(c.Errors, kind) }
