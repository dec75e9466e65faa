package graph

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dgd/internal/buildscript"
)

// compiled is the compile of a package in b002, with the commands that it needs.
const compiled = `#
# example.com/m/p
#
echo '# import config' > $WORK/b002/importcfg # internal
TOOL/compile -o $WORK/b002/_pkg_.a -p example.com/m/p -importcfg $WORK/b002/importcfg -pack /src/p/p.go
`

// cgoRun is the first run of cgo in b003.
const cgoRun = `cd /src/c
CGO_LDFLAGS='' TOOL/cgo -objdir $WORK/b003/ -importpath example.com/m/c -- -I $WORK/b003/ ./c.go
`

// cgoLink is the link of the objects of b003.
const cgoLink = `gcc -I /src/c -fmessage-length=0 -o $WORK/b003/_cgo_.o -lm
`

const cgoTest = `gcc -I /src/c -fmessage-length=0 -o $WORK/b003/_cgo_.o -lm # test for internal linking errors (succeeded)
`

const cgoImport = `TOOL/cgo -dynpackage c -dynimport $WORK/b003/_cgo_.o -dynout $WORK/b003/_cgo_import.go
`

const cgoCompile = `#
# example.com/m/c
#
TOOL/compile -o $WORK/b003/_pkg_.a -p c $WORK/b003/c.cgo1.go
`

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name, text string
		line       int
		want       string
	}{
		// The work directory.
		{"removes a source", "rm -rf $WORK/b001/ $WORK/x\n", 1, "removes what is not an object directory"},
		{"removes a part", "rm -rf $WORK/b001/x\n", 1, "removes what is not an object directory"},
		{"makes what is not below", "mkdir -p $WORK/tmp/x\n", 1, "$WORK/tmp/x is not below an object directory"},
		{"makes the work directory", "mkdir -p $WORK/tmp\n", 1, "$WORK/tmp is not below an object directory"},
		{"link", "ln -s /src/a $WORK/b001/a\n", 1, "dgd does not know how to carry this out"},
		{"unknown file", "echo 'x' > $WORK/b001/vet.cfg # internal\n", 1, "dgd does not know what the file vet.cfg is for"},
		{"file elsewhere", "echo 'x' > $WORK/importcfg # internal\n", 1, "$WORK/importcfg is not below an object directory"},
		{"text in an empty file", "echo 'x' > $WORK/b001/go_asm.h # internal\n", 1, "expected go_asm.h to be empty"},
		{"copy to elsewhere", "cp /src/a $WORK/a\n", 1, "$WORK/a is not below an object directory"},
		{"copy of nothing", "cp $WORK/b001/a $WORK/b001/b\n", 1, "reads $WORK/b001/a, which no earlier command has written"},

		// Import and embed configs.
		{"unknown package", compiled + "echo 'packagefile x=$WORK/b009/_pkg_.a' > $WORK/b003/importcfg # internal\n", 6,
			"import config: x is from $WORK/b009/_pkg_.a, which no earlier command has made"},
		{"no package file", "echo 'packagefile x' > $WORK/b003/importcfg # internal\n", 1, `import config: "packagefile x" has no file`},
		{"unknown verb", "echo 'packageshlib x=y' > $WORK/b003/importcfg # internal\n", 1, `import config: dgd does not know what "packageshlib x=y" means`},
		{"import of a profile", "TOOL/preprofile -o $WORK/b005/p -i /src/default.pgo\necho 'packagefile x=$WORK/b005/p' > $WORK/b003/importcfg # internal\n", 2,
			"import config: x is from $WORK/b005/p, which no earlier command has made"},
		{"embed config", "cat >$WORK/b003/embedcfg << 'EOF' # internal\n{\"Files\":[]}\nEOF\n", 1, "embed config: json: cannot unmarshal array"},
		{"unknown embed field", "cat >$WORK/b003/embedcfg << 'EOF' # internal\n{\"Modes\":{}}\nEOF\n", 1, `embed config: json: unknown field "Modes"`},
		{"embeds nothing", "cat >$WORK/b003/embedcfg << 'EOF' # internal\n{\"Files\":{\"a\":\"$WORK/b007/a\"}}\nEOF\n", 1, "reads $WORK/b007/a, which no earlier command has made"},

		// compile, asm, pack.
		{"compile twice", compiled + "TOOL/compile -o $WORK/b002/_pkg_.a -p x /src/p.go\n", 6, "a second compile for the same object directory"},
		{"no output", "TOOL/compile -p x /src/p.go\n", 1, "has no -o"},
		{"output at the end", "TOOL/compile -p x /src/p.go -o\n", 1, "has no -o"},
		{"output elsewhere", "TOOL/compile -o /tmp/x.a /src/p.go\n", 1, "/tmp/x.a is not below an object directory"},
		{"other output", "TOOL/compile -o $WORK/b002/x.a /src/p.go\n", 1, "compiles to $WORK/b002/x.a instead of _pkg_.a"},
		{"linkobj", "TOOL/compile -o $WORK/b002/_pkg_.a -linkobj y /src/p.go\n", 1, "already has -linkobj"},
		{"no file", "TOOL/compile -o $WORK/b002/_pkg_.a -p x\n", 1, "compiles no Go file"},
		{"no header", "TOOL/compile -o $WORK/b002/_pkg_.a -p x /src/p.go\n", 1, "compiles before any package's header"},
		{"no importcfg", "TOOL/compile -o $WORK/b002/_pkg_.a -importcfg $WORK/b002/importcfg /src/p.go\n", 1, "reads $WORK/b002/importcfg, which no earlier command has written"},
		{"no generated file", "TOOL/compile -o $WORK/b002/_pkg_.a $WORK/b002/_testmain.go\n", 1, "reads $WORK/b002/_testmain.go, which no earlier command has written"},
		{"another's file", compiled + "TOOL/compile -o $WORK/b003/_pkg_.a $WORK/b002/x.go\n", 6, "reads $WORK/b002/x.go, which no earlier command has made"},
		{"an archive", compiled + "TOOL/compile -o $WORK/b003/_pkg_.a -pgoprofile=$WORK/b002/_pkg_.a /src/p.go\n", 6, "reads $WORK/b002/_pkg_.a, an archive, without being the linker"},
		{"no profile", "TOOL/compile -o $WORK/b002/_pkg_.a -pgoprofile=$WORK/b003/pgo.preprofile /src/p.go\n", 1, "reads $WORK/b003/pgo.preprofile, which no earlier command has made"},
		{"asm without output", "TOOL/asm /src/a.s\n", 1, "has no -o"},
		{"asm elsewhere", "TOOL/asm -o a.o /src/a.s\n", 1, "a.o is not below an object directory"},
		{"asm reads nothing", "TOOL/asm -o $WORK/b002/a.o $WORK/b002/b.s\n", 1, "reads $WORK/b002/b.s, which no earlier command has written"},
		{"pack", "go tool pack c $WORK/b002/_pkg_.a x # internal\n", 1, "expected `pack r ARCHIVE FILE…`"},
		{"pack no files", "go tool pack r $WORK/b002/_pkg_.a # internal\n", 1, "expected `pack r ARCHIVE FILE…`"},
		{"pack elsewhere", "go tool pack r x.a y.o # internal\n", 1, "x.a is not below an object directory"},
		{"pack before the compile", "go tool pack r $WORK/b002/_pkg_.a y.o # internal\n", 1, "packs into $WORK/b002/_pkg_.a, which no earlier command has compiled"},
		{"pack into another", compiled + "go tool pack r $WORK/b002/x.a y.o # internal\n", 6, "packs into $WORK/b002/x.a, which no earlier command has compiled"},
		{"pack nothing", compiled + "go tool pack r $WORK/b002/_pkg_.a $WORK/b002/y.o # internal\n", 6, "reads $WORK/b002/y.o, which no earlier command has written"},

		// The other tools.
		{"cover of one file", "TOOL/cover -o $WORK/b002/x.go /src/x.go\n", 1, "has no -pkgcfg"},
		{"cover without its list", "echo '{}' > $WORK/b002/pkgcfg.txt # internal\nTOOL/cover -pkgcfg $WORK/b002/pkgcfg.txt -outfilelist $WORK/b002/coveroutfiles.txt /src/x.go\n", 2, "reads $WORK/b002/coveroutfiles.txt, which no earlier command has written"},
		{"an unknown flag of cover", "echo '{}' > $WORK/b002/pkgcfg.txt # internal\nTOOL/cover -pkgcfg $WORK/b002/pkgcfg.txt -new x /src/x.go\n", 2, "dgd does not know cover's flag -new"},
		{"an unknown setting of cover", "echo '{\"New\":1}' > $WORK/b002/pkgcfg.txt # internal\n", 1, `cover's configuration: json: unknown field "New"`},
		{"cover writes elsewhere", "echo '{\"OutConfig\":\"$WORK/b003/x\"}' > $WORK/b002/pkgcfg.txt # internal\n", 1, "cover writes $WORK/b003/x, which is not in the package's object directory"},
		{"cover writes a source", "echo '/src/x.go' > $WORK/b002/coveroutfiles.txt # internal\n", 1, "cover writes /src/x.go, which is not in the package's object directory"},
		{"vet", "TOOL/vet $WORK/b002/vet.cfg\n", 1, "dgd does not know how to carry this out"},
		{"preprofile without output", "TOOL/preprofile -i /src/default.pgo\n", 1, "has no -o"},
		{"preprofile without input", "TOOL/preprofile -o $WORK/b002/p /src/default.pgo\n", 1, "has no -i"},
		{"preprofile elsewhere", "TOOL/preprofile -o p -i /src/default.pgo\n", 1, "p is not below an object directory"},
		{"preprofile twice", "TOOL/preprofile -o $WORK/b002/p -i /src/a.pgo\nTOOL/preprofile -o $WORK/b002/q -i /src/b.pgo\n", 2, "a second profile in the same object directory"},
		{"preprofile of nothing", "TOOL/preprofile -o $WORK/b002/p -i $WORK/b003/x\n", 1, "reads $WORK/b003/x, which no earlier command has made"},

		// link and mv.
		{"link without output", "TOOL/link $WORK/b001/_pkg_.a\n", 1, "has no -o"},
		{"link to two files", "TOOL/link -o $WORK/b001/exe/a.out -importcfg -o $WORK/b001/_pkg_.a\n", 1, "has -o twice"},
		{"link elsewhere", "cd /src\nTOOL/link -o prog $WORK/b001/_pkg_.a\n", 2, "/src/prog is not below an object directory"},
		{"link of nothing", "TOOL/link -o $WORK/b001/exe/a.out x.a\n", 1, "does not end in the main package's archive"},
		{"link before the compile", "TOOL/link -o $WORK/b001/exe/a.out $WORK/b001/_pkg_.a\n", 1, "reads $WORK/b001/_pkg_.a, which no earlier command has written"},
		{"link without importcfg", compiled + "TOOL/link -o $WORK/b002/exe/a.out -importcfg $WORK/b002/importcfg.link $WORK/b002/_pkg_.a\n", 6, "reads $WORK/b002/importcfg.link, which no earlier command has written"},
		{"link without a name", compiled + "TOOL/link -o $WORK/b002/exe/a.out $WORK/b002/_pkg_.a\n", 6, "object directory $WORK/b002 is used, but what is made there has no use"},
		{"a name that JSON has not", strings.Replace(compiled, "/src/p/p.go", `"/src/p/\xff.go"`, 1), 4, `the name of the source file "p/\xff.go" is not UTF-8`},
		{"never moved", small("b001", "a")[:strings.Index(small("b001", "a"), "mv ")], 10, "object directory $WORK/b001 is used, but what is made there has no use"},
		{"an unknown build mode", compiled + "TOOL/link -o $WORK/b002/exe/a.out -buildmode=plugin $WORK/b002/_pkg_.a\n", 6, "dgd does not support -buildmode=plugin"},
		{"a library linked elsewhere", compiled + "TOOL/link -o $WORK/b002/exe/a.out -buildmode=c-shared $WORK/b002/_pkg_.a\n", 6, "links a library in a directory that is not below $WORK"},
		{"mv of nothing", "mv $WORK/b001/exe/a.out /out/a\n", 1, "moves what no earlier command has linked"},
		{"mv elsewhere", "mv $WORK/a.out /out/a\n", 1, "$WORK/a.out is not below an object directory"},
		{"mv of what is not linked", compiled + "echo 'packagefile p=$WORK/b002/_pkg_.a' > $WORK/b002/importcfg.link # internal\nmv $WORK/b002/exe/a.out /out/a\n", 7, "moves what no earlier command has linked"},
		{"mv of another file", compiled + "TOOL/link -o $WORK/b002/exe/a.out $WORK/b002/_pkg_.a\nmv $WORK/b002/exe/b.out a\n", 7, "moves what no earlier command has linked"},
		{"mv twice", compiled + "TOOL/link -o $WORK/b002/exe/a.out $WORK/b002/_pkg_.a\nmv $WORK/b002/exe/a.out a\nmv $WORK/b002/exe/a.out b\n", 8, "moves a program for the second time"},

		// cgo.
		{"cgo without objdir", "TOOL/cgo -- -I x ./c.go\n", 1, "has no -objdir"},
		{"cgo elsewhere", "TOOL/cgo -objdir /tmp/ -- ./c.go\n", 1, "/tmp/x is not below an object directory"},
		{"cgo without flags", "TOOL/cgo -objdir $WORK/b003/ ./c.go\n", 1, "has no -- before the compiler's flags"},
		{"cgo twice", cgoRun + cgoRun, 4, "a second run of cgo for the same package"},
		{"cgo reads another's file", "TOOL/cgo -objdir $WORK/b003/ -- $WORK/b009/x.go\n", 1, "reads $WORK/b009/x.go, which no earlier command has made"},
		{"pkg-config without a place", "pkg-config --cflags -- zlib\npkg-config --libs -- zlib\nTOOL/cgo -objdir $WORK/b003/ -- -O2 ./c.go\n", 3, "has no -I for the object directory, before which pkg-config's flags go"},
		{"pkg-config, and a compiler without a place", "cd /src/c\npkg-config --cflags -- zlib\n" + cgoRun + "gcc -I /src/c -fmessage-length=0 -o $WORK/b003/x.o -c x.c\n", 5, "has no -I for the object directory, before which pkg-config's flags go"},
		{"pkg-config for nothing", compiled + "pkg-config --libs -- zlib\n", 6, "the script ends before the cgo run that a call of pkg-config is for"},
		{"pkg-config for another", "cd /src/d\npkg-config --libs -- zlib\n" + cgoRun, 4, "the calls of pkg-config before it are in the directory of another package"},
		{"pkg-config in another's file", compiled + "cd $WORK/b002/_pkg_.a\npkg-config --libs -- zlib\n", 7, "reads $WORK/b002/_pkg_.a, an archive, without being the linker"},
		{"pkg-config nowhere", "cd $WORK/b002\npkg-config --libs -- zlib\n", 2, "reads $WORK/b002, which no earlier command has made"},
		{"unknown compiler call", "gcc --version\n", 1, "is no compiler call that dgd knows: it has no -fmessage-length=0"},
		{"swig", "swig -go -o $WORK/b002/x.c /src/x.swig\n", 1, "is no compiler call that dgd knows: it has no -fmessage-length=0"},
		{"unknown compiler", "clang -m64 -I /src/c -fmessage-length=0 -o $WORK/b003/x.o -c x.c\n", 1, `dgd has not probed the compiler "clang -m64"`},
		{"compiler without -I", "clang -fmessage-length=0 -o $WORK/b003/x.o -c x.c\n", 1, `dgd has not probed the compiler "clang"`},
		{"compiler without output", "gcc -I /src/c -fmessage-length=0 -c x.c\n", 1, "has no -o"},
		{"compiler elsewhere", "gcc -I /src/c -fmessage-length=0 -o x.o -c x.c\n", 1, "x.o is not below an object directory"},
		{"compiler's last word", "gcc -I /src/c -fmessage-length=0 -c x.c -o $WORK/b003/x.o\n", 1, "does not end in -c FILE"},
		{"compiler reads nothing", "cd $WORK/b003\ngcc -I /src/c -fmessage-length=0 -o ./x.o -c x.c\n", 2, "reads $WORK/b003/x.c, which no earlier command has written"},
		{"objects of nothing", "gcc -I /src/c -fmessage-length=0 -o $WORK/b003/_cgo_.o $WORK/b003/x.o\n", 1, "reads $WORK/b003/x.o, which no earlier command has written"},
		{"two links", cgoRun + cgoLink + cgoLink, 4, "a second link of a cgo package's objects"},
		{"a link after the test", cgoRun + cgoLink + cgoTest + cgoImport + cgoLink, 6, "a second link of a cgo package's objects"},
		{"a test without a link", cgoRun + cgoTest, 3, "tests a link that no earlier command has run"},
		{"a test of another link", cgoRun + cgoLink + strings.ReplaceAll(cgoTest, "-lm", "-lz"), 4, "tests another link than that before it"},
		{"a test elsewhere", "gcc -I /src/c -fmessage-length=0 -o x.o # test for internal linking errors (succeeded)\n", 1, "x.o is not below an object directory"},
		{"a test without output", "gcc -I /src/c # test for internal linking errors (succeeded)\n", 1, "has no -o"},
		{"imports without a test", cgoRun + cgoLink + cgoImport, 4, "reads the imports of a link that was not tested"},
		{"imports without a link", cgoRun + cgoImport, 3, "reads the imports of a link that was not tested"},
		{"imports to nowhere", "TOOL/cgo -dynimport x\n", 1, "has no -dynout"},
		{"imports to elsewhere", "TOOL/cgo -dynimport x -dynout y\n", 1, "y is not below an object directory"},
		{"imports of nothing", cgoRun + cgoLink + cgoTest + "TOOL/cgo -dynimport $WORK/b003/_other_.o -dynout $WORK/b003/_cgo_import.go\n", 5, "reads $WORK/b003/_other_.o, which no earlier command has written"},
		{"compile without imports", cgoRun + cgoLink + cgoTest + cgoCompile, 8, "compiles a cgo package whose linking test is missing"},
		{"link after the compile", cgoRun + cgoCompile + cgoLink, 2, "the imports of the objects that are linked for a test in $WORK/b003 are not read"},
		{"cgo without a compile", cgoRun, 2, "object directory $WORK/b003 is used, but what is made there has no use"},
	} {
		t.Run(test.name, func(t *testing.T) {
			script := parse(t, test.text)
			g, err := New(script, options())
			var e *buildscript.Error
			if !errors.As(err, &e) {
				t.Fatalf("no error, but a graph of %d nodes", len(g.Nodes))
			}
			if e.Line != test.line || !strings.HasPrefix(e.Msg, test.want) {
				t.Errorf("the error is in line %d: %s\nwant line %d: %s", e.Line, e.Msg, test.line, test.want)
			}
			if !slices.ContainsFunc(script.Steps, func(s buildscript.Step) bool { return s.Line == e.Line && s.Text == e.Text }) {
				t.Errorf("the error does not show the line: %v", err)
			}
		})
	}
}

func TestCgoFlagsError(t *testing.T) {
	opt := options()
	opt.CgoFlags = func(string) ([]string, error) { return nil, errors.New("no such directory") }
	_, err := New(parse(t, cgoRun), opt)
	if want := "go build -n, line 2: reading the #cgo lines: no such directory: CGO_LDFLAGS='' "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %s…", err, want)
	}
}

// A word that may be a path of a #cgo line or the short form of another path.
func TestAmbiguousPath(t *testing.T) {
	opt := options()
	opt.CgoFlags = func(string) ([]string, error) { return []string{"-include", "./a.h", "/src/c/a.h"}, nil }
	text := strings.ReplaceAll(cgoRun, "./c.go", "-include ./a.h ./c.go")
	_, err := New(parse(t, text), opt)
	if want := `line 2: "./a.h" may be a relative path of a #cgo line or the short form of "/src/c/a.h": write one of them in another way`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}
