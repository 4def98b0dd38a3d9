// Command looker is what the tests of the container sandbox look around with:
// a function on AWS's own client that reads and writes files as it is told.
package main

import (
	"net"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(order struct{ Read, Write, Size, Dial string }) (string, error) {
		switch {
		case order.Read != "":
			text, err := os.ReadFile(order.Read)
			return string(text), err
		case order.Dial != "":
			c, err := net.Dial("tcp", order.Dial)
			if err != nil {
				return "", err
			}
			defer c.Close()
			if _, err := c.Write([]byte("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				return "", err
			}
			b := make([]byte, 1)
			_, err = c.Read(b)
			return string(b), err
		default:
			return "", os.WriteFile(order.Write, []byte(strings.Repeat("x", len(order.Size)*(1<<20))), 0o600)
		}
	})
}
