package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/analysis/whole"
	"github.com/coldcurve/coldcurve/platform"
)

// Dir is a run directory to read from, of a run that ended well, badly or not
// at all.
type Dir struct {
	Path      string
	Manifest  Manifest
	truncated bool
}

// Open reads the manifest of the run directory at path.
func Open(path string) (*Dir, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open run: %s is a file: a run is a directory", path)
	}
	text, err := os.ReadFile(filepath.Join(path, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open run: %s is not a run directory: it has no %s", path, manifestName)
	}
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	d := &Dir{Path: path}
	if err := d.readManifest(text); err != nil {
		return nil, fmt.Errorf("open run: %s: %w", filepath.Join(path, manifestName), err)
	}
	return d, nil
}

// readManifest looks at the schema first: what another schema says in its
// fields is not looked at.
func (d *Dir) readManifest(text []byte) error {
	var head struct {
		Schema  string `json:"schema"`
		Version string `json:"coldcurve"`
	}
	if err := whole.Decode(text, &head); err != nil {
		return fmt.Errorf("is damaged: %w", err)
	}
	switch family, version, _ := strings.Cut(head.Schema, "/"); {
	case head.Schema == Schema:
		if err := whole.Decode(text, &d.Manifest); err != nil {
			return fmt.Errorf("is damaged: %w", err)
		}
		return nil
	case family+"/" != Schema[:strings.IndexByte(Schema, '/')+1]:
		return fmt.Errorf("is not the manifest of a run: its schema is %q", head.Schema)
	default:
		return fmt.Errorf("schema %q was written by coldcurve %q; this one reads %q: use a coldcurve that knows %q",
			head.Schema, head.Version, Schema, version)
	}
}

// Truncated says whether the last walk over [Dir.Samples] met a torn end, as a
// killed process or a full disk leaves it.
func (d *Dir) Truncated() bool { return d.truncated }

// Samples yields the samples in the order in which they were recorded, which
// is that of their ends, about. The sample is valid until the next one. A torn
// end ends the sequence without an error, and [Dir.Truncated] tells of it; any
// other damage, and a torn end of a run that says it is complete, is the
// sequence's last element.
func (d *Dir) Samples() iter.Seq2[*sample.Sample, error] {
	return func(yield func(*sample.Sample, error) bool) {
		path := filepath.Join(d.Path, samplesName)
		stopped := false
		err := d.walk(path, func(s *sample.Sample) bool {
			stopped = !yield(s, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(nil, fmt.Errorf("read samples: %s: %w", path, err))
		}
	}
}

func (d *Dir) walk(path string, visit func(*sample.Sample) bool) error {
	d.truncated = false
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines, err := newLineReader(f)
	if err != nil {
		return err
	}
	defer lines.close()
	var decoder sample.Decoder
	var s sample.Sample
	for n := 1; ; n++ {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTorn) && !d.Manifest.Complete:
			d.truncated = true
			return nil
		case err != nil:
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := decoder.Decode(line, &s); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if !visit(&s) {
			return nil
		}
	}
}

// Instances are the lives of the instances, none where the platform told none.
func (d *Dir) Instances() ([]platform.InstanceRecord, error) {
	return readLines[platform.InstanceRecord](d.Path, instancesName, "instances")
}

// Readings are what functions' processes used, in order of time, none where the
// platform told none.
func (d *Dir) Readings() ([]platform.Reading, error) {
	return readLines[platform.Reading](d.Path, readingsName, "readings")
}

// readLines reads what writeLines has stored; nothing where there is no file.
func readLines[T any](dir, name, what string) ([]T, error) {
	path := filepath.Join(dir, name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	defer f.Close()
	var records []T
	for lines := json.NewDecoder(f); ; {
		var r T
		err := lines.Decode(&r)
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %s: record %d: %w", what, path, len(records)+1, err)
		}
		records = append(records, r)
	}
}

// Usage is who has used what of the platform; nothing where it was not told.
func (d *Dir) Usage() (a usage.Account, err error) {
	text, err := os.ReadFile(filepath.Join(d.Path, usageName))
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = whole.Decode(text, &a)
	}
	if err != nil {
		return a, fmt.Errorf("read usage: %w", err)
	}
	return a, nil
}

// WriteSummary stores v as summary.json, replacing what was stored.
func (d *Dir) WriteSummary(v any) error {
	if err := whole.JSON(filepath.Join(d.Path, summaryName), v); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// DefaultDir is a path below root that does not exist, named after the time and
// the scenario: "runs/20261121-225411-quick", with a number behind it where
// that is taken.
func DefaultDir(root, scenario string, t time.Time) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, scenario)
	name := filepath.Join(root, t.Format("20060102-150405")+"-"+safe)
	path := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		path = name + "-" + strconv.Itoa(n)
	}
}
