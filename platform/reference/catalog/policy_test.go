package catalog_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// invokable lets S3 invoke a function.
func invokable(id string) catalog.Permission {
	return catalog.Permission{ID: id, Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com"}
}

// TestStatements has every member in the statement that Lambda makes of it.
func TestStatements(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		for i, tt := range []struct {
			permission catalog.Permission
			want       string // of the statement, from its principal on
		}{
			{catalog.Permission{Principal: "*"}, `"*","Action":"lambda:InvokeFunction","Resource":"` + arn + `"}`},
			{catalog.Permission{Principal: "123456789012", Organization: "o-a1b2c3d4e5"},
				`{"AWS":"arn:aws:iam::123456789012:root"},"Action":"lambda:InvokeFunction","Resource":"` + arn + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`},
			{catalog.Permission{Principal: "arn:aws:iam::123456789012:role/caller"},
				`{"AWS":"arn:aws:iam::123456789012:role/caller"},"Action":"lambda:InvokeFunction","Resource":"` + arn + `"}`},
			{catalog.Permission{Principal: "s3.amazonaws.com", SourceARN: "arn:aws:s3:::uploads", SourceAccount: "123456789012"},
				`{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn + `","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::uploads"},"StringEquals":{"AWS:SourceAccount":"123456789012"}}}`},
			{catalog.Permission{Principal: "alexa-connectedhome.amazon.com", EventToken: "amzn1.ask"},
				`{"Service":"alexa-connectedhome.amazon.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn + `","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask"}}}`},
			{catalog.Permission{Principal: "*", Action: "lambda:InvokeFunctionUrl", URLAuthType: "NONE"},
				`"*","Action":"lambda:InvokeFunctionUrl","Resource":"` + arn + `","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}`},
			{catalog.Permission{Principal: "*", ByURL: true},
				`"*","Action":"lambda:InvokeFunction","Resource":"` + arn + `","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`},
		} {
			p := tt.permission
			p.ID = "s" + strconv.Itoa(i)
			if p.Action == "" {
				p.Action = "lambda:InvokeFunction"
			}
			got := must[string](t)(s.AddPermission("hello", "", p, ""))
			if diff := cmp.Diff(`{"Sid":"`+p.ID+`","Effect":"Allow","Principal":`+tt.want, got); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", p, diff)
			}
		}
	})
}

// TestPolicyOfEach: a function, its versions and its aliases have one each.
func TestPolicyOfEach(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1"}))
		for _, qualifier := range []string{"", "1", "live"} {
			must[string](t)(s.AddPermission("hello", qualifier, invokable("a"), ""))
			must[string](t)(s.AddPermission("hello", qualifier, invokable("b"), ""))
			_, err := s.AddPermission("hello", qualifier, invokable("a"), "")
			refused(t, err, "ResourceConflictException", 409, "The statement id (a) provided already exists")
			p := must[catalog.Policy](t)(s.Policy("hello", qualifier))
			resource := arn
			if qualifier != "" {
				resource += ":" + qualifier
			}
			want := `{"Version":"2012-10-17","Id":"default","Statement":[`
			if !strings.HasPrefix(p.Document, want) || strings.Count(p.Document, `"Resource":"`+resource+`"`) != 2 {
				t.Errorf("the policy of %q: %s", qualifier, p.Document)
			}
			refused(t, s.RemovePermission("hello", qualifier, "a", "old"), "PreconditionFailedException", 412, "Revision Id")
			if err := s.RemovePermission("hello", qualifier, "a", p.Revision); err != nil {
				t.Error(err)
			}
			if now := must[catalog.Policy](t)(s.Policy("hello", qualifier)); now.Revision == p.Revision || strings.Contains(now.Document, `"Sid":"a"`) {
				t.Errorf("after the removal: %+v", now)
			}
			refused(t, s.RemovePermission("hello", qualifier, "a", ""), "ResourceNotFoundException", 404, "Statement a is not found in resource policy.")
		}
		if p := must[catalog.Policy](t)(s.Policy("hello", "live")); p.Revision != must[catalog.Alias](t)(s.Alias("hello", "live")).Revision {
			t.Errorf("an alias's policy has the revision %s", p.Revision)
		}
		if err := s.RemovePermission("hello", "", "b", ""); err != nil {
			t.Error(err)
		}
		_, err := s.Policy("hello", "")
		refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
		refused(t, s.RemovePermission("hello", "", "b", ""), "ResourceNotFoundException", 404, "No policy is associated with the given resource.")

		if err := s.DeleteAlias("hello", "live"); err != nil {
			t.Fatal(err)
		}
		must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1"}))
		_, err = s.Policy("hello", "live")
		refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
	})
}

