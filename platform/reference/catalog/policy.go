package catalog

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Permission is one statement of a function's resource policy: who may do what
// with it, as it was asked for. Nothing here is decided by it: who may call is
// the listener's to say, and the keys file's.
type Permission struct {
	ID            string `json:"id"`
	Action        string `json:"action"`    // such as lambda:InvokeFunction
	Principal     string `json:"principal"` // *, an account, an ARN, or a service such as s3.amazonaws.com
	SourceARN     string `json:"source_arn,omitempty"`
	SourceAccount string `json:"source_account,omitempty"`
	Organization  string `json:"organization,omitempty"`
	EventToken    string `json:"event_token,omitempty"`
	URLAuthType   string `json:"url_auth_type,omitempty"` // NONE or AWS_IAM
	ByURL         bool   `json:"by_url,omitempty"`        // good for requests to a function URL only
}

// Policy is a resource policy as it stands.
type Policy struct {
	Document string // JSON, as IAM has it
	Revision string // of the version or alias that it is of
}

// policy is the resource policy of a qualifier. It has at least one permission.
type policy struct {
	Qualifier   string       `json:"qualifier"`   // a version, an alias, or $LATEST
	Permissions []Permission `json:"permissions"` // as they were added
}

// AddPermission adds a statement to the resource policy of a function, version
// or alias, and gives it as JSON.
func (c *Catalog) AddPermission(name, qualifier string, p Permission, revision string) (statement string, err error) {
	if err := p.check(); err != nil {
		return "", err
	}
	if _, q, err := c.named(name, qualifier); err == nil && q == Latest {
		return "", invalid("We currently do not support adding policies for $LATEST.")
	}
	err = c.editPolicy(name, qualifier, revision, func(of *policy, arn string) error {
		if of.find(p.ID) >= 0 {
			return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", p.ID)
		}
		of.Permissions = append(slices.Clone(of.Permissions), p)
		if size := len(of.document(arn)); size > int(c.limits.Policy) {
			return &Error{Exception: "PolicyLengthExceededException", Status: 400, Message: "The final policy size is bigger than the limit of 20 KB"}
		}
		statement = marshal(p.statement(arn))
		return nil
	})
	return statement, err
}

// RemovePermission takes a statement away.
func (c *Catalog) RemovePermission(name, qualifier, id, revision string) error {
	return c.editPolicy(name, qualifier, revision, func(of *policy, _ string) error {
		i := of.find(id)
		switch {
		case len(of.Permissions) == 0:
			return notFound("No policy is associated with the given resource.")
		case i < 0:
			return notFound("Statement %s is not found in resource policy.", id)
		}
		of.Permissions = slices.Delete(slices.Clone(of.Permissions), i, i+1)
		return nil
	})
}

// Policy gives the resource policy of a function, version or alias; that there
// is none is an error, as in Lambda.
func (c *Catalog) Policy(name, qualifier string) (Policy, error) {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return Policy{}, err
	}
	r := f.now.Load().record
	i, there := r.policy(cmp.Or(qualifier, Latest))
	if !there {
		return Policy{}, notFound("The resource you requested does not exist.")
	}
	of := &r.Policies[i]
	return Policy{Document: of.document(c.arn(r.Name, unlatest(of.Qualifier))), Revision: *r.revision(of.Qualifier)}, nil
}

// editPolicy changes the policy of a qualifier, which is empty where there is
// none. The revision of what it belongs to changes with it.
func (c *Catalog) editPolicy(name, qualifier, revision string, edit func(of *policy, arn string) error) error {
	f, qualifier, err := c.named(name, qualifier)
	if err != nil {
		return err
	}
	qualifier = cmp.Or(qualifier, Latest)
	_, err = c.change(f, func(r *record) error {
		of := r.revision(qualifier)
		switch {
		case of == nil:
			return c.noQualifier(r, qualifier)
		case revision != "" && revision != *of:
			return stale()
		}
		*of = newRevision()
		i, there := r.policy(qualifier)
		if !there {
			r.Policies = slices.Insert(r.Policies, i, policy{Qualifier: qualifier})
		}
		err := edit(&r.Policies[i], c.arn(r.Name, unlatest(qualifier)))
		if len(r.Policies[i].Permissions) == 0 {
			r.Policies = slices.Delete(r.Policies, i, i+1)
		}
		return err
	})
	return err
}

