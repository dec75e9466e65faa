package buildscript

import (
	"reflect"
	"testing"
)

const goTool = "/goroot/pkg/tool/linux_amd64/"

// Messages of the go command in the script are neither commands nor errors.
func TestMessages(t *testing.T) {
	const text = `go: warning: "./x/..." matched no packages
mkdir -p $WORK/b005/
warning: no packages being built depend on matches for pattern example.com/none/...
cat >$WORK/b005/importcfg << 'EOF' # internal
warning: within a file
EOF
go: two lines:
	the second
`
	script, err := Parse(text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []Step{
		{Line: 2, Action: Mkdir{"$WORK/b005/"}, Text: "mkdir -p $WORK/b005/"},
		{Line: 4, Action: Write{"$WORK/b005/importcfg", "warning: within a file\n"}, Text: "cat >$WORK/b005/importcfg << 'EOF' # internal\nwarning: within a file\nEOF"},
	}; !reflect.DeepEqual(script.Steps, want) {
		t.Errorf("the steps are\n%#v, want\n%#v", script.Steps, want)
	}
	if want := []string{
		`go: warning: "./x/..." matched no packages`,
		"warning: no packages being built depend on matches for pattern example.com/none/...",
		"go: two lines:\n\tthe second",
	}; !reflect.DeepEqual(script.Messages, want) {
		t.Errorf("the messages are %q, want %q", script.Messages, want)
	}
	// Other lines that are not commands are errors.
	for _, line := range []string{"warn: x\n", "\tindented\n", "internal/goarch\n", "go build\n", "warning:\n"} {
		if _, err := Parse(line, Options{}); err == nil {
			t.Errorf("%q is understood", line)
		}
	}
}

// TestParse parses parts of real scripts, shortened by hand.
func TestParse(t *testing.T) {
	tests := []struct {
		name string
		text string
		opt  Options
		want []Step
	}{
		{
			name: "empty",
		},
		{
			name: "blank lines",
			text: "\n\n",
		},
		{
			name: "a package of the standard library, go1.26",
			text: `mkdir -p $WORK/b005/

#
# internal/abi
#

echo -n > $WORK/b005/go_asm.h # internal
cd /goroot/src/internal/abi
/goroot/pkg/tool/linux_amd64/asm -p internal/abi -trimpath "$WORK/b005=>" -I $WORK/b005/ -gensymabis -o $WORK/b005/symabis ./stub.s
cat >$WORK/b005/importcfg << 'EOF' # internal
# import config
packagefile internal/goarch=$WORK/b006/_pkg_.a
EOF
cd /src/hello
/goroot/pkg/tool/linux_amd64/compile -o $WORK/b005/_pkg_.a -trimpath "/goroot/src/internal/abi=>internal/abi;$WORK/b005=>" -c=4 -pack /goroot/src/internal/abi/abi.go
cd /goroot/src/internal/abi
go tool pack r $WORK/b005/_pkg_.a $WORK/b005/stub.o # internal
go tool buildid -w $WORK/b005/_pkg_.a # internal
`,
			want: []Step{
				{Line: 1, Action: Mkdir{"$WORK/b005/"}},
				{Line: 3, Action: Banner{"internal/abi"}},
				{Line: 7, Action: Write{"$WORK/b005/go_asm.h", ""}},
				{Line: 9, Dir: "/goroot/src/internal/abi", Shortened: true, Action: Run{Tool: "asm", Args: []string{
					goTool + "asm", "-p", "internal/abi", "-trimpath", "$WORK/b005=>", "-I", "$WORK/b005/",
					"-gensymabis", "-o", "$WORK/b005/symabis", "./stub.s"}}},
				{Line: 10, Dir: "/goroot/src/internal/abi", Action: Write{"$WORK/b005/importcfg",
					"# import config\npackagefile internal/goarch=$WORK/b006/_pkg_.a\n"}},
				{Line: 15, Dir: "/src/hello", Shortened: true, Action: Run{Tool: "compile", Args: []string{
					goTool + "compile", "-o", "$WORK/b005/_pkg_.a", "-trimpath", "/goroot/src/internal/abi=>internal/abi;$WORK/b005=>",
					"-c=4", "-pack", "/goroot/src/internal/abi/abi.go"}}},
				{Line: 17, Dir: "/goroot/src/internal/abi", Shortened: true, Action: Run{Tool: "pack", Args: []string{
					"go", "tool", "pack", "r", "$WORK/b005/_pkg_.a", "$WORK/b005/stub.o"}}},
				{Line: 18, Dir: "/goroot/src/internal/abi", Action: Run{Tool: "buildid", Args: []string{
					"go", "tool", "buildid", "-w", "$WORK/b005/_pkg_.a"}}},
			},
		},
		{
			name: "a test's run",
			text: "$WORK/b079/a.test -test.testlogfile=$WORK/b079/testlog.txt -test.paniconexit0 -test.run=^A$|'B/c=d(e)\n",
			want: []Step{
				{Line: 1, Action: Test{"$WORK/b079/a.test", []string{"-test.testlogfile=$WORK/b079/testlog.txt", "-test.paniconexit0", "-test.run=^A$|'B/c=d(e)"}}},
			},
		},
		{
			name: "pack and buildid, go1.24",
			text: `cd /src/p
/goroot/pkg/tool/linux_amd64/pack r $WORK/b005/_pkg_.a ./x.syso # internal
/goroot/pkg/tool/linux_amd64/buildid -w $WORK/b005/_pkg_.a # internal
`,
			want: []Step{
				{Line: 2, Dir: "/src/p", Shortened: true, Action: Run{Tool: "pack", Args: []string{
					goTool + "pack", "r", "$WORK/b005/_pkg_.a", "./x.syso"}}},
				{Line: 3, Dir: "/src/p", Action: Run{Tool: "buildid", Args: []string{
					goTool + "buildid", "-w", "$WORK/b005/_pkg_.a"}}},
			},
		},
		{
			name: "linking",
			text: `mkdir -p $WORK/b001/exe/
cd .
GOROOT='' /goroot/pkg/tool/linux_amd64/link -o $WORK/b001/exe/a.out -X "main.v=a .b (c)" -extld=gcc $WORK/b001/_pkg_.a
go tool buildid -w $WORK/b001/exe/a.out # internal
mkdir -p out dir/
mv $WORK/b001/exe/a.out out dir/p
rm -rf $WORK/b001/
`,
			want: []Step{
				{Line: 1, Action: Mkdir{"$WORK/b001/exe/"}},
				{Line: 3, Dir: ".", Shortened: true, Action: Run{Env: []string{"GOROOT="}, Tool: "link", Args: []string{
					goTool + "link", "-o", "$WORK/b001/exe/a.out", "-X", "main.v=a .b (c)", "-extld=gcc", "$WORK/b001/_pkg_.a"}}},
				{Line: 4, Dir: ".", Action: Run{Tool: "buildid", Args: []string{"go", "tool", "buildid", "-w", "$WORK/b001/exe/a.out"}}},
				{Line: 5, Dir: ".", Action: Mkdir{"out dir/"}},
				{Line: 6, Dir: ".", Action: Move{"$WORK/b001/exe/a.out", "out dir/p"}},
				{Line: 7, Dir: ".", Action: Remove{[]string{"$WORK/b001/"}}},
			},
		},
		{
			name: "cgo",
			text: `cd /src/p
pkg-config --cflags --static -- zlib sqlite3
TERM='dumb' CGO_LDFLAGS='' /goroot/pkg/tool/linux_amd64/cgo -objdir $WORK/b001/ "-ldflags=\"-O2\" \"-g\" \"-L\" \"/src/p/lib\"" -- -I $WORK/b001/ -I/src/p "-DMSG=hello, world ..." -DDOLLAR=$x ./main.go
cd $WORK
gcc -gno-record-gcc-switches -O2 -g -c -x c - -o /dev/null || true
gcc -I /src/p -fPIC -frandom-seed=1 -O2 -g -c -x c - -o /dev/null || true
cd $WORK/b001
TERM='dumb' gcc -I /src/p -I ./ -o ./_x001.o -c main.cgo2.c
cd /src/p
TERM='dumb' gcc -I . -o $WORK/b001/_cgo_.o $WORK/b001/_cgo_main.o -O2 -g -lm
gcc -I /src/p -o $WORK/b001/_cgo_.o $WORK/b001/_cgo_main.o -O2 -g -lm # test for internal linking errors (succeeded)
TERM='dumb' /goroot/pkg/tool/linux_amd64/cgo -dynpackage main -dynimport $WORK/b001/_cgo_.o -dynout $WORK/b001/_cgo_import.go
`,
			want: []Step{
				{Line: 2, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{
					"pkg-config", "--cflags", "--static", "--", "zlib", "sqlite3"}}},
				{Line: 3, Dir: "/src/p", Shortened: true, Action: Run{Env: []string{"TERM=dumb", "CGO_LDFLAGS="}, Tool: "cgo", Args: []string{
					goTool + "cgo", "-objdir", "$WORK/b001/", `-ldflags="-O2" "-g" "-L" "/src/p/lib"`, "--", "-I", "$WORK/b001/", "-I/src/p",
					"-DMSG=hello, world ...", "-DDOLLAR=$x", "./main.go"}}},
				{Line: 5, Dir: "$WORK", Shortened: true, Action: Probe{[]string{
					"gcc", "-gno-record-gcc-switches", "-O2", "-g", "-c", "-x", "c", "-", "-o", "/dev/null"}}},
				{Line: 6, Dir: "$WORK", Shortened: true, Action: Probe{[]string{
					"gcc", "-I", "/src/p", "-fPIC", "-frandom-seed=1", "-O2", "-g", "-c", "-x", "c", "-", "-o", "/dev/null"}}},
				{Line: 8, Dir: "$WORK/b001", Shortened: true, Action: Run{Env: []string{"TERM=dumb"}, Args: []string{
					"gcc", "-I", "/src/p", "-I", "./", "-o", "./_x001.o", "-c", "main.cgo2.c"}}},
				{Line: 10, Dir: "/src/p", Shortened: true, Action: Run{Env: []string{"TERM=dumb"}, Args: []string{
					"gcc", "-I", ".", "-o", "$WORK/b001/_cgo_.o", "$WORK/b001/_cgo_main.o", "-O2", "-g", "-lm"}}},
				{Line: 11, Dir: "/src/p", Action: LinkTest{[]string{
					"gcc", "-I", "/src/p", "-o", "$WORK/b001/_cgo_.o", "$WORK/b001/_cgo_main.o", "-O2", "-g", "-lm"}, "succeeded"}},
				{Line: 12, Dir: "/src/p", Shortened: true, Action: Run{Env: []string{"TERM=dumb"}, Tool: "cgo", Args: []string{
					goTool + "cgo", "-dynpackage", "main", "-dynimport", "$WORK/b001/_cgo_.o", "-dynout", "$WORK/b001/_cgo_import.go"}}},
			},
		},
		{
			name: "swig, and generated files of cgo",
			text: `cd /src/p
swig -go -cgo -intgosize $INTBITS -module z -o $WORK/b001/z_wrap.c -outdir $WORK/b001/ z.swig
mv $WORK/b001/z.go $WORK/b001/_z_swig.go
/goroot/pkg/tool/linux_amd64/cgo -objdir $WORK/b001/ -- ./lang.go ./$WORK/b001/_z_swig.go
cd /src/p (1)
/goroot/pkg/tool/linux_amd64/cgo -- "/src/p (1)/lang.go" "/src/p (1)/$WORK/b001/_z_swig.go"
`,
			want: []Step{
				{Line: 2, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{
					"swig", "-go", "-cgo", "-intgosize", "$INTBITS", "-module", "z", "-o", "$WORK/b001/z_wrap.c", "-outdir", "$WORK/b001/", "z.swig"}}},
				{Line: 3, Dir: "/src/p", Action: Move{"$WORK/b001/z.go", "$WORK/b001/_z_swig.go"}},
				{Line: 4, Dir: "/src/p", Shortened: true, Action: Run{Tool: "cgo", Args: []string{
					goTool + "cgo", "-objdir", "$WORK/b001/", "--", "./lang.go", "$WORK/b001/_z_swig.go"}}},
				{Line: 6, Dir: "/src/p (1)", Shortened: true, Action: Run{Tool: "cgo", Args: []string{
					goTool + "cgo", "--", "/src/p (1)/lang.go", "$WORK/b001/_z_swig.go"}}},
			},
		},
		{
			name: "generated files in the configuration of vet",
			text: "cat >$WORK/b001/vet.cfg << 'EOF' # internal\n{\n\t\"ID\": \"p\",\n\t\"Dir\": \"/src/p\",\n\t\"GoFiles\": [\n" +
				"\t\t\"/src/p/x.go\",\n\t\t\"/src/p/$WORK/b001/_cgo_gotypes.go\",\n\t\t\"/src/p/$WORK/b001/x.cgo1.go\"\n\t]\n}\nEOF\n",
			want: []Step{
				{Line: 1, Action: Write{"$WORK/b001/vet.cfg", "{\n\t\"ID\": \"p\",\n\t\"Dir\": \"/src/p\",\n\t\"GoFiles\": [\n" +
					"\t\t\"/src/p/x.go\",\n\t\t\"$WORK/b001/_cgo_gotypes.go\",\n\t\t\"$WORK/b001/x.cgo1.go\"\n\t]\n}\n"}},
			},
		},
		{
			name: "heredocs",
			text: `cat >$WORK/b001/importcfg << 'EOF' # internal
# import config
importmap a/EOF=vendor/a/EOF
#
# not/a/banner
#

cd /not/a/cd
EOF
cat >$WORK/b001/embedcfg << 'EOF' # internal
{
	"Patterns": {
		"EOF": [
			"EOF"
		]
	},
	"Files": {
		"EOF": "/src/p/EOF",
		"a$HOME.txt": "/src/p/a$HOME.txt"
	}
}EOF
cat >$WORK/b001/vet.cfg << 'EOF' # internal
{
	"ID": "p"
}
EOF
mkdir -p $WORK/b002/
`,
			want: []Step{
				{Line: 1, Action: Write{"$WORK/b001/importcfg",
					"# import config\nimportmap a/EOF=vendor/a/EOF\n#\n# not/a/banner\n#\n\ncd /not/a/cd\n"}},
				{Line: 10, Action: Write{"$WORK/b001/embedcfg",
					"{\n\t\"Patterns\": {\n\t\t\"EOF\": [\n\t\t\t\"EOF\"\n\t\t]\n\t},\n\t\"Files\": {\n" +
						"\t\t\"EOF\": \"/src/p/EOF\",\n\t\t\"a$HOME.txt\": \"/src/p/a$HOME.txt\"\n\t}\n}"}},
				{Line: 22, Action: Write{"$WORK/b001/vet.cfg", "{\n\t\"ID\": \"p\"\n}\n"}},
				{Line: 27, Action: Mkdir{"$WORK/b002/"}},
			},
		},
		{
			name: "a heredoc with what a shell may read in another way",
			text: "cat >$WORK/b001/x << 'EOF' # internal\n\n\\\n$(id) `id` 'a' \"b\" \\$\n\\EOF\nEOF \n EOF\n<< EOF\nEOF\n",
			want: []Step{
				{Line: 1, Action: Write{"$WORK/b001/x", "\n\\\n$(id) `id` 'a' \"b\" \\$\n\\EOF\nEOF \n EOF\n<< EOF\n"}},
			},
		},
		{
			name: "echo",
			text: `echo '# import config' > $WORK/b001/importcfg # internal
echo '{"OutConfig":"$WORK/b001/coveragecfg","PkgPath":"it's"}' > $WORK/b001/pkgcfg.txt # internal
echo '' > $WORK/b001/a b # internal
`,
			want: []Step{
				{Line: 1, Action: Write{"$WORK/b001/importcfg", "# import config\n"}},
				{Line: 2, Action: Write{"$WORK/b001/pkgcfg.txt", `{"OutConfig":"$WORK/b001/coveragecfg","PkgPath":"it's"}` + "\n"}},
				{Line: 3, Action: Write{"$WORK/b001/a b", "\n"}},
			},
		},
		{
			name: "coverage",
			text: `cd $WORK/b001/
/goroot/pkg/tool/linux_amd64/cover -pkgcfg ./pkgcfg.txt -mode set -var goCover_e463282ba2c4_ -outfilelist ./coveroutfiles.txt /src/p/main.go
/goroot/bin/go tool covdata merge -i ./a
`,
			want: []Step{
				{Line: 2, Dir: "$WORK/b001/", Shortened: true, Action: Run{Tool: "cover", Args: []string{
					goTool + "cover", "-pkgcfg", "./pkgcfg.txt", "-mode", "set", "-var", "goCover_e463282ba2c4_",
					"-outfilelist", "./coveroutfiles.txt", "/src/p/main.go"}}},
				{Line: 3, Dir: "$WORK/b001/", Shortened: true, Action: Run{Tool: "covdata", Args: []string{
					"/goroot/bin/go", "tool", "covdata", "merge", "-i", "./a"}}},
			},
		},
		{
			name: "hostile words",
			text: "cd /src/p\n/goroot/pkg/tool/linux_amd64/compile ./a$HOME.go ./a&b.go \"/src/p/c$(id).go\" \"/src/p/d\\\"q.go\" ./e'f.go ./g|h.go " +
				"\"/src/p/h\\\\i.go\" ./i`j.go ./k*l?.go \"/src/p/n;o.go\" \"/src/p/p>q.go\" \"/src/p/soft\\u00adhyphen.go\" ./t<u.go ./v!.go \"/src/p/w [x].go\" " +
				"./x#y.go #z ./y{1,2}.go ~ ./ünï.go \"/src/p/\\xff\\n\\r\\t.go\" \"\" & && | || << x=y $'a' 'b' # x\n",
			want: []Step{
				{Line: 2, Dir: "/src/p", Shortened: true, Action: Run{Tool: "compile", Args: []string{goTool + "compile",
					"./a$HOME.go", "./a&b.go", "/src/p/c$(id).go", `/src/p/d"q.go`, "./e'f.go", "./g|h.go",
					`/src/p/h\i.go`, "./i`j.go", "./k*l?.go", "/src/p/n;o.go", "/src/p/p>q.go", "/src/p/soft\u00adhyphen.go", "./t<u.go", "./v!.go", "/src/p/w [x].go",
					"./x#y.go", "#z", "./y{1,2}.go", "~", "./ünï.go", "/src/p/\xff\n\r\t.go", "", "&", "&&", "|", "||", "<<", "x=y", "$'a'", "'b'", "#", "x"}}},
			},
		},
		{
			name: "words that versions of Unicode quote differently",
			text: "gcc \"\u00e9\" soft\u00adhyphen \"\u00e9 \\u00ad\"\n",
			want: []Step{
				{Line: 1, Shortened: true, Action: Run{Args: []string{"gcc", "\u00e9", "soft\u00adhyphen", "\u00e9 \u00ad"}}},
			},
		},
		{
			name: "hostile directories",
			text: "cd /src/a b/$c;d's (1)\ngcc -I \"/src/a b/$c;d's (1)\" x.c\nmkdir -p $WORK/b001/a 'b\n\n#\n# example.com/a'b$c\n#\n\n",
			want: []Step{
				{Line: 2, Dir: "/src/a b/$c;d's (1)", Shortened: true, Action: Run{Args: []string{
					"gcc", "-I", "/src/a b/$c;d's (1)", "x.c"}}},
				{Line: 3, Dir: "/src/a b/$c;d's (1)", Action: Mkdir{"$WORK/b001/a 'b"}},
				{Line: 5, Dir: "/src/a b/$c;d's (1)", Action: Banner{"example.com/a'b$c"}},
			},
		},
		{
			name: "paths with spaces",
			text: `cp /src/p/a b_linux.h $WORK/b001/a b_GOOS.h
cp /src/p/ä.h $WORK/b001/ä.h
mv $WORK/b001/a b.go $WORK/b001/_a b_swig.go
mv $WORK/b001/_pkg_.a a b/p.a
mv $WORK/b001/p.test.exe a b/p.exe
rm -rf $WORK/b001/ $WORK/b002/
rm -f $WORK/b001/x
ln -s /src/x $WORK/b001/x
`,
			want: []Step{
				{Line: 1, Action: Copy{"/src/p/a b_linux.h", "$WORK/b001/a b_GOOS.h"}},
				{Line: 2, Action: Copy{"/src/p/ä.h", "$WORK/b001/ä.h"}},
				{Line: 3, Action: Move{"$WORK/b001/a b.go", "$WORK/b001/_a b_swig.go"}},
				{Line: 4, Action: Move{"$WORK/b001/_pkg_.a", "a b/p.a"}},
				{Line: 5, Action: Move{"$WORK/b001/p.test.exe", "a b/p.exe"}},
				{Line: 6, Action: Remove{[]string{"$WORK/b001/", "$WORK/b002/"}}},
				{Line: 7, Action: Remove{[]string{"$WORK/b001/x"}}},
				{Line: 8, Action: Symlink{"/src/x", "$WORK/b001/x"}},
			},
		},
		{
			name: "programs",
			opt:  Options{Programs: []string{"ccache", "/src/p/if", "time"}},
			text: `cd /src/p
aarch64-linux-gnu-gcc-12 x
/usr/bin/x86_64-w64-mingw32-g++.exe x
"/opt/llvm mingw/bin/clang++-20.1" x
./gcc x
A="it's" _b1='$x' ccache gcc x
./if x
time gcc -O2 || true
gcc # test for internal linking errors (failed)
/goroot/pkg/tool/windows_amd64/vet.exe x
`,
			want: []Step{
				{Line: 2, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{"aarch64-linux-gnu-gcc-12", "x"}}},
				{Line: 3, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{"/usr/bin/x86_64-w64-mingw32-g++.exe", "x"}}},
				{Line: 4, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{"/opt/llvm mingw/bin/clang++-20.1", "x"}}},
				{Line: 5, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{"./gcc", "x"}}},
				{Line: 6, Dir: "/src/p", Shortened: true, Action: Run{Env: []string{"A=it's", "_b1=$x"}, Args: []string{"ccache", "gcc", "x"}}},
				{Line: 7, Dir: "/src/p", Shortened: true, Action: Run{Args: []string{"./if", "x"}}},
				{Line: 8, Dir: "/src/p", Shortened: true, Action: Probe{[]string{"time", "gcc", "-O2"}}},
				{Line: 9, Dir: "/src/p", Action: LinkTest{[]string{"gcc"}, "failed"}},
				{Line: 10, Dir: "/src/p", Shortened: true, Action: Run{Tool: "vet", Args: []string{"/goroot/pkg/tool/windows_amd64/vet.exe", "x"}}},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			script, err := Parse(test.text, test.opt)
			if err != nil {
				t.Fatal(err)
			}
			checkCover(t, test.text, script)
			if len(script.Steps) != len(test.want) {
				t.Fatalf("%d steps, want %d", len(script.Steps), len(test.want))
			}
			for i, got := range script.Steps {
				got.Text = ""
				if !reflect.DeepEqual(got, test.want[i]) {
					t.Errorf("step %d:\ngot  %#v\nwant %#v", i, got, test.want[i])
				}
			}
		})
	}
}

