package build

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tested is a project with tests of every kind. The program is main, greet and
// base; wrap is imported by a test of greet, and imports greet itself, so that
// Go compiles it anew there. No test reaches broken, which does not compile.
var tested = map[string]string{
	"go.mod":                           "// SALT\nmodule example.com/tested\n\ngo 1.24\n\nrequire example.org/assert v1.0.0\n",
	"vendor/modules.txt":               "# example.org/assert v1.0.0\n## explicit; go 1.24\nexample.org/assert\n",
	"vendor/example.org/assert/one.go": "package assert\n\nimport \"testing\"\n\n// Equal fails a test. SALT\nfunc Equal(t *testing.T, a, b string) {\n\tt.Helper()\n\tif a != b {\n\t\tt.Errorf(\"%q is not %q\", a, b)\n\t}\n}\n",
	"main.go":                          "package main\n\nimport \"example.com/tested/greet\"\n\nfunc main() { println(greet.Text(), \"SALT\") }\n",
	"base/base.go":                     "package base\n\n// Text is not inlined: its body is no part of the export data.\n//\n//go:noinline\nfunc Text() string { return \"hello\" }\n\n// Salt is in the export data.\nconst Salt = \"SALT\"\n\nvar _ = Salt\n",
	"greet/greet.go":                   "package greet\n\nimport \"example.com/tested/base\"\n\n//go:noinline\nfunc Text() string { return base.Text() + hidden }\n\nvar hidden = \", world\"\n\nconst Salt = \"SALT\"\n",
	"greet/main_test.go":               "package greet\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nvar ready bool\n\nfunc TestMain(m *testing.M) {\n\tready = true\n\tos.Exit(m.Run())\n}\n",
	"greet/greet_test.go": `package greet

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"example.org/assert"
)

func Test(t *testing.T) {
	if !ready {
		t.Error("TestMain has not run")
	}
	golden, err := os.ReadFile("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	assert.Equal(t, Text(), string(golden))
	assert.Equal(t, hidden, ", world")
}

// A test program can be linked to from where the test has its files.
func TestOwnProgram(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(exe, filepath.Join(t.TempDir(), "program")); err != nil {
		t.Error(err)
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "where", "data", "*"))
	if err != nil || len(files) == 0 {
		t.Errorf("the other package's data are %q, %v", files, err)
	}
}

func ExampleText() {
	fmt.Println(Text())
	// Output: hello, world
}

func FuzzText(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		if s != "the seed" {
			t.Errorf("the seed is %q", s)
		}
	})
}
`,
	"greet/testdata/golden":             "hello, world",
	"greet/testdata/fuzz/FuzzText/seed": "go test fuzz v1\nstring(\"the seed\")\n",
	"greet/external_test.go":            "package greet_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/tested/wrap\"\n\t\"example.org/assert\"\n)\n\nfunc TestExternal(t *testing.T) { assert.Equal(t, wrap.Text(), \"<hello, world>\") }\n\nconst Salt = \"SALT\"\n",
	"wrap/wrap.go":                      "package wrap\n\nimport \"example.com/tested/greet\"\n\nfunc Text() string { return \"<\" + greet.Text() + \">\" }\n\nvar _ = \"SALT\"\n",
	"where/where.go":                    "package where\n\nimport \"runtime\"\n\n// File is the caller's.\nfunc File() string {\n\t_, file, _, _ := runtime.Caller(1)\n\treturn file\n}\n\nconst Salt = \"SALT\"\n",
	"where/where_test.go": `package where_test

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/tested/where"
)

//go:embed data/*
var data embed.FS

const Salt = "SALT"

func Test(t *testing.T) {
	text, err := os.ReadFile(where.File())
	if err != nil || !strings.Contains(string(text), "package where_test") {
		t.Errorf("the test's own file %s: %v", where.File(), err)
	}
	dir, err := os.Getwd()
	if err != nil || dir != filepath.Dir(where.File()) {
		t.Errorf("the test runs in %s: %v", dir, err)
	}
	embedded, err := data.ReadFile("data/text")
	if err != nil || string(embedded) != "embedded" {
		t.Errorf("embedded is %q: %v", embedded, err)
	}
	for _, file := range []string{"data/text", "../greet/testdata/golden", filepath.Join("..", "greet", "testdata"), "../go.mod"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	if _, err := exec.LookPath("go"); err != nil || os.Getenv("GOROOT") == "" {
		t.Errorf("there is no toolchain: %v", err)
	}
	if home := os.Getenv("HOME"); home != "/homeless-shelter" || os.Getenv("SET") != "by env" {
		t.Errorf("HOME is %s, and SET is %s", home, os.Getenv("SET"))
	}
	if err := os.WriteFile("data/new", nil, 0o666); err != nil {
		t.Error(err)
	}
	t.Log(Salt)
}

func TestSkipped(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip()
	}
}
`,
	"where/data/text":   "embedded",
	"base/base_test.go": "package base\n\nimport \"testing\"\n\n//go:noinline\nfunc Test(t *testing.T) { t.Log(\"SALT\") }\n",
}

