package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

// open opens a store of the test by its address.
func open(t *testing.T, st *testnix.Store, address string) *Store {
	t.Helper()
	for _, v := range st.Environ() {
		if name, value, _ := strings.Cut(v, "="); name == "NIX_CONFIG" || name == "XDG_CACHE_HOME" {
			t.Setenv(name, value)
		}
	}
	if address != "" {
		t.Setenv("NIX_CONFIG", os.Getenv("NIX_CONFIG")+"store = "+address+"\n")
	}
	s, err := Open(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// StorePath works for stores at any place on disk, and for each form of the setting
// `store`.
func TestStorePath(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	drv := st.Run(t, "nix-instantiate", "-E", `derivation { name = "n"; system = "x"; builder = "b"; outputs = [ "out" "y" ]; __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive"; }`)
	drv, _, _ = strings.Cut(drv, "!")
	dir := t.TempDir()
	link := func(name, target string) string {
		name = filepath.Join(dir, name)
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	direct := link("direct", drv)
	twice := link("twice", "direct")
	folder := link("folder", dir)
	turning := link("turning", "turning")
	file := write("file", "text")
	// A file below a store path may have a name like that of a store path.
	odd := filepath.Join(dir, strings.Repeat("0", 32)+"-odd")
	if err := os.Mkdir(odd, 0o777); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(odd, strings.Repeat("1", 32)+"-inside")
	if err := os.WriteFile(inside, []byte("inside"), 0o666); err != nil {
		t.Fatal(err)
	}
	added := st.Run(t, "nix-store", "--add", file)
	tree := st.Run(t, "nix-store", "--add", odd)
	const other = "/nix/store/22222222222222222222222222222222-x"

	for _, address := range []string{"", st.Root, "local?root=" + st.Root, "local?root=" + st.Root + "&require-sigs=false"} {
		s := open(t, st, address)
		for _, arg := range []string{drv, drv + "!out", direct, twice, filepath.Join(folder, "twice"), st.Path(drv)} {
			if got, err := s.Deriver(t.Context(), arg); err != nil || got != drv {
				t.Errorf("store = %s: %s is %s, %v; want %s", address, arg, got, err, drv)
			}
		}
		if got, err := s.StorePath(t.Context(), filepath.Join(tree, filepath.Base(inside))); err != nil || got != tree {
			t.Errorf("a file of %s is in %s, %v", tree, got, err)
		}
		for arg, want := range map[string]string{
			added:                    "the store has no record of the derivation that made " + added,
			file:                     file + " is not in the Nix store: name a derivation, an output, or a link to one",
			turning:                  "is not in the Nix store",
			other:                    "no such file",
			odd:                      odd + " is not in the store that Nix uses, or was removed from it",
			drv + "x":                "no such file",
			"nothing":                "no such file",
			filepath.Join(file, "x"): "not a directory",
		} {
			if got, err := s.Deriver(t.Context(), arg); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("store = %s: %s is %s, %v; want %s", address, arg, got, err, want)
			}
		}
		if _, err := s.Deriver(t.Context(), other); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("for what the store does not have the error is %v", err)
		}
		read, err := s.Derivations(t.Context(), []string{drv, other + ".drv"})
		if err != nil || len(read) != 1 || read[drv].Env["name"] != "n" || !read[drv].Outputs["y"].Floating() {
			t.Errorf("%+v, %v", read, err)
		}
		outputs, err := s.Outputs(t.Context(), []string{drv, other + ".drv"})
		if err != nil || len(outputs[drv])+len(outputs[other+".drv"]) > 0 {
			t.Errorf("the outputs are %v, %v", outputs, err)
		}
		if got, err := s.Derivers(t.Context(), []string{added, other}); err != nil || len(got) != 0 {
			t.Errorf("the derivers are %v, %v", got, err)
		}
	}
}

// Files returns contents, symlinks and executable bits.
func TestFiles(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	dir := filepath.Join(t.TempDir(), "tree")
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"a/b/text": 0o666, "run": 0o777, "empty": 0o666} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.TrimPrefix(name, "empty")), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a/b", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	tree := st.Run(t, "nix-store", "--add", dir)
	single := st.Run(t, "nix-store", "--add", filepath.Join(dir, "run"))
	s := open(t, st, "")
	for range 2 { // the connection can be used afterwards
		got, err := s.Files(t.Context(), tree)
		want := map[string]File{
			"a/b/text": {Text: []byte("a/b/text")}, "run": {0o111, []byte("run")}, "empty": {Text: []byte{}}, "link": {fs.ModeSymlink, []byte("a/b")},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		if got, err := s.Files(t.Context(), single); err != nil || len(got) != 1 || string(got["."].Text) != "run" || got["."].Mode != 0o111 {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := s.Files(t.Context(), "/nix/store/00000000000000000000000000000000-none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the error is %v", err)
		}
	}
	if _, err := s.Derivations(t.Context(), []string{single}); err == nil || !strings.HasPrefix(err.Error(), "reading "+single+": not a derivation") {
		t.Errorf("for another file the error is %v", err)
	}
}

