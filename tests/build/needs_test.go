package build

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// looking is a project whose tests look for files in every way. They skip if a file does
// not exist, so that they pass if it is hidden from them. Only the tests of package own
// need no files of other directories.
var looking = map[string]string{
	"go.mod":                      "// SALT\nmodule example.com/looking\n\ngo 1.24\n\nrequire example.org/dep v1.0.0\n",
	"vendor/modules.txt":          "# example.org/dep v1.0.0\n## explicit; go 1.24\nexample.org/dep\n",
	"vendor/example.org/dep/d.go": "package dep\n\nconst D = \"dep\"\n",
	"main.go":                     "package main\n\nfunc main() { println(\"SALT\") }\n",
	"docs/words":                  "right",
	"cmd/tool/main.go":            "package main\n\nimport \"example.org/dep\"\n\nfunc main() { print(dep.D) }\n",
	"look/look.go": `package look

import "testing"

// Check skips a test where a file is not there, and fails where it is wrong.
func Check(t *testing.T, text []byte, err error) {
	t.Helper()
	if err != nil {
		t.Skip(err)
	}
	if string(text) != "right" {
		t.Errorf("it is %q", text)
	}
}
`,
	"own/testdata/words": "right",
	"own/own_test.go": looks("own", `
func Test(t *testing.T) {
	os.MkdirAll("testdata/new", 0o777)
	os.WriteFile("testdata/new/x", nil, 0o666)
	os.Stat("go.mod")
	exec.Command("sh", "-c", "cat testdata/words ../none").Run()
	text, err := os.ReadFile("testdata/words")
	look.Check(t, text, err)
}`, "os", "os/exec"),
	"above/above_test.go": looks("above", `
func Test(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(file)), "docs", "words"))
	look.Check(t, text, err)
}`, "os", "path/filepath", "runtime"),
	"first/first_test.go": looks("first", `
// Before the tests begin.
var text, err = os.ReadFile("../docs/wor" + string('d') + "s")

func Test(t *testing.T) { look.Check(t, text, err) }`, "os"),
	"list/list_test.go": looks("list", `
func Test(t *testing.T) {
	up := "." + string('.')
	list, err := os.ReadDir(up)
	for _, e := range list {
		if e.Name() == "docs" {
			text, err := os.ReadFile(filepath.Join(up, e.Name(), "words"))
			look.Check(t, text, err)
			return
		}
	}
	t.Skip(err)
}`, "os", "path/filepath"),
	"raw/raw_test.go": looks("raw", `
func Test(t *testing.T) {
	text := make([]byte, 100)
	fd, err := syscall.Open("../docs/wor"+string('d')+"s", syscall.O_RDONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	n, err := syscall.Read(fd, text)
	look.Check(t, text[:n], err)
}`, "syscall"),
	"child/child_test.go": looks("child", `
func Test(t *testing.T) {
	text, err := exec.Command("sh", "-c", "cd .. && cat docs/words").Output()
	look.Check(t, text, err)
}`, "os/exec"),
	"build/build_test.go": looks("build", `
// Of the whole module, with its dependency.
func Test(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "tool")
	if out, err := exec.Command("go", "build", "-o", tool, "../cmd/tool").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if text, err := exec.Command(tool).CombinedOutput(); err != nil || string(text) != "dep" {
		t.Errorf("%v: %s", err, text)
	}
	if text, err := exec.Command("go", "list", "-m", "-f", "{{.Path}}").Output(); err != nil || string(text) != "example.com/looking\n" {
		t.Errorf("%v: %s", err, text)
	}
	if first := strings.Split(os.Getenv("PATH"), ":")[0]; first != filepath.Join(os.Getenv("GOROOT"), "bin") {
		t.Errorf("PATH begins with %s", first)
	}
}`, "os", "os/exec", "path/filepath", "strings"),
}

// looks returns a test file.
func looks(name, body string, imports ...string) string {
	text := "package " + name + "\n\nimport (\n"
	for _, i := range imports {
		text += "\t\"" + i + "\"\n"
	}
	return text + "\t\"testing\"\n\n\t\"example.com/looking/look\"\n)\n\nvar _ = look.Check\n" + body + "\n"
}