// withFiles returns a project with files added or replaced.
func withFiles(files, more map[string]string) map[string]string {
	all := maps.Clone(files)
	maps.Copy(all, more)
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(onDisk(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const testsEnv = "env.SET = \"by env\";"

// testsOf returns the expression for the tests of a package.
func testsOf(t *testing.T, function, src, args, name string) string {
	return fmt.Sprintf("(%s).tests.%q", expression(t, function, src, testsEnv+args), name)
}

// wrongly returns a test that fails.
func wrongly(name, says string) string {
	return "package " + name + "\n\nimport \"testing\"\n\nfunc TestWrong(t *testing.T) { t.Error(\"" + says + "\") }\n"
}

// tests builds the derivation of a project's tests. If the build fails, the test fails.
func tests(t *testing.T, function, src, args, name string) result {
	t.Helper()
	r := nixBuild(t, "-E", testsOf(t, function, src, args, name))
	if r.err != nil {
		t.Fatalf("%s: %v\n%s", function, r.err, r.log)
	}
	return r
}

// The names of derivations for the tests of the project.
var (
	baseTest  = []string{"example.com-tested-base--example.com-tested-base.test-", "example.com-tested-base.test", "base.test", "test-example.com-tested-base"}
	greetTest = []string{"example.com-tested-greet--example.com-tested-greet.test-", "example.com-tested-wrap--example.com-tested-greet.test-", "example.com-tested-greet_test--example.com-tested-greet.test-", "example.com-tested-greet.test", "greet.test", "test-example.com-tested-greet"}
	whereTest = []string{"example.com-tested-where", "example.com-tested-where_test--example.com-tested-where.test-", "example.com-tested-where.test", "where.test", "test-example.com-tested-where"}
	shared    = []string{"example.com-tested-base", "example.org-assert"}
	untested  = []string{"example.com-tested", "example.com-tested-greet", "example.com-tested-wrap"} // or, of greet, without its tests
)

// tested returns the derivations of a build that compile, link or run the tests of one
// package, without those for all tests.
func (r result) tested() []string {
	return slices.DeleteFunc(r.compiled(), func(name string) bool { return slices.Contains(ofAllTests, name) })
}

// ofAllTests are the derivations that find out which tests need all of src, and run
// these.
var ofAllTests = []string{"needs-of-tests", "tests"}

// ofAll returns those derivations of a build.
func (r result) ofAll() []string {
	return slices.DeleteFunc(r.compiled(), func(name string) bool { return !slices.Contains(ofAllTests, name) })
}

func sorted(lists ...[]string) []string { return slices.Sorted(slices.Values(slices.Concat(lists...))) }

// Tests are built and run in derivations, with recompiled packages only where Go
// recompiles them, and run again only after changes of their dependencies.
func TestTests(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			warmUp(t, layersEnv)
			src := project(t, tested)
			r := tests(t, function, src, layersEnv, "all")
			if got, want := r.tested(), sorted(shared, baseTest, greetTest, whereTest, untested); !slices.Equal(got, want) {
				t.Errorf("built\n%q\nwant\n%q", got, want)
			}
			if out := read(t, r.path); out != "ok  \texample.com/tested/base\nok  \texample.com/tested/greet\nok  \texample.com/tested/where\n" {
				t.Errorf("the result is %q", out)
			}
			for _, step := range []struct {
				name           string
				file, old, new string
				want           [][]string
				plans          bool // go test -n runs again
			}{
				{"nothing", "", "", "", nil, false},
				{"a file that no test sees", "README", "", "SALT", nil, true},
				{"a comment at a file's end", "base/base.go", "var _ = Salt\n", "var _ = Salt\n// The end.\n",
					[][]string{{"example.com-tested-base", baseTest[0], baseTest[3]}}, false},
				{"a body", "base/base.go", "return \"hello\"", "return \"hello\" + Salt[:0]",
					[][]string{{"example.com-tested-base"}, baseTest[:1], baseTest[2:], greetTest[4:]}, false},
				{"a test's body", "base/base_test.go", "t.Log(", "t.Log(\"more\", ",
					[][]string{baseTest[:1], baseTest[2:]}, false},
				{"test data", "greet/testdata/other", "", "SALT", [][]string{greetTest[5:], whereTest[4:]}, true},
				{"a test more", "base/base_test.go", "//go:noinline\nfunc Test(", "func TestMore(t *testing.T) {}\n\n//go:noinline\nfunc Test(",
					[][]string{baseTest}, true},
			} {
				switch {
				case step.old != "":
					edit(t, filepath.Join(src, step.file), step.old, step.new)
				case step.file != "":
					write(t, filepath.Join(src, step.file), salted(t, step.new))
				}
				r := tests(t, function, src, layersEnv, "all")
				if got, want := r.tested(), sorted(step.want...); !slices.Equal(got, want) {
					t.Errorf("%s: built\n%q\nwant\n%q", step.name, got, want)
				}
				// No test of this project needs all of src: an edit runs only the comparison.
				var all []string
				if step.file != "" {
					all = ofAllTests[:1]
				}
				if got := r.ofAll(); !slices.Equal(got, all) {
					t.Errorf("%s: of all tests it builds %q, want %q", step.name, got, all)
				}
				if got := slices.Contains(r.built, "test-plan"); got != step.plans {
					t.Errorf("%s: it plans the tests again: %v, want %v", step.name, got, step.plans)
				}
				if step.old != "" && slices.Contains(r.built, "plan") {
					t.Errorf("%s: it plans the program again", step.name)
				}
			}
			// The tests have compiled all packages of the program.
			program := build(t, function, src, layersEnv)
			if want := []string{"go-program", "program"}; !slices.Equal(program.compiled(), want) {
				t.Errorf("the program built %q, want %q", program.compiled(), want)
			}
		})
	}
}

