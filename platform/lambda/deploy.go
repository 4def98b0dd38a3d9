package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/bundle"
	"github.com/coldcurve/coldcurve/platform/mark"
)

// deployment is one function. It is a platform.Evicter too, unless its
// instances are kept ready: see evictable.
type deployment struct {
	p        *Platform
	function platform.Function
	name     string                 // on Lambda
	op       string                 // "invoke hello"
	version  atomic.Pointer[string] // that is invoked; nil is $LATEST
	cold     atomic.Bool            // the next request is the first after an eviction

	made    bool // there is a function to be removed
	changed bool // there is a configuration to be put back

	changing sync.Mutex // of what follows, and of the configuration
	count    int        // evictions that were tried
}

// runtimes are Lambda's names of ours, as of 2026-11-22
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html).
func runtimes() map[platform.Runtime]types.Runtime {
	return map[platform.Runtime]types.Runtime{
		platform.Go: types.RuntimeProvidedal2023, platform.NodeJS: types.RuntimeNodejs22x, platform.Python: types.RuntimePython312,
	}
}

// Deploy creates the function, with a version and instances kept ready where
// the options want them, and returns when it can be invoked. One that is there
// already it takes as it is.
func (p *Platform) Deploy(ctx context.Context, f platform.Function) (platform.Deployment, error) {
	switch {
	case f.Existing != "":
		return p.adopt(ctx, f)
	case p.options.Existing:
		return nil, &platform.Error{Kind: sample.Refused, Op: "deploy " + f.Name, Err: errors.New("nobody says what it is called, and nothing is to be made")}
	}
	d := &deployment{p: p, function: f, name: p.mark.Name(f.Name, LambdaLimits().Name), op: "invoke " + f.Name}
	in, err := p.creation(f, d.name)
	if err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: "deploy " + f.Name, Err: err}
	}
	if err := d.greet(ctx); err != nil {
		return nil, err
	}
	if err := d.create(ctx, in); err != nil {
		return nil, d.undo(ctx, err)
	}
	if err := d.complete(ctx); err != nil {
		return nil, d.undo(ctx, err)
	}
	if p.options.Provisioned > 0 {
		return d, nil
	}
	return &evictable{d}, nil
}

// undo takes away what may have been made of a function that failed to become
// one, and says so where it could not.
func (d *deployment) undo(ctx context.Context, err error) error {
	failed, ok := errors.AsType[*platform.Error](err)
	if !ok || !d.made && answered(failed) {
		return err // nothing was made
	}
	limit := d.p.options.Settle
	if failed.Kind == sample.Timeout {
		limit = longestHello // who did not answer may not answer this
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if d.p.delete(limited, "remove "+d.function.Name, d.name) != nil {
		if failed.Hint != "" {
			failed.Hint += "; "
		}
		failed.Hint += "what may have been made is removed by `coldcurve cleanup`"
	}
	return err
}

// answered says whether the API has said no, or was never reached.
func answered(failed *platform.Error) bool {
	return said(failed) || isDial(failed.Err) || isStranger(failed.Err)
}

// said says whether the API itself has answered.
func said(failed *platform.Error) bool {
	_, is := errors.AsType[smithy.APIError](failed.Err)
	return is
}

// creation is the request that makes a function.
func (p *Platform) creation(f platform.Function, name string) (*lambda.CreateFunctionInput, error) {
	in := &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &p.options.Role, Description: aws.String(p.mark.Text()), Tags: tags(p.mark),
		Architectures: []types.Architecture{types.Architecture(p.options.Architecture)},
	}
	if err := size(in, f); err != nil {
		return nil, err
	}
	if len(f.Env) > 0 {
		in.Environment = &types.Environment{Variables: f.Env}
	}
	if p.options.SnapStart {
		in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	}
	if f.Runtime == platform.Image {
		in.PackageType, in.Code = types.PackageTypeImage, &types.FunctionCode{ImageUri: &f.Image}
		return in, nil
	}
	runtime, known := runtimes()[f.Runtime]
	if !known {
		return nil, fmt.Errorf("runtime %q is none of Lambda's", f.Runtime)
	}
	code, err := bundle.Zip(f.Code, "", nil)
	if err != nil {
		return nil, err
	}
	in.Runtime, in.Handler, in.Code = runtime, aws.String(f.Handler), &types.FunctionCode{ZipFile: code}
	if f.Handler == "" {
		in.Handler = aws.String("bootstrap") // which Lambda wants and does not read
	}
	return in, nil
}

