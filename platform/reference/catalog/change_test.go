package catalog_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// made is a bubble in which hello is Active.
func made(t *testing.T, test func(*testing.T, *shop)) {
	t.Helper()
	bubble(t, &preparing{takes: time.Second}, func(t *testing.T, s *shop) {
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
		test(t, s)
	})
}

func (s *shop) settle() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// answers sets what hello answers, in service when it returns.
func (s *shop) answers(text string) {
	s.t.Helper()
	must[catalog.Function](s.t)(s.UpdateSettings("hello", catalog.SettingsUpdate{Environment: map[string]string{"ANSWER": text}}))
	s.settle()
}

func (s *shop) publish() catalog.Function {
	s.t.Helper()
	return must[catalog.Function](s.t)(s.Publish("hello", catalog.Publication{}))
}

func TestWhatWasThereServesDuringAnUpdate(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		before := must[catalog.Function](t)(s.Function("hello", ""))
		memory := 256 * units.MB
		f := must[catalog.Function](t)(s.UpdateSettings("hello", catalog.SettingsUpdate{
			Memory: &memory, Environment: map[string]string{"ANSWER": "second "}, Revision: before.Revision,
		}))
		if f.Update != catalog.InProgress || f.State != catalog.Active || f.Memory != memory || f.Revision == before.Revision {
			t.Errorf("the update's answer: %+v", f)
		}
		if got := s.invoke("hello", ""); got != "first $LATEST" {
			t.Errorf("meanwhile it answers %q", got)
		}
		_, err := s.UpdateCode("hello", catalog.CodeUpdate{Code: hello(t).Code})
		refused(t, err, "ResourceConflictException", 409, "An update is in progress for resource: "+arn)
		s.settle()
		if f := must[catalog.Function](t)(s.Function("hello", "")); f.Update != catalog.Successful || f.State != catalog.Active {
			t.Errorf("after it: %+v", f)
		}
		if got := s.invoke("hello", ""); got != "second $LATEST" {
			t.Errorf("after it, it answers %q", got)
		}
		_, err = s.UpdateSettings("hello", catalog.SettingsUpdate{Revision: before.Revision})
		refused(t, err, "PreconditionFailedException", 412, "Revision Id")
	})
}

func TestFailedUpdateLeavesWhatWasThere(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.answers("good ")
		must[catalog.Function](t)(s.UpdateSettings("hello", catalog.SettingsUpdate{Environment: map[string]string{"BROKEN": "yes"}}))
		s.settle()
		f := must[catalog.Function](t)(s.Function("hello", ""))
		if f.State != catalog.Active || f.Update != catalog.UpdateFailed || !strings.Contains(f.UpdateReason, "it is broken") || f.UpdateReasonCode != "InvalidConfiguration" {
			t.Errorf("after a failed update: %+v", f)
		}
		if got := s.invoke("hello", ""); got != "good $LATEST" {
			t.Errorf("it answers %q", got)
		}
		_, err := s.Publish("hello", catalog.Publication{})
		refused(t, err, "ResourceConflictException", 409, "it is broken")
		s.answers("mended ")
		if got := s.invoke("hello", ""); got != "mended $LATEST" {
			t.Errorf("after the next update it answers %q", got)
		}
	})
}

func TestFunctionThatCannotBePrepared(t *testing.T) {
	bubble(t, &preparing{}, func(t *testing.T, s *shop) {
		n := hello(t)
		n.Code.Zip = archive(t, map[string]string{"readme": "no bootstrap"})
		must[catalog.Function](t)(s.Create(n))
		s.settle()
		f := must[catalog.Function](t)(s.Function("hello", ""))
		if f.State != catalog.Failed || !strings.Contains(f.StateReason, "bootstrap") {
			t.Errorf("state: %+v", f)
		}
		_, err := s.Invoke(t.Context(), "hello", "", engine.Invocation{})
		refused(t, err, "ResourceConflictException", 409, f.StateReason)
		f = must[catalog.Function](t)(s.UpdateCode("hello", catalog.CodeUpdate{Code: hello(t).Code}))
		if f.State != catalog.Pending {
			t.Errorf("with other code it is %s", f.State)
		}
		s.settle()
		if got := s.invoke("hello", ""); got != "first $LATEST" {
			t.Errorf("it answers %q", got)
		}
	})
}

