package closure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dgd/internal/nix/drvfile"
	"dgd/internal/nix/store"
)

// A fakeStore has .drv files, and outputs of some of them.
type fakeStore struct {
	texts   map[string]string
	outputs map[string]map[string]string
	forgets map[string]bool // derivations without a record, as since Nix 2.35
	broken  string          // a request about this path fails
}

// ask calls about for each path until one fails.
func (s fakeStore) ask(paths []string, about func(path string)) error {
	for _, path := range paths {
		if path == s.broken {
			return fmt.Errorf("%s cannot be asked for", path)
		}
		about(path)
	}
	return nil
}

func (s fakeStore) Derivations(_ context.Context, drvs []string) (map[string]*drvfile.Derivation, error) {
	found := map[string]*drvfile.Derivation{}
	for _, drv := range drvs {
		if text, ok := s.texts[drv]; ok {
			d, err := drvfile.Parse(text)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", drv, err)
			}
			found[drv] = d
		}
	}
	return found, nil
}

func (s fakeStore) Outputs(_ context.Context, drvs []string) (map[string]map[string]string, error) {
	found := map[string]map[string]string{}
	return found, s.ask(drvs, func(drv string) { found[drv] = s.outputs[drv] })
}

func (s fakeStore) Recorded(_ context.Context, drvs []string) (map[string]map[string]string, error) {
	found := map[string]map[string]string{}
	return found, s.ask(drvs, func(drv string) {
		if _, ok := s.texts[drv]; ok && !s.forgets[drv] {
			found[drv] = s.outputs[drv]
		}
	})
}

const (
	hashA = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-"
	hashB = "/nix/store/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-"
	hashC = "/nix/store/cccccccccccccccccccccccccccccccc-"
)

// drv returns the text of a .drv file with a builder and inputs.
func drv(builder, inputs string) string {
	return `Derive([("out","","r:sha256","")],[` + inputs + `],[],"x86_64-linux","` + builder + `",[],[("name","x")])`
}

const own = hashA + "dgd-exec/bin/dgd-exec"

func TestInstallables(t *testing.T) {
	st := fakeStore{
		texts: map[string]string{
			// A package that dgd does not build, its inputs that dgd builds, and the inputs of these.
			hashA + "top.drv":   drv("/bin/sh", `("`+hashA+`link.drv",["out"]),("`+hashA+`shell.drv",["out"])`),
			hashA + "shell.drv": drv("/bin/sh", ""),
			hashA + "link.drv":  drv(own, `("`+hashA+`pkg.drv",["out","x"]),("`+hashA+`go.drv",["out"])`),
			hashA + "pkg.drv":   drv(own, `("`+hashA+`go.drv",["out"])`),
			hashA + "go.drv":    drv("/bin/sh", `("`+hashA+`boot.drv",["out"])`),
			hashA + "boot.drv":  drv("/bin/sh", ""),
		},
		outputs: map[string]map[string]string{
			hashA + "top.drv":   {"out": hashB + "top"},
			hashA + "link.drv":  {"out": hashB + "link"},
			hashA + "pkg.drv":   {"x": hashB + "pkg-x", "out": hashB + "pkg"},
			hashA + "go.drv":    {"out": hashB + "go"},
			hashA + "shell.drv": {"out": hashB + "shell"},
			hashA + "boot.drv":  {"out": hashB + "boot"},
		},
	}
	check := func(want ...string) {
		t.Helper()
		got, err := Installables(t.Context(), st, []string{hashA + "top.drv"})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	check(hashA+"go.drv^out", hashA+"link.drv^out", hashA+"pkg.drv^out,x", hashA+"top.drv^out")

	// Both a derivation and its resolved form are listed.
	link, err := drvfile.Parse(st.texts[hashA+"link.drv"])
	if err != nil {
		t.Fatal(err)
	}
	resolved, _ := store.Resolve(hashA+"link.drv", link, st.outputs)
	if resolved == hashA+"link.drv" || !strings.HasSuffix(resolved, "-link.drv") {
		t.Fatalf("resolved: %q", resolved)
	}
	st.texts[resolved] = "any"
	st.outputs[resolved] = map[string]string{"out": hashB + "link"}
	want := []string{hashA + "go.drv^out", hashA + "link.drv^out", resolved + "^out", hashA + "pkg.drv^out,x", hashA + "top.drv^out"}
	slices.Sort(want)
	check(want...)

	// An error of the store is not taken for a missing path.
	for _, path := range append(slices.Clone(want), resolved+"^") {
		st.broken, _, _ = strings.Cut(path, "^")
		if _, err := Installables(t.Context(), st, []string{hashA + "top.drv"}); err == nil || err.Error() != st.broken+" cannot be asked for" {
			t.Errorf("for %s the error is %v", st.broken, err)
		}
	}
	st.broken = ""

	// Since Nix 2.35 there is no record of a derivation that is not resolved.
	st.forgets = map[string]bool{hashA + "link.drv": true}
	check(slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name == hashA+"link.drv^out" })...)
	st.forgets = nil

	// Derivations that the store does not have are not listed.
	delete(st.texts, resolved)
	st.outputs[hashA+"pkg.drv"] = map[string]string{"out": hashB + "pkg"}
	delete(st.outputs, hashA+"go.drv")
	check(hashA+"link.drv^out", hashA+"pkg.drv^out", hashA+"top.drv^out")
}

