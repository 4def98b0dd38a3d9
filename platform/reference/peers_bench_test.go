//go:build linux

package reference_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/floor"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// peersEnv names what else runs here, NAME=ADDRESS with spaces between, as
// .ci/peers prints it; DOCKER_HOST is the Docker engine's unix socket.
const peersEnv = "COLDCURVE_PEERS"

const (
	leastLaps = 36 // fewer have no 95% interval at p90
	warmLaps  = 10 // warm requests after each cold one
)

// BenchmarkPeers measures the first answer of hello in every tier of the
// runtime and on whatever else was installed, by turns, each from the request's
// first byte on a connection that is open to the end of the answer, and prints
// one table. It judges nothing. Run it with -benchtime 40x.
func BenchmarkPeers(b *testing.B) {
	ours, missing := ourWays(b)
	theirs, absent := peerWays(b)
	all := append(ours, theirs...)
	for b.Loop() {
		for _, w := range all {
			w.lap(b, warmLaps)
		}
	}
	b.ReportMetric(0, "ns/op") // of everything
	fmt.Print(peerTable(ours, theirs))
	for _, why := range append(missing, absent...) {
		fmt.Println("not measured:", why)
	}
	if len(theirs) == 0 {
		b.Error("no peer was measured")
	}
}

// ourWays are the runtime's tiers, asked through Lambda's API of a server for
// each sandbox: one that cannot run here leaves the others.
func ourWays(b *testing.B) (ways []*way, missing []string) {
	b.Helper()
	apis := make(map[string]string)
	for _, box := range []string{"process", "namespace", "wasm", "container"} {
		api, _, err := trySelf(b, "serve", "--ready-fd=3", "--addr=127.0.0.1:0", "--keep-alive=forever", "--cache="+cache, "--sandbox="+box)
		if err != nil {
			missing = append(missing, "serve --sandbox="+box+": "+err.Error())
			continue
		}
		apis[box] = api
	}
	for _, tier := range []struct {
		name, fixture string
		language      platform.Runtime
		box, start    string
		pause         time.Duration
	}{
		{"process, Go", "hello", platform.Go, "process", "", tidy},
		{"namespace, Go", "hello", platform.Go, "namespace", "", tidy},
		{"container, Go", "hello", platform.Go, "container", "", refill},
		{"wasm, hello built by Go", "hello", platform.Wasm, "wasm", "", tidy},
		{"wasm, no language runtime", fixtures.Minimal, platform.Wasm, "wasm", "", tidy},
		{"process, Node.js", "hello", platform.NodeJS, "process", "", tidy},
		{"process, Node.js, pool", "hello", platform.NodeJS, "process", engine.StartPool, refill},
		{"process, Python", "hello", platform.Python, "process", "", tidy},
		{"process, Python, pool", "hello", platform.Python, "process", engine.StartPool, refill},
		{"process, Python, zygote", "hello", platform.Python, "process", engine.StartZygote, tidy},
	} {
		api := apis[tier.box]
		if api == "" {
			continue
		}
		if why := noInterpreter(tier.language); why != "" {
			missing = append(missing, tier.name+": "+why)
			continue
		}
		fn := build(b, tier.fixture, tier.language)
		fn.Name = strings.ToLower(strings.NewReplacer(",", "", " ", "-", ".", "").Replace(tier.name))
		fn.Sandbox, fn.Start = tier.box, tier.start
		if err := create(b, api, fn); err != nil {
			missing = append(missing, err.Error())
			continue
		}
		ways = append(ways, ourWay(b, api, tier.name, fn, tier.pause))
	}
	return ways, missing
}

// ourWay asks for a function of which no instance is left.
func ourWay(b *testing.B, api, name string, fn platform.Function, pause time.Duration) *way {
	c := &caller{addr: api, path: "/2015-03-31/functions/" + fn.Name + "/invocations"}
	kind := kinds[fn.Start].String()
	start := func(want string) func(http.Header, []byte) bool {
		return func(h http.Header, _ []byte) bool { return h.Get(lambdaapi.HeaderStart) == want }
	}
	return &way{
		name: name, proof: "the runtime says " + kind, pause: pause,
		ready: c.dial, cold: c.sees(start(kind)), warm: c.sees(start("warm")),
		end: func(b *testing.B) {
			if r, body := post(b, "http://"+api+"/coldcurve/v1/functions/"+fn.Name+"/evict", ""); r.StatusCode != http.StatusNoContent {
				b.Fatalf("evict %s: %s %s", fn.Name, r.Status, body)
			}
		},
	}
}

