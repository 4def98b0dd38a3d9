package lambda

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/coldcurve/coldcurve/platform/mark"
)

// Leftovers are the functions of all runs, and the variables that runs have put
// on functions that were there, by Lambda's list of functions.
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
			} else if m, changed := evictedBy(f.Environment); changed {
				l := m.Leftover("variable "+evictionVariable+" of "+name, p.mark)
				l.On = name
				list = append(list, l)
			}
		}
		if next = page.NextMarker; value(next) == "" {
			return list, nil
		}
	}
}

// evictedBy is the run that has put its variable among those of a function.
func evictedBy(e *types.EnvironmentResponse) (mark.Mark, bool) {
	if e == nil {
		return mark.Mark{}, false
	}
	_, whose, _ := strings.Cut(e.Variables[evictionVariable], " by ")
	return mark.Parse(whose)
}

// Take removes a leftover.
func (p *Platform) Take(ctx context.Context, l mark.Leftover) error {
	if l.On != "" {
		return (&deployment{p: p, name: l.On}).putBack(ctx)
	}
	return p.delete(ctx, "remove "+l.Title(), l.Name)
}
