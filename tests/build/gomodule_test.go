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

// goModule returns an expression that calls buildGoModule; more is appended to it.
func goModule(t testing.TB, mode, src, args, more string) string {
	return fmt.Sprintf("let pkgs = import <nixpkgs> { }; in ((import %s { }).buildGoModule ({ src = %s; useDynDrv = %t; } // { %s }))%s",
		repo(t), src, mode == "dyn", args, more)
}

const named = `pname = "tool"; version = "1.2"; vendorHash = null; env.CGO_ENABLED = 0; doCheck = false;`

// moduleFiles is a module with two programs, a package that both share, a
// library that neither needs, and a test.
var moduleFiles = map[string]string{
	"go.mod":             "module example.com/tool\n\ngo 1.24\n",
	"cmd/tool/main.go":   "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/tool/shared\"\n)\n\nvar version, commit, note, tag string\n\nfunc main() { fmt.Printf(\"tool %s|%s|%s|%s|%s\\n\", version, commit, note, tag, shared.Text()) }\n",
	"cmd/tool/tagged.go": "//go:build tagged\n\npackage main\n\nfunc init() { tag = \"tagged\" }\n",
	"cmd/other/main.go":  "package main\n\nimport \"example.com/tool/shared\"\n\nfunc main() { println(shared.Text()) }\n",
	"shared/shared.go":   "package shared\n\nconst salt = \"SALT\"\n\n//go:noinline\nfunc Text() string { return \"original\" + salt[:0] }\n",
	"shared/x_test.go":   "package shared\n\nimport \"testing\"\n\nfunc TestText(t *testing.T) {\n\tif Text() != \"original\" {\n\t\tt.Fatal(\"Text says \" + Text())\n\t}\n}\n",
	"examples/x/main.go": "package main\n\nfunc main() { broken }\n",
	"_old/main.go":       "package main\n\nfunc main() { broken }\n",
	"COMMIT":             "abc123\n",
}

// The arguments of nixpkgs' buildGoModule have the same effect here.
func TestGoModule(t *testing.T) {
	t.Parallel()
	const all = "tool 1.2||||original\n"
	for _, test := range []struct {
		name  string
		files map[string]string // changed files
		args  string
		more  string   // appended to the call
		want  string   // the output of bin/tool
		bin   []string // all programs; default: other and tool
	}{
		{name: "defaults", want: "tool ||||original\n"},
		{name: "ldflags", args: `ldflags = [ "-X main.version=1.2" "-X 'main.note=two \"words\"'" ];`, want: "tool 1.2||two \"words\"||original\n"},
		{name: "tags", args: `tags = [ "tagged" ]; ldflags = [ "-X=main.version=1.2" ];`, want: "tool 1.2|||tagged|original\n"},
		{name: "one program", args: `subPackages = [ "cmd/tool" ]; ldflags = [ "-X=main.version=1.2" ];`, want: all, bin: []string{"tool"}},
		{name: "excluded", args: `excludedPackages = [ "cmd/other" ]; ldflags = [ "-X=main.version=1.2" ];`, want: all, bin: []string{"tool"}},
		{
			name:  "a patch and a hook",
			files: map[string]string{"fix.patch": "--- a/shared/shared.go\n+++ b/shared/shared.go\n@@ -6 +6 @@\n-func Text() string { return \"original\" + salt[:0] }\n+func Text() string { return \"patched\" + salt[:0] }\n"},
			args:  `patches = [ "${SRC}/fix.patch" ]; postPatch = "substituteInPlace shared/x_test.go --replace-fail original patched";`,
			want:  "tool ||||patched\n",
		},
		{
			name: "preBuild generates code and adds to ldflags",
			args: `preBuild = ''
				ldflags+=" -X main.commit=$(cat COMMIT)"
				printf 'package main\n\nfunc init() { note = "generated" }\n' > cmd/tool/generated.go
			'';`,
			want: "tool |abc123|generated||original\n",
		},
		{
			name: "hooks of the installation",
			args: `outputs = [ "out" "doc" ];
				preInstall = "echo extra > extra";
				postInstall = "mkdir -p $doc/share; cp extra COMMIT $doc/share; mv $out/bin/other $out/bin/renamed";
				doInstallCheck = true; installCheckPhase = "test -x $out/bin/renamed";`,
			want: "tool ||||original\n", bin: []string{"renamed", "tool"},
		},
		{name: "an archive", args: `src = pkgs.stdenvNoCC.mkDerivation { name = "x.tar.gz"; buildCommand = "mkdir top; cp -r ${SRC} top/source; tar cfz $out top"; }; sourceRoot = "top/source";`, want: "tool ||||original\n"},
		{name: "a build phase", args: `buildPhase = "runHook preBuild; go build -o $GOPATH/bin/tool ./cmd/tool; runHook postBuild";`, want: "tool ||||original\n", bin: []string{"tool"}},
		{name: "test programs", args: `subPackages = [ "cmd/tool" "shared" ]; buildTestBinaries = true;`, bin: []string{"shared.test"}},
		{name: "a module below src", files: map[string]string{"below/go.mod": "module example.com/below\n\ngo 1.24\n", "below/main.go": "package main\n\nfunc main() { print(\"below\\n\") }\n"}, args: `modRoot = "below";`, bin: []string{"below"}},
		{name: "a function of the final attributes", more: `.overrideAttrs (old: { version = "1.3"; ldflags = old.ldflags ++ [ "-X main.version=1.3" ]; })`, want: "tool 1.3||||original\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := project(t, moduleFiles)
			for name, text := range test.files {
				write(t, filepath.Join(src, name), text)
			}
			args := named + strings.ReplaceAll(test.args, "SRC", src)
			paths := map[string]string{}
			for mode := range modes {
				r := nixBuild(t, "-E", "("+goModule(t, mode, src, args, test.more)+").out")
				if r.err != nil {
					t.Fatal(r.log)
				}
				paths[mode] = r.path
				var bin []string
				entries, err := os.ReadDir(onDisk(filepath.Join(r.path, "bin")))
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					bin = append(bin, e.Name())
				}
				want := test.bin
				if want == nil {
					want = []string{"other", "tool"}
				}
				if !slices.Equal(bin, want) {
					t.Errorf("%s: bin has %q, want %q", mode, bin, want)
				}
				if test.want != "" {
					out, err := exec.Command(onDisk(filepath.Join(r.path, "bin/tool"))).CombinedOutput()
					if err != nil || string(out) != test.want {
						t.Errorf("%s: prints %q, want %q (%v)", mode, out, test.want, err)
					}
				}
			}
			if paths["ifd"] != paths["dyn"] {
				t.Errorf("the modes give different paths: %v", paths)
			}
		})
	}
}

