package process

// tail keeps the last bytes of a stream.
type tail struct {
	limit int
	kept  []byte // at most twice the limit, so that bytes are seldom moved
}

func (t *tail) write(p []byte) {
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

// take gives what was kept and starts again; nil if there is nothing.
func (t *tail) take() []byte {
	last := t.kept[max(0, len(t.kept)-t.limit):]
	t.kept = t.kept[:0]
	if len(last) == 0 {
		return nil
	}
	return append([]byte(nil), last...)
}
