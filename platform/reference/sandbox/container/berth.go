package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// berth is a container that has been created and its Runtime API.
type berth struct {
	user      uint32
	api       *runtimeapi.Server
	container string // the engine's id; "" where none was created

	arrived sync.Once
	placed  chan struct{} // closed when address is known, or never will be
	address netip.Addr    // the container's own in Options.Network
}

// tag is what a container is told of the instance that it is created for; with
// an empty id it is for any of the function's.
type tag struct {
	id  string
	why sandbox.Initialization
}

// furnish makes a berth.
func (s *Sandbox) furnish(ctx context.Context, t tag, spec *sandbox.Spec, i *image) (_ *berth, err error) {
	b := &berth{placed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.discard(b))
		}
	}()
	if b.user, err = s.users.take(); err != nil {
		return nil, err
	}
	listener, err := s.listen(b)
	if err != nil {
		return nil, err
	}
	b.api = runtimeapi.Serve(listener, s.clock, s.limits.Response)
	if b.container, err = s.create(ctx, s.describe(t, spec, i, b)); err != nil {
		return nil, fmt.Errorf("create container: %w", err)
	}
	return b, nil
}

// lateCreation is how long an engine may take to tell of a container that nobody
// waits for any more.
const lateCreation = 5 * time.Second

// create has the engine create a container, and gives its id. An engine makes it
// also where its client has hung up, and nobody would know of it: so the engine is
// listened to when the caller has gone, and what it has made then is removed.
func (s *Sandbox) create(ctx context.Context, options client.ContainerCreateOptions) (string, error) {
	type answer struct {
		id  string
		err error
	}
	lasting, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	told := make(chan answer)
	s.late.Go(func() {
		defer hangUp()
		r, err := s.engine.ContainerCreate(lasting, options)
		select {
		case told <- answer{r.ID, err}:
		case <-ctx.Done():
			if err == nil {
				s.removeLate(r.ID)
			}
		}
	})
	select {
	case a := <-told:
		return a.id, a.err
	case <-ctx.Done():
		time.AfterFunc(lateCreation, hangUp)
		return "", context.Cause(ctx)
	}
}

func (s *Sandbox) removeLate(id string) {
	ctx, cancel := patiently()
	defer cancel()
	if err := s.engine.removeContainer(ctx, id); err != nil {
		s.note("a container is left that nobody waited for: " + err.Error())
	}
}

// listen opens a berth's Runtime API where its container can reach it.
func (s *Sandbox) listen(b *berth) (net.Listener, error) {
	if s.options.Network != "" {
		l, err := net.Listen("tcp4", netip.AddrPortFrom(s.engine.gateway, 0).String())
		if err != nil {
			return nil, err
		}
		return peer.GuardBy(l, b.check, s.options.Refused), nil
	}
	l, err := runtimeapi.Listen()
	if err != nil || s.options.AllowAnyLocalUser {
		return l, err
	}
	return peer.Guard(l, s.options.Refused, b.user), nil
}

// check lets in what comes from the container's own address, which the engine
// tells only once the container runs.
func (b *berth) check(c net.Conn) error {
	<-b.placed
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err == nil && from.Addr() == b.address {
		return nil
	}
	return fmt.Errorf("refused a connection from %v: only its container at %v may connect", c.RemoteAddr(), b.address)
}

// place tells the berth its container's address, once.
func (b *berth) place(a netip.Addr) {
	b.arrived.Do(func() {
		b.address = a
		close(b.placed)
	})
}

// discard takes a berth apart: container first, so that nobody is left to connect.
func (s *Sandbox) discard(b *berth) error {
	var errs []error
	if b.container != "" {
		ctx, cancel := patiently()
		defer cancel()
		errs = append(errs, s.engine.removeContainer(ctx, b.container))
	}
	b.place(netip.Addr{})
	if b.api != nil {
		errs = append(errs, b.api.Close())
	}
	if b.user != 0 {
		s.users.give(b.user)
	}
	return errors.Join(errs...)
}

// describe is what the engine is asked to create.
func (s *Sandbox) describe(t tag, spec *sandbox.Spec, i *image, b *berth) client.ContainerCreateOptions {
	network, yes, processes := container.NetworkMode("host"), true, int64(s.limits.Processes)
	if s.options.Network != "" {
		network = container.NetworkMode(s.options.Network)
	}
	labels := map[string]string{ownerLabel: s.owner.String(), functionLabel: spec.Function.Name}
	if t.id != "" {
		labels[instanceLabel] = t.id
	}
	host := &container.HostConfig{
		NetworkMode:    network,
		IpcMode:        container.IPCModeNone, // Lambda has no /dev/shm either
		Init:           &yes,
		Runtime:        s.options.OCIRuntime,
		ReadonlyRootfs: true,
		Tmpfs:          map[string]string{"/tmp": fmt.Sprintf("rw,exec,nosuid,nodev,mode=1777,size=%d", spec.Storage)},
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		LogConfig:      container.LogConfig{Type: "none"},
		Resources:      container.Resources{Memory: int64(spec.Memory), MemorySwap: int64(spec.Memory), PidsLimit: &processes},
	}
	if s.engine.has("name=userns") && s.options.Network == "" {
		host.UsernsMode = "host" // the engine wants that with the machine's network
	}
	user := strconv.FormatUint(uint64(b.user), 10)
	return client.ContainerCreateOptions{HostConfig: host, Config: &container.Config{
		Image: i.reference, Entrypoint: i.entrypoint, Cmd: i.command, WorkingDir: i.workdir,
		User: user + ":" + user, Env: s.environment(t, spec, b), Labels: labels,
		AttachStdout: true, AttachStderr: true,
	}}
}

// environment is Lambda's, on top of the image's own.
func (s *Sandbox) environment(t tag, spec *sandbox.Spec, b *berth) []string {
	if t.id == "" {
		t.id = "ahead-" + strconv.FormatInt(s.clock.Now(), 36)
	}
	var env []string
	for _, pair := range sandbox.Environment(spec, s.options.Region, taskFolder, clientFolder) {
		name, _, _ := strings.Cut(pair, "=")
		if _, given := spec.Function.Env[name]; given || name != "PATH" && name != "LANG" && name != "TZ" {
			env = append(env, pair)
		}
	}
	return append(sandbox.Own(env, t.id, spec.Version, t.why, time.Now()), "AWS_LAMBDA_RUNTIME_API="+b.api.Addr())
}

// unusable is a failure of kind Init if the engine says that an image cannot be
// run, else of kind Platform.
func unusable(err error) error {
	if _, ok := errors.AsType[*sandbox.Failure](err); ok {
		return err
	}
	if strings.Contains(strings.ToLower(err.Error()), "no command specified") {
		return unfit(err)
	}
	return &sandbox.Failure{Kind: sample.Platform, Cause: err}
}
