// Package sigv4 owns the question who has signed an HTTP request, by AWS
// Signature Version 4.
//
// In: a keys file, requests, and their whole bodies. Out: whose key signed a
// request, or an [Error] in AWS's words. It signs nothing, reads no body, and
// knows no service's operations.
//
// A request is signed in its Authorization header or, presigned, in its query.
// What is held against the signature:
//
//   - The method, the path and the query, the headers in SignedHeaders, and the
//     body's SHA-256. The host must be among the headers, and so must every
//     header that [Options] names by prefix: what is heeded is signed.
//   - X-Amz-Date, within [Options].Skew of this machine's clock, before and
//     after. Date in its place is not read. A presigned request is good until its
//     X-Amz-Expires, at most a week.
//   - The scope's service. Its region may be any: this is none of AWS's.
//
// UNSIGNED-PAYLOAD and the STREAMING forms of X-Amz-Content-Sha256 are refused:
// a body that nobody vouches for would be a function's code. So are session
// tokens, which nobody here has issued, and the asymmetric AWS4-ECDSA-P256-SHA256.
//
// Signatures are compared in constant time. Access keys are no secrets: what is
// said of one that is not known differs, as it does at AWS. A
// signed request that is overheard can be sent again while its date is good;
// TLS is what keeps it from being overheard.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Options are how a Checker is made.
type Options struct {
	// Keys are whose signatures are good. They are required.
	Keys *Keys
	// Service is the one in the credentials' scope, such as lambda. It is required.
	Service string
	// MustSign are the lower-case prefixes of headers that have to be signed if
	// they are there. The default is x-amz-.
	MustSign []string
	// Skew is how far a request's date may be from Now. The default is 15m, as
	// AWS has it.
	Skew time.Duration
	// Now is the clock. The default is [time.Now].
	Now func() time.Time
}

const defaultSkew = 15 * time.Minute

// Validate tells all faults at once.
func (o Options) Validate() error {
	var errs []error
	if o.Keys == nil {
		errs = append(errs, errors.New("sigv4: no keys"))
	}
	if o.Service == "" {
		errs = append(errs, errors.New("sigv4: no service"))
	}
	if o.Skew < 0 {
		errs = append(errs, fmt.Errorf("sigv4: skew %s, at least 0", o.Skew))
	}
	return errors.Join(errs...)
}

// Checker checks signatures. It may be used from any goroutine.
type Checker struct{ Options }

// New makes a Checker.
func New(o Options) (*Checker, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.MustSign == nil {
		o.MustSign = []string{"x-amz-"}
	}
	if o.Skew == 0 {
		o.Skew = defaultSkew
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Checker{o}, nil
}

// CheckHead says what is wrong with r's signature before its body is read: its
// form, its date, what it leaves unsigned, and a key that is not known. Whoever
// knows none cannot have a large body read. An error is an [*Error].
func (c *Checker) CheckHead(r *http.Request) error {
	claim, err := c.readClaim(r)
	if err != nil {
		return err
	}
	if _, known := c.Keys.find(claim.accessKey); !known || claim.token {
		return unrecognized()
	}
	return nil
}

// readClaim takes the claim from r and holds all but the signature against it.
func (c *Checker) readClaim(r *http.Request) (*claim, error) {
	claim, err := readClaim(r)
	if err != nil {
		return nil, err
	}
	if err := c.checkScope(claim); err != nil {
		return nil, err
	}
	if err := c.checkTime(claim); err != nil {
		return nil, err
	}
	if err := c.checkHeaders(r, claim); err != nil {
		return nil, err
	}
	return claim, nil
}

func unrecognized() error {
	return &Error{UnrecognizedClient, "The security token included in the request is invalid."}
}

// Check gives the name that the keys file has for who signed r, whose whole
// body is body. An error is an [*Error].
func (c *Checker) Check(r *http.Request, body []byte) (owner string, err error) {
	claim, err := c.readClaim(r)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(body)
	payload := hex.EncodeToString(digest[:])
	if told := r.Header[contentSHA256]; len(told) > 1 || len(told) == 1 && told[0] != payload {
		return "", wrongPayload(told[0])
	}
	canonical, err := appendCanonical(make([]byte, 0, 1<<10), r, claim, payload)
	if err != nil {
		return "", err
	}
	key, known := c.Keys.find(claim.accessKey)
	same := hmac.Equal([]byte(claim.signature), signature(key.secret, claim, canonical))
	if !known || claim.token {
		return "", unrecognized()
	}
	if !same {
		return "", &Error{InvalidSignature, mismatch}
	}
	return key.owner, nil
}

const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

func (c *Checker) checkScope(claim *claim) error {
	switch {
	case claim.service != c.Service:
		return &Error{InvalidSignature, fmt.Sprintf("Credential should be scoped to correct service: '%s'.", c.Service)}
	case claim.date[:len(claim.day)] != claim.day:
		return &Error{InvalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."}
	}
	return nil
}

func (c *Checker) checkTime(claim *claim) error {
	now := c.Now().UTC()
	if earliest := now.Add(c.Skew); claim.time.After(earliest) {
		return &Error{InvalidSignature, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %s.)",
			claim.date, earliest.Format(timeFormat), now.Format(timeFormat), c.Skew)}
	}
	good := c.Skew
	if claim.presigned {
		good = claim.expires
	}
	if latest := now.Add(-good); claim.time.Before(latest) {
		return &Error{InvalidSignature, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s.)",
			claim.date, latest.Format(timeFormat), now.Format(timeFormat), good)}
	}
	return nil
}

// signature signs a canonical request, in hexadecimal digits.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func signature(secret string, c *claim, canonical []byte) []byte {
	digest := sha256.Sum256(canonical)
	text := make([]byte, 0, 192)
	text = append(append(append(text, algorithm...), '\n'), c.date...)
	text = append(append(append(text, '\n'), c.scope...), '\n')
	text = hex.AppendEncode(text, digest[:])
	key := mac([]byte("AWS4"+secret), []byte(c.day))
	key = mac(key, []byte(c.region))
	key = mac(key, []byte(c.service))
	key = mac(key, []byte(terminator))
	return hex.AppendEncode(nil, mac(key, text))
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
