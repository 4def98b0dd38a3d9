package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// documents keep a file for each function. Its content is replaced as a whole:
// a process that is killed at any instant leaves the old one or the new one.
type documents struct {
	dir string
	// fault is a test's: what it gives at a step ends a save there, as if the
	// process had been killed.
	fault func(step string) error
}

const (
	suffix    = ".json"
	temporary = ".tmp"
)

func openDocuments(dir string) (*documents, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &documents{dir: dir}, nil
}

// path is where a function's document lies. Names that differ by case only are
// two on systems that fold it, too.
func (d *documents) path(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(d.dir, name+"-"+hex.EncodeToString(sum[:4])+suffix)
}

// load reads all documents, and removes what a killed process has left of one
// that was being written. A document that cannot be read is an error and stays:
// to go on without would drop its code as nobody's, and its name would be free.
func (d *documents) load() ([]*record, error) {
	found, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	var all []*record
	var errs []error
	for _, f := range found {
		path := filepath.Join(d.dir, f.Name())
		switch {
		case strings.HasSuffix(f.Name(), temporary):
			errs = append(errs, os.Remove(path))
		case strings.HasSuffix(f.Name(), suffix):
			r, err := d.read(path)
			if err != nil {
				err = fmt.Errorf("%s: %w (move the file away to go on without the function)", path, err)
			}
			errs = append(errs, err)
			all = append(all, r)
		}
	}
	return all, errors.Join(errs...)
}

func (d *documents) read(path string) (*record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := parseRecord(text)
	if err != nil {
		return nil, err
	}
	if want := d.path(r.Name); want != path {
		return nil, fmt.Errorf("it is of the function %q, whose file is %s", r.Name, filepath.Base(want))
	}
	return r, nil
}

// parseRecord reads a document, strictly: what it does not know was written by
// another version, which would miss it.
func parseRecord(text []byte) (*record, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("the document is damaged: %w", err)
	}
	if head.Schema != schema {
		return nil, fmt.Errorf("the document's schema is %q, this version reads %s", head.Schema, schema)
	}
	r := &record{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("the document is damaged: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the document is damaged: something follows it")
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("the document is damaged: %w", err)
	}
	return r, nil
}

// save replaces a function's document, and returns when the new one will be
// there after a power cut.
func (d *documents) save(r *record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := d.path(r.Name)
	if err := d.write(path+temporary, append(text, '\n')); err != nil {
		return err
	}
	if err := d.step("rename"); err != nil {
		return err
	}
	if err := os.Rename(path+temporary, path); err != nil {
		return errors.Join(err, os.Remove(path+temporary))
	}
	return d.syncFolder()
}

func (d *documents) write(path string, text []byte) (err error) {
	if err := d.step("create"); err != nil {
		return err
	}
	// The environment of a function may hold secrets.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	killed := false
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil && !killed {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	half := len(text) / 2
	if _, err := f.Write(text[:half]); err != nil {
		return err
	}
	if err := d.step("write"); err != nil {
		killed = true
		return err
	}
	if _, err := f.Write(text[half:]); err != nil {
		return err
	}
	if err := d.step("sync"); err != nil {
		killed = true
		return err
	}
	return f.Sync()
}

// remove takes a function's document away.
func (d *documents) remove(name string) error {
	if err := d.step("remove"); err != nil {
		return err
	}
	if err := os.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.syncFolder()
}

func (d *documents) syncFolder() error {
	if err := d.step("sync folder"); err != nil {
		return err
	}
	return syncFolder(d.dir)
}

func (d *documents) step(name string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(name)
}
