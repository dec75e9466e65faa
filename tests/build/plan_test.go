package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// dgdCommand returns the path of dgd.
func dgdCommand(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "dgd")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/dgd")
	cmd.Dir = repo(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// writePlan writes the plan of a project.
func writePlan(t *testing.T, dgd, dir string, flags ...string) {
	t.Helper()
	if out, err := exec.Command(dgd, append([]string{"plan", dir}, flags...)...).CombinedOutput(); err != nil {
		t.Fatalf("dgd plan: %v\n%s", err, out)
	}
}

// pureFlags are options of Nix that forbid import from derivation and experimental
// features, which a plan in a file does not need.
var pureFlags = []string{"--option", "allow-import-from-derivation", "false", "--option", "experimental-features", ""}

const planArgs = layersEnv + " contentAddressed = false;"

// A plan in a file and import from derivation share all packages: after one of them, the
// other compiles nothing, also with input-addressed derivations.
func TestPlanShares(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	for _, addressed := range []string{"false", "true"} {
		t.Run("addressed-"+addressed, func(t *testing.T) {
			src := project(t, layers)
			writePlan(t, dgd, src, "--builder", "buildWithIFD", "--cgo=false")
			args := layersEnv + " contentAddressed = " + addressed + ";"
			withPlan := args + " plan = " + src + "/dgd.plan;"
			first := build(t, "buildWithIFD", src, withPlan)
			if c := first.compiled(); len(c) < 6 {
				t.Fatalf("the build by plan built %q: the test shows nothing", c)
			}
			if c := build(t, "buildWithIFD", src, args).compiled(); !slices.Equal(c, []string{"go-program"}) && len(c) > 0 {
				t.Errorf("import from derivation built %q after it", c)
			}
			if addressed == "true" {
				if c := build(t, "buildWithDynDrv", src, args).compiled(); len(c) > 0 && !slices.Equal(c, []string{"go-program"}) {
					t.Errorf("dynamic mode built %q after it", c)
				}
			}
		})
	}
}

// After edits that change the plan the build fails. Other edits compile only what they
// change.
func TestPlanEdits(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	src := project(t, layers)
	writePlan(t, dgd, src, "--builder", "buildWithIFD", "--cgo=false")
	call := expression(t, "buildWithIFD", src, planArgs+" plan = "+src+"/dgd.plan;")
	make := func() result {
		t.Helper()
		return nixBuild(t, append([]string{"-E", call}, pureFlags...)...)
	}
	if r := make(); r.err != nil {
		t.Fatalf("%v\n%s", r.err, r.log)
	}
	edit(t, filepath.Join(src, "leaf/leaf.go"), "return \"leaf", "return \"a leaf")
	r := make()
	if want := []string{"example.com-layers", "example.com-layers-leaf", "go-program", "program"}; r.err != nil || !slices.Equal(r.compiled(), want) {
		t.Fatalf("the edit of a body built %q (%v), want %q\n%s", r.compiled(), r.err, want, r.log)
	}
	if out := r.run(t, "layers"); !strings.Contains(out, "a leaf") {
		t.Errorf("the program prints %q", out)
	}
	if out, err := exec.Command(dgd, "plan", "--check", src).CombinedOutput(); err != nil {
		t.Errorf("after an edit of a body: %v, %s", err, out)
	}
	for _, test := range []struct {
		name   string
		edit   func()
		stale  string // the directory in the error
		differ string // the output of dgd plan --check
	}{
		{"an import", func() {
			edit(t, filepath.Join(src, "leaf/leaf.go"), "import \"example.com/layers/base\"", "import (\n\t\"strings\"\n\n\t\"example.com/layers/base\"\n)\n\nvar _ = strings.ToUpper\n")
		}, "leaf", "package layers:leaf: stale"},
		{"a file", func() { write(t, filepath.Join(src, "mid/more.go"), "package mid\n") }, "mid", "package layers:mid: stale"},
		{"a package", func() {
			write(t, filepath.Join(src, "new/new.go"), "package new\n")
			edit(t, filepath.Join(src, "mid/more.go"), "package mid\n", "package mid\n\nimport _ \"example.com/layers/new\"\n")
		}, "mid", "package layers:new: missing"},
	} {
		test.edit()
		r := make()
		if r.err == nil || !strings.Contains(r.log, "dgd.plan is stale: run `dgd plan` beside go.mod") || !strings.Contains(r.log, test.stale+": its files, their imports") {
			t.Errorf("%s: %v\n%s", test.name, r.err, r.log)
		}
		out, err := exec.Command(dgd, "plan", "--check", src).CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.differ) || !strings.Contains(string(out), "run `dgd plan` in") {
			t.Errorf("%s: dgd plan --check: %v, %s", test.name, err, out)
		}
		writePlan(t, dgd, src)
		if r := make(); r.err != nil {
			t.Errorf("%s: %v\n%s", test.name, r.err, r.log)
		}
	}
}