func TestPermissionsThatAreRefused(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		for want, edit := range map[string]func(*catalog.Permission){
			"'statementId'":         func(p *catalog.Permission) { p.ID = "a b" },
			"'action'":              func(p *catalog.Permission) { p.Action = "s3:GetObject" },
			"'principal'":           func(p *catalog.Permission) { p.Principal = "" },
			"'sourceArn'":           func(p *catalog.Permission) { p.SourceARN = "uploads" },
			"'sourceAccount'":       func(p *catalog.Permission) { p.SourceAccount = "12" },
			"'principalOrgID'":      func(p *catalog.Permission) { p.Organization = "ours" },
			"'eventSourceToken'":    func(p *catalog.Permission) { p.EventToken = "a b" },
			"'functionUrlAuthType'": func(p *catalog.Permission) { p.URLAuthType = "SOME" },
		} {
			p := invokable("a")
			edit(&p)
			_, err := s.AddPermission("hello", "", p, "")
			refused(t, err, "ValidationException", 400, want)
		}
		nobody := invokable("a")
		nobody.Principal = "nobody"
		_, err := s.AddPermission("hello", "", nobody, "")
		refused(t, err, "InvalidParameterValueException", 400, "The provided principal was invalid")
		elsewhere := invokable("a")
		elsewhere.URLAuthType = "NONE"
		_, err = s.AddPermission("hello", "", elsewhere, "")
		refused(t, err, "InvalidParameterValueException", 400, "lambda:InvokeFunctionUrl")
		_, err = s.AddPermission("hello:$LATEST", "", invokable("a"), "")
		refused(t, err, "InvalidParameterValueException", 400, "$LATEST")
		_, err = s.AddPermission("none", "", invokable("a"), "")
		refused(t, err, "ResourceNotFoundException", 404, "Function not found")
		_, err = s.AddPermission("hello", "live", invokable("a"), "")
		refused(t, err, "ResourceNotFoundException", 404, "Cannot find alias arn: "+arn+":live")
		_, err = s.AddPermission("hello", "7", invokable("a"), "")
		refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+arn+":7")

		for i := range 1000 {
			long := invokable("s" + strconv.Itoa(i))
			long.SourceARN = "arn:aws:s3:::" + strings.Repeat("x", 1000)
			if _, err = s.AddPermission("hello", "", long, ""); err != nil {
				break
			}
		}
		refused(t, err, "PolicyLengthExceededException", 400, "20 KB")
		if p := must[catalog.Policy](t)(s.Policy("hello", "")); len(p.Document) > 20<<10 || len(p.Document) < 18<<10 {
			t.Errorf("it has %d bytes then", len(p.Document))
		}
	})
}

func TestTags(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		want := func(tags map[string]string) {
			t.Helper()
			got := must[map[string]string](t)(s.Tags(arn))
			if !maps.Equal(got, tags) || !maps.Equal(must[catalog.Function](t)(s.Function("hello", "")).Tags, tags) {
				t.Errorf("it has the tags %v, want %v", got, tags)
			}
		}
		want(nil)
		revision := must[catalog.Function](t)(s.Function("hello", "")).Revision
		for _, tags := range []map[string]string{{"team": "shop", "tier": ""}, {"team": "cart"}} {
			if err := s.Tag(arn, tags, nil); err != nil {
				t.Error(err)
			}
		}
		want(map[string]string{"team": "cart", "tier": ""})
		if err := s.Untag(arn, []string{"tier", "none"}, nil); err != nil {
			t.Error(err)
		}
		want(map[string]string{"team": "cart"})
		if must[catalog.Function](t)(s.Function("hello", "")).Revision != revision {
			t.Error("tags change its revision")
		}

		refused(t, s.Tag(arn+":1", map[string]string{"a": "b"}, nil), "InvalidParameterValueException", 400, "aliases and versions")
		refused(t, s.Tag("hello", map[string]string{"a": "b"}, nil), "ValidationException", 400, "'resource'")
		refused(t, s.Tag(arn+"2", map[string]string{"a": "b"}, nil), "ResourceNotFoundException", 404, "Function not found")
		refused(t, s.Tag(arn, nil, nil), "InvalidParameterValueException", 400, "no tags")
		refused(t, s.Untag(arn, nil, nil), "ValidationException", 400, "'tagKeys'")
		many := make(map[string]string)
		for i := range 50 {
			many[strconv.Itoa(i)] = ""
		}
		for want, tags := range map[string]map[string]string{
			"tag limit":          many, // with the one that is there
			"reserved":           {"aws:cloudformation": "x"},
			"1 to 128":           {strings.Repeat("k", 129): ""},
			"longer than 256":    {"k": strings.Repeat("v", 257)},
			"is not of 1 to 128": {"": "x"},
		} {
			refused(t, s.Tag(arn, tags, nil), "InvalidParameterValueException", 400, want)
		}
		want(map[string]string{"team": "cart"})

		// A rule is asked before what the tags are is looked at, and in one step with their change.
		settled := errors.New("it has an owner")
		first := func(before, after map[string]string) error {
			if _, has := before["owner"]; has && before["owner"] != after["owner"] {
				return settled
			}
			return nil
		}
		var took atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				switch err := s.Tag(arn, map[string]string{"owner": strconv.Itoa(i)}, first); err {
				case nil:
					took.Add(1)
				case settled:
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took.Load() != 1 {
			t.Errorf("%d owners took it, want the first", took.Load())
		}
		if err := s.Tag(arn, map[string]string{"owner": "x", "aws:x": ""}, first); err != settled {
			t.Errorf("against rule and reserved: %v", err)
		}
		if err := s.Untag(arn, []string{"owner"}, first); err != settled {
			t.Errorf("taken away: %v", err)
		}
		n := hello(t)
		n.Name, n.Tags = "tagged", map[string]string{"aws:x": ""}
		_, err := s.Create(n)
		refused(t, err, "InvalidParameterValueException", 400, "reserved")
	})
}
