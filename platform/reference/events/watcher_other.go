//go:build !linux

package events

import "errors"

var errNoLinux = errors.New("watched folders need Linux")

// Watcher needs Linux.
type Watcher struct{}

// NewWatcher needs Linux.
func NewWatcher(*Queue) (*Watcher, error) { return nil, errNoLinux }

// Add needs Linux.
func (*Watcher) Add(Watch) error { return errNoLinux }

// Expect needs Linux.
func (*Watcher) Expect(string, Awaited) {}

// Close does nothing.
func (*Watcher) Close() error { return nil }