// If a file or a directory that a plan names was removed, evaluation reports that the plan
// is stale.
func TestPlanOfGone(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	vendor := map[string]string{
		"go.mod":                    "module example.com/m\n\ngo 1.24\n\nrequire example.org/v v1.0.0\n",
		"main.go":                   "package main\n\nimport (\n\t_ \"example.com/m/lib\"\n\t_ \"example.org/v\"\n)\n\nfunc main() {}\n",
		"lib/lib.go":                "package lib\n",
		"lib/more.go":               "package lib\n",
		"vendor/modules.txt":        "# example.org/v v1.0.0\n## explicit; go 1.24\nexample.org/v\n",
		"vendor/example.org/v/v.go": "package v\n",
	}
	src := project(t, vendor)
	writePlan(t, dgd, src, "--builder", "buildWithIFD", "--cgo=false")
	evaluate := func(dgd string) string {
		t.Helper()
		call := fmt.Sprintf("(import %s { %s }).buildWithIFD { src = %s; plan = %s/dgd.plan; contentAddressed = false; env.CGO_ENABLED = \"0\"; }", repo(t), dgd, src, src)
		out, _ := exec.Command("nix-instantiate", append([]string{"-E", call}, pureFlags...)...).CombinedOutput()
		return string(out)
	}
	// Overrides cannot change the vendor directory of the sources.
	for overrides, want := range map[string]string{
		`"example.org/v" = { patches = [ ./x.patch ]; };`:                   "moduleOverrides concerns example.org/v, which is in the vendor directory of src",
		`"example.org/v" = { version = "v1.0.1"; hash = ""; };`:             "moduleOverrides concerns example.org/v, which is in the vendor directory of src",
		`"example.org/v" = { version = "v1.0.0"; hash = ""; };`:             ".drv",
		`"example.org/other" = { version = "v1.0.1"; hash = "sha256-x"; };`: ".drv",
	} {
		if out := evaluate("moduleOverrides = { " + overrides + " };"); !strings.Contains(out, want) || strings.HasSuffix(want, ".drv") == strings.Contains(out, "error:") {
			t.Errorf("with overrides %s, want %s:\n%s", overrides, want, out)
		}
	}
	for _, gone := range []string{"lib/more.go", "lib", "vendor/example.org/v"} {
		if err := os.RemoveAll(filepath.Join(src, gone)); err != nil {
			t.Fatal(err)
		}
		if out, want := evaluate(""), "dgd.plan is stale: it names "+src+"/"; !strings.Contains(out, want) || !strings.Contains(out, "which does not exist: run `dgd plan`") {
			t.Errorf("without %s, want %s:\n%s", gone, want, out)
		}
	}
}

