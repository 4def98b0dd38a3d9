package lambda

import (
	"context"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// evictable is a deployment whose next start can be made cold.
type evictable struct{ *deployment }

// evictionVariable is changed to make starts cold. It is the one variable that
// a function has which its user has not given it, and only then. Its value says
// how many evictions there were, so that each is a change, and of which run, so
// that it is known for a leftover where that was killed.
const evictionVariable = "COLDCURVE_EVICTION"

const hintNoEviction = "this endpoint does not start functions anew when their configuration changes: leave evict out, and let gaps exceed its keep-alive"

// Evict changes the function's configuration and returns when the change is
// live: instances of the one before serve no more requests. What the platform
// then does shows in the evidence of the next answer.
func (e *evictable) Evict(ctx context.Context) error {
	d := e.deployment
	op := "evict " + d.function.Name
	d.changing.Lock()
	defer d.changing.Unlock()
	count := fmt.Sprintf("%d by %s", d.count+1, d.p.mark.Text())
	variables := map[string]string{}
	maps.Copy(variables, d.function.Env)
	variables[evictionVariable] = count
	d.changed = true // or may be, if the answer is lost
	if err := d.setVariables(ctx, op, variables); err != nil {
		return err
	}
	now, err := d.settled(ctx, op, nil)
	if err != nil {
		return err
	}
	changed := now.Environment != nil && now.Environment.Variables[evictionVariable] == count
	if revision := value(now.RevisionId); revision == d.revision || !changed {
		return &platform.Error{Kind: sample.Refused, Op: op, Hint: hintNoEviction,
			Err: fmt.Errorf("%s has accepted a change of the function's configuration and shows none (revision %s)", d.p.Where(), d.p.secrets.Words(revision))}
	}
	d.revision, d.count = value(now.RevisionId), d.count+1
	if d.version.Load() != nil {
		if err := d.publish(ctx, op); err != nil {
			return err
		}
	}
	d.p.evictions.Add(1)
	d.cold.Store(true)
	return nil
}

// setVariables changes the function's environment, once it lets itself be changed.
func (d *deployment) setVariables(ctx context.Context, op string, variables map[string]string) error {
	return d.p.until(ctx, op, "is still being changed", func(ctx context.Context) (bool, error) {
		_, err := d.p.control.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &d.name, Environment: &types.Environment{Variables: variables},
		})
		if isConflict(err) {
			return false, nil
		}
		return true, err
	})
}
