package catalog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// kept opens a catalogue on a folder in a bubble of its own, and closes it after.
func kept(t *testing.T, data string, test func(*testing.T, *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &preparing{takes: time.Second}, catalog.Options{Data: data})
		defer s.close()
		test(t, s)
	})
}

// account is everything that a catalogue tells of hello, but for its states.
func (s *shop) account() map[string]any {
	s.t.Helper()
	all := make(map[string]any)
	versions, _, err := s.Versions("hello", catalog.Page{})
	for i := range versions {
		v := &versions[i]
		v.State, v.StateReason, v.StateReasonCode, v.Modified = "", "", "", v.Modified.Round(0)
	}
	aliases, _, err2 := s.Aliases("hello", "", catalog.Page{})
	urls, _, err3 := s.URLs("hello", catalog.Page{})
	events, _, err4 := s.EventInvokes("hello", catalog.Page{})
	provisioned, _, err5 := s.ProvisionedAll("hello", catalog.Page{})
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		s.t.Fatal(err)
	}
	for i := range urls {
		urls[i].Created, urls[i].Modified = urls[i].Created.Round(0), urls[i].Modified.Round(0)
	}
	for i := range events {
		events[i].Modified = events[i].Modified.Round(0)
	}
	var asked []string
	for _, p := range provisioned {
		asked = append(asked, fmt.Sprint(p.ARN, p.Requested))
	}
	policy, err6 := s.Policy("hello", "live")
	tags, err7 := s.Tags(arn)
	if err := errors.Join(err6, err7); err != nil {
		s.t.Fatal(err)
	}
	all["policy"], all["tags"] = policy, tags
	all["versions"], all["aliases"], all["urls"], all["events"], all["provisioned"] = versions, aliases, urls, events, asked
	return all
}

