// Package need owns what a test asks of the machine before it starts.
//
// In: a test and the name of a part. Out: nothing, or a test that is skipped
// with the reason on a user's machine and failed where skipping is forbidden
// (COLDCURVE_REQUIRE is set, as CI does after installing every part). It
// installs nothing.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Program wants an executable of that name on the PATH and gives its path.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name+" on the PATH")
	}
	return path
}

// NodePackage wants an npm package where .ci/setup installs them, in the user's
// cache folder, and gives the node_modules folder.
func NodePackage(t testing.TB, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(cache, "coldcurve", "clients", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, name, "package.json")); err != nil {
		Missing(t, "npm's "+name+" in "+modules)
	}
	return modules
}

// Root wants a process that may make cgroups and namespaces.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "root")
	}
}

// Linux wants Linux, where things are measured.
func Linux(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		Missing(t, "Linux")
	}
}

// Missing ends a test for want of what.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("COLDCURVE_REQUIRE") != "" {
		t.Fatalf("needs %s, and COLDCURVE_REQUIRE forbids skipping", what)
	}
	t.Skipf("needs %s", what)
}
