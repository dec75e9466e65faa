package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// told is a program that prints macros and flags of the C compiler.
var told = map[string]string{
	"go.mod":  "module example.com/told\n\ngo 1.24\n",
	"told.go": "package main\n\n// #include \"told.h\"\nimport \"C\"\n\nfunc main() { print(C.GoString(C.told())) }\n",
	"told.h":  "char *told(void);\n",
	"told.c": `#include <stdlib.h>
#include "told.h"
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#ifndef WORD
#define WORD none
#endif
#if _FORTIFY_SOURCE
#define FORTIFIED "fortified"
#else
#define FORTIFIED "plain"
#endif
char *told(void) { return FORTIFIED " " TEXT(WORD); }
`,
}

// The C compiler gets the settings of a package, as in nixpkgs: hardening flags,
// variables of the compiler's wrapper, another stdenv.
func TestCompilerOfPackage(t *testing.T) {
	t.Parallel()
	const cgo = `pname = "told"; version = "1"; vendorHash = null; doCheck = false;`
	const other = `.buildGoModule.override (old: { stdenv = old.stdenv // { mkDerivation = f: old.stdenv.mkDerivation
		(final: let given = if builtins.isFunction f then f final else f; in given // { env = given.env or { } // { NIX_CFLAGS_COMPILE = "-DWORD=other"; }; }); }; })`
	for _, test := range []struct{ builder, args, want string }{
		{"", "", "fortified none"},
		{"", `hardeningDisable = [ "all" ];`, "plain none"},
		{"", `NIX_CFLAGS_COMPILE = "-DWORD=top";`, "fortified top"},
		{"", `env.NIX_CFLAGS_COMPILE = "-DWORD=env"; __structuredAttrs = true;`, "fortified env"},
		{other, "", "fortified other"},
	} {
		src := project(t, told)
		builder := test.builder
		if builder == "" {
			builder = ".buildGoModule"
		}
		r := nixBuild(t, "-E", fmt.Sprintf("((import %s { })%s) { src = %s; useDynDrv = true; %s %s }", repo(t), builder, src, cgo, test.args))
		if r.err != nil {
			t.Errorf("%s%s: %s", test.builder, test.args, tail(r.log))
			continue
		}
		if out := r.run(t, "told"); out != test.want {
			t.Errorf("%s%s: prints %q, want %q", test.builder, test.args, out, test.want)
		}
	}
}

// A program that is linked with a C library refers only to that. With buildGoModule it
// has the bytes of a program that the go command links in the package's own build, where
// stdenv adds the package's own libraries to the run path, which fixupPhase removes.
func TestSelfRpath(t *testing.T) {
	t.Parallel()
	const inputs = `buildInputs = [ pkgs.zlib ]; nativeBuildInputs = [ pkgs.pkg-config ];`
	src := filepath.Join(repo(t), "examples/cgo-pkg-config")
	reference := func(args string) string {
		return here(t, fmt.Sprintf(`let pkgs = import <nixpkgs> { }; in pkgs.stdenv.mkDerivation {
			name = "zlib-user-1"; src = %s; strictDeps = true; buildInputs = [ pkgs.zlib ]; nativeBuildInputs = [ pkgs.go pkgs.pkg-config ];
			buildPhase = ''
				export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/go GOPROXY=off GOTOOLCHAIN=local
				go build -trimpath -buildvcs=false -ldflags=-buildid= -o $out/bin/ .
			'';
			installPhase = ":"; %s }`, src, args))
	}
	references := func(path string) []string { return nixStore(t, "--query", "--references", path) }
	fixed, linked := reference(""), reference("dontFixup = true;")
	want := references(fixed)
	for mode, function := range modes {
		path := here(t, goModule(t, mode, src, `pname = "zlib-user"; version = "1"; vendorHash = null;`+inputs, ""))
		if got := references(path); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: refers to %q, want %q", mode, got, want)
		}
		if fileText(t, onDisk(filepath.Join(path, "bin/cgo-pkg-config"))) != fileText(t, onDisk(filepath.Join(fixed, "bin/cgo-pkg-config"))) {
			t.Errorf("%s: %s is not what go build makes in %s", mode, path, fixed)
		}
		// Without fixupPhase, the run path has the compiler's library directories as well.
		path = here(t, expression(t, function, src, `vendorHash = null; buildInputs = [ (import <nixpkgs> { }).zlib ]; nativeBuildInputs = [ (import <nixpkgs> { }).pkg-config ];`))
		for _, ref := range references(path) {
			if ref == linked || !slices.Contains(references(linked), ref) {
				t.Errorf("%s: refers to %s, want only %q", function, ref, references(linked))
			}
		}
	}
}

