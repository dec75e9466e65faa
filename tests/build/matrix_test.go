package build

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

var matrix = flag.Bool("matrix", false, "build with every Go and every Nix that dgd is tested with: all examples and three programs, in both modes")

// goVersions are the toolchains that dgd is tested with, the oldest one first.
var goVersions = []string{"go_1_24", "go_1_25", "go_1_26", "go_1_27"}

// anotherGo is a toolchain other than the package set's default: the version before it,
// or the one after it if the set has removed the former.
const anotherGo = `(let pkgs = import <nixpkgs> { }; in if pkgs ? go_1_25 && (builtins.tryEval pkgs.go_1_25.outPath).success then pkgs.go_1_25 else pkgs.go_1_27)`

// isGone reports whether the package set has removed a toolchain.
func isGone(t *testing.T, version string) bool {
	testnix.Require(t)
	out, err := exec.Command("nix-instantiate", "--eval", "-E", fmt.Sprintf("let pkgs = import <nixpkgs> { }; in pkgs ? %[1]s && (builtins.tryEval pkgs.%[1]s.outPath).success", version)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.HasSuffix(strings.TrimSpace(string(out)), "false")
}

// refused are the examples that a Go version does not build, with its error.
var refused = map[string]map[string]string{
	// From 1.26.11 and 1.27 on Go does not accept a linker script as a library.
	"go_1_27": {"cgo-srcdir": "unrecognized binary format"},
}

// Programs built with each Go version have the bytes of its `go build`. Without -matrix
// only the oldest and the newest version are tested, as the other tests use the package
// set's default.
func TestGoVersions(t *testing.T) {
	t.Parallel()
	versions, everyMode := goVersions, []string{"dyn", "ifd"}
	examples, programs := exampleNames(t), []string{"age", "gofumpt", "sql-migrate"}
	if !*matrix {
		versions, everyMode = []string{"go_1_24", "go_1_27"}, []string{"dyn"}
		examples, programs = []string{"cgo"}, nil
	}
	versions = slices.DeleteFunc(slices.Clone(versions), func(version string) bool { return isGone(t, version) })
	if len(versions) == 0 {
		t.Fatalf("the package set has none of %q", goVersions)
	}
	for _, version := range versions {
		examples := slices.DeleteFunc(slices.Clone(examples), func(name string) bool { return refused[version][name] != "" })
		list := "{ names = [ " + quoted(examples) + " ]; }"
		for name, reason := range refused[version] {
			t.Run(version+"/refused/"+name, func(t *testing.T) {
				r := nixBuild(t, "-E", "("+withGo(t, "dyn", version)+").examples."+name)
				if r.err == nil || !strings.Contains(r.log, reason) {
					t.Errorf("want an error with %q: %v\n%s", reason, r.err, tail(r.log))
				}
				t.Logf("refused by Go: %s", reason)
			})
		}
		for _, mode := range everyMode {
			compare := func(what, attr string, names []string) {
				t.Run(version+"/"+mode+"/"+what, func(t *testing.T) {
					r := nixBuild(t, "--keep-going", "-E", fmt.Sprintf("with (%s); [ %s ]", withGo(t, mode, version), attr))
					if r.err != nil {
						t.Fatalf("%v\n%s", r.err, tail(r.log))
					}
					t.Logf("%d with the bytes of go build: %s", len(names), strings.Join(names, " "))
				})
			}
			compare("examples", "(someExamples "+list+") (someIdentity "+list+")", examples)
			for _, name := range programs {
				compare(name, "programIdentity."+name, []string{name})
			}
		}
	}
	if t.Failed() {
		return
	}
	// Check that these are different toolchains.
	for _, version := range versions {
		cgo := here(t, "("+withGo(t, "dyn", version)+").examples.cgo")
		out, err := exec.Command("go", "version", onDisk(cgo)+"/bin/cgo").Output()
		if want := " go" + strings.ReplaceAll(strings.TrimPrefix(version, "go_"), "_", ".") + "."; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: go version says %q, %v", version, out, err)
		}
	}
}

// withGo returns an expression for tests/default.nix in a mode and with a toolchain.
func withGo(t testing.TB, mode, version string) string {
	return fmt.Sprintf("(import %s { useDynDrv = %v; }).tests.withGo { go = (import <nixpkgs> { }).%s; }", repo(t), mode == "dyn", version)
}

