// Package build tests the library with a real Nix: its builds, the rebuilds after
// changes, and its errors.
package build

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dgd/internal/testnix"
)

// modes has the builder of each mode.
var modes = map[string]string{
	"ifd": "buildWithIFD",
	"dyn": "buildWithDynDrv",
}

// repo returns the root of this project.
func repo(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A result is the result of nix-build.
type result struct {
	path  string   // the last output's store path
	built []string // names of the derivations that were built, sorted
	log   string
	err   error
	root  string // where the store is, see onDisk
}

var building = regexp.MustCompile(`(?m)^building '[^']*/[0-9a-z]{32}-(.+)\.drv'`)

// nixBuild runs nix-build and keeps no link to the result.
func nixBuild(t testing.TB, args ...string) result {
	t.Helper()
	testnix.Require(t)
	r := finish(t, exec.Command("nix-build", append(args, "--no-out-link")...))
	r.root = onDisk("")
	return r
}

// finish runs a command nix-build.
func finish(t testing.TB, cmd *exec.Cmd) result {
	cmd.Dir = repo(t)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	r := result{err: cmd.Run(), log: stderr.String()}
	lines := strings.Fields(stdout.String())
	if len(lines) > 0 {
		r.path = lines[len(lines)-1]
	}
	for _, m := range building.FindAllStringSubmatch(r.log, -1) {
		r.built = append(r.built, m[1])
	}
	slices.Sort(r.built)
	return r
}

// build builds a project with a builder of the library and arguments, a Nix text such as
// `vendorHash = null;`. If the build fails, the test fails.
func build(t testing.TB, function, src, args string) result {
	t.Helper()
	r := nixBuild(t, "-E", expression(t, function, src, args))
	if r.err != nil {
		t.Fatalf("%s: %v\n%s", function, r.err, r.log)
	}
	return r
}

func expression(t testing.TB, function, src, args string) string {
	return fmt.Sprintf("(import %s { }).%s { src = %s; %s }", repo(t), function, src, args)
}

// planning are the names of the derivations that plan a build.
var planning = []string{"settings", "sources", "modules", "unpacked-modules", "skeleton", "plan", "std-plan", "std-specs", "std.drv", "0-check-plan", "cgo-probe", "cgo-env", "program.drv", "derivations",
	"linked-modules", "module-cache", "test-skeleton", "test-plan", "check-env", "tests.drv", "test-derivations"}

// prepared is the suffix of the name of sources that a package's phases have changed. How
// they are addressed depends on the mode, as evaluation reads them in IFD mode.
const prepared = "-prepared"

// compiled returns the derivations of a build, without those that plan it or prepare its
// sources.
func (r result) compiled() []string {
	return slices.DeleteFunc(slices.Clone(r.built), func(name string) bool {
		return slices.Contains(planning, name) || strings.HasSuffix(name, prepared)
	})
}

// run runs a program of the result and returns its output.
func (r result) run(t testing.TB, name string) string {
	t.Helper()
	out, err := exec.Command(r.root + filepath.Join(r.path, "bin", name)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// onDisk returns the path on disk of a store path. The store of an ordinary user is not
// in /nix/store.
func onDisk(path string) string { return os.Getenv("DGD_STORE_ROOT") + path }

// project writes files to a new directory. In their texts, SALT is replaced by a string
// that is new to all stores.
func project(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	for name, text := range files {
		write(t, filepath.Join(dir, name), salted(t, text))
	}
	return dir
}

func salted(t testing.TB, text string) string {
	return strings.ReplaceAll(text, "SALT", fmt.Sprintf("%s %d", t.Name(), time.Now().UnixNano()))
}

// warmUp builds what all projects with these arguments share: dgd's own programs and the
// standard library.
func warmUp(t testing.TB, args string) {
	t.Helper()
	build(t, "buildWithIFD", project(t, warm), args)
}

var warm = map[string]string{
	"go.mod": "module example.com/warm\n\ngo 1.24\n",
	// Imports packages of all parts of the standard library.
	"main.go": "package main\n\nimport (\n\t_ \"net/http/cgi\"\n\t_ \"testing\"\n)\n\nfunc main() { println(\"SALT\") }\n",
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// edit replaces old by new in a file, which must contain old.
func edit(t testing.TB, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	write(t, file, strings.ReplaceAll(string(text), old, new))
}
