//go:build !linux

package owner

import (
	"errors"
	"runtime"
)

// Self refuses.
func Self() (Owner, error) {
	return Owner{}, errors.New("name this process: needs Linux, this is " + runtime.GOOS)
}

// Gone is false: what cannot be seen counts as alive.
func (Owner) Gone(Owner) bool { return false }
