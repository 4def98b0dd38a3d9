package sample_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// line is the documented format, for encoding/json as the oracle.
type line struct {
	Seq       uint64           `json:"seq,omitempty"`
	Phase     string           `json:"phase,omitempty"`
	Function  string           `json:"fn,omitempty"`
	Consumer  string           `json:"for,omitempty"`
	Stage     string           `json:"stage,omitempty"`
	Trigger   string           `json:"via,omitempty"`
	Intended  time.Duration    `json:"at,omitempty"`
	Sent      time.Duration    `json:"sent,omitempty"`
	FirstByte time.Duration    `json:"first,omitempty"`
	Done      time.Duration    `json:"done,omitempty"`
	Start     sample.Start     `json:"start,omitempty"`
	Grade     sample.Grade     `json:"grade,omitempty"`
	Instance  string           `json:"inst,omitempty"`
	Trig      time.Duration    `json:"trig,omitempty"`
	Queue     time.Duration    `json:"queue,omitempty"`
	Provision time.Duration    `json:"prov,omitempty"`
	Boot      time.Duration    `json:"boot,omitempty"`
	Init      time.Duration    `json:"init,omitempty"`
	Handler   time.Duration    `json:"handler,omitempty"`
	Billed    time.Duration    `json:"billed,omitempty"`
	Err       sample.ErrorKind `json:"err,omitempty"`
}

func (l line) sample() sample.Sample {
	return sample.Sample{
		Seq: l.Seq, Phase: l.Phase, Function: l.Function, Consumer: l.Consumer, Stage: l.Stage, Trigger: l.Trigger,
		Intended: l.Intended, Sent: l.Sent, FirstByte: l.FirstByte, Done: l.Done,
		Start: l.Start, Grade: l.Grade, Instance: l.Instance,
		Breakdown: sample.Breakdown{Trigger: l.Trig, Queue: l.Queue, Provision: l.Provision, Boot: l.Boot, Init: l.Init, Handler: l.Handler},
		Billed:    l.Billed, Err: l.Err,
	}
}

func full() sample.Sample {
	return sample.Sample{
		Seq: 41, Phase: "spike", Function: "hello", Consumer: "team a", Stage: "prod", Trigger: sample.Async,
		Intended: 4200 * time.Millisecond, Sent: 4200001234, FirstByte: 4250000000, Done: 4250001000,
		Start: sample.Cold, Grade: sample.Observed, Instance: "hello-7f",
		Breakdown: sample.Breakdown{Trigger: 6, Queue: 1, Provision: 2, Boot: 3, Init: 4, Handler: 5},
		Billed:    50 * time.Millisecond, Err: sample.Timeout,
	}
}

func TestAppendJSON(t *testing.T) {
	s := full()
	want := `{"seq":41,"phase":"spike","fn":"hello","for":"team a","stage":"prod","via":"async","at":4200000000,"sent":4200001234,` +
		`"first":4250000000,"done":4250001000,"start":"cold","grade":"observed","inst":"hello-7f",` +
		`"trig":6,"queue":1,"prov":2,"boot":3,"init":4,"handler":5,"billed":50000000,"err":"timeout"}`
	if diff := cmp.Diff(want, string(sample.AppendJSON(nil, &s))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := string(sample.AppendJSON([]byte("x"), &sample.Sample{})); got != "x{}" {
		t.Errorf("the zero sample is %s, want {} appended", got)
	}
}

func TestAppendJSONDoesNotAllocate(t *testing.T) {
	s := full()
	s.Instance = "quote \" and \xff"
	buffer := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() { buffer = sample.AppendJSON(buffer[:0], &s) }); n != 0 {
		t.Errorf("AppendJSON allocates %v times a sample, want 0", n)
	}
}

