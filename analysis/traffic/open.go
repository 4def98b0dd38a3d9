package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/fixtures"
)

// Open reads recorded traffic: a run directory, or files of one format, told by
// their content. Several files are the days of Azure Functions 2019 in their
// order, with their durations and memory beside them; of any other format one
// file is read. A folder that is no run stands for the files in it, by name.
//
// The caller closes the source. An error in a row is a *[Fault].
func Open(ctx context.Context, paths ...string) (Source, error) {
	if len(paths) == 1 && isRun(paths[0]) {
		return openRun(ctx, paths[0])
	}
	var files []File
	for _, p := range paths {
		inside, err := filesIn(p)
		if err != nil {
			return nil, fmt.Errorf("open traffic: %w", err)
		}
		files = append(files, inside...)
	}
	return OpenFiles(ctx, files...)
}

func isRun(path string) bool {
	_, err := os.Stat(filepath.Join(path, "manifest.json"))
	return err == nil
}

// filesIn is the file at path, or those in the folder there.
func filesIn(path string) ([]File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []File{Path(path)}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, Path(filepath.Join(path, e.Name())))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: neither a run directory nor a folder with files", path)
	}
	return files, nil
}

// format is what a file holds.
type format int

const (
	plainTrace format = iota // counts or timestamps, as package arrival reads them
	accessLog
	azureCounts
	azureDurations
	azureMemory
	azureInvocations
)

// OpenShipped is [Open] for what coldcurve ships: one of fixtures.TraceNames.
func OpenShipped(ctx context.Context, name string) (Source, error) {
	return OpenFiles(ctx, File{Name: name, Open: func() (io.ReadCloser, error) { return fixtures.Trace(name) }})
}

// OpenFiles is [Open] for files that need not be in the file system.
func OpenFiles(ctx context.Context, files ...File) (Source, error) {
	if len(files) == 0 {
		return nil, errors.New("open traffic: no files")
	}
	formats := make([]format, len(files))
	for i, f := range files {
		var err error
		if formats[i], err = f.format(); err != nil {
			return nil, err
		}
	}
	if isAzure2019(formats[0]) {
		return openAzure2019(ctx, files, formats)
	}
	if len(files) > 1 {
		return nil, &Fault{files[1].Name, 0, "a second file of traffic", "give one file, or the day files of Azure Functions 2019"}
	}
	switch formats[0] {
	case accessLog:
		return openAccessLog(ctx, files[0])
	case azureInvocations:
		return openAzure2021(ctx, files[0])
	}
	return openTrace(ctx, files[0])
}

func isAzure2019(f format) bool {
	return f == azureCounts || f == azureDurations || f == azureMemory
}

var errSeen = errors.New("the first row has been seen")

// format tells what a file holds by its first row.
func (f File) format() (is format, err error) {
	err = f.rows(func(_ int, text []byte) error {
		is = formatOf(string(text))
		return errSeen
	})
	if errors.Is(err, errSeen) {
		err = nil
	}
	return is, err
}

func formatOf(first string) format {
	columns := columnsOf(first)
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(columns, n) })
	}
	switch {
	case has("hashapp", "hashfunction", "1440"), has("hashapp", "hashfunction", "trigger"):
		return azureCounts
	case has("hashapp", "hashfunction", "percentile_average_50"):
		return azureDurations
	case has("hashapp", "averageallocatedmb"):
		return azureMemory
	case has("app", "func", "end_timestamp", "duration"):
		return azureInvocations
	}
	if _, _, err := logLine([]byte(first)); err == nil {
		return accessLog
	}
	return plainTrace
}

// columnsOf are the names of a heading, in lower case.
func columnsOf(heading string) []string {
	columns := strings.Split(strings.ToLower(heading), ",")
	for i, c := range columns {
		columns[i] = strings.Trim(strings.TrimSpace(c), `"`)
	}
	return columns
}

// stem names a function after the file that its traffic is from.
func stem(file string) string {
	name := filepath.Base(file)
	name, _, _ = strings.Cut(name, ".")
	if name == "" {
		return "traffic"
	}
	return name
}
