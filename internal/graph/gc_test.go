package graph

import (
	"reflect"
	"testing"

	"dgd/internal/action"
)

// Assembly, with headers named for the target and a system object.
func TestAssembly(t *testing.T) {
	g := newGraph(t, `mkdir -p $WORK/b002/

#
# example.com/m/add
#

echo -n > $WORK/b002/go_asm.h # internal
cd /src/add
TOOL/asm -p example.com/m/add -trimpath "/src/add=>example.com/m/add;$WORK/b002=>" -I $WORK/b002/ -I /goroot/pkg/include -D GOOS_linux -gensymabis -o $WORK/b002/symabis ./add_amd64.s "/src/add/b c.s"
echo '# import config' > $WORK/b002/importcfg # internal
cd /src
TOOL/compile -o $WORK/b002/_pkg_.a -p example.com/m/add -buildid m/m -symabis $WORK/b002/symabis -c=4 -importcfg $WORK/b002/importcfg -pack -asmhdr $WORK/b002/go_asm.h ./add/add.go
cp /src/add/a b_linux.h $WORK/b002/a b_GOOS.h
cd /src/add
TOOL/asm -p example.com/m/add -I $WORK/b002/ -o $WORK/b002/add_amd64.o ./add_amd64.s
TOOL/asm -p example.com/m/add -I $WORK/b002/ -o "$WORK/b002/b c.o" "/src/add/b c.s"
go tool pack r $WORK/b002/_pkg_.a $WORK/b002/add_amd64.o "$WORK/b002/b c.o" ./x.syso # internal
go tool buildid -w $WORK/b002/_pkg_.a # internal
`, options())
	spaced := func(s action.Step, last ...string) action.Step {
		s.Run.Args = append(s.Run.Args, last...)
		return s
	}
	checkNodes(t, g, &Node{
		Kind: Package, Name: "example.com/m/add",
		Steps: []action.Step{
			write("${OBJ}/go_asm.h", ""),
			spaced(goTool("asm -p example.com/m/add -trimpath ${SRC}/add=>example.com/m/add;${OBJ}=> -I ${OBJ}/ -I ${GOROOT}/pkg/include -D GOOS_linux -gensymabis -o ${OBJ}/symabis ${SRC}/add/add_amd64.s"), "${SRC}/add/b c.s"),
			write("${OBJ}/importcfg", "# import config\n"),
			compile("-p example.com/m/add -symabis ${OBJ}/symabis -importcfg ${OBJ}/importcfg -pack -asmhdr ${OBJ}/go_asm.h ${SRC}/add/add.go"),
			{Copy: &action.Copy{From: "${SRC}/add/a b_linux.h", To: "${OBJ}/a b_GOOS.h"}},
			goTool("asm -p example.com/m/add -I ${OBJ}/ -o ${OBJ}/add_amd64.o ${SRC}/add/add_amd64.s"),
			beside(spaced(goTool("asm -p example.com/m/add -I ${OBJ}/ -o"), "${OBJ}/b c.o", "${SRC}/add/b c.s")),
			{Pack: &action.Pack{Archive: "${ARCHIVE}", Files: []string{"${OBJ}/add_amd64.o", "${OBJ}/b c.o", "${SRC}/add/x.syso"}}},
		},
		Src: &Sources{
			Dir:    "add",
			Files:  []string{"add/add_amd64.s", "add/b c.s", "add/add.go", "add/a b_linux.h", "add/x.syso"},
			Native: true,
		},
	})
}

func TestEmbed(t *testing.T) {
	g := newGraph(t, `
#
# example.com/m
#

cat >$WORK/b001/embedcfg << 'EOF' # internal
{
	"Patterns": {
		"a$HOME.txt": [
			"a$HOME.txt"
		],
		"all:dir": [
			"dir/.hidden",
			"dir/x\u003cy\"z\u00fc.txt"
		]
	},
	"Files": {
		"a$HOME.txt": "/src/a$HOME.txt",
		"dir/.hidden": "/src/dir/.hidden",
		"dir/x\u003cy\"z\u00fc.txt": "/src/dir/x\u003cy\"z\u00fc.txt",
		"vendored": "/src/vendor/example.org/v/vendored"
	}
}EOF
echo '# import config' > $WORK/b001/importcfg # internal
cd /src
TOOL/compile -o $WORK/b001/_pkg_.a -p example.com/m -importcfg $WORK/b001/importcfg -embedcfg $WORK/b001/embedcfg -pack ./main.go
`, options())
	checkNodes(t, g, &Node{
		Kind: Package, Name: "example.com/m",
		Steps: []action.Step{
			write("${OBJ}/embedcfg", `{"Patterns":{"a$$HOME.txt":["a$$HOME.txt"],"all:dir":["dir/.hidden","dir/x\u003cy\"zü.txt"]},`+
				`"Files":{"a$$HOME.txt":"${SRC}/a$$HOME.txt","dir/.hidden":"${SRC}/dir/.hidden","dir/x\u003cy\"zü.txt":"${SRC}/dir/x\u003cy\"zü.txt","vendored":"${SRC}/vendor/example.org/v/vendored"}}`),
			write("${OBJ}/importcfg", "# import config\n"),
			compile("-p example.com/m -importcfg ${OBJ}/importcfg -embedcfg ${OBJ}/embedcfg -pack ${SRC}/main.go"),
		},
		Src: &Sources{Dir: ".", Files: []string{"a$HOME.txt", "dir/.hidden", "dir/x<y\"zü.txt", "vendor/example.org/v/vendored", "main.go"}},
	})
}

// Embedded files do not decide which directory is the package's.
func TestEmbedBelow(t *testing.T) {
	g := newGraph(t, `
#
# example.com/m/p
#

cat >$WORK/b001/embedcfg << 'EOF' # internal
{"Files":{"web/a.html":"/src/p/web/a.html"}}
EOF
cd /src
TOOL/compile -o $WORK/b001/_pkg_.a -p example.com/m/p -embedcfg $WORK/b001/embedcfg -pack ./p/p.go
`, options())
	want := &Sources{Dir: "p", Files: []string{"p/web/a.html", "p/p.go"}}
	if got := g.Nodes[0].Src; !reflect.DeepEqual(got, want) {
		t.Errorf("the sources are %+v, want %+v", got, want)
	}
}

// A profile is a node of its own, to which packages of std refer, too.
func TestProfile(t *testing.T) {
	g := newGraph(t, `mkdir -p $WORK/b003/
cd /src
TOOL/preprofile -o $WORK/b003/pgo.preprofile -i ./default.pgo

#
# errors
#

echo '# import config' > $WORK/b002/importcfg # internal
TOOL/compile -o $WORK/b002/_pkg_.a -p errors -std -buildid x/x -pgoprofile=$WORK/b003/pgo.preprofile -c=4 -importcfg $WORK/b002/importcfg -pack /goroot/src/errors/errors.go
`, options())
	checkNodes(t, g,
		&Node{
			Kind: File, Name: "preprofile",
			Steps: []action.Step{goTool("preprofile -o ${FILE} -i ${SRC}/default.pgo")},
			Src:   &Sources{Dir: ".", Files: []string{"default.pgo"}},
		},
		&Node{
			Kind: Package, Name: "errors", Std: true, Refs: []Ref{{0, Whole}},
			Steps: []action.Step{
				write("${OBJ}/importcfg", "# import config\n"),
				compile("-p errors -std -pgoprofile=${R0} -importcfg ${OBJ}/importcfg -pack ${GOROOT}/src/errors/errors.go"),
			},
		})
}