// Derivations below a dynamic one are listed if that has been built.
func TestInstallablesDynamic(t *testing.T) {
	st := fakeStore{
		texts: map[string]string{
			hashA + "top.drv":         strings.Replace(drv(own, `("`+hashA+`program.drv.drv",([],[("out",["out"])]))`), "Derive(", `DrvWithVersion("xp-dyn-drv",`, 1),
			hashA + "program.drv.drv": drv(own, ""),
			hashB + "program.drv":     drv(own, ""),
		},
		outputs: map[string]map[string]string{
			hashA + "top.drv":         {"out": hashC + "top"},
			hashA + "program.drv.drv": {"out": hashB + "program.drv"},
			hashB + "program.drv":     {"out": hashC + "program"},
		},
	}
	want := []string{hashA + "program.drv.drv^out", hashA + "top.drv^out", hashB + "program.drv^out"}
	got, err := Installables(t.Context(), st, []string{hashA + "top.drv"})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	st.broken = hashA + "program.drv.drv"
	if _, err := Installables(t.Context(), st, []string{hashA + "top.drv"}); err == nil || err.Error() != st.broken+" cannot be asked for" {
		t.Errorf("the error is %v", err)
	}
	st.broken = ""
	st.texts[hashB+"program.drv"] = "Derive("
	if _, err := Installables(t.Context(), st, []string{hashA + "top.drv"}); err == nil || !strings.HasPrefix(err.Error(), "reading "+hashB+"program.drv: ") {
		t.Errorf("for a damaged plan the error is %v", err)
	}
	delete(st.outputs, hashA+"program.drv.drv")
	got, err = Installables(t.Context(), st, []string{hashA + "top.drv"})
	if err != nil || !slices.Equal(got, want[1:2]) {
		t.Errorf("got %q, %v, want %q", got, err, want[1:2])
	}
}

func TestInstallablesErrors(t *testing.T) {
	st := fakeStore{
		texts: map[string]string{
			hashA + "new.drv": drv(own, ""),
			hashA + "bad.drv": "Derive(",
			hashA + "top.drv": drv(own, `("`+hashA+`gone.drv",["out"])`),
		},
		outputs: map[string]map[string]string{hashA + "bad.drv": {"out": "x"}, hashA + "top.drv": {"out": "x"}},
	}
	for drv, want := range map[string]string{
		hashA + "program": "is not a .drv file: give the path that nix-instantiate prints",
		hashA + "new.drv": "is not built in this store: build it first",
		hashA + "bad.drv": hashA + "bad.drv: not a derivation that dgd understands: byte 7 is not [",
		hashA + "top.drv": hashA + "gone.drv is not in this store",
	} {
		if _, err := Installables(t.Context(), st, []string{drv}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", drv, err, want)
		}
	}
}
