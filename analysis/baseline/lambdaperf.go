package baseline

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Inits are the init durations of one cold start each of some functions, which
// somebody else has measured and of which nothing else is known.
type Inits map[string]time.Duration

// Select gives the figures of a selection: of one function, or of all together.
func (in Inits) Select(s summary.Selection) summary.Pool {
	var p summary.Pool
	p.Start = s.Start
	if s.Phase != "" || s.Start != "" && s.Start != "cold" {
		return p
	}
	var sum time.Duration
	for name, d := range in {
		if s.Function == "" || s.Function == name {
			p.N++
			sum += d
		}
	}
	p.Cold, p.Known, p.Untold = p.N, p.N, true
	if p.N > 0 {
		mean := int64(sum) / int64(p.N)
		p.Starts.Init = &mean
	}
	return p
}

// Import reads history that another tool has written as a baseline of its own:
// as many runs as it has cold starts of a function. Only functions that only
// matches (a pattern as of path.Match; "" is all) are taken. The one format so
// far is lambda-perf's day.
func Import(text []byte, only string) (*Baseline, error) {
	if _, err := path.Match(only, ""); err != nil {
		return nil, fmt.Errorf("import: pattern %q: %w", only, err)
	}
	for _, format := range formats() {
		b, err := format.read(text, only)
		if errors.Is(err, errOther) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("import %s: %w", format.name, err)
		}
		return b, nil
	}
	return nil, errors.New("import: this is no format that is known: want the JSON of a day of lambda-perf ({\"metadata\": ..., \"runtimeData\": [...]})")
}

// errOther says that a text is not in a format.
var errOther = errors.New("another format")

// format is somebody else's way to write cold starts down.
type format struct {
	name string
	read func(text []byte, only string) (*Baseline, error)
}

func formats() []format { return []format{{"lambda-perf", readLambdaPerf}} }

// lambdaPerfDay is a day of github.com/maxday/lambda-perf: of each
// configuration the init durations of some cold starts.
type lambdaPerfDay struct {
	Metadata struct {
		GeneratedAt time.Time `json:"generatedAt"`
	} `json:"metadata"`
	Runtimes []struct {
		Name  string    `json:"r"`
		Inits []float64 `json:"i"` // milliseconds
	} `json:"runtimeData"`
}

func readLambdaPerf(text []byte, only string) (*Baseline, error) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(text, &keys) != nil || keys["runtimeData"] == nil {
		return nil, errOther
	}
	var day lambdaPerfDay
	if err := json.Unmarshal(text, &day); err != nil {
		return nil, err
	}
	if day.Metadata.GeneratedAt.IsZero() {
		return nil, errors.New("metadata.generatedAt is missing: it says which day this is")
	}
	b := &Baseline{
		Schema: Schema, Name: "lambda-perf-" + day.Metadata.GeneratedAt.UTC().Format("2006-01-02"), Saved: day.Metadata.GeneratedAt.UTC(),
		Notes: map[string]string{"source": "github.com/maxday/lambda-perf"},
	}
	var seen []string
	for i, r := range day.Runtimes {
		name := strings.TrimPrefix(r.Name, "lambda-perf-")
		if ok, _ := path.Match(only, name); only != "" && !ok {
			continue
		}
		if name == "" || slices.Contains(seen, name) {
			return nil, fmt.Errorf("runtimeData[%d].r is %q: want a name that no other has", i, r.Name)
		}
		seen = append(seen, name)
		if err := b.addInits(name, r.Inits); err != nil {
			return nil, fmt.Errorf("runtimeData[%d] (%s): %w", i, name, err)
		}
	}
	if len(b.Runs) == 0 {
		return nil, fmt.Errorf("no cold start of a function that is called %q", only)
	}
	return b, nil
}

// addInits gives the i-th run the i-th cold start of a function.
func (b *Baseline) addInits(function string, millis []float64) error {
	for i, ms := range millis {
		const hour = 3_600_000
		if !(0 < ms && ms <= hour) {
			return fmt.Errorf("i[%d] is %v ms: want an init duration above 0 and up to an hour", i, ms)
		}
		if i == len(b.Runs) {
			b.Runs = append(b.Runs, Run{
				Name: b.Name + "-" + strconv.Itoa(i+1), Started: b.Saved,
				Kind: map[string]string{"source": "lambda-perf"}, Inits: Inits{},
			})
		}
		b.Runs[i].Inits[function] = time.Duration(ms * float64(time.Millisecond))
	}
	return nil
}
