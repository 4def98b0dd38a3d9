package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios"
)

type validateCmd struct {
	Scenarios []string `arg:"" name:"scenario" help:"Scenario files, or names of the embedded suite."`
	JSON      bool     `name:"json" help:"Print JSON (schema coldcurve.validation/v1)."`
}

type validation struct {
	Schema string       `json:"schema"`
	Files  []validFile  `json:"files"`
	Faults []validFault `json:"faults"`
}

type validFile struct {
	Source   string `json:"source"`
	Name     string `json:"name"`
	Phases   int    `json:"phases"`
	Duration int64  `json:"duration_ns"`
	Arrivals uint64 `json:"arrivals"`
}

type validFault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Problem string `json:"problem"`
	Instead string `json:"instead"`
}

// Run checks every file before it says anything, so that all faults come at once.
func (c *validateCmd) Run(w *World) error {
	doc := validation{Schema: "coldcurve.validation/v1", Files: []validFile{}, Faults: []validFault{}}
	var all scenarios.Faults
	for _, name := range c.Scenarios {
		file, err := validate(name)
		if faults, ok := errors.AsType[scenarios.Faults](err); ok {
			all = append(all, faults...)
			continue
		}
		if err != nil {
			return err
		}
		doc.Files = append(doc.Files, file)
	}
	for _, f := range all {
		doc.Faults = append(doc.Faults, validFault(f))
	}
	if c.JSON {
		if err := printJSON(w.Stdout, doc); err != nil {
			return err
		}
	} else {
		for _, f := range doc.Files {
			fmt.Fprintf(w.Stdout, "%s: ok: %s, %s, %s\n", f.Source, count(uint64(f.Phases), "phase"),
				units.FormatDuration(time.Duration(f.Duration)), count(f.Arrivals, "arrival"))
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

func validate(name string) (validFile, error) {
	s, err := scenarios.Find(name, scenarios.Overrides{})
	if err != nil {
		return validFile{}, err
	}
	schedule, err := s.Schedule()
	if err != nil {
		return validFile{}, err
	}
	last := schedule.Phases[len(schedule.Phases)-1]
	return validFile{
		Source:   name,
		Name:     s.Name,
		Phases:   len(s.Phases),
		Duration: int64(last.End),
		Arrivals: uint64(len(schedule.Times)),
	}, nil
}

// count is "1 phase", "3 phases".
func count(n uint64, noun string) string { return units.FormatNoun(n, noun) }