// A plan in a file and import from derivation share tests: after one of them, the other
// compiles and runs nothing. Evaluation builds nothing.
func TestPlanTests(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	src := project(t, tested)
	const args = planArgs
	withPlan := args + " plan = " + src + "/dgd.plan;"
	writePlan(t, dgd, src, "--builder", "buildWithIFD", "--cgo=false", "--env", "SET=by env")
	pure := func(args, name string) result {
		t.Helper()
		return nixBuild(t, append([]string{"-E", testsOf(t, "buildWithIFD", src, args, name)}, pureFlags...)...)
	}
	if r, want := pure(withPlan, "all"), "dgd.plan has no tests: run `dgd plan --builder buildWithIFD"; r.err == nil || !strings.Contains(r.log, want) || !strings.Contains(r.log, "--tests` beside go.mod") {
		t.Errorf("a plan without tests: %v, want %s\n%s", r.err, want, r.log)
	}
	writePlan(t, dgd, src, "--tests")
	r := pure(withPlan, "example.com/tested/greet")
	if r.err != nil || !strings.Contains(read(t, r.path), "ok  \texample.com/tested/greet") {
		t.Fatalf("%v\n%s", r.err, r.log)
	}
	for _, name := range greetTest {
		if !slices.Contains(r.built, name) {
			t.Errorf("the tests of one package built %q, without %s", r.built, name)
		}
	}
	if c := tests(t, "buildWithIFD", src, args, "example.com/tested/greet"); len(c.tested()) > 0 {
		t.Errorf("import from derivation built %q after it", c.tested())
	}
	tests(t, "buildWithIFD", src, args, "all")
	if c := pure(withPlan, "all"); c.err != nil || len(c.tested()) > 0 {
		t.Errorf("%v: a plan in a file built %q after import from derivation\n%s", c.err, c.tested(), c.log)
	}
	if r := pure(withPlan+` checkFlags = [ "-short" ];`, "all"); r.err == nil || !strings.Contains(r.log, "dgd.plan was written for other tests") || !strings.Contains(r.log, "--tests --check-flag -short` beside go.mod") {
		t.Errorf("other flags: %v\n%s", r.err, r.log)
	}
	// Data that the plan does not list: the test does not find it, and runs again with all of src.
	write(t, filepath.Join(src, "greet/more_test.go"), "package greet\n")
	edit(t, filepath.Join(src, "base/base_test.go"), "t.Log(\"", "if _, err := os.Stat(\"../greet/testdata/golden\"); err != nil {\n\t\tt.Error(err)\n\t}; t.Log(\"")
	edit(t, filepath.Join(src, "base/base_test.go"), "import \"testing\"", "import (\n\t\"os\"\n\t\"testing\"\n)")
	r = pure(withPlan, "all")
	for _, want := range []string{"dgd.plan is stale: run `dgd plan` beside go.mod", "base: its files, their imports, embedded files or constraints have changed, or which tests there are", "greet: its files"} {
		if r.err == nil || !strings.Contains(r.log, want) {
			t.Errorf("other tests: %v, want %s\n%s", r.err, want, r.log)
		}
	}
	program := nixBuild(t, append([]string{"-E", expression(t, "buildWithIFD", src, testsEnv+withPlan)}, pureFlags...)...)
	if program.err != nil {
		t.Errorf("the program does not depend on the plan of its tests: %v\n%s", program.err, program.log)
	}
	writePlan(t, dgd, src)
	edit(t, filepath.Join(src, "base/base_test.go"), "golden", "fuzz/FuzzText/seed")
	if r := pure(withPlan, "example.com/tested/base"); r.err != nil {
		t.Errorf("a test that reads what the plan does not have: %v\n%s", r.err, r.log)
	}
	edit(t, filepath.Join(src, "base/base_test.go"), "seed", "gone")
	if r := pure(withPlan+" doCheck = true;", "example.com/tested/base"); r.err == nil || !strings.Contains(r.log, "FuzzText/gone") {
		t.Errorf("a test that fails: %v\n%s", r.err, r.log)
	}
}

