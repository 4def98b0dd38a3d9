package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/platform/owner"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// The labels of what is made here.
const (
	ownerLabel    = "coldcurve.owner" // the process that made it, see package owner
	functionLabel = "coldcurve.function"
	instanceLabel = "coldcurve.instance" // none on one that was created ahead
	imageLabel    = "coldcurve.image"    // the name of the image that a build is to make
)

// Leftover is a container or an image that a process has made and not removed.
type Leftover struct {
	Kind     string // container or image
	ID       string // the engine's
	Function string // whose it is
	Since    time.Time
	Owner    string // the process that made it
	// Visible says that the process can be seen from here, Alive that it lives,
	// or that this cannot be told.
	Visible, Alive bool
}

// Leftovers are those of all processes, this one among them: containers first,
// because they hold the images.
func Leftovers(ctx context.Context, o Options) ([]Leftover, error) {
	var list []Leftover
	err := attend(ctx, o, func(e *engine, me owner.Owner) (err error) {
		list, err = e.leftovers(ctx, me)
		return err
	})
	return list, err
}

// Take removes one of them. That it is gone already is no error.
func Take(ctx context.Context, o Options, l Leftover) error {
	return attend(ctx, o, func(e *engine, _ owner.Owner) error { return e.take(ctx, l) })
}

// Sweep removes the containers and images that dead processes have left
// behind. It is for whoever sees such a process die; New does it too.
func Sweep(ctx context.Context, o Options) error {
	return attend(ctx, o, func(e *engine, me owner.Owner) error { return e.sweep(ctx, me) })
}

// attend connects to the engine for as long as do takes.
func attend(ctx context.Context, o Options, do func(*engine, owner.Owner) error) error {
	me, err := owner.Self()
	if err != nil {
		return fmt.Errorf("container sandbox: %w", err)
	}
	e, err := connect(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(do(e, me), e.Close())
}

// sweep removes what belongs to processes that me sees gone.
func (e *engine) sweep(ctx context.Context, me owner.Owner) error {
	list, err := e.leftovers(ctx, me)
	errs := []error{err}
	for _, l := range list {
		if !l.Alive {
			errs = append(errs, e.take(ctx, l))
		}
	}
	return errors.Join(errs...)
}

// leftovers give what could be listed beside an error, too. What has a label
// that is not ours to read is nobody's leftover.
func (e *engine) leftovers(ctx context.Context, me owner.Owner) (list []Leftover, err error) {
	ours := client.Filters{}.Add("label", ownerLabel)
	add := func(kind, id string, created int64, labels map[string]string) {
		if who, ok := owner.Parse(labels[ownerLabel]); ok {
			list = append(list, Leftover{Kind: kind, ID: id, Function: labels[functionLabel], Since: time.Unix(created, 0).UTC(),
				Owner: who.String(), Visible: me.Sees(who), Alive: !me.Gone(who)})
		}
	}
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	for _, c := range containers.Items {
		add("container", c.ID, c.Created, c.Labels)
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: ours})
	if err != nil {
		return list, fmt.Errorf("list images: %w", err)
	}
	for _, i := range images.Items {
		add("image", i.ID, i.Created, i.Labels)
	}
	return list, nil
}

func (e *engine) take(ctx context.Context, l Leftover) error {
	if l.Kind == "image" {
		return e.removeImage(ctx, l.ID)
	}
	return e.removeContainer(ctx, l.ID)
}

// mostOthers bounds the wait between two looks at a container that somebody
// else is removing, each twice as long as the one before.
const mostOthers = 5 * time.Second

// removeContainer ends a container and returns when it is gone. While somebody
// else removes it, as processes do that see its owner gone at the same time, the
// engine refuses: then it is asked again.
func (e *engine) removeContainer(ctx context.Context, id string) error {
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		_, err := e.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case err == nil || errdefs.IsNotFound(err):
			return nil
		case !errdefs.IsConflict(err) || wait > mostOthers:
			return fmt.Errorf("remove container %.12s: %w", id, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("remove container %.12s: %w", id, err)
		}
	}
}

func (e *engine) removeImage(ctx context.Context, reference string) error {
	_, err := e.ImageRemove(ctx, reference, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove image %s: %w", reference, err)
}