// tags are a mark as an account's own tools sort by it.
func tags(m mark.Mark) map[string]string {
	return map[string]string{
		"coldcurve:run": m.Run, "coldcurve:host": m.Host, "coldcurve:process": m.Process,
		"coldcurve:since": m.Since.Format(time.RFC3339),
	}
}

// size are the limits that a function asks for, in Lambda's units.
func size(in *lambda.CreateFunctionInput, f platform.Function) error {
	var faults []error
	if f.Memory%units.MB != 0 || f.Storage%units.MB != 0 {
		faults = append(faults, errors.New("memory and storage of Lambda are whole MB"))
	}
	if f.Timeout%time.Second != 0 {
		faults = append(faults, fmt.Errorf("timeout %v: Lambda's are whole seconds", f.Timeout))
	}
	if f.Memory > 0 {
		in.MemorySize = aws.Int32(int32(f.Memory / units.MB))
	}
	if f.Timeout > 0 {
		in.Timeout = aws.Int32(int32(f.Timeout / time.Second))
	}
	if f.Storage > 0 {
		in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(int32(f.Storage / units.MB))}
	}
	return errors.Join(faults...)
}

// greet asks for a function that is not there, once: any answer will do. Before
// something is made, and however long that takes, somebody has to be there.
func (d *deployment) greet(ctx context.Context) error {
	p := d.p
	if p.heard.Load() {
		return nil
	}
	err := p.askWithin(ctx, min(longestHello, p.options.Answer), "deploy "+d.function.Name, func(ctx context.Context) error {
		_, err := p.control.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &d.name})
		return err
	})
	if failed, ok := errors.AsType[*platform.Error](err); ok && !said(failed) {
		return err
	}
	p.heard.Store(true)
	return nil
}

// create makes the function. That it is there already is the answer to an
// attempt whose first answer was lost: nobody else uses its name.
func (d *deployment) create(ctx context.Context, in *lambda.CreateFunctionInput) error {
	err := d.p.ask(ctx, "deploy "+d.function.Name, func(ctx context.Context) error {
		_, err := d.p.control.CreateFunction(ctx, in)
		return err
	})
	if isConflict(err) {
		err = nil
	}
	d.made = err == nil
	return err
}

// complete waits for what was created, and adds what is asked for beside it.
func (d *deployment) complete(ctx context.Context) error {
	op := "deploy " + d.function.Name
	if _, err := d.settled(ctx, op, nil); err != nil {
		return err
	}
	if n := d.function.Reserved; n > 0 {
		if err := d.p.ask(ctx, op, func(ctx context.Context) error {
			_, err := d.p.control.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &d.name, ReservedConcurrentExecutions: aws.Int32(int32(n))})
			return err
		}); err != nil {
			return err
		}
	}
	if !d.p.options.SnapStart && d.p.options.Provisioned == 0 {
		return nil
	}
	if err := d.publish(ctx, op); err != nil {
		return err
	}
	return d.provision(ctx, op)
}

// publish makes a version of what there is, and has it invoked from then on.
func (d *deployment) publish(ctx context.Context, op string) error {
	var made *lambda.PublishVersionOutput
	err := d.p.ask(ctx, op, func(ctx context.Context) (err error) {
		made, err = d.p.control.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &d.name})
		return err
	})
	if err != nil {
		return err
	}
	if _, err := d.settled(ctx, op, made.Version); err != nil {
		return err
	}
	before := d.version.Swap(made.Version)
	if before == nil {
		return nil
	}
	return d.p.ask(ctx, op, func(ctx context.Context) error {
		_, err := d.p.control.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &d.name, Qualifier: before})
		return err
	})
}

