package engine

import (
	"bytes"
	"sync"
)

// logbookSize bounds what is kept of one function's output, in bytes.
const logbookSize = 256 << 10

// logbook keeps the end of what a function's instances have printed, each line
// behind the instance's name. It knows what came with an answer or a failure,
// at most 4 KiB each; what an instance prints after its last answer is lost.
type logbook struct {
	mu   sync.Mutex
	kept []byte
}

// add takes what an instance has printed. It costs a function that prints
// nothing no lock.
func (l *logbook) add(instance string, text []byte) {
	if len(text) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(text) {
		l.kept = append(append(l.kept, instance...), ": "...)
		l.kept = append(append(l.kept, bytes.TrimRight(line, "\r\n")...), '\n')
	}
	// Cut at twice the size, so that a line costs no move of all the others.
	if len(l.kept) > 2*logbookSize {
		l.kept = append(l.kept[:0], l.end()...)
	}
}

// end is whole lines, at most logbookSize of them. Called with mu held.
func (l *logbook) end() []byte {
	over := len(l.kept) - logbookSize
	if over <= 0 {
		return l.kept
	}
	return l.kept[over+bytes.IndexByte(l.kept[over:], '\n')+1:]
}

// Logs gives the end of what each function has printed, by name; functions
// that have printed nothing are left out.
func (rt *Runtime) Logs() map[string]string {
	rt.mu.Lock()
	books := make(map[string]*logbook, len(rt.families))
	for name, fam := range rt.families {
		books[name] = &fam.log
	}
	rt.mu.Unlock()
	logs := make(map[string]string)
	for name, book := range books {
		book.mu.Lock()
		if len(book.kept) > 0 {
			logs[name] = string(book.end())
		}
		book.mu.Unlock()
	}
	return logs
}
