package lambda

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// qualified matches names and ARNs that end in a version or an alias.
var qualified = regexp.MustCompile(`^([^:]+|arn:.*:function:[^:]+):[^:]+$`)

const hintUnchangeable = "where a function's configuration cannot be read it cannot be changed: leave --change-existing out, and let gaps exceed the keep-alive"

// adopt takes a function that is there. It asks for nothing, unless the function
// is to be changed: not everything that answers invocations answers more.
func (p *Platform) adopt(ctx context.Context, f platform.Function) (platform.Deployment, error) {
	d := &deployment{p: p, function: f, name: f.Existing, op: "invoke " + f.Name}
	p.memory.tell(f.Name, 0)
	if !p.options.Change {
		return d, nil
	}
	op := "prepare " + f.Name
	if qualified.MatchString(f.Existing) {
		return nil, &platform.Error{Kind: sample.Refused, Op: op, Err: fmt.Errorf("%s is a version or an alias, whose configuration nobody can change", f.Existing),
			Hint: "name the function without it, or leave its starts as they are"}
	}
	now, err := d.settled(ctx, op, nil)
	if err != nil {
		if failed, ok := errors.AsType[*platform.Error](err); ok && failed.Hint == "" {
			failed.Hint = hintUnchangeable
		}
		return nil, err
	}
	if _, err := d.p.variablesOf(op, now); err != nil {
		return nil, err
	}
	return &evictable{d}, nil
}

// restore puts a function's configuration back where it was changed.
func (d *deployment) restore(ctx context.Context) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	if !d.changed {
		return nil
	}
	if err := d.putBack(ctx); err != nil {
		return err
	}
	d.changed = false
	return nil
}

// putBack takes the variable of evictions off the function. What somebody else
// has changed meanwhile stays as it is.
func (d *deployment) putBack(ctx context.Context) error {
	return d.change(ctx, "put back the variables of "+d.name, func(variables map[string]string) { delete(variables, evictionVariable) })
}

// variablesOf are a function's variables.
func (p *Platform) variablesOf(op string, now *lambda.GetFunctionConfigurationOutput) (map[string]string, error) {
	e := now.Environment
	if e == nil {
		return nil, nil
	}
	if e.Error != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: op, Err: fmt.Errorf("its variables cannot be read, to be put back: %s", p.secrets.Words(value(e.Error.Message)))}
	}
	return e.Variables, nil
}

// Size is what a function may take, as it is configured.
type Size struct {
	Memory, Storage units.Bytes
	Timeout         time.Duration
	// Denied is why this is the most that a function may have, and not what this
	// one has; nil where it is.
	Denied error
}

// Size looks up a function that is there. Where only its configuration may not be
// read, it is taken to have all that Lambda gives.
func (p *Platform) Size(ctx context.Context, name string) (Size, error) {
	var now *lambda.GetFunctionConfigurationOutput
	err := p.ask(ctx, "look up "+name, func(ctx context.Context) (err error) {
		now, err = p.control.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		return err
	})
	if isDenied(err) {
		most := LambdaLimits()
		return Size{Memory: most.Memory, Storage: most.Storage, Timeout: most.Timeout, Denied: err}, nil
	}
	if err != nil {
		return Size{}, err
	}
	s := Size{Memory: units.Bytes(value(now.MemorySize)) * units.MB, Timeout: time.Duration(value(now.Timeout)) * time.Second}
	if now.EphemeralStorage != nil {
		s.Storage = units.Bytes(value(now.EphemeralStorage.Size)) * units.MB
	}
	return s, nil
}

// sizes are how much memory functions that are there have, as their reports tell
// it; 0 where none has. The zero value is ready for use, and safe for concurrent use.
type sizes struct {
	mu sync.Mutex
	of map[string]units.Bytes // by function of the scenario
}

func (s *sizes) tell(function string, memory units.Bytes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[string]units.Bytes)
	}
	s.of[function] = max(s.of[function], memory)
}

// into adds them to what is told of the platform.
func (s *sizes) into(facts map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for function, memory := range s.of {
		facts[platform.MemoryFact(function)] = ""
		if memory > 0 {
			facts[platform.MemoryFact(function)] = fmt.Sprintf("%d MB", memory/units.MB)
		}
	}
}
