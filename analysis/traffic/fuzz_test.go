package traffic

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"
)

// sound holds a source that was opened against what it says of itself: as many
// requests as expected, in order, within the span, the same in each walk.
func sound(t *testing.T, text []byte) Source {
	t.Helper()
	s, err := OpenFiles(t.Context(), file("t", string(text)))
	if err != nil {
		fault, ok := errors.AsType[*Fault](err)
		if lines := bytes.Count(text, []byte("\n")) + 1; ok && !bytes.HasPrefix(text, []byte("\x1f\x8b")) && (fault.Row < 1 || fault.Row > lines+1) {
			t.Errorf("a fault of row %d in %d lines: %v", fault.Row, lines, err)
		}
		return nil
	}
	defer s.Close()
	about := s.About()
	if about.Requests > 1e6 {
		return nil // a count can be as great as it likes
	}
	total, n := 0, 0
	for f, err := range s.Functions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		list := requests(t, f)
		total += len(list)
		if float64(len(list)) != f.Expected {
			t.Errorf("%s: %d requests, %v expected", f.Name, len(list), f.Expected)
		}
		if !slices.IsSortedFunc(list, func(a, b Request) int { return int(min(max(a.At-b.At, -1), 1)) }) {
			t.Errorf("%s: not in order", f.Name)
		}
		if len(list) > 0 && (list[0].At < 0 || list[len(list)-1].At >= f.Span || f.Span > about.Span) {
			t.Errorf("%s: from %v to %v, and a span of %v in %v", f.Name, list[0].At, list[len(list)-1].At, f.Span, about.Span)
		}
		if !slices.Equal(list, requests(t, f)) {
			t.Errorf("%s: another walk has other requests", f.Name)
		}
	}
	if float64(total) != about.Requests || n != about.Functions {
		t.Errorf("%d requests of %d functions, and it says %v of %d", total, n, about.Requests, about.Functions)
	}
	return s
}

func FuzzTrace(f *testing.F) {
	f.Add([]byte("minute,count\n0,3\n5,1\n"))
	f.Add([]byte("10\n10.5\n12\n"))
	f.Add([]byte("timestamp\n2026-01-02T15:04:05Z\n2026-01-02T15:04:06Z\n"))
	f.Add([]byte(zipped("minute_utc,requests\n1998-04-30T21:30Z,2\n")))
	f.Fuzz(func(t *testing.T, text []byte) { sound(t, text) })
}

func FuzzAccessLog(f *testing.F) {
	const line = `h - - [01/Jul/1995:00:00:01 -0400] "GET / HTTP/1.0" 200 7` + "\n"
	f.Add([]byte(line + line))
	f.Add([]byte(line + `h - - [30/Jun/1995:23:59:59 -0400] "GET /"a" HTTP/1.0" 304 -`))
	f.Fuzz(func(t *testing.T, text []byte) {
		sound(t, append([]byte(line), text...))
	})
}

// FuzzAzure2021 counts the rows itself.
func FuzzAzure2021(f *testing.F) {
	f.Add([]byte("a,f,3,1\nb,g,2,0.5\na,f,1,4\n"))
	f.Add([]byte("a,f,1e3,-0\r\n#\n\n a,f , 3 , 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s := sound(t, append([]byte("app,func,end_timestamp,duration\n"), text...)); s != nil {
			rows := 0
			for line := range bytes.Lines(text) {
				if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
					rows++
				}
			}
			if s.About().Requests != float64(rows) {
				t.Errorf("%v requests of %d rows", s.About().Requests, rows)
			}
		}
	})
}

// FuzzAzure2019 puts text into a few minutes of a day and into the durations.
func FuzzAzure2019(f *testing.F) {
	f.Add("o,a,f,http", "3", "12", "o,a,f,5,0,1,2,3,4,5,6")
	f.Add("o,a,f,http", "-1", "", "o,a,f,0,0,0,0,0,0,0,0\no,a,f,1,9,9,9,9,9,9,9")
	f.Fuzz(func(t *testing.T, key, first, last, durations string) {
		day := "HashOwner,HashApp,HashFunction,Trigger," + days() + "\n" + key + "," + first + row(map[int]int{1: 0})[1:len(row(nil))-1] + last + "\n"
		sound(t, []byte(day))
		const head = "HashOwner,HashApp,HashFunction,Count,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\n"
		s, err := OpenFiles(t.Context(), file("d", day), file("p", head+durations+"\n"))
		if err != nil {
			return
		}
		defer s.Close()
		for f, err := range s.Functions(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Service == nil {
				continue
			}
			for q, last := 0., time.Duration(0); q <= 1; q += .125 {
				if v := f.Service.Quantile(q); v < last {
					t.Errorf("quantile %v is %v, below %v", q, v, last)
				} else {
					last = v
				}
			}
		}
	})
}
