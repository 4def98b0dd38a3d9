package wasm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/sys"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Where a module finds its files.
const (
	taskFolder    = "/var/task"
	scratchFolder = "/tmp"
)

// program is a function version's module, compiled. It does not hold the
// version's Spec, whose end is its own.
type program struct {
	runtime  wazero.Runtime // that compiled it
	compiled wazero.CompiledModule
	image    *image
	task     *os.Root
	starts   bool   // some of its code runs when it is instantiated, and asks for its environment
	memory   uint64 // limit in bytes, a multiple of WebAssembly's page
	storage  int64  // limit of /tmp in bytes
	env      []string
	config   wazero.ModuleConfig // what all instances have
	clock    clock.Monotonic
	limits   sandbox.Limits
	ahead    ahead
}

// load reads, splits and compiles the module of a function.
func (s *Sandbox) load(ctx context.Context, spec *sandbox.Spec) (*program, error) {
	f := &spec.Function
	if f.Runtime != platform.Wasm {
		return nil, fmt.Errorf("runtime %q: the wasm sandbox runs wasm", f.Runtime)
	}
	module, err := os.ReadFile(filepath.Join(f.Code, Module))
	if err != nil {
		return nil, unfit(err)
	}
	ctx = experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
	parts, err := split(module)
	if err != nil {
		return nil, unfit(fmt.Errorf("%s: %w", Module, err))
	}
	if parts.initial > uint64(spec.Memory) {
		return nil, unfit(fmt.Errorf("%s: its memory begins with %d bytes, the function has %d", Module, parts.initial, spec.Memory))
	}
	p, err := s.compile(ctx, parts)
	if err != nil {
		return nil, unfit(fmt.Errorf("compile %s: %w", Module, err))
	}
	p.memory = min(p.memory, uint64(spec.Memory)/wasmPage*wasmPage, wholeMemory-wasmPage)
	p.storage = int64(spec.Storage)
	p.env = lay(sandbox.Environment(spec, s.options.Region, taskFolder, ""), "PWD", taskFolder)
	p.starts = parts.starts
	p.config, p.clock, p.limits = s.config(), s.clock, s.limits
	if err := errors.Join(checkEnvironment(p.env), p.open(f.Code)); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// compile compiles a module that is split and metered, or the module as it is
// where it cannot be: it refers to its segments later, it has no memory of its
// own, it is of a newer form than is understood here.
func (s *Sandbox) compile(ctx context.Context, parts layout) (_ *program, err error) {
	p := &program{runtime: s.metered}
	if metered, most, err := meter(parts.code); err == nil {
		if p.compiled, err = p.runtime.CompileModule(ctx, metered); err == nil {
			p.memory = most
			p.image, err = newImage(parts.image)
			return p, err
		}
	}
	p = &program{runtime: s.checked, memory: wholeMemory}
	if p.image, err = newImage(nil); err == nil {
		p.compiled, err = p.runtime.CompileModule(ctx, parts.whole)
	}
	return p, err
}

// open takes what a program holds besides its code.
func (p *program) open(code string) (err error) {
	if _, ok := p.compiled.ExportedFunctions()["_start"]; !ok {
		return unfit(fmt.Errorf("%s is no WASI command: it exports no _start", Module))
	}
	p.task, err = os.OpenRoot(code)
	return err
}

func (p *program) close() error {
	errs := []error{p.ahead.close(), p.compiled.Close(context.Background())}
	if p.image != nil {
		errs = append(errs, p.image.close())
	}
	if p.task != nil {
		errs = append(errs, p.task.Close())
	}
	return errors.Join(errs...)
}

// unfit is a module's own fault.
func unfit(err error) error {
	return &sandbox.Failure{Kind: sample.Init, Cause: err, Type: "Runtime.InvalidEntrypoint", Message: "Error: " + err.Error()}
}

// attempt gives an instance of the module that does not run yet: the one that
// was made ahead, or another.
func (p *program) attempt(ctx context.Context, env []string) (*attempt, error) {
	if a := p.ahead.take(); a != nil {
		return a, nil
	}
	return p.instantiate(withEnvironment(ctx, env))
}

// instantiate makes an instance of the module that does not run yet.
func (p *program) instantiate(ctx context.Context) (*attempt, error) {
	over, cancel := context.WithCancel(context.Background())
	a := &attempt{
		pipe: newPipe(over, p.clock, int64(p.limits.Response)), log: &log{tail: sandbox.NewTail(p.limits.LogTail)}, cancel: cancel,
		files: newFiles(p.task, p.storage), exited: make(chan struct{}),
	}
	a.memory = &memory{limit: p.memory, image: p.image, over: a.endIfOver}
	var err error
	if a.module, err = instantiate(experimental.WithMemoryAllocator(ctx, a.memory), p.runtime, p.compiled, a.own(p.config)); err != nil {
		cancel()
		if left := errors.Join(a.files.close(), a.memory.release()); a.memory.failed != nil || left != nil {
			return nil, &sandbox.Failure{Kind: sample.Platform, Cause: errors.Join(err, a.memory.failed, left)}
		}
		return nil, unfit(err)
	}
	a.start = a.module.ExportedFunction("_start")
	return a, nil
}

// instantiate turns a panic into an error: an allocator that has no memory to
// give has no other way to say so.
func instantiate(ctx context.Context, rt wazero.Runtime, compiled wazero.CompiledModule, config wazero.ModuleConfig) (m api.Module, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("instantiate: %v", cause)
		}
	}()
	return rt.InstantiateModule(ctx, compiled, config)
}

// config is what every module gets of the world.
func (s *Sandbox) config() wazero.ModuleConfig {
	const nanosecond, microsecond = sys.ClockResolution(1), sys.ClockResolution(1000)
	return wazero.NewModuleConfig().
		WithName(""). // many of one module
		WithStartFunctions().
		WithArgs("bootstrap").
		WithRandSource(rand.Reader).
		WithWalltime(walltime, microsecond).
		WithNanotime(s.clock.Now, nanosecond)
}

// own is what a module gets of the world besides, its environment apart.
func (a *attempt) own(config wazero.ModuleConfig) wazero.ModuleConfig {
	mounts := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(a.files.task, taskFolder).(sysfs.FSConfig).WithSysFSMount(a.files.scratch, scratchFolder)
	return config.WithStdin(a.pipe).WithStdout(a.pipe).WithStderr(a.log).WithFSConfig(mounts).WithNanosleep(a.sleep)
}

func walltime() (seconds int64, nanoseconds int32) {
	now := time.Now()
	return now.Unix(), int32(now.Nanosecond())
}
