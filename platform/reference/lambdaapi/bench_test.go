package lambdaapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// BenchmarkFront is what the wire itself takes: Lambda's API over kept loopback
// connections, in front of functions that are goroutines, against a bare
// net/http server that echoes; by turns, in one process.
func BenchmarkFront(b *testing.B) {
	w := newRuntime(b, lifecycle.Policy{KeepAlive: time.Minute})
	api := newAPI(b, w)
	create(b, api, "hello")
	serve := func(h http.Handler) net.Addr {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server := &http.Server{Handler: h}
		go func() { _ = server.Serve(l) }()
		b.Cleanup(func() { server.Close() })
		return l.Addr()
	}
	echo := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	ways := []net.Addr{echo, public(b, w, api), serve(api)}
	rates := make([][]float64, len(ways))
	for b.Loop() {
		for i, addr := range ways {
			rates[i] = append(rates[i], rate(b, addr, 200*time.Millisecond))
		}
	}
	median := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
	bare := median(rates[0])
	b.ReportMetric(bare, "echo-req/s")
	b.ReportMetric(median(rates[1])/bare, "short/echo")
	b.ReportMetric(median(rates[2])/bare, "long/echo")
	b.ReportMetric(0, "ns/op")
}

// rate posts over 16 connections for a while and gives the answers a second.
func rate(b *testing.B, addr net.Addr, span time.Duration) float64 {
	b.Helper()
	var answered atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range 16 {
		all.Go(func() {
			c, err := net.Dial(addr.Network(), addr.String())
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			request := fmt.Appendf(nil, "POST %s/hello/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"name\":\"world\"}", functions)
			for time.Since(start) < span {
				if _, err := c.Write(request); err != nil {
					b.Error(err)
					return
				}
				r, err := http.ReadResponse(in, nil)
				if err != nil || r.StatusCode != http.StatusOK {
					b.Error(r, err)
					return
				}
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					b.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return float64(answered.Load()) / time.Since(start).Seconds()
}
