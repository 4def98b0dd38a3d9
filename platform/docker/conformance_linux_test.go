package docker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/docker"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/owner"
)

// TestConformance holds each tier on a real engine to what every platform has
// to do, two of them by runc and one by crun.
func TestConformance(t *testing.T) {
	if _, err := docker.Facts(t.Context(), docker.Options{}); err != nil {
		need.Missing(t, err.Error())
	}
	function, err := subject.Build(t.TempDir(), platform.Go, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		options       docker.Options
		fresh, reused []sample.Start
	}{
		{options: docker.Options{OCIRuntime: "runc", Tier: docker.Plain}},
		{options: docker.Options{OCIRuntime: "crun", Tier: docker.Created}, fresh: []sample.Start{sample.Prewarmed, sample.Cold}},
		// Who comes before the pause has begun finds a warm one.
		{options: docker.Options{OCIRuntime: "runc", Tier: docker.Paused}, reused: []sample.Start{sample.Restored, sample.Warm}},
	} {
		t.Run(fmt.Sprintf("%s %s", tt.options.OCIRuntime, tt.options.Tier), func(t *testing.T) {
			platformtest.Run(t, platformtest.Kit{
				Function: function, Fresh: tt.fresh, Reused: tt.reused, Left: left, Patience: 3 * time.Minute,
				Open: func(t testing.TB) platform.Platform {
					p, err := docker.New(t.Context(), tt.options)
					if err != nil {
						t.Fatal(err)
					}
					return p
				},
			})
		})
	}
}

// left are the containers and images that the engine has of this process.
func left(t testing.TB) (names []string) {
	t.Helper()
	me, err := owner.Self()
	if err != nil {
		t.Fatal(err)
	}
	e, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ours := client.Filters{}.Add("label", "coldcurve.owner="+me.String())
	containers, err := e.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers.Items {
		names = append(names, "container "+c.ID)
	}
	images, err := e.ImageList(context.Background(), client.ImageListOptions{All: true, Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.Items {
		names = append(names, "image "+i.ID)
	}
	return names
}
