package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/analysis/whole"
	"github.com/coldcurve/coldcurve/platform"
)

// The files that this package writes.
const (
	manifestName  = "manifest.json"
	scenarioName  = "scenario.yaml"
	samplesName   = "samples.jsonl.zst"
	logName       = "latency.hlog"
	instancesName = "instances.jsonl"
	readingsName  = "readings.jsonl"
	usageName     = "usage.json"
	logsName      = "logs"
	summaryName   = "summary.json"
)

// Writer makes a run directory while the run goes on. It serves one goroutine.
// After an error of Append or Flush the same error comes back each time, and
// what was flushed before stays readable.
type Writer struct {
	dir      string
	manifest Manifest
	warmup   map[string]bool // by phase

	samples     *frameWriter
	samplesFile *os.File
	log         *hist.LogWriter
	logFile     *os.File

	all     latencies
	starts  []latencies   // by start kind
	flushed time.Duration // end of the last interval in the log
	latest  time.Duration // the last Done
	err     error
}

// latencies are the distributions of one start kind, or of all of them.
type latencies struct {
	tag           string // "" for all
	interval, run *hist.Histogram
}

// Create makes dir, with its parents where they are missing, and begins the run
// directory there. A dir that holds anything is refused. The manifest says
// incomplete until [Writer.Finish].
func Create(dir string, m Manifest, scenario []byte) (*Writer, error) {
	w, err := create(dir, m, scenario)
	if err != nil {
		return nil, fmt.Errorf("create run directory: %w", err)
	}
	return w, nil
}

func create(dir string, m Manifest, scenario []byte) (*Writer, error) {
	if err := makeEmpty(dir); err != nil {
		return nil, err
	}
	m.Schema, m.Complete = Schema, false
	w := &Writer{dir: dir, manifest: m, warmup: make(map[string]bool)}
	for _, p := range m.Phases {
		w.warmup[p.Name] = p.Warmup
	}
	for _, s := range sample.Starts() {
		w.starts = append(w.starts, latencies{tag: s.String()})
	}
	if err := w.openFiles(); err != nil {
		return nil, errors.Join(err, w.closeFiles())
	}
	if err := whole.Bytes(filepath.Join(dir, scenarioName), 0o644, scenario); err != nil {
		return nil, errors.Join(err, w.closeFiles())
	}
	// The manifest comes last: with it the directory is one that can be opened.
	if err := whole.JSON(filepath.Join(dir, manifestName), w.manifest); err != nil {
		return nil, errors.Join(err, w.closeFiles())
	}
	return w, nil
}

func (w *Writer) openFiles() (err error) {
	// Exclusive, so that of two that found dir empty only one goes on.
	const fresh = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	if w.samplesFile, err = os.OpenFile(filepath.Join(w.dir, samplesName), fresh, 0o644); err != nil {
		return err
	}
	if w.samples, err = newFrameWriter(w.samplesFile); err != nil {
		return err
	}
	if w.logFile, err = os.Create(filepath.Join(w.dir, logName)); err != nil {
		return err
	}
	w.log, err = hist.NewLogWriter(w.logFile, w.manifest.Started)
	return err
}

// makeEmpty makes dir or finds it empty.
func makeEmpty(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: it holds %s", dir, entries[0].Name())
	}
	return nil
}

// Dir is the directory's path, as given to [Create].
func (w *Writer) Dir() string { return w.dir }

// Append takes a copy of s. It allocates nothing, but for the histograms of a
// start kind that comes for the first time, and writes to disk only when some
// hundred KB of samples have come together.
func (w *Writer) Append(s *sample.Sample) error {
	if w.err != nil {
		return w.err
	}
	if err := w.samples.add(s); err != nil {
		return w.fail("append sample", err)
	}
	w.latest = max(w.latest, s.Done)
	if s.Err == sample.NoError && !w.warmup[s.Phase] {
		w.all.record(s.Latency())
		w.starts[s.Believed()].record(s.Latency())
	}
	return nil
}

// Flush makes every sample so far readable from disk, and writes the log's
// intervals from the last flush to at, an offset from the run's origin.
func (w *Writer) Flush(at time.Duration) error {
	if w.err != nil {
		return w.err
	}
	if err := w.samples.flush(); err != nil {
		return w.fail("flush samples", err)
	}
	if err := w.logIntervals(at); err != nil {
		return w.fail("flush latencies", err)
	}
	return nil
}

