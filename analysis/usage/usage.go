// Package usage owns what was used, and by whom: the quantities that a bill is
// made of.
//
// In: one [Usage] a request. Out: sums of them by [Key], exact to the last
// unit, so that parts add up to their total in whatever order they are added.
// It knows no prices, and it measures nothing.
package usage

import "time"

// Key is who used what: a function's version on behalf of a consumer's stage.
type Key struct {
	Function string `json:"function"`
	Version  string `json:"version"`            // "$LATEST" or a number, as in Lambda
	Consumer string `json:"consumer,omitempty"` // "" for nobody in particular
	Stage    string `json:"stage,omitempty"`    // "" for none in particular
}

// KeepWarm is the consumer of pings that keep instances warm.
const KeepWarm = "keep-warm"

// Usage is what was used. All fields are sums of whole units, at least 0.
type Usage struct {
	Requests    uint64 `json:"requests"`    // that came, whatever became of them
	Errors      uint64 `json:"errors"`      // of those: reached the function and failed, by it or with its instance
	Throttled   uint64 `json:"throttled"`   // of those: refused for want of concurrency
	Refused     uint64 `json:"refused"`     // of those: ended before a function had them, for any other reason
	Cold        uint64 `json:"cold"`        // of those: started cold
	Prewarmed   uint64 `json:"prewarmed"`   // of those: started an instance from a pool
	Restored    uint64 `json:"restored"`    // of those: had an instance restored (a zygote's fork, a snapshot, a resume)
	Provisioned uint64 `json:"provisioned"` // of those: served by provisioned concurrency

	Billed     time.Duration `json:"billed_ns"`      // billed duration, init that is billed included
	InitBilled time.Duration `json:"init_billed_ns"` // of Billed: init
	// MemoryTime is billed duration times memory, in MB x ms (binary MB): both
	// are whole numbers where billing is by the millisecond, so that it is exact.
	MemoryTime int64 `json:"mb_ms"`
	// MemoryTimeProvisioned is the part of MemoryTime that provisioned
	// concurrency served, which has a price of its own.
	MemoryTimeProvisioned int64 `json:"mb_ms_provisioned"`
}

// Add adds more of the same.
func (u *Usage) Add(more Usage) {
	u.Requests += more.Requests
	u.Errors += more.Errors
	u.Throttled += more.Throttled
	u.Refused += more.Refused
	u.Cold += more.Cold
	u.Prewarmed += more.Prewarmed
	u.Restored += more.Restored
	u.Provisioned += more.Provisioned
	u.Billed += more.Billed
	u.InitBilled += more.InitBilled
	u.MemoryTime += more.MemoryTime
	u.MemoryTimeProvisioned += more.MemoryTimeProvisioned
}

// Pings are what keeping instances warm has used.
func (a Account) Pings() Usage {
	var pings Usage
	for _, e := range a.Entries {
		if e.Key.Consumer == KeepWarm {
			pings.Add(e.Usage)
		}
	}
	return pings
}

// Since is what was used after an earlier reading of the same.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{
		Requests:              u.Requests - earlier.Requests,
		Errors:                u.Errors - earlier.Errors,
		Throttled:             u.Throttled - earlier.Throttled,
		Refused:               u.Refused - earlier.Refused,
		Cold:                  u.Cold - earlier.Cold,
		Prewarmed:             u.Prewarmed - earlier.Prewarmed,
		Restored:              u.Restored - earlier.Restored,
		Provisioned:           u.Provisioned - earlier.Provisioned,
		Billed:                u.Billed - earlier.Billed,
		InitBilled:            u.InitBilled - earlier.InitBilled,
		MemoryTime:            u.MemoryTime - earlier.MemoryTime,
		MemoryTimeProvisioned: u.MemoryTimeProvisioned - earlier.MemoryTimeProvisioned,
	}
}

// GBSeconds is MemoryTime as platforms state it (binary GB). It is for showing:
// sums are made of MemoryTime.
func (u *Usage) GBSeconds() float64 { return float64(u.MemoryTime) / 1024 / 1000 }

// Entry is what one key has used.
type Entry struct {
	Key   Key   `json:"key"`
	Usage Usage `json:"usage"`
}

// Account is who has used what, ordered by key, and the total, to which the
// entries add up.
type Account struct {
	Entries []Entry `json:"entries"`
	Total   Usage   `json:"total"`
}

// Since is what was used after an earlier reading of the same account, whose
// keys it has.
func (a Account) Since(earlier Account) Account {
	before := make(map[Key]Usage, len(earlier.Entries))
	for _, e := range earlier.Entries {
		before[e.Key] = e.Usage
	}
	spent := Account{Entries: make([]Entry, 0, len(a.Entries)), Total: a.Total.Since(earlier.Total)}
	for _, e := range a.Entries {
		if u := e.Usage.Since(before[e.Key]); u != (Usage{}) {
			spent.Entries = append(spent.Entries, Entry{e.Key, u})
		}
	}
	return spent
}
