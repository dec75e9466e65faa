package build

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// emptyStore makes a store with the package set and nothing else: what is on a
// machine that has never seen dgd.
func emptyStore(t testing.TB) *testnix.Store {
	t.Helper()
	testnix.Require(t)
	const set = `
		let
		  pkgs = import <nixpkgs> { };
		in
		pkgs.stdenvNoCC.mkDerivation {
		  name = "machine";
		  nativeBuildInputs = [ pkgs.go ];
		  inherit (pkgs) bash cacert coreutils;
		  buildCommand = "export -p > $out";
		}`
	st := testnix.NewStore(t)
	drv, err := exec.Command("nix-instantiate", "-E", set).Output()
	if err != nil {
		t.Fatal(err)
	}
	st.Fill(t, strings.TrimSpace(string(drv)), here(t, set))
	return st
}

// here builds an expression in the machine's own store.
func here(t testing.TB, expression string) string {
	t.Helper()
	r := nixBuild(t, "-E", expression)
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, tail(r.log))
	}
	return r.path
}

// tool is the store path of one of dgd's own programs.
func tool(t testing.TB, name string) string {
	t.Helper()
	return here(t, fmt.Sprintf("(import %s/lib { pkgs = import <nixpkgs> { }; }).internal.tools.%s", repo(t), name))
}

// withTools makes a store with the package set and dgd's own programs.
func withTools(t testing.TB) *testnix.Store {
	t.Helper()
	st := emptyStore(t)
	st.Fill(t, tool(t, "dgd-plan"), tool(t, "dgd-exec"))
	return st
}

// buildIn is build in a store of the test's own.
func buildIn(t testing.TB, st *testnix.Store, function, src, args string) result {
	t.Helper()
	r := nixBuildIn(t, st, "-E", expression(t, function, src, args))
	if r.err != nil {
		t.Fatalf("%s: %v\n%s", function, r.err, tail(r.log))
	}
	return r
}

func nixBuildIn(t testing.TB, st *testnix.Store, args ...string) result {
	t.Helper()
	r := finish(t, st.Command("nix-build", append(args, "--no-out-link")...))
	r.root = st.Root
	return r
}