// A failed test shows the output of `go test` and the package, for all failures. With doCheck the package depends on its
// tests. A failure is not cached.
func TestTestsFail(t *testing.T) {
	t.Parallel()
	files := withFiles(tested, map[string]string{
		"base/wrong_test.go":  wrongly("base", "base says SALT"),
		"greet/wrong_test.go": wrongly("greet", "greet says SALT"),
	})
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, files)
			args := layersEnv + testsEnv + "doCheck = true;"
			build(t, function, src, layersEnv) // without doCheck it is built
			for range 2 {
				r := nixBuild(t, "-E", expression(t, function, src, args))
				if r.err == nil {
					t.Fatal("it builds")
				}
				for _, name := range []string{"base", "greet"} { // Nix shows a tab as spaces
					for _, want := range []string{"# example.com/tested/" + name + "\n", "--- FAIL: TestWrong", "wrong_test.go:5: " + name + " says", "FAIL    example.com/tested/" + name + "\n"} {
						if !strings.Contains(r.log, want) {
							t.Errorf("the message lacks %q:\n%s", want, r.log)
						}
					}
				}
			}
			r := build(t, function, src, args+`checkFlags = [ "-skip=^TestWrong$" ];`)
			refs, err := exec.Command("nix-store", "--query", "--references", r.path).Output()
			if err != nil || len(refs) > 0 {
				t.Errorf("the package refers to %s: %v", refs, err)
			}
			r.run(t, "tested")
		})
	}
}

