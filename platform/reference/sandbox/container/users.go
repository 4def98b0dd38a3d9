package container

import (
	"errors"
	"os"
	"strconv"
	"sync"
)

// The user ids that instances get belong to nobody: systemd's list of ranges
// ("Users, Groups, UIDs and GIDs on systemd Systems", read 2026-11-22) leaves
// 65536 to 524287 unused, and useradd's subordinate ids begin at 100000.
const (
	firstUser = 65536
	userCount = 100000 - firstUser
)

// users hands out user ids so that no two instances have the same: by its
// owner it is told who connects to an instance's Runtime API.
type users struct {
	mu    sync.Mutex
	next  int
	taken map[uint32]struct{}
}

// newUsers begins at a place of its own in each process, so that two runtimes
// on a machine seldom meet.
func newUsers() *users {
	return &users{next: os.Getpid() * 1021 % userCount, taken: map[uint32]struct{}{}}
}

func (u *users) take() (uint32, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for range userCount {
		id := uint32(firstUser + u.next)
		u.next = (u.next + 1) % userCount
		if _, taken := u.taken[id]; !taken {
			u.taken[id] = struct{}{}
			return id, nil
		}
	}
	return 0, errors.New("no user id is left for an instance: " + strconv.Itoa(userCount) + " are in use")
}

func (u *users) give(id uint32) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.taken, id)
}