// Programs for another platform are in the directory in which `go install` puts them,
// whether env or the toolchain sets the platform.
func TestOtherPlatform(t *testing.T) {
	t.Parallel()
	src := filepath.Join(repo(t), "examples/cross")
	want := fileText(t, onDisk(filepath.Join(here(t, expression(t, "buildWithDynDrv", src, `env = { GOOS = "js"; GOARCH = "wasm"; };`)), "bin/cross")))
	const args = `pname = "cross"; version = "1"; vendorHash = null; doCheck = false;`
	for name, builder := range map[string]string{
		"env":  fmt.Sprintf(`(import %s { }).buildGoModule { src = %s; %s env = { GOOS = "js"; GOARCH = "wasm"; }; useDynDrv = true; }`, repo(t), src, args),
		"hook": fmt.Sprintf(`(import %s { }).buildGoModule { src = %s; %s env.CGO_ENABLED = 0; preBuild = "export GOOS=js GOARCH=wasm"; useDynDrv = true; }`, repo(t), src, args),
		"go": fmt.Sprintf(`((import %s { }).buildGoModule.override (old: { go = old.go // { GOOS = "js"; GOARCH = "wasm"; }; })) { src = %s; %s useDynDrv = true; }`,
			repo(t), src, args),
	} {
		path := here(t, builder)
		if fileText(t, onDisk(filepath.Join(path, "bin/js_wasm/cross"))) != want {
			t.Errorf("%s: %s has another program than buildWithDynDrv makes", name, path)
		}
	}
}

// With structured attributes lists are arrays, and only the attributes in `env` are
// environment variables, for the phases of the user and those of buildGoModule.
func TestStructuredAttrs(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"go.mod":          "module example.com/tool\n\ngo 1.24\n",
		"cmd/a/a.go":      "package main\n\nvar x, y string\n\nfunc main() { print(x, y) }\n",
		"cmd/b/b.go":      "package main\n\nfunc main() {}\n",
		"cmd/c/c.go":      "package main\n\nfunc main() { broken }\n",
		"cmd/b/b_test.go": "//go:build one && two\n\npackage main\n\nimport \"testing\"\n\nfunc Test(t *testing.T) { t.Log(\"tagged\") }\n\nfunc TestOther(t *testing.T) { t.Fatal(\"not skipped\") }\n",
	}
	const common = `pname = "tool"; version = "1"; vendorHash = null; env.CGO_ENABLED = 0; __structuredAttrs = true;
		subPackages = [ "cmd/a" "cmd/b" ]; ldflags = [ "-X main.x=1" "-X main.y=2" ]; tags = [ "one" "two" ];`
	for _, test := range []struct{ name, args, fails string }{
		{"a phase of the user's own", `buildPhase = "for dir in $(getGoDirs ''''); do buildGoDir install $dir; done"; doCheck = false;`, ""},
		{"tests together", `preCheck = ":"; checkFlags = [ "-skip=Other" "-v" ];`, ""},
		{"a test that fails", `preCheck = ":"; checkFlags = [ "-v" "-count=1" ];`, "not skipped"},
	} {
		src := project(t, files)
		r := nixBuild(t, "-E", goModule(t, "dyn", src, common+test.args, ""))
		if test.fails != "" {
			if r.err == nil || !strings.Contains(r.log, test.fails) {
				t.Errorf("%s: %v\n%s", test.name, r.err, tail(r.log))
			}
			continue
		}
		if r.err != nil {
			t.Errorf("%s: %s", test.name, tail(r.log))
			continue
		}
		if out := r.run(t, "a"); out != "12" {
			t.Errorf("%s: prints %q", test.name, out)
		}
		entries, err := os.ReadDir(onDisk(filepath.Join(r.path, "bin")))
		if err != nil || len(entries) != 2 {
			t.Errorf("%s: bin has %v, %v", test.name, entries, err)
		}
		if refs := nixStore(t, "--query", "--references", r.path); len(refs) > 0 {
			t.Errorf("%s: refers to %q", test.name, refs)
		}
	}
}