// Tests run before the installation, and if they fail the build fails with the messages
// of `go test`.
func TestGoModuleCheck(t *testing.T) {
	t.Parallel()
	args := strings.Replace(named, "doCheck = false;", "", 1)
	src := project(t, moduleFiles)
	r := nixBuild(t, "-E", goModule(t, "ifd", src, args, ""))
	if r.err != nil {
		t.Fatal(r.log)
	}
	edit(t, filepath.Join(src, "shared/shared.go"), "original", "edited")
	r = nixBuild(t, "-E", goModule(t, "ifd", src, args, ""))
	// Nix shows tabs as spaces.
	said := strings.Join(strings.Fields(r.log), " ")
	if r.err == nil || !strings.Contains(said, "Text says edited") || !strings.Contains(said, "FAIL example.com/tool/shared") {
		t.Errorf("a failing test: %v\n%s", r.err, r.log)
	}
	if r = nixBuild(t, "-E", goModule(t, "ifd", src, args+"checkFlags = [ \"-skip=^TestText$\" ];", "")); r.err != nil {
		t.Errorf("the test is not skipped:\n%s", r.log)
	}
}

// Wrong arguments are errors of evaluation.
func TestGoModuleBadInput(t *testing.T) {
	t.Parallel()
	src := project(t, moduleFiles)
	for _, test := range []struct{ args, want string }{
		{`name = null;`, "the argument `name` must be a string"},
		{`vendorHash = 1;`, "the argument `vendorHash` must be a string or null"},
		{`subPackages = [ 1 ];`, "the argument `subPackages` must be a list of strings"},
		{`ldflags = "-s";`, "the argument `ldflags` must be a list of strings"},
		{`tags = 1;`, "the argument `tags` must be a list of strings, or a string of words"},
		{`env.GOFLAGS = "-race";`, "use the argument `GOFLAGS`"},
		{`CGO_ENABLED = 0;`, "the argument `CGO_ENABLED` is a variable of the go command: set env.CGO_ENABLED"},
		{`goSum = 1;`, "the argument `goSum` must be a path"},
		{`enableParallelBuilding = "no";`, "the argument `enableParallelBuilding` must be true or false"},
		{`preBuild = 1;`, "the argument `preBuild` must be"},
		{`granularity = "file";`, "the argument `granularity` must be"},
		{`useDynDrv = "yes";`, "the argument `useDynDrv` must be true or false"},
		{`proxyVendor = 1;`, "the argument `proxyVendor` must be true or false"},
	} {
		r := nixBuild(t, "-E", goModule(t, "ifd", src, named+"} // {"+test.args, ""))
		if r.err == nil || !strings.Contains(r.log, "dgd.buildGoModule: ") || !strings.Contains(r.log, test.want) {
			t.Errorf("%s: %v, want %q in\n%s", test.args, r.err, test.want, r.log)
		}
		if len(r.built) > 0 {
			t.Errorf("%s: %q were built before", test.args, r.built)
		}
	}
	for _, test := range []struct{ args, want string }{
		{`{ version = "1"; src = ./.; vendorHash = null; }`, "the argument `pname` with `version`, or `name`, is missing"},
		{`{ pname = "a"; version = "1"; vendorHash = null; }`, "the argument `src` is missing"},
		{`{ pname = "a"; version = "1"; src = ./.; }`, "the argument `vendorHash` is missing"},
		{`{ pname = "a"; version = "1"; src = ./.; vendorSha256 = ""; }`, "the argument `vendorSha256` was removed: use `vendorHash`"},
		{`[ ]`, "must be an attribute set, or a function"},
	} {
		r := nixBuild(t, "-E", fmt.Sprintf("(import %s { }).buildGoModule %s", repo(t), test.args))
		if r.err == nil || !strings.Contains(r.log, "dgd.buildGoModule: ") || !strings.Contains(r.log, test.want) {
			t.Errorf("%s: %v, want %q in\n%s", test.args, r.err, test.want, r.log)
		}
	}
}