// In IFD mode there is a derivation for the tests of each package.
func TestTestsAlone(t *testing.T) {
	t.Parallel()
	src := project(t, withFiles(tested, map[string]string{"greet/wrong_test.go": wrongly("greet", "SALT")}))
	if got := tests(t, "buildWithIFD", src, layersEnv, "example.com/tested/base").tested(); slices.ContainsFunc(got, func(name string) bool { return strings.Contains(name, "greet") }) {
		t.Errorf("the tests of base built %q", got)
	}
	if r := nixBuild(t, "-E", testsOf(t, "buildWithIFD", src, layersEnv, "example.com/tested/greet")); r.err == nil {
		t.Error("the tests of greet pass")
	}
}

// Tests that cannot be planned are an error before anything is built.
func TestTestsBadInput(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args string
		files      map[string]string
		want       []string
	}{
		{"an unknown flag's value", `checkFlags = [ "-count=many" ];`, nil, []string{`invalid value "many" for flag -count`}},
		{"a flag with a space", `fallback = false; checkFlags = [ "-run=a b" ];`, nil, []string{"checkFlags", "has a space"}},
		{"another use of go test", `fallback = false; checkFlags = [ "-json" ];`, nil, []string{"checkFlags", "does not support -json"}},
		{"no such data", `testData = [ "nowhere" ];`, nil, []string{"testData", "nowhere", "no such file"}},
		{"data above src", `testData = [ "../x" ];`, nil, []string{"testData", "not a path below src"}},
		{"data of no package", `testData.nowhere = [ "README" ];`, nil, []string{"testData", "nowhere is not a package with tests"}},
		{"no such package", `testPackages = [ "./nowhere" ];`, nil, []string{"nowhere", "directory not found"}},
		{"a wrong signature", "", map[string]string{"base/sig_test.go": "package base\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tt.Log(1)\n\tt.Log(2)\n}\n\nfunc TestSig() {}\n"},
			[]string{"base/sig_test.go:10:1: wrong signature for TestSig"}},
		{"a test's import of no module", "", map[string]string{"base/imp_test.go": "package base\n\nimport _ \"example.org/nowhere\"\n"}, []string{"base/imp_test.go:3:8", "example.org/nowhere"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for mode, function := range modes {
				t.Run(mode, func(t *testing.T) {
					r := nixBuild(t, "-E", testsOf(t, function, project(t, withFiles(tested, test.files)), layersEnv+test.args, "all"))
					if r.err == nil {
						t.Fatal("it builds")
					}
					for _, want := range test.want {
						if !strings.Contains(r.log, want) {
							t.Errorf("the message lacks %q:\n%s", want, r.log)
						}
					}
				})
			}
		})
	}
}

