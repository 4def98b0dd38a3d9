package lambda

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// localAccount is that of what plays Lambda on a machine (coldcurve serve,
// LocalStack); AWS has given it to nobody.
const localAccount = "000000000000"

// Beyond names what somebody may have to pay for: the endpoint, and where it may
// lead. It is "" for an endpoint on this machine, unless that may be a way to AWS.
func (p *Platform) Beyond(ctx context.Context, existing []string) string {
	if !p.Loopback() {
		return p.Where()
	}
	account, err := p.accountBehind(ctx, existing)
	switch {
	case account != "":
		return p.Where() + ", which may lead to account " + account + " of AWS's"
	case err != nil:
		return p.Where() + ", which may lead to AWS: whose account it is cannot be read (" + err.Error() + ")"
	}
	return ""
}

// accountBehind is the account of AWS's that an endpoint on this machine is a way
// to, as a tunnel or a proxy is: the one of the role, or of a function that is
// there; "" where none is named. The error is of a function that does not tell.
func (p *Platform) accountBehind(ctx context.Context, existing []string) (string, error) {
	arns := []string{p.options.Role}
	var unread error
	for _, name := range existing {
		if !strings.HasPrefix(name, "arn:") {
			arn, err := p.arnOf(ctx, name)
			if err != nil {
				unread = err
			}
			name = arn
		}
		arns = append(arns, name)
	}
	for _, arn := range arns {
		const account = 4 // arn:partition:service:region:account:resource
		if parts := strings.Split(arn, ":"); len(parts) > account && parts[account] != "" && parts[account] != localAccount {
			return parts[account], nil
		}
	}
	return "", unread
}

// arnOf is a function's ARN; "" where what answers is not Lambda, which has one.
func (p *Platform) arnOf(ctx context.Context, name string) (arn string, err error) {
	err = p.askWithin(ctx, min(longestHello, p.options.Answer), "look up "+name, func(ctx context.Context) error {
		now, err := p.control.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err == nil {
			arn = value(now.FunctionArn)
		}
		return err
	})
	if isForeign(err) {
		return "", nil
	}
	return arn, err
}
