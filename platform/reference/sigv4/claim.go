package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm     = "AWS4-HMAC-SHA256"
	terminator    = "aws4_request"
	timeFormat    = "20060102T150405Z"
	dayFormat     = "20060102"
	contentSHA256 = "X-Amz-Content-Sha256"
	longestLife   = 7 * 24 * time.Hour // of a presigned request
)

// claim is what a request says of its signature, not yet believed.
type claim struct {
	accessKey  string
	scope      string // day/region/service/aws4_request
	day        string // YYYYMMDD
	region     string
	service    string
	date       string // of the request, as written
	time       time.Time
	signed     []string // headers: lower case, ascending
	signedText string   // the same, as written
	signature  string
	token      bool // there is a session token
	presigned  bool
	expires    time.Duration // of a presigned request
	query      []parameter   // the canonical query
}

// readClaim takes the claim from the header or from the query.
func readClaim(r *http.Request) (*claim, error) {
	query, err := readQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	c := &claim{query: query, token: len(r.Header["X-Amz-Security-Token"]) > 0}
	switch headers := r.Header["Authorization"]; {
	case len(headers) == 1:
		err = c.fromHeader(headers[0], r.Header["X-Amz-Date"])
	case len(headers) > 1:
		err = incomplete("There is more than one Authorization header.")
	case slices.ContainsFunc(query, func(p parameter) bool { return p.name == "X-Amz-Algorithm" }):
		err = c.fromQuery()
	default:
		err = &Error{MissingToken, "Missing Authentication Token"}
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// fromHeader reads
//
//	AWS4-HMAC-SHA256 Credential=ID/DAY/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX
func (c *claim) fromHeader(text string, dates []string) error {
	rest, ok := strings.CutPrefix(text, algorithm+" ")
	if !ok {
		return incomplete("Authorization header does not begin with '" + algorithm + "'.")
	}
	var credential string
	fields := map[string]*string{"Credential": &credential, "SignedHeaders": &c.signedText, "Signature": &c.signature}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimLeft(part, " "), "=")
		field, ok := fields[name]
		if !ok || *field != "" || value == "" {
			return incomplete("Authorization header has a part that is not one of 'Credential=', 'SignedHeaders=' and 'Signature=', or has one twice.")
		}
		*field = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if *fields[name] == "" {
			return incomplete("Authorization header requires '" + name + "' parameter.")
		}
	}
	if len(dates) != 1 {
		return incomplete("Authorization header requires existence of one 'X-Amz-Date' header.")
	}
	return c.complete(credential, dates[0])
}

// fromQuery reads the parameters of a presigned request.
func (c *claim) fromQuery() error {
	c.presigned = true
	fields := make(map[string]string)
	for _, p := range c.query {
		if !strings.HasPrefix(p.name, "X-Amz-") {
			continue
		}
		value, err := url.QueryUnescape(p.value)
		if _, twice := fields[p.name]; err != nil || twice {
			return incomplete("The query has '" + p.name + "' twice.")
		}
		fields[p.name] = value
	}
	if fields["X-Amz-Algorithm"] != algorithm {
		return incomplete("'X-Amz-Algorithm' is not '" + algorithm + "'.")
	}
	for _, name := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if fields[name] == "" {
			return incomplete("AWS query-string parameters must include '" + name + "'.")
		}
	}
	seconds, err := strconv.Atoi(fields["X-Amz-Expires"])
	if err != nil || seconds < 1 || seconds > int(longestLife/time.Second) {
		return incomplete("'X-Amz-Expires' must be a number of seconds from 1 to 604800.")
	}
	c.expires = time.Duration(seconds) * time.Second
	c.signedText, c.signature = fields["X-Amz-SignedHeaders"], fields["X-Amz-Signature"]
	_, token := fields["X-Amz-Security-Token"]
	c.token = c.token || token
	c.query = slices.DeleteFunc(c.query, func(p parameter) bool { return p.name == "X-Amz-Signature" })
	return c.complete(fields["X-Amz-Credential"], fields["X-Amz-Date"])
}

// complete takes apart what both forms have.
func (c *claim) complete(credential, date string) (err error) {
	c.accessKey, c.scope, _ = strings.Cut(credential, "/")
	parts := strings.Split(c.scope, "/")
	if len(parts) != 4 || parts[3] != terminator || len(parts[0]) != len(dayFormat) {
		return incomplete("Credential must have the form ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request.")
	}
	c.day, c.region, c.service = parts[0], parts[1], parts[2]
	if c.date = date; len(date) != len(timeFormat) {
		return incomplete("Date must be in ISO-8601 'basic format': YYYYMMDDTHHMMSSZ.")
	}
	if c.time, err = time.Parse(timeFormat, date); err != nil {
		return incomplete("Date must be in ISO-8601 'basic format': YYYYMMDDTHHMMSSZ.")
	}
	c.signed = strings.Split(c.signedText, ";")
	for i, name := range c.signed {
		if name == "" || name != strings.ToLower(name) || i > 0 && name <= c.signed[i-1] {
			return incomplete("SignedHeaders must be in lower case and in ascending order, each once.")
		}
	}
	if !slices.Contains(c.signed, "host") {
		return &Error{InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	return nil
}

// checkHeaders refuses a request with a header that is heeded but not signed.
func (c *Checker) checkHeaders(r *http.Request, claim *claim) error {
	for name := range r.Header {
		for _, prefix := range c.MustSign {
			if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
				continue
			}
			lower := strings.ToLower(name)
			if _, signed := slices.BinarySearch(claim.signed, lower); !signed {
				return &Error{InvalidSignature, "There were headers present in the request which were not signed: " + lower}
			}
		}
	}
	return nil
}
