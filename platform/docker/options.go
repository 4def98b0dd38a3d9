package docker

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// Tier is how much of a container is there before a request needs it.
type Tier string

// The tiers.
const (
	// Plain: nothing. A start creates the container and starts it, and is cold.
	Plain Tier = "plain"
	// Created: containers that have been created and not started. A start is
	// the start alone, and counts as prewarmed; where none is ready, it is cold.
	Created Tier = "created"
	// Paused: a container is frozen after each request. The next one has it
	// thawed, and counts as restored; the first start is cold.
	Paused Tier = "paused"
)

// Tiers are all of them.
func Tiers() []Tier { return []Tier{Plain, Created, Paused} }

// Options say which engine, and how containers are made.
type Options struct {
	// Host is the engine's address, a unix socket of this machine. The default
	// is DOCKER_HOST, or unix:///var/run/docker.sock.
	Host string
	// OCIRuntime is one of the runtimes that the engine has: runc, crun, runsc
	// (gVisor). The default is the engine's.
	OCIRuntime string
	// Network is the engine's network that containers are in, alone. The
	// default is the machine's own.
	Network string
	// Tier is how much is there before a request. The default is Plain.
	Tier Tier
	// Ahead is how many containers of each function are kept created, in tier
	// Created. The default is 2, there.
	Ahead int
	// Bases are the images on which functions in nodejs and python are built.
	// The defaults are Docker's official ones.
	Bases map[platform.Runtime]string
	// Clients is the folder with the runtime clients, for functions in nodejs
	// and python.
	Clients string
	// NoPull fails for an image that the engine does not have. The default is
	// to pull it, once.
	NoPull bool
	// AllowAnyLocalUser lets every user of this machine answer the functions'
	// invocations. The default is the container's own user, this one and root.
	AllowAnyLocalUser bool
	// Start is how long the engine may take to start a container, its function's
	// init included. The default is 2m: a hundred starts at once take their time.
	Start time.Duration
}

const (
	usualAhead = 2
	mostAhead  = 64
	usualStart = 2 * time.Minute
)

// resolve fills in the defaults, or tells every fault.
func (o *Options) resolve() error {
	o.Tier = cmp.Or(o.Tier, Plain)
	var faults []error
	fault := func(when bool, format string, args ...any) {
		if when {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(o.Tier != Plain && o.Tier != Created && o.Tier != Paused, "tier %q: write one of %q", o.Tier, Tiers())
	fault(o.Ahead < 0 || o.Ahead > mostAhead, "ahead %d is outside 0 to %d", o.Ahead, mostAhead)
	fault(o.Ahead > 0 && o.Tier != Created, "ahead %d in tier %s: only tier %s creates containers ahead", o.Ahead, o.Tier, Created)
	fault(o.Start < 0, "start %v is below 0", o.Start)
	if len(faults) > 0 {
		return fmt.Errorf("platform docker: %w", errors.Join(faults...))
	}
	if o.Tier == Created {
		o.Ahead = cmp.Or(o.Ahead, usualAhead)
	}
	o.Start = cmp.Or(o.Start, usualStart)
	return nil
}

// sandbox is the part of the options that is about containers.
func (o *Options) sandbox() container.Options {
	return container.Options{
		Host: o.Host, OCIRuntime: o.OCIRuntime, Network: o.Network, Bases: o.Bases, RuntimeClients: o.Clients,
		NoPull: o.NoPull, Ahead: o.Ahead, AllowAnyLocalUser: o.AllowAnyLocalUser,
	}
}
