package namespace_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

var function string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "coldcurve-namespace-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil {
			return 1
		}
		out, err := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "bootstrap"), "../process/testdata/function").CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "build the test function: %v\n%s", err, out)
			return 1
		}
		function = dir
		return m.Run()
	}())
}

func spec(t testing.TB) *sandbox.Spec {
	return &sandbox.Spec{
		Function: platform.Function{Name: "shop", Runtime: platform.Go, Code: function, Handler: "index.handler"},
		Version:  "$LATEST", ARN: "arn:aws:lambda:us-east-1:000000000000:function:shop",
		Memory: 256 << 20, Storage: 64 << 20, Timeout: 3 * time.Second, InitLimit: 10 * time.Second,
	}
}

func TestOne(t *testing.T) {
	s, err := namespace.New(namespace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Start(t.Context(), "i-1", spec(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := in.Invoke(t.Context(), &sandbox.Invocation{RequestID: "a", Payload: []byte("env"), Deadline: time.Now().Add(time.Second)})
	t.Logf("%+v %s %v", m, r.Body, err)
	if err := in.Stop(true); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkCold(b *testing.B) {
	boxes := map[string]sandbox.Sandbox{}
	p, err := process.New(process.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	n, err := namespace.New(namespace.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	boxes["process"], boxes["namespace"] = p, n
	all := map[string][]time.Duration{}
	shop := spec(b)
	for b.Loop() {
		for _, name := range []string{"process", "namespace"} {
			time.Sleep(12 * time.Millisecond)
			start := time.Now()
			in, err := boxes[name].Start(b.Context(), "i-1", shop)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := in.AwaitReady(b.Context()); err != nil {
				b.Fatal(err)
			}
			if _, err := in.Invoke(b.Context(), &sandbox.Invocation{RequestID: "a", Payload: []byte("x"), Deadline: time.Now().Add(time.Minute)}); err != nil {
				b.Fatal(err)
			}
			all[name] = append(all[name], time.Since(start))
			if err := in.Stop(false); err != nil {
				b.Fatal(err)
			}
		}
	}
	_ = all
	report(b, all)
}

func report(b *testing.B, all map[string][]time.Duration) {
	for name, ts := range all {
		slices.Sort(ts)
		b.ReportMetric(float64(ts[len(ts)/2].Microseconds()), name+"-p50-us")
	}
	b.ReportMetric(0, "ns/op")
}
