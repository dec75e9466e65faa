package build

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// emptyStore returns a store with the package set alone, as on a machine on which dgd has
// never run.
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

// here builds an expression in the machine's own store and returns the store path.
func here(t testing.TB, expression string) string {
	t.Helper()
	r := nixBuild(t, "-E", expression)
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, tail(r.log))
	}
	return r.path
}

// tool returns the store path of one of dgd's own programs.
func tool(t testing.TB, name string) string {
	t.Helper()
	return here(t, fmt.Sprintf("(import %s/lib { pkgs = import <nixpkgs> { }; }).internal.tools.%s", repo(t), name))
}

// withTools returns a store with the package set and dgd's own programs.
func withTools(t testing.TB) *testnix.Store {
	t.Helper()
	st := emptyStore(t)
	st.Fill(t, tool(t, "dgd-plan"), tool(t, "dgd-exec"))
	return st
}

// buildIn is like build, in a store of the test.
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

// warmStore returns a store with what all projects share, see warmUp.
func warmStore(t testing.TB) *testnix.Store {
	t.Helper()
	st := withTools(t)
	src := filepath.Join(t.TempDir(), "project")
	for name, text := range warm {
		write(t, filepath.Join(src, name), text)
	}
	var drvs []string
	for _, function := range modes {
		cacheable := "(" + expression(t, function, src, layersEnv) + ").cacheable"
		here(t, cacheable)
		drv, err := exec.Command("nix-instantiate", "-E", cacheable).Output()
		if err != nil {
			t.Fatal(err)
		}
		drvs = append(drvs, strings.TrimSpace(string(drv)))
	}
	names, err := exec.Command(onDisk(tool(t, "dgd"))+"/bin/dgd", append([]string{"cache"}, drvs...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	copying := exec.Command("nix", "copy", "--stdin", "--no-check-sigs", "--to", "local?root="+st.Root)
	copying.Stdin = bytes.NewReader(names)
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("nix copy: %v\n%s", err, out)
	}
	return st
}

// A running is a command whose log the test reads while it runs.
type running struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr io.ReadCloser
	log    bytes.Buffer // the log read so far
	root   string
}

// start starts the build of a project in a store.
func start(t testing.TB, st *testnix.Store, function, src, args string) *running {
	t.Helper()
	r := &running{cmd: st.Command("nix-build", "--no-out-link", "-E", expression(t, function, src, args)), root: st.Root}
	r.cmd.Stdout = &r.stdout
	var err error
	if r.stderr, err = r.cmd.StderrPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// wait waits until Nix builds a derivation with a name.
func (r *running) wait(t testing.TB, name string) {
	t.Helper()
	buf := make([]byte, 4096)
	for !bytes.Contains(r.log.Bytes(), []byte("-"+name+".drv'...\n")) || !bytes.Contains(r.log.Bytes(), []byte("building '")) {
		n, err := r.stderr.Read(buf)
		r.log.Write(buf[:n])
		if err != nil {
			t.Fatalf("it ended by itself:\n%s", r.log.Bytes())
		}
	}
}

// end waits for the end of the command and returns its result.
func (r *running) end() result {
	r.log.ReadFrom(r.stderr)
	err := r.cmd.Wait()
	return result{path: strings.TrimSpace(r.stdout.String()), log: r.log.String(), err: err, root: r.root}
}
