package namespace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// Sandbox makes instances.
type Sandbox struct {
	box   *process.Sandbox
	walls *walls
	close sync.Once
	left  error
}

// New makes a sandbox. Where the machine does not allow it, it fails with what
// to do.
func New(o Options) (*Sandbox, error) {
	w, err := newWalls(o)
	if err != nil {
		return nil, fmt.Errorf("namespace sandbox: %w", err)
	}
	box, err := process.New(process.Options{
		RuntimeClients: o.RuntimeClients, Programs: o.Programs, NoCgroups: o.NoCgroups,
		Grace: o.Grace, Launchers: o.Ahead, Region: o.Region, Walls: w,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("namespace sandbox: %w", err), w.close())
	}
	return &Sandbox{box: box, walls: w}, nil
}

// Available says why instances cannot be made here and what to do about it;
// nil where they can. It makes a cell and takes it down again.
func Available() error {
	w, err := newWalls(Options{})
	if err != nil {
		return fmt.Errorf("namespace sandbox: %w", err)
	}
	return w.close()
}

// Prepare finds out what a function's starts will execute, and whether an
// instance could read it.
func (s *Sandbox) Prepare(ctx context.Context, spec *sandbox.Spec) error {
	if err := s.walls.readable(spec.Function.Code); err != nil {
		return fmt.Errorf("prepare %s: %w", spec.Function.Name, err)
	}
	return s.box.Prepare(ctx, spec)
}

// readable tells what of a function's folder its instances could not read: as
// root, they are other users than the folder's owner.
func (w *walls) readable(code string) error {
	info, err := os.Stat(code)
	if errors.Is(err, fs.ErrNotExist) || w.outside == 0 {
		return nil // what is missing is told at the start
	}
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o005 != 0o005 {
		return fmt.Errorf("folder %s has mode %#o: its instances run as another user, so say chmod -R o+rX", code, info.Mode().Perm())
	}
	return nil
}

// Start implements sandbox.Sandbox.
func (s *Sandbox) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	return s.box.Start(ctx, id, spec, why)
}

// Interpreter implements sandbox.Interpreting.
func (s *Sandbox) Interpreter(spec *sandbox.Spec) (what, version string) {
	return s.box.Interpreter(spec)
}

// Threads are those that make cells and start instances.
func (s *Sandbox) Threads() []int { return s.box.Threads() }

// Facts tell what the sandbox uses.
func (s *Sandbox) Facts() map[string]string {
	facts := s.box.Facts()
	facts["sandbox"] = "namespace"
	facts["sandbox.namespaces"] = "user, pid, mount, uts, ipc, network"
	facts["sandbox.user"] = "the caller's"
	if s.walls.outside != 0 {
		facts["sandbox.user"] = "one for each instance, from " + strconv.Itoa(s.walls.outside)
	}
	return facts
}

// Notes say what a reader of figures must know.
func (s *Sandbox) Notes() []string {
	return append(s.box.Notes(), "namespaces, mounts and the Runtime API's socket are made ahead: "+
		"provision holds the function's own mounts and exec, and the making too where starts come faster than it")
}

// Close implements sandbox.Sandbox.
func (s *Sandbox) Close() error {
	s.close.Do(func() { s.left = errors.Join(s.box.Close(), s.walls.close()) })
	return s.left
}
