package events

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Watcher puts events into a queue for files that appear in folders. It uses
// inotify itself, because the trigger's instant is that of the file's
// completion (closed after writing, or moved here), which the portable
// libraries do not tell: they tell writes, and waiting for the last of them
// would be a delay of our own.
type Watcher struct {
	queue *Queue
	file  *os.File
	ended chan struct{}

	mu       sync.Mutex
	watches  map[int32]*Watch // by inotify's descriptor
	expected map[string]Awaited
}

// NewWatcher makes a Watcher without folders.
func NewWatcher(q *Queue) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch folders: %w", err)
	}
	w := &Watcher{
		queue: q, file: os.NewFile(uintptr(fd), "inotify"), ended: make(chan struct{}),
		watches: make(map[int32]*Watch), expected: make(map[string]Awaited),
	}
	go w.read()
	return w, nil
}

// Add watches a folder, from now on: what is in it already causes nothing. A
// folder is watched once.
func (w *Watcher) Add(watch Watch) error {
	folder, err := filepath.Abs(watch.Folder)
	if err != nil {
		return fmt.Errorf("watch %s: %w", watch.Folder, err)
	}
	watch.Folder = folder
	w.mu.Lock()
	defer w.mu.Unlock()
	// IN_MASK_CREATE refuses a folder that is watched already.
	const mask = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_ONLYDIR | unix.IN_MASK_CREATE
	wd, err := w.add(folder, mask)
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("watch %s: it is watched already", folder)
	}
	if err != nil {
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	w.watches[wd] = &watch
	return nil
}

func (w *Watcher) add(folder string, mask uint32) (int32, error) {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var wd int
	var failed error
	err = conn.Control(func(fd uintptr) { wd, failed = unix.InotifyAddWatch(int(fd), folder, mask) })
	return int32(wd), errors.Join(err, failed)
}

// Expect tells of a file that is about to appear.
func (w *Watcher) Expect(path string, a Awaited) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected[path] = a
}

// read takes what inotify tells until Close.
func (w *Watcher) read() {
	defer close(w.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		fired := w.queue.o.Clock.Now()
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				w.queue.o.Log("watched folders: %v: no event comes any more", err)
			}
			return
		}
		for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(rest))
			mask := binary.NativeEndian.Uint32(rest[unsafe.Offsetof(unix.InotifyEvent{}.Mask):])
			length := binary.NativeEndian.Uint32(rest[unsafe.Offsetof(unix.InotifyEvent{}.Len):])
			name := rest[unix.SizeofInotifyEvent:][:length]
			rest = rest[unix.SizeofInotifyEvent+length:]
			w.happened(wd, mask, string(bytes.TrimRight(name, "\x00")), fired)
		}
	}
}

// happened handles one notice.
func (w *Watcher) happened(wd int32, mask uint32, name string, fired int64) {
	if mask&unix.IN_Q_OVERFLOW != 0 {
		w.queue.o.Log("watched folders: the kernel's queue ran over: some files have caused no event")
		return
	}
	w.mu.Lock()
	watch := w.watches[wd]
	if mask&unix.IN_IGNORED != 0 {
		delete(w.watches, wd)
	}
	w.mu.Unlock()
	switch {
	case watch == nil:
	case mask&unix.IN_IGNORED != 0:
		w.queue.o.Log("watched folder %s is gone", watch.Folder)
	case mask&unix.IN_ISDIR == 0 && watch.wants(name):
		w.created(watch, mask, name, fired)
	}
}

// created puts a file's event into the queue.
func (w *Watcher) created(watch *Watch, mask uint32, name string, fired int64) {
	path := filepath.Join(watch.Folder, name)
	w.mu.Lock()
	awaited := w.expected[path]
	delete(w.expected, path)
	w.mu.Unlock()
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return // a link says nothing of the file that it names
	}
	if err == nil {
		o := object{name: name, size: info.Size(), modified: info.ModTime(), how: "Put"}
		if mask&unix.IN_MOVED_TO != 0 {
			o.how = "Copy"
		}
		_, err = w.queue.Accept(watch.event(o, w.queue.o.Region, fired, awaited))
	}
	if err != nil {
		w.queue.o.Log("watched folder %s: %s: %v", watch.Folder, name, err)
		if awaited.Done != nil {
			awaited.Done(Result{Condition: Lost, Err: err})
		}
	}
}

// Close ends all watches. Idempotent.
func (w *Watcher) Close() error {
	err := w.file.Close()
	<-w.ended
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
