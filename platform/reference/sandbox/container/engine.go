package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

// engine is the Docker engine that containers are made by.
type engine struct {
	*client.Client
	host    string
	info    system.Info
	gateway netip.Addr // this machine's address in Options.Network; invalid on the machine's own
}

// answerTime bounds the wait for an engine's first answer.
const answerTime = 10 * time.Second

// Available says why containers cannot be started here with those options, and
// what to do about it; nil if they can.
func Available(ctx context.Context, o Options) error {
	_, err := EngineFacts(ctx, o)
	return err
}

// EngineFacts are what the engine says of itself, where it can be used with
// those options.
func EngineFacts(ctx context.Context, o Options) (map[string]string, error) {
	e, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	return e.facts(), e.Close()
}

func (e *engine) facts() map[string]string {
	return map[string]string{
		"engine":       "Docker " + e.info.ServerVersion + ", API " + e.ClientVersion(),
		"oci_runtimes": strings.Join(e.runtimes(), ", "),
		"storage":      e.info.Driver,
		"cgroup":       e.info.CgroupVersion,
	}
}

// Lost says of an error whether it is that of an engine to which there is no
// connection any more.
func Lost(err error) bool { return client.IsErrConnectionFailed(err) }

// connect finds the engine and sees to it that it can be used.
func connect(ctx context.Context, o Options) (*engine, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("container sandbox: needs Linux, this is " + runtime.GOOS)
	}
	e := &engine{host: cmp.Or(o.Host, os.Getenv(client.EnvOverrideHost), client.DefaultDockerHost)}
	if !strings.HasPrefix(e.host, "unix://") {
		return nil, fmt.Errorf("container sandbox: the Docker engine at %s may be another machine's: set DOCKER_HOST to a unix socket of this one", e.host)
	}
	var err error
	if e.Client, err = client.New(client.WithHost(e.host), client.WithUserAgent("coldcurve")); err != nil {
		return nil, fmt.Errorf("container sandbox: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := e.examine(ctx, o); err != nil {
		return nil, fmt.Errorf("container sandbox: %w", errors.Join(err, e.Close()))
	}
	return e, nil
}

// examine asks the engine what it is.
func (e *engine) examine(ctx context.Context, o Options) error {
	if err := reachable(e.host); err != nil {
		return err
	}
	if _, err := e.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return fmt.Errorf("no Docker engine answers at %s (%w): start one (systemctl start docker), or name another in DOCKER_HOST", e.host, err)
	}
	r, err := e.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("ask the Docker engine at %s: %w", e.host, err)
	}
	e.info = r.Info
	if err := e.fit(o); err != nil {
		return err
	}
	return e.findGateway(ctx, o.Network)
}

// reachable tells a socket that is not there from one that may not be used,
// which the client does not.
func reachable(host string) error {
	c, err := net.Dial("unix", strings.TrimPrefix(host, "unix://"))
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not connect to the Docker engine at %s: be root, or join its group (usermod -aG docker USER)", host)
	case err != nil:
		return fmt.Errorf("no Docker engine answers at %s (%w): start one (systemctl start docker), or name another in DOCKER_HOST", host, err)
	}
	return c.Close()
}

// fit says why the engine cannot be used.
func (e *engine) fit(o Options) error {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	switch own := strings.TrimSpace(string(kernel)); {
	case e.info.OSType != "linux" || e.info.KernelVersion != own:
		return fmt.Errorf("the Docker engine at %s runs on another kernel (%s %s, here %s), a virtual machine's: use one that runs on this machine itself", e.host, e.info.OSType, e.info.KernelVersion, own)
	case e.has("name=rootless"):
		return fmt.Errorf("the Docker engine at %s is rootless: its containers do not reach this machine's loopback; use one that root runs", e.host)
	case o.OCIRuntime != "" && !e.hasRuntime(o.OCIRuntime):
		return fmt.Errorf("the Docker engine has no OCI runtime %s, only %s: add it to the engine's configuration (dockerd --add-runtime)", o.OCIRuntime, strings.Join(e.runtimes(), ", "))
	}
	return nil
}

func (e *engine) has(security string) bool {
	return slices.ContainsFunc(e.info.SecurityOptions, func(s string) bool { return strings.Contains(s, security) })
}

func (e *engine) hasRuntime(name string) bool {
	_, ok := e.info.Runtimes[name]
	return ok
}

func (e *engine) runtimes() []string { return slices.Sorted(maps.Keys(e.info.Runtimes)) }

// group is where the engine puts a container's control group, unless it is
// configured otherwise.
func (e *engine) group(container string) string {
	if e.info.CgroupDriver == "systemd" {
		return "/system.slice/docker-" + container + ".scope"
	}
	return "/docker/" + container
}

// findGateway finds the address under which containers of a network reach this machine.
func (e *engine) findGateway(ctx context.Context, network string) error {
	if network == "" {
		return nil
	}
	r, err := e.NetworkInspect(ctx, network, client.NetworkInspectOptions{})
	if err != nil {
		return fmt.Errorf("find network %s: %w", network, err)
	}
	for _, c := range r.Network.IPAM.Config {
		if c.Gateway.Is4() {
			e.gateway = c.Gateway
			return nil
		}
	}
	return fmt.Errorf("network %s (driver %s) has no gateway: use a bridge network (docker network create --internal NAME)", network, r.Network.Driver)
}
