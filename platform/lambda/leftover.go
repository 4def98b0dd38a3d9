package lambda

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Leftover is a function that a run has made and not removed.
type Leftover struct {
	Name  string // on Lambda
	Run   string
	Host  string // where the run was
	Since time.Time
	// Mine says that the run was on this machine. Alive says that its process
	// is, so that it may still need the function.
	Mine, Alive bool
}

// Leftovers are the functions of all runs, by Lambda's list of functions.
func (p *Platform) Leftovers(ctx context.Context) ([]Leftover, error) {
	var list []Leftover
	var next *string
	for {
		var page *lambda.ListFunctionsOutput
		err := p.ask(ctx, "list functions", func(ctx context.Context) (err error) {
			page, err = p.control.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: next})
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := range page.Functions {
			f := &page.Functions[i]
			if m, ours := readMark(value(f.FunctionName), value(f.Description)); ours {
				list = append(list, p.leftover(value(f.FunctionName), m))
			}
		}
		if next = page.NextMarker; value(next) == "" {
			return list, nil
		}
	}
}

func (p *Platform) leftover(name string, m mark) Leftover {
	l := Leftover{Name: name, Run: m.run, Host: m.host, Since: m.since, Mine: m.host == p.mark.host}
	l.Alive = l.Mine && isRunning(m.process)
	return l
}

// Take removes a leftover.
func (p *Platform) Take(ctx context.Context, l Leftover) error {
	return p.delete(ctx, "remove "+strings.TrimPrefix(l.Name, namePrefix), l.Name)
}

// isRunning says whether there is a process of that number. Where that cannot
// be told, there is.
func isRunning(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer process.Release()
	return signalled(process)
}
