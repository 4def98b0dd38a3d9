package fleet

// request is one that has not been begun.
type request struct{ arrived, service int64 }

// line is requests that wait, first come first served.
type line struct {
	ring  []request // its length is a power of two
	first int
	n     int
}

func (l *line) push(r request) {
	if l.n == len(l.ring) {
		l.grow()
	}
	l.ring[(l.first+l.n)&(len(l.ring)-1)] = r
	l.n++
}

func (l *line) grow() {
	larger := make([]request, max(8, 2*len(l.ring)))
	n := copy(larger, l.ring[l.first:])
	copy(larger[n:], l.ring[:l.first])
	l.ring, l.first = larger, 0
}

func (l *line) head() request { return l.ring[l.first] }

func (l *line) pop() request {
	r := l.ring[l.first]
	l.first = (l.first + 1) & (len(l.ring) - 1)
	l.n--
	return r
}

// departure is a request in service.
type departure struct {
	at, arrived int64
	instance    int32
	life        uint32 // of the slot, when it was begun
}

// departures is a heap by time, of four children a node: half as deep as one of
// two, and a node's children share a cache line or two.
type departures struct{ heap []departure }

func (h *departures) len() int { return len(h.heap) }

// next is when the first is due, never if there is none.
func (h *departures) next() int64 {
	if len(h.heap) == 0 {
		return never
	}
	return h.heap[0].at
}

func (h *departures) push(d departure) {
	h.heap = append(h.heap, d)
	i := len(h.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if h.heap[parent].at <= d.at {
			break
		}
		h.heap[i] = h.heap[parent]
		i = parent
	}
	h.heap[i] = d
}

func (h *departures) pop() departure {
	top := h.heap[0]
	last := h.heap[len(h.heap)-1]
	h.heap = h.heap[:len(h.heap)-1]
	n := len(h.heap)
	if n == 0 {
		return top
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		for c, end := child+1, min(child+4, n); c < end; c++ {
			if h.heap[c].at < h.heap[child].at {
				child = c
			}
		}
		if h.heap[child].at >= last.at {
			break
		}
		h.heap[i] = h.heap[child]
		i = child
	}
	h.heap[i] = last
	return top
}