// A package without tests that a pattern matches must compile, as with `go test`, whether
// or not the program needs it.
func TestUntested(t *testing.T) {
	t.Parallel()
	dgd := dgdCommand(t)
	files := withFiles(tested, map[string]string{
		"alone/alone.go":   "package alone\n\nimport _ \"example.com/tested/alone/in\"\n\nvar Text string = \"SALT\"\n",
		"alone/in/in.go":   "package in\n\nvar Text = \"SALT\"\n",
		"other/main.go":    "package main\n\nimport _ \"example.com/tested/greet\"\n\nfunc main() { println(\"SALT\") }\n",
		"skipped/win.go":   "//go:build windows\n\npackage skipped\n\nvar Text int = \"\"\n",
		"_ignored/main.go": "package main\n\nvar Text int = \"\"\n",
	})
	src := project(t, files)
	warmUp(t, layersEnv)
	more := []string{"example.com-tested-alone", "example.com-tested-alone-in", "example.com-tested-other"}
	if got, want := tests(t, "buildWithIFD", src, layersEnv, "all").tested(), sorted(shared, baseTest, greetTest, whereTest, untested, more); !slices.Equal(got, want) {
		t.Errorf("built\n%q\nwant\n%q", got, want)
	}
	if got := tests(t, "buildWithDynDrv", src, layersEnv, "all").tested(); len(got) > 0 {
		t.Errorf("after import from derivation, dynamic mode builds %q", got)
	}
	const args = planArgs
	tests(t, "buildWithIFD", src, args, "all")
	writePlan(t, dgd, src, "--builder", "buildWithIFD", "--cgo=false", "--env", "SET=by env", "--tests")
	byPlan := func() result {
		t.Helper()
		return nixBuild(t, append([]string{"-E", testsOf(t, "buildWithIFD", src, args+" plan = "+src+"/dgd.plan;", "all")}, pureFlags...)...)
	}
	if r := byPlan(); r.err != nil || !slices.Equal(r.tested(), []string{"0-check-tests-plan"}) {
		t.Errorf("%v: a plan in a file builds %q\n%s", r.err, r.tested(), r.log)
	}
	plan := filepath.Join(src, "dgd.plan")
	good := fileText(t, plan)
	rows := strings.SplitAfter(good, "\n")
	i := slices.IndexFunc(rows, func(row string) bool { return strings.HasPrefix(row, "untested ") })
	write(t, plan, strings.Join(slices.Insert(slices.Clone(rows), i, rows[i]), ""))
	says := fmt.Sprintf("the lines %d and %d both begin with `%s`", i+1, i+2, strings.Join(strings.Fields(rows[i])[:2], " "))
	if r := byPlan(); r.err == nil || !strings.Contains(r.log, says) {
		t.Errorf("a line that a merge has duplicated: %v, want %s:\n%s", r.err, says, r.log)
	}
	write(t, plan, good)

	for _, broken := range []struct{ file, old, new, says string }{
		{"alone/in/in.go", "var Text =", "var Text int =", "# example.com/tested/alone/in\n"},
		{"other/main.go", "println(", "println(1 + ", "# example.com/tested/other\n"},
		{"main.go", "func main()", "var Wrong int = \"\"\n\nfunc main()", "# example.com/tested\n"},
	} {
		edit(t, filepath.Join(src, broken.file), broken.old, broken.new)
		for mode, function := range modes {
			r := nixBuild(t, "-E", testsOf(t, function, src, layersEnv, "all"))
			if r.err == nil || !strings.Contains(r.log, broken.says) {
				t.Errorf("%s, %s: %v\n%s", broken.file, mode, r.err, r.log)
			}
		}
		if r := byPlan(); r.err == nil || !strings.Contains(r.log, broken.says) {
			t.Errorf("%s, by a plan: %v\n%s", broken.file, r.err, r.log)
		}
		write(t, filepath.Join(src, broken.file), salted(t, files[broken.file]))
	}
	edit(t, filepath.Join(src, "alone/alone.go"), "string =", "int =")
	tests(t, "buildWithIFD", src, layersEnv+`testPackages = [ "./base" "./greet/..." "./alone/in" ];`, "all")
}

// If no package has tests, all packages are compiled and no test runs.
func TestNoTests(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := tests(t, function, project(t, plain), layersEnv, "all")
			if got := r.tested(); !slices.Equal(got, []string{"example.com-plain"}) {
				t.Errorf("built %q", got)
			}
		})
	}
}

