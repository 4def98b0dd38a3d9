package engine

import (
	"strings"
	"testing"
)

func TestLogbookKeepsTheEnd(t *testing.T) {
	var l logbook
	l.add("shop-1", []byte("open\nno stock"))
	l.add("shop-2", nil)
	l.add("shop-2", []byte("open\r\n"))
	if got, want := string(l.end()), "shop-1: open\nshop-1: no stock\nshop-2: open\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range 5000 {
		l.add("shop-3", []byte(strings.Repeat("x", 300)+"\n"))
		if len(l.kept) > 2*logbookSize {
			t.Fatalf("%d bytes are kept", len(l.kept))
		}
	}
	l.add("shop-4", []byte("closed\n"))
	end := string(l.end())
	if len(end) > logbookSize || len(end) < logbookSize-400 || !strings.HasPrefix(end, "shop-3: x") || !strings.HasSuffix(end, "\nshop-4: closed\n") {
		t.Errorf("%d bytes, %.20q to %q", len(end), end, end[len(end)-20:])
	}
}
