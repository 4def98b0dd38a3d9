package docker_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/docker"
	"github.com/coldcurve/coldcurve/platform/owner"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container/imagetest"
)

// TestConformance holds each tier on a real engine to what every platform has
// to do, by runc and by crun, with functions in each language and as an image that
// somebody else has made.
func TestConformance(t *testing.T) {
	for _, tt := range []struct {
		language      platform.Runtime
		options       docker.Options
		fresh, reused []sample.Start
	}{
		{language: platform.Go, options: docker.Options{OCIRuntime: "runc", Tier: docker.Plain}},
		{language: platform.Go, options: docker.Options{OCIRuntime: "crun", Tier: docker.Created}, fresh: []sample.Start{sample.Prewarmed, sample.Cold}},
		// Who comes before the pause has begun finds a warm one.
		{language: platform.Go, options: docker.Options{OCIRuntime: "runc", Tier: docker.Paused}, reused: []sample.Start{sample.Restored, sample.Warm}},
		{language: platform.NodeJS, options: docker.Options{OCIRuntime: "crun", Tier: docker.Plain}},
		{language: platform.Python, options: docker.Options{OCIRuntime: "runc", Tier: docker.Plain}},
		{language: platform.Image, options: docker.Options{OCIRuntime: "runc", Tier: docker.Plain}},
		{language: platform.Image, options: docker.Options{OCIRuntime: "crun", Tier: docker.Created}, fresh: []sample.Start{sample.Prewarmed, sample.Cold}},
	} {
		t.Run(fmt.Sprintf("%s %s %s", tt.language, tt.options.OCIRuntime, tt.options.Tier), func(t *testing.T) {
			function := imaged(t, tt.language)
			interpreted(t, tt.language, &tt.options)
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

// imaged gives the subject in a language, or as an image, which stays its owner's:
// the test that has made it takes it away, and fails where it has gone.
func imaged(t *testing.T, language platform.Runtime) platform.Function {
	t.Helper()
	if language != platform.Image {
		return realEngine(t, language)
	}
	function := realEngine(t, platform.Go)
	const image = "coldcurve-test/docker-subject:1"
	imagetest.Bootstrap(t, image, function.Code)
	return platform.Function{Runtime: platform.Image, Image: image}
}

// interpreted gives the options what functions in a language are built on: an
// image with this machine's own interpreter, where there is one.
func interpreted(t *testing.T, language platform.Runtime, o *docker.Options) {
	t.Helper()
	if language == platform.Go || language == platform.Image {
		return
	}
	clients, err := fixtures.RuntimeClients(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	base := "coldcurve-test/docker-" + string(language) + ":1"
	imagetest.Interpreter(t, base, language)
	o.Clients, o.Bases, o.NoPull = clients, map[platform.Runtime]string{language: base}, true
}

// left are the containers and images that the engine has of this process.
func left(t testing.TB) []string {
	t.Helper()
	return imagetest.Left(t, os.Getpid())
}

// found are those of them that the platform finds itself.
func found(t testing.TB) (names []string) {
	t.Helper()
	me, err := owner.Self()
	if err != nil {
		t.Fatal(err)
	}
	list, err := docker.Leftovers(context.Background(), docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if l.Owner == me.String() {
			names = append(names, l.Kind+" of "+l.Function)
		}
	}
	return names
}

// TestLeftovers wants all that there is of a function to be found by its labels.
func TestLeftovers(t *testing.T) {
	function := realEngine(t, platform.Go)
	function.Name, function.Memory = "found", 256*units.MB
	p, err := docker.New(t.Context(), docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	served(t, deploy(t, p, function))
	if diff := cmp.Diff([]string{"container of found", "image of found"}, found(t)); diff != "" {
		t.Errorf("leftovers (-want +got):\n%s", diff)
	}
	if n := len(left(t)); n != 2 {
		t.Errorf("the engine has %d of it, want a container and its image", n)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if names := left(t); len(names) > 0 {
		t.Errorf("after close there is still: %v", names)
	}
}

// realEngine wants an engine that runs, and gives the subject for it.
func realEngine(t *testing.T, language platform.Runtime) platform.Function {
	t.Helper()
	if _, err := docker.Facts(t.Context(), docker.Options{}); err != nil {
		need.Missing(t, err.Error())
	}
	function, err := subject.Build(t.TempDir(), language, false)
	if err != nil {
		t.Fatal(err)
	}
	return function
}