// Packages have the attributes that packages of nixpkgs have, which hooks and other
// expressions may read.
func TestGoModuleAttributes(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	src := project(t, moduleFiles)
	const attrs = `pname = "tool"; version = "1"; vendorHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";`
	for _, test := range []struct{ args, attribute, want string }{
		{"", `goModules.name`, `"tool-1-go-modules"`},
		{`goSum = ./go.mod;`, `goModules.name != "tool-1-go-modules"`, "true"},
		{"", `env.GOFLAGS or p.GOFLAGS`, `"-mod=vendor -trimpath"`},
		{`GOFLAGS = [ "-a" ]; proxyVendor = true;`, `GOFLAGS`, `"-a -trimpath"`},
		{"", `enableParallelBuilding && p.enableParallelChecking`, "true"},
		{`enableParallelBuilding = false;`, `enableParallelBuilding`, "false"},
		{`goSum = ./go.mod;`, `allowGoReference || p.proxyVendor || p.deleteVendor`, "false"},
		{`overrideModAttrs = old: { name = old.name + "-x"; };`, `goModules.name`, `"tool-1-go-modules-x"`},
		{`overrideModAttrs = final: old: { name = old.name + "-x"; };`, `goModules.name`, `"tool-1-go-modules-x"`},
		{`overrideModAttrs = { name = "x"; };`, `goModules.name`, `"x"`},
		{`passthru.overrideModAttrs = final: old: { name = "y"; };`, `goModules.name`, `"y"`},
		{``, `overrideAttrs (old: { passthru = old.passthru // { overrideModAttrs = _: _: { name = "z"; }; }; })).goModules.name`, `"z"`},
		{`ldflags = [ "-s" "-buildid=abc" ];`, `ldflags`, `[ "-s" "-buildid=abc" ]`},
		{`ldflags = [ "-s" ];`, `ldflags`, `[ "-s" "-buildid=" ]`},
		{``, `overrideAttrs { name = "other"; }).goModules.name`, `"other-go-modules"`},
		{``, `overrideAttrs { pname = "other"; }).goModules.name`, `"other-1-go-modules"`},
		{`strictDeps = false;`, `strictDeps`, "true"},
		// The final attribute ldflags has all flags of the linker.
		{`ldflags = [ "-s" ];`, `overrideAttrs { ldflags = [ "-w" ]; vendorHash = null; }).dgd.plan.flags`, `[ "-trimpath" "-buildvcs=false" "-ldflags=-w" ]`},
	} {
		expression := fmt.Sprintf("let p = %s; in (p.%s", goModule(t, "dyn", src, strings.ReplaceAll(attrs+test.args, "./", src+"/"), ""), test.attribute)
		if !strings.Contains(test.attribute, "overrideAttrs") {
			expression += ")"
		}
		if at, is := strings.CutSuffix(expression, ".plan.flags"); is {
			expression = "(builtins.fromJSON (builtins.unsafeDiscardStringContext (" + at + ".plan.config))).flags"
		}
		out, err := exec.Command("nix-instantiate", "--eval", "--strict", "--read-write-mode", "-E", expression).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != test.want {
			t.Errorf("%s %s: %s, want %s (%v)", test.args, test.attribute, out, test.want, err)
		}
	}
	// As in nixpkgs, a definition may refer to its final attributes.
	const own = `finalAttrs: { pname = "tool"; version = "1"; src = ./.; vendorHash = null; passthru.own = finalAttrs.goModules; }`
	out, err := exec.Command("nix-instantiate", "--eval", "--read-write-mode", "-E", fmt.Sprintf("((import %s { }).buildGoModule (%s)).own", repo(t), own)).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != `""` {
		t.Errorf("finalAttrs.goModules is %s, %v", out, err)
	}
}

// Arguments of nixpkgs are accepted, or the error says what to do.
func TestGoModuleTakes(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	src := project(t, moduleFiles)
	for _, test := range []struct{ args, says string }{
		{`tags = "a b";`, ""},
		{`patches = null;`, ""},
		{`subPackages = null; excludedPackages = null; tags = null; checkFlags = null; sourceRoot = null; doCheck = true;`, ""},
		{`excludedPackages = "cmd/other";`, ""},
		{`goPackagePath = "x";`, "warning: dgd.buildGoModule: the argument `goPackagePath` has no effect"},
		{`buildFlags = [ "-v" ];`, "warning: dgd.buildGoModule: the argument `buildFlags` has no effect: use `ldflags`"},
		{`hardeningEnable = [ "pie" ];`, ""},
		{`src = null; unpackPhase = "mkdir source; cd source; touch go.mod";`, ""},
	} {
		out, err := exec.Command("nix-instantiate", "-E", goModule(t, "dyn", src, named+"} // {"+test.args, "")).CombinedOutput()
		if err != nil || !strings.Contains(string(out), test.says) {
			t.Errorf("%s: %v\n%s", test.args, err, out)
		}
	}
}

