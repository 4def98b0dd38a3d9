package http

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
	"github.com/coldcurve/coldcurve/platform/secret"
)

// SecretVariable is the environment variable that a preset's credential is
// taken from before the platform's own tools are asked.
const SecretVariable = "COLDCURVE_TOKEN"

// Secret is a credential's value, or why there is none. It prints as where it
// is from.
type Secret struct {
	From    string    // where it was found; "" for nowhere
	Expires time.Time // zero where it does not tell
	Lack    string    // why there is none
	text    string
}

func (s Secret) String() string {
	if s.From == "" {
		return "of nobody"
	}
	if s.Expires.IsZero() {
		return "of " + s.From
	}
	return "of " + s.From + ", until " + s.Expires.UTC().Format(time.DateTime) + " UTC"
}

// GoString keeps %#v from printing it.
func (s Secret) GoString() string { return s.String() }

// toolLimit is how long a platform's own tool may take to print a credential.
const toolLimit = 30 * time.Second

// FindSecret looks for what shows a preset's platform who asks: in the
// environment, and in what the platform's own tool prints. None is no error:
// much is open to everybody. One that has expired is.
func FindSecret(ctx context.Context, p *Preset, env func(string) string) (Secret, error) {
	c := &p.Credential
	if c.What == "" {
		return Secret{}, nil
	}
	s := newSecret(env(SecretVariable), SecretVariable)
	if s.text == "" {
		s = c.ask(ctx)
	}
	if strings.ContainsAny(s.text, " \t\r\n\x00") {
		return Secret{}, c.refuse("what %s holds is no %s: it has spaces or lines", s.From, c.What)
	}
	if s.expired() {
		return Secret{}, c.refuse("the %s of %s expired at %s UTC", c.What, s.From, s.Expires.UTC().Format(time.DateTime))
	}
	return s, nil
}

func (c *Credential) refuse(format string, args ...any) error {
	return &platform.Error{Kind: sample.Refused, Op: "platform http", Err: fmt.Errorf(format, args...), Hint: c.Advice}
}

// ask has the platform's own tool print the credential.
func (c *Credential) ask(ctx context.Context) Secret {
	command := strings.Fields(c.Command)
	if len(command) == 0 {
		return Secret{Lack: SecretVariable + " is not set"}
	}
	limited, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, command[0], command[1:]...)
	cmd.WaitDelay = time.Second // for what it has started and left
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return Secret{Lack: SecretVariable + " is not set, and " + command[0] + " is not on the PATH"}
	case err != nil:
		var secrets secret.Known
		secrets.Add(append(exchange.ProxySecrets(os.Getenv), strings.Fields(string(out))...)...)
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return Secret{Lack: fmt.Sprintf("%s: %v: %s", c.Command, err, secrets.Words(first))}
	}
	return newSecret(strings.TrimSpace(string(out)), c.Command)
}

// newSecret reads when a secret expires, where it is a JSON Web Token (RFC 7519).
func newSecret(text, from string) Secret {
	if text == "" {
		return Secret{Lack: from + " gives none"}
	}
	s := Secret{text: text, From: from}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return s
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil && json.Unmarshal(payload, &claims) == nil && claims.Expires > 0 {
		s.Expires = time.Unix(int64(claims.Expires), 0)
	}
	return s
}

func (s *Secret) expired() bool { return !s.Expires.IsZero() && !time.Now().Before(s.Expires) }

// denied says why a server that answers 401 or 403 may do so, and what to do.
func (p *Platform) denied(header http.Header) (why, hint string) {
	c, s := &p.preset.Credential, &p.options.Secret
	told := p.secrets.Words(description(header))
	if c.What == "" {
		return told, ""
	}
	switch {
	case s.text == "":
		why = fmt.Sprintf("no %s was sent", c.What)
		if s.Lack != "" {
			why += " (" + s.Lack + ")"
		}
	case s.expired():
		why = fmt.Sprintf("the %s of %s expired at %s UTC", c.What, s.From, s.Expires.UTC().Format(time.DateTime))
	default:
		why = fmt.Sprintf("the %s of %s does not open it", c.What, s.From)
	}
	if told != "" {
		why += ", as the server says: " + told
	}
	return why, c.Advice
}

// challenge is what a server may say of a bearer token (RFC 6750, 3).
var challenge = regexp.MustCompile(`error_description="([^"]{1,200})"`)

func description(header http.Header) string {
	if found := challenge.FindStringSubmatch(header.Get("WWW-Authenticate")); found != nil {
		return found[1]
	}
	return ""
}
