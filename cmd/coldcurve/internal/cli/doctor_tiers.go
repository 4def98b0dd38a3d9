package cli

import (
	"context"
	"strings"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// sandboxes looks at each sandbox; it starts no engine. Ran is why the
// reference runtime does not run at all, nil if it does.
func sandboxes(ctx context.Context, ran error) []finding {
	about := map[string]finding{
		"process":   {Detail: "plain processes of this user: no boundary", Remedy: "nothing else of coldcurve's own does without it"},
		"namespace": {Detail: "processes in namespaces of their own, as other users where root starts them", Remedy: "sandbox process needs none of it, and is no boundary"},
		"wasm":      {Detail: "WASI preview 1 modules, runtime wasm alone", Remedy: "platform http runs anywhere"},
		"container": {Detail: "containers of the Docker engine that answers", Remedy: "sandbox namespace needs no engine"},
	}
	var list []finding
	for _, name := range reference.SandboxNames() {
		f := about[name]
		f.Part, f.Status = "sandbox "+name, "yes"
		err := reference.Available(ctx, name)
		if name == "process" && err == nil {
			err = ran
		}
		if err != nil {
			f.Status, f.Detail = "no", strings.TrimPrefix(err.Error(), name+" sandbox: ")
		} else {
			f.Remedy = ""
		}
		list = append(list, f)
	}
	return list
}

// starts looks at each start tier beyond the plain one, in the process sandbox,
// which has them all. Languages are the findings of the interpreters.
func starts(about platform.Description, languages []finding, ran error) []finding {
	pool := finding{Part: "start pool", Status: "yes"}
	zygote := finding{Part: "start zygote", Status: "no"}
	pause := finding{Part: "start pause", Status: "yes", Detail: "in process, namespace and container; by " + about.Facts["pause"]}
	if strings.HasPrefix(about.Facts["pause"], "SIGSTOP") {
		pause.Status = "limited"
		pause.Remedy = "a process that leaves its group runs on: let this user make control groups, or be root"
	}
	var booted, missing []string
	for _, l := range languages {
		name, _, _ := strings.Cut(l.Part, " ")
		if l.Status == "no" {
			missing = append(missing, l.Remedy)
			if name == "python" {
				zygote.Detail, zygote.Remedy = "python alone can fork, and is missing", l.Remedy
			}
			continue
		}
		booted = append(booted, name)
		if name == "python" {
			zygote.Status, zygote.Detail = "yes", "python, in sandbox process"
		}
	}
	pool.Detail, pool.Remedy = strings.Join(booted, ", ")+", in sandbox process", strings.Join(missing, "; ")
	switch {
	case len(booted) == 0:
		pool.Status, pool.Detail = "no", "no interpreter to boot ahead"
	case len(missing) > 0:
		pool.Status = "limited"
	}
	list := []finding{pool, zygote, pause}
	if ran != nil {
		for i := range list {
			list[i].Status, list[i].Detail, list[i].Remedy = "no", "the reference runtime does not run", "see reference runtime above"
		}
	}
	return list
}
