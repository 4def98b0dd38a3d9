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
	"slices"
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
	found   map[platform.Runtime]executable
}

// executable is an interpreter.
type executable struct {
	path    string
	version string // as it says, such as 3.11.2; "" of one that was given
}

func newPrograms(o Options) *programs {
	p := &programs{options: o, found: map[platform.Runtime]executable{}}
	for runtime, path := range o.Programs {
		p.found[runtime] = executable{path: path}
	}
	return p
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
	argv, err := p.client(ctx, f.Runtime, clients)
	if err != nil {
		return program{}, err
	}
	prog.path, prog.argv = argv[0], argv
	return prog, nil
}

// client is the command that runs a runtime's client, which lies in clients as
// the process sees it.
func (p *programs) client(ctx context.Context, r platform.Runtime, clients string) (argv []string, err error) {
	file, ok := map[platform.Runtime]string{platform.NodeJS: "bootstrap.mjs", platform.Python: "bootstrap.py"}[r]
	if !ok {
		return nil, fmt.Errorf("runtime %q: the process sandbox runs go, nodejs and python", r)
	}
	if p.options.RuntimeClients == "" {
		return nil, fmt.Errorf("runtime %s: no folder with its runtime client is given", r)
	}
	path, err := p.interpreter(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("runtime %s: %w", r, err)
	}
	return []string{path, filepath.Join(clients, file)}, nil
}

// ofStem gives the program of a runtime without a function. Nothing in its
// environment is ours or a function's.
func (p *programs) ofStem(ctx context.Context, r platform.Runtime) (program, error) {
	if p.options.Walls != nil {
		return program{}, errors.New("a runtime is not booted ahead within walls: they hold the function's code from the beginning")
	}
	if r == platform.Go {
		return program{}, errors.New("runtime go: a function is its own runtime and cannot be booted ahead of it")
	}
	argv, err := p.client(ctx, r, p.options.RuntimeClients)
	if err != nil {
		return program{}, err
	}
	env := []string{"COLDCURVE_START=stem"}
	for name, value := range sandbox.Defaults() {
		env = append(env, name+"="+value)
	}
	return program{path: argv[0], argv: argv, dir: p.options.RuntimeClients, env: env}, nil
}

// ofZygote gives the program of a process that loads a function and serves
// nothing.
func (p *programs) ofZygote(ctx context.Context, spec *sandbox.Spec) (program, error) {
	if spec.Function.Runtime != platform.Python {
		return program{}, fmt.Errorf("runtime %s: only Python can be forked from a zygote", spec.Function.Runtime)
	}
	prog, err := p.of(ctx, spec)
	prog.env = append(prog.env, "COLDCURVE_START=zygote")
	return prog, err
}

// readAtBoot names a variable of the function that its interpreter, or a
// library below that, reads only when it starts; "" if there is none. A runtime
// that was booted without it would run on as if it were not there.
func readAtBoot(env map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		switch {
		case name == "NODE_ENV": // libraries read it, Node.js does not
		case name == "LANG" && env[name] == sandbox.Defaults()["LANG"]:
		case slices.ContainsFunc(bootPrefixes(), func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
			return name
		}
	}
	return ""
}

// bootPrefixes begin the names of such variables: the interpreters' own, the
// dynamic linker's, the C library's, OpenSSL's, ICU's and libuv's.
func bootPrefixes() []string {
	return []string{"NODE_", "PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "OPENSSL_", "SSL_CERT_", "ICU_", "UV_"}
}

// interpreter finds a runtime's program, once. What stands on the PATH may be
// a version manager's script that takes longer than Python itself to start, so
// the interpreter is asked for its own path.
func (p *programs) interpreter(ctx context.Context, r platform.Runtime) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.found[r]; ok {
		return known.path, nil
	}
	command := []string{"node", "-p", `process.execPath + "\n" + process.versions.node`}
	if r == platform.Python {
		command = []string{"python3", "-c", `import sys; print(sys.executable, "%d.%d.%d" % sys.version_info[:3], sep="\n")`}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := output(ctx, command)
	if err != nil {
		return "", fmt.Errorf("find the interpreter: %s: %w", strings.Join(command, " "), err)
	}
	path, version, _ := strings.Cut(string(bytes.TrimSpace(out)), "\n")
	if !filepath.IsAbs(path) {
		return "", errors.New("find the interpreter: " + command[0] + " does not know its own path")
	}
	p.found[r] = executable{path, strings.TrimSpace(version)}
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

// version is that of a runtime's interpreter; "" where it is not known.
func (p *programs) version(r platform.Runtime) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found[r].version
}

// facts names the interpreters found so far.
func (p *programs) facts() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	facts := map[string]string{}
	for r, one := range p.found {
		facts["interpreter."+string(r)] = one.path
		if one.version != "" {
			facts["interpreter."+string(r)+".version"] = one.version
		}
	}
	return facts
}
