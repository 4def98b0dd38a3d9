package study

import (
	"fmt"
	"math"

	"time"

	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
)

// Situation is a kind of traffic: a day that is the same all month, with a
// constant rate and some peaks. Arrivals are Poisson.
type Situation struct {
	Name   string        `json:"name"`
	Title  string        `json:"title"` // in words
	Rate   units.Rate    `json:"rate_per_s"`
	Peak   units.Rate    `json:"peak_per_s,omitempty"`  // above Rate; 0 is no peak, and then the next three are 0
	Peaks  int           `json:"peaks_a_day,omitempty"` // evenly spread
	Lasts  time.Duration `json:"peak_ns,omitempty"`     // at the peak's rate
	Rise   time.Duration `json:"rise_ns,omitempty"`     // the way up, and as long down again
	Source string        `json:"source"`
	AsOf   string        `json:"as_of"`
}

// day is what a situation repeats.
const day = 24 * time.Hour

// riseSteps are the constant rates that the way up to a peak is made of.
const riseSteps = 30

// Day is the situation's load, a stretch after the other; a single one where it
// has no peak.
func (s *Situation) Day() []Stretch {
	if s.Peak == 0 {
		return []Stretch{{Length: day, Rate: s.Rate}}
	}
	calm := day/time.Duration(s.Peaks) - s.Lasts - 2*s.Rise
	var up, down, all []Stretch
	for i := range riseSteps {
		part := (float64(i) + .5) / riseSteps
		step := Stretch{Length: s.Rise / riseSteps, Rate: s.Rate + units.Rate(part)*(s.Peak-s.Rate)}
		up, down = append(up, step), append([]Stretch{step}, down...)
	}
	for range s.Peaks {
		all = append(all, Stretch{Length: calm / 2, Rate: s.Rate})
		if s.Rise > 0 {
			all = append(all, up...)
		}
		all = append(all, Stretch{Length: s.Lasts, Rate: s.Peak})
		if s.Rise > 0 {
			all = append(all, down...)
		}
		all = append(all, Stretch{Length: calm - calm/2, Rate: s.Rate})
	}
	return all
}

// Mean is the mean rate.
func (s *Situation) Mean() units.Rate {
	sum := 0.0
	for _, part := range s.Day() {
		sum += float64(part.Rate) * part.Length.Seconds()
	}
	return units.Rate(sum / day.Seconds())
}

// Highest is the highest rate.
func (s *Situation) Highest() units.Rate { return max(s.Rate, s.Peak) }

// Validate says what is wrong with its peaks.
func (s *Situation) Validate() error {
	switch peaks := time.Duration(s.Peaks) * (s.Lasts + 2*s.Rise); {
	case s.Peak == 0 && (s.Peaks != 0 || s.Lasts != 0 || s.Rise != 0):
		return fmt.Errorf("%s has peaks without a rate: add peak: 100/s", s.Name)
	case s.Peak == 0:
		return nil
	case s.Peak <= s.Rate:
		return fmt.Errorf("%s: its peak of %v is not above its rate of %v", s.Name, s.Peak, s.Rate)
	case s.Peaks == 0 || s.Lasts == 0:
		return fmt.Errorf("%s: say how many peaks a day has, and how long each lasts: peaks: 2, lasts: 1h", s.Name)
	case peaks >= day:
		return fmt.Errorf("%s: its peaks take %v of a day: leave some of it", s.Name, peaks)
	}
	return nil
}

// Following is how fleets follow a load that changes: by target tracking of
// their utilisation.
type Following struct {
	Utilisation    float64       `json:"target_utilisation"` // of the vCPUs, above 0, at most 1
	Period         time.Duration `json:"period_ns"`          // of the metric
	OutAfter       int           `json:"out_after_periods"`
	InAfter        int           `json:"in_after_periods"`
	InCooldown     time.Duration `json:"in_cooldown_ns"`
	BootContainers time.Duration `json:"boot_containers_ns"` // until an instance takes requests
	BootMachines   time.Duration `json:"boot_machines_ns"`
	Source         string        `json:"source"`
	AsOf           string        `json:"as_of"`
}

// rules are the autoscaler's.
func (f *Following) rules() fleet.Autoscaling {
	return fleet.Autoscaling{Target: f.Utilisation, Period: f.Period, OutAfter: f.OutAfter, InAfter: f.InAfter, InCooldown: f.InCooldown}
}

// situationsFile is what stands in a file.
type situationsFile struct {
	Situations []Situation
	Fleets     Following
}

// UsualSituations are those of the literature, and how fleets follow them.
func UsualSituations() ([]Situation, Following) {
	list, f, err := ParseSituations("situations.yaml", fixtures.Situations())
	if err != nil {
		panic(err) // it is part of the program
	}
	return list, f
}

// ParseSituations reads situations from text. The name is the file's: it stands
// in faults. An error is a [strict.Faults] with all that is wrong.
func ParseSituations(name string, text []byte) ([]Situation, Following, error) {
	var faults strict.Faults
	var file situationsFile
	root, ok := strict.Parse(text, faults.Collect(name))
	if m, isMap := root.Map("the file of situations"); ok && isMap {
		situationsFields().Into(&file, plain{}, m, "the file of situations", "")
	}
	return file.Situations, file.Fleets, faults.Err()
}

