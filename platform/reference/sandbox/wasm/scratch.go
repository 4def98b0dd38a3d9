package wasm

import (
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	system "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// nodeCost is what a file or folder takes of the storage besides its content,
// so that empty ones are bounded too.
const nodeCost = 4 << 10

// full is what a write to a full /tmp gets: wazero has no ENOSPC.
const full = system.EIO

// scratch is an instance's /tmp: files in memory, of bounded size. It knows no
// links and no permissions. Only the module's goroutine uses it, except for fill.
type scratch struct {
	system.UnimplementedFS
	root   *node
	space  *space
	opened *opened
	inodes uint64
}

func newScratch(most int64, o *opened) *scratch {
	s := &scratch{space: &space{most: most}, opened: o}
	s.root = s.node(fs.ModeDir | 0o777)
	return s
}

// node is a file or a folder.
type node struct {
	inode    uint64
	mode     fs.FileMode
	modified int64
	content  []byte
	entries  map[string]*node // of a folder
	handles  int              // open files
	removed  bool             // no name leads here
}

func (s *scratch) node(mode fs.FileMode) *node {
	s.inodes++
	n := &node{inode: s.inodes, mode: mode, modified: time.Now().UnixNano()}
	if mode.IsDir() {
		n.entries = map[string]*node{}
	}
	return n
}

func (n *node) stat() sys.Stat_t {
	return sys.Stat_t{Ino: n.inode, Mode: n.mode, Nlink: 1, Size: int64(len(n.content)),
		Atim: n.modified, Mtim: n.modified, Ctim: n.modified}
}

// find walks a path to its node.
func (s *scratch) find(name string) (*node, system.Errno) {
	n := s.root
	for part := range strings.SplitSeq(clean(name), "/") {
		if part == "" {
			continue
		}
		if n.entries == nil {
			return nil, system.ENOTDIR
		}
		if n = n.entries[part]; n == nil {
			return nil, system.ENOENT
		}
	}
	return n, 0
}

// parent walks to the folder that name stands in; the root stands in none.
func (s *scratch) parent(name string) (*node, string, system.Errno) {
	dir, base := path.Split(clean(name))
	if base == "" {
		return nil, "", system.EINVAL
	}
	n, errno := s.find(dir)
	if errno == 0 && n.entries == nil {
		errno = system.ENOTDIR
	}
	return n, base, errno
}

// clean keeps a path within the root.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// create puts a new node into a folder.
func (s *scratch) create(folder *node, base string, mode fs.FileMode) (*node, system.Errno) {
	const longestName = 255
	if len(base) > longestName {
		return nil, system.ENAMETOOLONG
	}
	if folder.removed {
		return nil, system.ENOENT
	}
	if !s.space.take(nodeCost) {
		return nil, full
	}
	n := s.node(mode)
	folder.entries[base] = n
	return n, 0
}

// remove takes a name away, and the node with it when it is not open.
func (s *scratch) remove(folder *node, base string) {
	n := folder.entries[base]
	delete(folder.entries, base)
	n.removed = true
	s.settle(n)
}

// settle gives back the space of a node that nothing leads to.
func (s *scratch) settle(n *node) {
	if n.removed && n.handles == 0 {
		s.space.give(nodeCost + int64(len(n.content)))
		n.content = nil
	}
}

// resize sets a file's length.
func (s *scratch) resize(n *node, size int64) system.Errno {
	had := int64(len(n.content))
	switch {
	case size < 0:
		return system.EINVAL
	case size <= had:
		n.content = slices.Clip(slices.Clone(n.content[:size]))
		s.space.give(had - size)
	case !s.space.take(size - had):
		return full
	default:
		n.content = append(n.content, make([]byte, size-had)...)
	}
	n.modified = time.Now().UnixNano()
	return 0
}

// OpenFile implements sys.FS.
func (s *scratch) OpenFile(name string, flag system.Oflag, perm fs.FileMode) (system.File, system.Errno) {
	n, errno := s.find(name)
	switch {
	case errno == system.ENOENT && flag&system.O_CREAT != 0:
		folder, base, missing := s.parent(name)
		if missing != 0 {
			return nil, missing
		}
		if n, errno = s.create(folder, base, perm.Perm()); errno != 0 {
			return nil, errno
		}
	case errno != 0:
		return nil, errno
	case flag&system.O_EXCL != 0 && flag&system.O_CREAT != 0:
		return nil, system.EEXIST
	}
	writes := flag&(system.O_RDWR|system.O_WRONLY) != 0
	switch {
	case n.mode.IsDir() && writes:
		return nil, system.EISDIR
	case !n.mode.IsDir() && flag&system.O_DIRECTORY != 0:
		return nil, system.ENOTDIR
	case !s.opened.one():
		return nil, full
	}
	if flag&system.O_TRUNC != 0 && writes {
		s.resize(n, 0)
	}
	n.handles++
	h := &handle{scratch: s, node: n, appends: flag&system.O_APPEND != 0, reads: flag&system.O_WRONLY == 0, writes: writes}
	return h, 0
}

// Stat implements sys.FS.
func (s *scratch) Stat(name string) (sys.Stat_t, system.Errno) {
	n, errno := s.find(name)
	if errno != 0 {
		return sys.Stat_t{}, errno
	}
	return n.stat(), 0
}

// Lstat implements sys.FS: there are no links.
func (s *scratch) Lstat(name string) (sys.Stat_t, system.Errno) { return s.Stat(name) }

// Readlink implements sys.FS: there are no links.
func (s *scratch) Readlink(name string) (string, system.Errno) {
	if _, errno := s.find(name); errno != 0 {
		return "", errno
	}
	return "", system.EINVAL
}

// Mkdir implements sys.FS.
func (s *scratch) Mkdir(name string, perm fs.FileMode) system.Errno {
	if _, errno := s.find(name); errno == 0 {
		return system.EEXIST
	}
	folder, base, errno := s.parent(name)
	if errno == 0 {
		_, errno = s.create(folder, base, fs.ModeDir|perm.Perm())
	}
	return errno
}

// Chmod implements sys.FS: everything is the module's own.
func (s *scratch) Chmod(name string, _ fs.FileMode) system.Errno {
	_, errno := s.find(name)
	return errno
}

// Utimens implements sys.FS.
func (s *scratch) Utimens(name string, _, modified int64) system.Errno {
	n, errno := s.find(name)
	if errno == 0 {
		n.modified = modified
	}
	return errno
}

// Unlink implements sys.FS.
func (s *scratch) Unlink(name string) system.Errno { return s.take(name, false) }

// Rmdir implements sys.FS.
func (s *scratch) Rmdir(name string) system.Errno { return s.take(name, true) }

func (s *scratch) take(name string, folder bool) system.Errno {
	n, errno := s.find(name)
	switch {
	case errno != 0:
		return errno
	case n == s.root:
		return system.EINVAL
	case folder && !n.mode.IsDir():
		return system.ENOTDIR
	case !folder && n.mode.IsDir():
		return system.EISDIR
	case len(n.entries) > 0:
		return system.ENOTEMPTY
	}
	in, base, errno := s.parent(name)
	if errno == 0 {
		s.remove(in, base)
	}
	return errno
}

// Rename implements sys.FS.
func (s *scratch) Rename(from, to string) system.Errno {
	if clean(from) == clean(to) {
		_, errno := s.find(from)
		return errno
	}
	if strings.HasPrefix(clean(to)+"/", clean(from)+"/") {
		return system.EINVAL // into itself
	}
	n, errno := s.find(from)
	if errno != 0 {
		return errno
	}
	source, sourceBase, errno := s.parent(from)
	if errno != 0 {
		return errno
	}
	target, targetBase, errno := s.parent(to)
	if errno != 0 {
		return errno
	}
	if there := target.entries[targetBase]; there != nil {
		if errno := s.take(to, n.mode.IsDir()); errno != 0 {
			return errno
		}
	}
	delete(source.entries, sourceBase)
	target.entries[targetBase] = n
	return 0
}

// fill leaves no space, or what there was before.
func (s *scratch) fill(full bool) { s.space.fill(full) }

// handle is an open file or folder.
type handle struct {
	system.UnimplementedFile
	scratch                *scratch
	node                   *node
	at                     int64 // in a folder: entries read
	listed                 []string
	appends, reads, writes bool
	closed                 bool
}

// IsDir implements sys.File.
func (h *handle) IsDir() (bool, system.Errno) { return h.node.mode.IsDir(), 0 }

// IsAppend implements sys.File.
func (h *handle) IsAppend() bool { return h.appends }

// SetAppend implements sys.File.
func (h *handle) SetAppend(appends bool) system.Errno {
	h.appends = appends
	return 0
}

// Ino implements sys.File.
func (h *handle) Ino() (sys.Inode, system.Errno) { return h.node.inode, 0 }

// Stat implements sys.File.
func (h *handle) Stat() (sys.Stat_t, system.Errno) { return h.node.stat(), 0 }

// Read implements sys.File.
func (h *handle) Read(b []byte) (int, system.Errno) {
	n, errno := h.Pread(b, h.at)
	h.at += int64(n)
	return n, errno
}

// Pread implements sys.File.
func (h *handle) Pread(b []byte, at int64) (int, system.Errno) {
	switch {
	case h.node.mode.IsDir():
		return 0, system.EISDIR
	case !h.reads:
		return 0, system.EBADF
	case at < 0:
		return 0, system.EINVAL
	case at >= int64(len(h.node.content)):
		return 0, 0
	}
	return copy(b, h.node.content[at:]), 0
}

// Write implements sys.File.
func (h *handle) Write(b []byte) (int, system.Errno) {
	if h.appends {
		h.at = int64(len(h.node.content))
	}
	n, errno := h.Pwrite(b, h.at)
	h.at += int64(n)
	return n, errno
}

// Pwrite implements sys.File.
func (h *handle) Pwrite(b []byte, at int64) (int, system.Errno) {
	end := at + int64(len(b))
	switch {
	case !h.writes:
		return 0, system.EBADF
	case at < 0 || end < at:
		return 0, system.EINVAL
	case end > int64(len(h.node.content)):
		if errno := h.scratch.resize(h.node, end); errno != 0 {
			return 0, errno
		}
	}
	h.node.modified = time.Now().UnixNano()
	return copy(h.node.content[at:], b), 0
}

// Truncate implements sys.File.
func (h *handle) Truncate(size int64) system.Errno {
	if !h.writes {
		return system.EBADF
	}
	return h.scratch.resize(h.node, size)
}

// position keeps go vet from taking the method for io.Seeker's.
type position = int64

// Seek implements sys.File. A folder goes back to its beginning only.
func (h *handle) Seek(offset position, whence int) (int64, system.Errno) {
	if h.node.mode.IsDir() {
		if offset != 0 || whence != io.SeekStart {
			return 0, system.EINVAL
		}
		h.listed = nil
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += h.at
	case io.SeekEnd:
		offset += int64(len(h.node.content))
	default:
		return 0, system.EINVAL
	}
	if offset < 0 {
		return 0, system.EINVAL
	}
	h.at = offset
	return offset, 0
}

// Readdir implements sys.File.
func (h *handle) Readdir(n int) (entries []system.Dirent, errno system.Errno) {
	if !h.node.mode.IsDir() {
		return nil, system.ENOTDIR
	}
	if h.listed == nil || h.at == 0 {
		h.listed = slices.Sorted(maps.Keys(h.node.entries))
	}
	for ; h.at < int64(len(h.listed)) && (n <= 0 || len(entries) < n); h.at++ {
		name := h.listed[h.at]
		if entry := h.node.entries[name]; entry != nil {
			entries = append(entries, system.Dirent{Name: name, Ino: entry.inode, Type: entry.mode.Type()})
		}
	}
	return entries, 0
}

// Utimens implements sys.File.
func (h *handle) Utimens(_, modified int64) system.Errno {
	h.node.modified = modified
	return 0
}

// Close implements sys.File.
func (h *handle) Close() system.Errno {
	if h.closed {
		return 0
	}
	h.closed = true
	h.scratch.opened.less()
	h.node.handles--
	h.scratch.settle(h.node)
	return 0
}
