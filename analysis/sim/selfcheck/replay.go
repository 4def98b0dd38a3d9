package selfcheck

import (
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

//go:embed replays
var files embed.FS

// replay is requests that were sent to AWS Lambda in 2020, when it let an
// instance go 635.8 to 645 s after its last request. off is by how many cold
// starts a simulation with one keep-alive may differ: those whose idle spell
// was near it.
type replay struct {
	file string
	off  float64
}

const lambdaKeepAlive = 640 * time.Second

var replays = []replay{{"2020-05-28_01-57-40", 1}, {"2020-06-04_23-02-14", 1}, {"2020-06-06_22-39-19", 0}}

// check compares how many requests were cold, the first excepted.
func (r *replay) check(ctx context.Context) (Check, error) {
	file, err := files.Open("replays/" + r.file + ".csv")
	if err != nil {
		return Check{}, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return Check{}, fmt.Errorf("replay %s: %w", r.file, err)
	}
	var came []time.Duration
	took, cold := 0., 0
	for k, row := range rows[1:] {
		start, err := strconv.ParseFloat(row[0], 64)
		if err != nil {
			return Check{}, fmt.Errorf("replay %s, row %d: %w", r.file, k+2, err)
		}
		elapsed, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return Check{}, fmt.Errorf("replay %s, row %d: %w", r.file, k+2, err)
		}
		came = append(came, secs(start))
		took += elapsed
		if k > 0 && row[6] == "1" {
			cold++
		}
	}
	load := sim.Load{Name: r.file, Arrivals: func(*rand.Rand) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for _, t := range came {
				if !yield(t) {
					return
				}
			}
		}
	}}
	got, err := sim.Events(ctx, load, sim.Options{
		Policy: lifecycle.Policy{KeepAlive: lambdaKeepAlive}, Service: dist.Constant(secs(took / float64(len(came)))), Warmup: -1,
	})
	if err != nil {
		return Check{}, err
	}
	c := Check{
		Law: fmt.Sprintf("AWS Lambda 2020, %d requests", len(came)), Figure: "cold starts", Source: "measured (" + r.file + ")",
		Want: float64(cold), Slack: r.off, Got: float64(got.Cold) - 1,
	}
	c.OK = c.Got-c.Want <= c.Slack && c.Want-c.Got <= c.Slack
	return c, nil
}
