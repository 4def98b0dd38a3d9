package container_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/moby/moby/client"
)

// BenchmarkCold tells where a start's time goes, each way side by side: the
// part of it that the engine takes for create, for start, and what is left
// until the first poll.
func BenchmarkCold(b *testing.B) {
	e, err := client.New(client.FromEnv)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	open(b, container.Options{})
	network := fmt.Sprintf("coldcurve-bench-%d", os.Getpid())
	if _, err := e.NetworkCreate(b.Context(), network, client.NetworkCreateOptions{Driver: "bridge", Internal: true}); err != nil {
		b.Fatal(err)
	}
	ways := []struct {
		name    string
		options container.Options
	}{
		{"oci=runc", container.Options{OCIRuntime: "runc"}},
		{"oci=crun", container.Options{OCIRuntime: "crun"}},
		{"oci=runc/ahead=1", container.Options{OCIRuntime: "runc", Ahead: 1}},
		{"oci=runc/network=bridge", container.Options{OCIRuntime: "runc", Network: network}},
	}
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			s := open(b, way.options)
			function := spec("")
			if err := s.Prepare(b.Context(), function); err != nil {
				b.Fatal(err)
			}
			var created, started, ready time.Duration
			for b.Loop() {
				b.StopTimer()
				time.Sleep(300 * time.Millisecond) // for what is created ahead
				b.StartTimer()
				in := start(b, s, function)
				marks, err := in.AwaitReady(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				at := in.(interface{ Birth() container.Birth }).Birth().Created
				created += time.Duration(at - marks.Begun)
				started += time.Duration(marks.Provisioned - at)
				ready += time.Duration(marks.Ready - marks.Provisioned)
				if err := in.Stop(false); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			for unit, d := range map[string]time.Duration{"create-ms": created, "start-ms": started, "first-poll-ms": ready} {
				b.ReportMetric(float64(d.Microseconds())/1e3/float64(b.N), unit)
			}
		})
	}
	if _, err := e.NetworkRemove(b.Context(), network, client.NetworkRemoveOptions{}); err != nil {
		b.Error(err)
	}
}
