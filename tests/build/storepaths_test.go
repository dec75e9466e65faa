package build

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unstripped is an argument that leaves programs as they are linked.
const unstripped = "dontStrip = true;"

var toldFiles = map[string]string{
	"go.mod":  "module example.com/told\n\ngo 1.24\n",
	"main.go": "package main\n\nvar prefix = \"nothing\"\n\nvar other = \"told SALT\"\n\nfunc main() { print(prefix) }\n",
}

// Programs contain the right paths of their package's outputs, although they are linked
// before these paths are known.
func TestOwnOutputs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args string
		output     string // the output whose path the program contains
		want       string // the output of the program, after the path
	}{
		{"a flag", `ldflags = [ "-X main.prefix=${placeholder "out"}/share" ];`, "out", "/share"},
		{"a flag beside a hook", `ldflags = [ "-X main.prefix=${placeholder "out"}/share" ]; preBuild = ":";`, "out", "/share"},
		{"a hook's flag", `preBuild = "ldflags+=\" -X main.prefix=$out/lib\"";`, "out", "/lib"},
		{"a hook's sources", `postPatch = "substituteInPlace main.go --replace-fail nothing $out/bin";`, "out", "/bin"},
		{"sources by a placeholder", `postPatch = "substituteInPlace main.go --replace-fail nothing ${placeholder "out"}";`, "out", ""},
		{"a phase of the user's own", `prePhases = [ "tell" ]; tell = "told=$out/x"; postPatch = "substituteInPlace main.go --replace-fail nothing $told";`, "out", "/x"},
		{"all that a hook is told", `preBuild = "ldflags+=\" -X main.prefix=$out:$pname:$version:$name\"";`, "out", ":tool:1.2:tool-1.2"},
		{"another output", `outputs = [ "out" "data" ]; postInstall = "mkdir $data"; preBuild = "ldflags+=\" -X main.prefix=$data/x\"";`, "data", "/x"},
		{"a flag of another output", `outputs = [ "out" "data" ]; postInstall = "mkdir $data"; ldflags = [ "-X=main.prefix=${placeholder "data"}" ];`, "data", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := project(t, toldFiles)
			paths := map[string]string{}
			for mode := range modes {
				expression := goModule(t, mode, src, named+unstripped+test.args, "")
				path := here(t, expression)
				program := filepath.Join(onDisk(path), "bin/told")
				told := here(t, "("+expression+")."+test.output)
				paths[mode] = told
				out, err := exec.Command(program).CombinedOutput()
				if err != nil || string(out) != told+test.want {
					t.Errorf("%s: prints %q, %v, want %s", mode, out, err, told+test.want)
				}
				if refs := nixStore(t, "--query", "--references", path); !slices.Equal(refs, []string{told}) {
					t.Errorf("%s: refers to %q, want %s", mode, refs, told)
				}
				if strings.HasPrefix(test.name, "a flag") {
					equalsGo(t, program, src, "-X=main.prefix="+told+test.want)
				}
			}
			if paths["ifd"] != paths["dyn"] {
				t.Errorf("the modes give different paths: %q", paths)
			}
		})
	}
}

// equalsGo checks that a program has the bytes of `go build`.
func equalsGo(t *testing.T, program, src, ldflags string) {
	t.Helper()
	if fileText(t, program) != fileText(t, goProgram(t, src, ".", "-buildid= "+ldflags, "CGO_ENABLED=0")) {
		t.Errorf("%s is not what go build makes", program)
	}
}

