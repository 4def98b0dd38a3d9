package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/coldcurve/coldcurve/platform/mark"
)

// Leftovers are the functions of all runs, by Lambda's list of functions.
func (p *Platform) Leftovers(ctx context.Context) ([]mark.Leftover, error) {
	var list []mark.Leftover
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
			name := value(f.FunctionName)
			if m, ours := mark.Read(name, value(f.Description)); ours {
				list = append(list, m.Leftover(name, p.mark))
			}
		}
		if next = page.NextMarker; value(next) == "" {
			return list, nil
		}
	}
}

// Take removes a leftover.
func (p *Platform) Take(ctx context.Context, l mark.Leftover) error {
	return p.delete(ctx, "remove "+l.Title(), l.Name)
}