func TestUndot(t *testing.T) {
	tests := []struct{ dir, word, want string }{
		{"/src/p", ".", "/src/p"},
		{"/src/p", "./x.c", "/src/p/x.c"},
		{"/src/p", "./", "/src/p/"},
		{"/a/b", ".c/x.go", "/a/bc/x.go"},
		{"$WORK", "./b001/x.c", "$WORK/b001/x.c"},
		{"$WORK/b001", "./_x001.o", "$WORK/b001/_x001.o"},
		{"$WORK/b001", "./", "$WORK/b001/"},
		{"$WORK/b001/", "./x.c", "$WORK/b001/x.c"},
		{"$WORK/b001/", "./", "$WORK/b001/"},
		{"$WORK/b001/", ".x", ".x"},
		{"$WORK/b001/", ".", "."},
		// Words that were never shortened, or that look like such.
		{"/src/p", "/src/p/x.c", "/src/p/x.c"},
		{"/src/p", "-I.", "-I."},
		{"/src/p", "..", ".."},
		{"/src/p", "../x", "../x"},
		{"/src/p", "..x", "/src/p.x"},
		{"/src/p", "./a b.c", "./a b.c"},
		{"/src/p", "", ""},
		{"/src/ü", "./ä.c", "/src/ü/ä.c"},
		// Directories for which the go command shortens no word.
		{"/my src/p", "./x.c", "./x.c"},
		{"/src/p(1)", "./x.c", "./x.c"},
		{".", "./x.c", "./x.c"},
		{"", "./x.c", "./x.c"},
		{"/", "./x.c", "./x.c"},
	}
	for _, test := range tests {
		if got := Undot(test.dir, test.word); got != test.want {
			t.Errorf("Undot(%q, %q) = %q, want %q", test.dir, test.word, got, test.want)
		}
	}
}

