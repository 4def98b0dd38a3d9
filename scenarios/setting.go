package scenarios

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/platform"
)

// assign reads the command line's keys as if they stood in the file: those of
// the platform into it, those of functions into each of them.
func (r *reader) assign() {
	platformKeys, functionKeys := platformFields(), functionFields()
	for _, set := range r.overrides.Set {
		if name, ok := strings.CutPrefix(set.Key, "env."); ok {
			r.assignEnv(set.From, name, set.Value)
			continue
		}
		root, ok := strict.Parse([]byte(set.Key+": "+set.Value+"\n"), func(_ strict.Position, problem, instead string) {
			r.faults = append(r.faults, Fault{File: set.From, Problem: problem, Instead: instead})
		})
		if !ok {
			continue
		}
		m, ok := root.Map(set.From)
		if !ok {
			continue
		}
		v, p := m.Get(set.Key), &r.scenario.Platform
		ofPlatform, first := platformKeys.Find(set.Key)
		ofFunction, second := functionKeys.Find(set.Key)
		switch {
		case first && set.Key != "name" && ofPlatform.Has(p.Name):
			before := len(r.faults)
			ofPlatform.Read(r, v, p)
			if p.Name == referencePlatform {
				r.checkPolicy(m, p, before)
			}
		case second && slices.Contains(settable(), set.Key):
			for i := range r.scenario.Functions {
				d := declared{Function: r.scenario.Functions[i]}
				ofFunction.Read(r, v, &d)
				r.scenario.Functions[i] = d.Function
			}
		default:
			known := append(platformKeys.Names(p.Name), append(settable(), "env.NAME")...)
			r.faults = append(r.faults, Fault{File: set.From, Problem: "platform " + p.Name + " and its functions have no key " + strict.Quote(set.Key), Instead: strict.Instead(set.Key, known)})
		}
	}
}

// assignEnv sets a variable of every function.
func (r *reader) assignEnv(from, name, value string) {
	if name == "" || platform.ReservedVariable(name) {
		r.faults = append(r.faults, Fault{File: from, Problem: "variable " + strict.Quote(name) + " is not a function's to have", Instead: "write for example env.LOG_LEVEL=debug"})
		return
	}
	for i := range r.scenario.Functions {
		f := &r.scenario.Functions[i]
		f.Env = maps.Clone(f.Env)
		if f.Env == nil {
			f.Env = make(map[string]string)
		}
		f.Env[name] = value
	}
}

// settable are the keys of functions that make sense for each of several.
func settable() []string {
	return []string{"memory", "timeout", "reserved", "package_size", "storage"}
}

// replaceCode gives functions the code of the command line.
func (r *reader) replaceCode() {
	for _, name := range slices.Sorted(maps.Keys(r.overrides.Code)) {
		folder := r.overrides.Code[name]
		i, ok := r.whose(folder, name, folder)
		if !ok {
			continue
		}
		f := &r.scenario.Functions[i]
		if f.Handler == "" && (f.Runtime == platform.NodeJS || f.Runtime == platform.Python) {
			f.Handler = "index.handler"
		}
		f.Fixture, f.Image, f.Code = "", "", folder
		if problem := unrunnable(f); problem != "" {
			r.faults = append(r.faults, Fault{File: folder, Problem: problem, Instead: "give a folder with the function's code in " + string(f.Runtime)})
		}
	}
}

// named is the index of a function, of the only one for "", -1 for none.
func (r *reader) named(name string) int {
	if name == "" && len(r.scenario.Functions) == 1 {
		return 0
	}
	return slices.IndexFunc(r.scenario.Functions, func(f Function) bool { return f.Name == name })
}

// unrunnable says why a function's folder cannot be run, "" where it can.
func unrunnable(f *Function) string {
	if info, err := os.Stat(f.Code); err != nil || !info.IsDir() {
		return "there is no such folder"
	}
	if f.Runtime == platform.Go || f.Runtime == platform.Wasm {
		_, file, _ := bootstrapOf(f.Runtime)
		if info, err := os.Stat(f.Code + string(os.PathSeparator) + file); err != nil || !info.Mode().IsRegular() {
			return "there is no " + file + " in it"
		}
		return ""
	}
	if handlerFiles(f.Runtime, f.Handler) == nil {
		return "handler " + strict.Quote(f.Handler) + " does not name file and function"
	}
	return ""
}

// ParseSettings reads "memory=256MB,env.LEVEL=debug": keys of the platform, of
// functions, and variables of their environment. No value can hold a comma.
func ParseSettings(from, text string) ([]Setting, error) {
	var list []Setting
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("%s is not key=value: write for example memory=256MB,keep_alive=5s", strict.Quote(part))
		}
		list = append(list, Setting{from, key, value})
	}
	return list, nil
}
