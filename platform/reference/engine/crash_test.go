package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	panicked = `serving 7
panic: runtime error: index out of range [5] with length 3 [recovered, repanicked]

goroutine 12 [running]:
panic({0x4b2f00?, 0xc0000140c8?})
	/usr/local/go/src/runtime/panic.go:802 +0x132
example.com/acme/shop.(*Cart).Price(0xc00001c0e0, {0x4d1ab8, 0x5})
	/build/shop/cart.go:34 +0x1d
main.handler(...)
	/build/main.go:21
created by main.main in goroutine 1
	/build/main.go:12 +0x25
`
	aborted = `SIGABRT: abort
PC=0x47a1c1 m=0 sigcode=0

goroutine 0 gp=0x5a2e40 m=0 mp=0x5a3b20 [idle]:
runtime.futex(0x5a3c60, 0x80, 0x0, 0x0, 0x0, 0x0)
	/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21 fp=0x7ffd pc=0x47a1c1

goroutine 1 gp=0xc000002380 m=nil [IO wait]:
runtime.gopark(0x4d7b48?, 0x0?, 0x0?, 0x0?, 0x0?)
	/usr/local/go/src/runtime/proc.go:460 +0xce fp=0xc000 pc=0x46e48e
main.main()
	/build/main.go:12 +0x25 fp=0xc000 pc=0x4a0c85
`
	registers = `
rax    0xca
rip    0x47a1c1
gs     0x0
`
)

func TestCrashIn(t *testing.T) {
	for name, c := range map[string]struct{ log, want string }{
		"panic":                    {panicked, "panic: runtime error: index out of range [5] with length 3 [recovered, repanicked]\nshop.(*Cart).Price cart.go:34\nmain.handler main.go:21"},
		"deadlock":                 {"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:\nmain.main()\n\t/x/main.go:3 +0xf\n", "fatal error: all goroutines are asleep - deadlock!\nmain.main main.go:3"},
		"signal":                   {aborted + registers, "SIGABRT: abort\nmain.main main.go:12"},
		"its beginning is cut off": {aborted[strings.Index(aborted, "runtime.gopark")-60:] + registers, "main.main main.go:12"},
		"long message":             {"panic: " + strings.Repeat("ä", 200) + "\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/main.go:3 +0xf\n", "panic: " + strings.Repeat("ä", 46) + "\nmain.main main.go:3"},
		"lived on":                 {panicked + "and then it was out of money\n", ""},
		"panic alone":              {"panic: no stack is wanted\n", ""},
		"Python":                   {"Traceback (most recent call last):\n  File \"index.py\", line 3, in handler\nKeyError: 'shop'\n", ""},
		"empty":                    {"", ""},
	} {
		if diff := cmp.Diff(c.want, crashIn(c.log)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLastWords: what is no crash is told by its end.
func TestLastWords(t *testing.T) {
	long := strings.Repeat("x", lastWords) + "the end"
	if got := string(lastWordsOf([]byte(long))); got != long[len("the end"):] {
		t.Errorf("got %d bytes: %.20q...", len(got), got)
	}
	if got := string(lastWordsOf([]byte(panicked))); !strings.HasPrefix(got, "panic: ") {
		t.Errorf("got %q of a crash", got)
	}
}
