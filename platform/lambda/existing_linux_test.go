package lambda_test

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/peer"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// TestServerlessOffline holds the kit against a function that serverless-offline
// has: nothing is deployed there, and the beacon is the evidence.
func TestServerlessOffline(t *testing.T) {
	alone(t)
	endpoint := offline(t)
	platformtest.Run(t, platformtest.Kit{
		Function: platform.Function{Existing: "conformance-dev-subject"},
		Open: func(t testing.TB) platform.Platform {
			// A request that is given up is waited for so much longer than its function.
			return open(t, lambda.Options{Endpoint: endpoint, Existing: true, Answer: 2 * time.Second})
		},
	})
}

// offline runs serverless-offline until the test ends, and gives the URL of its
// Lambda API. It is told to know no timeouts: after one it hands the next
// request to the thread that it has just ended, which never answers.
func offline(t *testing.T) string {
	t.Helper()
	node, modules := need.Program(t, "node"), need.NodePackage(t, "serverless-offline")
	dir := t.TempDir()
	if _, err := subject.Build(dir, platform.NodeJS, false); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "offline"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return peer.Start(t, peer.Command{
		Dir: dir,
		Args: []string{node, filepath.Join(modules, "serverless", "bin", "serverless.js"), "offline", "start", "--host", "127.0.0.1",
			"--httpPort", free(t), "--lambdaPort", free(t), "--noTimeout", "--terminateIdleLambdaTime", "1"},
		Env:   []string{"SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off", "HOME=" + dir},
		Ready: regexp.MustCompile(`http for lambda\] listening on (http://127\.0\.0\.1:[0-9]+)$`),
	})
}

// free is a port that nobody has now, for what cannot pick one itself. It is
// below those that the kernel gives to who asks for any, from 32768 on, which
// another test may be given before it is used.
func free(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(16384 + rand.IntN(16384))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free, in 1000 tries")
	return ""
}

// TestExistingConformance holds the kit against a function of the reference
// runtime that somebody else has deployed, and that may be changed.
func TestExistingConformance(t *testing.T) {
	alone(t)
	endpoint := serve(t)
	function, err := subject.Build(t.TempDir(), platform.Go, false)
	if err != nil {
		t.Fatal(err)
	}
	function.Name, function.Memory, function.Timeout = "subject", 256*units.MB, 2*time.Second
	d, err := open(t, lambda.Options{Endpoint: endpoint, Run: "theirs"}).Deploy(t.Context(), function)
	if err != nil {
		t.Fatal(err)
	}
	platformtest.Run(t, platformtest.Kit{
		Function: platform.Function{Existing: "coldcurve-theirs-subject"},
		Open: func(t testing.TB) platform.Platform {
			return open(t, lambda.Options{Endpoint: endpoint, Existing: true, Change: true})
		},
	})
	if left := leftovers(t, endpoint); len(left) != 1 {
		t.Errorf("of theirs there is still %v", left)
	}
	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
}
