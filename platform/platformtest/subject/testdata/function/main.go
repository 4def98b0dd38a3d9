// Command function is the subject as a function in Go.
package main

import (
	"os"

	"github.com/coldcurve/coldcurve/fixtures/clients/lambdago"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

func main() {
	if os.Getenv(subject.BrokenInit) != "" {
		os.Exit(3)
	}
	var s subject.Subject
	lambdago.Start(s.Handle)
}