func TestFunctionsAreThereAgain(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	var before map[string]any
	var id string
	kept(t, data, func(t *testing.T, s *shop) {
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
		s.publish()
		s.answers("second ")
		s.publish()
		must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1", Weights: map[string]float64{"2": .25}, Description: "both"}))
		id = must[catalog.URL](t)(s.CreateURL("hello", "live", catalog.URLSettings{AuthType: "NONE"})).ID
		one := 1
		must[catalog.EventInvoke](t)(s.PutEventInvoke("hello", "live", catalog.EventInvoke{Retries: &one}))
		must[catalog.Provisioned](t)(s.PutProvisioned("hello", "2", 1))
		must[string](t)(s.AddPermission("hello", "live", invokable("bucket"), ""))
		if err := s.Tag(arn, map[string]string{"team": "shop"}, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.PutConcurrency("hello", 5); err != nil {
			t.Fatal(err)
		}
		before = s.account()
	})
	kept(t, data, func(t *testing.T, s *shop) {
		f := must[catalog.Function](t)(s.Function("hello", "1"))
		if f.State != catalog.Pending || f.StateReasonCode != "Restoring" {
			t.Errorf("at first: %+v", f)
		}
		s.settle()
		s.settle()
		if diff := cmp.Diff(before, s.account()); diff != "" {
			t.Errorf("after a restart (-before +after):\n%s", diff)
		}
		for qualifier, want := range map[string]string{"": "second $LATEST", "1": "first 1", "2": "second 2"} {
			if got := s.invoke("hello", qualifier); got != want {
				t.Errorf("%q answers %q, want %q", qualifier, got, want)
			}
		}
		if u, err := s.FindURL(id); err != nil || u.Qualifier != "live" {
			t.Errorf("its URL: %+v, %v", u, err)
		}
		if err := s.Delete(t.Context(), "hello", ""); err != nil {
			t.Error(err)
		}
	})
	kept(t, data, func(t *testing.T, s *shop) {
		if list, _, _ := s.List(catalog.Page{}, true); len(list) != 0 {
			t.Errorf("deleted functions are there again: %v", list)
		}
		if left, err := os.ReadDir(filepath.Join(data, "code")); len(left) != 0 || err != nil {
			t.Errorf("code is left: %v, %v", left, err)
		}
	})
}

// TestUpdateThatNeverCameThrough: what served before it serves after a
// restart, too.
func TestUpdateThatNeverCameThrough(t *testing.T) {
	data := t.TempDir()
	kept(t, data, func(t *testing.T, s *shop) {
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
		must[catalog.Function](t)(s.UpdateSettings("hello", catalog.SettingsUpdate{Environment: map[string]string{"BROKEN": "yes"}}))
		s.settle()
	})
	kept(t, data, func(t *testing.T, s *shop) {
		s.settle()
		f := must[catalog.Function](t)(s.Function("hello", ""))
		if f.State != catalog.Active || f.Update != catalog.UpdateFailed {
			t.Errorf("after a restart: %+v", f)
		}
		if got := s.invoke("hello", ""); got != "first $LATEST" {
			t.Errorf("it answers %q", got)
		}
	})
}

func TestTemporaryFolderIsGoneAfterClose(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	bubble(t, &preparing{}, func(t *testing.T, s *shop) {
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
	})
	if left, err := os.ReadDir(os.TempDir()); len(left) != 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestFolderIsForOneProcess(t *testing.T) {
	data := t.TempDir()
	s := open(t, &preparing{}, catalog.Options{Data: data})
	if _, err := tryOpen(t, &preparing{}, catalog.Options{Data: data}); err == nil || !strings.Contains(err.Error(), "another process uses "+data) {
		t.Errorf("the second gets %v", err)
	}
	s.close()
	open(t, &preparing{}, catalog.Options{Data: data}).close()
}

// document gives the only document of a folder.
func document(t testing.TB, data string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "functions", "*.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("documents: %v, %v", found, err)
	}
	return found[0]
}

func TestDamagedDocumentIsNamedAndStays(t *testing.T) {
	data := t.TempDir()
	kept(t, data, func(t *testing.T, s *shop) {
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
	})
	path := document(t, data)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damages := map[string][]byte{
		"empty":          nil,
		"half":           whole[:len(whole)/2],
		"another schema": bytes.Replace(whole, []byte("function/v1"), []byte("function/v9"), 1),
		"another name":   bytes.Replace(whole, []byte(`"name": "hello"`), []byte(`"name": "other"`), 1),
		"a member more":  bytes.Replace(whole, []byte(`"name"`), []byte(`"colour": 1, "name"`), 1),
		"something more": append(bytes.Clone(whole), "{}"...),
		"no such code":   bytes.Replace(whole, []byte(`"sha256": "`), []byte(`"sha256": "x`), 1),
	}
	for name, text := range damages {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := tryOpen(t, &preparing{}, catalog.Options{Data: data})
		if err == nil || !strings.Contains(err.Error(), "hello") {
			t.Errorf("%s: got %v, want an error that names the function's file", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, text) {
			t.Errorf("%s: the document was changed", name)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	kept(t, data, func(t *testing.T, s *shop) {
		s.settle()
		s.invoke("hello", "") // its code has not been swept meanwhile
	})
}

// TestKilledWhileSaving: whichever step a save is cut off at, the next process
// finds the state before it or after it, whole.
func TestKilledWhileSaving(t *testing.T) {
	cut := errors.New("cut off")
	for _, step := range []string{"create", "write", "sync", "rename", "sync folder"} {
		t.Run(step, func(t *testing.T) {
			data := t.TempDir()
			var first, last string
			kept(t, data, func(t *testing.T, s *shop) {
				first = must[catalog.Function](t)(s.Create(hello(t))).Revision
				s.settle()
				first = must[catalog.Function](t)(s.Function("hello", "")).Revision
				s.FailSaves(func(at string) error {
					if at == step {
						return cut
					}
					return nil
				})
				_, err := s.Publish("hello", catalog.Publication{})
				refused(t, err, "ServiceException", 500, "could not be kept")
				if !errors.Is(err, cut) {
					t.Errorf("the cause is not told: %v", err)
				}
				if _, err := s.Function("hello", "1"); err == nil {
					t.Error("what was not kept is seen")
				}
				s.settle()
				last = s.invoke("hello", "")
				s.FailSaves(nil)
			})
			kept(t, data, func(t *testing.T, s *shop) {
				s.settle()
				s.settle()
				f := must[catalog.Function](t)(s.Function("hello", ""))
				if f.Revision != first || s.invoke("hello", "") != last {
					t.Errorf("after the restart: %+v", f)
				}
				one, err := s.Function("hello", "1")
				if kept := step == "sync folder"; kept != (err == nil) {
					t.Errorf("version 1 is %+v, %v", one, err)
				}
				if err == nil && s.invoke("hello", "1") != "first 1" {
					t.Error("version 1 is there and does not answer")
				}
				if left, _ := filepath.Glob(filepath.Join(data, "functions", "*.tmp")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		})
	}
}

func TestFailedCreationLeavesNothing(t *testing.T) {
	data := t.TempDir()
	kept(t, data, func(t *testing.T, s *shop) {
		s.FailSaves(func(string) error { return errors.New("disk full") })
		_, err := s.Create(hello(t))
		refused(t, err, "ServiceException", 500, "disk full")
		if left, _ := os.ReadDir(filepath.Join(data, "code")); len(left) > 0 {
			t.Errorf("code is left: %v", left)
		}
		s.FailSaves(nil)
		must[catalog.Function](t)(s.Create(hello(t)))
		s.settle()
		s.FailSaves(func(string) error { return errors.New("disk full") })
		refused(t, s.Delete(t.Context(), "hello", ""), "ServiceException", 500, "disk full")
		s.invoke("hello", "")
		s.FailSaves(nil)
	})
}

// TestEverythingAtOnce changes, publishes, routes, deletes and calls the same
// functions from many goroutines. Every call is answered by what some caller
// had set, or refused for a reason that somebody gave.
func TestEverythingAtOnce(t *testing.T) {
	s := open(t, &preparing{}, catalog.Options{})
	defer s.close()
	var all sync.WaitGroup
	var answered, published atomic.Uint64
	giveUp := time.Now().Add(time.Minute)
	enough := func() bool {
		return answered.Load() >= 1000 && published.Load() >= 10 || time.Now().After(giveUp)
	}
	loop := func(do func(i int) error) {
		all.Go(func() {
			for i := 0; !enough(); i++ {
				time.Sleep(time.Millisecond)
				err := do(i)
				e, ok := errors.AsType[*catalog.Error](err)
				if err != nil && (!ok || e.Status >= 500) {
					t.Errorf("got %v", err)
					return
				}
			}
		})
	}
	names := []string{"one", "two"}
	for g, name := range names {
		n := hello(t)
		n.Name = name
		loop(func(int) error { _, err := s.Create(n); return err })
		loop(func(i int) error {
			_, err := s.UpdateSettings(name, catalog.SettingsUpdate{Environment: map[string]string{"ANSWER": fmt.Sprint("set ", i, " ")}})
			return err
		})
		loop(func(i int) error {
			_, err := s.UpdateCode(name, catalog.CodeUpdate{Code: catalog.Code{Zip: archive(t, map[string]string{"bootstrap": fmt.Sprint(i % 3)})}})
			return err
		})
		loop(func(int) error {
			_, err := s.Publish(name, catalog.Publication{})
			if err == nil {
				published.Add(1)
			}
			return err
		})
		loop(func(int) error {
			_, err := s.CreateAlias(name, catalog.Alias{Name: "live", Version: "1", Weights: map[string]float64{"2": .5}})
			return err
		})
		loop(func(i int) error { return s.Delete(t.Context(), name, fmt.Sprint(1+i%20)) })
		loop(func(int) error { _, _, err := s.Versions(name, catalog.Page{}); return err })
		for _, qualifier := range []string{"", "1", "live"} {
			loop(func(int) error {
				out, err := s.Invoke(t.Context(), name, qualifier, engine.Invocation{})
				if err == nil {
					answered.Add(1)
				}
				if err == nil && !strings.HasPrefix(string(out.Body), "set ") && !strings.HasPrefix(string(out.Body), "first ") {
					t.Errorf("%s:%s answers %q", name, qualifier, out.Body)
				}
				return err
			})
		}
		if g == 0 {
			loop(func(int) error {
				time.Sleep(50 * time.Millisecond)
				return s.Delete(t.Context(), name, "")
			})
		}
	}
	all.Wait()
	if time.Now().After(giveUp) {
		t.Errorf("within a minute %d calls were answered and %d versions published", answered.Load(), published.Load())
	}
}

func TestResolveDoesNotAllocate(t *testing.T) {
	s := open(t, &preparing{}, catalog.Options{})
	defer s.close()
	must[catalog.Function](t)(s.Create(hello(t)))
	for {
		if f := must[catalog.Function](t)(s.Function("hello", "")); f.State != catalog.Pending {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.publish()
	description := "another"
	must[catalog.Function](t)(s.UpdateSettings("hello", catalog.SettingsUpdate{Description: &description}))
	for {
		if _, err := s.Publish("hello", catalog.Publication{}); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	must[catalog.Alias](t)(s.CreateAlias("hello", catalog.Alias{Name: "live", Version: "1", Weights: map[string]float64{"2": .5}}))
	for _, name := range [][2]string{{"hello", ""}, {"hello", "1"}, {"hello", "live"}, {"hello:live", ""}, {arn + ":live", ""}} {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := s.Resolve(name[0], name[1]); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("Resolve of %v allocates %v times", name, n)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	s := open(b, &preparing{}, catalog.Options{})
	defer s.close()
	must[catalog.Function](b)(s.Create(hello(b)))
	for {
		if _, err := s.Resolve("hello", ""); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, name := range []string{"hello", arn} {
		b.Run("name="+name[:min(len(name), 5)], func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Resolve(name, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzDocument: whatever a document holds, reading it ends in an error or in a
// record that is written and read again to the same bytes.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"schema":"coldcurve.function/v1","name":"hello","latest":{"version":"$LATEST","settings":{"runtime":"wasm"},"package":{"sha256":"","folder":"/x"}}}`))
	f.Add([]byte(`{"schema":"coldcurve.function/v1","name":"a","published":2,"latest":{"version":"$LATEST","package":{"image":"x"}},` +
		`"versions":[{"version":"1","package":{"image":"x"}},{"version":"2","package":{"image":"x"}}],` +
		`"aliases":[{"name":"live","version":"1","weights":{"2":0.5}}],"urls":[{"id":"x","qualifier":"live"}],` +
		`"events":[{"qualifier":"$LATEST"}],"provisioned":[{"qualifier":"1","count":1}]}`))
	f.Add([]byte(`{"schema":"coldcurve.function/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		once, err := catalog.RewriteDocument(text)
		if err != nil {
			return
		}
		twice, err := catalog.RewriteDocument(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("written again: %v\n%s\n%s", err, once, twice)
		}
	})
}
