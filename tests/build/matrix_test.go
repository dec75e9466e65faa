package build

import (
	"flag"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

var matrix = flag.Bool("matrix", false, "build with every Go and every Nix that dgd is tested with: all examples and three programs, in both modes")

// goVersions are the toolchains that dgd is tested with, the oldest one first.
var goVersions = []string{"go_1_24", "go_1_25", "go_1_26", "go_1_27"}

// What each Go builds has the bytes that `go build` of that Go gives it. The
// package set's own Go is in the other tests, so that without -matrix only the
// oldest and the newest one are tried here.
func TestGoVersions(t *testing.T) {
	versions, everyMode := goVersions, []string{"true", "false"}
	examples, programs := exampleNames(t), []string{"age", "gofumpt", "sql-migrate"}
	if !*matrix {
		versions, everyMode = []string{"go_1_24", "go_1_27"}, []string{"true"}
		examples, programs = []string{"cgo"}, nil
	}
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			for _, dyn := range everyMode {
				tests := fmt.Sprintf("((import %s { useDynDrv = %s; }).tests.withGo { go = (import <nixpkgs> { }).%s; })", repo(t), dyn, version)
				compare := func(what string, names []string) {
					t.Helper()
					r := nixBuild(t, "--keep-going", "-E", fmt.Sprintf("with %s; %s", tests, what))
					if r.err != nil {
						t.Errorf("useDynDrv = %s: %s\n%v\n%s", dyn, what, r.err, tail(r.log))
						return
					}
					t.Logf("useDynDrv = %s: %d with the bytes of go build: %s", dyn, len(names), strings.Join(names, " "))
				}
				list := "{ names = [ " + quoted(examples) + " ]; }"
				compare("[ (someExamples "+list+") (someIdentity "+list+") ]", examples)
				for _, name := range programs {
					compare("programIdentity."+name, []string{name})
				}
			}
		})
	}
	if t.Failed() {
		return
	}
	// The comparison would hold as well if all of them were the same toolchain.
	for _, version := range versions {
		r := nixBuild(t, "-E", fmt.Sprintf("((import %s { useDynDrv = true; }).tests.withGo { go = (import <nixpkgs> { }).%s; }).examples.cgo", repo(t), version))
		if r.err != nil {
			t.Fatalf("%v\n%s", r.err, tail(r.log))
		}
		out, err := exec.Command("go", "version", onDisk(r.path)+"/bin/cgo").Output()
		if want := " go" + strings.ReplaceAll(strings.TrimPrefix(version, "go_"), "_", ".") + "."; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: go version says %q, %v", version, out, err)
		}
	}
}

// exampleNames are the names of all examples.
func exampleNames(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("nix-instantiate", "--eval", "--raw", "-E",
		fmt.Sprintf("toString (builtins.attrNames (import %s { }).examples)", repo(t))).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
