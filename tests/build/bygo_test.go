package build

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program that cannot be planned is built by the go command, in each mode and by each
// builder, with a message that says why. With fallback = false it is an error that shows
// the line.
func TestByGo(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.24\n",
		"main.go":     "package main\n\nimport \"example.com/m/lib\"\n\nfunc main() { println(lib.Text()) }\n",
		"lib/lib.go":  "package lib\n\nfunc Text() string { return \"SALT\" }\n",
		"lib/none.go": "//go:build none\n\npackage lib\n",
	})
	newerGo := "(import " + repo(t) + "/tests/newer-go.nix { pkgs = import <nixpkgs> { }; })"
	const line = `unknown command "optimize"`
	const said = "dgd: the programs are built in one derivation, by `go build` itself, because dgd cannot plan that (fallback = false makes it an error): go build -n, line "
	paths := map[string]string{}
	for name, call := range map[string]struct{ function, args string }{
		"ifd":    {"buildWithIFD", `go = ` + newerGo + `; env.CGO_ENABLED = "0";`},
		"dyn":    {"buildWithDynDrv", `go = ` + newerGo + `; env.CGO_ENABLED = "0";`},
		"bgm":    {"buildGoModule.override { go = " + newerGo + "; }", `pname = "m"; version = "1"; vendorHash = null; env.CGO_ENABLED = "0"; doCheck = false; dontStrip = true;`},
		"bgmdyn": {"buildGoModule.override { go = " + newerGo + "; }", `pname = "m"; version = "1"; vendorHash = null; env.CGO_ENABLED = "0"; doCheck = false; dontStrip = true; useDynDrv = true;`},
	} {
		expr := func(args string) string {
			return "((import " + repo(t) + " { })." + call.function + ") { src = " + src + "; " + call.args + args + " }"
		}
		r := nixBuild(t, "-E", expr(""))
		if r.err != nil {
			t.Errorf("%s: %v\n%s", name, r.err, tail(r.log))
			continue
		}
		if !strings.Contains(r.log, said) || !strings.Contains(r.log, line) {
			t.Errorf("%s does not say why: %s", name, r.log)
		}
		paths[name] = r.root + filepath.Join(r.path, "bin", "m")
		if r = nixBuild(t, "-E", expr("fallback = false;")); r.err == nil || !strings.Contains(r.log, "go build -n, line ") || !strings.Contains(r.log, line) {
			t.Errorf("%s without the fallback: %v\n%s", name, r.err, tail(r.log))
		}
	}
	// The program has the bytes of `go build`.
	want := fileText(t, goProgram(t, src, ".", "-buildid=", "GOENV=off", "GOFLAGS=", "CGO_ENABLED=0"))
	for name, path := range paths {
		if fileText(t, path) != want {
			t.Errorf("%s: the program is not what go build makes", name)
		}
	}
}

// Tests that cannot be planned are run by `go test`, and fail if it does.
func TestTestsByGo(t *testing.T) {
	t.Parallel()
	newerGo := "(import " + repo(t) + "/tests/newer-go.nix { pkgs = import <nixpkgs> { }; })"
	src := project(t, map[string]string{
		"go.mod":          "module example.com/m\n\ngo 1.24\n",
		"main.go":         "package main\n\nfunc main() {}\n",
		"lib/lib.go":      "package lib\n\nconst text = \"SALT\"\n\nfunc Text() string { return text }\n",
		"lib/lib_test.go": "package lib\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestText(t *testing.T) {\n\tif _, err := os.Stat(\"../go.mod\"); err != nil || Text() == \"\" {\n\t\tt.Error(\"no text\", err)\n\t}\n}\n",
	})
	for mode, function := range modes {
		expr := func() string {
			return "(" + expression(t, function, src, "go = "+newerGo+`; env.CGO_ENABLED = "0";`) + ").tests.all"
		}
		r := nixBuild(t, "-E", expr())
		if r.err != nil || !strings.Contains(r.log, "dgd: the tests are run in one derivation, by `go test` itself") {
			t.Errorf("%s: %v\n%s", mode, r.err, tail(r.log))
		}
		edit(t, filepath.Join(src, "lib", "lib.go"), `text = "`, `text, _ = "", "`)
		if r = nixBuild(t, "-E", expr()); r.err == nil || !strings.Contains(r.log, "--- FAIL: TestText") {
			t.Errorf("%s: tests that fail: %v\n%s", mode, r.err, tail(r.log))
		}
		edit(t, filepath.Join(src, "lib", "lib.go"), `text, _ = "", "`, `text = "`)
	}
}

