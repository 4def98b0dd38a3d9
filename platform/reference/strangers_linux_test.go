package reference

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// signer is one who signs requests, rightly or not.
type signer struct {
	key, secret string
	sent        string // in place of what was signed; "" for that
}

const (
	teamKey    = "COLDCURVETESTKEY"
	teamSecret = "a.secret.of.nobody/that.is.long.enough+"
)

// ask sends a request, signed if there is a signer.
func ask(t *testing.T, client *http.Client, method, url, body string, by *signer) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if by != nil {
		digest := sha256.Sum256([]byte(body))
		err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: by.key, SecretAccessKey: by.secret}, r,
			hex.EncodeToString(digest[:]), "lambda", "us-east-1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if by.sent != "" {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(by.sent)), int64(len(by.sent))
		}
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// TestEveryOperationWantsASignature holds each of them, and a function's URL,
// against a signer of ours and those who are none, over TLS.
func TestEveryOperationWantsASignature(t *testing.T) {
	folder := hello(t)
	addr, client := serveSigned(t)
	base := "https://" + addr
	ours := &signer{teamKey, teamSecret, ""}
	create := `{"FunctionName":"hello","Runtime":"provided.al2023","Timeout":10,"Role":"arn:aws:iam::1:role/r","Code":{"LocalFolder":` + folder + `}}`
	if r, text := ask(t, client, "POST", base+"/2015-03-31/functions", create, ours); r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %s %s", r.Status, text)
	}
	invoke := base + "/2015-03-31/functions/hello/invocations"
	awaitStatus(t, http.StatusOK, func() (*http.Response, string) { return ask(t, client, "POST", invoke, `{}`, ours) })
	for name, tt := range map[string]struct {
		by   *signer
		want string
	}{
		"nobody":                {nil, "MissingAuthenticationTokenException"},
		"with another secret":   {&signer{teamKey, strings.Repeat("x", 40), ""}, "InvalidSignatureException"},
		"with an unknown key":   {&signer{"COLDCURVEOTHERKEY", teamSecret, ""}, "UnrecognizedClientException"},
		"another body's signer": {&signer{teamKey, teamSecret, `{"FunctionName":"mine"}`}, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, op := range lambdaapi.Operations() {
				path := strings.Replace(strings.Replace(op.Path, "{}", "hello", 1), "{}", "live", 1)
				if op.Method == http.MethodGet && tt.by != nil && tt.by.sent != "" {
					continue // has no body
				}
				r, text := ask(t, client, op.Method, base+path, `{}`, tt.by)
				if got := r.Header.Get("X-Amzn-Errortype"); r.StatusCode != http.StatusForbidden || got != tt.want || !r.Close {
					t.Errorf("%s %s: %s %s %s, want %s", op.Method, op.Path, r.Status, got, text, tt.want)
				}
			}
		})
	}

	r, text := ask(t, client, "POST", base+"/2021-10-31/functions/hello/url", `{"AuthType":"AWS_IAM"}`, ours)
	var made struct {
		URL string `json:"FunctionUrl"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || !strings.HasPrefix(made.URL, base) {
		t.Fatalf("URL: %s %s, %v", r.Status, text, err)
	}
	for name, tt := range map[string]struct {
		by   *signer
		want int
	}{
		"ours": {ours, 200}, "nobody": {nil, 403}, "another secret": {&signer{teamKey, strings.Repeat("x", 40), ""}, 403},
		"unknown key": {&signer{"COLDCURVEOTHERKEY", teamSecret, ""}, 403}, "another body": {&signer{teamKey, teamSecret, `{"x":1}`}, 403},
	} {
		if r, text := ask(t, client, "POST", made.URL, `{}`, tt.by); r.StatusCode != tt.want || r.Close != (tt.want == 403) {
			t.Errorf("URL, %s: %s %s, kept %v", name, r.Status, text, !r.Close)
		}
	}
	if r, text := ask(t, client, "POST", invoke, `{}`, ours); r.StatusCode != http.StatusOK {
		t.Errorf("after all that: %s %s", r.Status, text)
	}
}

// hello is the folder of a function, as JSON. It is made before anything serves:
// that raises this process, and a compiler that it starts would starve the rest.
func hello(t *testing.T) string {
	t.Helper()
	built, err := fixtures.Build(t.Context(), fixtures.Spec{Name: "hello", Runtime: platform.Go, Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(built.Code)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// awaitStatus asks until the answer has a status.
func awaitStatus(t *testing.T, want int, ask func() (*http.Response, string)) {
	t.Helper()
	for range 12_000 {
		if r, _ := ask(); r.StatusCode == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r, text := ask()
	t.Fatalf("%s %s, want %d", r.Status, text, want)
}

// TestStrangersBodyIsNotRead: without a key of ours nobody has the runtime take
// in a large body, or wait for one.
func TestStrangersBodyIsNotRead(t *testing.T) {
	addr, client := serveSigned(t)
	for _, size := range []int64{1000, 60 << 20} {
		for _, path := range []string{"/2015-03-31/functions", "/lambda-url/nobody/"} {
			announce(t, client, "https://"+addr+path, size)
		}
	}
}

// announce begins a body that never comes.
func announce(t *testing.T, client *http.Client, path string, size int64) {
	t.Helper()
	never, hold := io.Pipe()
	defer hold.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", path, never)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = size
	answer, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s, %d bytes: %v", path, size, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("%s, %d bytes: got %s", path, size, answer.Status)
	}
}

// TestSlowCallersAreCutOff: who begins a request, or only a connection, and
// sends no more of it is not waited for.
func TestSlowCallersAreCutOff(t *testing.T) {
	limit := DefaultConnectionLimits().Header
	addr := serveHere(t, ServeOptions{})
	for name, begin := range map[string]string{
		"silent":        "",
		"half a header": "POST /2015-03-31/functions/x/invocations HTTP/1.1\r\nHost: localhost\r\n",
		"half a line":   "GET /coldcurve",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, begin); err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(3 * limit))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("still open after %v", 3*limit)
			}
		})
	}
}

func TestMostConnections(t *testing.T) {
	addr := serveHere(t, ServeOptions{Access: Access{Connections: 2}})
	const request = "GET /coldcurve/v1/usage HTTP/1.1\r\nHost: localhost\r\n\r\n"
	dial := func() net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	first, _ := dial(), dial() // the kernel hands them over in the order in which they came
	third := dial()
	if _, err := io.WriteString(third, request); err != nil {
		t.Fatal(err)
	}
	_ = third.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if n, err := third.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("beside two others: %d bytes, %v; want to wait", n, err)
	}
	first.Close()
	_ = third.SetReadDeadline(time.Now().Add(time.Minute))
	r, err := http.ReadResponse(bufio.NewReader(third), nil)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("once one has gone: %v, %v", r, err)
	}
}

// TestSizesOfBodies, each way to send too much.
func TestSizesOfBodies(t *testing.T) {
	folder := hello(t)
	base := "http://" + serveHere(t, ServeOptions{})
	create := `{"FunctionName":"hello","Runtime":"provided.al2023","Timeout":10,"Code":{"LocalFolder":` + folder + `}}`
	if r, text := ask(t, http.DefaultClient, "POST", base+"/2015-03-31/functions", create, nil); r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %s %s", r.Status, text)
	}
	awaitStatus(t, http.StatusOK, func() (*http.Response, string) {
		return ask(t, http.DefaultClient, "POST", base+"/2015-03-31/functions/hello/invocations", `{}`, nil)
	})
	_, text := ask(t, http.DefaultClient, "POST", base+"/2021-10-31/functions/hello/url", `{"AuthType":"NONE"}`, nil)
	var made struct {
		URL string `json:"FunctionUrl"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	const payload = 6 << 20
	for name, tt := range map[string]struct {
		method, url string
		size        int
	}{
		"payload":       {"POST", base + "/2015-03-31/functions/hello/invocations", payload + 1},
		"configuration": {"PUT", base + "/2015-03-31/functions/hello/configuration", 1<<20 + 1},
		"no operation":  {"POST", base + "/nothing", 1<<20 + 1},
		"URL":           {"POST", made.URL, payload + 1},
	} {
		for _, length := range []int64{int64(tt.size), -1} { // told, and in chunks
			var answer *http.Response
			err := errors.New("not sent")
			for tries := 0; tries < 5 && err != nil; tries++ { // who is slow to read the answer may meet the connection's end while writing
				r, bad := http.NewRequestWithContext(t.Context(), tt.method, tt.url, bytes.NewReader(bytes.Repeat([]byte(" "), tt.size)))
				if bad != nil {
					t.Fatal(bad)
				}
				r.ContentLength = length
				answer, err = http.DefaultTransport.RoundTrip(r)
			}
			if err != nil {
				t.Errorf("%s, length %d: %v", name, length, err)
				continue
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s, length %d: %s", name, length, answer.Status)
			}
		}
	}
}

