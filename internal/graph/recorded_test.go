package graph

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/buildscript"
)

// unsupported are the recorded scripts that must not become a graph: what they
// ask for, -n does not print in full.
var unsupported = regexp.MustCompile(`-(cover|vet|test[a-z-]*|cshared|carchive|plugin|lang)\.|-test-|-cover-`)

var linked = regexp.MustCompile(`/link(?:\.exe)? -o (\$WORK/b\d+/exe/a\.out(?:\.exe)?) `)

// anyCompiler knows every compiler of the recorded scripts.
var anyCompiler = func() map[string]CompilerFlags {
	m := map[string]CompilerFlags{}
	for _, c := range []string{"gcc", "g++", "clang", "clang++", "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-g++", "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++", "/opt/llvm mingw/bin/clang-20", "/opt/llvm mingw/bin/clang++-20"} {
		m[c] = CompilerFlags{After: []string{"-gno-record-gcc-switches"}, PrefixMap: "-ffile-prefix-map"}
	}
	return m
}()

// Each recorded script gives a graph in which every command of the script is,
// or an error that names a line.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("../buildscript/testdata/scripts/*/*.txt.gz")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d recorded scripts, %v", len(files), err)
	}
	graphs := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt.gz")
		t.Run(filepath.Base(filepath.Dir(file))+"/"+name, func(t *testing.T) {
			text := readRecorded(t, file)
			if !strings.Contains(text, "\nmv $WORK/") {
				// Recorded without -o: the program is thrown away, which is
				// not what a plan may do.
				if link := linked.FindStringSubmatch(text); link != nil {
					text += "mv " + link[1] + " program\n"
				}
			}
			script, err := buildscript.Parse(text, buildscript.Options{})
			if err != nil {
				t.Fatal(err)
			}
			project := "/src/" + strings.SplitN(name, "-", 4)[2]
			g, err := New(script, Options{
				Goroot: "/goroot", Src: "/src", ModRoot: project, Module: "example.com/recorded",
				Compilers: anyCompiler,
				CgoFlags:  func(string) ([]string, error) { return nil, nil },
			})
			if unsupported.MatchString(name + ".") {
				var at *buildscript.Error
				if !errors.As(err, &at) || at.Line < 1 {
					t.Fatalf("got %v, want an error with a line", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			graphs++
			account(t, script, g)
			for i, n := range g.Nodes {
				for _, r := range n.Refs {
					if r.Node >= i {
						t.Errorf("%s refers to a node that comes later", n.Name)
					}
				}
				if strings.Contains(marshal(t, n), "$WORK/b") {
					t.Errorf("%s keeps a path of the script: %s", n.Name, marshal(t, n))
				}
			}
		})
	}
	if graphs < 80 {
		t.Errorf("only %d graphs", graphs)
	}
}

// account checks that the graph has as many steps of each kind as the script
// has commands.
func account(t *testing.T, script *buildscript.Script, g *Graph) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	for _, s := range script.Steps {
		switch a := s.Action.(type) {
		case buildscript.Run:
			switch {
			case a.Tool == "buildid":
			case a.Tool == "" && strings.HasSuffix(a.Args[0], "pkg-config"):
				want["pkg-config"]++
			case a.Tool == "":
				want["cc"]++
			default:
				want[a.Tool]++
			}
		case buildscript.Write:
			want["write"]++
		case buildscript.Copy:
			want["copy"]++
		}
	}
	count := func(r *action.Run) {
		tool := "cc"
		if i := strings.LastIndex(r.Args[0], "/pkg/tool/"); i >= 0 {
			tool = strings.TrimSuffix(r.Args[0][strings.LastIndex(r.Args[0], "/")+1:], ".exe")
		}
		got[tool]++
	}
	for _, n := range g.Nodes {
		for _, s := range n.Steps {
			switch {
			case s.Run != nil:
				count(s.Run)
			case s.Write != nil:
				got["write"]++
			case s.Copy != nil:
				got["copy"]++
			case s.Pack != nil:
				got["pack"]++
			case s.PkgConfig != nil:
				got["pkg-config"]++
			case s.DynImport != nil:
				count(&s.DynImport.Link)
				count(&s.DynImport.Import)
			}
		}
	}
	for kind := range want {
		if got[kind] != want[kind] {
			t.Errorf("%s: the script has %d, the graph %d", kind, want[kind], got[kind])
		}
	}
	for kind := range got {
		if want[kind] == 0 {
			t.Errorf("%s: the graph has %d, the script none", kind, got[kind])
		}
	}
}

func readRecorded(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
