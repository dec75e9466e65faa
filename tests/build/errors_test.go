package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

var plain = map[string]string{
	"go.mod":  "module example.com/plain\n\ngo 1.24\n",
	"main.go": "package main\n\nfunc main() { println(\"SALT\") }\n",
}

// with returns the plain project with files added or replaced.
func with(files map[string]string) map[string]string {
	all := map[string]string{}
	for name, text := range plain {
		all[name] = text
	}
	for name, text := range files {
		all[name] = text
	}
	return all
}

// archivesArgs are the arguments of the example `archives`, whose modules are in the
// store already: if their hash is stale, nothing is fetched.
const archivesArgs = `proxyVendor = true; vendorHash = "sha256-ktEG4LAJrtURBibVWA6OB/U0QRD/yAsyqX87XAL2bU0=";`

// archives returns a project with the go.mod, the go.sum and an import of the example,
// and with files added or replaced.
func archives(t *testing.T, files map[string]string) map[string]string {
	all := with(map[string]string{"main.go": "package main\n\nimport \"rsc.io/quote\"\n\nfunc main() { println(quote.Go(), \"SALT\") }\n"})
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(repo(t), "examples/archives", name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	for name, text := range files {
		all[name] = text
	}
	return all
}

// For invalid input there is an error that says what is wrong and what to do.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dep, err := filepath.Abs("../../examples/dep")
	if err != nil {
		t.Fatal(err)
	}
	const noHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	build(t, "buildWithIFD", filepath.Join(repo(t), "examples/archives"), layersEnv+archivesArgs)
	tests := []struct {
		name  string
		files map[string]string // or src
		src   string
		args  string
		want  []string
		only  string // a mode, if the other one reports it at another time
	}{
		{
			name: "vendorHash missing", src: dep,
			want: []string{"hash mismatch in fixed-output derivation", "got:    sha256-GXzvOFjgfHvYr0caUAa/VmriJnXvYjAvTE/pRnuNFgk="},
		},
		{
			name: "vendorHash empty", src: dep, args: `vendorHash = "";`,
			want: []string{"hash mismatch in fixed-output derivation", "got:    sha256-GXzvOFjgfHvYr0caUAa/VmriJnXvYjAvTE/pRnuNFgk="},
		},
		{
			name: "vendorHash wrong", src: dep, args: `vendorHash = "` + noHash + `";`,
			want: []string{"specified: " + noHash, "got:    sha256-GXzvOFjgfHvYr0caUAa/VmriJnXvYjAvTE/pRnuNFgk="},
		},
		{
			name: "vendorHash missing for a source that is built",
			args: "", src: `(import <nixpkgs> { }).stdenvNoCC.mkDerivation { name = "src"; buildCommand = "cp -r ${` + dep + `} $out"; }`,
			want: []string{"vendorHash is missing", `set vendorHash = ""`},
		},
		{
			name: "vendorHash stale",
			files: with(map[string]string{
				"go.mod": "module example.com/stale\n\ngo 1.24\n\nrequire rsc.io/quote v1.5.1\n",
				"go.sum": "",
			}),
			args: `vendorHash = "sha256-GXzvOFjgfHvYr0caUAa/VmriJnXvYjAvTE/pRnuNFgk=";`,
			want: []string{"inconsistent vendoring", "vendorHash is stale", `vendorHash = ""`},
		},
		{
			name:  "vendorHash beside a vendor directory",
			files: with(map[string]string{"vendor/modules.txt": ""}),
			args:  `vendorHash = "` + noHash + `";`,
			want:  []string{"vendor directory of its own"},
		},
		{
			name:  "vendorHash beside a vendor directory without a list",
			files: with(map[string]string{"vendor/example.org/x/x.go": "package x\n"}),
			args:  `vendorHash = "` + noHash + `";`,
			want:  []string{"vendor directory of its own without modules.txt", "deleteVendor = true"},
		},
		{
			name: "deleteVendor without a vendor directory", src: dep, args: `deleteVendor = true; vendorHash = "` + noHash + `";`,
			want: []string{"src has no vendor directory", "leave out deleteVendor"},
		},
		{
			name:  "archives beside a vendor directory",
			files: with(map[string]string{"vendor/modules.txt": ""}),
			args:  `proxyVendor = true; vendorHash = "` + noHash + `";`,
			want:  []string{"vendor directory of its own", "deleteVendor = true"},
		},
		{
			name: "no archives", files: plain, args: `proxyVendor = true; vendorHash = "` + noHash + `";`,
			want: []string{"the program needs no modules"},
		},
		{
			name:  "vendorHash of archives stale",
			files: archives(t, map[string]string{"go.mod": "module example.com/archives\n\ngo 1.24\n\nrequire rsc.io/quote v1.5.1\n", "go.sum": "rsc.io/quote v1.5.1 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nrsc.io/quote v1.5.1/go.mod h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=\n"}),
			args:  archivesArgs,
			want:  []string{"vendorHash is stale", `vendorHash = ""`},
		},
		{
			name:  "go.sum without a module of go.mod",
			files: archives(t, map[string]string{"go.sum": ""}),
			args:  archivesArgs,
			want:  []string{"missing go.sum entry", "go.sum does not fit go.mod", "go mod tidy"},
		},
		{
			name:  "go.mod does not parse",
			files: with(map[string]string{"go.mod": "module example.com/plain\n\nrequire\n"}),
			want:  []string{"go.mod:3:"},
		},
		{
			name:  "no go.mod",
			files: map[string]string{"main.go": plain["main.go"]},
			want:  []string{"has no go.mod"},
		},
		{
			name:  "import of no module",
			files: with(map[string]string{"main.go": "package main\n\nimport _ \"example.org/nowhere\"\n\nfunc main() {}\n"}),
			want:  []string{"main.go:3:8", "example.org/nowhere", "go mod tidy"},
		},
		{
			name:  "an embedded file that is not there",
			files: with(map[string]string{"lib/lib.go": "package lib\n\nimport _ \"embed\"\n\nfunc F() {}\n\n//go:embed text\nvar text string\n", "main.go": "package main\n\nimport _ \"example.com/plain/lib\"\n\nfunc main() {}\n"}),
			want:  []string{"lib/lib.go:7:12: pattern text: no matching files found"},
		},
		{
			name:  "a header that does not parse",
			files: with(map[string]string{"main.go": "package main\n\nimport \"fmt\n\nfunc main() {}\n"}),
			want:  []string{"main.go:3:8: string literal not terminated"},
		},
		{
			name:  "a package that does not compile",
			files: with(map[string]string{"lib/lib.go": "package lib\n\nfunc F() int { return \"SALT\" }\n", "main.go": "package main\n\nimport \"example.com/plain/lib\"\n\nfunc main() { lib.F() }\n"}),
			want:  []string{"# example.com/plain/lib", "lib/lib.go:3:23: cannot use"},
		},
		{
			name:  "a newer Go",
			files: with(map[string]string{"go.mod": "module example.com/plain\n\ngo 1.99\n"}),
			want:  []string{"requires go >= 1.99", "`go`"},
		},
		{
			name: "no such subPackage", files: plain, args: `subPackage = "cmd/nowhere";`,
			want: []string{"cmd/nowhere", "directory not found", "subPackage names a directory"},
		},
		{
			name:  "a subPackage that is no program",
			files: with(map[string]string{"lib/lib.go": "package lib\n"}),
			args:  `subPackage = "lib";`,
			want:  []string{"lib", "package main"},
		},
		{
			name:  "two programs of a name",
			files: with(map[string]string{"a/tool/main.go": plain["main.go"], "b/tool/main.go": plain["main.go"]}),
			args:  `subPackages = [ "a/tool" "b/tool" ];`,
			want:  []string{"example.com/plain/a/tool and example.com/plain/b/tool are both programs of the name tool", "build them in two calls"},
		},
		{
			name: "an unknown argument", files: plain, args: `vendorSha256 = "x";`,
			want: []string{"unknown argument `vendorSha256`", "vendorHash"},
		},
		{
			name: "a wrong type", files: plain, args: `tags = "netgo";`,
			want: []string{"`tags` must be a list of strings"},
		},
		{
			name:  "a workspace without the module",
			files: with(map[string]string{"go.work": "go 1.24\n\nuse ./lib\n", "lib/go.mod": "module example.com/lib\n"}),
			want:  []string{"go.work", `env.GOWORK = "off"`},
		},
		{
			name:  "a module below",
			files: map[string]string{"server/go.mod": plain["go.mod"], "server/main.go": plain["main.go"], "client/go.mod": plain["go.mod"]},
			want:  []string{"src has no go.mod, but there is one in client, server", `modRoot = "client";`},
		},
		{
			name: "a modRoot above src", files: plain, args: `modRoot = "../plain";`,
			want: []string{"`modRoot` must be a string with a path below src"},
		},
		{
			name: "a modRoot that is not there", files: plain, args: `modRoot = "server";`,
			want: []string{"src has no server/go.mod, but there is one in ."},
		},
		{
			name: "an empty list", files: plain, args: `subPackages = [ ];`,
			want: []string{"`subPackages` must be a list of at least one string"},
		},
		{
			name: "a proxy that is not there", src: dep, args: `vendorHash = "` + noHash + `"; env.GOPROXY = "file:///nowhere";`,
			want: []string{"nowhere"},
		},
		{
			name: "a link out of the sources",
			src:  `(import <nixpkgs> { }).stdenvNoCC.mkDerivation { name = "src"; buildCommand = "mkdir $out; echo module example.com/m > $out/go.mod; ln -s ../elsewhere/x.go $out/main.go"; }`,
			want: []string{"main.go: no such file", "main.go is a symlink to ", "which is not in src"},
		},
		{
			name:  "a replacement out of the sources",
			files: with(map[string]string{"go.mod": "module example.com/plain\n\ngo 1.24\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ../lib\n", "main.go": "package main\n\nimport _ \"example.com/lib\"\n\nfunc main() {}\n"}),
			want:  []string{"src must hold the replacement", "modRoot"},
		},
		{
			name:  "a workspace that needs modules",
			files: map[string]string{"go.work": "go 1.24\n\nuse ./app\n", "app/go.mod": "module example.com/app\n\ngo 1.24\n\nrequire rsc.io/quote v1.5.2\n", "app/main.go": "package main\n\nimport _ \"rsc.io/quote\"\n\nfunc main() {}\n"},
			args:  `subPackage = "app"; env.GOPROXY = "file:///nowhere";`,
			want:  []string{"file:///nowhere/rsc.io/quote", "go-modules"},
		},
		{
			name: "both forms", files: plain, args: `subPackage = "."; subPackages = [ "." ];`,
			want: []string{"`subPackage` and `subPackages` are both given"},
		},
		{
			name: "flags that ldflags overrides", files: plain, args: `GOFLAGS = [ "-race" "'-ldflags=-X main.v=1'" ];`,
			want: []string{"`GOFLAGS` has -ldflags: it would have no effect: use the argument `ldflags`"},
		},
		{
			name: "flags that tags overrides", files: plain, args: `tags = [ "a" ]; env.GOFLAGS = "-race --tags=b";`,
			want: []string{"`GOFLAGS` has -tags, which would have no effect: use the argument `tags`"},
		},
		{
			name: "flags in two places", files: plain, args: `GOFLAGS = [ "-race" ]; env.GOFLAGS = "-race";`,
			want: []string{"`GOFLAGS` and `env.GOFLAGS` are both given"},
		},
		{
			name: "a name for the program", files: plain, args: `GOFLAGS = [ "-o=x" ];`,
			want: []string{"`GOFLAGS` has -o: programs are in bin/"},
		},
		{
			name: "with and without -trimpath", files: plain, args: `GOFLAGS = [ "-trimpath" ]; allowGoReference = true;`,
			want: []string{"`allowGoReference` builds without -trimpath, and `GOFLAGS` has -trimpath: leave out one of them"},
		},
		{
			name: "the result's own path", files: plain, args: `ldflags = [ "-X=main.x=${builtins.placeholder "out"}/x" ];`,
			want: []string{"`ldflags` has the placeholder of the output `out`", "use buildGoModule"},
		},
		{
			name: "the result's own path in a variable", files: plain, args: `env.CGO_LDFLAGS = "-L${builtins.placeholder "out"}";`,
			want: []string{"`env` has the placeholder of the output `out`"},
		},
		{
			name: "a flag that is none", files: plain, args: `GOFLAGS = [ "-no-such-flag" ];`,
			want: []string{"go: parsing $GOFLAGS: unknown flag -no-such-flag"},
		},
		{
			name: "two libraries for C", files: with(map[string]string{"a/a.go": plain["main.go"]}),
			args: `GOFLAGS = [ "-buildmode=c-archive" ]; subPackages = [ "." "a" ];`,
			want: []string{"-buildmode=c-archive requires exactly one main package"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for mode, function := range modes {
				t.Run(mode, func(t *testing.T) {
					src := test.src
					if src == "" {
						src = project(t, test.files)
					}
					r := nixBuild(t, "-E", expression(t, function, src, layersEnv+test.args))
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

// -mod in GOFLAGS, which has no effect in nixpkgs either, is a warning.
func TestModFlag(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := build(t, function, project(t, plain), layersEnv+`GOFLAGS = [ "-mod=mod" ];`)
			if !strings.Contains(r.log, "`-mod=` in `GOFLAGS` has no effect") {
				t.Errorf("no warning:\n%s", r.log)
			}
		})
	}
}

// A missing argument is named in the error.
func TestSrcMissing(t *testing.T) {
	t.Parallel()
	r := nixBuild(t, "-E", "(import "+repo(t)+" { }).buildWithIFD { }")
	if r.err == nil || !strings.Contains(r.log, "the argument `src` is missing") {
		t.Errorf("got %v:\n%s", r.err, r.log)
	}
}

// With fallback = false, a line of the script that dgd does not know is an error that
// shows the line. The toolchain of the test prints such a line.
func TestUnknownLine(t *testing.T) {
	t.Parallel()
	src := project(t, plain)
	toolchain := `(
  let
    pkgs = import <nixpkgs> { };
  in
  pkgs.stdenvNoCC.mkDerivation {
    name = "go-that-prints-more";
    buildCommand = ''
      mkdir -p $out/bin
      ln -s ${pkgs.go}/share $out/share
      cat > $out/bin/go <<EOF
      #!${pkgs.bash}/bin/bash
      export GOROOT=$out/share/go
      ${pkgs.go}/bin/go "\$@" || exit
      if [ "\$1" = build ]; then echo 'frobnicate -x \$WORK/b001/_pkg_.a' >&2; fi
      EOF
      chmod +x $out/bin/go
    '';
  }
)`
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			r := nixBuild(t, "-E", expression(t, function, src, layersEnv+"fallback = false; go = "+toolchain+";"))
			if r.err == nil {
				t.Fatal("it builds")
			}
			for _, want := range []string{"go build -n, line ", "frobnicate -x $WORK/b001/_pkg_.a"} {
				if !strings.Contains(r.log, want) {
					t.Errorf("the message lacks %q:\n%s", want, r.log)
				}
			}
		})
	}
}

// A failed build leaves nothing behind: the corrected project builds.
func TestAfterFailure(t *testing.T) {
	t.Parallel()
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, with(map[string]string{"main.go": "package main\n\nfunc main() { println(\"SALT\" }\n"}))
			if r := nixBuild(t, "-E", expression(t, function, src, layersEnv)); r.err == nil {
				t.Fatal("it builds")
			}
			edit(t, filepath.Join(src, "main.go"), "\" }", "\") }")
			r := build(t, function, src, layersEnv)
			if _, err := os.Stat(onDisk(filepath.Join(r.path, "bin/plain"))); err != nil {
				t.Error(err)
			}
		})
	}
}

