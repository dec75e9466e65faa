package build

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The program is the same with each granularity: its content-addressed store path does
// not change.
func TestGranularity(t *testing.T) {
	t.Parallel()
	paths := map[string]string{}
	for _, granularity := range []string{"package", "module", "auto"} {
		for _, function := range []string{"buildWithIFD", "buildWithDynDrv"} {
			r := nixBuild(t, "-E", fmt.Sprintf(`
				let
				  dgd = import %[1]s { };
				  program = (import %[1]s/tests/programs.nix).gofumpt;
				in
				dgd.%[2]s {
				  src = dgd.fetchGoModule { inherit (program) module version hash; };
				  inherit (program) vendorHash env;
				  granularity = %[3]q;
				}`, repo(t), function, granularity))
			if r.err != nil {
				t.Fatalf("%s, %s: %v\n%s", granularity, function, r.err, r.log)
			}
			paths[granularity+" "+function] = r.path
		}
	}
	want := paths["package buildWithIFD"]
	for how, path := range paths {
		if path != want {
			t.Errorf("%s: %s, want %s", how, path, want)
		}
	}
}

// An unknown granularity is an error that lists the known ones.
func TestNoGranularity(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":  "module example.com/m\n\ngo 1.24\n",
		"main.go": "package main\n\nfunc main() {}\n",
	})
	r := nixBuild(t, "-E", expression(t, "buildWithIFD", src, `granularity = "file";`))
	if want := "the argument `granularity` must be \"auto\", \"module\" or \"package\""; r.err == nil || !strings.Contains(r.log, want) {
		t.Errorf("the error is not %s: %v\n%s", want, r.err, r.log)
	}
}

// Packages of a large module share derivations, and the program has the bytes of
// `go build`. An edit compiles only the derivation with its package, and those that
// depend on the package. A program is linked again only if it has the package, although
// one that has all packages of a derivation takes their archives from one output.
func TestGranularityOfMany(t *testing.T) {
	t.Parallel()
	const count = 300
	files := map[string]string{"go.mod": "module example.com/many\n\ngo 1.24\n"}
	imports, calls := "", ""
	some, someCalls := "", "" // of a program without p150, with all of its neighbours
	for i := range count {
		name := fmt.Sprintf("p%03d", i)
		// So long that the specs of shared derivations are files of their own (drvgen.Encode).
		files[name+"/"+name+".go"] = fmt.Sprintf("package %s\n\nconst Salt = \"SALT\"\n\n//go:noinline\nfunc Text() string { return \"%[1]s SALT\" }\n", name) + strings.Repeat("// A comment.\n", 200)
		imports += fmt.Sprintf("\t\"example.com/many/%s\"\n", name)
		calls += fmt.Sprintf("\tprintln(%s.Text())\n", name)
		if i > 100 && i < 200 && i != 150 {
			some += fmt.Sprintf("\t\"example.com/many/%s\"\n", name)
			someCalls += fmt.Sprintf("\tprintln(%s.Text())\n", name)
		}
	}
	files["user/user.go"] = "package user\n\nimport \"example.com/many/p150\"\n\nfunc Text() string { return p150.Text() }\n"
	files["main.go"] = "package main\n\nimport (\n\t\"example.com/many/user\"\n" + imports + ")\n\nfunc main() {\n\tprintln(user.Text())\n" + calls + "}\n"
	files["cmd/some/main.go"] = "package main\n\nimport (\n" + some + ")\n\nfunc main() {\n" + someCalls + "}\n"
	src := project(t, files)
	const both = ` subPackages = [ "." "cmd/some" ];`
	shared := func(names []string) (groups []string) {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(name, "+") })
	}

	first := build(t, "buildWithDynDrv", src, layersEnv+both)
	if groups := shared(first.compiled()); len(groups) < 10 || len(first.compiled()) > 100 {
		t.Errorf("%d derivations, %d of them of several packages", len(first.compiled()), len(groups))
	}
	for name, dir := range map[string]string{"many": ".", "some": "./cmd/some"} {
		if fileText(t, goProgram(t, src, dir, "-buildid=", "CGO_ENABLED=0", "GOFLAGS=")) != fileText(t, onDisk(filepath.Join(first.path, "bin", name))) {
			t.Errorf("%s has other bytes than go build's", name)
		}
	}
	if c := build(t, "buildWithIFD", src, layersEnv+both).compiled(); len(c) > 0 {
		t.Errorf("the other mode built %q", c)
	}
	build(t, "buildWithIFD", src, planArgs+both)
	writePlan(t, dgdCommand(t), src, "--builder", "buildWithIFD", "--cgo=false", "--package", ".", "--package", "cmd/some")
	byPlan := expression(t, "buildWithIFD", src, planArgs+both+" plan = "+src+"/dgd.plan;")
	r := nixBuild(t, append([]string{"-E", byPlan}, pureFlags...)...)
	if c := r.compiled(); r.err != nil || !slices.Equal(c, []string{"go-program"}) {
		t.Errorf("%v: a plan in a file builds %q\n%s", r.err, c, r.log)
	}
	inputs := related(t, instantiate(t, "("+byPlan+").program", pureFlags...), "--requisites")
	if n := strings.Count(inputs, "-spec\n"); n < 10 {
		t.Errorf("%d derivations have their spec in a file:\n%s", n, inputs)
	}

	for _, step := range []struct {
		name, old, new string
		groups         int      // derivations with several packages
		want           []string // other than these
	}{
		{"a body", "return \"p150", "return \"P150", 1, []string{"go-program", "many", "program"}},
		{"an exported name", "//go:noinline", "type New struct{}\n\n//go:noinline", 2, []string{"example.com-many", "go-program", "many", "program"}},
	} {
		edit(t, filepath.Join(src, "p150/p150.go"), step.old, step.new)
		built := build(t, "buildWithIFD", src, layersEnv+both).compiled()
		others := slices.DeleteFunc(slices.Clone(built), func(name string) bool { return name == "archives" || strings.Contains(name, "+") })
		if len(shared(built)) != step.groups || !slices.Equal(others, step.want) {
			t.Errorf("%s: built %q, want %d of several packages, and %q", step.name, built, step.groups, step.want)
		}
	}
}
