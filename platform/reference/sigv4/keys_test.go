package sigv4_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/reference/sigv4"
)

func TestKeysFaults(t *testing.T) {
	const id, key = "aws_access_key_id = COLDCURVETESTKEY\n", "aws_secret_access_key = a.secret.of.nobody/that.is.long.enough+\n"
	for _, tt := range []struct{ text, want string }{
		{keysText, ""},
		{"[a]\r\n" + strings.ReplaceAll(id+key, "\n", "\r\n"), ""},
		{"", "keys:1: no keys"},
		{"# nothing\n", "keys:1: no keys"},
		{id, "keys:1: a setting before"},
		{"[a]\n" + id, "keys:2: [a] ends without both"},
		{"[a]\n" + id + "[b]\n" + id + key, "keys:3: [a] ends without both"},
		{"[a]\n" + id + key + "[b]\n" + id + key, "keys:6: [b] has the aws_access_key_id of [a]"},
		{"[a]\n" + id + key + "[a]\n", "keys:4: [a] is there twice"},
		{"[a]\n" + id + id, "keys:3: aws_access_key_id is given twice"},
		{"[a]\naws_access_key_id = short\n", "keys:2: aws_access_key_id is not"},
		{"[a]\naws_secret_access_key = short\n", "keys:2: aws_secret_access_key is not"},
		{"[a]\nregion = us-east-1\n", "keys:2: a setting that is not"},
		{"[a]\nnonsense\n", "keys:2: neither"},
		{"[a b]\n", "keys:1: a section is"},
		{"[a\n", "keys:1: a section is"},
		{strings.Repeat("# long\n", 1<<18), "longer than"},
	} {
		_, err := sigv4.ParseKeys("keys", strings.NewReader(tt.text))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%.40q: %v", tt.text, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

// FuzzKeys: whatever the file holds, its fault does not tell a secret.
func FuzzKeys(f *testing.F) {
	f.Add(keysText, "")
	f.Add("[a]\naws_secret_access_key ", "hunter2hunter2hunter2")
	f.Fuzz(func(t *testing.T, text, secret string) {
		if len(secret) < 12 || strings.Contains(text, secret) || strings.ContainsAny(secret, "[]") || strings.Contains("aws_secret_access_key aws_access_key_id", secret) {
			t.Skip()
		}
		keys, err := sigv4.ParseKeys("keys", strings.NewReader(text+secret))
		if (err == nil) != (keys != nil && keys.Len() > 0) {
			t.Errorf("%v, %v", keys, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the fault tells what the file holds: %v", err)
		}
	})
}

func TestKeysFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing here")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(keysText), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o600: "", 0o400: "", 0o640: "chmod 600", 0o604: "chmod 600", 0o620: "chmod 600"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		keys, err := sigv4.ReadKeys(path)
		if want == "" && (err != nil || keys.Len() != 2) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("mode %#o: %v, want %q", mode, err, want)
		}
	}
	if _, err := sigv4.ReadKeys(t.TempDir()); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("a folder: %v", err)
	}
}