// without returns a project without some files.
func without(files map[string]string, names ...string) map[string]string {
	rest := maps.Clone(files)
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}

// runsOf returns the derivations of a build that run tests with the files of their
// packages.
func runsOf(r result) []string {
	return slices.DeleteFunc(r.compiled(), func(name string) bool { return !strings.HasPrefix(name, "test-") })
}

// A test that looks for a file which is hidden from it runs again with all of src,
// whether it passes or fails. Other tests do not.
func TestTestsNeedAll(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, layersEnv)
			src := project(t, without(looking, "build/build_test.go"))
			r := tests(t, function, src, layersEnv, "all")
			if got := runsOf(r); len(got) != 6 {
				t.Errorf("ran %q", got)
			}
			if out := read(t, r.path); strings.Count(out, "ok  \texample.com/looking/") != 6 {
				t.Errorf("the result is %q", out)
			}
			for _, want := range []string{
				"# example.com/looking/above\n", `testData."example.com/looking/above" = [ "docs/words" ];`,
				`testData."example.com/looking/first" = [ "docs/words" ];`, `testData."example.com/looking/list" = [ "." ];`,
				`testData."example.com/looking/raw" = [ "docs/words" ];`, `testData."example.com/looking/child" = [ "docs/words" ];`,
			} {
				if !strings.Contains(r.log, want) {
					t.Errorf("the log lacks %q:\n%s", want, r.log)
				}
			}
			if strings.Contains(r.log, "# example.com/looking/own") {
				t.Errorf("a test runs again that needs nothing:\n%s", r.log)
			}

			// An edit of other files runs only those tests again that need all of src.
			edit(t, filepath.Join(src, "main.go"), "println(", "println(1, ")
			r = tests(t, function, src, layersEnv, "all")
			if got := r.compiled(); !slices.Equal(got, sorted(ofAllTests, []string{"example.com-looking"})) {
				t.Errorf("after an edit it builds %q", got)
			}

			edit(t, filepath.Join(src, "docs/words"), "right", "wrong")
			r = nixBuild(t, "-E", testsOf(t, function, src, layersEnv, "all"))
			if r.err == nil {
				t.Fatal("it passes")
			}
			for _, name := range []string{"above", "first", "list", "raw", "child"} {
				if !strings.Contains(r.log, `it is "wrong"`) || !strings.Contains(r.log, "FAIL    example.com/looking/"+name+"\n") {
					t.Errorf("the failure of %s is not shown:\n%s", name, r.log)
				}
			}
			if strings.Contains(r.log, "FAIL    example.com/looking/own\n") {
				t.Errorf("own fails:\n%s", r.log)
			}
		})
	}
}

// With testData a test runs with the files of its package only, and the tests of each
// package fail separately.
func TestTestsNeedData(t *testing.T) {
	t.Parallel()
	files := without(looking, "build/build_test.go", "first/first_test.go", "list/list_test.go", "child/child_test.go", "own/own_test.go")
	const data = `testData = { "./above" = [ "docs/words" ]; "example.com/looking/raw" = [ "docs" ]; };`
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, files)
			r := tests(t, function, src, layersEnv+data, "all")
			if strings.Contains(r.log, "runs with all of src") {
				t.Errorf("tests run again:\n%s", r.log)
			}
			edit(t, filepath.Join(src, "main.go"), "println(", "println(1, ")
			r = tests(t, function, src, layersEnv+data, "all")
			if got := r.compiled(); !slices.Equal(got, sorted(ofAllTests[:1], []string{"example.com-looking"})) {
				t.Errorf("after an edit it builds %q", got)
			}
			edit(t, filepath.Join(src, "docs/words"), "right", "wrong")
			if r := nixBuild(t, "-E", testsOf(t, function, src, layersEnv+data, "all")); r.err == nil {
				t.Error("it passes")
			}
			if function != "buildWithIFD" {
				return
			}
			write(t, filepath.Join(src, "above/above_test.go"), looks("above", "\nfunc Test(t *testing.T) {}\n"))
			tests(t, function, src, layersEnv, "example.com/looking/above")
			if r := nixBuild(t, "-E", testsOf(t, function, src, layersEnv, "example.com/looking/raw")); r.err == nil {
				t.Error("the tests of raw alone pass")
			}
		})
	}
}

