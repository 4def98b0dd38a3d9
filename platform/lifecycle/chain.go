package lifecycle

// none is the index of nothing.
const none int32 = -1

// link ties an element of a slice to its neighbours in a [chain]. An element
// that is in no chain may use next to tie it to a list of free ones.
type link struct{ prev, next int32 }

// chain is a doubly linked list through the elements of one slice, by index:
// it takes from both ends and from the middle in constant time and allocates
// nothing. The links are passed in because the slice that holds them grows.
type chain struct {
	head, tail int32
	n          int
}

func newChain() chain { return chain{head: none, tail: none} }

func (c *chain) pushFront(links []link, i int32) {
	links[i] = link{prev: none, next: c.head}
	if c.head == none {
		c.tail = i
	} else {
		links[c.head].prev = i
	}
	c.head = i
	c.n++
}

func (c *chain) pushBack(links []link, i int32) {
	links[i] = link{prev: c.tail, next: none}
	if c.tail == none {
		c.head = i
	} else {
		links[c.tail].next = i
	}
	c.tail = i
	c.n++
}

func (c *chain) remove(links []link, i int32) {
	l := links[i]
	if l.prev == none {
		c.head = l.next
	} else {
		links[l.prev].next = l.next
	}
	if l.next == none {
		c.tail = l.prev
	} else {
		links[l.next].prev = l.prev
	}
	c.n--
}

// popFront takes the first element out of a chain that is not empty.
func (c *chain) popFront(links []link) int32 {
	i := c.head
	c.head = links[i].next
	if c.head == none {
		c.tail = none
	} else {
		links[c.head].prev = none
	}
	c.n--
	return i
}
