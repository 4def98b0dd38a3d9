package container

import (
	"testing"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// OwnerOf is what the label of all that a sandbox makes says.
func OwnerOf(s *Sandbox) string { return s.owner.String() }

// Inspect is the engine's account of an instance.
func Inspect(t testing.TB, in sandbox.Instance) container.InspectResponse {
	t.Helper()
	i := in.(*instance)
	r, err := i.sandbox.engine.ContainerInspect(t.Context(), i.attempt().container, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Container
}
