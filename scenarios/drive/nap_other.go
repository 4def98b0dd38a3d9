//go:build !linux

package drive

import "time"

// nap sleeps as well as Go can here; the margin learns how well that is.
func nap(d time.Duration) { time.Sleep(d) }
