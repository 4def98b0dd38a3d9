package sigv4

import (
	"net/http"
	"testing"
	"time"
)

// TestTheExampleOfAWS is the request that AWS's documentation of Signature
// Version 4 signs step by step; it is inside the package because its access key
// is too short for a keys file.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func TestTheExampleOfAWS(t *testing.T) {
	checker, err := New(Options{
		Keys:    &Keys{byID: map[string]key{"AKIDEXAMPLE": {"example", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}}},
		Service: "iam",
		Now:     func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
	if owner, err := checker.Check(r, nil); err != nil || owner != "example" {
		t.Errorf("owner %q, %v", owner, err)
	}
}
