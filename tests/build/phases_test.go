package build

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// Phases of the user have the same effect as in nixpkgs.
func TestOwnPhases(t *testing.T) {
	t.Parallel()
	const configure = `configurePhase = "runHook preConfigure; export GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/go GOPROXY=off; runHook postConfigure";`
	const fails = `} // { doCheck = true; preBuild = "sed -i s/original/edited/ shared/shared.go";`
	// Nix knows the position of attributes that are defined in files.
	change := filepath.Join(t.TempDir(), "change.nix")
	write(t, change, `old: { configurePhase = old.configurePhase + "\nsed -i s/original/overridden/ shared/shared.go"; }`)
	for _, test := range []struct {
		name, args, more string
		prints           string // the output of bin/tool
		fails            string // a part of the error
		says             string // a part of the build's log
	}{
		{name: "tests after a configurePhase", args: configure + fails + `preCheck = ":";`, fails: "Text says edited"},
		{
			name:   "no tests without the default buildPhase",
			args:   fails + `buildPhase = "runHook preBuild; go build -o $GOPATH/bin/tool ./cmd/tool; runHook postBuild";`,
			prints: "tool ||||edited\n", says: "no tests run but those of a checkPhase",
		},
		{name: "a configurePhase by overrideAttrs", more: ".overrideAttrs (import " + change + ")", prints: "tool ||||overridden\n"},
		{name: "GOBIN", args: `preBuild = "export GOBIN=$out/bin"; postInstall = "test ! -e $GOPATH/bin";`, prints: "tool ||||original\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := nixBuild(t, "-E", goModule(t, "dyn", project(t, moduleFiles), named+test.args, test.more))
			if test.fails != "" {
				if r.err == nil || !strings.Contains(r.log, test.fails) {
					t.Errorf("%v, want a failure that says %q\n%s", r.err, test.fails, tail(r.log))
				}
				return
			}
			if r.err != nil {
				t.Fatal(tail(r.log))
			}
			if out := r.run(t, "tool"); out != test.prints {
				t.Errorf("prints %q, want %q", out, test.prints)
			}
			if !strings.Contains(r.log, test.says) {
				t.Errorf("does not say %q:\n%s", test.says, tail(r.log))
			}
		})
	}
}

// If phases change the vendor directory, the program is built with the changed modules,
// or it is an error.
func TestChangedModules(t *testing.T) {
	t.Parallel()
	dep := filepath.Join(repo(t), "tests/nixpkgs/testdata/dep")
	files := map[string]string{
		"change.sh": "chmod -R u+w vendor 2>/dev/null\nrm -rf vendor\ncp -r --no-preserve=mode $goModules vendor\nsed -i 's/Hello, world/Bye/' vendor/rsc.io/quote/quote.go\n",
	}
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		files[name] = fileText(t, filepath.Join(dep, name))
	}
	src := project(t, files)
	const args = `pname = "dep"; version = "1.0.0"; vendorHash = "sha256-XOP8WKbDt59PyWLxxLupj6inCrz3ZFAxwF8LH2ZAE1c="; env.CGO_ENABLED = 0; doCheck = false;`
	r := nixBuild(t, "-E", goModule(t, "dyn", src, args+`postConfigure = "source ./change.sh";`, ""))
	if r.err == nil || !strings.Contains(r.log, "changed the vendor directory, which no hook mentions") {
		t.Errorf("a script that changes it: %v\n%s", r.err, tail(r.log))
	}
	for mode := range modes {
		path := here(t, goModule(t, mode, src, args+`postConfigure = "source ./change.sh # vendor";`, ""))
		out, err := exec.Command(onDisk(filepath.Join(path, "bin/dep"))).CombinedOutput()
		if err != nil || string(out) != "Bye.\n" {
			t.Errorf("%s: prints %q, want Bye. (%v)", mode, out, err)
		}
	}
}

