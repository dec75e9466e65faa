package packages

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const answer = `
{"Dir": "/std/unsafe", "ImportPath": "unsafe", "Standard": true, "DepOnly": true}
{"Dir": "/std/vendor/x", "ImportPath": "vendor/x", "Standard": true, "DepOnly": true, "GoFiles": ["x.go"]}
{"Dir": "/std/net", "ImportPath": "net", "Standard": true, "DepOnly": true, "GoFiles": ["net.go"], "Imports": ["x", "unsafe"], "ImportMap": {"x": "vendor/x"}}
{"Dir": "/mod/lib/a", "ImportPath": "example.org/lib/a", "Name": "a", "DepOnly": true, "GoFiles": ["a.go"], "CgoFiles": ["c.go"], "HFiles": ["a.h"], "Imports": ["C", "net"],
 "Module": {"Path": "example.org/lib", "Version": "v1.0.0", "Replace": {"Path": "example.org/fork", "Version": "v1.1.0"}}}
{"Dir": "/mod/lib/b", "ImportPath": "example.org/lib/b", "Name": "b", "DepOnly": true, "GoFiles": ["b.go"], "Imports": ["example.org/lib/a"],
 "Module": {"Path": "example.org/lib", "Version": "v1.0.0", "Replace": {"Path": "example.org/fork", "Version": "v1.1.0"}}}
{"Dir": "/src/other", "ImportPath": "example.com/m/other", "Name": "other", "GoFiles": ["o.go"], "Imports": ["example.org/lib/a"], "Module": {"Path": "example.com/m", "Main": true}}
{"Dir": "/src/unused", "ImportPath": "example.com/m/unused", "Name": "unused", "GoFiles": ["u.go"], "Module": {"Path": "example.com/m", "Main": true}}
{"Dir": "/src", "ImportPath": "example.com/m", "Name": "main", "GoFiles": ["m.go"], "EmbedFiles": ["data/x"], "Imports": ["example.com/m/other", "example.org/lib/b", "unsafe"], "Module": {"Path": "example.com/m", "Main": true}}
`

