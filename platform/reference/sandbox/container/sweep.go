package container

import (
	"context"
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox/owner"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// The labels of what is made here.
const (
	ownerLabel    = "coldcurve.owner" // the process that made it, see package owner
	functionLabel = "coldcurve.function"
	instanceLabel = "coldcurve.instance" // none on one that was created ahead
)

// Sweep removes the containers and images that dead processes have left
// behind. It is for whoever sees such a process die; New does it too.
func Sweep(ctx context.Context, o Options) error {
	me, err := owner.Self()
	if err != nil {
		return fmt.Errorf("sweep containers: %w", err)
	}
	e, err := connect(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(e.sweep(ctx, me), e.Close())
}

// sweep removes what belongs to processes that me sees gone: containers first,
// because they hold the images.
func (e *engine) sweep(ctx context.Context, me owner.Owner) error {
	ours := client.Filters{}.Add("label", ownerLabel)
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	var errs []error
	for _, c := range containers.Items {
		if stale(c.Labels, me) {
			errs = append(errs, e.removeContainer(ctx, c.ID))
		}
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: ours})
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("list images: %w", err))...)
	}
	for _, i := range images.Items {
		if stale(i.Labels, me) {
			errs = append(errs, e.removeImage(ctx, i.ID))
		}
	}
	return errors.Join(errs...)
}

func stale(labels map[string]string, me owner.Owner) bool {
	who, ok := owner.Parse(labels[ownerLabel])
	return ok && me.Gone(who)
}

// removeContainer ends a container and returns when it is gone.
func (e *engine) removeContainer(ctx context.Context, id string) error {
	_, err := e.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove container %.12s: %w", id, err)
}

func (e *engine) removeImage(ctx context.Context, reference string) error {
	_, err := e.ImageRemove(ctx, reference, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove image %s: %w", reference, err)
}
