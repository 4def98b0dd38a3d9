//go:build linux

package reference_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestServeToAStranger speaks Lambda's wire API without our client, and ends
// the runtime while it serves a request.
func TestServeToAStranger(t *testing.T) {
	fn := gated(t)
	gate, held := newGate(t)
	readyR, readyW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer readyR.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- reference.Serve(ctx, reference.ServeOptions{
			Addr: "127.0.0.1:0", Ready: readyW,
			Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Cache: cache},
		})
	}()
	addr, err := bufio.NewReader(readyR).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-served)
	}
	base := "http://" + strings.TrimSpace(addr)

	code, err := json.Marshal(fn.Code)
	if err != nil {
		t.Fatal(err)
	}
	create := fmt.Sprintf(`{"FunctionName":"nap","Runtime":"provided.al2023","Timeout":300,"MemorySize":1769,"Code":{"LocalFolder":%s}}`, code)
	if r, body := post(t, base+"/2015-03-31/functions", create); r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %s %s", r.Status, body)
	}
	awaitActive(t, base, "nap")
	invocations := base + "/2015-03-31/functions/nap/invocations"
	for _, want := range []string{"cold", "warm"} {
		r, body := post(t, invocations, `{"do":"echo"}`)
		if r.StatusCode != http.StatusOK || r.Header.Get("X-Coldcurve-Start") != want {
			t.Errorf("want %s: %s %s %v", want, r.Status, body, r.Header)
		}
	}
	before := descendants(t, os.Getpid())
	told := make(chan error, 1)
	go func() {
		for n := 0; n == 0 && ctx.Err() == nil; time.Sleep(often) {
			n, _ = gate.Held()
		}
		stop()
		time.Sleep(10 * often) // for it to begin to end
		told <- gate.Open()
	}()
	if r, body := post(t, invocations, held); r.StatusCode != http.StatusOK {
		t.Errorf("a request under way when the runtime was told to end: %s %s", r.Status, body)
	}
	if err := errors.Join(<-told, <-served); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if len(before) == 0 || len(running(before)) > 0 {
		t.Errorf("of the instances %v are left: %v", before, running(before))
	}
	if left := groupsOf(os.Getpid()); len(left) > 0 {
		t.Errorf("control groups are left: %v", left)
	}
}

// awaitActive returns when a function can be invoked.
func awaitActive(t testing.TB, base, name string) {
	t.Helper()
	for range patience {
		r, err := http.Get(base + "/2015-03-31/functions/" + name + "/configuration")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil || r.StatusCode != http.StatusOK {
			t.Fatal(r.Status, err)
		}
		if strings.Contains(string(body), `"State":"Active"`) {
			return
		}
		time.Sleep(often)
	}
	t.Fatalf("%s does not become active", name)
}

func post(t testing.TB, url, body string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, text
}
