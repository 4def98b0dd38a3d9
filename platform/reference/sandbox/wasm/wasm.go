// Package wasm owns instances that are WebAssembly modules in this process.
//
// In: a [sandbox.Spec] whose code folder holds bootstrap.wasm, a WASI preview 1
// command. Out: a [sandbox.Instance]: an instance of the module, with a linear
// memory, a goroutine and a /tmp of its own. It decides nothing, runs no other
// language and knows no threads, sockets or component model.
//
// # How a module speaks
//
// A module is an ordinary program. It initialises, then reads requests from
// stdin and writes an answer to stdout for each, until stdin ends. Its first
// read says that it is ready; stderr is its log. A request is a head and the
// payload:
//
//	Content-Length: 20
//	Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd
//	Lambda-Runtime-Deadline-Ms: 1542409706888
//	Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:...
//	Lambda-Runtime-Trace-Id: Root=1-5759e988-...
//	                                         (an empty line)
//	{"greeting":"hello"}
//
// Content-Length comes first, lines end in LF, and fields that a module does not
// know are to be skipped. An answer has the same form; only Content-Length is
// needed. Lambda-Runtime-Function-Error-Type makes it an error, whose body is
// Lambda's {"errorMessage", "errorType"}. An error before the first read is a
// failure of init. X-Coldcurve-Booted with an empty body, before the first read
// too, tells when the language runtime began (WASI's monotonic clock). What does
// not fit this form (a stray print to stdout) ends the instance with a message
// that says so, and so does reading on before a request is answered.
//
// The same module can be tried by hand under any WASI runtime with a request in
// a file.
//
// # What it keeps out
//
// A module reaches nothing but its linear memory and what WASI hands it: the
// function's environment and Lambda's, clocks, random bytes, its code folder
// read-only at /var/task (links that lead out of it are refused), and a /tmp in
// memory, bounded by the function's storage size. There is no file of the host, no
// network, no process, and no other instance. A memory that outgrows the
// function's size ends the instance, and so does the deadline, wherever the
// module is: it counts its loop turns and calls and gives way every 10,000. Open
// files and tables are bounded as well.
//
// What stands between a module and this process is wazero's compiler, not the
// kernel: a fault in it is a fault of the whole runtime. Modules run at this
// process's priority and share its cores through Go's scheduler; CPU time is not
// limited by memory size, so a module that computes takes a core from everybody
// else here. The call stack is wazero's and outside of the memory limit: endless
// recursion takes up to 400 MB of this process's heap before it ends. What takes
// long without a loop or a call (a copy of the whole memory) is not interrupted.
// The compilation cache holds machine code, so its folder is made for this user
// alone. A memory is at most 4 GiB, whatever the function's size.
//
// # How a start gets short
//
// An idle module waits in a read and takes no CPU; there is nothing to pause.
//
// Prepare compiles the module ahead of time, into a cache on disk that is keyed
// by content. It also lays the module's data segments out once, as the image of
// a fresh memory, which instances map copy-on-write: a program built by Go has
// thousands of segments, and copying them was most of its instantiation.
//
// Once a version has been started, its next instance is made ahead, up to the
// first instruction of the module: a start that finds one has only to run it. It
// costs what an idle instance does that has touched no memory, until the version
// is gone. Where a module has a start function, which would run then, none is made.
package wasm

import (
	"fmt"
	"time"
)

// Module is the file in the code folder that is run.
const Module = "bootstrap.wasm"

// Options say how modules are run. The zero value needs a folder.
type Options struct {
	// Cache is the folder for compiled modules, made where it is not there.
	// The default is none: each sandbox compiles anew.
	Cache string
	// Grace is how long a graceful Stop waits between the end of stdin and the
	// end of the module. The default is 300 ms, as of the process sandbox.
	Grace time.Duration
	// Region is what functions are told as theirs. The default is us-east-1.
	Region string
}

func (o Options) withDefaults() Options {
	if o.Grace == 0 {
		o.Grace = 300 * time.Millisecond
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	return o
}

// Validate tells every option that cannot be.
func (o Options) Validate() error {
	if o.Grace < 0 {
		return fmt.Errorf("wasm sandbox: Grace is %v, want 0 or more", o.Grace)
	}
	return nil
}