// Tests with flags that concern all packages together are run by `go test`, and fail if
// it does.
func TestTestFlagsByGo(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":          "module example.com/m\n\ngo 1.24\n",
		"main.go":         "package main\n\nfunc main() {}\n",
		"lib/lib_test.go": "package lib\n\nimport \"testing\"\n\nfunc TestText(t *testing.T) {\n\tt.Run(\"SALT\", func(t *testing.T) { t.Error(\"it ran\") })\n\tt.Run(\"two words\", func(t *testing.T) { t.Error(\"mode \" + testing.CoverMode()) })\n}\n",
	})
	for mode, function := range modes {
		args := `env.CGO_ENABLED = "0"; checkFlags = [ "-covermode=count" "-run=TestText/two words" ];`
		r := nixBuild(t, "-E", "("+expression(t, function, src, args)+").tests.all")
		if r.err == nil || !strings.Contains(r.log, "mode count") || strings.Contains(r.log, "it ran") {
			t.Errorf("%s: %v\n%s", mode, r.err, tail(r.log))
		}
	}
}

// Of programs with the same name, buildGoModule keeps the last one, as `go install` does.
func TestNamesByGo(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.24\n",
		"a/tool/m.go": "package main\n\nfunc main() { println(\"a SALT\") }\n",
		"b/tool/m.go": "package main\n\nfunc main() { println(\"b SALT\") }\n",
	})
	for _, mode := range []string{"ifd", "dyn"} {
		r := nixBuild(t, "-E", goModule(t, mode, src, named+`subPackages = [ "b/tool" "a/tool" ];`, ""))
		if r.err != nil || !strings.Contains(r.log, "are both programs of the name tool") {
			t.Errorf("%s: %v\n%s", mode, r.err, tail(r.log))
			continue
		}
		if out, err := exec.Command(r.root + filepath.Join(r.path, "bin", "tool")).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "a ") {
			t.Errorf("%s: the program says %q (%v)", mode, out, err)
		}
	}
}

// SWIG and Fortran run with the user's inputs, and the programs have the bytes of
// `go build`.
func TestLanguagesByGo(t *testing.T) {
	t.Parallel()
	for _, dyn := range []string{"false", "true"} {
		r := nixBuild(t, "-A", "tests.byGo", "--arg", "useDynDrv", dyn)
		if r.err != nil {
			t.Errorf("useDynDrv %s: %v\n%s", dyn, r.err, tail(r.log))
		}
		// With import from derivation each evaluation prints the reason, in dynamic mode a
		// derivation does, once.
		if dyn == "false" && strings.Count(r.log, "because dgd cannot plan that") != 2 {
			t.Errorf("it is not said that go builds both:\n%s", tail(r.log))
		}
	}
}

// A program that is built package by package can open a plugin.
func TestPlugin(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := repo(t) + "/examples/plugin"
			plugin := build(t, function, src, `GOFLAGS = [ "-buildmode=plugin" ];`)
			host := build(t, function, src, `subPackage = "cmd/host";`)
			out, err := exec.Command(host.root+filepath.Join(host.path, "bin", "host"), plugin.root+filepath.Join(plugin.path, "bin", "plugin.so")).CombinedOutput()
			if err != nil || string(out) != "hello, gopher\n" {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