// TestBadUploadsLeaveNothing: what is wrong with an archive is Lambda's error to
// its sender, and no file anywhere.
func TestBadUploadsLeaveNothing(t *testing.T) {
	data := t.TempDir()
	base := "http://" + serveHere(t, ServeOptions{Data: data})
	before := files(t, data)
	for name, archive := range map[string][]byte{
		"traversal":           archived(t, func(h *zip.FileHeader) { h.Name = "../../outside" }, "x"),
		"absolute":            archived(t, func(h *zip.FileHeader) { h.Name = "/tmp/coldcurve-outside" }, "x"),
		"backslashes":         archived(t, func(h *zip.FileHeader) { h.Name = `..\outside` }, "x"),
		"link that leads out": archived(t, func(h *zip.FileHeader) { h.SetMode(0o777 | fs.ModeSymlink) }, "/etc/passwd"),
		"device":              archived(t, func(h *zip.FileHeader) { h.SetMode(0o666 | fs.ModeDevice) }, ""),
		"bomb":                archived(t, nil, strings.Repeat("\x00", 251<<20)),
		"no archive":          []byte("PK nonsense"),
	} {
		request, err := json.Marshal(map[string]any{
			"FunctionName": "bad", "Runtime": "provided.al2023", "Role": "arn:aws:iam::1:role/r", "Handler": "x", "Code": map[string]any{"ZipFile": archive},
		})
		if err != nil {
			t.Fatal(err)
		}
		r, text := ask(t, http.DefaultClient, "POST", base+"/2015-03-31/functions", string(request), nil)
		if got := r.Header.Get("X-Amzn-Errortype"); r.StatusCode != http.StatusBadRequest || got != "InvalidParameterValueException" && got != "InvalidZipFileException" {
			t.Errorf("%s: %s %s %.300s", name, r.Status, got, text)
		}
		if after := files(t, data); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: files are %q, were %q", name, after, before)
		}
	}
	for _, path := range []string{"/tmp/coldcurve-outside", filepath.Join(data, "outside"), filepath.Join(filepath.Dir(data), "outside")} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s has been made", path)
		}
	}
	if r, text := ask(t, http.DefaultClient, "GET", base+"/2015-03-31/functions/bad", "", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("the function: %s %s", r.Status, text)
	}
}

