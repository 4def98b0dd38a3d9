package imagetest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
)

// Left are the containers that carry this test's mark in their environment, in
// whatever state they are, and what a process has labelled as its own, by the
// engine's lists of everything that it has.
func Left(t testing.TB, process int) (left []string) {
	t.Helper()
	e, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, word := context.Background(), os.Getenv(residue.Marker)
	labelled := func(labels map[string]string) bool {
		return strings.Contains(labels["coldcurve.owner"], fmt.Sprintf("-%d-", process))
	}
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers.Items {
		about, err := e.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		if errdefs.IsNotFound(err) {
			continue // another test's, that has gone meanwhile
		} else if err != nil {
			t.Fatal(err)
		}
		marked := word != "" && slices.ContainsFunc(about.Container.Config.Env, func(pair string) bool {
			return strings.HasPrefix(pair, residue.Marker+"="+word)
		})
		if marked || labelled(c.Labels) {
			left = append(left, fmt.Sprintf("container %.12s of %s, %s", c.ID, c.Image, c.State))
		}
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.Items {
		if labelled(i.Labels) {
			left = append(left, fmt.Sprintf("image %s", strings.Join(i.RepoTags, ", ")))
		}
	}
	return left
}

// Upon are the images without a name that the engine has made on one: what a
// build leaves that does not come to its end.
func Upon(t testing.TB, base string) (ids []string) {
	t.Helper()
	e, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx := context.Background()
	below, err := e.ImageInspect(ctx, base)
	if err != nil {
		t.Fatal(err)
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("dangling", "true")})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.Items {
		about, err := e.ImageInspect(ctx, i.ID)
		if errdefs.IsNotFound(err) {
			continue // another test's, that has gone meanwhile
		} else if err != nil {
			t.Fatal(err)
		}
		if layers := about.RootFS.Layers; len(layers) > 0 && layers[0] == below.RootFS.Layers[0] {
			ids = append(ids, i.ID)
		}
	}
	return ids
}
