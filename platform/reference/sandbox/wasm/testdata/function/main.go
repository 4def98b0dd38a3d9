// Command function is what the tests run: it behaves as its payload says, and
// at init as BEHAVIOUR says.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/fixtures/clients/lambdago"
)

var served int

func main() {
	behaviour := os.Getenv("BEHAVIOUR")
	switch behaviour {
	case "crash":
		fmt.Fprintln(os.Stderr, "init goes wrong")
		os.Exit(3)
	case "error":
		lambdago.FailInit(noStock{})
	case "hang":
		//lint:ignore SA5002 it is told to
		for {
		}
	case "nap":
		time.Sleep(time.Hour)
	case "slow":
		time.Sleep(time.Second)
	case "eat":
		eat()
	case "print":
		fmt.Println("hello, world")
	case "return":
		return
	}
	lambdago.Start(handle)
}

type noStock struct{}

func (noStock) Error() string     { return "nothing to sell" }
func (noStock) ErrorType() string { return "Shop.NoStock" }

type closed string

func (c closed) Error() string   { return string(c) }
func (closed) ErrorType() string { return "Shop.Closed" }

func eat() {
	var all [][]byte
	for {
		all = append(all, make([]byte, 8<<20))
		all[len(all)-1][0] = 1
	}
}

func handle(payload []byte) ([]byte, error) {
	served++
	word, rest, _ := strings.Cut(string(payload), " ")
	switch word {
	case "served":
		return fmt.Appendf(nil, "%d", served), nil
	case "exit":
		var code int
		fmt.Sscan(rest, &code)
		os.Exit(code)
	case "panic":
		panic("out of luck")
	case "loop":
		//lint:ignore SA5002 it is told to
		for {
		}
	case "sleep":
		d, err := time.ParseDuration(rest)
		time.Sleep(d)
		return payload, err
	case "eat":
		eat()
	case "fail":
		if rest != "" {
			return nil, closed(rest)
		}
		return nil, noStock{}
	case "print":
		fmt.Println(rest)
	case "flood":
		n, _ := strconv.Atoi(rest)
		for range n {
			_, _ = os.Stdout.WriteString(strings.Repeat("0123456789abcde\n", 1<<10))
		}
		fmt.Println("the end of the flood")
	case "store":
		if err := os.WriteFile(rest, make([]byte, 64<<10), 0o600); err != nil {
			return []byte(err.Error()), nil
		}
		return []byte("stored"), nil
	case "log":
		fmt.Println(rest)
		fmt.Fprintln(os.Stderr, rest)
	case "large":
		n, err := strconv.Atoi(rest)
		return bytes.Repeat([]byte("x"), n), err
	case "env":
		return []byte(strings.Join(os.Environ(), "\n")), nil
	case "clock":
		return fmt.Appendf(nil, "%d", time.Now().UnixMilli()), nil
	case "dial":
		_, err := net.DialTimeout("tcp", rest, time.Second)
		return nil, err
	case "read":
		return os.ReadFile(rest)
	case "list":
		entries, err := os.ReadDir(rest)
		var names []string
		for _, e := range entries {
			names = append(names, fmt.Sprint(e))
		}
		return []byte(strings.Join(names, "\n")), err
	case "write":
		return nil, os.WriteFile(rest, []byte("written"), 0o644)
	case "fill":
		return fill(rest)
	case "open":
		return open(rest)
	case "files":
		return nil, files(rest)
	}
	return payload, nil
}

// fill writes until nothing fits any more and gives how much did.
func fill(name string) ([]byte, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	total, block := 0, make([]byte, 16<<10)
	for {
		n, err := f.Write(block)
		total += n
		if err != nil {
			return json.Marshal(map[string]any{"bytes": total, "error": err.Error()})
		}
	}
}

// open opens a file until that fails and gives how often it worked.
func open(name string) ([]byte, error) {
	var held []*os.File
	for {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Appendf(nil, "%d", len(held)), nil
		}
		held = append(held, f)
	}
}

// files does to a folder what programs do.
func files(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.MkdirAll(at("a/b"), 0o755), os.WriteFile(at("a/b/one"), []byte("one two"), 0o644),
		os.Rename(at("a/b/one"), at("a/two")), os.Truncate(at("a/two"), 3)); err != nil {
		return fmt.Errorf("make: %w", err)
	}
	f, err := os.OpenFile(at("a/two"), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(" three"); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if _, err := f.Seek(-5, io.SeekEnd); err != nil {
		return fmt.Errorf("seek: %w", err)
	}
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "three" {
		return fmt.Errorf("read %q: %w", got, err)
	}
	if err := errors.Join(os.Remove(at("a/two")), f.Close(), os.Remove(at("a/b")), os.Remove(at("a"))); err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		return fmt.Errorf("left: %v, %w", left, err)
	}
	return nil
}
