//go:build !linux

package drive

// raisePriority leaves everything as it is.
func raisePriority() (restore func(), ok bool) { return func() {}, false }
