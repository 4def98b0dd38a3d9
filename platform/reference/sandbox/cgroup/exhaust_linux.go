package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// most is how many pipes of 64 KiB Exhaust fills in vain before it gives up.
// The kernel charges up to 256 KiB ahead for a CPU; what it has charged so for
// others it takes back before it ends somebody.
const most = 64

// Exhaust drives the group over its memory limit, so that the kernel ends a
// process in it, and returns when the kernel says that it has. The limit does
// not come back before the group is used again.
//
// Version 2 does that when the limit falls below what is used. Version 1
// refuses such a limit: there it falls to what is used, and a thread that
// enters the group asks for more, in pipes, whose content is the kernel's own
// memory and charged to whoever writes. (A thread's ordinary memory is charged
// to its process, wherever that stands.) That thread cannot be who is ended:
// the kernel picks among the processes whose first thread is in the group.
func (g *Group) Exhaust() error {
	if g.limit < 0 {
		return errors.New("exhaust control group: its memory is not bounded")
	}
	before, err := g.OutOfMemoryKills()
	if err != nil {
		return fmt.Errorf("exhaust control group: %w", err)
	}
	g.most = halfBound
	killed := func() (bool, error) {
		n, err := g.OutOfMemoryKills()
		return n > before, err
	}
	if g.version(Memory) == 2 {
		if err = put(g.limit, "0"); err == nil {
			err = until(killed)
		}
	} else {
		err = apart(func() error { return g.press(killed) })
		if refused(err) {
			done, unread := killed()
			switch {
			case unread != nil:
				err = unread
			case done:
				err = nil
			default:
				err = fmt.Errorf("there is nobody to be ended: %w", err)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("exhaust control group: %w", err)
	}
	return nil
}

// apart runs do on a thread that ends with it, and is not the process's first:
// with that the kernel would end this process.
func apart(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if unix.Gettid() == unix.Getpid() {
			err := apart(do)
			runtime.UnlockOSThread()
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}

// refused tells whether the kernel had no memory left for the group. Whatever a
// thread in it asks for can meet that: to open a file, to read it, a pipe, for
// which the kernel says that there are too many files.
func refused(err error) bool {
	return errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.ENFILE)
}

// press asks for memory in the group until somebody is killed for it, or no
// more is given.
func (g *Group) press(killed func() (bool, error)) error {
	var group part
	for _, p := range g.parts {
		if p.has(Memory) {
			group = p
		}
	}
	if err := enter(group.tasks); err != nil {
		return err
	}
	var pipes []int
	defer func() {
		for _, fd := range pipes {
			_ = unix.Close(fd)
		}
	}()
	load := make([]byte, 64<<10)
	for range most {
		used, err := os.ReadFile(filepath.Join(group.path, "memory.usage_in_bytes"))
		if err != nil {
			return err
		}
		if err := put(g.limit, strings.TrimSpace(string(used))); err != nil && err != unix.EBUSY {
			return err // busy: more is used by now, which the next round reads
		}
		var ends [2]int
		if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			return err
		}
		pipes = append(pipes, ends[0], ends[1])
		_, failed := unix.Write(ends[1], load)
		if done, err := killed(); done || err != nil {
			return err
		}
		if refused(failed) {
			return failed
		}
	}
	return errors.New("what the kernel keeps for a process is not counted here")
}
