package scenarios

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestStruckURLs(t *testing.T) {
	for text, want := range map[string]string{
		"http://h/":                           "http://h/",
		"https://{function}.example.com/a@b":  "https://{function}.example.com/a@b",
		"http://me:pass@h:1/p":                "http://me:%5Bsecret%5D@h:1/p",
		"http://token@h":                      "http://%5Bsecret%5D@h",
		"http://me:p@ss@{function}.h/":        "http://me:%5Bsecret%5D@{function}.h/",
		"http://h/p?code=a=b&x=&word&&y=2#z?": "http://h/p?code=[secret]&x=[secret]&[secret]&&y=[secret]",
		"http://h#token=a":                    "http://h",
		"h.example.com:443/x?key=1":           "h.example.com:443/x?key=[secret]",
	} {
		got := struckURL(text)
		if got != want {
			t.Errorf("struckURL(%s) is %s, want %s", text, got, want)
		}
		if badURL(text) == "" && badURL(got) != "" {
			t.Errorf("struckURL(%s) is no URL any more: %s", text, badURL(got))
		}
	}
}

// withSecrets has a secret in each form that YAML has for a text, and its words
// again where they are none.
const withSecrets = `# above
name: code
description: "5esame, of the word 5esame" # a remark
platform:
  - name: http
    url: >-
      http://me:5pass@127.0.0.1:1/5esame?code=5query
    headers: {Plain: 5key in two words, "Single": '5key''s', Double: "5key\u0041", Own: {env: SHOP_KEY}, 'x': x}
  - name: lambda
    endpoint_url: 'http://me:5pass@127.0.0.1:1/'
functions: [{name: x, fixture: hello, env: {code: "5"}}]
phases:
  - {name: p, duration: 1s, arrivals: {process: gap, gap: 1s}}
expect:
  - {metric: latency.p99, max: 1s}
`

// Of a scenario is kept what it says, whichever of its platforms is chosen, and
// no secret; twice the same text.
func TestSecretsAreNotKept(t *testing.T) {
	for _, platform := range []string{"", "http", "lambda", "reference", "docker"} {
		o := Overrides{Platform: platform}
		s := load(t, withSecrets, o)
		for _, word := range []string{"5pass", "5query", "5key"} {
			if bytes.Contains(s.Text, []byte(word)) {
				t.Errorf("on platform %q %s is kept:\n%s", platform, word, s.Text)
			}
		}
		for _, rest := range []string{"# above", "# a remark", "5esame, of the word 5esame", "http://me:%5Bsecret%5D@127.0.0.1:1/5esame?code=[secret]", "{env: SHOP_KEY}", `'x': "[secret]"`} {
			if !bytes.Contains(s.Text, []byte(rest)) {
				t.Errorf("on platform %q %s is not kept:\n%s", platform, rest, s.Text)
			}
		}
		again := load(t, string(s.Text), o)
		if diff := cmp.Diff(string(s.Text), string(again.Text)); diff != "" {
			t.Errorf("on platform %q, kept (-once +twice):\n%s", platform, diff)
		}
		but := cmpopts.IgnoreFields(Scenario{}, "Text", "Platform", "Expect", "Notes") // places in the file, and the secrets
		if diff := cmp.Diff(s, again, but); diff != "" {
			t.Errorf("on platform %q, the scenario (-given +kept):\n%s", platform, diff)
		}
	}
}

// Without a secret the file is kept as it is.
func TestKeptAsItIs(t *testing.T) {
	const text = "\nname:   x\nplatform: {url:  'http://127.0.0.1:1/', name: http,  headers: {A: {env: B}}}\n" +
		"phases: [{name: p, duration: 1s, arrivals: {process: gap, gap: 1s}}]\n\n"
	if diff := cmp.Diff(text, string(load(t, text, Overrides{}).Text)); diff != "" {
		t.Errorf("kept (-given +got):\n%s", diff)
	}
}
