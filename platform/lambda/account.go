package lambda

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// localAccount is that of what plays Lambda on a machine (coldcurve serve,
// LocalStack); AWS has given it to nobody.
const localAccount = "000000000000"

// AccountBehind is the account of AWS's that an endpoint on this machine is a way
// to, as a tunnel or a proxy is: the one of the role, or of a function that is
// there. It is "" where none is named, and for endpoints elsewhere.
func (p *Platform) AccountBehind(ctx context.Context, existing []string) string {
	if !p.Loopback() {
		return ""
	}
	arns := []string{p.options.Role}
	for _, name := range existing {
		if !strings.HasPrefix(name, "arn:") {
			name = p.arnOf(ctx, name)
		}
		arns = append(arns, name)
	}
	for _, arn := range arns {
		const account = 4 // arn:partition:service:region:account:resource
		if parts := strings.Split(arn, ":"); len(parts) > account && parts[account] != "" && parts[account] != localAccount {
			return parts[account]
		}
	}
	return ""
}

// arnOf is a function's ARN; "" where that cannot be had: Lambda itself would tell.
func (p *Platform) arnOf(ctx context.Context, name string) (arn string) {
	_ = p.askWithin(ctx, min(longestHello, p.options.Answer), "look up "+name, func(ctx context.Context) error {
		now, err := p.control.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err == nil {
			arn = value(now.FunctionArn)
		}
		return err
	})
	return arn
}
