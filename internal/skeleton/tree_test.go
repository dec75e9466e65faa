package skeleton

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// layOut writes files below a new directory. A text that begins with "-> " is
// that of a symlink; a name that ends in a slash is a directory.
func layOut(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "src")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(file), 0o777)
		if target, ok := strings.CutPrefix(files[name], "-> "); ok && err == nil {
			err = os.Symlink(target, file)
		} else if strings.HasSuffix(name, "/") && err == nil {
			err = os.MkdirAll(file, 0o777)
		} else if err == nil {
			err = os.WriteFile(file, []byte(files[name]), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// readTree is the reverse of layOut; directories with something in them are
// left out.
func readTree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel := p[len(dir)+1:]
		switch {
		case d.IsDir():
			entries, err := os.ReadDir(p)
			if len(entries) == 0 {
				files[rel+"/"] = ""
			}
			return err
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			files[rel] = "-> " + target
			return err
		}
		text, err := os.ReadFile(p)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t testing.TB, src string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(context.Background(), &buf, src); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// unpack lays out the skeleton of a directory in another one.
func unpack(t testing.TB, src string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "unpacked", "src")
	if err := Unpack(bytes.NewReader(write(t, src)), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTree(t *testing.T) {
	const text = "package p\n\nfunc f() {}\n"
	long := "// " + strings.Repeat("long header ", 1000) + "\n"
	deep := strings.Repeat("a directory with a long name/", 20)
	files := map[string]string{
		"go.mod":                "module m\n",
		"p.go":                  text,
		"long.go":               long + text,
		"body.go":               text + long,
		"embed.go":              "package p\n\nimport _ \"embed\"\n\n" + long + "//go:embed x\nvar x string\n",
		"f.c":                   "// f\nint f;\n",
		"LICENSE":               "text",
		"run.sh":                "#!/bin/sh",
		"empty/":                "",
		deep + "p.go":           text,
		"ümlaut \xff\n$(id).go": text,
		".hidden/_x.go":         text,
		"vendor/modules.txt":    "# m\n",
		"vendor/m/go.sum":       "sum",
		".git/config":           "config",
		".git/x.go":             text,
		"sub/.git":              "gitdir: x",
		"link.go":               "-> p.go",
		"generated.go":          "-> shared/generated.txt",
		"chain.c":               "-> chain",
		"chain":                 "-> shared/c.txt",
		"name.txt":              "-> shared/other.txt",
		"dir":                   "-> shared",
		"away.go":               "-> /nowhere/x.go",
		"up.go":                 "-> ../../x.go",
		"loop.go":               "-> loop.go",
		"shared/generated.txt":  text,
		"shared/c.txt":          "int f;\n",
		"shared/other.txt":      text,
	}
	src := layOut(t, files)
	if err := os.Chmod(filepath.Join(src, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(files)
	for name, text := range map[string]string{
		"p.go": "package p\n", "long.go": long + "package p\n", "body.go": "package p\n",
		"embed.go": "package p\n\nimport _ \"embed\"\nvar (\n//go:embed x\n)\n",
		"f.c":      "// f\n", "LICENSE": "", "run.sh": "", deep + "p.go": "package p\n",
		"ümlaut \xff\n$(id).go": "package p\n", ".hidden/_x.go": "package p\n",
		"sub/.git": "", "shared/other.txt": "", ".git/": "", "away.go": "-> " + Outside,
	} {
		want[name] = text
	}
	delete(want, ".git/config")
	delete(want, ".git/x.go")
	if got := readTree(t, unpack(t, src)); !reflect.DeepEqual(got, want) {
		t.Errorf("unpacked to\n%q, want\n%q", got, want)
	}

	// The bytes of a skeleton do not depend on the place and time, nor on a symlink to the
	// sources.
	first := write(t, src)
	files["p.go"] = "package p\n\nfunc g() {}\n"
	files["LICENSE"] = "another"
	files[".git/more"] = "x"
	again := layOut(t, files)
	if err := os.Symlink(again, again+".link"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{again, again + ".link"} {
		if !bytes.Equal(write(t, dir), first) {
			t.Errorf("the skeleton of %s is another", dir)
		}
	}
}

// A failingWriter fails after some bytes.
type failingWriter int

func (w *failingWriter) Write(b []byte) (int, error) {
	if *w -= failingWriter(len(b)); *w < 0 {
		return 0, errors.New("full")
	}
	return len(b), nil
}

// The target of an absolute symlink has no effect on the skeleton: nix-build makes a
// new symlink result after each build.
func TestAbsoluteLinks(t *testing.T) {
	of := func(target string) []byte {
		return write(t, layOut(t, map[string]string{"p.go": "package p\n", "result": "-> " + target, "d/x.go": "-> " + target}))
	}
	if !bytes.Equal(of("/nix/store/a-program"), of("/nix/store/b-program")) {
		t.Error("the skeleton depends on the target of an absolute link")
	}
	if bytes.Equal(of("../a"), of("../b")) {
		t.Error("the skeleton does not depend on the target of a relative link")
	}
}

func TestTreeErrors(t *testing.T) {
	src := layOut(t, map[string]string{"p.go": "package p\n", "go.mod": strings.Repeat("x", 1<<17)})
	for _, size := range []failingWriter{0, 1 << 16} {
		if err := Write(t.Context(), &size, src); err == nil || err.Error() != "writing the skeleton: full" {
			t.Errorf("the error is %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Write(ctx, new(bytes.Buffer), src); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	archive := write(t, src)
	for _, n := range []int{1, 700, len(archive) / 2} {
		if err := Unpack(bytes.NewReader(archive[:n]), filepath.Join(t.TempDir(), "x")); err == nil {
			t.Errorf("the first %d bytes are unpacked", n)
		}
	}
	if err := Unpack(bytes.NewReader(archive), src); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the error is %v", err)
	}
	if err := Unpack(bytes.NewReader(archive), filepath.Join(src, "p.go")); err == nil {
		t.Error("unpacked in a file")
	}
	if err := syscall.Mkfifo(filepath.Join(src, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), new(bytes.Buffer), src); err == nil || !strings.Contains(err.Error(), "pipe is neither a file") {
		t.Errorf("the error is %v", err)
	}
}

var buildID = regexp.MustCompile(`-buildid[= ]\S+|(?m)^.*/buildid .*$|\b[A-Za-z0-9_-]{20}(/[A-Za-z0-9_-]{20})+\b`)

// embedPosition is where a //go:embed line is, which a skeleton does not tell.
var embedPosition = regexp.MustCompile(`(\.go):[0-9]+:[0-9]+(?:: pattern)`)

// script is what `go build -n` prints in dir, without build IDs.
func script(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", slices.Concat([]string{"build", "-n", "-p=1", "-trimpath", "-buildvcs=false"}, args)...)
	cmd.Dir = dir
	cmd.Env = slices.Concat(os.Environ(), []string{"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off", "PWD=" + dir}, env)
	out, err := cmd.CombinedOutput()
	text := strings.ReplaceAll(buildID.ReplaceAllString(string(out), "ID"), dir, "SRC")
	// The go command prints names relative to dir if these are shorter.
	modules, envErr := exec.Command("go", "env", "GOMODCACHE").Output()
	if envErr != nil {
		t.Fatal(envErr)
	}
	name := strings.TrimSpace(string(modules))
	if rel, relErr := filepath.Rel(dir, name); relErr == nil {
		text = strings.ReplaceAll(text, rel+"/", name+"/")
	}
	if err != nil {
		return text + err.Error()
	}
	return text
}

// The skeletons of the examples have the scripts of the examples.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command many times")
	}
	examples, err := filepath.Glob("../../examples/*/go.mod")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	more := layOut(t, map[string]string{
		"go.mod":           "module example.com/more\n\ngo 1.24\n",
		"main.go":          "package main\n\nimport (\n\t\"embed\"\n\t_ \"example.com/more/asm\"\n\t_ \"example.com/more/native\"\n)\n\nvar x int\n\n//go:embed data all:more link.d\nvar fs embed.FS\n\nfunc main() {}\n",
		"main_test.go":     "package main\n\nimport _ \"testing\"\n\nfunc f() {\n",
		"default.pgo":      "profile",
		"data/x":           "x",
		"more/.x":          "x",
		"link.d/x":         "-> ../data/x",
		"link.d/y":         "y",
		"asm/asm.s":        "TEXT ·f(SB), 4, $0\n\tRET\n",
		"asm/asm.go":       "package asm\n\nfunc f()\n",
		"asm/other.s":      "//go:build ignore\n",
		"native/native.go": "package native\n\n// #cgo LDFLAGS: -lm\nimport \"C\"\n",
		"native/a.go":      "-> ../shared/a.txt",
		"native/f.c":       "int f;",
		"native/g.c":       "// +build ignore\n\nint g;",
		"native/h.S":       ".text",
		"shared/a.txt":     "package native\n\nimport _ \"strings\"\n",
	})
	dirs := []string{more}
	bad := layOut(t, map[string]string{
		"go.mod":       "module example.com/bad\n\ngo 1.24\n",
		"refused/r.go": "package main\n\nimport \"C\"\n",
		"refused/r.s":  "\tNOP\nTEXT ·f(SB), 4, $0\n",
		"import/i.go":  "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.org/x\"\n)\n\nfunc main() {}\n",
		"broken/b.go":  "package main\n\nimport \"x\nfunc main() {}\n",
		"nowhere/n.go": "package main\n\nimport _ \"embed\"\n//go:embed nowhere\nvar x string\n\nfunc main() {}\n",
	})
	for _, mod := range examples {
		dirs = append(dirs, filepath.Dir(mod))
	}
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			kept := unpack(t, dir)
			// With an empty cache it prints every action.
			for _, args := range [][]string{
				{"CGO_ENABLED=1", "./..."},
				{"CGO_ENABLED=0", "GOOS=windows", "-tags=extra", "./..."},
			} {
				n := slices.IndexFunc(args, func(s string) bool { return !strings.Contains(s, "=") || s[0] == '-' })
				env := append(args[:n:n], "GOCACHE="+t.TempDir())
				want := script(t, dir, env, args[n:]...)
				got := script(t, kept, env, args[n:]...)
				if dir == more && strings.Contains(want, "exit status") {
					t.Fatalf("go says\n%s", want)
				}
				if got != want {
					t.Errorf("%q: the skeleton's script differs:\n%s", args, firstDifference(got, want))
				}
			}
		})
	}
	for _, name := range []string{"refused", "import", "broken", "nowhere"} {
		env := []string{"CGO_ENABLED=1", "GOCACHE=" + t.TempDir()}
		want := embedPosition.ReplaceAllString(script(t, bad, env, "./"+name), "$1")
		got := embedPosition.ReplaceAllString(script(t, unpack(t, bad), env, "./"+name), "$1")
		if !strings.Contains(want, "exit status 1") || got != want {
			t.Errorf("%s: go says\n%s\nwant\n%s", name, got, want)
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "got  " + x[i] + "\nwant " + y[i]
		}
	}
	return "one is longer"
}

// BenchmarkWrite makes the skeleton of 1,000 packages of 10 files of 4 kB.
func BenchmarkWrite(b *testing.B) {
	files := map[string]string{}
	text := "package p\n\nimport \"fmt\"\n" + strings.Repeat("func f() int { return 42 }\n", 150)
	for i := range 1000 {
		for j := range 10 {
			files["p"+string(rune('a'+i/100))+string(rune('a'+i/10%10))+string(rune('a'+i%10))+"/f"+string(rune('a'+j))+".go"] = text
		}
	}
	src := layOut(b, files)
	for b.Loop() {
		write(b, src)
	}
}
