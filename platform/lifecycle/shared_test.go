package lifecycle_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	gocmp "github.com/google/go-cmp/cmp"
)

// shared is several scripts whose pools share a budget of memory.
type shared struct {
	memory *lifecycle.Memory
	pools  map[string]*script
}

func (m *shared) begin(words []string) error {
	if len(words) != 1 {
		return fmt.Errorf("want: memory SIZE")
	}
	limit, err := strconv.ParseInt(words[0], 10, 64)
	m.memory = lifecycle.NewMemory(limit)
	return err
}

// do does a line of a transcript; what it means for other pools comes after
// what it means for its own.
func (m *shared) do(fields []string) ([]string, error) {
	if fields[0] == "pool" {
		return nil, m.add(fields[1], fields[2:])
	}
	if fields[0] == "used" {
		used, idle := m.memory.Used()
		return []string{fmt.Sprintf("%d, %d of it idle", used, idle)}, nil
	}
	if len(fields) < 2 || m.pools[fields[1]] == nil {
		return nil, fmt.Errorf("want: TIME POOL EVENT, or counts, limit, provision, state or deadline POOL")
	}
	name := fields[1]
	answers, err := m.pools[name].do(append(fields[:1:1], fields[2:]...))
	for k := range answers {
		answers[k] = name + ": " + answers[k]
	}
	m.memory.Orders(func(p *lifecycle.Pool, a lifecycle.Action) {
		for name, s := range m.pools {
			if s.pool == p {
				answers = append(answers, name+": "+s.acts(a))
			}
		}
	})
	return answers, err
}

// add makes a pool: NAME size=N SETTING...
func (m *shared) add(name string, settings []string) error {
	size, ok := strings.CutPrefix(settings[0], "size=")
	bytes, err := strconv.ParseInt(size, 10, 64)
	if !ok || err != nil {
		return fmt.Errorf("want: pool NAME size=N SETTING...")
	}
	policy, err := parsePolicy(settings[1:])
	if err == nil {
		err = policy.Validate()
	}
	if err != nil {
		return err
	}
	m.pools[name] = newScript(policy, name)
	m.pools[name].pool.Share(m.memory, bytes)
	return nil
}

// household is pools that share a budget, each with a ledger that sees what
// their owner sees.
type household struct {
	t      *testing.T
	memory *lifecycle.Memory
	pools  []*lifecycle.Pool
	books  []*ledger // nil: nobody looks
	did    [][]lifecycle.Action
}

func newHousehold(t *testing.T, limit int64, sizes []int64, policies []lifecycle.Policy, watched bool) *household {
	h := &household{t: t, memory: lifecycle.NewMemory(limit), did: make([][]lifecycle.Action, len(policies))}
	for k, policy := range policies {
		h.pools = append(h.pools, lifecycle.New(policy))
		h.pools[k].Share(h.memory, sizes[k])
		if watched {
			h.books = append(h.books, newLedger(t, policy))
		}
	}
	return h
}

func (h *household) step(k int, now time.Duration, ev lifecycle.Event) {
	h.t.Helper()
	acts := make([][]lifecycle.Action, len(h.pools))
	acts[k] = h.pools[k].Step(now, ev, nil)
	h.memory.Orders(func(p *lifecycle.Pool, a lifecycle.Action) {
		other := slices.Index(h.pools, p)
		acts[other] = append(acts[other], a)
	})
	for other := range h.pools {
		h.did[other] = append(h.did[other], acts[other]...)
		if h.books != nil {
			its := ev
			if other != k {
				its = lifecycle.Event{}
			}
			h.books[other].take(now, its, acts[other], h.pools[other])
		}
	}
}

// tick does so at every deadline up to now, whichever pool's it is.
func (h *household) tick(now time.Duration) {
	for {
		k, first := 0, now+1
		for other, p := range h.pools {
			if at, ok := p.NextDeadline(); ok && at < first {
				k, first = other, at
			}
		}
		if first > now {
			return
		}
		h.step(k, first, lifecycle.Event{})
	}
}