// The same holds for input-addressed derivations, and for packages with doCheck.
func TestTestsNeedOtherwise(t *testing.T) {
	t.Parallel()
	files := without(looking, "first/first_test.go", "list/list_test.go", "child/child_test.go", "raw/raw_test.go")
	for name, args := range map[string]string{
		"buildWithIFD":  layersEnv + "doCheck = true; contentAddressed = false;" + testsEnv,
		"buildGoModule": layersEnv + `pname = "looking"; version = "1"; vendorHash = null;`,
	} {
		t.Run(name, func(t *testing.T) {
			src := project(t, files)
			build(t, name, src, args)
			edit(t, filepath.Join(src, "docs/words"), "right", "wrong")
			r := nixBuild(t, "-E", expression(t, name, src, args))
			if r.err == nil || !strings.Contains(r.log, "FAIL    example.com/looking/above\n") {
				t.Errorf("%v\n%s", r.err, r.log)
			}
		})
	}
}

// A child process that keeps the output open after the end of a test makes the test fail,
// as with `go test`, and the build does not hang. Flags that write profiles are accepted.
func TestTestsEnd(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"go.mod":         "// SALT\nmodule example.com/ends\n\ngo 1.24\n",
		"main.go":        "package main\n\nfunc main() { println(\"SALT\") }\n",
		"fine/x_test.go": "package fine\n\nimport \"testing\"\n\nfunc Test(t *testing.T) {}\n",
		"leak/x_test.go": `package leak

import (
	"os"
	"os/exec"
	"testing"
)

func Test(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}
`,
	}
	src := project(t, files)
	const args = layersEnv + `checkFlags = [ "-timeout=30s" "-cpuprofile=cpu.out" "-memprofile" "mem.out" ];`
	tests(t, "buildWithIFD", src, args, "example.com/ends/fine")
	r := nixBuild(t, "-E", testsOf(t, "buildWithIFD", src, args, "example.com/ends/leak"))
	if r.err == nil || !strings.Contains(r.log, "*** Test I/O incomplete 5s after exiting.\n") || !strings.Contains(r.log, "FAIL    example.com/ends/leak\n") {
		t.Errorf("%v\n%s", r.err, r.log)
	}
}

// The go command that a test runs finds the modules, as in a build of nixpkgs, with each
// way to get modules.
func TestTestsRunGo(t *testing.T) {
	t.Parallel()
	files := maps.Clone(lockedFiles)
	files["e2e/e2e_test.go"] = `package e2e

import (
	"os/exec"
	"testing"
)

func Test(t *testing.T) {
	if out, err := exec.Command("go", "run", "..").CombinedOutput(); err != nil || string(out) != "a of b c one\n" {
		t.Errorf("%v: %s", err, out)
	}
}
`
	p := newProxy(t, lockedModules)
	for _, test := range []struct{ name, mode, args string }{
		{"lock", "ifd", "modules = SRC/dgd.lock;"},
		{"lock", "dyn", "modules = SRC/dgd.lock;"},
		{"proxy", "ifd", "proxyVendor = true;"},
		{"vendor", "dyn", ""},
	} {
		t.Run(test.name+"/"+test.mode, func(t *testing.T) {
			// Different sources for each mode, so that tests run in each of them.
			files := maps.Clone(files)
			files["e2e/e2e_test.go"] += "\n// " + t.Name() + "\n"
			src := p.project(t, "example.com/locked", files, allLocked...)
			args := strings.ReplaceAll(test.args, "SRC", src)
			if test.name != "lock" {
				failed := nixBuild(t, "-E", expression(t, "buildWithIFD", src, p.env()+args+`vendorHash = "";`))
				args += fmt.Sprintf("vendorHash = %q;", gotHash(t, failed))
			}
			r := tests(t, modes[test.mode], src, p.env()+args, "all")
			if !strings.Contains(r.log, "so it runs with all of src") {
				t.Errorf("it does not run with all of src:\n%s", r.log)
			}
		})
	}
}
