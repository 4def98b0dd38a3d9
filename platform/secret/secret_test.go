package secret_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/secret"
)

func TestStrike(t *testing.T) {
	var k secret.Known
	k.Add("tOkEn/VaLuE+7g==", "tOkEn/VaLuE+7g==and-more", "", "abc", "sesame", "p.w+d", "say \"friend\"\x7f")
	const webToken = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"
	for text, want := range map[string]string{
		"token:tOkEn/VaLuE+7g==\nnext":                      "token:[secret]\nnext",
		"tOkEn/VaLuE+7g==and-more":                          "[secret]",
		"?t=tOkEn%2FVaLuE%2B7g%3D%3D&x=1":                   "?t=[secret]&x=1",
		"an abc of it":                                      "an abc of it",
		"open sesame, not sesames":                          "open [secret], not sesames",
		"xp.w+dx":                                           "xp.w+dx",
		"AWS4 Signature=00112233445566778899":               "AWS4 Signature=[secret]",
		`parse "say \"friend\"\x7f@proxy"`:                  `parse "[secret]@proxy"`,
		"it has " + webToken + ", expired":                  "it has [secret], expired",
		"Authorization: Bearer " + webToken:                 "Authorization: Bearer [secret]",
		"authorization: basic dXNlcjpwYXNzd29yZDEyMw==, no": "authorization: basic [secret], no",
		`Bearer realm="a", error="invalid_token"`:           `Bearer realm="a", error="invalid_token"`,
		"nothing": "nothing",
	} {
		if got := k.Strike(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestNobodysSecrets wants a platform without any to need no case of its own.
func TestNobodysSecrets(t *testing.T) {
	var none *secret.Known
	if got := none.Words("as\nit is"); got != "as it is" {
		t.Errorf("got %q", got)
	}
}

// TestWordsAreCutLast wants no half of a secret at the end of what is told.
func TestWordsAreCutLast(t *testing.T) {
	var k secret.Known
	value := strings.Repeat("s3cr3t", 20)
	k.Add(value)
	for before := range 300 {
		if got := k.Words(strings.Repeat("x", before) + value); strings.Contains(got, "s3cr3t") || len(got) > 260 {
			t.Fatalf("after %d bytes: %q", before, got)
		}
	}
}

func TestError(t *testing.T) {
	var k secret.Known
	k.Add("hidden-value")
	inner := &told{"it said hidden-value"}
	got := k.Error(inner)
	if found, ok := errors.AsType[*told](got); got.Error() != "it said [secret]" || !ok || found != inner {
		t.Errorf("got %q, of %v", got, found)
	}
	if got := k.Error(io.EOF); got != io.EOF {
		t.Errorf("an error without a secret became %#v", got)
	}
}

type told struct{ text string }

func (t *told) Error() string { return t.text }
