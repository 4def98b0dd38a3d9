package lambda

import (
	"context"
	"errors"
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
	d.count++
	count := fmt.Sprintf("%d by %s", d.count, d.p.mark.Text())
	d.changed = true // or may be, if an answer is lost
	err := d.change(ctx, op, func(variables map[string]string) { variables[evictionVariable] = count })
	if failed, ok := errors.AsType[*platform.Error](err); ok && errors.Is(err, errUnmade) {
		failed.Hint = hintNoEviction
	}
	if err != nil {
		return err
	}
	if d.version.Load() != nil {
		if err := d.publish(ctx, op); err != nil {
			return err
		}
	}
	d.p.evictions.Add(1)
	d.cold.Store(true)
	return nil
}

// errUnmade is of an endpoint that says that it has made a change, and has not.
var errUnmade = errors.New("has accepted a change of the function's configuration and shows none")

// mostChanges is how often somebody else may change a function between our look
// and our change of it, one time after the other.
const mostChanges = 10

// change makes the function's variables what edit makes of those that it has
// then, and returns when that is live. The revision that was looked at goes with
// the change, so that what somebody else changes in between is not undone, but
// looked at in its turn. An edit of what it has made already changes nothing.
func (d *deployment) change(ctx context.Context, op string, edit func(variables map[string]string)) error {
	made, revision := false, "" // of the last change, by its answer
	for range mostChanges {
		now, err := d.settled(ctx, op, nil)
		if err != nil {
			return err
		}
		variables, err := d.p.variablesOf(op, now)
		if err != nil {
			return err
		}
		edited := make(map[string]string)
		maps.Copy(edited, variables)
		edit(edited)
		if maps.Equal(edited, variables) {
			return nil
		}
		if made && value(now.RevisionId) == revision {
			return &platform.Error{Kind: sample.Refused, Op: op, Err: fmt.Errorf("%s %w (revision %s)", d.p.Where(), errUnmade, d.p.secrets.Words(revision))}
		}
		revision = value(now.RevisionId)
		if made, err = d.setVariables(ctx, op, now.RevisionId, edited); err != nil {
			return err
		}
	}
	return &platform.Error{Kind: sample.Refused, Op: op, Err: fmt.Errorf("somebody else changes %s all the time: %d changes in turn did not last", d.name, mostChanges)}
}

// setVariables changes the environment that a revision of the function has, once
// that lets itself be changed; made is false where there is another by then.
func (d *deployment) setVariables(ctx context.Context, op string, revision *string, variables map[string]string) (made bool, err error) {
	err = d.p.until(ctx, op, "is still being changed", func(ctx context.Context) (bool, error) {
		_, err := d.p.control.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &d.name, Environment: &types.Environment{Variables: variables}, RevisionId: revision,
		})
		made = err == nil
		switch {
		case isConflict(err):
			return false, nil
		case isStale(err):
			return true, nil
		}
		return true, err
	})
	return made, err
}