func TestPublish(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		latest := must[catalog.Function](t)(s.Function("hello", ""))
		one := must[catalog.Function](t)(s.Publish("hello", catalog.Publication{CodeSHA256: latest.Package.SHA256, Revision: latest.Revision, Description: "the first"}))
		if one.Version != "1" || one.ARN != arn+":1" || one.State != catalog.Active || one.Description != "the first" {
			t.Errorf("published: %+v", one)
		}
		if again := s.publish(); again.Version != "1" || again.Revision != one.Revision {
			t.Errorf("published again, unchanged: %+v", again)
		}
		s.answers("second ")
		if two := s.publish(); two.Version != "2" || two.Description != "" {
			t.Errorf("published after a change: %+v", two)
		}
		for qualifier, want := range map[string]string{"": "second $LATEST", "$LATEST": "second $LATEST", "1": "first 1", "2": "second 2"} {
			if got := s.invoke("hello", qualifier); got != want {
				t.Errorf("%q answers %q, want %q", qualifier, got, want)
			}
		}
		_, err := s.Publish("hello", catalog.Publication{CodeSHA256: "other"})
		refused(t, err, "InvalidParameterValueException", 400, "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("+latest.Package.SHA256+")")
		_, err = s.Publish("hello", catalog.Publication{Revision: "other"})
		refused(t, err, "PreconditionFailedException", 412, "")
		_, err = s.Invoke(t.Context(), "hello", "3", engine.Invocation{})
		refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+arn+":3")
		list, next, err := s.Versions("hello", catalog.Page{Most: 2})
		if err != nil || len(list) != 2 || list[0].Version != "$LATEST" || list[1].ARN != arn+":1" || next == "" {
			t.Errorf("first page: %v, %q, %v", list, next, err)
		}
		list, next, err = s.Versions("hello", catalog.Page{Most: 2, Marker: next})
		if err != nil || len(list) != 1 || list[0].Version != "2" || next != "" {
			t.Errorf("second page: %v, %q, %v", list, next, err)
		}
	})
}

func TestPublishWithACreationAndAnUpdate(t *testing.T) {
	bubble(t, &preparing{takes: time.Second}, func(t *testing.T, s *shop) {
		n := hello(t)
		n.Publish = true
		if f := must[catalog.Function](t)(s.Create(n)); f.Version != "1" || f.State != catalog.Pending || f.ARN != arn+":1" {
			t.Errorf("created: %+v", f)
		}
		s.settle()
		if got := s.invoke("hello", "1"); got != "first 1" {
			t.Errorf("version 1 answers %q", got)
		}
		other := archive(t, map[string]string{"bootstrap": "other"})
		if f := must[catalog.Function](t)(s.UpdateCode("hello", catalog.CodeUpdate{Code: catalog.Code{Zip: other}, Publish: true})); f.Version != "2" {
			t.Errorf("updated: %+v", f)
		}
		s.settle()
		if got := s.invoke("hello", "2"); got != "first 2" {
			t.Errorf("version 2 answers %q", got)
		}
		dry := must[catalog.Function](t)(s.UpdateCode("hello", catalog.CodeUpdate{Code: n.Code, DryRun: true}))
		now := must[catalog.Function](t)(s.Function("hello", ""))
		if dry.Package == now.Package || now.Update != catalog.Successful {
			t.Errorf("a dry run answers %+v and leaves %+v", dry, now)
		}
	})
}

func TestFolderIsUsedInPlaceUntilItIsPublished(t *testing.T) {
	folder := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	bubble(t, &preparing{}, func(t *testing.T, s *shop) {
		n := hello(t)
		n.Code = catalog.Code{Folder: folder}
		f := must[catalog.Function](t)(s.Create(n))
		s.settle()
		if f.Folder != folder || f.Package.SHA256 != "" {
			t.Errorf("created: %+v", f)
		}
		one := s.publish()
		if s.publish().Version != "1" {
			t.Error("the same folder became two versions")
		}
		write("two")
		two := s.publish()
		if two.Version != "2" || one.Package.SHA256 == two.Package.SHA256 {
			t.Errorf("versions %+v and %+v", one.Package, two.Package)
		}
		if text, err := os.ReadFile(filepath.Join(one.Folder, "bootstrap")); string(text) != "one" || err != nil {
			t.Errorf("version 1 has %q, %v", text, err)
		}
	})
}

