//go:build !linux

package priority

// Raised is a process that stays as it is: only Linux is asked.
type Raised struct{}

// Raise changes nothing.
func Raise(uint32, ...int) *Raised { return &Raised{} }

// Spare has nothing to spare the calling thread.
func Spare() error { return nil }

// Holds is false.
func (*Raised) Holds() bool { return false }

// Release changes nothing.
func (*Raised) Release() {}
