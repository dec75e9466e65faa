package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goModule is the expression of a call of buildGoModule; more is what comes
// behind it.
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

// What the arguments of nixpkgs' buildGoModule do, they do here.
func TestGoModule(t *testing.T) {
	const all = "tool 1.2||||original\n"
	for _, test := range []struct {
		name  string
		files map[string]string // changes
		args  string
		more  string   // behind the call
		want  string   // what bin/tool prints
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
