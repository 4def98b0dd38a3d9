package usage

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAddCoversEveryField fails when a field is added to Usage and forgotten in Add.
func TestAddCoversEveryField(t *testing.T) {
	one := reflect.New(reflect.TypeFor[Usage]()).Elem()
	for i := range one.NumField() {
		switch f := one.Field(i); f.Kind() {
		case reflect.Uint64:
			f.SetUint(uint64(i) + 1)
		default:
			f.SetInt(int64(i) + 1)
		}
	}
	sum := one.Interface().(Usage)
	sum.Add(one.Interface().(Usage))
	for i := range one.NumField() {
		got, name := reflect.ValueOf(sum).Field(i), one.Type().Field(i).Name
		if want := 2 * (i + 1); got.CanUint() && got.Uint() != uint64(want) || got.CanInt() && got.Int() != int64(want) {
			t.Errorf("%s: got %v after adding it to itself, want %d", name, got, want)
		}
	}
	if diff := cmp.Diff(one.Interface(), any(sum.Since(one.Interface().(Usage)))); diff != "" {
		t.Errorf("twice as much since once (-want +got):\n%s", diff)
	}
}

// TestAccountSince: parts still add up to their total, and whoever used nothing
// more is left out.
func TestAccountSince(t *testing.T) {
	entry := func(f string, requests uint64) Entry { return Entry{Key{Function: f}, Usage{Requests: requests}} }
	before := Account{Entries: []Entry{entry("a", 2), entry("b", 3)}, Total: Usage{Requests: 5}}
	after := Account{Entries: []Entry{entry("a", 2), entry("b", 7), entry("c", 1)}, Total: Usage{Requests: 10}}
	want := Account{Entries: []Entry{entry("b", 4), entry("c", 1)}, Total: Usage{Requests: 5}}
	if diff := cmp.Diff(want, after.Since(before)); diff != "" {
		t.Errorf("since (-want +got):\n%s", diff)
	}
}

func TestGBSeconds(t *testing.T) {
	u := Usage{Billed: 500 * time.Millisecond, MemoryTime: 2048 * 500}
	if got := u.GBSeconds(); got != 1 {
		t.Errorf("half a second of 2 GB: got %v GB-seconds, want 1", got)
	}
}
