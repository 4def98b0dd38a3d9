package scenarios

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
)

const (
	mb            = units.Bytes(1 << 20)
	defaultMemory = 1769 * mb // one vCPU on Lambda
	mostMemory    = 10240 * mb
	mostTimeout   = 15 * time.Minute
	mostPackage   = 250 * mb // Lambda's, unzipped
	mostPayload   = 64 * mb  // far above any platform's limit, which is theirs to state
)

// declared is a function as the file has it, with the ways to run it.
type declared struct {
	Function
	sandboxes, starts []string
}

func functionFields() fields[declared] {
	return fields[declared]{
		key("name", names(), func(f *declared) *string { return &f.Name },
			"what arrivals and budgets call it").Must(),
		key("fixture", words("fixture", append(fixtures.Names(), fixtures.Minimal)), func(f *declared) *string { return &f.Fixture },
			"a function that coldcurve ships (minimal: in wasm only)"),
		key("code", texts(), func(f *declared) *string { return &f.Code },
			"a folder with a function of your own, from the scenario's folder (go: with an executable named bootstrap, wasm: with a module named bootstrap.wasm)"),
		key("image", texts(), func(f *declared) *string { return &f.Image },
			"a container image with a Runtime API client in it, of runtime image"),
		key("runtime", runtimes(), func(f *declared) *platform.Runtime { return &f.Runtime },
			"its language").Defaults(string(platform.Go)),
		key("handler", texts(), func(f *declared) *string { return &f.Handler },
			"entry point of code in nodejs and python: file.function; of an image what to run in place of its command"),
		key("memory", sizes("512MB", mb, mostMemory), func(f *declared) *units.Bytes { return &f.Memory },
			"memory limit, and by it the share of a CPU (1769MB is a whole one)").Defaults("1769MB"),
		key("timeout", durations("30s", 1, mostTimeout), func(f *declared) *time.Duration { return &f.Timeout },
			"limit of one invocation").Defaults("30s"),
		key("env", environments(), func(f *declared) *map[string]string { return &f.Env },
			"environment variables"),
		key("reserved", counts(0, 100_000), func(f *declared) *int { return &f.Reserved },
			"most instances at once; 0 is no limit of its own").Defaults(0),
		key("package_size", sizes("20MB", 0, mostPackage), func(f *declared) *units.Bytes { return &f.PackageSize },
			"how much code to add to a fixture").Defaults(0),
		key("storage", sizes("512MB", mb, mostMemory), func(f *declared) *units.Bytes { return &f.Storage },
			"size of /tmp, where the sandbox bounds it").Defaults("512MB"),
		key("sandbox", choices("sandbox", sandboxes()), func(f *declared) *[]string { return &f.sandboxes },
			"what an instance is: one, or a list to run the function in each"),
		key("start", choices("start", startTiers()), func(f *declared) *[]string { return &f.starts },
			"how an instance is started: one, or a list to run the function with each"),
		key("existing", texts(), func(f *declared) *string { return &f.Existing },
			"on platform lambda: what it is called there already (name, name:version or ARN), to be invoked and neither deployed nor changed nor removed"),
		key("payload", payloads(), func(f *declared) *Payload { return &f.Payload },
			"what each request carries; the default is the fixture's own"),
	}
}

// environments are variables that a function may define.
func environments() form[map[string]string] {
	form := textMaps("env", `LOG_LEVEL: "debug"`, "\x00")
	read := form.Read
	form.Read = func(r *reader, v strict.Value) (map[string]string, bool) {
		texts, ok := read(r, v)
		if !ok {
			return nil, false
		}
		m, _ := v.Map("env")
		for key := range m.All() {
			if platform.ReservedVariable(key.Name()) {
				key.Fault(key.Name()+" is the runtime's to set", "leave it out, or choose another name")
			}
		}
		return texts, true
	}
	return form
}

func runtimes() form[platform.Runtime] {
	word := words("runtime", runtimeNames())
	return form[platform.Runtime]{
		Read: func(r *reader, v strict.Value) (platform.Runtime, bool) {
			name, ok := word.Read(r, v)
			return platform.Runtime(name), ok
		},
		Schema: word.Schema,
	}
}

// fixtureRuntimes are those that fixtures are there in.
func fixtureRuntimes() []string {
	return slices.DeleteFunc(runtimeNames(), func(name string) bool { return name == string(platform.Image) })
}

func functions() form[[]Function] {
	return form[[]Function]{
		Read: func(r *reader, v strict.Value) ([]Function, bool) {
			items, ok := v.List("functions")
			if !ok {
				return nil, false
			}
			if len(items) == 0 {
				v.Fault("no functions", "add one: {name: hello, fixture: hello}")
			}
			list := make([]Function, 0, len(items))
			first := make(map[string]int)
			for _, item := range items {
				m, ok := item.Map("a function")
				if !ok {
					continue
				}
				f := r.function(m)
				list = append(list, f)
				unique(first, m.Get("name"), "function", f.Name)
			}
			return list, true
		},
		Schema: strict.ListSchema(functionFields().Object("")),
	}
}

