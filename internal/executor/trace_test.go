package executor

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/action"
)

// filesBelow lists the files of a tree.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			list = append(list, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// A compiler's includes are traced, and what it only asks for.
func TestTrace(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc")
	}
	files := map[string]string{
		"p/x.c":          "#include \"a.h\"\n#if __has_include(\"../q/asked.h\")\n#include <c.h>\n#endif\n#include NAME\n",
		"p/a.h":          "",
		"p/unused.h":     "",
		"p/kept.h":       "",
		"q/asked.h":      "",
		"inc/c.h":        "#include \"d.h\"",
		"inc/d.h":        "",
		"inc/computed.h": "",
		"none/x.h":       "",
	}
	all := []string{"inc/c.h", "inc/computed.h", "inc/d.h", "none/x.h", "p/a.h", "p/kept.h", "p/unused.h", "p/x.c", "q/asked.h"}
	for _, test := range []struct {
		name string
		args []string
		link string
		want []string
	}{
		{"a preprocessor", []string{gcc, "-I../inc", "-I", "${SRC}/none", "-DNAME=<computed.h>", "-E", "-o", "/dev/null", "x.c"}, "",
			[]string{"inc/c.h", "inc/computed.h", "inc/d.h", "p/a.h", "p/kept.h", "p/x.c", "q/asked.h"}},
		{"one that fails", []string{gcc, "-E", "-o", "/dev/null", "x.c"}, "", all},
		{"a symbolic link", []string{"cat", "x.c"}, "p/link", append(all[:7:7], "p/link", "p/x.c", "q/asked.h")},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			for name, text := range files {
				writeFile(t, filepath.Join(b.vars["in"], name), text, 0o666)
			}
			if test.link != "" {
				if err := os.Symlink("x.c", filepath.Join(b.vars["in"], test.link)); err != nil {
					t.Fatal(err)
				}
				test.want = []string{"inc/c.h", "inc/computed.h", "inc/d.h", "none/x.h", "p/a.h", "p/kept.h", "p/link", "p/unused.h", "p/x.c", "q/asked.h"}
			}
			log, err := b.run(1, action.Unit{
				Name: "p", Env: "${env}",
				Sources: []action.Source{{At: "${SRC}", From: "${in}", Copy: true}},
				Steps: []action.Step{{Trace: &action.Trace{
					Runs: []action.Run{{Dir: "${SRC}/p", Args: test.args}},
					From: "${SRC}", To: "${out}/tree", Keep: []string{"p/kept.h", "p/gone.h"},
				}}},
			})
			if err != nil || log != "" {
				t.Fatalf("%v, %q", err, log)
			}
			if got := filesBelow(t, filepath.Join(b.vars["out"], "tree")); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if _, err := os.Stat(filepath.Join(b.vars["out"], "tree/none")); test.link == "" && err != nil {
				t.Error("a directory that is searched is not there")
			}
		})
	}
}

// Steps beside each other run at the same time, as far as there are slots; what
// they say comes in their order, and the first failure counts.
func TestBeside(t *testing.T) {
	step := func(beside bool, script string) action.Step {
		return action.Step{Beside: beside, Run: &action.Run{Args: []string{"${sh}", "-c", action.Escape(script)}}}
	}
	// Each waits for the other: they come to an end only together.
	wait := "touch $0; i=0; while [ ! -e $1 ]; do sleep 0.05; i=$((i+1)); [ $i -lt 200 ] || exit 1; done; echo $0"
	meet := func(a, b string) action.Step {
		s := step(true, wait)
		s.Run.Args = append(s.Run.Args, a, b)
		return s
	}
	b := newBench(t)
	first := meet("a", "b")
	first.Beside = false
	log, err := b.run(2, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{first, meet("b", "a"), step(false, "echo last")}})
	if want := "# p\na\n# p\nb\n# p\nlast\n"; err != nil || log != want {
		t.Errorf("got %v, %q, want %q", err, log, want)
	}
	b = newBench(t)
	log, err = b.run(1, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{
		step(false, "echo one"), step(true, "echo two; exit 3"), step(true, "touch three"), step(false, "touch four"),
	}})
	if err == nil || log != "# p\none\n# p\ntwo\n" {
		t.Errorf("got %v, %q", err, log)
	}
	for _, name := range []string{"three", "four"} {
		if _, err := os.Stat(filepath.Join(b.top, "0/obj", name)); err == nil {
			t.Errorf("step %s ran after a failure", name)
		}
	}
}

// A text that names the unit's directories names those of the unit where it
// comes to.
func TestLeaves(t *testing.T) {
	b := newBench(t)
	unit := func(name string, needs []int, steps ...action.Step) action.Unit {
		return action.Unit{Name: name, Needs: needs, Env: "${env}", Steps: steps}
	}
	_, err := b.run(1,
		unit("a", nil,
			action.Step{Mkdir: "${out}/tree"},
			action.Step{Write: &action.Write{Path: "${OBJ}/x.c", Text: "#line 1 \"${SRC}/x.go\" ${OBJ}/y"}},
			action.Step{Copy: &action.Copy{From: "${OBJ}/x.c", To: "${out}/tree/x.c", Leaves: true}}),
		unit("b", []int{0},
			action.Step{Copy: &action.Copy{From: "${out}/tree", To: "${OBJ}/tree", Tree: true, Comes: true}},
			action.Step{Copy: &action.Copy{From: "${OBJ}/tree/x.c", To: "${out}/after"}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, filepath.Join(b.vars["out"], "tree/x.c")), "#line 1 \"/dgd-unit/src/x.go\" /dgd-unit/obj/y"; got != want {
		t.Errorf("on the way it is %q, want %q", got, want)
	}
	if got, want := readFile(t, filepath.Join(b.vars["out"], "after")), "#line 1 \""+b.top+"/1/src/x.go\" "+b.top+"/1/obj/y"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}
