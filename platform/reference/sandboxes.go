package reference

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// box is a sandbox that tells of itself.
type box interface {
	sandbox.Sandbox
	Facts() map[string]string
	Notes() []string
}

// boxes are the sandboxes that functions can choose from.
type boxes struct {
	byName map[string]box
	first  string
	// threads are those that start instances, which keep normal priority.
	threads []int
}

// openers is the one place where a sandbox's name meets its room.
func openers(s Settings, clients string, refused func(error)) map[string]func(*boxes) (box, error) {
	return map[string]func(*boxes) (box, error){
		"process": func(b *boxes) (box, error) {
			made, err := process.New(process.Options{
				RuntimeClients: clients, NoCgroups: s.NoCgroups, Adopt: true,
				AllowAnyLocalUser: s.AllowAnyLocalUser, Refused: refused,
			})
			if err != nil {
				return nil, err
			}
			b.threads = append(b.threads, made.Threads()...)
			return made, nil
		},
	}
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
	b := &boxes{byName: make(map[string]box), first: names[0]}
	known := openers(s, clients, refused)
	for _, name := range names {
		open, ok := known[name]
		if !ok {
			err = fmt.Errorf("no sandbox %q: there are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		} else if b.byName[name] == nil {
			b.byName[name], err = open(b)
		}
		if err != nil {
			delete(b.byName, name)
			if errors.Is(err, peer.ErrUnknown) {
				err = fmt.Errorf("%w; with --allow-any-local-user every user of this machine may connect", err)
			}
			return nil, errors.Join(fmt.Errorf("sandbox %s: %w", name, err), b.close())
		}
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

// facts are those of all boxes; what only one of several says is under its name.
func (b *boxes) facts() map[string]string {
	facts := make(map[string]string)
	for name, one := range b.byName {
		for key, value := range one.Facts() {
			if name != b.first {
				key = name + "_" + key
			}
			facts[key] = value
		}
	}
	names := slices.Sorted(maps.Keys(b.byName))
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
	return notes
}

func (b *boxes) close() error {
	var errs []error
	for _, one := range b.byName {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}
