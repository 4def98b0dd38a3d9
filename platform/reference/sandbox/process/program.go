package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/priority"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// program is what a start executes.
type program struct {
	path string
	argv []string
	dir  string
	env  []string // without what differs between instances
}

// programs finds out what to execute for a function.
type programs struct {
	options Options
	mu      sync.Mutex
	found   map[platform.Runtime]string
}

func newPrograms(o Options) *programs {
	return &programs{options: o, found: maps.Clone(o.Programs)}
}

// of gives a function's program. Apart from the first call for a runtime it
// asks nothing of the machine.
func (p *programs) of(ctx context.Context, spec *sandbox.Spec) (program, error) {
	f := &spec.Function
	code, clients := f.Code, p.options.RuntimeClients
	if p.options.Walls != nil {
		code, clients = p.options.Walls.Inside()
	}
	prog := program{dir: code, env: sandbox.Environment(spec, p.options.Region, code, clients)}
	if f.Runtime == platform.Go {
		prog.path = filepath.Join(code, "bootstrap")
		prog.argv = []string{prog.path}
		return prog, nil
	}
	client, ok := map[platform.Runtime]string{platform.NodeJS: "bootstrap.mjs", platform.Python: "bootstrap.py"}[f.Runtime]
	if !ok {
		return program{}, fmt.Errorf("runtime %q: the process sandbox runs go, nodejs and python", f.Runtime)
	}
	if p.options.RuntimeClients == "" {
		return program{}, fmt.Errorf("runtime %s: no folder with its runtime client is given", f.Runtime)
	}
	path, err := p.interpreter(ctx, f.Runtime)
	if err != nil {
		return program{}, fmt.Errorf("runtime %s: %w", f.Runtime, err)
	}
	prog.path = path
	prog.argv = []string{path, filepath.Join(clients, client)}
	return prog, nil
}

// interpreter finds a runtime's program, once. What stands on the PATH may be
// a version manager's script that takes longer than Python itself to start, so
// the interpreter is asked for its own path.
func (p *programs) interpreter(ctx context.Context, r platform.Runtime) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if path, ok := p.found[r]; ok {
		return path, nil
	}
	command := []string{"node", "-p", "process.execPath"}
	if r == platform.Python {
		command = []string{"python3", "-c", "import sys; print(sys.executable)"}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := output(ctx, command)
	if err != nil {
		return "", fmt.Errorf("find the interpreter: %s: %w", strings.Join(command, " "), err)
	}
	path := string(bytes.TrimSpace(out))
	if !filepath.IsAbs(path) {
		return "", errors.New("find the interpreter: " + command[0] + " does not know its own path")
	}
	if p.found == nil {
		p.found = map[platform.Runtime]string{}
	}
	p.found[r] = path
	return path, nil
}

// output runs a command and gives what it prints. The process may be raised by
// now, which the command is not to inherit.
func output(ctx context.Context, command []string) (out []byte, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err = priority.Spare(); err == nil {
			out, err = exec.CommandContext(ctx, command[0], command[1:]...).Output()
		}
	}()
	<-done
	return out, err
}

// facts names the interpreters found so far.
func (p *programs) facts() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	facts := map[string]string{}
	for r, path := range p.found {
		facts["interpreter."+string(r)] = path
	}
	return facts
}