// Tests are built and run with input-addressed derivations and with cgo, too.
func TestTestsOtherwise(t *testing.T) {
	t.Parallel()
	withC := withFiles(tested, map[string]string{
		"c/c.go":      "package c\n\n// int seven(void);\nimport \"C\"\n\n// Seven: SALT.\nfunc Seven() int { return int(C.seven()) }\n",
		"c/seven.c":   "#include \"seven.h\"\nint seven(void) { return SEVEN; }\n",
		"c/seven.h":   "#define SEVEN 7\n",
		"c/c_test.go": "package c\n\nimport \"testing\"\n\nfunc Test(t *testing.T) {\n\tif Seven() != 7 {\n\t\tt.Error(Seven())\n\t}\n}\n",
		"d/d_test.go": "package d\n\n// Package d has nothing but tests. SALT\nimport (\n\t\"testing\"\n\n\t\"example.com/tested/c\"\n)\n\nfunc Test(t *testing.T) {\n\tif c.Seven() != 7 {\n\t\tt.Error(c.Seven())\n\t}\n}\n",
	})
	for name, test := range map[string]struct {
		files map[string]string
		args  string
		ok    int
	}{
		"input-addressed": {tested, layersEnv + "contentAddressed = false;", 3},
		"cgo":             {withC, "env.CGO_ENABLED = \"1\";", 5},
		"some":            {withC, layersEnv + "testPackages = [ \"./base\" \"./wh...\" ];", 2},
	} {
		t.Run(name, func(t *testing.T) {
			for mode, function := range modes {
				t.Run(mode, func(t *testing.T) {
					args := strings.ReplaceAll(test.args, "env.CGO", testsEnv+"env.CGO")
					r := nixBuild(t, "-E", fmt.Sprintf("(%s).tests.all", expression(t, function, project(t, test.files), args)))
					if r.err != nil {
						t.Fatalf("%v\n%s", r.err, r.log)
					}
					if out := read(t, r.path); strings.Count(out, "ok  \t") != test.ok {
						t.Errorf("the result is %q, want %d packages", out, test.ok)
					}
				})
			}
		})
	}
}

// reference builds the test programs of `go test` for a project, in the directory in which
// dgd compiles. -exec keeps the programs (those of `go test -c` differ: it compiles with
// DWARF). With -toolexec only those packages are compiled without -trimpath that keep
// their paths in dgd, for which Go has no flag.
const reference = `
let
  pkgs = import <nixpkgs> { };
in
pkgs.stdenvNoCC.mkDerivation {
  name = "reference";
  nativeBuildInputs = [ pkgs.go ];
  env.CGO_ENABLED = "0";
  buildCommand = ''
    export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath GOPROXY=off GOTOOLCHAIN=local
    mkdir -p $NIX_BUILD_TOP/dgd/0 $out
    cat > tool <<'EOF'
    #!${pkgs.bash}/bin/bash
    args=("$@")
    case " $* " in
      *_test.go* | *_testmain.go* | *" -p example.com/tested/where "* | *" -p example.com/tested/wrap "*)
        for ((i = 1; i < $#; i++)); do
          if [ "''${args[i]}" = -trimpath ]; then args[i+1]=''${args[i+1]##*;}; fi
        done
    esac
    exec "''${args[@]}"
    EOF
    cat > save <<EOF
    #!${pkgs.bash}/bin/bash
    cp "\$1" $out/
    EOF
    chmod +x tool save
    tool=$PWD/tool save=$PWD/save
    cp -r ${SRC} $NIX_BUILD_TOP/dgd/0/src
    cd $NIX_BUILD_TOP/dgd/0/src
    go test -mod=vendor -vet=off -trimpath -buildvcs=false -ldflags=-buildid= -toolexec=$tool -exec=$save ./base ./greet ./where
  '';
}
`

// Test programs have the bytes of those of `go test`.
func TestTestIdentity(t *testing.T) {
	t.Parallel()
	src := project(t, tested)
	r := tests(t, "buildWithIFD", src, layersEnv, "all")
	want := nixBuild(t, "-E", strings.ReplaceAll(reference, "${SRC}", "${"+src+"}"))
	if want.err != nil {
		t.Fatal(want.log)
	}
	compared := 0
	for line := range strings.Lines(r.log) {
		rest, ok := strings.CutPrefix(line, "building '")
		drv, _, _ := strings.Cut(rest, "'")
		_, name, _ := strings.Cut(filepath.Base(strings.TrimSuffix(drv, ".drv")), "-")
		if !ok || !slices.Contains([]string{"base.test", "greet.test", "where.test"}, name) {
			continue
		}
		compared++
		got := read(t, filepath.Join(nixStore(t, "--realise", drv)[0], "bin", name))
		if got != read(t, filepath.Join(want.path, name)) {
			t.Errorf("%s differs from what go test runs", name)
		}
	}
	if compared != 3 {
		t.Errorf("compared %d programs", compared)
	}
}
