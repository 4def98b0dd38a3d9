package lambda_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

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

// TestExistingKeepsChanges has a function's owner change it right before each
// change that the run makes of it, at an endpoint that takes changes only of the
// revision that it has: whatever the owner has changed stays.
func TestExistingKeepsChanges(t *testing.T) {
	alone(t)
	direct := serve(t)
	if _, err := open(t, lambda.Options{Endpoint: direct, Run: "theirs"}).Deploy(t.Context(), hello(t)); err != nil {
		t.Fatal(err)
	}
	o := &owner{
		client: awslambda.New(awslambda.Options{BaseEndpoint: &direct, Region: "us-east-1", Credentials: aws.AnonymousCredentials{}}),
		name:   aws.String("coldcurve-theirs-hello"), due: make(chan struct{}, 1),
	}
	target, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			select {
			case <-o.due:
				o.change(t)
			default:
			}
		}
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	d, err := open(t, lambda.Options{Endpoint: proxy.URL, Existing: true, Change: true}).Deploy(t.Context(), platform.Function{Name: "hello", Existing: *o.name})
	if err != nil {
		t.Fatal(err)
	}
	evict := d.(platform.Evicter).Evict
	for i, step := range []func(context.Context) error{evict, evict, d.Remove} {
		o.due <- struct{}{}
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := o.variables(t)
		want := map[string]string{"CHANGES": strconv.Itoa(i + 1)}
		if i < 2 {
			want["COLDCURVE_EVICTION"] = got["COLDCURVE_EVICTION"]
		}
		if !maps.Equal(got, want) || i < 2 && !strings.HasPrefix(got["COLDCURVE_EVICTION"], strconv.Itoa(i+1)+" by ") {
			t.Errorf("after %d changes of its owner's it has %v, want %v", i+1, got, want)
		}
	}
}

// owner is somebody whose function a run changes, and who changes it, too.
type owner struct {
	client *awslambda.Client
	name   *string
	due    chan struct{} // holds something where the next change is theirs
	made   int
}

// change adds one to the variable CHANGES.
func (o *owner) change(t *testing.T) {
	o.made++
	variables := maps.Clone(o.variables(t))
	if variables == nil {
		variables = make(map[string]string)
	}
	variables["CHANGES"] = strconv.Itoa(o.made)
	if _, err := o.client.UpdateFunctionConfiguration(context.Background(), &awslambda.UpdateFunctionConfigurationInput{
		FunctionName: o.name, Environment: &types.Environment{Variables: variables},
	}); err != nil {
		t.Error(err)
	}
}

// variables are what the function has once no change is under way.
func (o *owner) variables(t *testing.T) map[string]string {
	for {
		now, err := o.client.GetFunctionConfiguration(context.Background(), &awslambda.GetFunctionConfigurationInput{FunctionName: o.name})
		switch {
		case err != nil:
			t.Error(err)
			return nil
		case now.LastUpdateStatus == types.LastUpdateStatusInProgress:
			continue
		case now.Environment == nil:
			return nil
		}
		return now.Environment.Variables
	}
}