// Arguments that have no effect in nixpkgs are warnings that say what to do, and do not
// change the plan.
func TestGoModuleIdle(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	src := project(t, moduleFiles)
	config := func(args string) (text, said string) {
		t.Helper()
		expression := "builtins.unsafeDiscardStringContext (" + goModule(t, "dyn", src, named+"} // {"+args, "") + ").dgd.plan.config"
		cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--read-write-mode", "-E", expression)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, stderr.String())
		}
		return string(out), stderr.String()
	}
	plain, said := config("")
	if strings.Contains(said, "warning: dgd") {
		t.Fatalf("a warning without a reason:\n%s", said)
	}
	for _, test := range []struct {
		args, want string
		changes    bool
	}{
		{`deleteVendor = true;`, "the argument `deleteVendor` has no effect: `vendorHash` is null", false},
		{`GOFLAGS = [ "-mod=mod" ];`, "the argument `GOFLAGS` has -mod=mod, which has no effect: use `proxyVendor`", false},
		{`GOFLAGS = [ "-mod=mod" ]; proxyVendor = true;`, "the argument `GOFLAGS` has -mod=mod: `proxyVendor` builds in module mode without it", true},
		{`vendorSha256 = "x";`, "", false},
	} {
		text, said := config(test.args)
		if changes := text != plain; changes != test.changes {
			t.Errorf("%s: whether it changes the plan: %v\n%s\n%s", test.args, changes, plain, text)
		}
		if !strings.Contains(said, test.want) || test.want == "" && strings.Contains(said, "warning: dgd") {
			t.Errorf("%s: says %q, want %q", test.args, said, test.want)
		}
	}
}

// env takes the values that mkDerivation takes. false is an empty variable, for which Go
// uses its default.
func TestGoModuleEnv(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"0": "without", `"0"`: "without", "false": "with", "1": "with", "true": "with"} {
		src := project(t, map[string]string{
			"go.mod": "module example.com/tool\n\ngo 1.24\n",
			"c.go":   "//go:build cgo\n\npackage main\n\nfunc main() { print(\"with\") }\n",
			"not.go": "//go:build !cgo\n\npackage main\n\nfunc main() { print(\"without\") }\n",
		})
		for mode := range modes {
			r := nixBuild(t, "-E", goModule(t, mode, src, `pname = "tool"; version = "1"; vendorHash = null; doCheck = false; env.CGO_ENABLED = `+value+`; env.tool = pkgs.bash;`, ""))
			if r.err != nil {
				t.Fatalf("%s, %s: %s", value, mode, tail(r.log))
			}
			if out := r.run(t, "tool"); out != want {
				t.Errorf("CGO_ENABLED = %s, %s: the program is %s cgo, want %s", value, mode, out, want)
			}
		}
	}
}
