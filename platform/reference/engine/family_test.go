package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

func TestReservedVariablesAreRefused(t *testing.T) {
	run(t, slowStart(), lifecycle.Policy{}, func(t *testing.T, rt *host) {
		fn := platform.Function{Name: "mars", Code: t.TempDir(), Env: map[string]string{
			"AWS_REGION": "mars", "_HANDLER": "x", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper", "SHOP": "open",
		}}
		fam, err := rt.Family(fn.Name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
		e, ok := errors.AsType[*engine.Error](err)
		if !ok || e.Code != engine.Invalid || !strings.Contains(e.Message, "Reserved keys used in this request: AWS_REGION, _HANDLER") {
			t.Errorf("got %v, want a refusal that names AWS_REGION and _HANDLER", err)
		}
		delete(fn.Env, "AWS_REGION")
		delete(fn.Env, "_HANDLER")
		if _, err := fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{}); err != nil {
			t.Errorf("without them: %v", err)
		}
	})
}