func TestAliases(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		s.answers("second ")
		s.publish()
		live := must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1"}))
		if live.ARN != arn+":live" || live.Revision == "" {
			t.Errorf("created: %+v", live)
		}
		if got := s.invoke("hello", "live"); got != "first 1" {
			t.Errorf("live answers %q", got)
		}
		_, err := s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1"})
		refused(t, err, "ResourceConflictException", 409, "Alias already exists: "+arn+":live")
		_, err = s.UpdateAlias("hello", "live", catalog.AliasUpdate{Revision: "other"})
		refused(t, err, "PreconditionFailedException", 412, "")
		two := "2"
		after := must[catalog.Alias](t)(s.UpdateAlias("hello", "live", catalog.AliasUpdate{Version: &two, Revision: live.Revision}))
		if after.Revision == live.Revision || after.Version != "2" {
			t.Errorf("updated: %+v", after)
		}
		if target, err := s.Resolve("hello:live", ""); err != nil || target.Executed != "2" || target.Alias != "live" {
			t.Errorf("hello:live leads to %+v, %v", target, err)
		}
		refused(t, s.Delete(t.Context(), "hello", "2"), "ResourceConflictException", 409, "live")
		if err := s.Delete(t.Context(), "hello", "1"); err != nil {
			t.Errorf("delete a version that no alias leads to: %v", err)
		}
		if err := s.DeleteAlias("hello", "live"); err != nil {
			t.Error(err)
		}
		_, err = s.Alias("hello", "live")
		refused(t, err, "ResourceNotFoundException", 404, "Cannot find alias arn: "+arn+":live")
	})
}

func TestAliasRules(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		s.answers("second ")
		s.publish()
		type w = map[string]float64
		tests := []struct {
			alias     catalog.Alias
			exception string
			status    int
			message   string
		}{
			{catalog.Alias{Name: "a", Version: "9"}, "ResourceNotFoundException", 404, "Function not found: " + arn + ":9"},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"9": .1}}, "ResourceNotFoundException", 404, ":9"},
			{catalog.Alias{Name: "12", Version: "1"}, "ValidationException", 400, "at 'name'"},
			{catalog.Alias{Name: "", Version: "1"}, "ValidationException", 400, "at 'name'"},
			{catalog.Alias{Name: "a", Version: "$LATEST", Weights: w{"1": .1}}, "InvalidParameterValueException", 400, "$LATEST is not supported for an alias pointing to more than 1 version"},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"$LATEST": .1}}, "ValidationException", 400, "[0-9]+"},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"1": .1}}, "InvalidParameterValueException", 400, "Function version 1 is already included in routing configuration."},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"2": 1.1}}, "ValidationException", 400, "less than or equal to 1.0"},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"2": -.1}}, "ValidationException", 400, "greater than or equal to 0.0"},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"2": math.NaN()}}, "ValidationException", 400, ""},
			{catalog.Alias{Name: "a", Version: "1", Weights: w{"2": .1, "3": .1}}, "InvalidParameterValueException", 400, "Number of items in AdditionalVersionWeights cannot be greater than 1"},
		}
		for _, tt := range tests {
			_, err := s.CreateAlias("hello", tt.alias)
			refused(t, err, tt.exception, tt.status, tt.message)
		}
		for _, weight := range []float64{0, 1} {
			a := must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "edge", Version: "1", Weights: w{"2": weight}}))
			want := map[float64]string{0: "first 1", 1: "second 2"}[weight]
			for range 20 {
				if got := s.invoke("hello", a.Name); got != want {
					t.Errorf("weight %v answers %q", weight, got)
				}
			}
			if err := s.DeleteAlias("hello", "edge"); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestWeights: 2,000 draws at .1 are binomial, sd 13.4; the bounds are 5 sd.
// The same seed draws the same.
func TestWeights(t *testing.T) {
	draw := func(seed uint64) (drawn string, second int) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, &preparing{}, catalog.Options{Seed: seed})
			defer s.close()
			must[catalog.Function](t)(s.Create(hello(t)))
			s.settle()
			s.publish()
			s.answers("second ")
			s.publish()
			must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1", Weights: map[string]float64{"2": .1}}))
			for range 2000 {
				target := must[catalog.Target](t)(s.Resolve("hello", "live"))
				drawn += target.Executed
			}
		})
		return drawn, strings.Count(drawn, "2")
	}
	first, second := draw(7)
	if second < 200-67 || second > 200+67 {
		t.Errorf("version 2 got %d of 2000 requests at .1", second)
	}
	if again, _ := draw(7); again != first {
		t.Error("the same seed drew otherwise")
	}
	if other, _ := draw(8); other == first {
		t.Error("another seed drew the same")
	}
}

