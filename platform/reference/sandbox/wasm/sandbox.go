package wasm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"weak"

	"github.com/tetratelabs/wazero"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Sandbox makes instances of modules.
type Sandbox struct {
	options Options
	clock   clock.Monotonic
	limits  sandbox.Limits
	metered wazero.Runtime // of modules that check for their end by themselves
	checked wazero.Runtime // of modules that wazero checks
	cache   wazero.CompilationCache

	loading sync.Mutex // held while a module is compiled

	mu       sync.Mutex
	programs map[weak.Pointer[sandbox.Spec]]*program
	alive    map[*instance]struct{}
	starts   sync.WaitGroup
	closed   bool
	close    sync.Once
	left     error
}

// New makes a sandbox.
func New(o Options) (_ *Sandbox, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Sandbox{options: o.withDefaults(), clock: clock.New(), limits: sandbox.Lambda(),
		programs: map[weak.Pointer[sandbox.Spec]]*program{}, alive: map[*instance]struct{}{}}
	if s.cache, err = openCache(o.Cache); err != nil {
		return nil, fmt.Errorf("wasm sandbox: %w", err)
	}
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().WithCompilationCache(s.cache)
	s.metered = wazero.NewRuntimeWithConfig(ctx, config)
	s.checked = wazero.NewRuntimeWithConfig(ctx, config.WithCloseOnContextDone(true))
	for _, r := range []wazero.Runtime{s.metered, s.checked} {
		if err := instantiateWASI(ctx, r); err != nil {
			return nil, fmt.Errorf("wasm sandbox: %w", errors.Join(err, s.release()))
		}
	}
	return s, nil
}

// openCache opens the cache of machine code, which nobody else may write.
func openCache(dir string) (wazero.CompilationCache, error) {
	if dir == "" {
		return wazero.NewCompilationCache(), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("cache %s: others may write to it (%v), and it holds machine code", dir, info.Mode())
	}
	return wazero.NewCompilationCacheWithDir(dir)
}

// release gives back what the sandbox holds.
func (s *Sandbox) release() error {
	var errs []error
	s.mu.Lock()
	for _, p := range s.programs {
		errs = append(errs, p.close())
	}
	clear(s.programs)
	s.mu.Unlock()
	ctx := context.Background()
	return errors.Join(append(errs, s.metered.Close(ctx), s.checked.Close(ctx), s.cache.Close(ctx))...)
}

// Notes say what a reader of figures must know.
func (s *Sandbox) Notes() []string {
	return []string{"wasm: CPU shares are not enforced: modules run in the runtime's own process, whatever their memory size"}
}

// Facts tell what the sandbox uses.
func (s *Sandbox) Facts() map[string]string {
	return map[string]string{"sandbox": "wasm", "wasi": "preview 1", "wasm.ahead": "1 instance of each module in use, none of whose code has run"}
}

// Prepare compiles a function's module, so that no start has to.
func (s *Sandbox) Prepare(ctx context.Context, spec *sandbox.Spec) error {
	if _, err := s.program(ctx, spec); err != nil {
		return fmt.Errorf("prepare %s: %w", spec.Function.Name, err)
	}
	return nil
}

// program gives a function version's compiled module. It is kept for as long
// as anybody has the version's Spec: nobody says when a version is gone.
func (s *Sandbox) program(ctx context.Context, spec *sandbox.Spec) (*program, error) {
	key := weak.Make(spec)
	if p := s.known(key); p != nil {
		return p, nil
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	if p := s.known(key); p != nil {
		return p, nil
	}
	p, err := s.load(ctx, spec)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(errClosed(), p.close())
	}
	s.programs[key] = p
	runtime.AddCleanup(spec, s.drop, key)
	return p, nil
}

func (s *Sandbox) known(key weak.Pointer[sandbox.Spec]) *program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.programs[key]
}

// drop lets go of the program of a version that is gone.
func (s *Sandbox) drop(key weak.Pointer[sandbox.Spec]) {
	s.mu.Lock()
	p := s.programs[key]
	delete(s.programs, key)
	s.mu.Unlock()
	if p != nil {
		_ = p.close() // nobody is left to be told
	}
}

// Start implements sandbox.Sandbox. A module that is missing or not one is a
// *sandbox.Failure of kind Init.
func (s *Sandbox) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	begun := s.clock.Now()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed()
	}
	s.starts.Add(1)
	s.mu.Unlock()
	defer s.starts.Done()
	p, err := s.program(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start instance %s: %w", id, err)
	}
	in := &instance{sandbox: s, id: id, why: why, spec: spec, program: p, alarm: sandbox.NewAlarm(), done: make(chan struct{}),
		started: sandbox.Marks{Begun: begun}}
	if _, err := in.begin(ctx, nil); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.alive[in] = struct{}{}
	s.mu.Unlock()
	return in, nil
}

func errClosed() error {
	return &sandbox.Failure{Kind: sample.Platform, Cause: errors.New("the wasm sandbox is closed")}
}

func (s *Sandbox) forget(in *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.alive, in)
}

// Close implements sandbox.Sandbox.
func (s *Sandbox) Close() error {
	s.close.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.starts.Wait()
		s.left = errors.Join(s.stopAll(), s.release())
	})
	return s.left
}

func (s *Sandbox) stopAll() error {
	s.mu.Lock()
	var left []*instance
	for in := range s.alive {
		left = append(left, in)
	}
	s.mu.Unlock()
	errs := make([]error, len(left))
	var stops sync.WaitGroup
	for i, in := range left {
		stops.Go(func() { errs[i] = in.Stop(false) })
	}
	stops.Wait()
	return errors.Join(errs...)
}

// Runs says whether a runtime's instances can be modules.
func (*Sandbox) Runs(r platform.Runtime) bool { return r == platform.Wasm }
