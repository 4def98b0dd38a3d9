// Package container owns instances that are containers of the Docker engine.
//
// In: a [sandbox.Spec] whose function is a container image with a Runtime API
// client in it, or a folder that this package builds an image of. Out: a
// [sandbox.Instance]: one container, bounded and told apart by the engine. It
// decides nothing, speaks to no registry itself (the engine pulls, without
// credentials of ours), and keeps its instances only so that Close leaves none
// behind.
//
// A start is three calls: create, attach (for the log) and start. The engine's
// shim and OCI runtime are most of it. Marks.Provisioned is when the last of
// them has returned, or the first sign of the function where that came before.
//
// An instance has a read-only root, a /tmp of Spec.Storage in memory, no
// capabilities, no way to gain privileges, a limit on processes, memory and
// CPU, and a user id that no other instance has at that time. An init process
// of the engine's stands before it, as Lambda's does, so that a signal ends it
// as it would elsewhere. Its init runs at full CPU; the share that comes with
// its memory holds some 15 ms after its first poll, which is what the engine
// takes to set it.
//
// By default it has the machine's own network, because that is where its
// Runtime API listens: it reaches what listens on loopback here, but its user
// id is nobody's. With [Options.Network] it has only that network, and the
// Runtime API listens on the address of this machine there.
//
// The log comes through the engine, which is asynchronous: what a function
// prints just before it answers may come with its next invocation's log. What
// it prints before it ends is complete.
//
// Everything made has a label with the process that made it. When this process
// is killed rather than closed, its containers and images are found by [Sweep]
// and by the next New; the containers live until then.
package container

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/platform"
)

// Options say how containers are made. The zero value runs images and Go functions.
type Options struct {
	// Host is the engine's address. The default is DOCKER_HOST, or
	// unix:///var/run/docker.sock. It has to be a unix socket: the engine must
	// run on this machine.
	Host string
	// OCIRuntime is one of the runtimes that the engine has: runc, crun, runsc,
	// ... The default is the engine's.
	OCIRuntime string
	// Network is the engine's network that instances are in, alone. The default
	// is the machine's own.
	Network string
	// Bases are the images on which nodejs and python functions from a folder
	// are built; node or python3 has to be on their PATH. The defaults are
	// Docker's official ones, node:22-slim and python:3.13-slim.
	Bases map[platform.Runtime]string
	// RuntimeClients is the folder with bootstrap.mjs and bootstrap.py, which
	// run Node.js and Python handlers on those. The default is none.
	RuntimeClients string
	// NoPull fails for an image that the engine does not have. The default is
	// to pull it, once.
	NoPull bool
	// Ahead is how many containers are kept created for each function, so that
	// its start is the start alone. The default is none.
	Ahead int
	// Grace is how long a graceful Stop waits between SIGTERM and SIGKILL. The
	// default is 300 ms, which is what Lambda gives an external extension.
	Grace time.Duration
	// Region is what functions are told as theirs. The default is us-east-1.
	Region string
	// AllowAnyLocalUser lets every user of this machine connect to an
	// instance's Runtime API, and so take and answer its invocations. The
	// default is the instance's own user, this one and root.
	AllowAnyLocalUser bool
	// Refused is told of each connection that is refused, from any goroutine.
	// The default is nobody.
	Refused func(error)
}

func (o Options) withDefaults() Options {
	o.Bases = map[platform.Runtime]string{
		platform.NodeJS: cmp.Or(o.Bases[platform.NodeJS], "node:22-slim"),
		platform.Python: cmp.Or(o.Bases[platform.Python], "python:3.13-slim"),
	}
	if o.Grace == 0 {
		o.Grace = 300 * time.Millisecond
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Refused == nil {
		o.Refused = func(error) {}
	}
	return o
}

// Validate tells every option that cannot be.
func (o Options) Validate() error {
	var errs []error
	if o.Grace < 0 {
		errs = append(errs, fmt.Errorf("container sandbox: Grace is %v, want 0 or more", o.Grace))
	}
	if o.Ahead < 0 || o.Ahead > 64 {
		errs = append(errs, fmt.Errorf("container sandbox: Ahead is %d, want 0 to 64", o.Ahead))
	}
	for r := range o.Bases {
		if r != platform.NodeJS && r != platform.Python {
			errs = append(errs, fmt.Errorf("container sandbox: Bases has runtime %q, want nodejs or python", r))
		}
	}
	return errors.Join(errs...)
}