func TestDecodeOfKnownStringsDoesNotAllocate(t *testing.T) {
	s := full()
	text := sample.AppendJSON(nil, &s)
	var d sample.Decoder
	var back sample.Sample
	if n := testing.AllocsPerRun(1000, func() {
		if err := d.Decode(text, &back); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Decode allocates %v times a sample, want 0", n)
	}
}

func TestDecodeDoesNotAliasTheLine(t *testing.T) {
	text := []byte(`{"phase":"idle"}`)
	var d sample.Decoder
	var s sample.Sample
	if err := d.Decode(text, &s); err != nil {
		t.Fatal(err)
	}
	clear(text)
	if s.Phase != "idle" {
		t.Errorf("phase is %q after the line was overwritten", s.Phase)
	}
}

func TestDecodeTakesWhatJSONAllows(t *testing.T) {
	var d sample.Decoder
	s := full()
	err := d.Decode([]byte(" { \"phase\" : \"a\\u00e9\\ud83d\\ude00\\/\\n\" ,\t\"at\":-1, \"at\": 7 }\r\n"), &s)
	want := sample.Sample{Phase: "aé😀/\n", Intended: 7}
	if diff := cmp.Diff(want, s); err != nil || diff != "" {
		t.Errorf("error %v, -want +got\n%s", err, diff)
	}
}

func TestDecodeNamesTheByte(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{``, "byte 0: want '{', have the end of the line"},
		{`[]`, "byte 0: want '{', have '['"},
		{`{`, "byte 1: want a string, have the end of the line"},
		{`{"seq":1`, "byte 8: want '}' or ',', have the end of the line"},
		{`{"seq":1,}`, "byte 9: want a string, have '}'"},
		{`{"seq":-1}`, "byte 7: number -1 is out of range"},
		{`{"seq":01}`, "byte 7: number 01 starts with 0"},
		{`{"at":1.5}`, "byte 7: want '}' or ',', have '.'"},
		{`{"at":"1"}`, `byte 6: want an integer, have '"'`},
		{`{"at":99999999999999999999}`, "byte 6: number 99999999999999999999 is out of range"},
		{`{"at":null}`, "byte 6: want an integer, have 'n'"},
		{`{"phase":7}`, "byte 9: want a string, have '7'"},
		{`{"seq":1,"colour":"red"}`, `byte 9: unknown key "colour"`},
		{`{"start":"lukewarm"}`, `byte 9: "lukewarm" is no start kind`},
		{`{"err":"boom"}`, `byte 7: "boom" is no error kind`},
		{`{"phase":"a`, "byte 11: string does not end"},
		{"{\"phase\":\"a\nb\"}", `byte 11: control character '\n' in a string`},
		{"{\"phase\":\"\xff\"}", `byte 10: '\u00ff' is not UTF-8`},
		{`{"phase":"\x"}`, "byte 10: bad escape sequence"},
		{`{"phase":"\ud800"}`, "byte 10: half of a surrogate pair"},
		{`{"phase":"\ud800\u0041"}`, "byte 10: half of a surrogate pair"},
		{`{"seq":1} x`, "byte 10: want the end of the line, have 'x'"},
	} {
		var d sample.Decoder
		var s sample.Sample
		err := d.Decode([]byte(c.line), &s)
		if err == nil || !strings.HasPrefix(err.Error(), "decode sample: "+c.want) {
			t.Errorf("%s\n got %v\nwant decode sample: %s", c.line, err, c.want)
		}
	}
}

// FuzzDecode: what the decoder accepts, encoding/json accepts, and both read
// the same; and it writes back to the same sample.
func FuzzDecode(f *testing.F) {
	s := full()
	f.Add(sample.AppendJSON(nil, &s))
	f.Add([]byte(` {"phase":"\ud83d\ude00\\\"\u0000","seq":18446744073709551615, "at":-9223372036854775808 } `))
	f.Add([]byte(`{"seq":1,"err":"","grade":"none"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d sample.Decoder
		var got, back sample.Sample
		if d.Decode(text, &got) != nil {
			return
		}
		var oracle line
		if err := json.Unmarshal(text, &oracle); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", text, err)
		}
		if diff := cmp.Diff(oracle.sample(), got); diff != "" {
			t.Fatalf("%q: -encoding/json +ours\n%s", text, diff)
		}
		if err := d.Decode(sample.AppendJSON(nil, &got), &back); err != nil || back != got {
			t.Fatalf("%+v reads back as %+v, %v", got, back, err)
		}
	})
}

// FuzzEncode: encoding/json reads what AppendJSON writes, and so does Decode.
func FuzzEncode(f *testing.F) {
	f.Add(uint64(1), int64(2), "phase", "fn\x00\"\\", "\xff\u2028", uint8(2))
	f.Fuzz(func(t *testing.T, seq uint64, ns int64, phase, fn, instance string, kind uint8) {
		s := full()
		s.Seq, s.Phase, s.Function, s.Instance = seq, phase, fn, instance
		s.Done, s.Breakdown.Handler = time.Duration(ns), time.Duration(-ns)
		s.Start, s.Err = sample.Start(kind%7), sample.ErrorKind(kind%13)
		text := sample.AppendJSON(nil, &s)
		var oracle line
		if err := json.Unmarshal(text, &oracle); err != nil {
			t.Fatalf("encoding/json refuses %s: %v", text, err)
		}
		var d sample.Decoder
		var got sample.Sample
		if err := d.Decode(text, &got); err != nil {
			t.Fatalf("our own %s: %v", text, err)
		}
		want := s
		want.Phase, want.Function, want.Instance = valid(phase), valid(fn), valid(instance)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if diff := cmp.Diff(want, oracle.sample()); diff != "" {
			t.Errorf("-want +encoding/json\n%s", diff)
		}
	})
}

// valid replaces each byte that is not UTF-8 the way encoding/json does.
func valid(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	if !utf8.ValidString(b.String()) {
		panic("not UTF-8 after all")
	}
	return b.String()
}

func BenchmarkAppendJSON(b *testing.B) {
	s := full()
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = sample.AppendJSON(buffer[:0], &s)
	}
}

func BenchmarkDecode(b *testing.B) {
	s := full()
	text := sample.AppendJSON(nil, &s)
	var d sample.Decoder
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(text, &s); err != nil {
			b.Fatal(err)
		}
	}
}