// Programs that cannot be planned are built by the go command in one derivation, with a
// message. The result is that of import from derivation.
func TestPlanByGo(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	files := map[string]string{
		"go.mod":       "module example.com/m\n\ngo 1.24\n",
		"main.go":      "package main\n\nimport \"example.com/m/lib\"\n\nvar Version = \"none\"\n\nfunc main() { println(lib.Text(), Version) }\n",
		"lib/lib.go":   "package lib\n\nfunc Text() string { return \"SALT\" }\n",
		"other/lib.go": "package lib\n\nfunc Text() string { return \"overlaid\" }\n",
		"o.json":       `{"Replace": {"lib/lib.go": "other/lib.go"}}`,
	}
	for _, test := range []struct {
		name, flags, ldflags string
		files                map[string]string
		why                  string
	}{
		{"profile", "", `"-X main.Version=1"`, map[string]string{"default.pgo": fileText(t, filepath.Join(repo(t), "examples/godebug-pgo/default.pgo"))}, "a plan in a file has no form for profiles"},
		{"overlay", "-overlay=o.json", "", nil, "GOFLAGS has an overlay"},
		{"c-archive", "-buildmode=c-archive", "", map[string]string{"main.go": "package main\n\nimport \"C\"\n\n//export Text\nfunc Text() *C.char { return nil }\n\nfunc main() {}\n"}, "-buildmode=c-archive and -buildmode=c-shared"},
	} {
		src := project(t, withFiles(files, test.files))
		cgo := "0"
		if test.name == "c-archive" {
			cgo = "1"
		}
		args := fmt.Sprintf("contentAddressed = false; env = { CGO_ENABLED = %q; GOFLAGS = %q; }; ldflags = [ %s ];", cgo, test.flags, test.ldflags)
		withPlan := args + " plan = " + src + "/dgd.plan;"
		flags := []string{"--builder", "buildWithIFD", "--env", "GOFLAGS=" + test.flags, "--ldflags", strings.Trim(test.ldflags, `"`), fmt.Sprintf("--cgo=%v", cgo == "1")}
		out, err := exec.Command(dgd, append([]string{"plan", src, "--fallback=false"}, flags...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.why) {
			t.Errorf("%s: dgd plan --fallback=false: %v, %s", test.name, err, out)
		}
		out, err = exec.Command(dgd, append([]string{"plan", src}, flags...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "the go command will build the programs in one derivation, because dgd cannot plan them package by package (--fallback=false makes it an error): ") || !strings.Contains(string(out), test.why) {
			t.Errorf("%s: dgd plan: %v, %s", test.name, err, out)
		}
		plan := nixBuild(t, append([]string{"-E", expression(t, "buildWithIFD", src, withPlan)}, pureFlags...)...)
		if plan.err != nil || !strings.Contains(plan.log, "dgd: the programs are built in one derivation, by `go build` itself, because dgd cannot plan that (fallback = false makes it an error): ") {
			t.Errorf("%s: %v\n%s", test.name, plan.err, plan.log)
			continue
		}
		if out, err := exec.Command("diff", "-r", onDisk(plan.path), onDisk(build(t, "buildWithIFD", src, args).path)).CombinedOutput(); err != nil {
			t.Errorf("%s: import from derivation builds another: %v\n%s", test.name, err, out)
		}
		if r := nixBuild(t, "-E", expression(t, "buildWithIFD", src, withPlan+" fallback = false;")); r.err == nil || !strings.Contains(r.log, "dgd.plan has the programs in one derivation, which fallback = false does not allow") {
			t.Errorf("%s, without the fallback: %v\n%s", test.name, r.err, r.log)
		}
		if out, err := exec.Command(dgd, "plan", "--check", src).CombinedOutput(); err != nil {
			t.Errorf("%s: dgd plan --check: %v, %s", test.name, err, out)
		}
	}
}

// A file can have plans for several settings, also for the same platform: evaluation uses
// the one for its arguments, as if it was the only one.
func TestPlanSettings(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	src := project(t, withFiles(layers, map[string]string{"leaf/tagged.go": "//go:build a\n\npackage leaf\n\nimport _ \"strings\"\n"}))
	plan := filepath.Join(src, "dgd.plan")
	evaluate := func(args string) (string, error) {
		call := "(" + expression(t, "buildWithIFD", src, planArgs+" plan = "+src+"/dgd.plan;"+args) + ").program.drvPath"
		out, err := exec.Command("nix-instantiate", append([]string{"--eval", "--read-write-mode", "-E", call}, pureFlags...)...).CombinedOutput()
		return string(out), err
	}
	type setting struct {
		flags []string
		args  string
	}
	first := setting{[]string{"--builder", "buildWithIFD", "--cgo=false", "--for", "linux/amd64,linux/arm64"}, ""}
	others := []setting{
		{[]string{"--builder", "buildWithIFD", "--cgo=false", "--tags", "a"}, `tags = [ "a" ];`},
		{[]string{"--builder", "buildWithIFD", "--tags", "b", "--for", "linux/arm64"}, `tags = [ "b" ]; env.GOARCH = "arm64"; env.CGO_ENABLED = "1";`},
	}
	alone := map[string]string{}
	for _, s := range append(others, first) {
		writePlan(t, dgd, src, s.flags...)
		var err error
		if alone[s.args], err = evaluate(s.args); err != nil && !strings.Contains(s.args, "CGO_ENABLED") {
			t.Fatalf("%v: %v\n%s", s.flags, err, alone[s.args])
		}
	}
	if alone[""] == alone[others[0].args] {
		t.Fatal("the tag changes nothing: the test shows nothing")
	}
	one := len(fileText(t, plan))
	for _, s := range others[:1] {
		writePlan(t, dgd, src, append(s.flags, "--add")...)
	}
	for _, args := range []string{"", others[0].args} {
		if got, err := evaluate(args); err != nil || got != alone[args] {
			t.Errorf("with %q among other settings: %v, %s, alone %s", args, err, got, alone[args])
		}
	}
	text := fileText(t, plan)
	if two := len(text); two > one*3/2 {
		t.Errorf("a plan has %d bytes, and with one more setting %d", one, two)
	}
	if n := strings.Count(text, "set target \"linux/arm64\""); n != 1 {
		t.Errorf("linux/arm64 is there %d times:\n%s", n, text)
	}
	// Write the file again, with all its settings.
	writePlan(t, dgd, src)
	if fileText(t, plan) != text {
		t.Errorf("dgd plan alone writes\n%s, not\n%s", fileText(t, plan), text)
	}
	if out, err := exec.Command(dgd, "plan", "--check", src).CombinedOutput(); err != nil {
		t.Errorf("dgd plan --check: %v, %s", err, out)
	}
	if out, err := exec.Command(dgd, "plan", "--tags", "c", src).CombinedOutput(); err == nil || !strings.Contains(string(out), "has 2 settings: add --add to keep them, or --builder to write it anew") {
		t.Errorf("dgd plan --tags: %v, %s", err, out)
	}
	if out, err := evaluate(`tags = [ "c" ];`); err == nil || !strings.Contains(out, "dgd.plan was written for another setting `flags`") || !strings.Contains(out, "run `dgd plan --add --builder buildWithIFD --for linux/amd64 --cgo=false --package . --tags c --ldflags -buildid=` beside go.mod") {
		t.Errorf("a setting that it has not: %v, %s", err, out)
	}
	edit(t, filepath.Join(src, "leaf/tagged.go"), "_ \"strings\"", "_ \"bytes\"")
	writePlan(t, dgd, src, append(others[1].flags, "--add")...)
	if got, err := evaluate(""); err != nil || got != alone[""] {
		t.Errorf("what the tag does not concern: %v, %s, alone %s", err, got, alone[""])
	}
	if got, err := evaluate(others[0].args); err != nil || got == alone[others[0].args] {
		t.Errorf("dgd plan --add does not plan the other settings anew: %v, %s", err, got)
	}
	if r := nixBuild(t, append([]string{"-E", expression(t, "buildWithIFD", src, planArgs+" plan = "+src+"/dgd.plan;"+others[0].args)}, pureFlags...)...); r.err != nil {
		t.Errorf("%v\n%s", r.err, r.log)
	}
}

// signed returns a line of a plan with its checksum.
func signed(line string) string {
	sum := sha256.Sum256([]byte(line))
	return line + " #" + hex.EncodeToString(sum[:2]) + "\n"
}

// Evaluation reports a damaged plan, and a plan that does not fit the arguments.
func TestPlanErrors(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	src := project(t, layers)
	writePlan(t, dgd, src, "--builder", "buildWithIFD", "--cgo=false")
	plan := filepath.Join(src, "dgd.plan")
	good := fileText(t, plan)
	rows := strings.SplitAfter(good, "\n")
	// The line of a package that is compiled from mid.go.
	mid := slices.IndexFunc(rows, func(r string) bool { return strings.Contains(r, " mid ") })
	if mid < 0 || !strings.HasPrefix(rows[mid], "package ") {
		t.Fatalf("there is no package with mid.go:\n%s", good)
	}
	// Lines that a merge has duplicated or removed.
	without := func(prefix string) string {
		for i, r := range rows {
			if strings.HasPrefix(r, prefix) {
				return strings.Join(slices.Delete(slices.Clone(rows), i, i+1), "")
			}
		}
		t.Fatalf("no line begins with %q:\n%s", prefix, good)
		return ""
	}
	digest := regexp.MustCompile(` d=\w+`)
	body := rows[mid][:len(rows[mid])-len(" #1234\n")]
	again := signed(digest.ReplaceAllString(body, " d=00000000"))
	key := strings.Join(strings.Split(rows[mid], " ")[:2], " ")
	for _, test := range []struct {
		name, text, args string
		want             []string
	}{
		{"another line of a package", strings.Replace(good, rows[mid], again+rows[mid], 1), "", []string{fmt.Sprintf("dgd.plan is damaged: the lines %d and %d both begin with `%s`: run `dgd plan`", mid+1, mid+2, key)}},
		{"a line twice", strings.Replace(good, rows[mid], rows[mid]+rows[mid], 1), "", []string{"both begin with `" + key + "`"}},
		{"another setting", good + signed(`set toolEnv []`), "", []string{"both begin with `set toolEnv`"}},
		{"no package", without(key + " "), "", []string{"there is no line `" + key + "`, and that of"}},
		{"no program", without("link "), "", []string{"there is no line `link` of the program layers:"}},
		{"no template", without("template "), "", []string{"there is no line `template "}},
		{"no package of the standard library", without("std fmt "), "", []string{"there is no line `package fmt`"}},
		{"no part of it", without("part std "), "", []string{"there is no line `part std`"}},
		{"no module", without("module "), "", []string{"there is no line `module layers`"}},
		{"no digest", without("set digest "), "", []string{"there is no line `set digest`"}},
		{"no environment", without("set toolEnv "), "", []string{"there is no line `set toolEnv`"}},
		{"no flags", without("set flags "), "", []string{"dgd.plan was written for another setting `flags`: nothing"}},
		{"no packages", good + signed(`set unplanned "why"`), "", []string{"there is no line `bygo`"}},
		{"carriage returns", strings.ReplaceAll(good, "\n", "\r\n"), "", []string{"dgd.plan:1: the line ends in a carriage return", "dgd.plan -text"}},
		{"tags", good, `tags = [ "netgo" ];`, []string{"dgd.plan was written for another setting `flags`", "-tags=netgo", "run `dgd plan --builder buildWithIFD --for linux/", "--cgo=false --package . --tags netgo --ldflags -buildid=` beside go.mod"}},
		{"cgo", good, `env.CGO_ENABLED = "1";`, []string{"dgd.plan was written for another setting `cgo`: false, and the builder has true", "--cgo=true"}},
		{"platform", good, `env.GOOS = "windows";`, []string{"dgd.plan was written for another setting `target`", "--for linux/", ",windows/"}},
		{"package", good, `subPackage = "mid";`, []string{"dgd.plan was written for another setting `packages`: [\".\"], and the builder has [\"mid\"]", "--package mid"}},
		{"variable", good, `env = { CGO_ENABLED = "0"; GOAMD64 = "v2"; };`, []string{"dgd.plan was written for another setting `env`", "--env GOAMD64=v2"}},
		{"granularity", good, `granularity = "package";`, []string{"dgd.plan was written for another setting `granularity`", "--granularity package"}},
		{"vendorHash", good, `vendorHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";`, []string{"`plan` and `vendorHash` are both given"}},
		{"an edit by hand", strings.Replace(good, " mid ", " mad ", 1), "", []string{fmt.Sprintf("dgd.plan:%d: the line is damaged, or was edited by hand: run `dgd plan`", mid+1)}},
		{"a conflict", rows[0] + "<<<<<<< HEAD\n" + strings.Join(rows[1:], ""), "", []string{"dgd.plan:2: the line is damaged"}},
		{"cut off", good[:len(good)-20], "", []string{"dgd.plan is damaged: it does not end in a whole line"}},
		{"empty", "", "", []string{"dgd.plan is damaged: it does not end in a whole line"}},
		{"a type", good, "plan = true;", []string{"the argument `plan` must be a path, such as ./dgd.plan, or null"}},
		{"not there", good, "plan = " + src + "/other.plan;", []string{"other.plan, which does not exist: run `dgd plan`"}},
	} {
		if err := os.WriteFile(plan, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		call := fmt.Sprintf("(import %s { }).buildWithIFD ({ src = %s; plan = %s; contentAddressed = false; env.CGO_ENABLED = \"0\"; } // { %s })", repo(t), src, plan, test.args)
		out, err := exec.Command("nix-instantiate", append([]string{"-E", call}, pureFlags...)...).CombinedOutput()
		for _, want := range test.want {
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%s: %v, want %s:\n%s", test.name, err, want, out)
			}
		}
	}
	// The plan may be a symlink: the check reads the text that evaluation has read.
	elsewhere, link := filepath.Join(t.TempDir(), "of-layers"), filepath.Join(t.TempDir(), "a.plan")
	write(t, elsewhere, good)
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	call := fmt.Sprintf("((import %s { }).buildWithIFD { src = %s; plan = %s; contentAddressed = false; env.CGO_ENABLED = \"0\"; }).check", repo(t), src, link)
	if r := nixBuild(t, append([]string{"-E", call}, pureFlags...)...); r.err != nil {
		t.Errorf("a plan behind a symlink: %v\n%s", r.err, r.log)
	}
	// planCommand can be evaluated if the plan is missing or damaged.
	for _, args := range []string{`plan = ` + src + `/other.plan;`, `plan = ` + plan + `; tags = [ "netgo" ];`} {
		if err := os.WriteFile(plan, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		call := fmt.Sprintf("((import %s { }).buildWithIFD { src = %s; contentAddressed = false; env.CGO_ENABLED = \"0\"; %s }).planCommand", repo(t), src, args)
		out, err := exec.Command("nix-instantiate", append([]string{"--eval", "--read-write-mode", "-E", call}, pureFlags...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "dgd plan --builder buildWithIFD --for linux/") {
			t.Errorf("planCommand with %s: %v\n%s", args, err, out)
		}
	}
}

// planC is a project with two packages with C: one that stays whole, and one whose C++ is
// compiled in derivations of its own.
var planC = map[string]string{
	"go.mod":        "module example.com/planc\n\ngo 1.24\n",
	"main.go":       "// SALT\npackage main\n\nimport (\n\t\"example.com/planc/c\"\n\t\"example.com/planc/cxx\"\n)\n\nfunc main() { println(c.Sum(), cxx.Sum()) }\n",
	"c/c.go":        "// SALT\npackage c\n\n// int one(void);\nimport \"C\"\n\nfunc Sum() int { return int(C.one()) }\n",
	"c/c.c":         "#include \"one.h\"\nint one(void) { return ONE; }\n",
	"c/one.h":       "#define ONE 1\n",
	"cxx/cxx.go":    "// SALT\npackage cxx\n\n// int two(void);\nimport \"C\"\n\nfunc Sum() int { return int(C.two()) }\n",
	"cxx/two.cpp":   "// SALT\n#include \"../include/two.h\"\nextern \"C\" int two(void) { return TWO; }\n",
	"cxx/one.cpp":   "// SALT\nextern \"C\" int ofOne(void) { return 1; }\n",
	"include/two.h": "// SALT\n#define TWO 2\n",
}

// A plan in a file can have packages with C, and does not depend on the C compilers. After
// one mode, the other one compiles nothing.
func TestPlanWithC(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	dgd := dgdCommand(t)
	src := project(t, planC)
	writePlan(t, dgd, src, "--builder", "buildWithIFD", "--content-addressed")
	const args = "env.CGO_ENABLED = \"1\"; contentAddressed = true;"
	withPlan := args + " plan = " + src + "/dgd.plan;"
	first := build(t, "buildWithIFD", src, withPlan)
	if got := first.run(t, "planc"); got != "1 2\n" || len(ofKind(first, "-objects-two.cpp")) != 1 {
		t.Fatalf("the program prints %q; built are %q", got, first.built)
	}
	for _, function := range modes {
		if c := build(t, function, src, args).compiled(); len(c) > 0 && !slices.Equal(c, []string{"go-program"}) {
			t.Errorf("%s built %q after it", function, c)
		}
	}
	plan := filepath.Join(src, "dgd.plan")
	good := fileText(t, plan)
	for _, setting := range []string{"cgoEnv", "contentAddressed"} {
		write(t, plan, regexp.MustCompile(`(?m)^set `+setting+` .*\n`).ReplaceAllString(good, ""))
		if r := nixBuild(t, "-E", expression(t, "buildWithIFD", src, withPlan)); r.err == nil || !strings.Contains(r.log, "there is no line `set "+setting+"`") {
			t.Errorf("without the setting %s: %v\n%s", setting, r.err, r.log)
		}
	}
	write(t, plan, good)
	edit(t, filepath.Join(src, "include/two.h"), "TWO 2", "TWO 3")
	edit(t, filepath.Join(src, "c/one.h"), "ONE 1", "ONE 4")
	r := build(t, "buildWithIFD", src, withPlan)
	want := []string{"example.com-planc-c", "example.com-planc-cxx-ask-0", "example.com-planc-cxx-objects-two.cpp"}
	for _, name := range want {
		if !slices.Contains(r.built, name) {
			t.Errorf("the edit of a header built %q, without %s", r.built, name)
		}
	}
	if got := r.run(t, "planc"); got != "4 3\n" {
		t.Errorf("the program prints %q", got)
	}
	edit(t, filepath.Join(src, "c/c.c"), "#include", "#include \"more.h\"\n#include")
	write(t, filepath.Join(src, "c/more.h"), "")
	stale := nixBuild(t, "-E", expression(t, "buildWithIFD", src, withPlan))
	if want := "c: its files that are not Go, or what these include, have changed"; stale.err == nil || !strings.Contains(stale.log, want) {
		t.Errorf("an include more: %v, want %s\n%s", stale.err, want, stale.log)
	}
	writePlan(t, dgd, src)
	if got := build(t, "buildWithIFD", src, withPlan).run(t, "planc"); got != "4 3\n" {
		t.Errorf("the program prints %q", got)
	}
}

// Old and new versions of Nix evaluate a plan in a file to the same derivations, including
// tests, without import from derivation and experimental features.
func TestPlanNixVersions(t *testing.T) {
	t.Parallel()
	if !*matrix {
		t.Skip("it fetches other Nixes: run it with -matrix")
	}
	testnix.Require(t)
	src := project(t, withFiles(planC, map[string]string{"c/c_test.go": "package c\n\nimport \"testing\"\n\nfunc Test(*testing.T) { Sum() }\n"}))
	writePlan(t, dgdCommand(t), src, "--builder", "buildWithIFD", "--tests")
	call := expression(t, "buildWithIFD", src, `env.CGO_ENABLED = "1"; contentAddressed = false; doCheck = true; plan = `+src+"/dgd.plan;")
	// The store has a C compiler.
	const given = `(import <nixpkgs> { }).stdenv.mkDerivation { name = "given"; buildCommand = "export -p > $out"; }`
	drv, err := exec.Command("nix-instantiate", "-E", given).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, v := range nixVersions {
		st := testnix.NewStore(t)
		st.Fill(t, strings.TrimSpace(string(drv)), here(t, given))
		useNix(t, st, v.suite)
		if version := st.Run(t, "nix", "--version"); !strings.Contains(version, " "+v.version+".") {
			t.Fatalf("%s has %s, not %s", v.suite, version, v.version)
		}
		got := strings.TrimSpace(st.Run(t, "nix-instantiate", append([]string{"-E", call}, pureFlags...)...))
		got = got[strings.LastIndexByte(got, '/')+1:]
		if want == "" {
			want = got
		}
		if got != want || !strings.HasSuffix(got, ".drv") {
			t.Errorf("Nix %s evaluates it to %s, others to %s", v.version, got, want)
		}
		t.Logf("Nix %s: %s", v.version, got)
	}
}