func (w *Writer) logIntervals(at time.Duration) error {
	at = max(at, w.flushed)
	if err := w.all.log(w.log, w.flushed, at); err != nil {
		return err
	}
	for i := range w.starts {
		if err := w.starts[i].log(w.log, w.flushed, at); err != nil {
			return err
		}
	}
	w.flushed = at
	return nil
}

// fail keeps the first error for all that is asked later. The file's own error
// has the path.
func (w *Writer) fail(what string, err error) error {
	w.err = fmt.Errorf("%s: %w", what, err)
	return w.err
}

// Instances stores the life of every instance, replacing what was stored.
func (w *Writer) Instances(records []platform.InstanceRecord) error {
	if err := writeLines(filepath.Join(w.dir, instancesName), records); err != nil {
		return fmt.Errorf("store instances: %w", err)
	}
	return nil
}

// Readings stores what functions' processes used, replacing what was stored.
func (w *Writer) Readings(readings []platform.Reading) error {
	if err := writeLines(filepath.Join(w.dir, readingsName), readings); err != nil {
		return fmt.Errorf("store readings: %w", err)
	}
	return nil
}

// writeLines stores records as JSON, one a line.
func writeLines[T any](path string, records []T) error {
	var lines []byte
	for i := range records {
		line, err := json.Marshal(&records[i])
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	return whole.Bytes(path, 0o644, lines)
}

// Usage stores who has used what of the platform.
func (w *Writer) Usage(a usage.Account) error {
	if err := whole.JSON(filepath.Join(w.dir, usageName), a); err != nil {
		return fmt.Errorf("store usage: %w", err)
	}
	return nil
}

// Logs stores what functions have printed, a file each in logs/.
func (w *Writer) Logs(logs map[string]string) error {
	if len(logs) == 0 {
		return nil
	}
	folder := filepath.Join(w.dir, logsName)
	err := os.MkdirAll(folder, 0o755)
	for function, text := range logs {
		// A platform's names are not to choose where a file is written.
		if filepath.Base(function) != function || !filepath.IsLocal(function) {
			err = errors.Join(err, fmt.Errorf("%q cannot name a file", function))
			continue
		}
		err = errors.Join(err, whole.Bytes(filepath.Join(folder, function+".log"), 0o644, []byte(text)))
	}
	if err != nil {
		return fmt.Errorf("store logs: %w", err)
	}
	return nil
}

// Finish flushes, writes the percentile distributions, syncs everything to the
// disk, and then writes the manifest as change leaves it, Complete with the
// rest. If any sample could not be written the manifest says incomplete,
// whatever change says. The Writer is of no use afterwards.
func (w *Writer) Finish(change func(*Manifest)) error {
	err := errors.Join(w.Flush(w.latest), w.writeDistributions(), w.closeFiles())
	change(&w.manifest)
	w.manifest.Complete = w.manifest.Complete && err == nil
	err = errors.Join(err, whole.JSON(filepath.Join(w.dir, manifestName), w.manifest))
	if err != nil {
		return fmt.Errorf("finish run directory: %w", err)
	}
	return nil
}

// writeDistributions writes latency.hgrm, and latency-<start>.hgrm for the
// start kinds that occurred.
func (w *Writer) writeDistributions() error {
	if w.all.run == nil {
		w.all.run = hist.New()
	}
	for _, l := range append([]latencies{w.all}, w.starts...) {
		if l.run == nil {
			continue
		}
		name := "latency.hgrm"
		if l.tag != "" {
			name = "latency-" + l.tag + ".hgrm"
		}
		if err := whole.Write(filepath.Join(w.dir, name), 0o644, l.run.WriteHGRM); err != nil {
			return err
		}
	}
	return nil
}

// closeFiles syncs and closes what is open; it may be called twice.
func (w *Writer) closeFiles() error {
	var errs []error
	for _, f := range []*os.File{w.samplesFile, w.logFile} {
		if f == nil {
			continue
		}
		if err := f.Sync(); err != nil && !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
		if err := f.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (l *latencies) record(d time.Duration) {
	if l.run == nil {
		l.interval, l.run = hist.New(), hist.New()
	}
	l.interval.Record(d)
	l.run.Record(d)
}

// log writes the interval, if it holds anything, and begins the next.
func (l *latencies) log(to *hist.LogWriter, start, end time.Duration) error {
	if l.interval == nil || l.interval.N() == 0 {
		return nil
	}
	if err := to.Interval(l.tag, l.interval, start, end); err != nil {
		return err
	}
	l.interval.Reset()
	return nil
}
