package reference

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/priority"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
)

// box is a sandbox that tells of itself.
type box interface {
	sandbox.Sandbox
	Facts() map[string]string
	Notes() []string
}

// SandboxNames are what can stand in [Settings.Sandboxes].
func SandboxNames() []string { return []string{"process", "namespace", "wasm", "container"} }

// suited are the sandboxes of what runs in one of them only.
func suited() map[platform.Runtime]string {
	return map[platform.Runtime]string{platform.Wasm: "wasm", platform.Image: "container"}
}

// Available says why instances of a sandbox cannot be made on this machine, and
// what to do about it; nil where they can. It starts no engine.
func Available(ctx context.Context, name string) error {
	switch {
	case runtime.GOOS != "linux":
		return errNoLinux
	case name == "namespace":
		return namespace.Available()
	case name == "container":
		return container.Available(ctx, container.Options{})
	}
	return nil // what is not known is told by who opens it
}

// boxes are the sandboxes that functions can choose from.
type boxes struct {
	byName map[string]box
	first  string
	// threads are those that start instances, which keep normal priority.
	threads []int
	// inside says that functions run in this very process.
	inside bool
}

// opener opens the sandboxes.
type opener struct {
	Settings
	clients string // the runtime clients' folder
	refused func(error)
}

// open is the one place where a sandbox's name meets its room.
func (o *opener) open(name string, b *boxes) (box, error) {
	switch name {
	case "process":
		made, err := process.New(process.Options{
			RuntimeClients: o.clients, NoCgroups: o.NoCgroups, Region: o.Region, Adopt: true,
			AllowAnyLocalUser: o.AllowAnyLocalUser, Refused: o.refused,
		})
		return b.starting(made, err)
	case "namespace":
		made, err := namespace.New(namespace.Options{RuntimeClients: o.clients, NoCgroups: o.NoCgroups, Region: o.Region})
		return b.starting(made, err)
	case "wasm":
		b.inside = true
		return orNone(wasm.New(wasm.Options{Cache: filepath.Join(filepath.Dir(o.clients), "wasm"), Region: o.Region}))
	case "container":
		return orNone(container.New(context.Background(), container.Options{
			RuntimeClients: o.clients, Bases: o.Bases, Region: o.Region, AllowAnyLocalUser: o.AllowAnyLocalUser, Refused: o.refused,
		}))
	}
	return nil, fmt.Errorf("no sandbox %q: there are %s", name, strings.Join(SandboxNames(), ", "))
}

// orNone is a box that could be opened, without the nil of its own type.
func orNone[B box](made B, err error) (box, error) {
	if err != nil {
		return nil, err
	}
	return made, nil
}

// starter is a box that starts processes from threads of its own.
type starter interface {
	box
	Threads() []int
}

// starting is orNone that remembers the box's threads.
func (b *boxes) starting(made starter, err error) (box, error) {
	if err != nil {
		return nil, err
	}
	b.threads = append(b.threads, made.Threads()...)
	return made, nil
}

// openBoxes opens what the settings name.
func openBoxes(s Settings, refused func(error)) (*boxes, error) {
	names := s.Sandboxes
	if len(names) == 0 {
		names = []string{"process"}
	}
	clients, err := fixtures.RuntimeClients(s.Cache)
	if err != nil {
		return nil, err
	}
	o := opener{s, clients, refused}
	b := &boxes{byName: make(map[string]box), first: names[0]}
	for _, name := range names {
		if b.byName[name] != nil {
			continue
		}
		one, err := o.open(name, b)
		if err != nil {
			if errors.Is(err, peer.ErrUnknown) {
				err = fmt.Errorf("%w; with --allow-any-local-user every user of this machine may connect", err)
			}
			return nil, errors.Join(err, b.close())
		}
		b.byName[name] = one
	}
	return b, nil
}

// sandboxes are the boxes as the engine takes them.
func (b *boxes) sandboxes() map[string]sandbox.Sandbox {
	all := make(map[string]sandbox.Sandbox, len(b.byName))
	for name, one := range b.byName {
		all[name] = one
	}
	return all
}

// facts are those of all boxes; what another than the first says for itself is
// under its name.
func (b *boxes) facts() map[string]string {
	facts := b.byName[b.first].Facts()
	for name, one := range b.byName {
		for key, value := range one.Facts() {
			if name != b.first && facts[key] != value {
				facts[name+"_"+key] = value
			}
		}
	}
	names := slices.Sorted(maps.Keys(b.byName))
	for _, name := range names {
		delete(facts, name+"_sandbox")
	}
	facts["sandbox"] = strings.Join(names, ", ")
	return facts
}

// notes are those of all boxes, once.
func (b *boxes) notes() []string {
	var notes []string
	for _, name := range slices.Sorted(maps.Keys(b.byName)) {
		for _, note := range b.byName[name].Notes() {
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	if b.inside {
		notes = append(notes, "wasm: the runtime does without real-time priority, which modules in its process would run at; "+
			"on a busy machine its own work waits for the functions', in every sandbox")
	}
	return notes
}

// raise gives the runtime priority over the functions until it is released. A
// provider's control plane does not share its cores with functions. Here it
// does, and 200 starts at once left requests unread for 100 ms, which then found
// instances that were free again: 45 to 200 were started. (Giving the functions
// less weight instead was tried and left out: they then yield to everything
// else on the machine too, and provisioning took .7 s beside two compilers.)
// The threads that start instances stay as they are. Where functions run in
// this process all of it does: Go moves its goroutines between the threads.
func (b *boxes) raise() (release func()) {
	if b.inside {
		return func() {}
	}
	raised := priority.Raise(priority.ControlPlane, b.threads...)
	procs := leaveRoom()
	return func() {
		raised.Release()
		runtime.GOMAXPROCS(procs)
	}
}

func (b *boxes) close() error {
	var errs []error
	for _, one := range b.byName {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// leaveRoom lets the process keep half of the processors busy at once, unless
// its user has said otherwise, and gives what it was before. The others are the
// functions': a runtime that may take all of them wakes a second thread for each
// answer of a function, before which it comes, and finds nothing for it to do.
func leaveRoom() (before int) {
	if os.Getenv("GOMAXPROCS") != "" {
		return runtime.GOMAXPROCS(0)
	}
	return runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
}
