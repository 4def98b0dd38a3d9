package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/logging"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/mark"
)

// Options say where functions run, and how.
type Options struct {
	// Endpoint is the URL of a Lambda-compatible API. The default is what AWS's
	// own configuration says (AWS_ENDPOINT_URL_LAMBDA), and else AWS's.
	Endpoint string
	// Region and Profile are as AWS's tools have them. The defaults are those of
	// the environment and the shared configuration; on loopback us-east-1.
	Region, Profile string
	// Role is the ARN of the functions' execution role. On loopback it may be
	// left out.
	Role string
	// Architecture is x86_64 or arm64. The default is this machine's, which Go
	// functions are built for.
	Architecture string
	// SnapStart has instances restored from snapshots of published versions.
	SnapStart bool
	// Provisioned is how many instances of each function are kept ready.
	Provisioned int
	// Existing says that every function is there already: nothing is made, and no
	// role is needed.
	Existing bool
	// Change lets the configuration of functions that were there be changed to
	// make starts cold. It is put back when they are removed.
	Change bool
	// Run is in the name of everything that is made. The default is drawn.
	Run string
	// Answer is how long the API may take to answer what waits for no function;
	// an invocation may take so much longer than its function. The default is 30s.
	Answer time.Duration
	// Settle is how long it may take until what the API has accepted is so. The
	// default is 5m.
	Settle time.Duration
}

const (
	usualAnswer  = 30 * time.Second
	usualSettle  = 5 * time.Minute
	longestDial  = 5 * time.Second  // until there is a connection, and again until it is encrypted
	longestHello = 10 * time.Second // until the first answer of all, and for what is tried after none came
	localRegion  = "us-east-1"
	localRole    = "arn:aws:iam::000000000000:role/coldcurve"
	x86, arm     = "x86_64", "arm64"
	mostAttempts = 4 // at what is not an invocation and was throttled
)

var rolePattern = regexp.MustCompile(`^arn:[a-z0-9-]+:iam::[0-9]{12}:role/.+$`)

// resolve fills in the defaults, or tells every fault.
func (o *Options) resolve() error {
	var faults []error
	fault := func(when bool, format string, args ...any) {
		if when {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	u, err := url.Parse(o.Endpoint)
	fault(err != nil || o.Endpoint != "" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https"),
		"endpoint is not a URL: write http://127.0.0.1:9001")
	fault(o.Architecture != "" && o.Architecture != x86 && o.Architecture != arm, "architecture %q: write %s or %s", o.Architecture, x86, arm)
	fault(o.Role != "" && !rolePattern.MatchString(o.Role), "role %q: write arn:aws:iam::123456789012:role/NAME", o.Role)
	fault(o.Provisioned < 0, "provisioned %d is below 0", o.Provisioned)
	fault(o.Provisioned > 0 && o.SnapStart, "provisioned concurrency and SnapStart do not go together: choose one")
	fault(o.Existing && (o.SnapStart || o.Provisioned > 0), "functions that are there already keep the SnapStart and provisioned concurrency that they have: leave both out")
	if o.Run == "" {
		o.Run = mark.Draw()
	}
	if err := mark.CheckRun(o.Run); err != nil {
		faults = append(faults, err)
	}
	fault(o.Answer < 0 || o.Settle < 0, "a time to wait is below 0")
	if len(faults) > 0 {
		return fmt.Errorf("platform lambda: %w", errors.Join(faults...))
	}
	machine := x86
	if runtime.GOARCH == "arm64" {
		machine = arm
	}
	o.Architecture = cmp.Or(o.Architecture, machine)
	o.Answer, o.Settle = cmp.Or(o.Answer, usualAnswer), cmp.Or(o.Settle, usualSettle)
	return nil
}

// connect finds region, endpoint and credentials, and makes the clients.
func (p *Platform) connect(ctx context.Context) error {
	o := &p.options
	load := []func(*config.LoadOptions) error{
		config.WithRegion(o.Region), config.WithSharedConfigProfile(o.Profile), config.WithBaseEndpoint(o.Endpoint),
		config.WithLogger(logging.Nop{}), // an error says it, too
	}
	if exchange.IsLoopback(o.Endpoint) {
		// A machine without credentials would be asked for those of its own role,
		// over the network, for seconds.
		load = append(load, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	p.secrets.Add(exchange.ProxySecrets(os.Getenv)...)
	if env, err := config.NewEnvConfig(); err == nil { // of which others may be had, which can fail
		p.secrets.Add(env.Credentials.SecretAccessKey, env.Credentials.SessionToken, env.ContainerAuthorizationToken)
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return p.unready(err, "look at ~/.aws/config and the variables AWS_PROFILE and AWS_REGION")
	}
	p.transport(&cfg)
	p.endpoint = value(lambda.NewFromConfig(cfg).Options().BaseEndpoint)
	if err := p.complete(&cfg); err != nil {
		return err
	}
	if err := p.authenticate(ctx, &cfg); err != nil {
		return err
	}
	p.control = lambda.NewFromConfig(cfg, func(l *lambda.Options) {
		l.APIOptions = append(l.APIOptions, hear)
		l.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = mostAttempts
			// Where nobody listens nobody will in a second.
			r.Retryables = []retry.IsErrorRetryable{
				retry.RetryableHTTPStatusCode{Codes: retry.DefaultRetryableHTTPStatusCodes},
				retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
			}
		})
	})
	p.invoker = lambda.NewFromConfig(cfg, func(l *lambda.Options) { l.Retryer = aws.NopRetryer{} })
	return nil
}

// transport makes the connections' own, with the certificates that AWS's
// configuration names.
func (p *Platform) transport(cfg *aws.Config) {
	base, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		base = awshttp.NewBuildableClient()
	}
	t := base.WithDialerOptions(func(d *net.Dialer) { d.Timeout = longestDial }).GetTransport()
	t.DisableCompression, t.TLSHandshakeTimeout = true, longestDial
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 1<<16 // as many as can be in flight
	cfg.HTTPClient = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p.close = t.CloseIdleConnections
}

// complete sees to it that there is a region and a role, and that nothing
// crosses a network readable.
func (p *Platform) complete(cfg *aws.Config) error {
	o := &p.options
	local := p.Loopback()
	if local {
		cfg.Region, o.Role = cmp.Or(cfg.Region, localRegion), cmp.Or(o.Role, localRole)
	}
	o.Region = cfg.Region
	switch {
	case o.Region == "":
		return p.unready(errors.New("no region"), "add --region, or set AWS_REGION")
	case o.Role == "" && !o.Existing:
		return p.unready(errors.New("no execution role for the functions"),
			"add --role arn:aws:iam::ACCOUNT:role/NAME; one without permissions is enough for functions that call nobody")
	case !local && strings.HasPrefix(p.endpoint, "http://"):
		return p.unready(fmt.Errorf("%s is not this machine, and code and tokens would cross the network readable", p.Where()),
			"write https://, or reach it through a tunnel at 127.0.0.1")
	}
	return nil
}

// unready is the error of a platform that cannot be used.
func (p *Platform) unready(err error, hint string) error {
	return &platform.Error{Kind: sample.Refused, Op: "platform lambda", Err: p.shorten(err), Hint: hint}
}