// unique reports the second use of a name. First holds the line of the first.
func unique(first map[string]int, v strict.Value, what, name string) {
	if line, taken := first[name]; taken && name != "" {
		v.Fault(fmt.Sprintf("a second %s named %s", what, name), fmt.Sprintf("choose another name; the first is on line %d", line))
		return
	}
	first[name] = v.At().Line
}

func (r *reader) function(m strict.Map) Function {
	d := declared{Function: Function{Runtime: platform.Go, Memory: defaultMemory, Timeout: 30 * time.Second}}
	functionFields().Into(&d, r, m, "function", "")
	d.MemoryGiven = m.Get("memory").Given()
	if d.Fixture != "" {
		d.Runtime = cmp.Or(r.overrides.Runtime, d.Runtime)
	}
	r.declared = append(r.declared, d)
	f := d.Function
	if r.scenario.Platform.Name == httpPlatform || r.exists(&f) {
		return f
	}
	r.checkCode(m, &f)
	if !m.Get("payload").Given() && f.Fixture != "" {
		f.Payload.Data = fixtures.Payload(f.Fixture)
	}
	return f
}

// checkCode sees to it that there is something to deploy, and resolves where.
func (r *reader) checkCode(m strict.Map, f *Function) {
	if f.Runtime == platform.Image || m.Get("image").Given() {
		checkImage(m, f)
		return
	}
	fixture, code, handler := m.Get("fixture"), m.Get("code"), m.Get("handler")
	bootstrap, _, _ := bootstrapOf(f.Runtime)
	compiled := f.Runtime == platform.Go || f.Runtime == platform.Wasm
	switch {
	case fixture.Given() && code.Given():
		code.Fault("both fixture and code", "keep one of them")
	case !fixture.Given() && !code.Given():
		m.Fault("the function has neither fixture nor code", "add fixture: hello, or code: a folder")
	case f.Fixture == fixtures.Minimal && f.Runtime != platform.Wasm:
		fixture.Fault("fixture minimal is for runtime wasm", "add runtime: wasm, or write fixture: hello")
	case handler.Given() && fixture.Given():
		handler.Fault("a fixture brings its own handler", "leave handler out")
	case handler.Given() && compiled:
		handler.Fault(fmt.Sprintf("runtime %s has no handler", f.Runtime), "leave handler out; code holds "+bootstrap)
	case !handler.Given() && code.Given() && !compiled:
		m.Fault(fmt.Sprintf("code in %s without a handler", f.Runtime), "add handler: index.handler")
	}
	if v := m.Get("package_size"); v.Given() && code.Given() {
		v.Fault("package_size is for fixtures", "leave it out; your code is as large as it is")
	}
	if f.Code == "" || fixture.Given() || covers(r.overrides.Code, f.Name) { // what replaces it is looked at instead
		return
	}
	f.Code = r.path(f.Code)
	if info, err := os.Stat(f.Code); err != nil || !info.IsDir() {
		code.Fault("there is no folder "+f.Code, r.from())
		return
	}
	switch {
	case compiled:
		checkBootstrap(code, f)
	case handler.Given() && f.Handler != "":
		checkHandler(handler, f)
	}
}

// checkImage sees to it that an image is all that there is to deploy.
func checkImage(m strict.Map, f *Function) {
	image := m.Get("image")
	switch {
	case !image.Given():
		m.Fault("runtime image without an image", "add image: registry/name:tag")
	case f.Runtime != platform.Image:
		image.Fault(fmt.Sprintf("an image in runtime %s", f.Runtime), "add runtime: image")
	}
	for _, name := range []string{"fixture", "code", "package_size"} {
		if v := m.Get(name); v.Given() {
			v.Fault(name+" beside an image", "leave it out: the image brings its code")
		}
	}
}

// GoSources are the folders that a scenario's text gives for its functions in
// Go, by their names, so that they can be built before Parse wants them to be.
// What is wrong with the text is for Parse to say.
func GoSources(text []byte) map[string]string {
	root, _ := strict.Parse(text, func(strict.Position, string, string) {})
	if !root.IsMap() {
		return nil
	}
	m, _ := root.Map("scenario")
	functions, _ := m.Get("functions").List("functions")
	sources := make(map[string]string)
	for _, f := range functions {
		if !f.IsMap() {
			continue
		}
		fields, _ := f.Map("function")
		name, _ := fields.Get("name").Plain()
		code, _ := fields.Get("code").Plain()
		if runtime, _ := fields.Get("runtime").Plain(); runtime == string(platform.Go) && code != "" {
			sources[name] = code
		}
	}
	return sources
}

// bootstrapOf is what the code of a compiled function holds, in words, its
// file's name, and how to build it.
func bootstrapOf(r platform.Runtime) (words, file, build string) {
	if r == platform.Wasm {
		return "a module named bootstrap.wasm", "bootstrap.wasm", "GOOS=wasip1 GOARCH=wasm go build -o "
	}
	return "an executable named bootstrap", "bootstrap", "GOOS=linux go build -o "
}

