// Package catalog owns what functions exist: their configuration, code,
// versions, aliases, states and revisions, in AWS Lambda's terms.
//
// In: requests to create, change, publish, route and delete, as typed values;
// names as callers write them (a bare name, a partial ARN, an ARN, with a
// qualifier or without). Out: the functions as they stand, and, for a name, the
// engine's version that serves it. Refusals are [*Error]s in Lambda's words. It
// keeps what it is told in a folder and finds it there again. It knows no HTTP
// and runs nothing: requests are the engine's, asynchronous ones the events
// room's.
//
//	Create, Update* -> Pending / InProgress, kept -> engine Add -> Active | Failed
//	Resolve, Invoke <- what is in service now, one atomic load
//
// A function has one lock for those who change it. Those who read it, or call
// it, see the last state that was kept, and wait for nobody.
package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/platform/reference/catalog/code"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Options are how a Catalog is made.
type Options struct {
	// Runtime runs the functions. It is required, has no function yet, and
	// remains its owner's to close.
	Runtime *engine.Runtime
	// Data is the folder that functions are kept in. The default is a temporary
	// one that Close removes. One process at a time may have it.
	Data string
	// Limits bound functions. The default is [LambdaLimits].
	Limits Limits
	// Code bounds packages. The default is code.Lambda.
	Code code.Limits
	// Region and Account stand in the functions' ARNs. The defaults are
	// us-east-1 and 000000000000.
	Region, Account string
	// Seed is that of the choice between an alias's versions.
	Seed uint64
	// Destination says what is wrong with a destination of asynchronous
	// invocations. The default accepts the names of functions that exist.
	Destination func(name string) error
	// Log gets a line where a function is run by another version of its language
	// than it asks for, from any goroutine. The default is nobody.
	Log func(format string, args ...any)
}

// Validate tells all faults at once.
func (o Options) Validate() error {
	if o.Runtime == nil {
		return errors.New("catalog: no runtime")
	}
	return nil
}

// Catalog holds functions. Its methods may be called from any goroutine.
type Catalog struct {
	runtime     *engine.Runtime
	limits      Limits
	arnPrefix   string // of a function's ARN, up to its name
	account     string
	machine     string // its architecture, as Lambda calls it
	destination func(string) error
	log         func(format string, args ...any)
	codes       *code.Store
	documents   *documents
	held        *os.File // the folder's lock; nil of a temporary one
	temporary   string   // the folder to remove; "" of one that is kept

	alive  context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // in the background

	// creating is held by who changes the table or the URLs. It is taken after
	// a function's lock.
	creating sync.Mutex
	going    map[string]bool // deleted and not gone yet; guarded by creating
	table    atomic.Pointer[map[string]*function]
	urls     atomic.Pointer[map[string]URL] // by id

	drawing sync.Mutex
	draws   *rand.Rand // guarded by drawing

	mu     sync.Mutex // guards what follows; the innermost
	closed bool
	faults error  // what first went wrong in the background
	unsaid uint64 // how often something did after that
}

// function is one of them. Its lock is held by who changes it.
type function struct {
	name   string
	family *engine.Family
	mu     sync.Mutex
	gone   bool
	now    atomic.Pointer[snapshot]
}

// snapshot is a function's state at one moment. It is not changed.
type snapshot struct {
	record *record
	live   map[string]*live // by version
	routes map[string]*route
	short  map[string]string // why a version's provisioned concurrency is not given, by version
}

// live is a version in service, and its hold of its code.
type live struct {
	*engine.Version
	pack    Package
	instead string // what runs it in place of what its runtime's name promises; "" where that is kept
}

// Open makes a Catalog of what Data holds. The functions in it are Pending
// until they are prepared, in the background.
func Open(o Options) (_ *Catalog, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Limits.PageMost == 0 {
		o.Limits = LambdaLimits()
	}
	if o.Code.Zip == 0 {
		o.Code = code.Lambda()
	}
	account := cmp.Or(o.Account, "000000000000")
	c := &Catalog{
		runtime: o.Runtime, limits: o.Limits, account: account, machine: machine(),
		arnPrefix:   "arn:aws:lambda:" + cmp.Or(o.Region, "us-east-1") + ":" + account + ":function:",
		destination: o.Destination, log: o.Log,
		going: make(map[string]bool),
		draws: stream.New(o.Seed, "aliases", 0),
	}
	if c.destination == nil {
		c.destination = c.isFunction
	}
	if c.log == nil {
		c.log = func(string, ...any) {}
	}
	c.table.Store(&map[string]*function{})
	c.urls.Store(&map[string]URL{})
	c.alive, c.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the catalogue: %w", errors.Join(err, c.Close()))
		}
	}()
	dir, err := c.folder(o.Data)
	if err != nil {
		return nil, err
	}
	if c.codes, err = code.Open(filepath.Join(dir, "code"), o.Code, o.Data != ""); err != nil {
		return nil, err
	}
	if c.documents, err = openDocuments(filepath.Join(dir, "functions")); err != nil {
		return nil, err
	}
	return c, c.reload()
}

// CodeLimits are those that packages are held to.
func (c *Catalog) CodeLimits() code.Limits { return c.codes.Limits() }