func (r *record) policy(qualifier string) (i int, there bool) {
	return slices.BinarySearchFunc(r.Policies, qualifier, func(p policy, q string) int { return strings.Compare(p.Qualifier, q) })
}

// revision is that of a version or alias, to change it; nil if there is none.
func (r *record) revision(qualifier string) *string {
	if a := r.alias(qualifier); a != nil {
		return &a.Revision
	}
	if v := r.version(qualifier); v != nil {
		return &v.Revision
	}
	return nil
}

// find gives where a statement is, -1 for nowhere.
func (p *policy) find(id string) int {
	return slices.IndexFunc(p.Permissions, func(one Permission) bool { return one.ID == id })
}

// document is the policy of what has that ARN.
func (p *policy) document(arn string) string {
	doc := struct {
		Version, Id string //nolint:revive // IAM's spelling
		Statement   []statement
	}{Version: "2012-10-17", Id: "default"}
	for i := range p.Permissions {
		doc.Statement = append(doc.Statement, p.Permissions[i].statement(arn))
	}
	return marshal(doc)
}

func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts can be marshalled
	}
	return string(text)
}

// statement is IAM's form of a permission.
type statement struct {
	Sid, Effect      string
	Principal        any // "*", or its kind and name
	Action, Resource string
	Condition        map[string]map[string]string `json:",omitempty"`
}

func (p *Permission) statement(arn string) statement {
	s := statement{Sid: p.ID, Effect: "Allow", Principal: principal(p.Principal), Action: p.Action, Resource: arn}
	when := func(operator, key, value string) {
		if value == "" {
			return
		}
		if s.Condition == nil {
			s.Condition = make(map[string]map[string]string)
		}
		if s.Condition[operator] == nil {
			s.Condition[operator] = make(map[string]string)
		}
		s.Condition[operator][key] = value
	}
	when("ArnLike", "AWS:SourceArn", p.SourceARN)
	when("StringEquals", "AWS:SourceAccount", p.SourceAccount)
	when("StringEquals", "aws:PrincipalOrgID", p.Organization)
	when("StringEquals", "lambda:EventSourceToken", p.EventToken)
	when("StringEquals", "lambda:FunctionUrlAuthType", p.URLAuthType)
	if p.ByURL {
		when("Bool", "lambda:InvokedViaFunctionUrl", "true")
	}
	return s
}

var (
	accountID   = regexp.MustCompile(`^\d{12}$`)
	serviceName = regexp.MustCompile(`^[a-z0-9.-]+\.amazon(aws)?\.com(\.cn)?$`)
)

// principal is IAM's form of one; nil of what is none.
func principal(name string) any {
	switch {
	case name == "*":
		return name
	case accountID.MatchString(name):
		return map[string]string{"AWS": "arn:aws:iam::" + name + ":root"}
	case strings.HasPrefix(name, "arn:"):
		return map[string]string{"AWS": name}
	case serviceName.MatchString(name):
		return map[string]string{"Service": name}
	}
	return nil
}

// check holds a permission to Lambda's patterns, which are in
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html.
func (p *Permission) check() error {
	for _, m := range []struct {
		member, value, pattern string
		required               bool
	}{
		{"statementId", p.ID, `[a-zA-Z0-9-_]{1,100}`, true},
		{"action", p.Action, `lambda:[*]|lambda:[a-zA-Z]+|[*]`, true},
		{"principal", p.Principal, `[^\s]+`, true},
		{"sourceArn", p.SourceARN, `arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)`, false},
		{"sourceAccount", p.SourceAccount, `\d{12}`, false},
		{"principalOrgID", p.Organization, `o-[a-z0-9]{10,32}`, false},
		{"eventSourceToken", p.EventToken, `[a-zA-Z0-9._\-]{1,256}`, false},
		{"functionUrlAuthType", p.URLAuthType, `NONE|AWS_IAM`, false},
	} {
		if m.value == "" && !m.required {
			continue
		}
		if !regexp.MustCompile(`^(` + m.pattern + `)$`).MatchString(m.value) {
			return violation(m.value, m.member, "Member must satisfy regular expression pattern: ("+m.pattern+")")
		}
	}
	switch {
	case principal(p.Principal) == nil:
		return invalid("The provided principal was invalid. Please check the principal and try again.")
	case p.URLAuthType != "" && p.Action != "lambda:InvokeFunctionUrl":
		return invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
	}
	return nil
}
