//go:build !linux

package drive

// priority stays as it is.
type priority struct{ raised bool }

func raisePriority(uint32) *priority { return &priority{} }
func (*priority) hold()              {}
func (*priority) release()           {}