// Arguments have the right effect on the plan and on other derivations that evaluation
// knows.
func TestPlannedArguments(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	src := project(t, moduleFiles)
	change := filepath.Join(t.TempDir(), "change.nix")
	write(t, change, `{ configurePhase = "true"; }`)
	const prepared = `(config p).settings != ""`
	const goFlags = `overrideAttrs (old: { env = old.env // { GOFLAGS = old.env.GOFLAGS + " %s"; }; })`
	const hooked = `pkgs.stdenvNoCC.mkDerivation { name = "x"; %s }`
	const apart = `builtins.match ".*\ncat /.*" p.checkPhase != null`
	var cases []string
	for _, test := range []struct{ args, more, what string }{
		// Sources are prepared only if phases may change them.
		{"", "", `!(` + prepared + `)`},
		{`dontUnpack = true; preConfigure = "cp -r $src/. .";`, "", prepared},
		{`dontUnpack = true;`, "", prepared},
		{`unpackCmd = "cp -r $curSrc sources";`, "", prepared},
		{`src = builtins.toFile "a.tbz" "";`, "", prepared},
		{"", ".overrideAttrs (import " + change + ")", prepared},
		// Only allowGoReference removes -trimpath.
		{`allowGoReference = true;`, "", `!(builtins.elem "-trimpath" (config p).flags)`},
		{`allowGoReference = true;`, "." + fmt.Sprintf(goFlags, "-trimpath"), `builtins.elem "-trimpath" (config p).flags`},
		// The modules and the flags of their fetch come from the final attributes.
		{`vendorHash = "";`, `.overrideAttrs { goModules = builtins.toFile "replaced" ""; }`, `builtins.match ".*-replaced" (config p).vendor != null`},
		{`vendorHash = "";`, "." + fmt.Sprintf(goFlags, "-modfile=other.mod"), `builtins.match ".*-modfile=other.mod" (p.goModules.env.GOFLAGS or p.goModules.GOFLAGS) != null`},
		{`vendorHash = ""; postConfigure = "chmod -R u+w vendor";`, "", `builtins.match ".*-prepared-vendored" (config p).vendor != null || builtins.match "/[0-9a-z]{52}" (config p).vendor != null`},
		{`vendorHash = ""; postConfigure = "true";`, "", `builtins.match ".*-go-modules" (config p).vendor != null`},
		// A toolchain may have cgo switched off.
		{`env = { };`, "", `(config p).env.CGO_ENABLED == "1"`},
		// Tests run in derivations of their own, unless a tool has a setup hook.
		{`doCheck = true;`, "", apart},
		{`doCheck = true; nativeCheckInputs = [ pkgs.sqlite ];`, "", apart},
		{`doCheck = true; nativeCheckInputs = [ (` + fmt.Sprintf(hooked, `setupHook = builtins.toFile "h" "";`) + `) ];`, "", `!(` + apart + `)`},
		{`doCheck = true; nativeBuildInputs = [ (` + fmt.Sprintf(hooked, `buildCommand = "echo : > $out/nix-support/setup-hook";`) + `) ];`, "", `!(` + apart + `)`},
		{`doCheck = true; checkInputs = [ (` + fmt.Sprintf(hooked, `propagatedBuildInputs = [ (`+fmt.Sprintf(hooked, `setupHooks = [ (builtins.toFile "h" "") ];`)+`) ];`) + `) ];`, "", `!(` + apart + `)`},
	} {
		cases = append(cases, fmt.Sprintf("{ case = %q; is = let p = %s; in %s; }",
			test.args+test.more, goModule(t, "dyn", src, named+"} // {"+test.args, test.more), test.what))
	}
	const other = `let pkgs = import <nixpkgs> { }; dgd = import %s { inherit pkgs; }; in `
	for _, test := range []string{
		`(dgd.buildGoModule { __functor = _: final: { pname = "a"; version = "1"; src = ./.; vendorHash = null; }; }).name == "a-1"`,
		`(config ((dgd.buildGoModule.override (old: { go = old.go // { CGO_ENABLED = 0; }; })) { name = "a"; src = ./.; vendorHash = null; useDynDrv = true; })).env.CGO_ENABLED == "0"`,
		`let
			git = pkgs.stdenvNoCC.mkDerivation { name = "another-git"; buildCommand = ""; };
			p = (dgd.buildGoModule.override { gitMinimal = git; }) { name = "a"; src = ./.; vendorHash = ""; };
		in
			builtins.elem git p.goModules.nativeBuildInputs && !(builtins.elem pkgs.gitMinimal p.goModules.nativeBuildInputs)`,
		// As in mkDerivation, programs that the machine cannot execute are not tested.
		`let stdenv = pkgs.stdenv // { buildPlatform = pkgs.stdenv.buildPlatform // { canExecute = _: false; }; }; in
			builtins.match ".*\ncat /.*" ((dgd.buildGoModule.override { inherit stdenv; }) { name = "a"; src = ./.; vendorHash = null; useDynDrv = true; }).checkPhase == null`,
	} {
		cases = append(cases, fmt.Sprintf("{ case = %q; is = "+other+"%s; }", test, repo(t), test))
	}
	expression := `let config = p: builtins.fromJSON (builtins.unsafeDiscardStringContext p.dgd.plan.config); in [ ` + strings.Join(cases, "\n") + ` ]`
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", "-E", expression)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var got []struct {
		Case string
		Is   bool
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for _, g := range got {
		if !g.Is {
			t.Errorf("not so: %s", g.Case)
		}
	}
}
