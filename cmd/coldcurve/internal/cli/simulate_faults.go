package cli

import (
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/sim"
)

// mistakes gives every fault of flags that neither the traffic nor the policy
// has to be read for.
func (c *simulateCmd) mistakes() error {
	var faults []error
	fault := func(is bool, format string, args ...any) {
		if is {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	process := c.Rate != nil || c.Population.given
	fault(c.Rate != nil && c.Rate.value <= 0, "--rate 0/s: write more than 0, such as 0.9/s")
	fault(c.Population.given && c.Population.value == 0, "--population 0: write how many functions, from 1")
	fault(c.Requests.given && c.Requests.value == 0, "--requests 0: write how many, from 1")
	fault(c.Until.value != nil && *c.Until.value == 0, "--until 0: write how long, such as 24h")
	fault(c.Arrivals != "poisson" && !process, "--arrivals %s without --rate or --population: other traffic comes as it is recorded or written", c.Arrivals)
	fault(c.Arrivals == "constant" && c.Population.given, "--arrivals constant with --population: write poisson or bursty; which functions are timers is drawn")
	fault(c.Arrivals == "bursty" && !(c.CV >= leastCV && c.CV <= mostCV), "--cv %v: write a number from %v to %v", c.CV, leastCV, mostCV)
	fault(c.Arrivals != "bursty" && c.CV != usualCV, "--cv %v without --arrivals bursty: leave it out, or add that", c.CV)
	fault(c.Memory.given && c.Memory.value == 0, "--memory 0: write a size, such as 512MB")
	fault(c.Override && !c.Service.given && !c.ColdService.given && !c.Memory.given,
		"--override without --service, --cold-service or --memory: write what replaces that of the traffic")
	fault(c.Engine == string(sim.EngineLevels) && c.Target.given && c.Fleet == "",
		"--target with --engine levels: it tells no response times; leave --engine levels out")
	fault(c.Top < 0, "--top %d: write how many functions have a row, from 0", c.Top)
	if err := c.contention().Validate(); err != nil {
		faults = append(faults, fmt.Errorf("--slowdown and --cores: %w", err))
	}
	if faults == nil {
		return nil
	}
	return &failure{code: exitUsage, err: errors.Join(faults...)}
}

// Coefficients of variation of bursty gaps, as populations take them, and the flag's default.
const leastCV, mostCV, usualCV = .1, 100., 4.

func (c *simulateCmd) contention() sim.Contention {
	return sim.Contention{Slowdown: c.Slowdown, Cores: c.Cores}
}
