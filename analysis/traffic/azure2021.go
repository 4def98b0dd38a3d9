package traffic

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// openAzure2021 reads the invocation trace of Azure Functions of 2021: a row an
// invocation, with its app, function, end and duration in seconds. A request
// came at end - duration. Rows are in no order of that; they are sorted on disk.
func openAzure2021(ctx context.Context, f File) (Source, error) {
	sort := newSorter()
	names := make(map[string]uint32)
	var list []string
	var columns []int
	width, negative, n := 0, 0, 0
	err := f.rows(func(row int, text []byte) error {
		if columns == nil {
			heading := columnsOf(string(text))
			columns, width = places(heading, "app", "func", "end_timestamp", "duration"), len(heading)
			return nil
		}
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		fields := bytes.Split(text, []byte(","))
		if len(fields) != width {
			return unevenRow(len(fields), width)
		}
		end, err := secondsOf("end_timestamp", fields[columns[2]])
		if err != nil {
			return err
		}
		duration, err := secondsOf("duration", fields[columns[3]])
		if err != nil {
			return err
		}
		if duration < 0 {
			return bad(fmt.Sprintf("duration %s is negative", fields[columns[3]]), "write seconds from 0")
		}
		if end < duration {
			negative++
		}
		app, function := fields[columns[0]], fields[columns[1]]
		if len(app) == 0 || len(function) == 0 {
			return bad("an invocation without app or func", "write both")
		}
		key := string(app) + "/" + string(function)
		id, known := names[key]
		if !known {
			id = uint32(len(list))
			names[key] = id
			list = append(list, key)
		}
		return sort.add(record{id, int64(end - duration), int64(duration)})
	})
	if err == nil && n == 0 {
		err = &Fault{f.Name, 1, "a heading without rows", "write a row an invocation"}
	}
	if err != nil {
		sort.remove()
		return nil, err
	}
	about := About{Format: "Azure Functions 2021 invocations"}
	if negative > 0 {
		about.Notes = append(about.Notes, fmt.Sprintf("%d of %d requests began before the trace's time 0, which is moved to the first of them", negative, n))
	}
	return sort.source(ctx, about, sorted{names: shortest(list), keys: list, timed: true})
}

// unevenRow is a row that has other columns than its heading.
func unevenRow(columns, heading int) error {
	return bad(fmt.Sprintf("%d columns, and %d in the heading", columns, heading), "write as many as in the heading")
}

// places are the columns' positions in a heading.
func places(heading []string, columns ...string) []int {
	at := make([]int, len(columns))
	for i, c := range columns {
		at[i] = slices.Index(heading, c)
	}
	return at
}

// secondsOf reads a decimal number of seconds, exact to a nanosecond or to the
// 15 digits that a float64 has.
func secondsOf(what string, field []byte) (time.Duration, error) {
	s, err := strconv.ParseFloat(string(bytes.TrimSpace(field)), 64)
	if err != nil || math.IsNaN(s) || math.Abs(s) > longestSpan {
		return 0, bad(fmt.Sprintf("%s %s", what, quoted(field)), "write seconds as a decimal number, at most ten years")
	}
	return time.Duration(math.Round(s * 1e9)), nil
}

// shortest cuts the hashes in app/function names to as many characters as tell
// the names apart, at least 8.
func shortest(names []string) []string {
	for length := 8; ; length += 4 {
		cut := make([]string, len(names))
		seen := make(map[string]bool, len(names))
		whole := true
		for i, name := range names {
			cut[i] = cutHashes(name, length)
			whole = whole && cut[i] == name
			seen[cut[i]] = true
		}
		if len(seen) == len(names) || whole {
			return cut
		}
	}
}

func cutHashes(name string, length int) string {
	var b bytes.Buffer
	kept := 0
	for i := range len(name) {
		switch {
		case name[i] == '/':
			kept = 0
		case kept >= length:
			continue
		default:
			kept++
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
