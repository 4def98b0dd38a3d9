package tail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/tail"
)

// broken is a reader that is gone.
type broken struct{ got strings.Builder }

func (b *broken) Write(p []byte) (int, error) {
	b.got.Write(p)
	return 0, errors.New("gone")
}

// TestTail wants the end kept, everything passed on, and nobody stopped by a
// reader that is gone.
func TestTail(t *testing.T) {
	next := &broken{}
	kept := tail.Tail{Size: 10, Next: next}
	var all strings.Builder
	for i := range 50 {
		text := strings.Repeat(string(rune('a'+i%26)), i%13)
		all.WriteString(text)
		if n, err := fmt.Fprint(&kept, text); n != len(text) || err != nil {
			t.Fatalf("write: %d, %v, want %d", n, err, len(text))
		}
		if got, want := kept.String(), all.String()[max(0, all.Len()-10):]; got != want {
			t.Errorf("after %d writes %q is kept, want %q", i+1, got, want)
		}
	}
	if got := next.got.String(); got != all.String() {
		t.Errorf("passed on %q, want %q", got, all.String())
	}
}
