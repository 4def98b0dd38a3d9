package wasm

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// WASI's two calls that ask for the environment are answered here, from the
// context of the module's call. wazero's own take it from a ModuleConfig, which
// is copied whole, with a map of the names, for each variable that it is given:
// that was half of an instantiation.

// environmentKey is where a context has an []string of "NAME=value".
type environmentKey struct{}

func withEnvironment(ctx context.Context, pairs []string) context.Context {
	return context.WithValue(ctx, environmentKey{}, pairs)
}

// lay puts a variable into an environment, in place of what has its name there.
func lay(env []string, name, value string) []string {
	laid := make([]string, 0, len(env)+1)
	for _, pair := range env {
		if !strings.HasPrefix(pair, name+"=") {
			laid = append(laid, pair)
		}
	}
	return append(laid, name+"="+value)
}

// checkEnvironment refuses what cannot be told apart in WASI's form.
func checkEnvironment(pairs []string) error {
	for _, pair := range pairs {
		if strings.HasPrefix(pair, "=") || strings.ContainsRune(pair, 0) {
			return unfit(fmt.Errorf("environment variable %q: want a name, and no zero byte", pair))
		}
	}
	return nil
}

// instantiateWASI makes what modules import.
func instantiateWASI(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	for name, call := range map[string]environmentCall{"environ_get": environGet, "environ_sizes_get": environSizesGet} {
		b.NewFunctionBuilder().
			WithGoModuleFunction(call, []api.ValueType{api.ValueTypeI32, api.ValueTypeI32}, []api.ValueType{api.ValueTypeI32}).
			Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// environmentCall is told two places in the module's memory, and is false if
// one is outside of it.
type environmentCall func(memory api.Memory, env []string, first, second uint32) bool

// Call implements api.GoModuleFunction.
func (c environmentCall) Call(ctx context.Context, m api.Module, stack []uint64) {
	env, _ := ctx.Value(environmentKey{}).([]string)
	first, second := api.DecodeU32(stack[0]), api.DecodeU32(stack[1])
	stack[0] = 0
	if !c(m.Memory(), env, first, second) {
		stack[0] = uint64(sys.EFAULT)
	}
}

// environSizesGet writes how many variables there are, and how many bytes they
// take, each with a zero byte at its end.
func environSizesGet(memory api.Memory, env []string, count, size uint32) bool {
	bytes := 0
	for _, pair := range env {
		bytes += len(pair) + 1
	}
	return memory.WriteUint32Le(count, uint32(len(env))) && memory.WriteUint32Le(size, uint32(bytes))
}

// environGet writes where each variable is, and the variables.
func environGet(memory api.Memory, env []string, pointers, text uint32) bool {
	for _, pair := range env {
		end := text + uint32(len(pair))
		if !memory.WriteUint32Le(pointers, text) || !memory.WriteString(text, pair) || !memory.WriteByte(end, 0) {
			return false
		}
		pointers, text = pointers+4, end+1
	}
	return true
}