// caller has one connection at a time.
type caller struct {
	*poster
	addr, path string
}

// dial opens a connection of its own for a lap: servers close those that are
// silent for a while.
func (c *caller) dial(b *testing.B) {
	if c.poster != nil {
		c.Close()
	}
	c.poster = newPoster(b, c.addr, c.path, payload)
}

// sees gives a request whose answer has to be a right one of hello, and tells
// whether it is evidence of what was wanted.
func (c *caller) sees(evidence func(http.Header, []byte) bool) func(*testing.B) bool {
	return func(b *testing.B) bool {
		head, body, err := c.ask()
		if err != nil {
			b.Fatalf("%s%s: %v", c.addr, c.path, err)
		}
		return evidence(head, body)
	}
}

// peerWays are what .ci/peers has started, and the Docker engine.
func peerWays(b *testing.B) (ways []*way, absent []string) {
	b.Helper()
	at := make(map[string]string)
	for pair := range strings.FieldsSeq(os.Getenv(peersEnv)) {
		name, addr, _ := strings.Cut(pair, "=")
		at[name] = addr
	}
	for _, peer := range []struct {
		name string
		open func(b *testing.B, addr string) *way
	}{{"workerd", workerdWay}, {"serverless-offline", offlineWay}} {
		if at[peer.name] == "" {
			absent = append(absent, peer.name+": no address in "+peersEnv+"; .ci/peers start says why")
			continue
		}
		ways = append(ways, peer.open(b, at[peer.name]))
	}
	docker, err := dockerWay(b)
	if err != nil {
		return ways, append(absent, "Docker: "+err.Error())
	}
	return append(ways, docker), absent
}

// first says that a peer's hello has served nobody before.
func first(_ http.Header, body []byte) bool { return bytes.Contains(body, []byte(`"served":1}`)) }

func later(head http.Header, body []byte) bool { return !first(head, body) }

// workerdWay asks a workerd that runs for a worker that it has not loaded.
func workerdWay(b *testing.B, addr string) *way {
	c := &caller{addr: addr}
	laps := 0
	return &way{
		name: "workerd, a new isolate", proof: "its own counter is 1", pause: tidy,
		ready: func(b *testing.B) {
			laps++
			c.path = fmt.Sprintf("/%d", laps)
			c.dial(b)
		},
		cold: c.sees(first), warm: c.sees(later),
	}
}

// offlineWay asks for a function whose worker thread has been ended.
func offlineWay(b *testing.B, addr string) *way {
	c := &caller{addr: addr, path: "/2015-03-31/functions/peers-dev-hello/invocations"}
	return &way{
		name: "serverless-offline, a new worker thread", proof: "its own counter is 1",
		pause: 500 * time.Millisecond, // longer than it takes it to end a thread that is idle for .2 s, at its next look
		ready: c.dial, cold: c.sees(first), warm: c.sees(later),
	}
}

// dockerWay has the Docker engine create and start a container of the static
// Go function, with the machine's network and nothing else asked of it, and
// answers its polls as the bare loop does: what its client would add is not in it.
func dockerWay(b *testing.B) (*way, error) {
	b.Helper()
	host, unix := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if !unix {
		return nil, fmt.Errorf("DOCKER_HOST is %q and no unix socket; .ci/docker start gives one", os.Getenv("DOCKER_HOST"))
	}
	code := build(b, "hello", platform.Go).Code
	d := &docker{loop: newLoop(b, code), client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", host)
		},
	}}}
	if err := d.load(code); err != nil {
		return nil, err
	}
	b.Cleanup(func() {
		if _, err := d.call(http.MethodDelete, "/images/"+dockerImage+"?force=1", nil); err != nil {
			b.Error(err)
		}
	})
	return &way{
		name: "Docker, create and start", proof: "the container is new (no API before it: the bare loop answers)", pause: tidy,
		cold: func(b *testing.B) bool { d.begin(b); return d.answered(b) },
		warm: func(b *testing.B) bool {
			if err := d.loop.Next(); err != nil {
				b.Fatal(err)
			}
			return d.answered(b)
		},
		end: func(b *testing.B) {
			if _, err := d.call(http.MethodDelete, "/containers/"+d.container+"?force=1", nil); err != nil {
				b.Fatal(err)
			}
			d.loop.End()
		},
	}, nil
}

