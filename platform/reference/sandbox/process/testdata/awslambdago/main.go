// Command awslambdago is a function on AWS's own library, as its users write it.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Name string `json:"name"`
}

type receipt struct {
	Greeting  string `json:"greeting"`
	RequestID string `json:"request_id"`
	ARN       string `json:"arn"`
	Deadline  int64  `json:"deadline_ms"`
	Function  string `json:"function"`
	MemoryMB  int    `json:"memory_mb"`
}

func handle(ctx context.Context, o order) (receipt, error) {
	fmt.Println("serving", o.Name)
	if o.Name == "" {
		return receipt{}, errors.New("nobody to greet")
	}
	if o.Name == "panic" {
		panic("no such name")
	}
	if o.Name == "hang" {
		select {}
	}
	if o.Name == "three" {
		if err := meet(ctx, 3); err != nil {
			return receipt{}, err
		}
	}
	about, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return receipt{"hello " + o.Name, about.AwsRequestID, about.InvokedFunctionArn, deadline.UnixMilli(),
		lambdacontext.FunctionName, lambdacontext.MemoryLimitInMB}, nil
}

var inside atomic.Int64

// meet returns when so many requests are inside at once.
func meet(ctx context.Context, n int64) error {
	inside.Add(1)
	for inside.Load() < n {
		select {
		case <-ctx.Done():
			return errors.New("nobody else came")
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func main() { lambda.Start(handle) }
