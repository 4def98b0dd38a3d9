package container_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container/imagetest"
	"github.com/moby/moby/client"
)

func TestImage(t *testing.T) {
	s := open(t, container.Options{NoPull: true})
	look := looker(t)
	binary := filepath.Join(look.Function.Code, "bootstrap")
	imagetest.Import(t, "coldcurve-test/looker:1", []string{`ENTRYPOINT ["/usr/bin/function"]`, "ENV GREETING=hello", "WORKDIR /var/task"}, func(b *imagetest.Bundle) {
		b.File(binary, "/usr/bin/function")
	})
	imagetest.Import(t, "coldcurve-test/idle:1", nil, func(b *imagetest.Bundle) { b.File(binary, "/usr/bin/function") })
	imagetest.Import(t, "coldcurve-test/wrong:1", []string{`ENTRYPOINT ["/usr/bin/functoin"]`}, func(b *imagetest.Bundle) { b.File(binary, "/usr/bin/function") })
	of := func(reference string) *sandbox.Spec {
		image := *look
		image.Function.Runtime, image.Function.Code, image.Function.Image, image.Function.Handler = platform.Image, "", reference, ""
		return &image
	}
	t.Run("its own entry point and environment", func(t *testing.T) {
		function := of("coldcurve-test/looker:1")
		function.Function.Handler = "app.handler"
		function.Function.Env = map[string]string{"COLOUR": "blue"}
		if err := s.Prepare(t.Context(), function); err != nil {
			t.Fatal(err)
		}
		in := ready(t, s, function)
		env := "\x00" + ask(t, in, `{"read": "/proc/self/environ"}`)
		for _, want := range []string{"GREETING=hello", "COLOUR=blue", "AWS_LAMBDA_FUNCTION_NAME=looker", "_HANDLER=app.handler"} {
			if !strings.Contains(env, "\x00"+want+"\x00") {
				t.Errorf("environment lacks %s: %q", want, env)
			}
		}
		if got := ask(t, in, `{"read": "/proc/self/cmdline"}`); got != "/usr/bin/function\x00app.handler\x00" {
			t.Errorf("runs %q, want the handler as the command", got)
		}
	})
	t.Run("no entry point", func(t *testing.T) {
		_, err := s.Start(t.Context(), "i-1", of("coldcurve-test/idle:1"), sandbox.OnDemand)
		if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
			t.Errorf("got %q", f.Type)
		}
	})
	t.Run("wrong entry point", func(t *testing.T) {
		_, err := start(t, s, of("coldcurve-test/wrong:1")).AwaitReady(t.Context())
		if f := failure(t, err, sample.Init); f.Type != "Runtime.InvalidEntrypoint" {
			t.Errorf("got %q", f.Type)
		}
	})
	t.Run("not there", func(t *testing.T) {
		if err := s.Prepare(t.Context(), of("coldcurve-test/nothing:1")); err == nil || !strings.Contains(err.Error(), "has no image coldcurve-test/nothing:1") {
			t.Errorf("got %v", err)
		}
	})
}

// TestInterpreters runs the fixtures in images made of this machine's own
// interpreters.
func TestInterpreters(t *testing.T) {
	clients, err := fixtures.RuntimeClients(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, container.Options{NoPull: true, RuntimeClients: clients, Bases: map[platform.Runtime]string{
		platform.NodeJS: "coldcurve-test/node:1", platform.Python: "coldcurve-test/python:1"}})
	for _, tt := range []struct {
		runtime platform.Runtime
		image   string
	}{
		{platform.NodeJS, "coldcurve-test/node:1"},
		{platform.Python, "coldcurve-test/python:1"},
	} {
		t.Run(string(tt.runtime), func(t *testing.T) {
			imagetest.Interpreter(t, tt.image, tt.runtime)
			built, err := fixtures.Build(t.Context(), fixtures.Spec{Name: "hello", Runtime: tt.runtime, Cache: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			function := spec("")
			function.Function.Runtime, function.Function.Code, function.Function.Handler = tt.runtime, built.Code, built.Handler
			in := start(t, s, function)
			marks, err := in.AwaitReady(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !(marks.Provisioned <= marks.Booted && marks.Booted < marks.Ready) {
				t.Errorf("marks out of order: %+v", marks)
			}
			r, err := in.Invoke(t.Context(), invocation(`{"name": "you"}`, 10*time.Second))
			if err != nil || r.FunctionError != "" {
				t.Errorf("got %s, %v", r.Body, err)
			}
		})
	}
}

// TestABuildThatFails has the second step of two fail: what the first has made
// goes, and is known for whose it is where it cannot.
func TestABuildThatFails(t *testing.T) {
	clients, err := fixtures.RuntimeClients(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const base = "coldcurve-test/occupied:1"
	open := func(t *testing.T, host string) *container.Sandbox {
		return open(t, container.Options{Host: host, NoPull: true, RuntimeClients: clients, Bases: map[platform.Runtime]string{platform.Python: base}})
	}
	function := spec("")
	function.Function.Runtime = platform.Python
	prepare := func(t *testing.T, s *container.Sandbox) {
		t.Helper()
		if err := s.Prepare(t.Context(), function); err == nil || !strings.Contains(err.Error(), "/opt/coldcurve") {
			t.Errorf("got %v, want that there is no folder /opt/coldcurve", err)
		}
	}
	open(t, "")
	imagetest.Import(t, base, nil, func(b *imagetest.Bundle) {
		b.File(filepath.Join(function.Function.Code, "bootstrap"), "/opt/coldcurve")
	})
	t.Run("removed", func(t *testing.T) {
		prepare(t, open(t, ""))
		if left := imagetest.Upon(t, base); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		s := open(t, cut(t))
		prepare(t, s)
		left := imagetest.Upon(t, base)
		if len(left) != 1 {
			t.Fatalf("left: %q, want the image of the step before", left)
		}
		list, err := container.Leftovers(t.Context(), container.Options{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(l container.Leftover) bool { return l.ID == left[0] })
		if i < 0 || list[i].Function != "shop" || list[i].Owner != container.OwnerOf(s) {
			t.Fatalf("%s is not among %+v, of function shop and of this process", left[0], list)
		}
		if err := container.Take(t.Context(), container.Options{}, list[i]); err != nil {
			t.Fatal(err)
		}
		if left := imagetest.Upon(t, base); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}

// cut is the engine for who does not learn of it what a build has made.
func cut(t *testing.T) (host string) {
	t.Helper()
	engine := strings.TrimPrefix(os.Getenv(client.EnvOverrideHost), "unix://")
	if engine == "" {
		engine = strings.TrimPrefix(client.DefaultDockerHost, "unix://")
	}
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	pass.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", engine)
	}}
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("filters"), "coldcurve.image=") {
			http.Error(w, "cut off", http.StatusBadGateway)
			return
		}
		pass.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + path
}
