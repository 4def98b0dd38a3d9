package traffic

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// azure2019 is the Azure Functions trace of 2019 (Shahrad et al., "Serverless
// in the Wild", ATC 2020): for each day a file of counts per minute, one of
// durations by function and one of memory by app.
//
// Counts are written to one temporary file, each function's day as the minutes
// that have any, and read from there function by function: a day's row is
// found again by its function's hash, wherever it stands in its file.
type azure2019 struct {
	filed
	days      int
	index     map[string]int
	functions []azureFunction
	memory    map[string]*weighted // MB, by owner/app
	short     []string
	added     int    // rows of counts that are added to another of their function and day
	firstly   string // where the first of them is
}

type azureFunction struct {
	key, app string
	days     []azureDay
	requests uint64
	service  []weighted // ms, by azureRanks
}

// azureDay is where a day's minutes lie on disk.
type azureDay struct {
	day    int
	offset int64
	length int
}

// weighted is a mean with weights.
type weighted struct{ sum, weight float64 }

func (w *weighted) add(x, weight float64) { w.sum += x * weight; w.weight += weight }
func (w weighted) mean() float64          { return w.sum / w.weight }

const minutesADay = 24 * 60

// azureRanks are the percentiles that the durations' files have.
func azureRanks() []int { return []int{0, 1, 25, 50, 75, 99, 100} }

