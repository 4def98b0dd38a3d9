package lifecycle

// crowd is the instances to choose from at random. One that leaves gives its
// place to the last.
type crowd struct {
	members []int32
	place   []int32 // of an instance among the members
}

func (c *crowd) add(instance int32) {
	for int(instance) >= len(c.place) {
		c.place = append(c.place, none)
	}
	c.place[instance] = int32(len(c.members))
	c.members = append(c.members, instance)
}

func (c *crowd) remove(instance int32) {
	at, last := c.place[instance], c.members[len(c.members)-1]
	c.members[at], c.place[last] = last, at
	c.members = c.members[:len(c.members)-1]
}
