package graph

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dgd/internal/buildscript"
)

// recordedOptions are the options for a recorded script. See
// ../buildscript/testdata/record for how it was made.
func recordedOptions(file string) Options {
	name := strings.TrimSuffix(filepath.Base(file), ".txt.gz")
	_, rest, _ := strings.Cut(name, "-") // GOOS-GOARCH-NAME
	_, name, _ = strings.Cut(rest, "-")
	module, variant, _ := strings.Cut(name, "-")
	root := module
	if variant == "root" {
		root = "my programs"
		if module == "hostile" {
			root = "a b/$c;d's (1)"
		}
	}
	opt := Options{
		Goroot:  "/goroot",
		Src:     "/src",
		ModRoot: "/src/" + root,
		Module:  "example.com/" + module,
		ToolEnv: []string{"GOOS=any"},
		Tests: map[string]TestMain{
			"example.com/test.test":    {Dir: "/src/test", Text: "package main // costs $1\n"},
			"example.com/cgo/exp.test": {Dir: "/src/cgo/exp", Text: "package main\n"},
		},
		CgoFlags: func(dir string) ([]string, error) {
			// The go command makes the paths behind -I and -L absolute.
			if dir == "/src/"+root && module == "cgo" {
				return []string{"-DFOO=1", "-I" + dir, "-I", dir + "/inc", "-I", dir + "/inc", "-DMSG=hello, world ...", "-DDOLLAR=$x", "-lm", "-L", dir + "/lib"}, nil
			}
			return nil, nil
		},
	}
	opt.Compilers = []string{
		"gcc", "g++", "clang", "clang++", "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++",
		"x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-g++", "/opt/llvm mingw/bin/clang-20", "/opt/llvm mingw/bin/clang++-20",
	}
	return opt
}

// unsupported returns the error for scripts that dgd cannot build.
func unsupported(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".txt.gz")
	switch {
	case strings.HasSuffix(name, "-test-cover"):
		return "reads $WORK/b002/_testmain.go, which no earlier command has written: "
	case strings.HasSuffix(name, "-test-vet"):
		return "dgd does not know what the file vet.cfg is for: "
	case strings.HasSuffix(name, "cgo-vet"):
		return "reads $WORK/b001/_testmain.go, which no earlier command has written: "
	case strings.HasSuffix(name, "-plugin"):
		return "dgd does not support -buildmode=plugin: "
	case strings.HasSuffix(name, "-lang"):
		return "is no compiler call that dgd knows: it has no -fmessage-length=0: swig -version"
	}
	return ""
}

var linked = regexp.MustCompile(`/link -o (\$WORK/b\d+/exe/a\.out(\.exe)?) `)

// TestRecorded makes graphs of the scripts of several versions of Go.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("../buildscript/testdata/scripts/*/*.txt.gz")
	if err != nil || len(files) < 200 {
		t.Fatalf("%d recorded scripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text := readRecorded(t, file)
			if link := linked.FindStringSubmatch(text); link != nil && !strings.Contains(text, "\nmv $WORK/") {
				// `go build . ./lib` throws its program away.
				text += "mv " + link[1] + " program\n"
			}
			script, err := buildscript.Parse(text, buildscript.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := unsupported(file)
			g, err := account(t, script, recordedOptions(file), true)
			if want == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkTokens(t, g)
				checkTests(t, g)
				checkRecorded(t, file, g)
				return
			}
			var lineError *buildscript.Error
			if !errors.As(err, &lineError) || lineError.Line < 1 || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, want %q with a line", err, want)
			}
		})
	}
}

// checkRecorded checks that a graph agrees with the name of the script.
func checkRecorded(t *testing.T, file string, g *Graph) {
	t.Helper()
	var links, files, cgo, runtime, tests int
	for _, n := range g.Nodes {
		switch {
		case n.Kind == Link:
			links++
			if n.Cgo != (cgo > 0) {
				t.Errorf("the link of %s has a C compiler: %v", n.Name, n.Cgo)
			}
		case n.Kind == File:
			files++
		case n.Cgo:
			cgo++
		}
		library := strings.HasSuffix(file, "-cshared.txt.gz") || strings.HasSuffix(file, "-carchive.txt.gz")
		if n.Header != (library && n.Kind == Package && n.Name == "example.com/cgo") {
			t.Errorf("%s has a header: %v", n.Name, n.Header)
		}
		if n.Name == "runtime" {
			runtime++
		}
		for _, s := range n.Steps {
			if s.Run == nil || !s.Run.Parallel {
				continue
			}
			if p := s.Run.Args[slices.Index(s.Run.Args, "-p")+1]; p != n.Name && p != "main" {
				t.Errorf("the package %s has the name %s", p, n.Name)
			}
		}
		if n.Kind == Test {
			tests++
		}
		if n.Kind == Package && n.Std != (n.Src == nil) && !strings.HasSuffix(n.Name, ".test") {
			t.Errorf("%s: std %v, sources %v", n.Name, n.Std, n.Src)
		}
	}
	name := strings.TrimSuffix(filepath.Base(file), ".txt.gz")
	is := func(part string) bool { return strings.Contains(name, part) }
	if links != 1 || runtime != 1 {
		t.Errorf("%d links, the package runtime %d times", links, runtime)
	}
	if want := is("-pgo") && !is("-none"); (files == 1) != want {
		t.Errorf("%d preprocessed profiles", files)
	}
	if want := is("-test-run"); (tests == 1) != want {
		t.Errorf("%d tests are run", tests)
	}
	// Five packages of its own, runtime/cgo, with -race runtime/race.
	if want := is("-cgo") && !is("-test-run"); (cgo >= 6) != want {
		t.Errorf("%d packages with C", cgo)
	}
}

func readRecorded(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
