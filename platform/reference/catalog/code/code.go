// Package code owns the files of functions: what was uploaded, once for each
// content, as folders that instances run from.
//
// In: a zip archive, which is not trusted, or a folder of the user's. Out: a
// [Package], named by the digest of what came in, with the folder that holds
// its files. What cannot be stored to the letter is refused ([*Refusal]), and
// nothing of it is left. It does not know functions, and runs nothing.
//
// A package lives as long as somebody holds it: Add and Hold count up, Release
// counts down. Open takes what is there; Sweep drops what nobody holds.
//
// What is refused in an archive, and why, where Lambda may be laxer:
//   - names that are absolute, climb (".."), have a backslash, a NUL, or are
//     given twice: they mean another file to another unzip;
//   - links that lead out of the package, that lead nowhere, and hard links and
//     devices: a link is kept as Lambda keeps it if it leads to something inside;
//   - encrypted entries, and methods other than stored and deflated.
package code

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Package is one content.
type Package struct {
	SHA256 string      // base64 of the SHA-256 of the zip, or of the folder as [Store.AddFolder] reads it
	Size   units.Bytes // of the zip; of a folder, of its files
	Folder string      // absolute path of its files, not to be written to
}

// Refusal says what is wrong with an archive or a folder.
type Refusal struct {
	Name string // the entry; "" if it is the whole
	Why  string
	// Size is the limit in bytes that was exceeded; 0 if it is not about size.
	Size units.Bytes
}

// Error names the entry and the fault.
func (r *Refusal) Error() string {
	if r.Name == "" {
		return r.Why
	}
	return fmt.Sprintf("%.200q: %s", r.Name, r.Why)
}

func refuse(name, format string, args ...any) *Refusal {
	return &Refusal{Name: name, Why: fmt.Sprintf(format, args...)}
}

// ErrFull is what Add gives where the Total of the limits would be exceeded.
var ErrFull = errors.New("the code storage limit is exceeded")

// Store keeps packages below one folder. Its methods may be called from any
// goroutine.
type Store struct {
	root    string
	limits  Limits
	durable bool

	mu       sync.Mutex
	packages map[digest]*entry
	total    units.Bytes
	discards int // names discarded folders
}

type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

func (d digest) base64() string { return base64.StdEncoding.EncodeToString(d[:]) }

// entry is a package and how many hold it.
type entry struct {
	holds int
	size  units.Bytes
}

// What stands before the names of folders that are not packages.
const (
	unfinished = "unfinished-"
	discarded  = "discarded-"
)

// Open opens the store below root, which is made if it is not there, and
// removes what a process that was killed has left unfinished. With durable, a
// package survives a power cut once Add has returned; without, only the
// process's own end. One Store at a time may have the folder.
func Open(root string, limits Limits, durable bool) (*Store, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("open code store: %w", err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("open code store: %w", err)
	}
	s := &Store{root: root, limits: limits, durable: durable, packages: make(map[digest]*entry)}
	found, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("open code store: %w", err)
	}
	for _, f := range found {
		d, ok := parseDigest(f.Name())
		if ok {
			s.packages[d] = &entry{}
			continue
		}
		if !strings.HasPrefix(f.Name(), unfinished) && !strings.HasPrefix(f.Name(), discarded) {
			continue // not ours
		}
		if err := removeAll(filepath.Join(root, f.Name())); err != nil {
			return nil, fmt.Errorf("open code store: %w", err)
		}
	}
	return s, nil
}

// Limits are the store's.
func (s *Store) Limits() Limits { return s.limits }

