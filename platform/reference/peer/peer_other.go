//go:build !linux

package peer

import (
	"errors"
	"net"
)

func owner(net.Conn) (uint32, error) { return 0, errors.ErrUnsupported }

func probe() error { return errors.ErrUnsupported }
