package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// authenticate sees to it that there are credentials. This machine's own
// servers need none.
func (p *Platform) authenticate(ctx context.Context, cfg *aws.Config) error {
	limited, cancel := context.WithTimeout(ctx, p.options.Answer)
	defer cancel()
	found := p.remembered(cfg.Credentials)
	_, err := found.Retrieve(limited)
	switch {
	case err == nil:
		cfg.Credentials = found
		return nil
	case p.Loopback():
		cfg.Credentials = aws.AnonymousCredentials{}
		return nil
	}
	return p.unready(err, hintCredentials)
}

// remembered are credentials whose every change is known for what is secret, and
// whose every failure is told without it: they expire in the middle of a run, too.
func (p *Platform) remembered(from aws.CredentialsProvider) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c, err := from.Retrieve(ctx)
		p.secrets.Add(c.SecretAccessKey, c.SessionToken)
		if err != nil {
			err = p.unsigned(err)
		}
		return c, err
	})
}

// unsigned is the error of a request that nobody could sign.
type unsigned struct {
	text string
	err  error
}

func (u *unsigned) Error() string { return "no AWS credentials: " + u.text }
func (u *unsigned) Unwrap() error { return u.err }

// processQuoted is how the SDK begins to quote all that a credential_process has
// printed, where that cannot be read: new secrets, which nobody knows for such.
const processQuoted = "parse failed of process output: "

// unsigned says why there are no credentials.
func (p *Platform) unsigned(err error) error {
	p.secrets.Add(fileToken())
	if !strings.Contains(err.Error(), processQuoted) {
		return &unsigned{p.wordsOf(err), err}
	}
	text := "what credential_process printed is not the JSON document that AWS wants"
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		text += ": " + syntax.Error() // which quotes no more than a character
	}
	return &unsigned{text, err}
}

// fileToken is what is sent to the server that hands credentials out where it
// stands in a file, which somebody renews; "" for none.
func fileToken() string {
	name := os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	if name == "" {
		return ""
	}
	token, err := os.ReadFile(name)
	if err != nil {
		return "" // then none was sent
	}
	return strings.TrimSpace(string(token))
}