// checkBootstrap sees to it that a folder's function can be executed.
func checkBootstrap(code strict.Value, f *Function) {
	_, file, build := bootstrapOf(f.Runtime)
	path := filepath.Join(f.Code, file)
	switch info, err := os.Stat(path); {
	case err != nil:
		code.Fault("there is no "+file+" in "+f.Code, "build the function: "+build+path)
	case !info.Mode().IsRegular():
		code.Fault(path+" is not a file", "build the function: "+build+path)
	case f.Runtime == platform.Wasm: // nothing executes it as it is
	case info.Mode().Perm()&0o111 == 0 && runtime.GOOS != "windows": // where no file has the bit
		code.Fault(path+" is not executable", "make it so: chmod +x "+path)
	}
}

// checkHandler sees to it that the runtime client will find the file that a
// handler names. What the file holds only the runtime can tell.
func checkHandler(v strict.Value, f *Function) {
	files := handlerFiles(f.Runtime, f.Handler)
	if files == nil {
		v.Fault(fmt.Sprintf("handler %s does not name file and function", strict.Quote(f.Handler)), "write file.function, for example index.handler")
		return
	}
	for _, pattern := range files {
		if found, err := fs.Glob(os.DirFS(f.Code), pattern); err == nil && len(found) > 0 {
			return
		}
	}
	v.Fault(fmt.Sprintf("there is no %s in %s", strings.Join(files, " or "), f.Code), "name a file of that folder")
}

// handlerFiles are patterns of the files that a handler may mean, as the
// runtime clients read it; none if it is malformed.
func handlerFiles(language platform.Runtime, handler string) []string {
	dot := strings.LastIndexByte(handler, '.') // python: package.module.function
	if language == platform.NodeJS {           // folder/file.export.property
		base := strings.LastIndexByte(handler, '/') + 1
		dot = strings.IndexByte(handler[base:], '.')
		if dot >= 0 {
			dot += base
		}
	}
	if dot <= 0 || dot == len(handler)-1 {
		return nil
	}
	file := handler[:dot]
	if language == platform.NodeJS {
		return []string{file + ".js", file + ".mjs", file + ".cjs"}
	}
	file = strings.ReplaceAll(file, ".", "/")
	return []string{file + ".py", file + "/__init__.py", file + ".pyc", file + ".*so"}
}

func payloadFields() fields[Payload] {
	return fields[Payload]{
		key("size", sizes("1KiB", leastPayload, mostPayload), func(p *Payload) *units.Bytes { return &p.Size },
			"a JSON document of so many bytes"),
		key("json", documents(), func(p *Payload) *[]byte { return &p.JSON },
			"this value, as a JSON document"),
		key("file", texts(), func(p *Payload) *string { return &p.File },
			"what this file holds, from the scenario's folder"),
	}
}

// documents are any value.
func documents() form[[]byte] {
	return form[[]byte]{
		Read:   func(_ *reader, v strict.Value) ([]byte, bool) { return v.JSON() },
		Schema: schema{},
	}
}

func payloads() form[Payload] {
	return form[Payload]{
		Read: func(r *reader, v strict.Value) (Payload, bool) {
			m, ok := v.Map("payload")
			if !ok {
				return Payload{}, false
			}
			var p Payload
			payloadFields().Into(&p, r, m, "payload", "")
			given := 0
			for _, name := range payloadFields().Names("") {
				if m.Get(name).Given() {
					given++
				}
			}
			if given != 1 {
				m.Fault(fmt.Sprintf("a payload with %d of size, json and file", given), "write one of them, for example payload: {size: 1KiB}")
				return Payload{}, false
			}
			r.fill(&p, m)
			return p, true
		},
		Schema: strict.OneOfSchema(payloadFields().Object("")),
	}
}

// fill works out the bytes to send.
func (r *reader) fill(p *Payload, m strict.Map) {
	switch {
	case p.JSON != nil:
		p.Data = p.JSON
	case p.Size > 0:
		p.Data = padding(p.Size)
	case p.File != "":
		p.File = r.path(p.File)
		data, err := readFile(p.File, mostPayload)
		if err != nil {
			m.Get("file").Fault(err.Error(), r.from())
		}
		p.Data = data
	}
}

// leastPayload is the size of the smallest JSON object.
const leastPayload units.Bytes = 2

// padding is a JSON object of exactly size bytes.
func padding(size units.Bytes) []byte {
	const open, end = `{"padding":"`, `"}`
	if fill := int(size) - len(open) - len(end); fill >= 0 {
		return fmt.Appendf(nil, "%s%s%s", open, bytes.Repeat([]byte("x"), fill), end)
	}
	return fmt.Appendf(nil, "{%s}", bytes.Repeat([]byte(" "), int(size)-2))
}

// readFile is os.ReadFile for files of at most so many bytes.
func readFile(path string, most units.Bytes) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > int(most) {
		return nil, fmt.Errorf("%s is larger than %s", path, most)
	}
	return data, nil
}