// archived is an archive of one file.
func archived(t *testing.T, edit func(*zip.FileHeader), content string) []byte {
	t.Helper()
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	if edit != nil {
		edit(h)
	}
	f, err := z.CreateHeader(h)
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// files are the regular files and links below a folder.
func files(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestDestinationsStayInTheirFolder, by the API that sets them.
func TestDestinationsStayInTheirFolder(t *testing.T) {
	create := `{"FunctionName":"hello","Runtime":"provided.al2023","Code":{"LocalFolder":` + hello(t) + `}}`
	base := "http://" + serveHere(t, ServeOptions{Data: t.TempDir()})
	if r, text := ask(t, http.DefaultClient, "POST", base+"/2015-03-31/functions", create, nil); r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %s %s", r.Status, text)
	}
	path := base + "/2019-09-25/functions/hello/event-invoke-config"
	for name, want := range map[string]int{"fine": 200, "..": 400, "../up": 400, "a/b": 400, "/etc": 400, ".hidden": 400, "a\\u0000b": 400, "": 400} {
		for _, side := range []string{"OnFailure", "OnSuccess"} {
			r, text := ask(t, http.DefaultClient, "PUT", path, `{"DestinationConfig":{"`+side+`":{"Destination":"file:`+name+`"}}}`, nil)
			if r.StatusCode != want {
				t.Errorf("%s file:%s: %s %s, want %d", side, name, r.Status, text, want)
			}
		}
	}
}