func TestConcurrency(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		if err := s.PutConcurrency("hello", 50); err != nil {
			t.Fatal(err)
		}
		n, err := s.Concurrency("hello")
		if err != nil || n == nil || *n != 50 {
			t.Errorf("reserved %v, %v", n, err)
		}
		refused(t, s.PutConcurrency("hello", 901), "InvalidParameterValueException", 400, "below its minimum value of [100]")
		refused(t, s.PutConcurrency("hello", -1), "ValidationException", 400, "")
		_, err = s.PutProvisioned("hello", "1", 51)
		refused(t, err, "InvalidParameterValueException", 400, "should not be greater than the reservedConcurrentExecution")
		if err := s.PutConcurrency("hello", 0); err != nil {
			t.Fatal(err)
		}
		_, err = s.Invoke(t.Context(), "hello", "", engine.Invocation{})
		refused(t, err, "TooManyRequestsException", 429, "")
		if err := s.DeleteConcurrency("hello"); err != nil {
			t.Fatal(err)
		}
		s.invoke("hello", "")
	})
}

func TestProvisionedRules(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1"}))
		_, err := s.PutProvisioned("hello", "$LATEST", 1)
		refused(t, err, "InvalidParameterValueException", 400, "unpublished function versions")
		_, err = s.PutProvisioned("hello", "1", 0)
		refused(t, err, "ValidationException", 400, "provisionedConcurrentExecutions")
		_, err = s.PutProvisioned("hello", "1", 901)
		refused(t, err, "InvalidParameterValueException", 400, "below its minimum value of [100]")
		_, err = s.Provisioned("hello", "1")
		refused(t, err, "ProvisionedConcurrencyConfigNotFoundException", 404, "No Provisioned Concurrency Config found for this function")
		p := must[catalog.Provisioned](t)(s.PutProvisioned("hello", "live", 2))
		if p.Requested != 2 || p.ARN != arn+":live" { // how many are ready already is the instances' business
			t.Errorf("asked for: %+v", p)
		}
		s.settle()
		if p := must[catalog.Provisioned](t)(s.Provisioned("hello", "live")); p.Status != "READY" || p.Available != 2 || p.Allocated != 2 {
			t.Errorf("two seconds later: %+v", p)
		}
		if got := s.invoke("hello", "live"); got != "first 1" || s.box.Len() != 2 {
			t.Errorf("it answers %q, of %d instances", got, s.box.Len())
		}
		_, err = s.PutProvisioned("hello", "1", 1)
		refused(t, err, "ResourceConflictException", 409, "Version is pointed by a Provisioned Concurrency alias")
		refused(t, s.PutConcurrency("hello", 1), "InvalidParameterValueException", 400, "total provisioned concurrency [2]")
		if err := s.DeleteProvisioned("hello", "live"); err != nil {
			t.Error(err)
		}
		must[catalog.Provisioned](t)(s.PutProvisioned("hello", "1", 1))
		_, err = s.PutProvisioned("hello", "live", 1)
		refused(t, err, "ResourceConflictException", 409, "already Provisioned version")
	})
}

func TestURLs(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		u := must[catalog.URL](t)(s.CreateURL("hello", "", catalog.URLSettings{AuthType: "NONE", CORS: &catalog.CORS{AllowOrigins: []string{"*"}}}))
		if len(u.ID) != 32 || u.ARN != arn || u.InvokeMode != "BUFFERED" || u.CORS == nil {
			t.Errorf("created: %+v", u)
		}
		found := must[catalog.URL](t)(s.FindURL(u.ID))
		if diff := cmp.Diff(u, found); diff != "" {
			t.Errorf("found by its id (-want +got):\n%s", diff)
		}
		_, err := s.CreateURL("hello", "", catalog.URLSettings{AuthType: "NONE"})
		refused(t, err, "ResourceConflictException", 409, "FunctionUrlConfig exists for this Lambda function")
		_, err = s.CreateURL("hello", "nowhere", catalog.URLSettings{AuthType: "NONE"})
		refused(t, err, "ResourceNotFoundException", 404, "Function does not exist")
		_, err = s.CreateURL("hello", "1", catalog.URLSettings{AuthType: "NONE"})
		refused(t, err, "ValidationException", 400, "qualifier")
		_, err = s.UpdateURL("hello", "", catalog.URLUpdate{AuthType: "SOME"})
		refused(t, err, "ValidationException", 400, "authType")
		_, err = s.UpdateURL("hello", "", catalog.URLUpdate{InvokeMode: "RESPONSE_STREAM"})
		refused(t, err, "InvalidParameterValueException", 400, "not supported")
		if u := must[catalog.URL](t)(s.UpdateURL("hello", "", catalog.URLUpdate{AuthType: "AWS_IAM"})); u.AuthType != "AWS_IAM" || u.CORS == nil || u.ID != found.ID {
			t.Errorf("updated: %+v", u)
		}
		if err := s.DeleteURL("hello", ""); err != nil {
			t.Error(err)
		}
		_, err = s.FindURL(u.ID)
		refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
		_, err = s.URL("hello", "")
		refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
	})
}

