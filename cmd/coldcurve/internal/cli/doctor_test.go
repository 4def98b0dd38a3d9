package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestDoctorOnStartTiers: each has a state, a reason, and what to do about it
// where something can be done.
func TestDoctorOnStartTiers(t *testing.T) {
	node, python := finding{Part: "node.js functions", Status: "yes"}, finding{Part: "python functions", Status: "yes"}
	noNode := finding{Part: "node.js functions", Status: "no", Remedy: "install Node.js"}
	noPython := finding{Part: "python functions", Status: "no", Remedy: "install Python"}
	freezer := platform.Description{Facts: map[string]string{"pause": "cgroup v2 freezer"}}
	stop := platform.Description{Facts: map[string]string{"pause": "SIGSTOP to the process group"}}
	for _, tt := range []struct {
		name      string
		about     platform.Description
		languages []finding
		ran       error
		want      string // pool, zygote, pause
		remedy    string // of the first that is not yes
	}{
		{"all", freezer, []finding{node, python}, nil, "yes yes yes", ""},
		{"no node", freezer, []finding{noNode, python}, nil, "limited yes yes", "install Node.js"},
		{"no python", freezer, []finding{node, noPython}, nil, "limited no yes", "install Python"},
		{"neither", freezer, []finding{noNode, noPython}, nil, "no no yes", "install Node.js; install Python"},
		{"no control groups", stop, []finding{node, python}, nil, "yes yes limited", "control groups"},
		{"no runtime", platform.Description{}, []finding{node, python}, errors.New("broken"), "no no no", "reference runtime"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var states []string
			remedy := ""
			for _, f := range starts(tt.about, tt.languages, tt.ran) {
				states = append(states, f.Status)
				if f.Status != "yes" && remedy == "" {
					remedy = f.Remedy
				}
				if f.Detail == "" || f.Status != "yes" && f.Remedy == "" {
					t.Errorf("%+v: want a reason, and a remedy where it is not yes", f)
				}
			}
			if got := strings.Join(states, " "); got != tt.want || !strings.Contains(remedy, tt.remedy) {
				t.Errorf("got %s, remedy %q, want %s, remedy %q", got, remedy, tt.want, tt.remedy)
			}
		})
	}
}

func TestDoctorOnServers(t *testing.T) {
	for _, tt := range []struct {
		os         string
		processors int
		err        error
		want       string
	}{
		{"linux", 2, nil, "yes"}, {"linux", 1, nil, "limited"}, {"linux", 2, errors.New("no go"), "no"}, {"darwin", 8, errors.New("needs Linux"), "no"},
	} {
		f := servers(&World{OS: tt.os}, tt.processors, tt.err)
		if f.Status != tt.want || f.Detail == "" || (f.Status == "yes") != (f.Remedy == "") {
			t.Errorf("%+v: got %+v, want %s, with a remedy unless yes", tt, f, tt.want)
		}
	}
}

// TestDoctorOnSandboxes looks for an engine where none is.
func TestDoctorOnSandboxes(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/docker.sock")
	var parts []string
	for _, f := range sandboxes(t.Context(), errors.New("broken")) {
		parts = append(parts, f.Part)
		name := strings.TrimPrefix(f.Part, "sandbox ")
		if (name == "process" || name == "container") && (f.Status != "no" || f.Remedy == "") {
			t.Errorf("%+v: want no, with a remedy", f)
		}
	}
	var want []string
	for _, name := range reference.SandboxNames() {
		want = append(want, "sandbox "+name)
	}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("sandboxes (-want +got):\n%s", diff)
	}
}
