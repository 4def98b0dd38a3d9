// Package meter owns the runtime's account of who used what, and keeps it over
// restarts.
//
// In: one charge a request. Out: the sums by function, version, consumer and
// stage, and their total, which is counted on its own and equals them. It knows
// no prices and decides nothing.
//
// In a folder it keeps two files: a snapshot of the sums, and a journal with a
// line for each charge since, written before Charge returns. A process that is
// killed loses nothing; a machine that loses its power loses at most what was
// charged since the last [Meter.Sync]. The snapshot names the journal that
// follows it, so that its rename is the one instant at which a journal has been
// absorbed:
//
//	usage.json      {"schema": ..., "journal": 7, "usage": [...]}
//	usage-7.jsonl   {"key": {...}, "usage": {...}}
//
// Two processes must not share a folder; whoever opens it sees to that.
package meter

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/analysis/whole"
)

// Meter adds up. Its methods may be called from any goroutine.
type Meter struct {
	mu      sync.Mutex
	sums    map[usage.Key]*usage.Usage
	total   usage.Usage
	folder  string   // "" keeps nothing
	number  int      // the journal's
	journal *os.File // nil where nothing is kept, or where that has failed
	size    int64    // of the journal
	line    []byte   // reused
	err     error    // why the journal has ended
}

// journalSize is how long a journal gets before its sums replace it, in bytes.
const journalSize = 16 << 20

const schema = "coldcurve.usage/v1"

// Consumers and stages are what callers call themselves. So that none can fill
// our memory with names, sums beyond mostSums, and those of names longer than
// mostName bytes, are kept together by function and version, as [Others]'s.
const (
	mostSums = 10_000
	mostName = 256
)

// Others is the consumer of what is not told apart.
const Others = "(others)"

// snapshot is the file of the sums.
type snapshot struct {
	Schema  string        `json:"schema"`
	Journal int           `json:"journal"` // the number of the journal that follows
	Usage   []usage.Entry `json:"usage"`
}

// Open makes a Meter that goes on from what the folder holds; "" keeps nothing.
func Open(folder string) (*Meter, error) {
	m := &Meter{sums: make(map[usage.Key]*usage.Usage), folder: folder}
	if folder == "" {
		return m, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open the meter: %w", err)
	}
	if err := m.load(); err != nil {
		return nil, fmt.Errorf("open the meter: %w", err)
	}
	if err := m.rotate(); err != nil {
		return nil, fmt.Errorf("open the meter: %w", err)
	}
	return m, nil
}

func (m *Meter) snapshotPath() string { return filepath.Join(m.folder, "usage.json") }

func (m *Meter) journalPath(n int) string {
	return filepath.Join(m.folder, fmt.Sprintf("usage-%d.jsonl", n))
}

// load reads the snapshot and the journal that follows it.
func (m *Meter) load() error {
	text, err := os.ReadFile(m.snapshotPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var s snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: %w", m.snapshotPath(), err)
	}
	if s.Schema != schema {
		return fmt.Errorf("%s: schema %q, want %q", m.snapshotPath(), s.Schema, schema)
	}
	for _, e := range s.Usage {
		m.add(e)
	}
	m.number = s.Journal
	return m.replay(m.journalPath(m.number))
}

// replay adds a journal's charges. Its last line may have been cut off by the
// end of the process that wrote it; another one that cannot be read is an error.
func (m *Meter) replay(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return nil // without its line break it was never charged
		}
		if err != nil {
			return err
		}
		var e usage.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		m.add(e)
	}
}

func (m *Meter) add(e usage.Entry) {
	sum := m.sums[e.Key]
	if sum == nil {
		sum = new(usage.Usage)
		m.sums[e.Key] = sum
	}
	sum.Add(e.Usage)
	m.total.Add(e.Usage)
}

