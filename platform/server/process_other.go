//go:build !linux

package server

import (
	"errors"
	"os/exec"
	"runtime"

	"github.com/coldcurve/coldcurve/platform"
)

func processors() int { return runtime.NumCPU() }

func startTied(*exec.Cmd, int) error { return errors.New("needs Linux, this is " + runtime.GOOS) }

func (s *server) read() (platform.Reading, bool) { return platform.Reading{}, false }
