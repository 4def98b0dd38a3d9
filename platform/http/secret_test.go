package http

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
)

// token is a JSON Web Token that expires so long from now, or has.
func token(in time.Duration) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"RS256"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, time.Now().Add(in).Unix())) + "." + part("signature")
}

// tool puts a program of that name, alone, on the PATH.
func tool(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestFindSecret(t *testing.T) {
	good := token(time.Hour)
	for _, tt := range []struct {
		name   string
		preset string
		script string // of gcloud; "" for none there
		env    string
		want   string // the secret; "" for none
		from   string
		lack   string
		fails  string
	}{
		{name: "the environment before the tool", preset: "cloudrun", script: "echo other", env: good, want: good, from: SecretVariable},
		{name: "the tool", preset: "cloudrun", script: "echo " + good, want: good, from: "gcloud auth print-identity-token"},
		{name: "no tool", preset: "cloudrun", lack: "COLDCURVE_TOKEN is not set, and gcloud is not on the PATH"},
		{name: "a tool that fails", preset: "cloudrun", script: "echo you are not signed in >&2; echo >&2; echo so sign in >&2; exit 1", lack: "gcloud auth print-identity-token: exit status 1: you are not signed in"},
		{name: "a tool that fails and tells the token", preset: "cloudrun", script: "echo " + good + " is refused >&2; exit 1", lack: "gcloud auth print-identity-token: exit status 1: [secret] is refused"},
		{name: "a tool that fails and tells what it prints", preset: "cloudrun", script: "echo opaque.of-google; echo not opaque.of-google >&2; exit 1", lack: "gcloud auth print-identity-token: exit status 1: not [secret]"},
		{name: "a tool that fails at the proxy", preset: "cloudrun", script: "echo no proxy at $HTTPS_PROXY >&2; exit 1", lack: "gcloud auth print-identity-token: exit status 1: no proxy at http://[secret]@192.0.2.1"},
		{name: "a tool that says nothing", preset: "cloudrun", script: ":", lack: "gcloud auth print-identity-token gives none"},
		{name: "a tool that talks", preset: "cloudrun", script: "echo Updates are available", fails: "is no identity token"},
		{name: "expired", preset: "cloudrun", env: token(-time.Minute), fails: "the identity token of COLDCURVE_TOKEN expired at "},
		{name: "a key that is no token", preset: "azure", env: "k3y==", want: "k3y==", from: SecretVariable},
		{name: "nobody to ask", preset: "azure", lack: "COLDCURVE_TOKEN is not set"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("HTTPS_PROXY", "http://me:correct-horse@192.0.2.1")
			if tt.script != "" {
				tool(t, "gcloud", tt.script)
			}
			p, err := FindPreset(tt.preset)
			if err != nil {
				t.Fatal(err)
			}
			got, err := FindSecret(t.Context(), &p, func(string) string { return tt.env })
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) || platform.HintOf(err) != p.Credential.Advice {
					t.Errorf("got %v, want %q and the preset's advice", err, tt.fails)
				}
				return
			}
			if err != nil || got.text != tt.want || got.From != tt.from || got.Lack != tt.lack {
				t.Errorf("got %v (lack %q), %v, want it from %q (lack %q)", got, got.Lack, err, tt.from, tt.lack)
			}
		})
	}
}

// TestSecretIsNotPrinted tries every verb that a careless line may have.
func TestSecretIsNotPrinted(t *testing.T) {
	text := token(time.Hour)
	o := Options{Secret: newSecret(text, SecretVariable)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if printed := fmt.Sprintf(verb, o); strings.Contains(printed, text) {
			t.Errorf("%s prints it: %s", verb, printed)
		}
	}
}

// TestReadableSecret wants nothing secret to cross a network without TLS.
func TestReadableSecret(t *testing.T) {
	for url, want := range map[string]string{
		"http://192.0.2.1/":       "192.0.2.1 is not this machine, and the token of COLDCURVE_TOKEN would cross the network readable: write https://",
		"http://127.0.0.1:8080/":  "",
		"http://localhost:8080/":  "",
		"https://192.0.2.1:8080/": "",
	} {
		_, err := New(Options{URL: url, Preset: "knative", Secret: newSecret("abc", SecretVariable)})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if _, err := New(Options{URL: "http://192.0.2.1/?code=abc", Preset: "azure"}); err == nil || !strings.Contains(err.Error(), "the function key of the URL would cross") {
		t.Errorf("a key in the URL: %v", err)
	}
}