// The system feature for the store socket follows from the Nix that evaluates, or from
// the argument builderRpc. A feature that this Nix lacks is an error of evaluation.
func TestBuilderRPC(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	evaluate := func(text string, options ...string) string {
		t.Helper()
		args := append([]string{"--eval", "--strict", "--json", "-E", text}, options...)
		out, _ := exec.Command("nix-instantiate", args...).CombinedOutput()
		return strings.TrimSpace(string(out))
	}
	// The feature was added during the development of 2.36.
	has := evaluate(`builtins.compareVersions builtins.nixVersion "2.36pre" >= 0`)
	probe := "import " + filepath.Join(repo(t), "lib/has-builder-rpc.nix")
	if got := evaluate(probe); got != has {
		t.Errorf("that Nix has it is %s, not %s", got, has)
	}
	if got := evaluate(probe, "--option", "experimental-features", ""); got != "false" {
		t.Errorf("without experimental features, that Nix has it is %s", got)
	}
	access := "(import " + filepath.Join(repo(t), "lib/store-access.nix") + " { "
	const recursive, rpc = `["recursive-nix"]`, `["builder-rpc-v0"]`
	byItself := map[string]string{"true": rpc, "false": recursive}[has]
	src := "buildWithDynDrv { src = " + project(t, plain) + "; }).drv.requiredSystemFeatures"
	dgd := "(import " + repo(t) + " { })"
	for text, want := range map[string]string{
		access + `hasBuilderRpc = false; }).requiredSystemFeatures`:                     recursive,
		access + `hasBuilderRpc = true; }).requiredSystemFeatures`:                      rpc,
		access + `builderRpc = false; hasBuilderRpc = true; }).requiredSystemFeatures`:  recursive,
		access + `builderRpc = false; hasBuilderRpc = false; }).requiredSystemFeatures`: recursive,
		access + `builderRpc = true; hasBuilderRpc = true; }).requiredSystemFeatures`:   rpc,
		access + `builderRpc = true; hasBuilderRpc = false; nixVersion = "2.35.1"; })`:  "which came after 2.35: this is 2.35.1; leave the argument out",
		"(" + dgd + "." + src: byItself,
		"((" + dgd + ".override { builderRpc = false; })." + src:                             recursive,
		"((import " + repo(t) + "/overlay.nix (import <nixpkgs> { }) { }).dgd." + src:        byItself,
		"(((import " + repo(t) + " { builderRpc = false; }).withModuleOverrides { })." + src: recursive,
		"(((import " + repo(t) + " { builderRpc = false; }).override { })." + src:            recursive,
	} {
		if got := evaluate(text); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	asked := "(import " + repo(t) + " { builderRpc = true; }).buildWithDynDrv { src = " + project(t, plain) + "; }"
	r := nixBuild(t, "-E", asked)
	if has == "true" && r.err != nil {
		t.Errorf("%v: %s", r.err, tail(r.log))
	}
	if has == "false" && (r.err == nil || !strings.Contains(r.log, "`builderRpc` needs a Nix with the system feature builder-rpc-v0") || len(r.built) > 0) {
		t.Errorf("built %q: %s", r.built, r.log)
	}
}
