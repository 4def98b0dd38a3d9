package cli

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	dockerplatform "github.com/coldcurve/coldcurve/platform/docker"
	"github.com/coldcurve/coldcurve/scenarios"
)

type doctorCmd struct {
	Calibrate      bool `help:"Measure the harness against the runtime's own record and against a stalled server, and print its error."`
	JSON           bool `name:"json" help:"Print JSON (schema coldcurve.doctor/v1)."`
	referenceFlags `embed:""`
}

// finding is one part and whether it can be used here.
type finding struct {
	Part   string `json:"part"`
	Status string `json:"status"` // yes, limited, no
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

type diagnosis struct {
	Schema      string       `json:"schema"`
	Findings    []finding    `json:"findings"`
	Calibration []experiment `json:"calibration,omitempty"`
}

// Run looks at every part, and fails only if the main job cannot run or the
// harness measures wrongly.
func (c *doctorCmd) Run(ctx context.Context, w *World) error {
	doc := diagnosis{Schema: "coldcurve.doctor/v1"}
	doc.Findings = append(doc.Findings, machine(w), toolchain(ctx))
	languages := interpreters(ctx)
	about, took, ran := c.try(ctx, w, scenarios.Overrides{Platform: "reference"})
	doc.Findings = append(doc.Findings, languages...)
	doc.Findings = append(doc.Findings, referenceRuntime(about, took, ran)...)
	doc.Findings = append(doc.Findings, sandboxes(ctx, ran)...)
	doc.Findings = append(doc.Findings, starts(about, languages, ran)...)
	_, _, served := c.try(ctx, w, scenarios.Overrides{Platform: "server"})
	doc.Findings = append(doc.Findings, servers(w, runtime.NumCPU(), served))
	workerd, took, isolated := c.try(ctx, w, scenarios.Overrides{Platform: "workers", Runtime: platform.NodeJS})
	doc.Findings = append(doc.Findings, isolates(workerd, took, isolated))
	doc.Findings = append(doc.Findings, dockerEngine(dockerplatform.Facts(ctx, dockerplatform.Options{})))

	var err error
	if c.Calibrate {
		doc.Calibration, err = calibrate(ctx, w, c)
	}
	if c.JSON {
		if jsonErr := printJSON(w.Stdout, doc); jsonErr != nil {
			return jsonErr
		}
	} else if printErr := printDiagnosis(w, doc); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	if err := wrong(doc.Calibration); err != nil {
		return err
	}
	if ran != nil {
		return hinted(fmt.Errorf("the reference runtime cannot run here"), "platform http still can: coldcurve run sustained --platform http --url URL")
	}
	return nil
}

func machine(w *World) finding {
	f := finding{Part: "machine", Status: "yes", Detail: fmt.Sprintf("%s/%s, %s", w.OS, runtime.GOARCH, count(uint64(runtime.NumCPU()), "core"))}
	switch {
	case w.OS != "linux":
		f.Status = "limited"
		f.Remedy = "measure on Linux; here validate, schema, report and platform http work"
	case runtime.NumCPU() == 1:
		f.Status = "limited"
		f.Detail += "; the load generator shares it with the functions, and waits without spinning"
	}
	return f
}

func toolchain(ctx context.Context) finding {
	f := finding{Part: "go functions", Status: "yes"}
	out, err := output(ctx, "go", "version")
	f.Detail = out
	if err != nil {
		f.Status, f.Detail = "no", err.Error()
		f.Remedy = "install Go and put it on the PATH; fixture functions in Go are built with it on first use"
	}
	return f
}

func interpreters(ctx context.Context) []finding {
	var list []finding
	for _, i := range []struct{ part, program, remedy string }{
		{"node.js functions", "node", "install Node.js 18 or newer (Debian: nodejs)"},
		{"python functions", "python3", "install Python 3.9 or newer (Debian: python3)"},
	} {
		f := finding{Part: i.part, Status: "yes"}
		out, err := output(ctx, i.program, "--version")
		f.Detail = out
		if err != nil {
			f.Status, f.Detail, f.Remedy = "no", err.Error(), i.remedy
		}
		list = append(list, f)
	}
	return list
}

func output(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	return strings.TrimSpace(string(out)), err
}

// referenceRuntime is what came of one cold start of the hello fixture. The
// first finding is the runtime itself, the others its limits.
func referenceRuntime(about platform.Description, took time.Duration, err error) []finding {
	f := finding{Part: "reference runtime", Status: "yes"}
	if err != nil {
		f.Status, f.Detail = "no", err.Error()
		return []finding{f}
	}
	f.Detail = fmt.Sprintf("sandbox %s; one cold start of hello took %s", about.Facts["sandbox"], units.FormatDuration(took))
	list := []finding{f}
	for _, note := range about.Notes {
		list = append(list, finding{Part: "reference runtime", Status: "limited", Detail: note})
	}
	return list
}

// servers says whether platform server runs here: err is what came of one
// request to the hello fixture as a server.
func servers(w *World, processors int, err error) finding {
	f := finding{Part: "platform server", Status: "yes", Detail: "long-lived HTTP servers, each tied to processors of its own; one answered"}
	switch {
	case err != nil && w.OS != "linux":
		f.Status, f.Detail, f.Remedy = "no", err.Error(), "measure on Linux"
	case err != nil:
		f.Status, f.Detail, f.Remedy = "no", err.Error(), "what keeps it from running is above; platform http measures a server that you start yourself"
	case processors == 1:
		f.Status, f.Remedy = "limited", "measure a capacity where there are at least 2 processors"
		f.Detail += ", and shares the one processor with the load generator"
	}
	return f
}

// isolates says whether platform workers runs here: err is what came of one
// cold start of the hello fixture.
func isolates(about platform.Description, took time.Duration, err error) finding {
	f := finding{Part: "platform workers", Status: "yes"}
	if err != nil {
		f.Status, f.Detail, f.Remedy = "no", err.Error(), cmp.Or(platform.HintOf(err), "nothing else of coldcurve's own needs it")
		return f
	}
	f.Detail = fmt.Sprintf("%s; one cold start of hello took %s", about.Version, units.FormatDuration(took))
	return f
}

// dockerEngine says whether platform docker runs here, by what its engine says of
// itself.
func dockerEngine(facts map[string]string, err error) finding {
	if err != nil {
		return finding{Part: "platform docker", Status: "no", Detail: strings.TrimPrefix(err.Error(), "platform docker: "), Remedy: "platform reference needs no engine"}
	}
	return finding{Part: "platform docker", Status: "yes", Detail: facts["engine"] + "; it has " + facts["oci_runtimes"]}
}

// probe is the scenario that doctor deploys; it sends one request by hand.
const probe = `name: probe
functions: [{name: hello, fixture: hello}]
phases: [{name: one, duration: 1s, arrivals: {process: burst, count: 1}}]
`

// try sends one request to the hello fixture on a platform.
func (c *doctorCmd) try(ctx context.Context, w *World, on scenarios.Overrides) (platform.Description, time.Duration, error) {
	s, err := scenarios.Parse("doctor", []byte(probe), on)
	if err != nil {
		return platform.Description{}, 0, err
	}
	st, err := setUp(ctx, w, s, &runCmd{referenceFlags: c.referenceFlags})
	if err != nil {
		return platform.Description{}, 0, err
	}
	defer st.strike()
	began := time.Now()
	if _, err := st.deployments["hello"].Invoke(ctx, platform.Request{}); err != nil {
		return platform.Description{}, 0, err
	}
	return st.description, time.Since(began), st.strike()
}