// Charge adds what one request has used. It does not fail: where the journal
// cannot be written, the sums go on in memory, Err tells why, and the next Sync
// saves them if it can.
func (m *Meter) Charge(k usage.Key, u usage.Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := usage.Entry{Key: m.fold(k), Usage: u}
	m.add(e)
	if m.journal == nil {
		return
	}
	m.line = appendLine(m.line[:0], e)
	n, err := m.journal.Write(m.line)
	m.size += int64(n)
	if err == nil && m.size > journalSize {
		err = m.rotate()
	}
	if err != nil {
		m.abandon(err)
	}
}

// fold gives the key whose sum takes a charge. Called with mu held.
func (m *Meter) fold(k usage.Key) usage.Key {
	if k.Consumer == "" && k.Stage == "" {
		return k
	}
	if len(k.Consumer) <= mostName && len(k.Stage) <= mostName && (len(m.sums) < mostSums || m.sums[k] != nil) {
		return k
	}
	return usage.Key{Function: k.Function, Version: k.Version, Consumer: Others}
}

func appendLine(b []byte, e usage.Entry) []byte {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers can be marshalled
	}
	return append(append(b, text...), '\n')
}

// abandon gives the journal up: what would follow a half-written line could
// not be read.
func (m *Meter) abandon(err error) {
	m.err = err
	if m.journal != nil {
		_ = m.journal.Close()
		m.journal = nil
	}
}

// rotate begins a new journal and makes the sums so far the snapshot before it.
func (m *Meter) rotate() error {
	next, err := os.OpenFile(m.journalPath(m.number+1), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := m.save(m.number + 1); err != nil {
		return errors.Join(err, next.Close(), os.Remove(next.Name()))
	}
	if m.journal != nil {
		_ = m.journal.Close() // it is in the snapshot
	}
	_ = os.Remove(m.journalPath(m.number))
	m.journal, m.number, m.size, m.err = next, m.number+1, 0, nil
	return nil
}

// save writes the snapshot that a journal follows.
func (m *Meter) save(journal int) error {
	text, err := json.Marshal(snapshot{Schema: schema, Journal: journal, Usage: m.entries()})
	if err != nil {
		return err
	}
	return whole.Bytes(m.snapshotPath(), 0o600, text)
}

// entries are the sums in order. Called with mu held.
func (m *Meter) entries() []usage.Entry {
	list := make([]usage.Entry, 0, len(m.sums))
	for k, u := range m.sums {
		list = append(list, usage.Entry{Key: k, Usage: *u})
	}
	slices.SortFunc(list, func(a, b usage.Entry) int {
		return cmp.Or(cmp.Compare(a.Key.Function, b.Key.Function), cmp.Compare(a.Key.Version, b.Key.Version),
			cmp.Compare(a.Key.Consumer, b.Key.Consumer), cmp.Compare(a.Key.Stage, b.Key.Stage))
	})
	return list
}

// Usage gives all sums and their total.
func (m *Meter) Usage() usage.Account {
	m.mu.Lock()
	defer m.mu.Unlock()
	return usage.Account{Entries: m.entries(), Total: m.total}
}

// Err is why charges are not kept at present; nil where they are, or were not
// meant to be.
func (m *Meter) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Sync makes what was charged outlast the machine's power, and takes the
// journal up again where it had to be given up.
func (m *Meter) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.folder == "" {
		return nil
	}
	var err error
	if m.journal != nil {
		err = m.journal.Sync()
	} else {
		err = m.rotate()
	}
	if err != nil {
		m.abandon(err)
		return fmt.Errorf("keep the usage: %w", err)
	}
	return nil
}

// Close keeps everything and ends the journal; charges that come after it count
// in memory only. Idempotent.
func (m *Meter) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.folder == "" {
		return nil
	}
	err := m.rotate()
	if m.journal != nil {
		err = errors.Join(err, m.journal.Close())
	}
	m.journal, m.folder = nil, ""
	if err != nil {
		return fmt.Errorf("keep the usage: %w", err)
	}
	return nil
}
