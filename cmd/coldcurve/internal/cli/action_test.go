package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// action is what the test needs of action.yml.
type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Steps []struct {
			ID, Run string
			Env     map[string]string
		}
	}
}

// TestAction runs the script of the action's last step, as a runner does: its
// inputs as variables, its outputs in a file.
func TestAction(t *testing.T) {
	need.Linux(t)
	needPrograms(t, "bash", "sed")
	text, err := os.ReadFile("../../../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	step := a.Runs.Steps[len(a.Runs.Steps)-1]
	for name, in := range a.Inputs {
		if variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_")); in.Description == "" || step.Env[variable] != fmt.Sprintf("${{ inputs.%s }}", name) {
			t.Errorf("input %s: want a description, and %s to carry it", name, variable)
		}
	}
	for name, out := range a.Outputs {
		if out.Description == "" || out.Value != fmt.Sprintf("${{ steps.%s.outputs.%s }}", step.ID, name) || !strings.Contains(step.Run, name+"=") {
			t.Errorf("output %s: want a description and a value that the step gives", name)
		}
	}
	if strings.Contains(step.Run, "${{") {
		t.Error("an input is a part of the script: somebody else's words would be run")
	}
	script := `
runs base 20
runs 'head;x' 20 ms=130
runs few 2
env RUNNER_TEMP=$WORK/temp GITHUB_OUTPUT=$WORK/out GITHUB_STEP_SUMMARY=$WORK/summary BASELINES=baselines POLICY= FAIL_ON_UNDECIDED=true
env BASE=base
env HEAD='head;x'
exitcode 3 bash judge.sh
grep '^verdict=regressed$' out
grep '^exit-code=3$' out
grep '^### coldcurve gate: regressed' summary
exists temp/coldcurve-gate/junit.xml temp/coldcurve-gate/comment.md temp/coldcurve-gate/badge.json temp/coldcurve-gate/bench.txt
stderr '^::error '

# Two words a side, one a line; a gate that cannot tell fails or does not.

env HEAD=few
exitcode 4 bash judge.sh
grep '^exit-code=4$' out
stderr '^::error '
env FAIL_ON_UNDECIDED=false
rm out
exitcode 0 bash judge.sh
grep '^exit-code=0$' out
grep '^verdict=inconclusive$' out
stderr '^::warning '
! stderr '^::error '
exitcode 3 bash -c 'HEAD=$(printf "few\nhead;x") bash judge.sh'
env BASE=main
exitcode 0 bash judge.sh
grep '^verdict=no_baseline$' out
exitcode 2 bash -c 'HEAD=nowhere/run bash judge.sh'
-- judge.sh --
` + step.Run
	file := filepath.Join(t.TempDir(), "action.txtar")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{file}, Setup: setUpScript, Cmds: scriptCommands()})
}