// TestSharedMemory holds pools with all sorts of policies to what must be true
// of a budget, and to the same pools without a Tick at every deadline.
func TestSharedMemory(t *testing.T) {
	for seed := range uint64(500) {
		bytes := reader(randomBytes(seed, 500))
		limit := int64(bytes.next()%12) + 1
		var sizes []int64
		var policies []lifecycle.Policy
		for range 3 {
			sizes = append(sizes, int64(bytes.next()%5))
			policies = append(policies, bytes.policy())
		}
		h, lazy := newHousehold(t, limit, sizes, policies, true), newHousehold(t, limit, sizes, policies, false)
		var now time.Duration
		for len(bytes) > 0 {
			now += max(0, bytes.elapsed())
			k := bytes.next() % 3
			if set, _ := bytes.setting(); set != nil {
				set(h.pools[k])
				set(lazy.pools[k])
				set(h.books[k])
				h.step(k, now, lifecycle.Event{})
			}
			ev := bytes.event(h.books[k])
			h.tick(now)
			if ev.Kind == lifecycle.Arrive && h.books[k].serving[ev.Request] {
				ev.Request = 0
			}
			h.step(k, now, ev)
			lazy.step(k, now, ev)
			h.check(limit, sizes, policies)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		for k := range policies {
			if diff := gocmp.Diff(h.did[k], lazy.did[k]); diff != "" {
				t.Fatalf("seed %d, pool %d of %+v: with a Tick at every deadline and without (-with +without):\n%s", seed, k, policies, diff)
			}
		}
	}
}

// check finds the budget kept and nobody waiting whom it would be enough for.
func (h *household) check(limit int64, sizes []int64, policies []lifecycle.Policy) {
	h.t.Helper()
	var sum int64
	used, idle := h.memory.Used()
	for k, p := range h.pools {
		c := p.Counts()
		sum += int64(c.Starting+c.Idle+c.Paused+c.Busy) * sizes[k]
		free := c.Held < h.books[k].limit && policies[k].StartBurst == 0
		if c.Waiting > 0 && free && !policies[k].LateBinding && used-idle+sizes[k] <= limit {
			h.t.Fatalf("pool %d: a request waits, and of %d only %d are used and %d of that idle: %+v", k, limit, used, idle, c)
		}
	}
	if used != sum || used > limit || idle > used {
		h.t.Fatalf("of %d the instances have %d, but %d are used, and %d of that idle", limit, sum, used, idle)
	}
}

// TestLeastRecentlyUsed: of what is idle in all pools that goes which was used
// before all that stays.
func TestLeastRecentlyUsed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	policies := []lifecycle.Policy{{KeepAlive: -1}, {KeepAlive: -1, Pause: true}, {KeepAlive: 50, Noise: .5}}
	h := newHousehold(t, 20, []int64{1, 2, 3}, policies, true)
	reaped := 0
	for now := range time.Duration(20000) {
		k := random.IntN(3)
		before := len(h.did[0]) + len(h.did[1]) + len(h.did[2])
		seen := [3]int{len(h.did[0]), len(h.did[1]), len(h.did[2])}
		used := [3]map[lifecycle.Instance]time.Duration{}
		for j, book := range h.books {
			used[j] = maps.Clone(book.idle)
		}
		if book := h.books[k]; random.IntN(2) == 0 {
			h.step(k, now, lifecycle.Event{Kind: lifecycle.Arrive, Request: book.newRequest()})
		} else if i := book.presentInstance(random.IntN(1000)); book.state[i] == lifecycle.Busy {
			h.step(k, now, lifecycle.Event{Kind: lifecycle.Finish, Instance: i, Request: book.serves[i][0]})
		} else {
			kind := lifecycle.Cleared
			if book.state[i] <= lifecycle.Initialising {
				kind = lifecycle.Ready
			}
			h.step(k, now, lifecycle.Event{Kind: kind, Instance: i})
		}
		if before == len(h.did[0])+len(h.did[1])+len(h.did[2]) {
			continue
		}
		last := time.Duration(-1)
		for j := range h.pools {
			for _, a := range h.did[j][seen[j]:] {
				if a.Why == lifecycle.MemoryShort {
					reaped++
					last = max(last, used[j][a.Instance])
				}
			}
		}
		for j, book := range h.books {
			for i, since := range book.idle {
				if since < last {
					t.Fatalf("at %v: i%d of pool %d, idle since %v, stays and one idle since %v goes", now, book.number[i], j, since, last)
				}
			}
		}
	}
	if reaped < 1000 {
		t.Errorf("only %d instances went for their memory: the test did not reach it", reaped)
	}
}