// provision has instances of the version kept ready, and waits until they are.
func (d *deployment) provision(ctx context.Context, op string) error {
	n := d.p.options.Provisioned
	if n == 0 {
		return nil
	}
	version := d.version.Load()
	err := d.p.ask(ctx, op, func(ctx context.Context) error {
		_, err := d.p.control.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
			FunctionName: &d.name, Qualifier: version, ProvisionedConcurrentExecutions: aws.Int32(int32(n)),
		})
		return err
	})
	if err != nil {
		return err
	}
	return d.p.until(ctx, op, "are not ready", func(ctx context.Context) (bool, error) {
		now, err := d.p.control.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &d.name, Qualifier: version})
		if err != nil {
			return false, err
		}
		if now.Status == types.ProvisionedConcurrencyStatusEnumFailed {
			return false, &refusal{"provisioned concurrency: " + value(now.StatusReason)}
		}
		return now.Status == types.ProvisionedConcurrencyStatusEnumReady, nil
	})
}

// Remove deletes the function with its versions. It waits for a change that is
// under way, and works after ctx has ended. One that was there stays, with the
// configuration that it had.
func (d *deployment) Remove(ctx context.Context) error {
	lasting, cancel := platform.Outlive(ctx)
	defer cancel()
	if d.function.Existing != "" {
		return d.restore(lasting)
	}
	return d.p.delete(lasting, "remove "+d.function.Name, d.name)
}

func (p *Platform) delete(ctx context.Context, op, name string) error {
	return p.until(ctx, op, "is still being changed", func(ctx context.Context) (bool, error) {
		_, err := p.control.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name})
		if isConflict(err) {
			return false, nil
		}
		if isGone(err) {
			err = nil
		}
		return true, err
	})
}

// ask makes one request to the API, bounded in time.
func (p *Platform) ask(ctx context.Context, op string, request func(context.Context) error) error {
	return p.askWithin(ctx, p.options.Answer, op, request)
}

func (p *Platform) askWithin(ctx context.Context, limit time.Duration, op string, request func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w := patience{caller: ctx, limit: limit}
	err := request(httptrace.WithClientTrace(context.WithValue(limited, patienceKey{}, &w), &httptrace.ClientTrace{GotFirstResponseByte: func() { w.begun.Store(true) }}))
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*refusal](err); ok {
		return &platform.Error{Kind: sample.Refused, Op: op, Err: &refusal{p.secrets.Words(own.text)}}
	}
	return p.failure(&w, op, err)
}

// refusal is something that the API says in an answer that is no error.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// until asks again until what was accepted is so.
func (p *Platform) until(ctx context.Context, op, otherwise string, so func(context.Context) (bool, error)) error {
	patient, cancel := context.WithTimeout(ctx, p.options.Settle)
	defer cancel()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		done := false
		err := p.ask(ctx, op, func(ctx context.Context) (err error) {
			done, err = so(ctx)
			return err
		})
		if err != nil || done {
			return err
		}
		select {
		case <-time.After(wait):
		case <-patient.Done():
			if ctx.Err() != nil {
				return p.failure(&patience{caller: ctx, limit: p.options.Settle}, op, ctx.Err())
			}
			return &platform.Error{Kind: sample.Timeout, Op: op, Err: fmt.Errorf("it %s after %v", otherwise, p.options.Settle)}
		}
	}
}

// settled waits until nothing is under way with the function or a version of
// it, and gives what it is then.
func (d *deployment) settled(ctx context.Context, op string, version *string) (now *lambda.GetFunctionConfigurationOutput, err error) {
	err = d.p.until(ctx, op, "is not ready", func(ctx context.Context) (bool, error) {
		now, err = d.p.control.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &d.name, Qualifier: version})
		switch {
		case err != nil:
			return false, err
		case now.State == types.StateFailed:
			return false, &refusal{"the function failed: " + value(now.StateReason)}
		case now.LastUpdateStatus == types.LastUpdateStatusFailed:
			return false, &refusal{"the change failed: " + value(now.LastUpdateStatusReason)}
		}
		return now.State != types.StatePending && now.LastUpdateStatus != types.LastUpdateStatusInProgress, nil
	})
	return now, err
}