// exampleNames returns the names of all examples.
func exampleNames(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("nix-instantiate", "--eval", "--raw", "-E",
		fmt.Sprintf("toString (builtins.attrNames (import %s { }).examples)", repo(t))).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// nixVersions are the versions of Nix that dgd is tested with, other than the machine's
// own.
var nixVersions = []struct {
	suite, version string // of Debian
}{
	{"bookworm", "2.8"},
	{"trixie", "2.26"},
	{"forky", "2.34"},
}

// Other versions of Nix build the same bytes by import from derivation, input-addressed.
func TestNixVersions(t *testing.T) {
	t.Parallel()
	if !*matrix {
		t.Skip("it fetches other Nixes: run it with -matrix")
	}
	const wanted = `
		let
		  dgd = import %s { };
		  examples = import %[1]s/examples/args.nix {
		    pkgs = import <nixpkgs> { };
		    inherit (dgd) fetchGoModule;
		  };
		  build = name: dgd.buildWithIFD (removeAttrs examples.${name} [ "expect" ] // { contentAddressed = false; });
		in
		{
		  hello = build "hello";
		  dep = build "dep";
		  packages = dgd.buildGoModule {
		    pname = "packages";
		    version = "1";
		    inherit (examples.packages) src vendorHash;
		    contentAddressed = false;
		  };
		}.%s`
	programs := []string{"hello", "dep", "packages"}
	own := map[string]string{}
	for _, name := range programs {
		own[name] = here(t, fmt.Sprintf(wanted, repo(t), name))
	}
	// The store has a C compiler and the fetched modules.
	given := fmt.Sprintf(`
		(import <nixpkgs> { }).stdenv.mkDerivation {
		  name = "given";
		  fetched = (%s).goModules;
		  buildCommand = "export -p > $out";
		}`, fmt.Sprintf(wanted, repo(t), "dep"))
	for _, v := range nixVersions {
		t.Run(v.suite, func(t *testing.T) {
			st := withTools(t)
			drv, err := exec.Command("nix-instantiate", "-E", given).Output()
			if err != nil {
				t.Fatal(err)
			}
			st.Fill(t, strings.TrimSpace(string(drv)), here(t, given))
			useNix(t, st, v.suite)
			version := st.Run(t, "nix", "--version")
			if !strings.Contains(version, " "+v.version+".") {
				t.Fatalf("%s has %s, not %s", v.suite, version, v.version)
			}
			for _, name := range programs {
				r := nixBuildIn(t, st, "-E", fmt.Sprintf(wanted, repo(t), name))
				if r.err != nil {
					t.Errorf("%s: %v\n%s", name, r.err, tail(r.log))
					continue
				}
				if out, err := exec.Command("diff", "-r", onDisk(own[name]), r.root+r.path).CombinedOutput(); err != nil {
					t.Errorf("%s differs: %s", name, out)
				} else {
					t.Logf("%s: %s has the bytes of the machine's own Nix; %d derivations built", version, name, len(r.compiled()))
				}
			}

			// The commands of dgd work with its store.
			program := st.Run(t, "nix-instantiate", "-E", fmt.Sprintf(wanted, repo(t), "hello"))
			dgd := onDisk(tool(t, "dgd")) + "/bin/dgd"
			if names := st.Run(t, dgd, "cache", program); !strings.Contains(names, "-std.drv^out,x") || !strings.Contains(names, program+"^out") {
				t.Errorf("dgd cache names %q", names)
			}
			if out := st.Run(t, dgd, "diff", program, program); !strings.Contains(out, " 0 differ") {
				t.Errorf("dgd diff says %q", out)
			}

			// A feature that it lacks is an error before anything is built, also with all of
			// its experimental features.
			for _, features := range []string{"", "ca-derivations dynamic-derivations recursive-nix"} {
				if v.version == "2.34" && features != "" {
					continue
				}
				st.Configure("experimental-features = nix-command " + features)
				lacks := map[string]string{
					"buildWithDynDrv { src = ../../examples/hello; }":                                                                        "dynamic derivations",
					"buildGoModule { pname = \"hello\"; version = \"1\"; src = ../../examples/hello; vendorHash = null; useDynDrv = true; }": "dynamic derivations",
				}
				if features == "" || v.version == "2.8" {
					lacks["buildWithIFD { src = ../../examples/hello; contentAddressed = true; }"] = "ca-derivations"
				}
				for call, feature := range lacks {
					call = strings.ReplaceAll(call, "../..", repo(t))
					out, err := st.Command("nix-instantiate", "-E", fmt.Sprintf("(import %s { }).%s", repo(t), call)).CombinedOutput()
					if err == nil || !strings.Contains(string(out), feature) || !strings.Contains(string(out), v.version+".") {
						t.Errorf("with the features %q: %s: %v, %s", features, call, err, out)
					}
				}
			}
		})
	}
}

// useNix makes a store use the Nix of a Debian suite, which it fetches.
func useNix(t *testing.T, st *testnix.Store, suite string) {
	t.Helper()
	setup := exec.Command(filepath.Join(repo(t), "pkgs/setup/setup.sh"), "--nix", suite)
	setup.Stderr = os.Stderr
	out, err := setup.Output()
	if err != nil {
		t.Fatalf("the set-up of Nix: %v", err)
	}
	st.Use(strings.TrimSpace(string(out)))
}

// A missing feature of Nix is an error of evaluation with the feature and the version.
func TestNixLacks(t *testing.T) {
	t.Parallel()
	testnix.Require(t)
	for _, test := range []struct {
		version      string
		hasOutputOf  bool
		feature, has string // "" means that nothing is lacking
	}{
		{"2.8.0", false, "dynDrv", "(2.8.0) cannot build dynamic derivations"},
		{"2.26.3", true, "dynDrv", "(2.26.3) cannot build dynamic derivations"},
		{"2.30.0", true, "dynDrv", ""},
		{"2.34.8", false, "dynDrv", "(2.34.8) has no dynamic derivations switched on"},
		{"2.34.8", true, "dynDrv", ""},
		{"2.8.0", false, "contentAddressed", "2.8.0"},
		{"2.26.3", true, "contentAddressed", ""},
		// recursive-nix is named if it is needed.
		{"2.35.1", false, "dynDrv", "switch on the experimental features dynamic-derivations, ca-derivations and recursive-nix"},
		{"2.36.0", false, "dynDrv", "switch on the experimental features dynamic-derivations and ca-derivations\""},
		{"2.36.0", false, "dynDrv with builderRpc = false;", "switch on the experimental features dynamic-derivations, ca-derivations and recursive-nix"},
		{"2.35.1", false, "dynDrv with builderRpc = true;", "switch on the experimental features dynamic-derivations and ca-derivations\""},
	} {
		feature, more, _ := strings.Cut(test.feature, " with ")
		out, err := exec.Command("nix-instantiate", "--eval", "--json", "-E", fmt.Sprintf(
			"(import %s/lib/nix-lacks.nix { nixVersion = %q; hasOutputOf = %v; %s }).%s", repo(t), test.version, test.hasOutputOf, more, feature)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.TrimSpace(string(out)); text == "null" != (test.has == "") || !strings.Contains(text, test.has) {
			t.Errorf("%+v: %s", test, out)
		}
	}
}

// Newer Go versions read the files that #cgo LDFLAGS name while they plan.
func TestLinkerInput(t *testing.T) {
	t.Parallel()
	src := project(t, map[string]string{
		"go.mod":  "module example.com/linked\n\ngo 1.24\n",
		"main.go": "package main\n\n// #cgo LDFLAGS: ${SRCDIR}/lib/libanswer.a\n// int answer(void);\nimport \"C\"\n\nfunc main() { println(C.answer()) }\n",
	})
	r := build(t, "buildWithIFD", fmt.Sprintf(`
		(import <nixpkgs> { }).stdenv.mkDerivation {
		  name = "linked-source";
		  buildCommand = ''
		    mkdir -p $out/lib
		    cp -r ${%s}/. $out
		    echo 'int answer(void) { return 42; }' > answer.c
		    cc -c answer.c
		    ar rc $out/lib/libanswer.a answer.o
		  '';
		}`, src), "go = (import <nixpkgs> { }).go_1_27;")
	if got := r.run(t, "linked"); got != "42\n" {
		t.Errorf("prints %q", got)
	}
}