// The package refers to store paths that flags and sources bring into the program.
func TestNamedPaths(t *testing.T) {
	t.Parallel()
	const wrapped = `(import <nixpkgs> { }).stdenv.mkDerivation { name = "told-source"; src = ${SRC};
		installPhase = "cp -r . $out; substituteInPlace $out/main.go --replace-fail nothing ${(import <nixpkgs> { }).zlib}"; }`
	zlib := here(t, "(import <nixpkgs> { }).zlib")
	const flag = `ldflags = [ "-X main.prefix=${(import <nixpkgs> { }).zlib}" ];`
	for _, test := range []struct{ name, args, src string }{
		{"a flag", flag, ""},
		{"built sources", "", wrapped},
		{"built sources of a large package", "", wrapped},
		{"a hook's sources", `postPatch = "substituteInPlace main.go --replace-fail nothing ${pkgs.zlib}";`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := project(t, toldFiles)
			if strings.HasSuffix(test.name, "large package") {
				write(t, filepath.Join(src, "large.go"), "package main\n\n// "+strings.Repeat(t.Name(), 10000)+"\n")
			}
			plain := src
			if test.src != "" {
				src = "(" + strings.ReplaceAll(test.src, "${SRC}", src) + ")"
			}
			paths := map[string][]string{}
			for mode, function := range modes {
				expressions := map[string]string{"buildGoModule": goModule(t, mode, src, named+unstripped+test.args, "")}
				if !strings.Contains(test.args, "postPatch") {
					expressions["buildWith…"] = expression(t, function, src, layersEnv+test.args)
				}
				for builder, expression := range expressions {
					out := here(t, expression)
					paths[builder] = append(paths[builder], out)
					said, err := exec.Command(filepath.Join(onDisk(out), "bin/told")).CombinedOutput()
					if err != nil || string(said) != zlib {
						t.Errorf("%s, %s: prints %q, %v", mode, builder, said, err)
					}
					if refs := nixStore(t, "--query", "--references", out); !slices.Equal(refs, []string{zlib}) {
						t.Errorf("%s, %s: refers to %q, want %s", mode, builder, refs, zlib)
					}
					if test.name == "a flag" {
						equalsGo(t, filepath.Join(onDisk(out), "bin/told"), plain, "-X=main.prefix="+zlib)
					}
				}
			}
			for builder, list := range paths {
				// builtins.path gives a tree of built sources all references of these.
				if list[0] != list[1] && !strings.HasSuffix(test.name, "large package") {
					t.Errorf("%s: the modes give different paths: %q", builder, list)
				}
			}
		})
	}
}

// In built sources, Go and C can use symlinks into the store as in nixpkgs, and package
// patterns do not match their targets.
func TestLinksOfSources(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":  "module example.com/told\n\ngo 1.24\n",
		"main.go": "package main\n\nimport (\n\t\"embed\"\n\n\t\"example.com/told/linked\"\n\t\"example.com/told/lib\"\n)\n\n//go:embed d*\nvar all embed.FS\n\nfunc main() {\n\tlist, _ := all.ReadDir(\".\")\n\tprint(linked.Text, lib.Number(), len(list), \"SALT\"[:0])\n}\n",
		"d/x":     "",
	})
	expression := `(let pkgs = import <nixpkgs> { };
		lib = pkgs.stdenv.mkDerivation { name = "lib"; buildCommand = ''
			mkdir $out
			printf 'package lib\n\n// #include "number.h"\nimport "C"\n\nfunc Number() int { return C.NUMBER }\n' > $out/c.go
			printf '//go:build !cgo\n\npackage lib\n\nfunc Number() int { return 7 }\n' > $out/go.go
			echo '#define NUMBER 7' > $out/number.h
			printf 'package lib\n\nimport "testing"\n\nfunc TestLib(t *testing.T) { t.Error("a test behind a link") }\n' > $out/lib_test.go
		''; };
		in pkgs.stdenv.mkDerivation { name = "source"; buildCommand = ''
			cp -r --no-preserve=mode ${` + src + `} $out
			ln -s ${lib} $out/lib
			mkdir $out/linked
			ln -s ${builtins.toFile "g.go" "package linked\n\nconst Text = \"linked\"\n"} $out/linked/g.go
		''; })`
	for mode, function := range modes {
		for builder, expr := range map[string]string{
			"buildGoModule": goModule(t, mode, expression, named+unstripped, ""),
			"buildWith…":    "(import " + repo(t) + " { })." + function + " { doCheck = true; src = " + expression + "; }",
		} {
			r := nixBuild(t, "-E", expr)
			if r.err != nil {
				t.Errorf("%s, %s: %v\n%s", mode, builder, r.err, tail(r.log))
				continue
			}
			if out, err := exec.Command(r.root + filepath.Join(r.path, "bin", "told")).CombinedOutput(); err != nil || string(out) != "linked71" {
				t.Errorf("%s, %s: the program says %q (%v)", mode, builder, out, err)
			}
		}
	}
}
