// Command bootstrap is a team's function in Go, as AWS documents one.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	Name string `json:"name"`
	Fail bool   `json:"fail"`
}

type answer struct {
	Says     string `json:"says"`
	Greeting string `json:"greeting"`
	Name     string `json:"name"`
	Memory   string `json:"memory"`
}

func handle(says string) func(context.Context, event) (answer, error) {
	return func(_ context.Context, e event) (answer, error) {
		fmt.Println("serving", e.Name)
		if e.Fail {
			return answer{}, errors.New("as it was asked to")
		}
		return answer{says, os.Getenv("GREETING"), e.Name, os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")}, nil
	}
}

func main() {
	says, err := os.ReadFile("says.txt")
	if err != nil {
		panic(err)
	}
	lambda.Start(handle(strings.TrimSpace(string(says))))
}