func TestEventInvoke(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		_, err := s.EventInvoke("hello", "")
		refused(t, err, "ResourceNotFoundException", 404, "The function "+arn+":$LATEST doesn't have an EventInvokeConfig")
		if e := must[catalog.EventInvoke](t)(s.Treatment("hello", "")); *e.Retries != 2 || e.Age != 6*time.Hour {
			t.Errorf("by default: %+v", e)
		}
		none, three := 0, 3
		e := must[catalog.EventInvoke](t)(s.PutEventInvoke("hello", "", catalog.EventInvoke{Retries: &none, Age: time.Minute, OnFailure: "hello"}))
		if *e.Retries != 0 || e.Qualifier != "$LATEST" {
			t.Errorf("put: %+v", e)
		}
		hour := time.Hour
		if e := must[catalog.EventInvoke](t)(s.UpdateEventInvoke("hello", "", catalog.EventInvokeUpdate{Age: &hour})); *e.Retries != 0 || e.Age != hour || e.OnFailure != "hello" {
			t.Errorf("updated: %+v", e)
		}
		for _, bad := range []catalog.EventInvoke{{Retries: &three}, {Age: 59 * time.Second}, {Age: 7 * time.Hour}} {
			_, err := s.PutEventInvoke("hello", "", bad)
			refused(t, err, "ValidationException", 400, "maximum")
		}
		_, err = s.PutEventInvoke("hello", "", catalog.EventInvoke{OnSuccess: "nobody"})
		refused(t, err, "InvalidParameterValueException", 400, "nobody")
		_, err = s.PutEventInvoke("hello", "live", catalog.EventInvoke{})
		refused(t, err, "ResourceNotFoundException", 404, ":live")
		if err := s.DeleteEventInvoke("hello", ""); err != nil {
			t.Error(err)
		}
		refused(t, s.DeleteEventInvoke("hello", ""), "ResourceNotFoundException", 404, "")
	})
}

func TestDelete(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		refused(t, s.Delete(t.Context(), "hello", "$LATEST"), "InvalidParameterValueException", 400, "$LATEST version cannot be deleted without deleting the function.")
		refused(t, s.Delete(t.Context(), "hello", "live"), "InvalidParameterValueException", 400, "Deletion of aliases")
		s.invoke("hello", "1")
		if err := s.Delete(t.Context(), "hello", "1"); err != nil {
			t.Error(err)
		}
		if err := s.Delete(t.Context(), "hello", "1"); err != nil {
			t.Errorf("a version that is gone: %v", err)
		}
		s.answers("second ")
		if v := s.publish(); v.Version != "2" {
			t.Errorf("a number was given again: %s", v.Version)
		}
		folder := must[catalog.Function](t)(s.Function("hello", "")).Folder
		if err := s.Delete(t.Context(), "hello", ""); err != nil {
			t.Error(err)
		}
		_, err := s.Function("hello", "")
		refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+arn)
		if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its code is still there: %v", err)
		}
		if n := s.box.Len(); n != 0 {
			t.Errorf("%d instances are left", n)
		}
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
		if got := s.invoke("hello", ""); got != "first $LATEST" {
			t.Errorf("made anew it answers %q", got)
		}
	})
}