// docker is the engine's own API, spoken to without a library.
type docker struct {
	client    *http.Client
	loop      *floor.Loop
	container string
}

const dockerImage = "coldcurve-bench-hello"

func (d *docker) call(method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(method, "http://docker"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	r, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, path, r.Status, text)
	}
	return text, err
}

// load makes an image of the function and nothing else.
func (d *docker) load(code string) error {
	program, err := os.ReadFile(filepath.Join(code, "bootstrap"))
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "bootstrap", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return err
	}
	if _, err := w.Write(program); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = d.call(http.MethodPost, "/images/create?fromSrc=-&repo="+dockerImage, archive.Bytes())
	return err
}

func (d *docker) begin(b *testing.B) {
	document, err := json.Marshal(map[string]any{
		"Image": dockerImage, "Cmd": []string{"/bootstrap"}, "Env": []string{"AWS_LAMBDA_RUNTIME_API=" + d.loop.Addr()},
		"HostConfig": map[string]any{"NetworkMode": "host"},
	})
	if err != nil {
		b.Fatal(err)
	}
	text, err := d.call(http.MethodPost, "/containers/create", document)
	if err != nil {
		b.Fatal(err)
	}
	var made struct {
		ID string `json:"Id"`
	}
	if err := json.Unmarshal(text, &made); err != nil {
		b.Fatal(err)
	}
	d.container = made.ID
	if _, err := d.call(http.MethodPost, "/containers/"+d.container+"/start", nil); err != nil {
		b.Fatal(err)
	}
	if err := d.loop.Await(); err != nil {
		b.Fatal(err)
	}
}

func (d *docker) answered(b *testing.B) bool {
	if _, err := d.loop.Invoke(payload); err != nil {
		b.Fatal(err)
	}
	return true
}

// peerTable has a row for each way; what stands under a peer's name is the
// median over the laps of this row's cold start by the peer's, so above 1 the
// peer is faster.
func peerTable(ours, theirs []*way) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\ncold start of hello, by turns; %s; columns of peers: cold by theirs, above 1 they are faster\n", machine())
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\tn\tcold p50\tp90\twarm p50\tp90\tleft out\t")
	for _, peer := range theirs {
		name, _, _ := strings.Cut(peer.name, ",")
		fmt.Fprintf(t, "%s\t", name)
	}
	fmt.Fprintln(t, "evidence of a cold start")
	faster := make(map[*way][]string) // than which of ours
	for i, w := range append(ours, theirs...) {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%d\t", w.name, len(w.took), ms(w.took, .5), ms(w.took, .9), ms(w.again, .5), ms(w.again, .9), w.misses)
		for _, peer := range theirs {
			by := w.by(peer)
			fmt.Fprintf(t, "%s\t", significant(by))
			if by > 1 && i < len(ours) {
				faster[peer] = append(faster[peer], w.name)
			}
		}
		fmt.Fprintln(t, w.proof)
	}
	t.Flush()
	for _, peer := range theirs {
		if names := faster[peer]; len(names) > 0 {
			fmt.Fprintf(&text, "%s: faster than our %s\n", peer.name, strings.Join(names, "; "))
		} else {
			fmt.Fprintf(&text, "%s: slower than all of ours\n", peer.name)
		}
	}
	return text.String()
}

// by is the median over the laps of one way's cold start by another's.
func (w *way) by(other *way) float64 {
	var ratios []float64
	for i := range min(len(w.took), len(other.took)) {
		ratios = append(ratios, float64(w.took[i])/float64(other.took[i]))
	}
	return median(ratios)
}

// ms is a quantile in milliseconds; p90 takes enough laps.
func ms(t times, q float64) string {
	if len(t) == 0 || q > .5 && len(t) < leastLaps {
		return "-"
	}
	return significant(t.quantile(q)/1e3) + " ms"
}
