package arrival

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadTrace(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		text string
		want Trace
	}{
		"counts":           {"minute,count\n0,120\n1,80\n", Trace{Counts: []uint32{120, 80}}},
		"minutes left out": {"minute,count\n5,1\n8,2\n", Trace{Counts: []uint32{1, 0, 0, 2}}},
		"count alone":      {"count\n3\n0\n4", Trace{Counts: []uint32{3, 0, 4}}},
		"other columns":    {"app,Count,Minute\nx,7,1\ny,8,2\n", Trace{Counts: []uint32{7, 8}}},
		"quotes, comments": {"# a trace\n\n\"minute\",\"count\"\r\n\"0\", \"5\"\r\n", Trace{Counts: []uint32{5}}},
		"times of minutes": {"minute_utc,requests\n1998-04-30T21:59Z,2\n1998-04-30T22:02Z,11\n", Trace{Counts: []uint32{2, 0, 0, 11}}},
		"byte order mark":  {"\ufeffminute,count\n0,5\n", Trace{Counts: []uint32{5}}},
		"no requests":      {"minute,count\n0,0\n", Trace{Counts: []uint32{0}}},
		"seconds":          {"0\n.5\n1.25\n1.25\n", Trace{Offsets: []time.Duration{0, 500 * ms, 1250 * ms, 1250 * ms}}},
		"headed":           {"timestamp\n10\n11\n", Trace{Offsets: []time.Duration{0, time.Second}}},
		"since 1970":       {"1700000000.000000001\n1700000000.000000003999\n", Trace{Offsets: []time.Duration{0, 2}}},
		"RFC 3339": {
			"2026-01-02T15:04:05Z\n2026-01-02T15:04:05.5Z\n2026-01-02T16:04:06+01:00\n",
			Trace{Offsets: []time.Duration{0, 500 * ms, time.Second}},
		},
	} {
		for _, pack := range []func(string) []byte{func(s string) []byte { return []byte(s) }, gzipped} {
			got, err := ReadTrace(bytes.NewReader(pack(c.text)))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func gzipped(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write([]byte(text))
	w.Close()
	return out.Bytes()
}

func TestReadTraceRefuses(t *testing.T) {
	packed := gzipped("time\n" + strings.Repeat("1700000000\n", 100))
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-5] ^= 0xff
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "row 1: the file is empty; write rows of minute,count or of timestamps"},
		"comments":         {"# nothing\n\n", "row 1: the file is empty; write rows of minute,count or of timestamps"},
		"heading alone":    {"minute,count\n", "row 1: a heading without rows; write a row a minute"},
		"time alone":       {"time\n", "row 1: a heading without rows; write a timestamp a request"},
		"no heading":       {"0,5\n", "row 1: rows of several columns need a heading; write minute,count (or the columns' names, one of them count) as the first line"},
		"negative":         {"minute,count\n0,5\n1,-3\n", "row 3: count -3 is negative; write a whole number from 0"},
		"fraction":         {"count\n2.5\n", `row 2: count "2.5"; write a whole number from 0`},
		"huge":             {"count\n4294967296\n", "row 2: count 4294967296; the most in a minute is 4294967295"},
		"columns":          {"minute,count\n0,5\n1\n", "row 3: 1 columns, and 2 in the heading; write as many as in the heading"},
		"minute twice":     {"minute,count\n3,5\n\n3,5\n", "row 4: minute 3 is there twice; write one row a minute, with the sum"},
		"minute backwards": {"minute,count\n2024-01-01T00:02:00Z,5\n2024-01-01T00:01:00Z,5\n", "row 3: time runs backwards: minute 2024-01-01T00:01:00Z after 2024-01-01T00:02:00Z; sort the rows, a row a minute"},
		"minute":           {"minute,count\nx,5\n", `row 2: minute "x"; write a whole number from 0, or 2026-01-02T15:04Z`},
		"ages":             {"minute,count\n0,5\n99999999,5\n", "row 3: the trace is longer than ten years; write minutes that count from the trace's start"},
		"time backwards":   {"10\n11\n10.5\n", "row 3: time runs backwards: 10.5 is 500ms before the row above; sort the rows"},
		"not a time":       {"1\nsoon\n", `row 2: timestamp "soon"; write seconds as a decimal number (12.5) or RFC 3339 (2026-01-02T15:04:05.5Z)`},
		"negative time":    {"-1\n", `row 1: timestamp "-1"; write seconds as a decimal number (12.5) or RFC 3339 (2026-01-02T15:04:05.5Z)`},
		"mixed":            {"2026-01-02T15:04:05Z\n5\n", `row 2: timestamp "5"; write RFC 3339 (2026-01-02T15:04:05.5Z), years 1970 to 2261, as in the rows above`},
		"two columns":      {"timestamp,who\n1,a\n", "row 1: timestamps have one column, here are 2; leave the others out"},
		"long line":        {"1\n" + strings.Repeat("2", 5000), "row 2: the line is longer than 4096 bytes; write one minute or one request a line"},
		"truncated gzip":   {string(packed[:len(packed)-9]), "the gzip stream is truncated; fetch or compress the file again"},
		"damaged gzip":     {string(damaged), "the gzip stream is damaged; fetch or compress the file again"},
	} {
		_, err := ReadTrace(strings.NewReader(c.text))
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case !strings.HasSuffix(err.Error(), c.want):
			t.Errorf("%s\n got %v\nwant %s", name, err, c.want)
		}
		if _, ok := errors.AsType[*RowError](err); !ok {
			t.Errorf("%s: error is %T, want *RowError", name, err)
		}
	}
}

