package workers

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// mostCode is how large all modules of a worker may be that the loader takes
// (workerd, src/workerd/api/worker-loader.c++; Cloudflare's own limit is the same).
const mostCode = 64 * units.MB

const usualTimeout = 30 * time.Second

// document is a function as the host takes it.
type document struct {
	Main      string            `json:"main"`
	Modules   map[string]module `json:"modules"` // by path
	Variables map[string]string `json:"variables"`
}

// module is one file of a function. Content is base64 where the kind is no text.
type module struct {
	Kind    string `json:"kind"` // js cjs json text data wasm
	Content string `json:"content"`
}

// Deploy hands the function to the host, which keeps it until it is asked for.
func (p *Platform) Deploy(ctx context.Context, f platform.Function) (platform.Deployment, error) {
	op := "deploy " + f.Name
	if hint, err := runnable(f); err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: op, Err: err, Hint: hint}
	}
	code, err := read(f)
	if err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: op, Err: err}
	}
	text, err := json.Marshal(code)
	if err != nil {
		return nil, &platform.Error{Kind: sample.Refused, Op: op, Err: err}
	}
	d := &deployment{p: p, function: f.Name, timeout: cmp.Or(f.Timeout, usualTimeout)}
	if err := p.ask(ctx, op, "PUT", "functions", f.Name, text); err != nil {
		return nil, err
	}
	return d, nil
}

// runnable says why a function cannot be run here, and what to do about it.
func runnable(f platform.Function) (hint string, err error) {
	switch {
	case f.Runtime != platform.NodeJS:
		return "write runtime: nodejs for it, or --runtime nodejs where it is a fixture", fmt.Errorf("runtime %s: workerd runs JavaScript alone", f.Runtime)
	case f.Reserved > 0:
		return "leave reserved out", fmt.Errorf("reserved %d: an isolate takes any number of requests at once, and workerd has no limit for it", f.Reserved)
	}
	return "", nil
}

// The modules that are added to a function's own.
const (
	mainModule = "coldcurve-main.mjs"
	shimModule = "coldcurve-shim.mjs"
)

// mainText is the module that the loader begins with.
const mainText = `import * as module from %s;
import { serve, End } from "./` + shimModule + `";
export default serve(module, %s, %s);
export { End };
`

// read collects a function's files as modules.
func read(f platform.Function) (*document, error) {
	root, err := os.OpenRoot(f.Code)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	code := &document{Main: mainModule, Modules: make(map[string]module), Variables: f.Env}
	size := units.Bytes(0)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		code.Modules[name] = moduleOf(name, text)
		if size += units.Bytes(len(text)); size > mostCode {
			return fmt.Errorf("its files are more than %s, which is all that a worker may have", mostCode)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return code, code.begin(f)
}

// begin adds where the loader begins: what the handler names.
func (code *document) begin(f platform.Function) error {
	slash := strings.LastIndexByte(f.Handler, '/') + 1
	base, export, found := strings.Cut(f.Handler[slash:], ".")
	if !found || base == "" || export == "" {
		return fmt.Errorf("handler %q does not name file and export: write for example index.handler, or worker.default for a module worker", f.Handler)
	}
	base = path.Clean(f.Handler[:slash] + base)
	for _, ending := range []string{".mjs", ".js", ".cjs"} {
		if _, there := code.Modules[base+ending]; there {
			code.Modules[mainModule] = module{"js", fmt.Sprintf(mainText, quote("./"+base+ending), quote(export), quote(f.Name))}
			code.Modules[shimModule] = module{"js", shim}
			return nil
		}
	}
	return fmt.Errorf("there is no %s.mjs, .js or .cjs in %s", base, f.Code)
}

// quote is text in JavaScript: JSON's texts are.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(quoted)
}

// moduleOf says by a file's name what its importers get: JavaScript is of ES
// modules, as in Workers, unless it says that it is CommonJS.
func moduleOf(name string, text []byte) module {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return module{"js", string(text)}
	case ".cjs":
		return module{"cjs", string(text)}
	case ".json":
		return module{"json", string(text)}
	case ".txt", ".html", ".sql":
		return module{"text", string(text)}
	case ".wasm":
		return module{"wasm", base64.StdEncoding.EncodeToString(text)}
	}
	return module{"data", base64.StdEncoding.EncodeToString(text)}
}

// deployment is one function. It is a platform.Evicter too.
type deployment struct {
	p        *Platform
	function string
	timeout  time.Duration
}

// Evict has the loader hear another name for the function, which it has no
// isolate of.
func (d *deployment) Evict(ctx context.Context) error {
	err := d.p.ask(ctx, "evict "+d.function, "POST", "evictions", d.function, nil)
	if err == nil {
		d.p.evictions.Add(1)
	}
	return err
}

// Remove takes the function from the host, and ends its isolate. A workerd that
// has ended has none.
func (d *deployment) Remove(ctx context.Context) error {
	lasting, cancel := platform.Outlive(ctx)
	defer cancel()
	err := d.p.ask(lasting, "remove "+d.function, "DELETE", "functions", d.function, nil)
	if d.p.process.ended() != nil {
		return nil
	}
	return err
}