// Total is the size of all packages that are held, as they were sent.
func (s *Store) Total() units.Bytes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Hold holds a package that is there, with the size that Add told. Its error
// wraps fs.ErrNotExist if it is not.
func (s *Store) Hold(sha string, size units.Bytes) (Package, error) {
	d, err := decode(sha)
	if err != nil {
		return Package{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.packages[d]
	if e == nil {
		return Package{}, fmt.Errorf("hold package %s: %w", d, fs.ErrNotExist)
	}
	if err := s.count(e, size); err != nil {
		return Package{}, err
	}
	return s.describe(d, e), nil
}

// count adds a hold, if there is room. Called with mu held.
func (s *Store) count(e *entry, size units.Bytes) error {
	if e.holds == 0 {
		if s.total+size > s.limits.Total {
			return ErrFull
		}
		e.size = size
		s.total += size
	}
	e.holds++
	return nil
}

func (s *Store) describe(d digest, e *entry) Package {
	return Package{SHA256: d.base64(), Size: e.size, Folder: s.folder(d)}
}

func (s *Store) folder(d digest) string { return filepath.Join(s.root, d.String()) }

// Release gives a hold back. The last one takes the files away; its error says
// that some are left.
func (s *Store) Release(sha string) error {
	d, err := decode(sha)
	if err != nil {
		return err
	}
	s.mu.Lock()
	e := s.packages[d]
	if e == nil || e.holds == 0 {
		s.mu.Unlock()
		return fmt.Errorf("release package %s: nobody holds it", d)
	}
	e.holds--
	if e.holds > 0 {
		s.mu.Unlock()
		return nil
	}
	s.total -= e.size
	aside, err := s.discard(d)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return removeAll(aside)
}

// Sweep drops every package that nobody holds, as an earlier process may have
// left some.
func (s *Store) Sweep() error {
	s.mu.Lock()
	var asides []string
	var errs []error
	for d, e := range s.packages {
		if e.holds > 0 {
			continue
		}
		aside, err := s.discard(d)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		asides = append(asides, aside)
	}
	s.mu.Unlock()
	for _, aside := range asides {
		errs = append(errs, removeAll(aside))
	}
	return errors.Join(errs...)
}

// discard forgets a package and moves its folder out of the way of another of
// the same content. Called with mu held.
func (s *Store) discard(d digest) (aside string, err error) {
	s.discards++
	aside = filepath.Join(s.root, fmt.Sprintf("%s%d-%s", discarded, s.discards, d))
	if err := os.Rename(s.folder(d), aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove package: %w", err)
	}
	delete(s.packages, d)
	return aside, nil
}

// held holds a package if it is there already.
func (s *Store) held(d digest, size units.Bytes) (Package, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.packages[d]
	if e == nil {
		return Package{}, false, nil
	}
	if err := s.count(e, size); err != nil {
		return Package{}, false, err
	}
	return s.describe(d, e), true, nil
}

// stage makes a folder that fill writes a package's files to. Its name is no
// package's, so that there is never a part of one.
func (s *Store) stage(fill func(*os.Root) error) (dir string, err error) {
	dir, err = os.MkdirTemp(s.root, unfinished)
	if err != nil {
		return "", fmt.Errorf("store package: %w", err)
	}
	if err := s.fill(dir, fill); err != nil {
		return "", errors.Join(err, removeAll(dir))
	}
	return dir, nil
}

func (s *Store) fill(dir string, fill func(*os.Root) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("store package: %w", err)
	}
	defer root.Close()
	if err := fill(root); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("store package: %w", err)
	}
	if !s.durable {
		return nil
	}
	if err := syncTree(dir); err != nil {
		return fmt.Errorf("store package: %w", err)
	}
	return nil
}

// install makes a staged folder the package, and holds it. If another has come
// first, that one is taken.
func (s *Store) install(d digest, size units.Bytes, dir string) (Package, error) {
	p, err := s.settle(d, size, dir)
	return p, errors.Join(err, removeAll(dir)) // it is gone where it has become the package
}

func (s *Store) settle(d digest, size units.Bytes, dir string) (Package, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.packages[d]
	fresh := e == nil
	if fresh {
		e = &entry{}
	}
	if err := s.count(e, size); err != nil {
		return Package{}, err
	}
	if !fresh {
		return s.describe(d, e), nil
	}
	err := os.Rename(dir, s.folder(d))
	if err == nil && s.durable {
		err = syncFolder(s.root)
	}
	if err != nil {
		s.total -= size
		return Package{}, fmt.Errorf("store package: %w", err)
	}
	s.packages[d] = e
	return s.describe(d, e), nil
}

func removeAll(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove unused files: %w", err)
	}
	return nil
}

func parseDigest(name string) (digest, bool) {
	var d digest
	raw, err := hex.DecodeString(name)
	if err != nil || len(raw) != len(d) {
		return d, false
	}
	copy(d[:], raw)
	return d, d.String() == name
}

func decode(sha string) (digest, error) {
	var d digest
	raw, err := base64.StdEncoding.DecodeString(sha)
	if err != nil || len(raw) != len(d) {
		return d, fmt.Errorf("%q is not a package's digest", sha)
	}
	copy(d[:], raw)
	return d, nil
}

// Folder is where the files of a package are, or would be; "" of what is no
// package's digest.
func (s *Store) Folder(sha string) string {
	d, err := decode(sha)
	if err != nil {
		return ""
	}
	return s.folder(d)
}