func TestRead(t *testing.T) {
	sizes := map[string]int64{
		"/std/vendor/x/x.go": 1, "/std/net/net.go": 2, "/mod/lib/a/a.go": 10, "/mod/lib/a/c.go": 20, "/mod/lib/a/a.h": 30, "/mod/lib/b/b.go": 40,
		"/src/other/o.go": 100, "/src/unused/u.go": 200, "/src/m.go": 300, "/src/data/x": 400,
	}
	g, err := read([]byte(answer), func(file string) (int64, error) {
		n, ok := sizes[file]
		if !ok {
			return 0, errors.New(file + " is not there")
		}
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, m := range g.Modules {
		modules = append(modules, fmt.Sprintf("%s %s %v %d %d %d", m.Path, m.Version, m.Main, m.Packages, m.Files, m.Bytes))
	}
	if want := []string{"example.com/m  true 3 4 1000", "example.org/lib v1.0.0 => example.org/fork v1.1.0 false 2 4 100", "std  false 3 2 3"}; !slices.Equal(modules, want) {
		t.Errorf("the modules are %q, want %q", modules, want)
	}
	for name, want := range map[string]string{
		"example.com/m":        "example.com/m",
		"example.org/lib/a":    "example.com/m example.com/m/other example.org/lib/a",
		"net":                  "example.com/m example.com/m/other example.org/lib/a net",
		"vendor/x":             "example.com/m example.com/m/other example.org/lib/a net vendor/x",
		"unsafe":               "example.com/m unsafe",
		"example.com/m/unused": "",
		"x":                    "",
	} {
		if got := strings.Join(g.Why(name), " "); got != want {
			t.Errorf("%s is there by %q, want %q", name, got, want)
		}
	}
	// Without programs, chains begin with any root.
	last := g.Packages[len(g.Packages)-1]
	last.Root = false
	if got := g.Why("example.com/m/unused"); !slices.Equal(got, []string{"example.com/m/unused"}) {
		t.Errorf("without a program: %q", got)
	}
	if _, err := read([]byte(answer), func(string) (int64, error) { return 0, os.ErrNotExist }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	if _, err := read([]byte("{"), nil); err == nil {
		t.Error("no error for half an answer")
	}
}

// The test parses the DOT output: each edge is between existing nodes, and each import
// outside of the standard library has an edge.
func TestDOT(t *testing.T) {
	g, err := read([]byte(answer), func(string) (int64, error) { return 1500, nil })
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := g.WriteDOT(&b); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]bool{}
	var edges []string
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		if from, to, ok := strings.Cut(strings.TrimSuffix(line, ";"), " -> "); ok {
			edges = append(edges, from+to)
			if !nodes[from] || !nodes[to] {
				t.Errorf("an edge without its node: %s", line)
			}
		} else if name, _, ok := strings.Cut(line, " [label="); ok {
			nodes[name] = true
		}
	}
	slices.Sort(edges)
	want := []string{
		`"example.com/m""example.com/m/other"`, `"example.com/m""example.org/lib/b"`, `"example.com/m""std"`,
		`"example.com/m/other""example.org/lib/a"`, `"example.org/lib/a""std"`, `"example.org/lib/b""example.org/lib/a"`,
	}
	if !slices.Equal(edges, want) || len(nodes) != 6 {
		t.Errorf("the edges are %q, want %q\n%s", edges, want, b.String())
	}
	if !strings.Contains(b.String(), `label="example.org/lib v1.0.0 => example.org/fork v1.1.0\n3.0 kB"`) && !strings.Contains(b.String(), `\n6.0 kB"`) {
		t.Errorf("no sum of a module: %s", b.String())
	}
}

// For real projects, the packages are those that `go list` prints.
func TestLoad(t *testing.T) {
	for _, test := range []struct {
		dir      string
		patterns []string
		root     string // a root
		all      string // the patterns, for a shell
	}{
		{"../../../examples/embed", nil, "example.com/embed", "./..."},
		{"../../../examples/workspace", nil, "example.com/workspace/greet", "./app/... ./greet/... ./tools/..."},
		{"../../../examples/vendored", []string{"."}, "example.com/vendored", "."},
		// Without patterns: all packages of the workspace or module, from any of its directories.
		{"../../../examples/workspace/app", nil, "example.com/workspace/greet", "../app/... ../greet/... ../tools/..."},
		{"../../../examples/packages/shape", nil, "example.com/packages", "../..."},
	} {
		g, err := Load(t.Context(), test.dir, test.patterns)
		if err != nil {
			t.Errorf("%s: %v", test.dir, err)
			continue
		}
		i := slices.IndexFunc(g.Packages, func(p *Package) bool { return p.Path == test.root })
		if i < 0 || !g.Packages[i].Root || g.Packages[i].Bytes == 0 {
			t.Errorf("%s: %s is not there: %+v", test.dir, test.root, g.Packages)
			continue
		}
		var sum int64
		for _, p := range g.Packages {
			if p.Module != Std {
				sum += p.Bytes
			}
		}
		out, err := exec.Command("bash", "-c", `cd "$0" && go list -deps -f '{{if not .Standard}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}' `+test.all+` | tr '\n' '\0' | xargs -0 cat | wc -c`, test.dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.TrimSpace(string(out)); fmt.Sprint(sum) != want {
			t.Errorf("%s: %d bytes, the files have %s", test.dir, sum, want)
		}
	}
	t.Setenv("GOWORK", "off") // one module of the workspace
	g, err := Load(t.Context(), "../../../examples/workspace/greet", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range g.Packages {
		if p.Root != strings.HasPrefix(p.Path, "example.com/workspace/greet") {
			t.Errorf("without the workspace %s is asked for: %v", p.Path, p.Root)
		}
	}
	t.Setenv("GOWORK", "")
	if _, err := Load(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "go list in ") {
		t.Errorf("outside of a module the error is %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.work"), []byte("go x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), dir, nil); err == nil || !strings.Contains(err.Error(), "go.work:1") {
		t.Errorf("with a wrong go.work the error is %v", err)
	}
	t.Setenv("PATH", "")
	if _, err := Load(t.Context(), dir, []string{"."}); err == nil || !strings.HasPrefix(err.Error(), "there is no go command in PATH") {
		t.Errorf("without go the error is %v", err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 12345: "12.3 kB", 1234567: "1.2 MB"} {
		if got := Size(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
