package container_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/moby/moby/client"
)

func TestValidate(t *testing.T) {
	if err := (container.Options{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	err := container.Options{Grace: -1, Ahead: 65, Bases: map[platform.Runtime]string{platform.Go: "alpine"}}.Validate()
	for _, want := range []string{"Grace is -1ns", "Ahead is 65", `Bases has runtime "go"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
}

// TestAvailableSaysWhyNot wants one line with what to do.
func TestAvailableSaysWhyNot(t *testing.T) {
	need.Linux(t)
	stopped := filepath.Join(t.TempDir(), "stopped.sock")
	l, err := net.Listen("unix", stopped)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		options container.Options
		want    []string
	}{
		{"none", container.Options{Host: "unix:///nowhere/docker.sock"}, []string{"no Docker engine answers at unix:///nowhere/docker.sock", "systemctl start docker"}},
		{"stopped", container.Options{Host: "unix://" + stopped}, []string{"connection refused", "systemctl start docker"}},
		{"far away", container.Options{Host: "tcp://192.0.2.1:2375"}, []string{"may be another machine's", "unix socket"}},
	} {
		t.Run(tt.name, func(t *testing.T) { refusal(t, tt.options, tt.want...) })
	}
	t.Run("no such OCI runtime", func(t *testing.T) {
		open(t, container.Options{})
		refusal(t, container.Options{OCIRuntime: "crunch"}, "no OCI runtime crunch, only ", "runc", "--add-runtime")
	})
	t.Run("no such network", func(t *testing.T) {
		open(t, container.Options{})
		refusal(t, container.Options{Network: "coldcurve-nowhere"}, "find network coldcurve-nowhere")
		refusal(t, container.Options{Network: "none"}, "has no gateway", "docker network create")
	})
}

func refusal(t *testing.T, o container.Options, want ...string) {
	t.Helper()
	err := container.Available(t.Context(), o)
	if err == nil {
		t.Fatal("containers can be started, it says")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %q, want it to say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

// TestAhead compares a start from the shelf with one that creates.
func TestAhead(t *testing.T) {
	s := open(t, container.Options{Ahead: 2})
	function := spec("")
	if err := s.Prepare(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no two containers are created ahead", func() bool {
		n := 0
		for _, thing := range things(t, container.OwnerOf(s)) {
			if strings.HasSuffix(thing, " created") {
				n++
			}
		}
		return n == 2
	})
	for i := range 5 { // more than there are
		in := ready(t, s, function)
		if got := string(invoke(t, in, "hello").Body); got != "hello" {
			t.Errorf("%d: got %q", i, got)
		}
		if _, named := container.Inspect(t, in).Config.Labels["coldcurve.instance"]; i == 0 && named {
			t.Error("the first was not created ahead")
		}
	}
	if !strings.Contains(strings.Join(s.Notes(), "\n"), "created ahead") {
		t.Errorf("notes %q do not say so", s.Notes())
	}
}

// TestNetwork gives instances a bridge of their own.
func TestNetwork(t *testing.T) {
	open(t, container.Options{})
	e, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	name := fmt.Sprintf("coldcurve-test-%d", os.Getpid())
	if _, err := e.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{Driver: "bridge", Internal: true}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := e.NetworkRemove(t.Context(), name, client.NetworkRemoveOptions{}); err != nil {
			t.Error(err)
		}
	}()
	refused := make(chan error, 10)
	s := open(t, container.Options{Network: name, Refused: func(err error) { refused <- err }})
	in := ready(t, s, looker(t))
	if got := ask(t, in, `{"read": "/proc/net/dev"}`); !strings.Contains(got, "eth0") {
		t.Errorf("has the devices %s", got)
	}
	env := ask(t, in, `{"read": "/proc/self/environ"}`)
	_, rest, _ := strings.Cut(env, "AWS_LAMBDA_RUNTIME_API=")
	api, _, _ := strings.Cut(rest, "\x00")
	c, err := net.Dial("tcp", api)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("this machine's other processes are answered")
	}
	select {
	case <-refused:
	case <-time.After(time.Minute):
		t.Error("nothing was refused")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestForget: a version that is gone leaves neither its image nor containers
// that were created ahead, while another's stay.
func TestForget(t *testing.T) {
	s := open(t, container.Options{Ahead: 2})
	gone, stays := spec(""), spec("")
	for _, function := range []*sandbox.Spec{gone, stays} {
		if err := s.Prepare(t.Context(), function); err != nil {
			t.Fatal(err)
		}
		if err := ready(t, s, function).Stop(false); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second changes nothing
		s.Forget(gone)
	}
	eventually(t, "the other's image and two containers are not what is left", func() bool {
		left := things(t, container.OwnerOf(s))
		images := 0
		for _, thing := range left {
			if strings.HasPrefix(thing, "image ") {
				images++
			}
		}
		return images == 1 && len(left) == 3
	})
	if got := string(invoke(t, ready(t, s, stays), "hello").Body); got != "hello" {
		t.Errorf("got %q", got)
	}
}