func TestCheckWork(t *testing.T) {
	good := []string{
		"", "$", "WORK", "$HOME", "$WOR", "a$b", "$WORK", "$WORK/", "$WORK/b001/x", "-I$WORK", "-L$WORK/b001/", "-coveragecfg=$WORK/b001/x",
		"/src/p=>p;$WORK/b001=>", "-fdebug-prefix-map=$WORK/b001=/tmp/go-build", "-Wl,-rpath,$WORK", `-ldflags="$WORK/b001" "$WORK/b002"`,
		"packagefile p=$WORK/b001/_pkg_.a\npackagefile q=$WORK/b002/_pkg_.a\n", "\"$WORK/x\",\n\t$WORK\n",
	}
	for _, s := range good {
		if err := checkWork(s); err != nil {
			t.Errorf("checkWork(%q): %v", s, err)
		}
	}
	bad := []string{
		"$WORKER", "$WORK1", "$WORK.c", "$WORK_", "$WORK-x", "$WORK$WORK", "$WORKé", "/$WORK", "./$WORK/x", "a$WORK", "1$WORK", "_$WORK",
		"-$WORK", "$$WORK", "\\$WORK", "é$WORK", "x-I$WORK", "$WORK/ok $WORKnot", "$WORK/ok /$WORK",
	}
	for _, s := range bad {
		if checkWork(s) == nil {
			t.Errorf("checkWork(%q): no error", s)
		}
	}
}