// Programs are position-independent if nixpkgs' own builder makes them so.
func TestPie(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	for phase, want := range map[string]bool{"": false, "export GOFLAGS=\\\"-buildmode=pie $GOFLAGS\\\"": true} {
		expression := fmt.Sprintf(`let pkgs = import <nixpkgs> { } // { buildGoModule = _: { configurePhase = "%s"; }; }; in
			builtins.match ".*-buildmode=pie.*" ((import %s { inherit pkgs; }).buildGoModule { %s hardeningEnable = [ "pie" ]; src = %s; }).configurePhase != null`,
			strings.ReplaceAll(phase, "$", "\\$"), repo(t), named, project(t, moduleFiles))
		out, err := exec.Command("nix-instantiate", "--eval", "--read-write-mode", "-E", expression).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(want) {
			t.Errorf("%q: %s, want %v (%v)", phase, out, want, err)
		}
	}
}

// dgd's own programs are built with a Go version that is new enough, even if the package
// set's default is older. Attributes that throw are skipped.
func TestToolsGo(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	const throws = `go_1_24 = throw "end-of-life"; go_1_25 = throw "end-of-life"; git = throw "not wanted"; go_latest = throw "not wanted";`
	const old = `go = pkgs.go // { version = "1.25.1"; }; go_1_25 = throw "end-of-life"; `
	for _, test := range []struct{ changes, want string }{
		{throws, "go-1.26"},
		{old, "go-1.27"},
		{old + `go_1_27 = throw "not yet";`, "go-1.26"},
		{old + `go_1_26 = throw "not yet"; go_1_27 = pkgs.go // { version = "1.24.1"; };`, "dgd's own programs need Go 1.26.0 or newer, and this package set has 1.25"},
	} {
		expression := fmt.Sprintf(`let pkgs = import <nixpkgs> { }; in
			((import %s/lib { pkgs = pkgs // { %s }; }).internal.tools.dgd-plan).nativeBuildInputs`, repo(t), test.changes)
		out, err := exec.Command("nix-instantiate", "--eval", "--read-write-mode", "--strict", "-E", "map (p: p.name) ("+expression+")").CombinedOutput()
		if !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %s, want %s (%v)", test.changes, out, test.want, err)
		}
	}
}

// A module without programs is built with an empty output, and its tests run.
// buildTestBinaries builds test programs in place of programs.
func TestNoPrograms(t *testing.T) {
	t.Parallel()
	const lib = "package lib\n\nfunc F() int { return 1 }\n"
	const passes = "package lib\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) {}\n"
	const fails = "package lib\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { t.Fatal(\"it ran\") }\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		args  string
		bin   []string
		fails bool
	}{
		{"a library", map[string]string{"lib.go": lib, "lib_test.go": passes}, "", nil, false},
		{"a library with a test that fails", map[string]string{"lib.go": lib, "lib_test.go": fails}, "", nil, true},
		{"tests alone", map[string]string{"lib_test.go": passes}, "", nil, false},
		{"tests alone that fail", map[string]string{"a/lib_test.go": fails}, "", nil, true},
		{"test programs of tests alone", map[string]string{"lib_test.go": fails}, "buildTestBinaries = true;", []string{"tool.test"}, false},
		{"test programs in place of programs", map[string]string{"main.go": "package main\n\nfunc main() {}\n", "a/a.go": lib, "a/lib_test.go": passes}, "buildTestBinaries = true;", []string{"a.test"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.files["go.mod"] = "module example.com/tool\n\ngo 1.24\n"
			src := project(t, test.files)
			for mode := range modes {
				r := nixBuild(t, "-E", goModule(t, mode, src, `pname = "tool"; version = "1"; vendorHash = null; env.CGO_ENABLED = 0;`+test.args, ""))
				if test.fails {
					if r.err == nil || !strings.Contains(r.log, "it ran") {
						t.Errorf("%s: the failing test gives %v\n%s", mode, r.err, tail(r.log))
					}
					continue
				}
				if r.err != nil {
					t.Errorf("%s: %s", mode, tail(r.log))
					continue
				}
				var got []string
				for _, dir := range []string{".", "bin"} {
					entries, err := os.ReadDir(onDisk(filepath.Join(r.path, dir)))
					if err != nil && dir == "." {
						t.Fatal(err)
					}
					for _, e := range entries {
						if e.Name() != "bin" {
							got = append(got, e.Name())
						}
					}
				}
				if !slices.Equal(got, test.bin) {
					t.Errorf("%s: the output has %q, want %q", mode, got, test.bin)
				}
			}
		})
	}
}