func TestNames(t *testing.T) {
	made(t, func(t *testing.T, s *shop) {
		s.publish()
		for _, name := range []string{"hello", "function:hello", "000000000000:function:hello", arn} {
			for _, q := range []string{"", "1", "$LATEST"} {
				full := name
				if q != "" {
					full += ":" + q
				}
				want := q
				if q == "" {
					want = "$LATEST"
				}
				target, err := s.Resolve(full, "")
				if err != nil || target.Executed != want {
					t.Errorf("%s leads to %q, %v", full, target.Executed, err)
				}
				if f, err := s.Function(name, q); err != nil || f.Version != want {
					t.Errorf("%s with %q is %q, %v", name, q, f.Version, err)
				}
			}
		}
		_, err := s.Resolve(arn+":1", "2")
		refused(t, err, "InvalidParameterValueException", 400, "derived qualifier")
		_, err = s.Resolve("arn:aws:lambda:eu-west-1:123456789012:function:hello", "")
		refused(t, err, "ResourceNotFoundException", 404, "eu-west-1")
		for q, want := range map[string]string{"a b": "ValidationException", "nobody": "ResourceNotFoundException"} {
			status := map[string]int{"ValidationException": 400, "ResourceNotFoundException": 404}[want]
			_, err := s.Resolve("hello", q)
			refused(t, err, want, status, q)
			_, err = s.Function("hello", q)
			refused(t, err, want, status, q)
		}
		for _, bad := range []string{"", "he llo", "hello:1:2", "../hello", strings.Repeat("x", 65)} {
			_, err := s.Function(bad, "")
			refused(t, err, "ValidationException", 400, "functionName")
			n := hello(t)
			n.Name = bad
			_, err = s.Create(n)
			refused(t, err, "ValidationException", 400, "functionName")
		}
	})
}

func TestSettingsRules(t *testing.T) {
	bubble(t, &preparing{}, func(t *testing.T, s *shop) {
		tests := []struct {
			edit      func(*catalog.Creation)
			exception string
			message   string
		}{
			{func(n *catalog.Creation) { n.Runtime = "cobol85" }, "InvalidParameterValueException", "Value cobol85 at 'runtime'"},
			{func(n *catalog.Creation) { n.Runtime = "" }, "InvalidParameterValueException", "mandatory"},
			{func(n *catalog.Creation) { n.Handler = "" }, "InvalidParameterValueException", "mandatory"},
			{func(n *catalog.Creation) { n.Handler = "a b" }, "ValidationException", "handler"},
			{func(n *catalog.Creation) { n.Memory = 127 << 20 }, "InvalidParameterValueException", "MemorySize"},
			{func(n *catalog.Creation) { n.Timeout = 901 * time.Second }, "ValidationException", "timeout"},
			{func(n *catalog.Creation) { n.Storage = 511 << 20 }, "ValidationException", "ephemeralStorage"},
			{func(n *catalog.Creation) { n.Description = strings.Repeat("x", 257) }, "ValidationException", "description"},
			{func(n *catalog.Creation) { n.Architecture = "riscv" }, "ValidationException", "architectures"},
			{func(n *catalog.Creation) { n.Start = "warp" }, "InvalidParameterValueException", "warp"},
			{func(n *catalog.Creation) { n.Environment = map[string]string{"AWS_REGION": "mars"} }, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION"},
			{func(n *catalog.Creation) { n.Environment = map[string]string{"A": strings.Repeat("x", 4096)} }, "InvalidParameterValueException", "4KB"},
			{func(n *catalog.Creation) { n.Environment = map[string]string{"A=B": "x"} }, "ValidationException", "environment"},
			{func(n *catalog.Creation) { n.Code = catalog.Code{} }, "InvalidParameterValueException", "required"},
			{func(n *catalog.Creation) { n.Code.Image = "x" }, "InvalidParameterValueException", "more than one"},
			{func(n *catalog.Creation) { n.Code = catalog.Code{Image: "x"} }, "InvalidParameterValueException", "runtime"},
			{func(n *catalog.Creation) { n.Code = catalog.Code{Folder: "code"} }, "InvalidParameterValueException", "absolute"},
			{func(n *catalog.Creation) { n.Code.Zip = []byte("no zip") }, "InvalidParameterValueException", "Could not unzip uploaded file."},
			{func(n *catalog.Creation) { n.Members = []string{"SnapStart"} }, "InvalidParameterValueException", "SnapStart is not supported"},
			{func(n *catalog.Creation) { n.Members = []string{"Anything"} }, "InvalidParameterValueException", "Anything"},
		}
		for _, tt := range tests {
			n := hello(t)
			tt.edit(&n)
			_, err := s.Create(n)
			refused(t, err, tt.exception, 400, tt.message)
		}
		n := hello(t)
		n.Members = []string{"KMSKeyArn", "TracingConfig"}
		must[catalog.Function](t)(s.Create(n))
	})
}

func TestCloseEndsWhatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &preparing{takes: time.Hour}, catalog.Options{})
		must[catalog.Function](t)(s.Create(hello(t)))
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.rt.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
