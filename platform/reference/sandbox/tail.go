package sandbox

// Tail keeps the last bytes of a stream, at most so many as the function's log
// that comes back with an invocation. It is not safe for concurrent use.
type Tail struct {
	limit int
	kept  []byte // at most twice the limit, so that bytes are seldom moved
}

// NewTail gives a tail of at most limit bytes.
func NewTail(limit int) Tail { return Tail{limit: limit} }

// Append adds to the stream.
func (t *Tail) Append(p []byte) {
	if len(p) >= t.limit {
		t.kept = append(t.kept[:0], p[len(p)-t.limit:]...)
		return
	}
	if len(t.kept)+len(p) > 2*t.limit {
		keep := t.kept[len(t.kept)-(t.limit-len(p)):]
		t.kept = t.kept[:copy(t.kept, keep)]
	}
	t.kept = append(t.kept, p...)
}

// Take gives what was kept and starts again; nil if there is nothing.
func (t *Tail) Take() []byte {
	last := t.kept[max(0, len(t.kept)-t.limit):]
	t.kept = t.kept[:0]
	if len(last) == 0 {
		return nil
	}
	return append([]byte(nil), last...)
}
