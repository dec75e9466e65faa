package cache

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A fakeStore has .drv files, and outputs of some of them.
type fakeStore struct {
	texts   map[string]string
	outputs map[string]map[string]string
}

func (s fakeStore) Text(_ context.Context, drv string) (string, error) {
	text, ok := s.texts[drv]
	if !ok {
		return "", fmt.Errorf("%s is not there", drv)
	}
	return text, nil
}

func (s fakeStore) Outputs(_ context.Context, drv string) (map[string]string, error) {
	return s.outputs[drv], nil
}

func (s fakeStore) Has(_ context.Context, path string) (bool, error) {
	_, ok := s.texts[path]
	return ok, nil
}

const (
	hashA = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-"
	hashB = "/nix/store/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-"
	hashC = "/nix/store/cccccccccccccccccccccccccccccccc-"
)

// drv is a .drv file that a program builds, with inputs as they are written.
func drv(builder, inputs string) string {
	return `Derive([("out","","r:sha256","")],[` + inputs + `],[],"x86_64-linux","` + builder + `",[],[("name","x")])`
}

const own = hashA + "dgd-exec/bin/dgd-exec"

func TestInstallables(t *testing.T) {
	st := fakeStore{
		texts: map[string]string{
			// A package that is not dgd's, what dgd made for it, and what that was made of.
			hashA + "top.drv":   drv("/bin/sh", `("`+hashA+`link.drv",["out"]),("`+hashA+`shell.drv",["out"])`),
			hashA + "shell.drv": drv("/bin/sh", ""),
			hashA + "link.drv":  drv(own, `("`+hashA+`pkg.drv",["out","x"]),("`+hashA+`go.drv",["out"])`),
			hashA + "pkg.drv":   drv(own, ""),
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

	// Of a derivation that Nix has resolved, both forms.
	link, err := read(hashA+"link.drv", st.texts[hashA+"link.drv"])
	if err != nil {
		t.Fatal(err)
	}
	resolved, ok, err := link.resolved(func(drv string) (map[string]string, error) { return st.outputs[drv], nil })
	if err != nil || !ok || resolved == link.path || !strings.HasSuffix(resolved, "-link.drv") {
		t.Fatalf("resolved: %q, %v, %v", resolved, ok, err)
	}
	st.texts[resolved] = "any"
	st.outputs[resolved] = map[string]string{"out": hashB + "link"}
	want := []string{hashA + "go.drv^out", hashA + "link.drv^out", resolved + "^out", hashA + "pkg.drv^out,x", hashA + "top.drv^out"}
	slices.Sort(want)
	check(want...)

	// What is not there is not named.
	delete(st.texts, resolved)
	st.outputs[hashA+"pkg.drv"] = map[string]string{"out": hashB + "pkg"}
	delete(st.outputs, hashA+"go.drv")
	check(hashA+"link.drv^out", hashA+"pkg.drv^out", hashA+"top.drv^out")
}

// Below a dynamic derivation, once it is there.
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
		hashA + "program": "is not a .drv file: give what nix-instantiate prints",
		hashA + "new.drv": "is not built in this store: build it first",
		hashA + "bad.drv": hashA + "bad.drv: no derivation: byte 7 is not the beginning of a term",
		hashA + "top.drv": hashA + "gone.drv is not there",
	} {
		if _, err := Installables(t.Context(), st, []string{drv}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", drv, err, want)
		}
	}
}

// What a term is read from is what it prints.
func TestTerms(t *testing.T) {
	for _, text := range []string{
		`""`, `"a\"b\\c\nd\re\tf$é"`, `[]`, `()`, `Derive([],("a",["b","c"]))`, drv(own, `("a",(["out"],[("out",["x"])]))`),
	} {
		got, err := parse(text)
		if err != nil || got.String() != text {
			t.Errorf("%s is read as %s, %v", text, got, err)
		}
	}
	for _, text := range []string{``, `"`, `"\`, `"\x"`, `[`, `["a"`, `["a" "b"]`, `["a",]`, `("a"]`, `a`, `[]]`, `1`, strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		if got, err := parse(text); err == nil {
			t.Errorf("%s is read as %s", text, got)
		}
	}
}

func TestReadWrong(t *testing.T) {
	for _, text := range []string{
		`"a"`, `Derive()`, `Other([],[],[],"","",[],[])`, `DrvWithVersion("new",[],[],[],"","",[],[])`,
		`Derive([],["a"],[],"","",[],[])`, `Derive([],[("a")],[],"","",[],[])`, `Derive([],[("a","b")],[],"","",[],[])`,
		`Derive([],[("a",([]))],[],"","",[],[])`, `Derive([],[("a",([],[("b",([],[]))]))],[],"","",[],[])`,
		`Derive([],[],[[]],"","",[],[])`, `Derive([],[("a",[[]])],[],"","",[],[])`,
	} {
		if d, err := read("x", text); err == nil {
			t.Errorf("%s is read as %+v", text, d)
		}
	}
}

// Placeholders as Nix 2.34 writes them.
func TestPlaceholders(t *testing.T) {
	program := placeholder("/nix/store/kkcl730bqx50dzx19wc9wd456gqzzjx8-program.drv.drv", "out")
	if got, want := inText(placeholderBelow(program, "out")), "/1rj53yqayspg4shbjn6wd4az41701gxngvfl5xpdhy0qycqhc10r"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// With all inputs known, a derivation becomes one that has sources only.
func TestResolved(t *testing.T) {
	upstream := inText(placeholder(hashA+"pkg.drv", "x"))
	d, err := read(hashA+"link.drv", `Derive([("out","","r:sha256","")],[("`+hashA+`pkg.drv",["x"])],["`+hashC+`src"],"s","b",["-x"],[("in","`+upstream+`/p")])`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []input{{drv: hashA + "pkg.drv", outputs: []string{"x"}}}; !reflect.DeepEqual(d.inputs, want) {
		t.Errorf("the inputs are %+v", d.inputs)
	}
	known := map[string]string{}
	outputs := func(string) (map[string]string, error) { return known, nil }
	if _, ok, err := d.resolved(outputs); ok || err != nil {
		t.Errorf("it is resolved without inputs: %v", err)
	}
	known["x"] = hashB + "pkg-x"
	got, ok, err := d.resolved(outputs)
	plain, e := read(hashA+"link.drv", `Derive([("out","","r:sha256","")],[],["`+hashB+`pkg-x","`+hashC+`src"],"s","b",["-x"],[("in","`+hashB+`pkg-x/p")])`)
	if e != nil {
		t.Fatal(e)
	}
	want, _, _ := plain.resolved(outputs)
	if err != nil || !ok || got != want {
		t.Errorf("%s, %v, %v, want %s", got, ok, err, want)
	}
}
