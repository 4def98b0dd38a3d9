package wasm

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	system "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
)

// mostOpen is how many files an instance may have open, Lambda's limit of file
// descriptors. WASI's own numbers are not bounded, and what stands behind them
// is this process's.
const mostOpen = 1024

// files are the file systems of one instance.
type files struct {
	task    system.FS
	scratch *scratch
	open    *opened
}

func newFiles(task *os.Root, storage int64) *files {
	open := &opened{}
	return &files{
		task:    &sysfs.ReadFS{FS: &sysfs.AdaptFS{FS: taskFS{task, open}}},
		scratch: newScratch(storage, open),
		open:    open,
	}
}

// close closes what the module has left open in its code folder.
func (f *files) close() error { return f.open.close() }

// opened counts an instance's open files, and holds those of the host.
type opened struct {
	count atomic.Int64
	mu    sync.Mutex
	host  map[*os.File]struct{}
}

// one takes a place for an open file, if there is one.
func (o *opened) one() bool {
	if o.count.Add(1) > mostOpen {
		o.count.Add(-1)
		return false
	}
	return true
}

func (o *opened) less() { o.count.Add(-1) }

func (o *opened) hold(f *os.File) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.host == nil {
		o.host = map[*os.File]struct{}{}
	}
	o.host[f] = struct{}{}
}

func (o *opened) let(f *os.File) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.host, f)
}

func (o *opened) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for f := range o.host {
		errs = append(errs, f.Close())
	}
	clear(o.host)
	return errors.Join(errs...)
}

// taskFS is the code folder. Nothing outside of it can be reached, through
// links neither.
type taskFS struct {
	root *os.Root
	open *opened
}

// Open implements fs.FS.
func (t taskFS) Open(name string) (fs.File, error) {
	if !t.open.one() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errTooMany}
	}
	// A pipe in the folder would block for ever.
	if info, err := t.root.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		t.open.less()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	f, err := t.root.Open(name)
	if err != nil {
		t.open.less()
		return nil, err
	}
	t.open.hold(f)
	return &taskFile{File: f, open: t.open}, nil
}

var errTooMany = errors.New("too many open files")

// taskFile is an open file of the code folder.
type taskFile struct {
	*os.File
	open *opened
	once sync.Once
}

// Close gives its place back.
func (f *taskFile) Close() (err error) {
	f.once.Do(func() {
		f.open.let(f.File)
		f.open.less()
		err = f.File.Close()
	})
	return err
}