// SituationsFileSchemaJSON is the JSON Schema (draft 2020-12) of such a file.
func SituationsFileSchemaJSON() []byte {
	return situationsFields().Object("").Document("coldcurve situations", "Kinds of traffic that options are compared in, and how fleets follow those that change.")
}

// plain is carried along while a file is read: its keys do not depend on each
// other.
type plain struct{}

func situationsFields() strict.Fields[plain, situationsFile] {
	return strict.Fields[plain, situationsFile]{
		strict.NewField("situations", situations(), func(f *situationsFile) *[]Situation { return &f.Situations }, "the kinds of traffic").Must(),
		strict.NewField("fleets", followingFields().Form("fleets", "{utilisation: 50%, ...}"), func(f *situationsFile) *Following { return &f.Fleets }, "how fleets follow a load that changes; the default is coldcurve's own"),
	}
}

func situationFields() strict.Fields[plain, Situation] {
	return strict.Fields[plain, Situation]{
		strict.NewField("name", strict.Texts[plain](), func(s *Situation) *string { return &s.Name }, "a word").Must().Like("spikes"),
		strict.NewField("title", strict.Texts[plain](), func(s *Situation) *string { return &s.Title }, "in words; the default is the name"),
		strict.NewField("rate", rates(), func(s *Situation) *units.Rate { return &s.Rate }, "of requests, but for the peaks").Must(),
		strict.NewField("peak", rates(), func(s *Situation) *units.Rate { return &s.Peak }, "rate at a peak, above the other"),
		strict.NewField("peaks", strict.Counts[plain](1, 24), func(s *Situation) *int { return &s.Peaks }, "how many a day has, evenly spread"),
		strict.NewField("lasts", lengths(), func(s *Situation) *time.Duration { return &s.Lasts }, "how long a peak's rate lasts"),
		strict.NewField("rise", lengths(), func(s *Situation) *time.Duration { return &s.Rise }, "how long the way up to it takes, and the way down; the default is none"),
		strict.NewField("source", strict.Texts[plain](), func(s *Situation) *string { return &s.Source }, "where this is from").Must().Like("our own logs"),
		strict.NewField("as_of", strict.Texts[plain](), func(s *Situation) *string { return &s.AsOf }, "when that was so").Must().Like("2026-09"),
	}
}

// situations are at least one, each with a name of its own.
func situations() strict.Form[plain, []Situation] {
	return strict.Form[plain, []Situation]{
		Read: func(c plain, v strict.Value) ([]Situation, bool) {
			items, ok := v.List("situations")
			if ok && len(items) == 0 {
				v.Fault("no situations", "write for example - {name: busy, rate: 50/s, source: our own logs, as_of: 2026-09}")
			}
			taken := make(map[string]bool)
			var list []Situation
			for _, item := range items {
				m, isMap := item.Map("a situation")
				if !isMap {
					continue
				}
				var s Situation
				situationFields().Into(&s, c, m, "a situation", "")
				if s.Title == "" {
					s.Title = s.Name
				}
				if err := s.Validate(); err != nil {
					m.Fault(err.Error(), "")
				}
				if taken[s.Name] {
					m.Fault("a second situation "+strict.Quote(s.Name), "give each a name of its own")
				}
				taken[s.Name] = true
				list = append(list, s)
			}
			return list, ok
		},
		Example: "[{name: busy, rate: 50/s, source: our own logs, as_of: 2026-09}]",
		Schema:  strict.ListSchema(situationFields().Object("")),
	}
}

func followingFields() strict.Fields[plain, Following] {
	return strict.Fields[plain, Following]{
		strict.NewField("utilisation", strict.Quantities[plain]("share", "50%", strict.SharePattern, math.SmallestNonzeroFloat64, 1, units.ParseShare, units.FormatShare),
			func(f *Following) *float64 { return &f.Utilisation }, "of the vCPUs that is aimed at").Must(),
		strict.NewField("period", lengths(), func(f *Following) *time.Duration { return &f.Period }, "that the utilisation is the mean of").Must(),
		strict.NewField("out_after", strict.Counts[plain](1, 100), func(f *Following) *int { return &f.OutAfter }, "periods in a row that want more instances before some are added").Must(),
		strict.NewField("in_after", strict.Counts[plain](1, 100), func(f *Following) *int { return &f.InAfter }, "periods in a row that want fewer before some are taken away").Must(),
		strict.NewField("in_cooldown", lengths(), func(f *Following) *time.Duration { return &f.InCooldown }, "after a change in which none is taken away").Must(),
		strict.NewField("boot_containers", lengths(), func(f *Following) *time.Duration { return &f.BootContainers }, "from a container's start until it takes requests").Must(),
		strict.NewField("boot_machines", lengths(), func(f *Following) *time.Duration { return &f.BootMachines }, "the same of a machine").Must(),
		strict.NewField("source", strict.Texts[plain](), func(f *Following) *string { return &f.Source }, "where this is from").Must().Like("our own logs"),
		strict.NewField("as_of", strict.Texts[plain](), func(f *Following) *string { return &f.AsOf }, "when that was so").Must().Like("2026-09"),
	}
}

func rates() strict.Form[plain, units.Rate] {
	return strict.Quantities[plain]("rate", "50/s", strict.RatePattern, units.Rate(math.SmallestNonzeroFloat64), 1e9, units.ParseRate, units.FormatRate)
}

func lengths() strict.Form[plain, time.Duration] {
	return strict.Durations[plain]("15m", 0, day)
}
