package traffic

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func file(name, text string) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// open opens files, plain or gzipped, and closes the source with the test.
func open(t *testing.T, files ...File) Source {
	t.Helper()
	s, err := OpenFiles(t.Context(), files...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func functions(t *testing.T, s Source) []*Function {
	t.Helper()
	var list []*Function
	for f, err := range s.Functions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func requests(t *testing.T, f *Function) []Request {
	t.Helper()
	list := slices.Collect(f.Requests(seeded()))
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFormatIsToldByContent(t *testing.T) {
	const minutes = "HashOwner,HashApp,HashFunction,Trigger,"
	for text, want := range map[string]string{
		"minute,count\n0,3\n": "counts per minute",
		"# note\n\nminute_utc,requests\n1998-04-30T21:30Z,2\n": "counts per minute",
		"10\n11\n":                                   "timestamps",
		"timestamp\n2026-01-02T15:04:05Z\n":          "timestamps",
		"app,func,end_timestamp,duration\na,f,3,1\n": "Azure Functions 2021 invocations",
		`h - - [01/Jul/1995:00:00:01 -0400] "GET / HTTP/1.0" 200 7` + "\n": "access log",
		minutes + days() + "\no,a,f,http," + row(map[int]int{1: 2}) + "\n": "Azure Functions 2019",
	} {
		for _, text := range []string{text, zipped(text)} {
			if got := open(t, file("misleading.json", text)).About().Format; got != want {
				t.Errorf("format of %.40q is %q, want %q", text, got, want)
			}
		}
	}
}

// days are the names of the 1,440 columns of a day.
func days() string {
	names := make([]string, minutesADay)
	for i := range names {
		names[i] = fmt.Sprint(i + 1)
	}
	return strings.Join(names, ",")
}

// row is a day with counts in some minutes, from 1.
func row(counts map[int]int) string {
	fields := slices.Repeat([]string{"0"}, minutesADay)
	for minute, n := range counts {
		fields[minute-1] = fmt.Sprint(n)
	}
	return strings.Join(fields, ",")
}

func TestTimestampsAreWalkedAgain(t *testing.T) {
	f := functions(t, open(t, file("login.csv.gz", zipped("10\n10.5\n12\n"))))[0]
	want := []time.Duration{0, 500 * time.Millisecond, 2 * time.Second}
	for range 2 {
		if diff := cmp.Diff(want, slices.Collect(f.Arrivals(nil))); diff != "" {
			t.Errorf("arrivals (-want +got):\n%s", diff)
		}
	}
	if f.Name != "login" || f.Expected != 3 || f.Span != 2*time.Second+1 {
		t.Errorf("function %s of %v requests in %v, want login of 3 in just above 2s", f.Name, f.Expected, f.Span)
	}
}

// TestFileThatChangesIsAFault: what was sound when it was opened may not be
// when it is walked.
func TestFileThatChangesIsAFault(t *testing.T) {
	text := "1\n2\n3\n"
	f := functions(t, open(t, File{Name: "t.csv", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}))[0]
	text = "1\n2\n1\n"
	got := slices.Collect(f.Arrivals(nil))
	if fault, ok := errors.AsType[*Fault](f.Err()); len(got) != 2 || !ok || fault.Row != 3 {
		t.Errorf("walked %v with fault %v, want two requests and a fault of row 3", got, f.Err())
	}
}

func TestAccessLog(t *testing.T) {
	const log = `h1 - - [01/Jul/1995:00:00:01 -0400] "GET /a HTTP/1.0" 200 6245
h2 - - [01/Jul/1995:00:00:03 -0400] "GET /"quoted" here HTTP/1.0" 404 -
h3 - bob [01/Jul/1995:00:00:03 -0400] "GET /b HTTP/1.0" 200 1 "-" "curl/8 \"x\" 1"
h4 - - [01/Jul/1995:04:00:02 +0000] "" 400 0
`
	s := open(t, file("access_log", log))
	f := functions(t, s)[0]
	var whole []time.Duration
	for _, r := range requests(t, f) {
		whole = append(whole, r.At.Truncate(time.Second))
		if r.At == whole[len(whole)-1] {
			t.Errorf("a request came at %v exactly, want one spread over the second", r.At)
		}
	}
	if diff := cmp.Diff([]time.Duration{0, time.Second, 2 * time.Second, 2 * time.Second}, whole); diff != "" {
		t.Errorf("seconds of the requests (-want +got):\n%s", diff)
	}
	if notes := strings.Join(s.About().Notes, "\n"); !strings.Contains(notes, "1 of 4 lines were out of order, the first in row 4, and have been sorted") {
		t.Errorf("notes %q do not tell of the line that was out of order", notes)
	}
}

func TestAzure2021(t *testing.T) {
	const text = `app,func,end_timestamp,duration
aaaaaaaaaaaa,ffffffffffff1,0.5,0.7
bbbbbbbbbbbb,ffffffffffff,3,1
aaaaaaaaaaaa,ffffffffffff1,2.0,2
aaaaaaaaaaaa,ffffffffffff2,10,.25
`
	s := open(t, file("a.txt", text))
	got := make(map[string][]Request)
	for _, f := range functions(t, s) {
		got[f.Name] = requests(t, f)
		if f.Service == nil || !f.Timed {
			t.Errorf("%s has no service times", f.Name)
		}
	}
	const ms = time.Millisecond
	want := map[string][]Request{
		"aaaaaaaaaaaa/ffffffffffff1": {{0, 700 * ms}, {200 * ms, 2000 * ms}},
		"bbbbbbbbbbbb/ffffffffffff":  {{2200 * ms, 1000 * ms}},
		"aaaaaaaaaaaa/ffffffffffff2": {{9950 * ms, 250 * ms}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	about := s.About()
	if about.Functions != 3 || about.Requests != 4 || len(about.Notes) != 1 {
		t.Errorf("about %+v, want 3 functions, 4 requests and a note of the one that began before 0", about)
	}
}

// TestKeyIsTheFunctions: whatever its file is called, and whoever else is in it.
func TestKeyIsTheFunctions(t *testing.T) {
	const line = "h1 - - [01/Jul/1995:00:00:01 -0400] \"GET /a HTTP/1.0\" 200 6245\n"
	for format, text := range map[string]string{"counts": "minute,count\n0,5\n", "stamps": "1\n2\n", "log": line} {
		f, g := functions(t, open(t, file("f.csv", text)))[0], functions(t, open(t, file("g.csv", text)))[0]
		if f.Key == "" || f.Key != g.Key || f.Name == g.Name {
			t.Errorf("%s: %q has the key %q, %q has %q; want one key", format, f.Name, f.Key, g.Name, g.Key)
		}
	}
	head2019 := "HashOwner,HashApp,HashFunction,Trigger," + days() + "\n"
	for format, text := range map[string][3]string{
		"2021": {"app,func,end_timestamp,duration\n", "aaaaaaaaaaaa,ffffffffffff1,0.5,0.7\n", "aaaaaaaaaaaa,ffffffffffff2,10,.25\n"},
		"2019": {head2019, "o,aaaaaaaaaaaa,ffffffffffff1,http," + row(map[int]int{1: 2}) + "\n", "o,aaaaaaaaaaaa,ffffffffffff2,http," + row(map[int]int{1: 2}) + "\n"},
	} {
		alone, beside := functions(t, open(t, file("f.csv", text[0]+text[1]))), functions(t, open(t, file("f.csv", text[0]+text[1]+text[2])))
		if alone[0].Key != beside[0].Key || alone[0].Name == beside[0].Name || beside[0].Key == beside[1].Key {
			t.Errorf("%s: the key is %q alone, %q beside %q", format, alone[0].Key, beside[0].Key, beside[1].Key)
		}
	}
}

// TestAzure2019 joins two days whose rows are in different order with their
// durations and memory.
func TestAzure2019(t *testing.T) {
	const head = "HashOwner,HashApp,HashFunction,Trigger,"
	day1 := head + days() + "\no,a,f,http," + row(map[int]int{1: 2, 3: 1}) + "\no,a,g,timer," + row(map[int]int{1440: 7}) + "\n"
	day2 := head + days() + "\no,a,g,timer," + row(nil) + "\np,a,f,queue," + row(map[int]int{2: 9}) + "\no,a,f,http," + row(map[int]int{5: 4}) + "\n"
	durations := "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\n"
	first := durations + "o,a,f,100,3,0,400,0,10,50,100,200,300,400\n"
	second := durations + "o,a,f,200,1,0,800,40,50,90,140,240,340,440\nx,y,z,1,1,1,1,1,1,1,1,1,1,1\n"
	memory := "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1\no,a,3,100,1\no,a,1,200,1\n"
	s := open(t, file("d01.csv", day1), file("p01.csv", first), file("d02.csv.gz", zipped(day2)), file("m01.csv", memory), file("p02.csv", second))

	about := s.About()
	if about.Functions != 3 || about.Requests != 23 || about.Span != 48*time.Hour {
		t.Errorf("about %+v, want 3 functions, 23 requests, 48h", about)
	}
	got := make(map[string]map[int]uint32)
	for i, f := range functions(t, s) {
		name := fmt.Sprintf("%d %s", i, f.Name)
		got[name] = make(map[int]uint32)
		for minute, n := range f.Counts {
			if n > 0 {
				got[name][minute] = n
			}
		}
		if n := len(requests(t, f)); float64(n) != f.Expected {
			t.Errorf("%s: %d requests, want %v", name, n, f.Expected)
		}
		if i == 0 {
			if f.Memory != 125<<20 {
				t.Errorf("memory %d, want 125 MB, weighted by samples", f.Memory)
			}
			if got := f.Service.Quantile(.5); got != 110*time.Millisecond {
				t.Errorf("median %v, want 110ms, weighted by invocations", got)
			}
		} else if f.Service != nil {
			t.Errorf("%s has a service that no file tells", name)
		}
	}
	want := map[string]map[int]uint32{
		"0 a/f": {0: 2, 2: 1, 1444: 4}, "1 a/g": {1439: 7}, "2 a/f": {1441: 9},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// TestAzure2019AddsRows of one function and day, and says how many and where.
func TestAzure2019AddsRows(t *testing.T) {
	head := "HashOwner,HashApp,HashFunction,Trigger," + days() + "\n"
	line := func(function, trigger string, n int) string {
		return "o,a," + function + "," + trigger + "," + row(map[int]int{1: n}) + "\n"
	}
	day1 := head + line("f", "http", 2) + line("g", "http", 3) + line("f", "queue", 4) + line("f", "queue", 4)
	day2 := head + line("g", "timer", 5) + line("f", "http", 6) + "\n" + line("g", "timer", 5)
	for want, files := range map[string][]File{
		"": {file("d01.csv", head+line("f", "http", 2)), file("d02.csv", day2[:strings.Index(day2, "\n\n")])},
		"1 row added to another of the same function and day, as where a function has several triggers; the first is d02.csv:5":  {file("d01.csv", head+line("f", "http", 2)), file("d02.csv", day2)},
		"3 rows added to another of the same function and day, as where a function has several triggers; the first is d01.csv:4": {file("d01.csv", day1), file("d02.csv", day2)},
	} {
		s := open(t, files...)
		got := slices.DeleteFunc(slices.Clone(s.About().Notes), func(note string) bool { return strings.Contains(note, "no durations") })
		if (want != "" || len(got) > 0) && !slices.Equal(got, []string{want}) {
			t.Errorf("notes %q, want %q", got, want)
		}
		sum := 0.
		for _, f := range functions(t, s) {
			sum += f.Expected
		}
		if sum != s.About().Requests {
			t.Errorf("functions have %v requests, all together %v", sum, s.About().Requests)
		}
	}
}

func TestFaults(t *testing.T) {
	const azure = "app,func,end_timestamp,duration\n"
	const clf = `h - - [01/Jul/1995:00:00:01 -0400] "GET / HTTP/1.0" 200 7` + "\n"
	day := "HashOwner,HashApp,HashFunction,Trigger," + days() + "\n"
	packed := zipped(azure + strings.Repeat("a,f,3,1\n", 1000))
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "t:1: the file is empty; write rows of minute,count or of timestamps"},
		"negative count":     {"minute,count\n0,5\n1,-3\n", "t:3: count -3 is negative; write a whole number from 0"},
		"backwards":          {"1\n\n3\n2\n", "t:4: time runs backwards: 2 is 1s before the row above; sort the rows"},
		"truncated":          {packed[:len(packed)-20], "t:1: the gzip stream is truncated; fetch or compress the file again"},
		"truncated trace":    {zipped("1\n2\n3\n")[:25], "t:1: the gzip stream is truncated; fetch or compress the file again"},
		"gzip of nothing":    {"\x1f\x8b", "t:1: the gzip stream is truncated; fetch or compress the file again"},
		"short row":          {azure + "a,f,3\n", "t:2: 3 columns, and 4 in the heading; write as many as in the heading"},
		"no number":          {azure + "a,f,3,1\na,f,x,1\n", `t:3: end_timestamp "x"; write seconds as a decimal number, at most ten years`},
		"not a number":       {azure + "a,f,3,NaN\n", `t:2: duration "NaN"; write seconds as a decimal number, at most ten years`},
		"negative":           {azure + "a,f,3,-1\n", "t:2: duration -1 is negative; write seconds from 0"},
		"nameless":           {azure + "a,,3,1\n", "t:2: an invocation without app or func; write both"},
		"heading only":       {azure, "t:1: a heading without rows; write a row an invocation"},
		"not a log":          {clf + "garbage\n", `t:2: no line of an access log: "garbage"; write host ident user [02/Jan/2006:15:04:05 -0700] "request" status bytes`},
		"32nd of July":       {clf + strings.Replace(clf, "01/Jul", "32/Jul", 1), `t:2: the time "32/Jul/1995:00:00:01 -0400"; write host ident user [02/Jan/2006:15:04:05 -0700] "request" status bytes`},
		"cut line":           {clf + clf[:40], `t:2: no status in "h - - [01/Jul/1995:00:00:01 -0400] \"GET"; write host ident user [02/Jan/2006:15:04:05 -0700] "request" status bytes`},
		"centuries":          {clf + strings.Replace(clf, "1995", "2095", 1), "t:2: the time 2095-07-01T00:00:01-04:00 is 876600h after those above; take out what has a wrong date, or give the parts before and after the gap apart"},
		"a year early":       {clf + strings.Replace(clf, "1995", "1994", 1), "t:2: the time 1994-07-01T00:00:01-04:00 is 8760h before that of a line above; sort the lines, or take this one out: only what is up to a day late is put in order"},
		"first a year early": {strings.Replace(clf, "1995", "1994", 1) + clf, "t:2: the time 1995-07-01T00:00:01-04:00 is 8760h after those above; take out what has a wrong date, or give the parts before and after the gap apart"},
		"a column more":      {"app,func,end_timestamp,duration\na,f,3,1\na,f,4,1,7\n", "t:3: 5 columns, and 4 in the heading; write as many as in the heading"},
		"minute short":       {day + "o,a,f,http,1,2\n", "t:2: 6 columns, and 1444 in the heading; write as many as in the heading"},
		"minute negative":    {day + "o,a,f,http," + row(map[int]int{3: -4}) + "\n", "t:2: minute 3: count -4 is negative; write a whole number from 0"},
		"columns swapped":    {strings.Replace(day, ",7,8,", ",8,7,", 1), `t:1: column "8" where minute 7 belongs; write columns 1 to 1440, last in the heading`},
	} {
		_, err := OpenFiles(t.Context(), file("t", c.text))
		if fault, ok := errors.AsType[*Fault](err); !ok || fault.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// TestDamagedGzip: what is after the stream is not a stream cut off, and a row
// that a changed byte has made wrong is not the row's fault.
func TestDamagedGzip(t *testing.T) {
	packed := zipped("1\n2\n3\n")
	if s, err := OpenFiles(t.Context(), file("t", packed+zipped("4\n"))); err != nil || s.About().Requests != 4 {
		t.Errorf("two streams in a row: %v, want the four requests of both", err)
	}
	_, err := OpenFiles(t.Context(), file("t", packed+"tail"))
	if err == nil || !strings.Contains(err.Error(), "the gzip stream is damaged") {
		t.Errorf("with a tail: %v, want that the stream is damaged", err)
	}
	var stored strings.Builder // uncompressed, so that a byte of the text is one of the file
	w, _ := gzip.NewWriterLevel(&stored, gzip.NoCompression)
	for i := range 100_000 { // more than is read ahead
		fmt.Fprintln(w, 1_000_000+i)
	}
	w.Close()
	_, err = OpenFiles(t.Context(), file("t", strings.Replace(stored.String(), "\n1000005\n", "\n0000005\n", 1)))
	if err == nil || !strings.HasPrefix(err.Error(), "t:6: time runs backwards") || !strings.HasSuffix(err.Error(), "; but the gzip stream is damaged: fetch or compress the file again") {
		t.Errorf("a byte changed: %v, want row 6 and that it is the stream's fault", err)
	}
}

func TestTruncatedInTheMiddle(t *testing.T) {
	var rows strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&rows, "%d.%d\n", i, rand.IntN(1000))
	}
	packed := zipped(rows.String())
	_, err := OpenFiles(t.Context(), file("t", packed[:len(packed)/2]))
	fault, ok := errors.AsType[*Fault](err)
	if !ok || fault.Row < 50_000 || fault.Row > 150_000 || !strings.Contains(fault.Problem, "truncated") {
		t.Errorf("half a gzip stream: %v, want a fault about half way", err)
	}
}

func TestAzure2019Refuses(t *testing.T) {
	day := "HashOwner,HashApp,HashFunction,Trigger," + days() + "\no,a,f,http," + row(map[int]int{1: 1}) + "\n"
	durations := "HashOwner,HashApp,HashFunction,Count,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\n"
	for name, c := range map[string]struct {
		files []File
		want  string
	}{
		"no invocations": {[]File{file("p", durations)}, "p:1: Azure Functions 2019 without a file of invocations; give invocations_per_function_md.anon.dNN.csv beside it"},
		"falling":        {[]File{file("d", day), file("p", durations+"o,a,f,1,1,2,3,2,5,6,7\n")}, "p:2: percentile 50 is 2 ms, below the one before, 3 ms; a higher percentile is at least as long"},
		"no average":     {[]File{file("d", day), file("p", strings.Replace(durations, "Count", "Average,Count", 1)+"o,a,f,nan,1,1,2,3,4,5,6,7\n")}, `p:2: average "nan"; write a number from 0`},
		"a stranger":     {[]File{file("d", day), file("t", "1\n2\n")}, "t:1: no file of Azure Functions 2019, as the others are; leave it out"},
		"two traces":     {[]File{file("a", "1\n"), file("b", "1\n")}, "b: a second file of traffic; give one file, or the day files of Azure Functions 2019"},
		"memory":         {[]File{file("d", day), file("m", "HashOwner,HashApp,SampleCount,AverageAllocatedMb\no,a,1,-2\n")}, `m:2: AverageAllocatedMb "-2"; write a number from 0`},
	} {
		if _, err := OpenFiles(t.Context(), c.files...); err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// TestSorterAgainstSlices sorts through many runs on disk what slices.Sort does
// in memory.
func TestSorterAgainstSlices(t *testing.T) {
	rng := seeded()
	t.Setenv("TMPDIR", t.TempDir())
	for _, n := range []int{1, 99, 100, 101, 4321} {
		s := newSorter()
		s.runLength = 100
		want := make(map[string][]Request)
		for i := range n {
			r := record{uint32(rng.IntN(7)), rng.Int64N(1000) + 5, int64(i)}
			if err := s.add(r); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprint("f", r.function)
			want[name] = append(want[name], Request{time.Duration(r.at), time.Duration(r.service)})
		}
		source, err := s.source(t.Context(), About{}, sorted{keys: []string{"f0", "f1", "f2", "f3", "f4", "f5", "f6"}, keep: true})
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string][]Request)
		for _, f := range functions(t, source) {
			got[f.Name] = requests(t, f)
			if !slices.IsSortedFunc(got[f.Name], func(a, b Request) int { return int(a.At - b.At) }) {
				t.Errorf("n = %d: %s is not in order", n, f.Name)
			}
		}
		byService := func(a, b Request) int { return int(a.Service - b.Service) }
		for name := range want {
			slices.SortFunc(got[name], byService)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("n = %d (-want +got):\n%s", n, diff)
		}
		if err := source.Close(); err != nil {
			t.Error(err)
		}
		if err := source.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
}

func TestFolderOfFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("minute,count\n0,3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), dir)
	if err != nil || s.About().Requests != 3 {
		t.Fatalf("Open of a folder: %v", err)
	}
	if _, err := Open(t.Context(), t.TempDir()); err == nil {
		t.Error("an empty folder was opened")
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "b")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a path that is not there: %v", err)
	}
}

func TestEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := Population{Functions: 5, Span: time.Hour}.Source()
	cancel()
	for _, err := range s.Functions(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a function after the end: %v", err)
		}
	}
}
