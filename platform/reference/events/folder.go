package events

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Watch is a folder that stands for a bucket: a file that is complete in it is
// an object created. Folders inside it are not watched, names that begin with a
// dot are passed over, and so is whatever is not a regular file.
type Watch struct {
	Bucket              string // as the function is told it; unique in a Watcher
	Folder              string
	Prefix, Suffix      string // of the names that count; "" for all
	Function, Qualifier string
}

// wants says whether a file of that name is an object of the watch.
func (w *Watch) wants(name string) bool {
	return !strings.HasPrefix(name, ".") && strings.HasPrefix(name, w.Prefix) && strings.HasSuffix(name, w.Suffix)
}

// object is a file that is complete.
type object struct {
	name     string
	size     int64
	modified time.Time
	how      string // Put: it was written here; Copy: it was moved here
}

// notification is S3's event with one record, as far as it can be true here.
type notification struct {
	Records []objectRecord
}

type objectRecord struct {
	Version string    `json:"eventVersion"`
	Source  string    `json:"eventSource"`
	Region  string    `json:"awsRegion"`
	Time    string    `json:"eventTime"`
	Name    string    `json:"eventName"`
	Who     principal `json:"userIdentity"`
	S3      objectS3  `json:"s3"`
}

type principal struct {
	ID string `json:"principalId"`
}

type objectS3 struct {
	Version       string       `json:"s3SchemaVersion"`
	Configuration string       `json:"configurationId"`
	Bucket        objectBucket `json:"bucket"`
	Object        objectEntry  `json:"object"`
}

type objectBucket struct {
	Name  string    `json:"name"`
	Owner principal `json:"ownerIdentity"`
	ARN   string    `json:"arn"`
}

// objectEntry is S3's, and the file's path: there is no S3 to read it from.
type objectEntry struct {
	Key       string `json:"key"` // encoded as in a form, as S3 does
	Size      int64  `json:"size"`
	ETag      string `json:"eTag"` // no MD5: it differs where the content may
	Sequencer string `json:"sequencer"`
	LocalPath string `json:"localPath"` // ours
}

// payload is what the function gets.
func (w *Watch) payload(o object, region string) []byte {
	sum := fnv.New128a()
	fmt.Fprintf(sum, "%s %d %d", o.name, o.size, o.modified.UnixNano())
	owner := principal{ID: account}
	text, err := json.Marshal(notification{[]objectRecord{{
		Version: "2.1", Source: "aws:s3", Region: region,
		Time: o.modified.UTC().Format("2006-01-02T15:04:05.000Z"),
		Name: "ObjectCreated:" + o.how, Who: owner,
		S3: objectS3{
			Version: "1.0", Configuration: "coldcurve",
			Bucket: objectBucket{Name: w.Bucket, Owner: owner, ARN: "arn:aws:s3:::" + w.Bucket},
			Object: objectEntry{
				Key: url.QueryEscape(o.name), Size: o.size, ETag: fmt.Sprintf("%x", sum.Sum(nil)),
				Sequencer: fmt.Sprintf("%016X", o.modified.UnixNano()),
				LocalPath: filepath.Join(w.Folder, o.name),
			},
		},
	}}})
	if err != nil {
		panic(err) // texts and numbers can be marshalled
	}
	return text
}

// Awaited is a file that is about to appear: who wants to know how its event
// ends, and who its invocation is accounted to.
type Awaited struct {
	Done            func(Result)
	Consumer, Stage string
}

// event is the invocation that an object causes; fired is when it was complete.
func (w *Watch) event(o object, region string, fired int64, a Awaited) Event {
	return Event{
		Function: w.Function, Qualifier: w.Qualifier, Done: a.Done,
		Invocation: engine.Invocation{
			Payload: w.payload(o, region), Trigger: sample.Folder, Triggered: fired, Consumer: a.Consumer, Stage: a.Stage,
		},
	}
}