// Files above and beside sourceRoot are part of the sources, and paths in the build
// directory that hooks use are valid when the programs are compiled.
func TestPlacesOfHooks(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"server/go.mod":  "module example.com/server\n\ngo 1.24\n\nrequire example.com/text v0.0.0\n\nreplace example.com/text => ../text\n",
		"server/main.go": "package main\n\n/*\n#cgo CFLAGS: -I${SRCDIR}/../inc\n#include \"f.h\"\n*/\nimport \"C\"\nimport \"example.com/text\"\n\nfunc main() { print(text.Text, C.F) }\n",
		"text/go.mod":    "module example.com/text\n\ngo 1.24\n",
		"text/text.go":   "package text\n\nconst Text = \"text\"\n",
		"inc/f.h":        "#define F 7\n",
	}
	linked := map[string]string{
		"go.mod":     "module example.com/server\n\ngo 1.24\n",
		"main.go":    "package main\n\n// #cgo LDFLAGS: -lfoo\n// int foo(void);\nimport \"C\"\n\nfunc main() { print(C.foo()) }\n",
		"cfoo/foo.c": "int foo(void) { return 42; }\n",
	}
	const common = `pname = "server"; version = "1"; vendorHash = null; doCheck = false;`
	for _, test := range []struct {
		name  string
		files map[string]string
		args  string
		want  string
	}{
		{"sourceRoot", files, `sourceRoot = "project/server";`, "text7"},
		{"setSourceRoot", files, `setSourceRoot = "sourceRoot=$(echo */server)";`, "text7"},
		{"a hook changes directory", files, `preBuild = "cd server"; postPatch = ":";`, "text7"},
		{"a library that a hook has made", linked, `preBuild = "gcc -c cfoo/foo.c -o cfoo/foo.o; ar rcs cfoo/libfoo.a cfoo/foo.o; export CGO_LDFLAGS=-L$PWD/cfoo";`, "42"},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := project(t, test.files)
			for mode := range modes {
				r := nixBuild(t, "-E", goModule(t, mode, src, common+test.args, ""))
				if r.err != nil {
					t.Errorf("%s: %s", mode, tail(r.log))
					continue
				}
				if out := r.run(t, "server"); out != test.want {
					t.Errorf("%s: prints %q, want %q", mode, out, test.want)
				}
			}
		})
	}
}

// Symlinks that a hook makes have the same targets as in nixpkgs, in the store or in the
// sources, and package patterns do not match their targets.
func TestLinksOfHooks(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":  "module example.com/tool\n\ngo 1.24\n",
		"main.go": "package main\n\nimport (\n\t\"embed\"\n\n\t\"example.com/tool/gen\"\n)\n\n//go:embed *\nvar all embed.FS\n\nfunc main() {\n\tlist, _ := all.ReadDir(\".\")\n\tprintln(gen.Text, \"SALT\"[:0], len(list))\n}\n",
		"d/x":     "",
	})
	hook := `postPatch = "mkdir gen; echo package gen > gen/doc.go; ln -s ${builtins.toFile "g.go" "package gen\n\nconst Text = \"linked\"\n"} d/.g; ln -s $PWD/d/.g gen/g.go";`
	for _, mode := range []string{"ifd", "dyn"} {
		r := nixBuild(t, "-E", goModule(t, mode, src, named+hook, ""))
		if r.err != nil {
			t.Errorf("%s: %v\n%s", mode, r.err, tail(r.log))
			continue
		}
		if out, err := exec.Command(r.root + filepath.Join(r.path, "bin", "tool")).CombinedOutput(); err != nil || string(out) != "linked  4\n" {
			t.Errorf("%s: the program says %q (%v)", mode, out, err)
		}
	}
}