func TestTraceMeasures(t *testing.T) {
	counts := Trace{Counts: []uint32{3, 0, 4}}
	if counts.Len() != 7 || counts.Duration() != 3*time.Minute {
		t.Errorf("counts: %d requests in %v, want 7 in 3m", counts.Len(), counts.Duration())
	}
	stamps := Trace{Offsets: []time.Duration{0, time.Second, 5 * time.Second}}
	if stamps.Len() != 3 || stamps.Duration() != 5*time.Second {
		t.Errorf("timestamps: %d requests in %v, want 3 in 5s", stamps.Len(), stamps.Duration())
	}
}

// Whatever the file, the answer is an ascending trace of one form or an error
// that says what to write instead.
func FuzzReadTrace(f *testing.F) {
	for _, text := range []string{"minute,count\n0,120\n3,80\n", "count\n5\n", "time\n1\n1.5\n", "2026-01-02T15:04:05Z\n", "-1\n", "1e5\n", "count,count\n1,2\n"} {
		f.Add([]byte(text))
		f.Add(gzipped(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		trace, err := ReadTrace(bytes.NewReader(text))
		if err != nil {
			if e, ok := errors.AsType[*RowError](err); ok && (e.Row < 1 || e.Problem == "" || e.Instead == "") {
				t.Errorf("error does not say enough: %#v", e)
			}
			return
		}
		if (trace.Counts == nil) == (trace.Offsets == nil) {
			t.Errorf("trace has both forms, or none: %+v", trace)
		}
		for i, at := range trace.Offsets {
			if at < 0 || i > 0 && at < trace.Offsets[i-1] {
				t.Errorf("offset %d is %v", i, at)
			}
		}
	})
}

func TestScanTraceKeepsNoTimestamps(t *testing.T) {
	var got []time.Duration
	trace, err := ScanTrace(strings.NewReader("10\n10.5\n12\n11\n"), func(offset time.Duration) bool {
		got = append(got, offset)
		return len(got) < 3
	})
	if err != nil || trace.Offsets != nil || trace.Counts != nil {
		t.Errorf("ScanTrace = %v, %v; want nothing kept, and the fault after the end not met", trace, err)
	}
	if diff := cmp.Diff([]time.Duration{0, 500 * time.Millisecond, 2 * time.Second}, got); diff != "" {
		t.Errorf("visited (-want +got):\n%s", diff)
	}
	_, err = ScanTrace(strings.NewReader("10\n9\n"), func(time.Duration) bool { return true })
	if e, ok := errors.AsType[*RowError](err); !ok || e.Row != 2 {
		t.Errorf("ScanTrace of a time that runs backwards = %v; want a fault of row 2", err)
	}
}