func openAzure2019(ctx context.Context, files []File, formats []format) (Source, error) {
	a := &azure2019{filed: filed{about: About{Format: "Azure Functions 2019"}}, index: make(map[string]int), memory: make(map[string]*weighted)}
	if !slices.Contains(formats, azureCounts) {
		return nil, &Fault{files[0].Name, 1, "Azure Functions 2019 without a file of invocations", "give invocations_per_function_md.anon.dNN.csv beside it"}
	}
	err := a.readCounts(ctx, files, formats)
	for i, f := range files {
		if err != nil {
			break
		}
		switch formats[i] {
		case azureCounts:
		case azureDurations:
			err = a.readDurations(ctx, f)
		case azureMemory:
			err = a.readMemory(ctx, f)
		default:
			err = &Fault{f.Name, 1, "no file of Azure Functions 2019, as the others are", "leave it out"}
		}
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.complete()
	return a, nil
}

// readCounts writes the counts of all days, in the order of their files, to disk.
func (a *azure2019) readCounts(ctx context.Context, files []File, formats []format) (err error) {
	if a.disk, err = scratch(); err != nil {
		return err
	}
	out := &tally{Writer: bufio.NewWriterSize(a.disk, walkRead)}
	for i, f := range files {
		if formats[i] != azureCounts {
			continue
		}
		if err := a.readDay(ctx, f, out); err != nil {
			return err
		}
		a.days++
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("read Azure Functions 2019: %w", err)
	}
	return nil
}

// tally knows how much has been written.
type tally struct {
	*bufio.Writer
	n int64
}

func (a *azure2019) readDay(ctx context.Context, f File, out *tally) error {
	var at azureHeading
	var minutes []byte
	err := at.rows(ctx, f, []string{"hashowner", "hashapp", "hashfunction"}, func(fields [][]byte) error {
		counts := fields[at.first:]
		minutes = minutes[:0]
		last, sum := -1, uint64(0)
		for minute, text := range counts {
			n, err := count(text)
			if err != nil {
				return bad(fmt.Sprintf("minute %d: %s", minute+1, err), "write a whole number from 0")
			}
			if n > 0 {
				minutes = binary.AppendUvarint(minutes, uint64(minute-last))
				minutes = binary.AppendUvarint(minutes, uint64(n))
				last = minute
				sum += uint64(n)
			}
		}
		function := a.function(at.key(fields, 3), at.key(fields, 2))
		function.requests += sum
		if n := len(function.days); n > 0 && function.days[n-1].day == a.days {
			if a.added++; a.added == 1 {
				a.firstly = fmt.Sprintf("%s:%d", f.Name, at.row)
			}
		}
		function.days = append(function.days, azureDay{a.days, out.n, len(minutes)})
		out.n += int64(len(minutes))
		_, err := out.Write(minutes)
		return err
	})
	return err
}

// count reads a whole number of 32 bits; nothing is 0.
func count(text []byte) (uint32, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 1 && text[0] == '0' { // nearly all of them
		return 0, nil
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("count %s", quoted(text))
	case n < 0:
		return 0, fmt.Errorf("count %d is negative", n)
	case n > math.MaxUint32:
		return 0, fmt.Errorf("count %d is more than %d", n, uint32(math.MaxUint32))
	}
	return uint32(n), nil
}

func (a *azure2019) function(key, app string) *azureFunction {
	i, known := a.index[key]
	if !known {
		i = len(a.functions)
		a.index[key] = i
		a.functions = append(a.functions, azureFunction{key: key, app: app})
	}
	return &a.functions[i]
}

// readDurations takes a day's percentiles of durations, each weighted by how
// many invocations they are of.
func (a *azure2019) readDurations(ctx context.Context, f File) error {
	ranks := azureRanks()
	names := []string{"hashowner", "hashapp", "hashfunction", "count"}
	for _, r := range ranks {
		names = append(names, "percentile_average_"+strconv.Itoa(r))
	}
	var at azureHeading
	return at.rows(ctx, f, names, func(fields [][]byte) error {
		n, err := number("Count", fields[at.columns[3]])
		if err != nil {
			return err
		}
		for k, what := range azureBeside() { // a row that is wrong there is not to be trusted elsewhere
			if column := at.beside[k]; column >= 0 {
				if _, err := number(what, fields[column]); err != nil {
					return err
				}
			}
		}
		values := make([]float64, len(ranks))
		for k := range ranks {
			if values[k], err = number("percentile", fields[at.columns[4+k]]); err != nil {
				return err
			}
			if k > 0 && values[k] < values[k-1] {
				return bad(fmt.Sprintf("percentile %d is %g ms, below the one before, %g ms", ranks[k], values[k], values[k-1]), "a higher percentile is at least as long")
			}
		}
		i, known := a.index[at.key(fields, 3)]
		if !known || n == 0 {
			return nil // not invoked on the days that are read
		}
		function := &a.functions[i]
		if function.service == nil {
			function.service = make([]weighted, len(ranks))
		}
		for k, v := range values {
			function.service[k].add(v, n)
		}
		return nil
	})
}

// azureBeside are columns of durations' files that nothing is made of.
func azureBeside() []string { return []string{"average", "minimum", "maximum"} }

// readMemory takes a day's mean memory of apps.
func (a *azure2019) readMemory(ctx context.Context, f File) error {
	var at azureHeading
	return at.rows(ctx, f, []string{"hashowner", "hashapp", "samplecount", "averageallocatedmb"}, func(fields [][]byte) error {
		n, err := number("SampleCount", fields[at.columns[2]])
		if err != nil {
			return err
		}
		mb, err := number("AverageAllocatedMb", fields[at.columns[3]])
		if err != nil {
			return err
		}
		app := at.key(fields, 2)
		if a.memory[app] == nil {
			a.memory[app] = new(weighted)
		}
		a.memory[app].add(mb, n)
		return nil
	})
}

// number reads a number of at least 0.
func number(what string, field []byte) (float64, error) {
	v, err := strconv.ParseFloat(string(bytes.TrimSpace(field)), 64)
	if err != nil || !(v >= 0 && v <= 1e12) {
		return 0, bad(what+" "+quoted(field), "write a number from 0")
	}
	return v, nil
}

// azureHeading is where the columns stand.
type azureHeading struct {
	columns []int // of the names asked for
	beside  []int // of azureBeside, below 0 where there is none
	first   int   // of minute 1, where there are minutes
	width   int
	row     int // that is visited, in its file
}

// rows calls visit with the fields of each row below the heading.
func (h *azureHeading) rows(ctx context.Context, f File, names []string, visit func([][]byte) error) error {
	var fields [][]byte
	return f.rows(func(row int, text []byte) error {
		if h.columns == nil {
			return h.read(columnsOf(string(text)), names)
		}
		if row%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		fields = fields[:0]
		for field := range bytes.SplitSeq(text, []byte(",")) {
			fields = append(fields, field)
		}
		if len(fields) != h.width {
			return unevenRow(len(fields), h.width)
		}
		h.row = row
		return visit(fields)
	})
}

func (h *azureHeading) read(heading, names []string) error {
	h.width = len(heading)
	h.columns, h.beside = places(heading, names...), places(heading, azureBeside()...)
	for i, at := range h.columns {
		if at < 0 {
			return bad("no column "+names[i], "write the heading of Azure Functions 2019")
		}
	}
	h.first = slices.Index(heading, "1")
	if len(names) > 3 { // a file without minutes
		return nil
	}
	if h.first < 0 || h.width-h.first != minutesADay {
		return bad("not 1,440 minutes", "write columns 1 to 1440, last in the heading")
	}
	for i, name := range heading[h.first:] {
		if name != strconv.Itoa(i+1) {
			return bad(fmt.Sprintf("column %q where minute %d belongs", name, i+1), "write columns 1 to 1440, last in the heading")
		}
	}
	return nil
}

// key joins the first n of the hashes.
func (h *azureHeading) key(fields [][]byte, n int) string {
	var b bytes.Buffer
	for i, at := range h.columns[:n] {
		if i > 0 {
			b.WriteByte('/')
		}
		b.Write(fields[at])
	}
	return b.String()
}

// complete knows everything that About says.
func (a *azure2019) complete() {
	a.about.Functions = len(a.functions)
	a.about.Span = time.Duration(a.days) * 24 * time.Hour
	keys := make([]string, len(a.functions))
	untold := 0
	for i, f := range a.functions {
		a.about.Requests += float64(f.requests)
		keys[i] = f.key[bytes.IndexByte([]byte(f.key), '/')+1:] // the owner says nothing to a reader
		if f.service == nil {
			untold++
		}
	}
	a.short = shortest(keys)
	if a.added > 0 {
		a.about.Notes = append(a.about.Notes, fmt.Sprintf("%s added to another of the same function and day, as where a function has several triggers; the first is %s",
			units.FormatNoun(a.added, "row"), a.firstly))
	}
	if untold > 0 {
		a.about.Notes = append(a.about.Notes, fmt.Sprintf("%d of %d functions have no durations in the files", untold, len(a.functions)))
	}
}

func (a *azure2019) Functions(ctx context.Context) iter.Seq2[*Function, error] {
	return func(yield func(*Function, error) bool) {
		for i := range a.functions {
			f, err := a.yielded(ctx, i)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

func (a *azure2019) yielded(ctx context.Context, i int) (*Function, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from := &a.functions[i]
	counts := make([]uint32, a.days*minutesADay)
	for _, day := range from.days {
		packed := make([]byte, day.length)
		if _, err := io.ReadFull(io.NewSectionReader(a.disk, day.offset, int64(day.length)), packed); err != nil {
			return nil, fmt.Errorf("read Azure Functions 2019: %w", err)
		}
		minute := day.day*minutesADay - 1
		for len(packed) > 0 {
			skip, n := binary.Uvarint(packed)
			c, m := binary.Uvarint(packed[n:])
			packed = packed[n+m:]
			minute += int(skip)
			counts[minute] += uint32(c) // a function with several triggers has several rows
		}
	}
	f := Counted(&Function{Name: a.short[i], Key: from.key}, counts)
	if m := a.memory[from.app]; m != nil && m.weight > 0 {
		f.Memory = units.Bytes(m.mean() * float64(units.MB))
	}
	if from.service != nil {
		points := make([]dist.Point, len(from.service))
		for k, rank := range azureRanks() {
			points[k] = dist.Point{Q: float64(rank) / 100, Value: time.Duration(from.service[k].mean() * float64(time.Millisecond))}
		}
		table, err := dist.NewTable(points)
		if err != nil {
			return nil, fmt.Errorf("durations of %s: %w", f.Name, err)
		}
		f.Service = table
	}
	return f, nil
}
