package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/platform"
)

// Environment is what Lambda defines, and the function's own variables where
// Lambda lets a function define them. Task is the folder with the function's
// files and clients the one with the runtime clients, as the function sees
// them. What belongs to one instance is missing: its log's name and why it is
// started, see [Own], and the address of its Runtime API.
func Environment(spec *Spec, region, task, clients string) []string {
	f := &spec.Function
	env := []string{
		"_HANDLER=" + f.Handler,
		"LAMBDA_TASK_ROOT=" + task,
		"LAMBDA_RUNTIME_DIR=" + clients,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=" + spec.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.FormatInt(int64(spec.Memory)>>20, 10),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		// Code that is written for Lambda counts on credentials being there. These
		// open nothing anywhere; emulators take any.
		"AWS_ACCESS_KEY_ID=" + placeholder,
		"AWS_SECRET_ACCESS_KEY=" + placeholder,
		"AWS_SESSION_TOKEN=" + placeholder,
	}
	// Lambda's own clients set it. Where the function brings its client along
	// (provided), or its whole system (an image), there is none.
	if f.Runtime == platform.NodeJS || f.Runtime == platform.Python {
		env = append(env, "AWS_EXECUTION_ENV=AWS_Lambda_"+cmp.Or(spec.Identifier, string(f.Runtime)))
	}
	if spec.Slots > 1 { // as Lambda Managed Instances have it: so many polls wait at once
		env = append(env, "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(spec.Slots))
	}
	reserved, own := len(env), []string{runtimeAPI, logStream, initialization}
	for name, value := range f.Env {
		taken := func(pair string) bool { return strings.HasPrefix(pair, name+"=") }
		if !slices.Contains(own, name) && !slices.ContainsFunc(env[:reserved], taken) {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range Defaults() {
		if _, given := f.Env[name]; !given {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// placeholder stands where Lambda has a role's credentials.
const placeholder = "coldcurve"

// What belongs to one instance.
const (
	runtimeAPI     = "AWS_LAMBDA_RUNTIME_API"
	logStream      = "AWS_LAMBDA_LOG_STREAM_NAME"
	initialization = "AWS_LAMBDA_INITIALIZATION_TYPE"
)

// Defaults are the variables that Lambda gives a function and lets it change.
func Defaults() map[string]string {
	return map[string]string{
		"PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"LANG": "en_US.UTF-8",
		"TZ":   ":UTC",
	}
}

// Own completes an environment by the name of the instance's log and why the
// instance is started. It copies, and leaves room for one more variable.
func Own(env []string, id, version string, why Initialization, now time.Time) []string {
	return append(append(make([]string, 0, len(env)+3), env...),
		logStream+"="+now.UTC().Format("2006/01/02")+"/["+version+"]"+id,
		initialization+"="+string(why))
}

// Variables encodes an environment for a process that is told of it when it
// runs already: a JSON object.
func Variables(env []string) ([]byte, error) {
	all := make(map[string]string, len(env))
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return json.Marshal(all)
}