// folder makes the folder that all is kept in, and takes it for this process.
func (c *Catalog) folder(data string) (dir string, err error) {
	if data == "" {
		c.temporary, err = os.MkdirTemp("", "coldcurve-functions-")
		return c.temporary, err
	}
	if dir, err = filepath.Abs(data); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	c.held, err = lock(dir)
	return dir, err
}

// reload takes up what is kept, and has it prepared in the background.
func (c *Catalog) reload() error {
	records, err := c.documents.load()
	if err != nil {
		return err
	}
	table := make(map[string]*function)
	for _, r := range records {
		f, err := c.revive(r)
		if err != nil {
			return fmt.Errorf("function %s: %w", r.Name, err)
		}
		table[r.Name] = f
	}
	c.table.Store(&table)
	if err := c.codes.Sweep(); err != nil {
		return err
	}
	for _, f := range table {
		c.indexURLs(f)
		c.work.Go(func() { c.restore(f) })
	}
	return nil
}

// revive makes a function of its record.
func (c *Catalog) revive(r *record) (*function, error) {
	family, err := c.runtime.Family(r.Name)
	if err != nil {
		return nil, err
	}
	if r.Reserved != nil {
		if err := family.Reserve(r.Reserved); err != nil {
			return nil, fmt.Errorf("its reserved concurrency of %d: %w", *r.Reserved, err)
		}
	}
	if err := c.hold(r); err != nil {
		return nil, fmt.Errorf("its code is not there: %w", err)
	}
	for _, v := range r.all() {
		v.pending("Restoring", "The function is being restored.")
		v.update = Successful
	}
	f := &function{name: r.Name, family: family}
	c.show(f, r, nil)
	return f, nil
}

// restore prepares all versions of a function that was kept.
func (c *Catalog) restore(f *function) {
	for _, v := range f.now.Load().record.all() {
		c.prepare(f, v.Number, true)
	}
}

// Close ends what goes on in the background and gives the folder back. The
// Runtime has to be closed before: its instances run from the folder. Its error
// tells what went wrong in the background, too. Idempotent.
func (c *Catalog) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	err := c.faults
	if c.unsaid > 0 {
		err = fmt.Errorf("%w (and %d more)", err, c.unsaid)
	}
	c.mu.Unlock()
	if again {
		return nil
	}
	c.cancel()
	c.work.Wait()
	if c.temporary != "" {
		err = errors.Join(err, os.RemoveAll(c.temporary))
	}
	if c.held != nil {
		err = errors.Join(err, c.held.Close())
	}
	return err
}

// fault notes what went wrong where nobody waits for it; Close tells it.
func (c *Catalog) fault(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == nil {
		c.faults = err
	} else {
		c.unsaid++
	}
}

// background does something that Close waits for, unless it has begun.
func (c *Catalog) background(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.work.Go(do)
	}
}

// find gives a function by its bare name.
func (c *Catalog) find(name string) (*function, error) {
	if f := (*c.table.Load())[name]; f != nil {
		return f, nil
	}
	return nil, functionNotFound(c.arnPrefix + name)
}

// edit changes a function. Called with its lock held: edit's changes are kept
// first, and seen then.
func (c *Catalog) edit(f *function, edit func(*record) error) (*snapshot, error) {
	now := f.now.Load()
	next := now.record.clone()
	if err := edit(next); err != nil {
		return nil, err
	}
	return c.commit(f, next, now.live)
}

// change is edit for who does not have the lock.
func (c *Catalog) change(f *function, edit func(*record) error) (*snapshot, error) {
	if err := c.enter(f); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	return c.edit(f, edit)
}

// enter takes a function's lock, unless it is gone.
func (c *Catalog) enter(f *function) error {
	f.mu.Lock()
	if f.gone {
		f.mu.Unlock()
		return functionNotFound(c.arnPrefix + f.name)
	}
	return nil
}

// commit keeps a record and shows it, with what is in service.
func (c *Catalog) commit(f *function, next *record, live map[string]*live) (*snapshot, error) {
	before := f.now.Load().record
	if err := c.keep(next); err != nil {
		return nil, err
	}
	s := c.show(f, next, live)
	c.release(before)
	return s, nil
}

// keep writes a record, whose packages are held then.
func (c *Catalog) keep(r *record) error {
	if err := c.hold(r); err != nil {
		return broken("The function's code is gone", err)
	}
	if err := c.documents.save(r); err != nil {
		c.release(r)
		return broken("The function could not be kept", err)
	}
	return nil
}

// show lets a record be seen. Called with the function's lock held.
func (c *Catalog) show(f *function, r *record, lives map[string]*live) *snapshot {
	s := &snapshot{record: r, live: maps.Clone(lives)}
	c.tellInstead(f.now.Load(), s)
	s.short = s.provision()
	s.routes = c.routes(s)
	f.now.Store(s)
	return s
}

// hold holds the packages of a record.
func (c *Catalog) hold(r *record) error {
	packages := r.packages()
	for i, p := range packages {
		if _, err := c.codes.Hold(p.SHA256, p.Size); err != nil {
			for _, p := range packages[:i] {
				c.fault(c.codes.Release(p.SHA256))
			}
			return err
		}
	}
	return nil
}

// release gives them back.
func (c *Catalog) release(r *record) {
	for _, p := range r.packages() {
		c.drop(p)
	}
}

// drop gives one hold of a package back.
func (c *Catalog) drop(p Package) {
	if p.stored() {
		c.fault(c.codes.Release(p.SHA256))
	}
}
