package runtimeapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
)

// TestShortWayAnswersAsTheLongOne sends each call as it is and with a header
// that only net/http reads past: what comes of both is the same.
func TestShortWayAnswersAsTheLongOne(t *testing.T) {
	length := func(n string) string {
		return "POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\nContent-Length: " + n + "\r\n\r\npong"
	}
	for _, call := range []string{
		post("invocation/"+id+"/response", "pong"),
		post("invocation/"+id+"/response", ""),
		post("invocation/"+id+"/response", strings.Repeat("x", limit)),
		post("invocation/"+id+"/response", strings.Repeat("x", limit+1)),
		post("invocation/"+id+"/error", "pong"),
		post("invocation/"+id+"/other", "pong"),
		post("invocation/"+strings.Repeat("7", 36)+"/response", "pong"),
		post("invocation//response", "pong"),
		length("4"), length("04"), length("+4"), length("-4"), length("4, 4"), length("4\r\nContent-Length: 4"), length("4\r\nContent-Length: 3"),
		"POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\n\r\n",
		"PUT /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\npong",
		poll,
		"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
		"POST /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
	} {
		request, rest, _ := strings.Cut(call, "Host: x\r\n")
		if diff := cmp.Diff(outcome(t, request+"X-Long-Way: yes\r\nHost: x\r\n"+rest), outcome(t, call)); diff != "" {
			t.Errorf("%.120q (-long +short):\n%s", call, diff)
		}
	}
}

// outcome is what comes of a call by an instance that holds an invocation.
func outcome(t *testing.T, call string) (got []string) {
	t.Helper()
	s, _ := serve(t)
	w := dial(t, s)
	w.send(poll)
	<-s.Ready()
	s.Hand(invocation("ping"))
	w.receive()
	resp, body := w.call(call)
	got = append(got, resp.Status, body)
	select {
	case r := <-s.Replies():
		got = append(got, fmt.Sprint(r.Kind, len(r.Body)), string(r.Body))
	default: // what there is was there before the call was answered
	}
	return got
}

// chained asks on its first poll, and gets its first work.
func chained(t *testing.T) (*runtimeapi.Server, *wire) {
	t.Helper()
	s, _ := serve(t)
	w := dial(t, s)
	w.send(strings.Replace(poll, "Host: x\r\n", "Host: x\r\nX-Coldcurve-Chain: may I\r\n", 1))
	<-s.Ready()
	s.Hand(invocation("first"))
	if resp, _ := w.receive(); resp.Header.Get("X-Coldcurve-Chain") == "" {
		t.Fatal("a client that asks whether it may send its next poll at once is not told so")
	}
	return s, w
}

// quiet fails if something comes although nothing is due.
func (w *wire) quiet() {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if b, err := w.in.Peek(1); err == nil {
		_, _ = w.in.Peek(w.in.Size())
		got, _ := w.in.Peek(w.in.Buffered())
		w.t.Errorf("%q... came too early: %q", b, got)
	}
	_ = w.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
}

func TestReceiptComesWithTheNextWork(t *testing.T) {
	s, w := chained(t)
	for i, path := range []string{"/response", "/error", "/response"} { // the second goes the long way
		w.send(post("invocation/"+id+path, "pong") + poll)
		if r := <-s.Replies(); string(r.Body) != "pong" {
			t.Errorf("reply %d is %q", i, r.Body)
		}
		w.quiet()
		s.Hand(invocation("next"))
		if resp, body := w.receive(); resp.StatusCode != 202 || body != "{\"status\":\"OK\"}\n" {
			t.Errorf("receipt %d: %s %q", i, resp.Status, body)
		}
		if resp, body := w.receive(); resp.StatusCode != 200 || body != "next" || resp.Header.Get("X-Coldcurve-Chain") != "" {
			t.Errorf("work %d: %s %q, and told again that it may chain: %q", i, resp.Status, body, resp.Header.Get("X-Coldcurve-Chain"))
		}
	}
	resp, _ := w.call(post("invocation/"+id+"/response", "pong")) // nothing behind it
	if resp.StatusCode != 202 {
		t.Errorf("a receipt of its own: %s", resp.Status)
	}
}

func TestWhatFollowsAResponseGetsItsAnswerAfterTheReceipt(t *testing.T) {
	large := post("invocation/"+id+"/response", strings.Repeat("x", limit+1))
	for _, c := range []struct {
		name, first, second string
		want                []int
	}{
		{"again", post("invocation/"+id+"/response", "a"), post("invocation/"+id+"/response", "b"), []int{202, 403}},
		{"unknown", post("invocation/"+id+"/response", "a"), "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", []int{202, 404}},
		{"nonsense", post("invocation/"+id+"/response", "a"), "nonsense\r\n\r\n", []int{202, 400}},
		{"held back", post("invocation/"+id+"/response", "a"),
			"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", []int{202, 100, 403}},
		{"too large", large, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", []int{413, 404}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := chained(t)
			w.send(c.first + c.second)
			<-s.Replies()
			for i, want := range c.want {
				if resp, body := w.receive(); resp.StatusCode != want {
					t.Errorf("answer %d: %s %q, want %d", i, resp.Status, body, want)
				}
			}
		})
	}
}

// TestNobodyWaitsForAReceiptUnasked has a client send its next poll at once
// that has not asked whether it may: each answer comes when it is due.
func TestNobodyWaitsForAReceiptUnasked(t *testing.T) {
	s, _ := serve(t)
	w := dial(t, s)
	w.send(poll)
	<-s.Ready()
	s.Hand(invocation("ping"))
	w.receive()
	w.send(post("invocation/"+id+"/response", "pong") + poll)
	if resp, _ := w.receive(); resp.StatusCode != 202 {
		t.Errorf("receipt: %s", resp.Status)
	}
	<-s.Replies()
	s.Hand(invocation("more"))
	if _, body := w.receive(); body != "more" {
		t.Errorf("work %q", body)
	}
}

// TestChainIsOfOneConnection lets a chained client come back on another.
func TestChainIsOfOneConnection(t *testing.T) {
	s, w := chained(t)
	w.conn.Close()
	again := dial(t, s)
	again.send(post("invocation/"+id+"/response", "pong") + poll)
	if resp, _ := again.receive(); resp.StatusCode != 202 {
		t.Errorf("receipt: %s", resp.Status)
	}
	if r := <-s.Replies(); string(r.Body) != "pong" {
		t.Errorf("reply %q", r.Body)
	}
}
