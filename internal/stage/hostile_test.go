package stage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// canaries makes a directory for PATH. Each program in it that hostile sources may try to
// run records its call; the C compiler is the real one. It returns the directory, and a
// function that returns the calls so far.
func canaries(t *testing.T) (path string, calls func() []string) {
	t.Helper()
	path = t.TempDir()
	log := filepath.Join(t.TempDir(), "calls")
	for _, name := range []string{
		"sh", "bash", "env", "id", "touch", "pwned", "gcc", "g++", "cc", "c++", "clang", "as", "ld", "ar", "pkg-config",
		"git", "hg", "svn", "fossil", "bzr", "swig", "gfortran", "go",
	} {
		text := fmt.Sprintf("#!/bin/sh\necho \"%s $*\" >> %s\n", name, log)
		if name == "gcc" || name == "g++" {
			text += fmt.Sprintf("PATH=%s exec %s \"$@\"\n", os.Getenv("PATH"), name)
		}
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return path, func() []string {
		text, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
}

// Payloads of a shell, for names and for flags.
const payload = "$(pwned)`pwned`;pwned|pwned&pwned"

// Hostile sources try to run a program while they are planned. They are built correctly or
// give an error, and no program runs.
func TestHostileSources(t *testing.T) {
	with := func(nameText ...string) map[string]string {
		files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"}
		for i := 0; i < len(nameText); i += 2 {
			files[nameText[i]] = nameText[i+1]
		}
		return files
	}
	const plain = "package main\n"
	imports := func(path string) string { return "package main\n\nimport _ " + fmt.Sprintf("%q", path) + "\n" }
	embeds := func(patterns string) string {
		return "package main\n\nimport \"embed\"\n\n//go:embed " + patterns + "\nvar fs embed.FS\n"
	}
	cgo := func(line string) string {
		return "package main\n\n// #cgo " + line + "\n// #include \"x.h\"\nimport \"C\"\n"
	}
	tests := []struct {
		name  string
		files map[string]string
		cgo   bool
		// A file of the program's package, or a part of the error.
		file, want string
	}{
		{name: "double quote", files: with("a\"b.go", plain), file: "a\"b.go"},
		{name: "single quote", files: with("a'b.go", plain), file: "a'b.go"},
		{name: "dollar", files: with("a$HOME.go", plain), file: "a$HOME.go"},
		{name: "command", files: with("a"+payload+".go", plain), file: "a" + payload + ".go"},
		{name: "backticks", files: with("a`pwned`.go", plain), file: "a`pwned`.go"},
		{name: "redirection", files: with("a > b.go", plain), file: "a > b.go"},
		{name: "comment", files: with("a #b.go", plain), file: "a #b.go"},
		{name: "backslash", files: with("a\\b.go", plain), file: "a\\b.go"},
		{name: "glob", files: with("a*?[b]{c,d}~.go", plain), file: "a*?[b]{c,d}~.go"},
		{name: "space", files: with("a  b.go", plain), file: "a  b.go"},
		{name: "like the work directory", files: with("a$WORK.go", plain), want: "$WORK is part of a longer name here, and may not be the work directory"},
		{name: "newline", files: with("a\nb.go", plain), file: "a\nb.go"},
		{name: "newline and a command", files: with("a\ncp pwned b.go", plain), file: "a\ncp pwned b.go"},
		{name: "newline and a heredoc's end", files: with("a\nEOF\npwned\n.go", plain), file: "a\nEOF\npwned\n.go"},
		{name: "carriage return", files: with("a\rb.go", plain), file: "a\rb.go"},
		{name: "tab", files: with("a\tb.go", plain), file: "a\tb.go"},
		{name: "not UTF-8", files: with("a\xffb.go", plain), want: `the name of the source file "a\xffb.go" is not UTF-8`},
		{name: "a flag", files: with("-toolexec=pwned.go", plain), want: `invalid input file name "-toolexec=pwned.go"`},
		{name: "an argument file", files: with("@pwned.go", plain), want: `invalid input file name "@pwned.go"`},

		{name: "a directory like a flag", files: with("-toolexec=pwned/x.go", "package x\n", "i.go", imports("example.com/m/-toolexec=pwned")), want: "invalid import path: example.com/m/-toolexec=pwned"},
		{name: "a directory with a command", files: with("a$(pwned)/x.go", "package x\n", "i.go", imports("example.com/m/a$(pwned)")), want: "invalid import path: example.com/m/a$(pwned)"},
		{name: "a directory with a quote", files: with("a'b/x.go", "package x\n", "i.go", imports("example.com/m/a'b")), want: "invalid import path: example.com/m/a'b"},
		{name: "a module path with a command", files: with("go.mod", "module \"example.com/$(pwned)\"\n\ngo 1.24\n"), want: `malformed module path "example.com/$(pwned)"`},
		{name: "a module path like a flag", files: with("go.mod", "module -toolexec=pwned\n\ngo 1.24\n"), want: `malformed module path "-toolexec=pwned": leading dash`},
		{name: "another toolchain", files: with("go.mod", "module example.com/m\n\ngo 1.24\n\ntoolchain go1.99.0-pwned\n"), file: "main.go"},
		{name: "a later Go", files: with("go.mod", "module example.com/m\n\ngo 1.99\n"), want: "go.mod requires a newer Go than the argument `go` gives"},
		{name: "a replacement out of src", files: with("go.mod", "module example.com/m\n\ngo 1.24\n\nreplace example.org/x => /etc\n"), file: "main.go"},

		{name: "an embedded name", files: with("e.go", embeds("all:data"), "data/a$(pwned)&b.txt", ""), file: "data/a$(pwned)&b.txt"},
		{name: "an embedded name with a quote", files: with("e.go", embeds("data"), "data/a'b.txt", ""), want: "cannot embed file data/a'b.txt: invalid name"},
		{name: "an embedded name with a newline", files: with("e.go", embeds("data"), "data/a\nEOF\npwned", ""), want: "cannot embed file data/a\nEOF\npwned: invalid name"},
		{name: "an embedded heredoc's end", files: with("e.go", embeds("EOF"), "EOF", ""), file: "EOF"},
		{name: "an embed pattern above", files: with("e.go", embeds("../x")), want: "pattern ../x: invalid pattern syntax"},
		{name: "an absolute embed pattern", files: with("e.go", embeds("/etc/passwd")), want: "pattern /etc/passwd: invalid pattern syntax"},
		{name: "an embed pattern with a command", files: with("e.go", embeds("`$(pwned)`")), want: "pattern $(pwned): no matching files found"},

		{name: "go:generate", files: with("g.go", "package main\n\n//go:generate sh -c pwned\n"), file: "g.go"},
		{name: "a line directive", files: with("l.go", "package main\n\n//line $(pwned).go:1\n"), file: "l.go"},
		{name: "a build constraint", files: with("b.go", "//go:build $(pwned)\n\npackage main\n"), want: "parsing //go:build line: invalid syntax at $"},
		{name: "a go.env", files: with("go.env", "GOFLAGS=-toolexec=pwned\n"), file: "main.go"},
		{name: "a repository", files: with(".git/config", "[core]\n\tfsmonitor = pwned\n", ".git/HEAD", "ref: refs/heads/main\n"), file: "main.go"},

		{name: "a flag with a command", cgo: true, files: with("c.go", cgo("CFLAGS: -DX=$(pwned)"), "x.h", ""), want: "malformed #cgo argument: -DX=$(pwned)"},
		{name: "a flag with backticks", cgo: true, files: with("c.go", cgo("CFLAGS: -DX=`pwned`"), "x.h", ""), want: "malformed #cgo argument: -DX=`pwned`"},
		{name: "a flag with a semicolon", cgo: true, files: with("c.go", cgo("CFLAGS: -DX=1;pwned"), "x.h", ""), want: "malformed #cgo argument: -DX=1;pwned"},
		{name: "a flag with a quoted command", cgo: true, files: with("c.go", cgo(`CFLAGS: "-DX=a b" '-DY=$HOME' -DZ=a\ b`), "x.h", ""), file: "c.go"},
		{name: "a plugin of the compiler", cgo: true, files: with("c.go", cgo("CFLAGS: -fplugin=${SRCDIR}/x.so"), "x.h", ""), want: "example.com/m: invalid flag in #cgo CFLAGS: -fplugin=x.so"},
		{name: "a wrapper of the compiler", cgo: true, files: with("c.go", cgo("CFLAGS: -wrapper pwned"), "x.h", ""), want: "example.com/m: invalid flag in #cgo CFLAGS: -wrapper"},
		{name: "programs of the compiler", cgo: true, files: with("c.go", cgo("CFLAGS: -B${SRCDIR}"), "x.h", ""), want: "example.com/m: invalid flag in #cgo CFLAGS: -B"},
		{name: "an argument file of the compiler", cgo: true, files: with("c.go", cgo("CFLAGS: @x.h"), "x.h", ""), want: "example.com/m: invalid flag in #cgo CFLAGS: @x.h"},
		{name: "a linker's plugin", cgo: true, files: with("c.go", cgo("LDFLAGS: -Wl,-plugin,${SRCDIR}/x.so"), "x.h", ""), want: "example.com/m: invalid flag in #cgo LDFLAGS: -Wl,-plugin,x.so"},
		{name: "an interpreter", cgo: true, files: with("c.go", cgo("LDFLAGS: -Wl,--dynamic-linker=/tmp/pwned"), "x.h", ""), want: "example.com/m: invalid flag in #cgo LDFLAGS: -Wl,--dynamic-linker=/tmp/pwned"},
		{name: "an output", cgo: true, files: with("c.go", cgo("CFLAGS: -o /tmp/pwned"), "x.h", ""), want: "example.com/m: invalid flag in #cgo CFLAGS: -o"},
		{name: "pkg-config with a command", cgo: true, files: with("c.go", cgo("pkg-config: $(pwned)"), "x.h", ""), want: "malformed #cgo argument: $(pwned)"},
		{name: "pkg-config with a flag", cgo: true, files: with("c.go", cgo("pkg-config: --log-file=pwned x"), "x.h", ""), want: "invalid flag"},
		{name: "pkg-config", cgo: true, files: with("c.go", cgo("pkg-config: pwned"), "x.h", ""), file: "c.go"},
		{name: "a C file", cgo: true, files: with("c.go", cgo("CFLAGS: -DX"), "x.h", "", "a"+payload+".c", ""), file: "a" + payload + ".c"},
		{name: "SWIG", cgo: true, files: with("c.go", cgo("CFLAGS: -DX"), "x.h", "", "x.swig", "%module x\n"), want: "is no compiler call that dgd knows"},
	}
	// calls has the calls of programs while a project is planned.
	plan := func(t *testing.T, files map[string]string, cgo bool) (*Plan, []string, error) {
		b := newBuilder(t, project(t, files))
		path, calls := canaries(t)
		if cgo {
			b.withCgo()
		} else {
			b.cfg.EnvFile = filepath.Join(b.dir, "env")
		}
		if err := os.WriteFile(b.cfg.EnvFile, []byte("PATH="+path+"\x00"), 0o666); err != nil {
			t.Fatal(err)
		}
		plan, err := Make(t.Context(), b.cfg, filepath.Join(b.dir, "plan"))
		return plan, calls(), err
	}
	// The calls of the compiler that Go makes for any sources. Hostile sources must not
	// cause others.
	harmless := map[bool][]string{}
	for _, withCgo := range []bool{false, hasCompilers()} {
		_, calls, err := plan(t, with("c.go", cgo("CFLAGS: -DX"), "x.h", ""), withCgo)
		if err != nil {
			t.Fatal(err)
		}
		harmless[withCgo] = calls
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.cgo && !hasCompilers() {
				t.Skip("no C compiler")
			}
			plan, calls, err := plan(t, test.files, test.cgo)
			for _, call := range calls {
				if call != "" && !slices.Contains(harmless[test.cgo], call) {
					t.Errorf("%q was run", call)
				}
			}
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 2000 {
					t.Errorf("the error is %v, want %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			nodes := plan.Graph.Nodes
			if main := nodes[len(nodes)-2]; main.Name != "example.com/m" || !slices.Contains(main.Src.Files, test.file) {
				t.Errorf("the files of %s are %q, without %q", main.Name, main.Src.Files, test.file)
			}
		})
	}
}

// hostileNames are names of files that Go accepts, and that are special to other programs.
var hostileNames = []string{
	`a"b`, "a'b", "a$HOME", "a" + payload, "a > b", "a #b", `a\b`, "a*?[b]{c,d}~", "a  b", "a\nb", "a\ncp pwned b", "a\nEOF\npwned\n", "a\rb", "a\tb", "ü",
}

// Files with such names, Go's and those of C, give the program that `go build`
// makes.
func TestHostileBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a part of the standard library")
	}
	files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n"}
	main := "package main\n\nimport _ \"embed\"\n\n//go:embed EOF\nvar end string\n\nvar sum int\n\nfunc main() {\n\tif sum == 1<<%d-1 && end == \"EOF\" {\n\t\tprintln(\"ok\")\n\t}\n}\n"
	files["main.go"] = fmt.Sprintf(main, len(hostileNames))
	files["EOF"] = "EOF"
	for i, name := range hostileNames {
		files[name+".go"] = fmt.Sprintf("package main\n\nfunc init() { sum += 1 << %d }\n", i)
	}
	b := newBuilder(t, project(t, files))
	b.compare("m")

	if !hasCompilers() {
		return
	}
	c := `package main

// #cgo CFLAGS: "-DTEXT=a b" '-DDOLLAR=x$HOME' -I${SRCDIR}
// #include "x.h"
import "C"

func main() {
	if %s == %d {
		println("ok")
	}
}
`
	files = map[string]string{"go.mod": files["go.mod"], "x.h": "#define QUOTE(x) #x\n#define QUOTED(x) QUOTE(x)\n"}
	var calls []string
	for i, name := range hostileNames {
		files["x.h"] += fmt.Sprintf("int f%d(void);\n", i)
		files[name+".c"] = fmt.Sprintf("#include \"x.h\"\nint f%d(void) { return sizeof QUOTED(DOLLAR) == sizeof \"x$HOME\" && sizeof QUOTED(TEXT) == sizeof \"a b\"; }\n", i)
		calls = append(calls, fmt.Sprintf("C.f%d()", i))
	}
	files["main.go"] = fmt.Sprintf(c, strings.Join(calls, "+"), len(calls))
	b = newBuilder(t, project(t, files))
	b.withCgo()
	b.compare("m")
}