// chain has derivations that depend on each other in a row. All but the last one are
// content-addressed.
const chain = `
	let
	  attrs = {
	    system = builtins.currentSystem;
	    builder = "/bin/sh";
	  };
	  floating = attrs // {
	    __contentAddressed = true;
	    outputHashMode = "recursive";
	    outputHashAlgo = "sha256";
	  };
	  below = derivation (floating // { name = "below"; args = [ "-c" "echo below > $out; echo x > $x" ]; outputs = [ "out" "x" ]; });
	  middle = derivation (floating // { name = "middle"; args = [ "-c" "echo ${below.x} \"quoted\" $$name > $out" ]; inherit comment; });
	  above = derivation (floating // { name = "above"; args = [ "-c" "read x < ${middle}; echo above > $out" ]; });
	in
	derivation (attrs // { name = "package"; args = [ "-c" "echo ${above} ${below} > $out; echo > $lib" ]; outputs = [ "out" "lib" ]; })`

// Outputs finds the outputs of derivations that a real Nix has built, whether or not the
// store has records for derivations that are not resolved.
func TestOutputs(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	expression := "let comment = \"1\"; in " + chain
	instantiate := func(expression string) string {
		drv, _, _ := strings.Cut(st.Run(t, "nix-instantiate", "-E", expression), "!")
		return drv
	}
	drv := instantiate(expression)
	if got, err := open(t, st, "").Outputs(t.Context(), []string{drv}); err != nil || len(got[drv]) > 0 {
		t.Errorf("before the build: %v, %v", got, err)
	}
	built := strings.Fields(st.Run(t, "nix-build", "--no-out-link", "-A", "all", "-E", expression))
	s := open(t, st, "")
	outputs := map[string]map[string]string{}
	for level := []string{drv}; len(level) > 0; {
		got, err := s.Outputs(t.Context(), level)
		if err != nil {
			t.Fatal(err)
		}
		read, err := s.Derivations(t.Context(), level)
		if err != nil {
			t.Fatal(err)
		}
		var next []string
		for drv, d := range read {
			_, file, _ := strings.Cut(filepath.Base(drv), "-")
			outputs[file] = got[drv]
			next = append(next, d.InputDrvs()...)
		}
		level = next
	}
	for file, names := range map[string][]string{"below.drv": {"out", "x"}, "middle.drv": {"out"}, "above.drv": {"out"}, "package.drv": {"lib", "out"}} {
		for _, name := range names {
			path := outputs[file][name]
			if _, err := os.Lstat(st.Path(path)); err != nil || path == "" || len(outputs[file]) != len(names) {
				t.Errorf("the output %s of %s is %q of %v: %v", name, file, path, outputs[file], err)
			}
		}
	}
	if got := []string{outputs["package.drv"]["out"], outputs["package.drv"]["lib"]}; !slices.Equal(got, built) {
		t.Errorf("the package's outputs are %q, Nix says %q", got, built)
	}
	deriver, err := s.Derivers(t.Context(), []string{outputs["above.drv"]["out"]})
	if err != nil || !strings.HasSuffix(deriver[outputs["above.drv"]["out"]], "-above.drv") {
		t.Errorf("the deriver is %v, %v", deriver, err)
	}

	// After an edit that does not change an output, the outputs of derivations above are
	// known, although these derivations have never been built.
	edited := instantiate("let comment = \"2\"; in " + chain)
	if edited == drv {
		t.Fatal("the edit changes no derivation")
	}
	if got, err := open(t, st, "").Outputs(t.Context(), []string{edited}); err != nil || len(got[edited]) > 0 {
		t.Errorf("with an unbuilt input: %v, %v", got, err)
	}
	st.Run(t, "nix-build", "--no-out-link", "-E", "let comment = \"2\"; in "+strings.Replace(chain, "derivation (attrs //", "if true then middle else (attrs //", 1))
	if got, err := open(t, st, "").Outputs(t.Context(), []string{edited}); err != nil || !reflect.DeepEqual(got[edited], outputs["package.drv"]) {
		t.Errorf("after the edit: %v, %v; want %v", got, err, outputs["package.drv"])
	}

	// A damaged .drv file is an error that names it.
	name := st.Path(drv)
	os.Chmod(name, 0o666)
	if err := os.WriteFile(name, []byte("Derive(["), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, st, "").Outputs(t.Context(), []string{drv}); err == nil || !strings.Contains(err.Error(), "reading "+drv+": ") {
		t.Errorf("for a damaged derivation the error is %v", err)
	}
}

// If the daemon ends during a request, the error says what was asked.
func TestGone(t *testing.T) {
	testnix.Require(t)
	s := open(t, testnix.NewStore(t), "")
	if err := s.nix.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	const path = "/nix/store/00000000000000000000000000000000-x.drv"
	list := []string{path, "/nix/store/11111111111111111111111111111111-y.drv"}
	for name, ask := range map[string]func() error{
		"valid":       func() error { _, err := s.Valid(t.Context(), list); return err },
		"derivations": func() error { _, err := s.Derivations(t.Context(), list); return err },
		"recorded":    func() error { _, err := s.Recorded(t.Context(), list); return err },
		"outputs":     func() error { _, err := s.Outputs(t.Context(), list); return err },
		"derivers":    func() error { _, err := s.Derivers(t.Context(), list); return err },
		"files":       func() error { _, err := s.Files(t.Context(), path); return err },
		"path":        func() error { _, err := s.StorePath(t.Context(), path); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), path) || !strings.HasPrefix(err.Error(), "asking ") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestNoTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	if _, err := Open(t.Context(), io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestNoNix(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(t.Context(), os.Stderr); err == nil || !strings.Contains(err.Error(), "asking Nix about the store") {
		t.Errorf("without Nix, the error is %v", err)
	}
}
