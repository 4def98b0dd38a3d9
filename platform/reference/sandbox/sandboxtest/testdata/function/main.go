// Command function is what the tests of sandboxes start: a function
// on the bare standard library that behaves as it is told, at init by the
// variable BEHAVIOUR and then by each payload.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	c := &client{addr: os.Getenv("AWS_LAMBDA_RUNTIME_API")}
	if b := os.Getenv("BEHAVIOUR"); b != "" {
		begin(c, b)
	}
	for {
		id, payload := c.next()
		serve(c, id, payload)
	}
}

// begin is the init.
func begin(c *client, behaviour string) {
	verb, arg, _ := strings.Cut(behaviour, " ")
	if verb == "first" { // only an instance's first process: "first FILE BEHAVIOUR"
		file, rest, _ := strings.Cut(arg, " ")
		if _, err := os.Stat(file); err == nil {
			return
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			panic(err)
		}
		verb, arg, _ = strings.Cut(rest, " ")
	}
	switch verb {
	case "crash":
		fmt.Fprintln(os.Stderr, "init goes wrong")
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	case "error":
		c.post("init/error", `{"errorType":"Shop.NoStock","errorMessage":"nothing to sell"}`)
		os.Exit(1)
	case "eat":
		eat()
	case "spawn":
		spawn()
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	case "linger":
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
	case "term":
		terms := make(chan os.Signal, 1)
		signal.Notify(terms, syscall.SIGTERM)
		go func() {
			<-terms
			_ = os.WriteFile(arg, []byte("asked to go"), 0o600)
			os.Exit(0)
		}()
	}
}

func serve(c *client, id, payload string) {
	verb, arg, _ := strings.Cut(payload, " ")
	switch verb {
	case "exit":
		code, _ := strconv.Atoi(arg)
		os.Exit(code)
	case "signal":
		n, _ := strconv.Atoi(arg)
		_ = syscall.Kill(os.Getpid(), syscall.Signal(n))
		time.Sleep(time.Hour)
	case "eat":
		eat()
	case "sleep":
		d, err := time.ParseDuration(arg)
		if err != nil {
			panic(err)
		}
		time.Sleep(d)
	case "spawn":
		spawn()
	case "multiply":
		c.post("invocation/"+id+"/response", multiply())
		return
	case "fail":
		c.post("invocation/"+id+"/error", `{"errorType":"Shop.Closed","errorMessage":"`+arg+`"}`)
		return
	case "store":
		said := "stored"
		if err := os.WriteFile(arg, make([]byte, 64<<10), 0o600); err != nil {
			said = err.Error()
		}
		c.post("invocation/"+id+"/response", said)
		return
	case "print":
		fmt.Println(arg)
	case "flood":
		n, _ := strconv.Atoi(arg)
		block := bytes.Repeat([]byte("0123456789abcde\n"), 1<<10)
		for range n {
			_, _ = os.Stdout.Write(block)
		}
		fmt.Println("the end of the flood")
	case "burn":
		d, _ := time.ParseDuration(arg)
		c.post("invocation/"+id+"/response", burn(d))
		return
	case "large":
		n, _ := strconv.Atoi(arg)
		c.status = c.post("invocation/"+id+"/response", strings.Repeat("x", n))
		return
	case "chunks":
		c.chunked("invocation/"+id+"/response", strings.Fields(arg))
		return
	case "wrong":
		first := c.post("invocation/"+arg+"/response", "not mine")
		c.post("invocation/"+id+"/response", first)
		return
	case "status": // of the call before
		c.post("invocation/"+id+"/response", c.status)
		return
	case "env":
		c.post("invocation/"+id+"/response", strings.Join(os.Environ(), "\n"))
		return
	case "fds":
		c.post("invocation/"+id+"/response", descriptors())
		return
	case "last": // answer and end at once
		c.post("invocation/"+id+"/response", "famous last words")
		os.Exit(4)
	}
	c.post("invocation/"+id+"/response", payload)
}

// eat takes memory until something ends it.
func eat() {
	var all [][]byte
	for {
		b := make([]byte, 8<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		if len(all) > 1<<12 {
			panic("32 GiB and nobody minds")
		}
	}
}

// spawn starts a process that will not hear SIGTERM: of the function's own
// session, of its own one, or "stranger FILE": one without an environment whose
// parent has gone, with its id in the file.
func spawn() {
	if file, ok := strings.CutPrefix(os.Getenv("SPAWN"), "stranger "); ok {
		cmd := exec.Command("/bin/sh", "-c", `setsid sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec env -i sleep 300' "$0" &`, file)
		if err := cmd.Run(); err != nil {
			panic(err)
		}
		return
	}
	cmd := exec.Command("/proc/self/exe") // an image may have no shell
	cmd.Env = append(os.Environ(), "BEHAVIOUR=linger")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: os.Getenv("SPAWN") == "session"}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	_ = cmd.Process.Release()
}

// multiply starts processes until it cannot, and tells how many and why.
func multiply() string {
	for n := range 3000 {
		if err := exec.Command("sleep", "60").Start(); err != nil {
			return strconv.Itoa(n) + " " + err.Error()
		}
	}
	return "3000 and no end"
}

// burn tells how much CPU time it got in a stretch of time.
func burn(d time.Duration) string {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	for start := time.Now(); time.Since(start) < d; {
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	return time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()).String()
}

func descriptors() string {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return err.Error()
	}
	names, _ := d.Readdirnames(-1)
	var all []string
	for _, n := range names {
		target, err := os.Readlink("/proc/self/fd/" + n)
		if err == nil && !strings.HasPrefix(target, "/proc/") {
			all = append(all, n+" "+target)
		}
	}
	return strings.Join(all, "\n")
}

// client speaks just enough HTTP/1.1, with one write a request.
type client struct {
	addr   string
	conn   net.Conn
	in     *bufio.Reader
	out    []byte
	status string
}

func (c *client) connect() {
	if c.conn != nil && os.Getenv("CONNECTION") != "each" {
		return
	}
	if c.conn != nil {
		_ = c.conn.Close()
	}
	conn, err := net.Dial("tcp4", c.addr)
	if err != nil {
		panic(err)
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
}

func (c *client) next() (id, payload string) {
	c.connect()
	_, header, body := c.call("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
	return header["lambda-runtime-aws-request-id"], body
}

func (c *client) post(path, body string) string {
	c.connect()
	status, _, _ := c.call("POST /2018-06-01/runtime/" + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	return status
}

func (c *client) chunked(path string, parts []string) {
	c.connect()
	_, _ = io.WriteString(c.conn, "POST /2018-06-01/runtime/"+path+" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, p := range parts {
		fmt.Fprintf(c.conn, "%x\r\n%s\r\n", len(p), p)
		time.Sleep(10 * time.Millisecond)
	}
	c.call("0\r\n\r\n")
}

func (c *client) call(request string) (status string, header map[string]string, body string) {
	c.out = append(c.out[:0], request...)
	if _, err := c.conn.Write(c.out); err != nil {
		os.Exit(5)
	}
	line := c.line()
	_, status, _ = strings.Cut(line, " ")
	header = map[string]string{}
	for {
		line := c.line()
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		header[strings.ToLower(name)] = value
	}
	n, _ := strconv.Atoi(header["content-length"])
	b := make([]byte, n)
	if _, err := io.ReadFull(c.in, b); err != nil {
		os.Exit(5)
	}
	return status, header, string(b)
}

func (c *client) line() string {
	line, err := c.in.ReadString('\n')
	if err != nil {
		os.Exit(5)
	}
	return strings.TrimRight(line, "\r\n")
}
