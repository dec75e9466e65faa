package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dgd/internal/action"
)

// A bench is where a test runs specs: the units' directories are below top,
// and the tokens out and tools stand for directories.
type bench struct {
	t    *testing.T
	top  string
	vars action.Vars
	self []string // see Config.Self
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, top: filepath.Join(dir, "top"), vars: action.Vars{
		"out": filepath.Join(dir, "out"),
		"in":  filepath.Join(dir, "in"),
		"sh":  sh,
		"env": filepath.Join(dir, "env"),
	}, self: []string{os.Args[0], WatchedCommand}}
	for _, name := range []string{"out", "in"} {
		if err := os.Mkdir(b.vars[name], 0o777); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, b.vars["env"], "PATH="+os.Getenv("PATH")+"\x00EMPTY=\x00\x00LINES=a\nb\x00", 0o666)
	return b
}

// run runs units and returns what they printed.
func (b *bench) run(cores int, units ...action.Unit) (string, error) {
	b.t.Helper()
	return b.runContext(context.Background(), cores, units...)
}

func (b *bench) runContext(ctx context.Context, cores int, units ...action.Unit) (string, error) {
	b.t.Helper()
	var log bytes.Buffer
	err := Run(ctx, &action.Spec{Units: units}, Config{Top: b.top, Cores: cores, Vars: b.vars, Stderr: &log, Self: b.self})
	if err := os.RemoveAll(b.top); err != nil {
		b.t.Fatal(err)
	}
	return log.String(), err
}

// steps runs a unit of the given steps, which must succeed and print nothing.
func (b *bench) steps(steps ...action.Step) {
	b.t.Helper()
	if log, err := b.run(1, action.Unit{Name: "p", Env: "${env}", Steps: steps}); err != nil || log != "" {
		b.t.Fatalf("%v\n%s", err, log)
	}
}

// in makes a file that units find at ${in}/NAME.
func (b *bench) in(name, text string) {
	b.t.Helper()
	writeFile(b.t, filepath.Join(b.vars["in"], name), text, 0o666)
}

// out checks the text of a file that units have written at ${out}/NAME.
func (b *bench) out(name, want string) {
	b.t.Helper()
	if got := readFile(b.t, filepath.Join(b.vars["out"], name)); got != want {
		b.t.Errorf("%s is\n%q, want\n%q", name, got, want)
	}
}

func writeFile(t *testing.T, file, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sh is a step that runs a shell script.
func sh(script string, args ...string) action.Step {
	run := shell(script, args...)
	return action.Step{Run: &run}
}

func shell(script string, args ...string) action.Run {
	return action.Run{Args: append([]string{"${sh}", "-euc", action.Escape(script), "sh"}, args...)}
}

func write(path, text string) action.Step {
	return action.Step{Write: &action.Write{Path: path, Text: text}}
}

func TestFiles(t *testing.T) {
	b := newBench(t)
	b.in("plain", "text")
	writeFile(t, b.vars["in"]+"/tree/program", "#!", 0o555)
	writeFile(t, b.vars["in"]+"/tree/sub/data", "data", 0o444)
	for name, target := range map[string]string{"link": "sub/data", "dangling": "../nothing", "sub/dir": "."} {
		if err := os.Symlink(target, filepath.Join(b.vars["in"], "tree", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(b.vars["in"]+"/tree/sub", 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(b.vars["in"]+"/tree/sub", 0o777) })
	b.steps(
		action.Step{Mkdir: "${OBJ}/a/b"},
		action.Step{Mkdir: "${OBJ}/a"},
		write("${OBJ}/a/b/cfg", "file ${in}/x costs $$5\n"),
		write("${OBJ}/a/b/empty", ""),
		action.Step{Copy: &action.Copy{From: "${OBJ}/a/b/cfg", To: "${out}/cfg"}},
		action.Step{Copy: &action.Copy{From: "${in}/tree/program", To: "${out}/program"}},
		action.Step{Copy: &action.Copy{From: "${in}/tree/link", To: "${out}/data"}},
		action.Step{Copy: &action.Copy{From: "${in}/plain", To: "${out}/data"}}, // over another
		action.Step{Copy: &action.Copy{From: "${in}/tree", To: "${out}/tree", Tree: true}},
		action.Step{Copy: &action.Copy{From: "${in}/tree", To: "${out}/tree", Tree: true}}, // twice
		action.Step{Copy: &action.Copy{From: "${in}/tree/program", To: "${out}/one", Tree: true}},
		action.Step{Copy: &action.Copy{From: "${OBJ}/a", To: "${out}/a", Tree: true}},
	)
	b.out("cfg", "file "+b.vars["in"]+"/x costs $5\n")
	b.out("data", "text")
	b.out("program", "#!")
	b.out("a/b/empty", "")
	b.out("tree/sub/data", "data")
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(b.vars["out"], func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Type()
		if mode == 0 {
			mode = info.Mode() & 0o300
		}
		modes[strings.TrimPrefix(path, b.vars["out"])] = mode
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{
		"":               fs.ModeDir,
		"/cfg":           0o200,
		"/data":          0o200,
		"/program":       0o300,
		"/one":           0o300,
		"/a":             fs.ModeDir,
		"/a/b":           fs.ModeDir,
		"/a/b/cfg":       0o200,
		"/a/b/empty":     0o200,
		"/tree":          fs.ModeDir,
		"/tree/program":  0o300,
		"/tree/link":     fs.ModeSymlink,
		"/tree/dangling": fs.ModeSymlink,
		"/tree/sub":      fs.ModeDir,
		"/tree/sub/dir":  fs.ModeSymlink,
		"/tree/sub/data": 0o200,
	}
	for name, mode := range modes {
		if mode != want[name] {
			t.Errorf("%s has the mode %v, want %v", name, mode, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not made: %v", want)
	}
	if target, err := os.Readlink(b.vars["out"] + "/tree/dangling"); target != "../nothing" || err != nil {
		t.Errorf("a copied link leads to %s, %v", target, err)
	}
}

func TestRunProgram(t *testing.T) {
	b := newBench(t)
	writeFile(t, b.vars["in"]+"/bin/tool", "#!"+b.vars["sh"]+"\necho \"$0 $*\" >\"$OUT\"\n", 0o777)
	writeFile(t, b.vars["in"]+"/first/tool", "not executable", 0o666)
	if err := os.MkdirAll(b.vars["in"]+"/zeroth/tool", 0o777); err != nil {
		t.Fatal(err)
	}
	inDir := shell(`pwd >"$1"; echo "$PWD" >>"$1"`, "${out}/dir")
	inDir.Dir = "${in}"
	withEnv := shell(`echo "$A+$B+${EMPTY-unset}+$LINES+$HOME" >"$1"; test -d "$TMPDIR"
		test "$TMP$TEMP$TEMPDIR" = "$TMPDIR$TMPDIR$TMPDIR"; case $TMPDIR in "$NIX_BUILD_TOP"/*) ;; *) exit 1 ;; esac
		test "$NIX_BUILD_CORES" = 1`, "${out}/env")
	withEnv.Env = []string{"A=first", "A=${in}", "B=$$b c"}
	b.steps(
		sh(`test "$PWD" = "$1"; pwd >"$2"`, "${OBJ}", "${out}/obj"),
		action.Step{Run: &inDir},
		action.Step{Run: &withEnv},
		sh(`printf '%s|' "$@" >"$0"`),
		sh(`printf '%s|' "$@" >"$1"`, "${out}/args", "a b", "$$x", "", "*", "é"),
		action.Step{Run: &action.Run{
			Env:  []string{"OUT=${out}/found", "PATH=${in}/zeroth:${in}/first:${in}/bin:/nowhere"},
			Args: []string{"tool", "x"},
		}},
		action.Step{Run: &action.Run{
			Env:  []string{"OUT=${out}/path", "PATH="},
			Args: []string{"${in}/bin/tool"},
		}},
	)
	b.out("obj", b.top+"/0/obj\n")
	b.out("dir", b.vars["in"]+"\n"+b.vars["in"]+"\n")
	b.out("env", b.vars["in"]+"+$b c++a\nb+/homeless-shelter\n")
	b.out("args", b.vars["out"]+"/args|a b|$x||*|é|")
	b.out("found", b.vars["in"]+"/bin/tool x\n")
	b.out("path", b.vars["in"]+"/bin/tool \n")
}

// Nothing runs but the program that a step names, with just the words and the
// environment that it is given: not one of that name in the executor's own
// PATH, in the working directory or in the sources, and no command in a word.
func TestOnlyNamed(t *testing.T) {
	b := newBench(t)
	own := filepath.Join(filepath.Dir(b.vars["in"]), "own")
	ran := b.vars["out"] + "/ran"
	for _, dir := range []string{own, b.vars["in"], b.vars["in"] + "/bin"} {
		writeFile(t, dir+"/tool", "#!"+b.vars["sh"]+"\necho \"$0\" >>"+ran+"\n", 0o777)
	}
	t.Setenv("PATH", own)
	t.Setenv("SECRET", "of the executor")
	t.Chdir(b.vars["in"])
	unit := func(run action.Run) action.Unit {
		run.Dir = "${in}"
		return action.Unit{Name: "p", Sources: []action.Source{{At: "${SRC}", From: "${in}"}}, Steps: []action.Step{{Run: &run}}}
	}
	for _, run := range []action.Run{
		{Args: []string{"tool"}},
		{Args: []string{"tool"}, Env: []string{"PATH=/nowhere"}},
		{Args: []string{"no;tool"}, Env: []string{"PATH=${in}/bin"}},
		{Args: []string{"tool x"}, Env: []string{"PATH=${in}/bin"}},
		{Args: []string{"-tool"}, Env: []string{"PATH=${in}/bin"}},
		{Args: []string{"${in}/none/../no"}, Env: []string{"PATH=${in}/bin"}},
	} {
		if log, err := b.run(1, unit(run)); err == nil || log != "" {
			t.Errorf("%q ran: %v\n%s", run.Args, err, log)
		}
	}
	say := shell(`printf '%s|' "$@" "${SECRET-unset}" "${PATH}" >"$1"`, "${out}/words", "$$(tool)", "`tool`", "; tool", "&& tool", "-c tool", "\ntool\n")
	say.Env = []string{"PATH=/path-not-set"}
	if log, err := b.run(1, unit(say)); err != nil || log != "" {
		t.Errorf("%v\n%s", err, log)
	}
	b.out("words", b.vars["out"]+"/words|$(tool)|`tool`|; tool|&& tool|-c tool|\ntool\n|unset|/path-not-set|")
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("ran %s", text)
	}
}

func TestVars(t *testing.T) {
	b := newBench(t)
	b.vars["R0"] = "derivation ${in} $"
	log, err := b.run(1, action.Unit{
		Name:  "p",
		Vars:  action.Vars{"FILE": "${out}/file", "sh": "$$ only here"},
		Steps: []action.Step{write("${FILE}", "${R0} ${sh}")},
	})
	if err != nil || log != "" {
		t.Fatal(err, log)
	}
	// The values of a derivation are paths, and not expanded.
	b.out("file", "derivation ${in} $ $ only here")
}

func TestSources(t *testing.T) {
	b := newBench(t)
	b.in("p/x.go", "x")
	b.in("p/sub/y.h", "y")
	b.in("q/z.go", "z")
	seen := sh(`cd "$1"; ls -F >"$2"; cd p/sub; pwd -P >>"$2"; ls .. >>"$2"`, "${SRC}/a", "${out}/seen")
	unit := action.Unit{
		Name:    "p",
		Env:     "${env}",
		Sources: []action.Source{{At: "${SRC}/a/p", From: "${in}/p"}, {At: "${SRC}/a/q", From: "${in}/q", Copy: true}},
		Steps:   []action.Step{seen},
	}
	if log, err := b.run(1, unit); err != nil {
		t.Fatal(err, log)
	}
	// The link leads away, the copy does not.
	b.out("seen", "p@\nq/\n"+b.vars["in"]+"/p/sub\nsub\nx.go\n")
	unit.Sources[0].Copy = true
	unit.Steps = append(unit.Steps, write("${SRC}/a/p/x.go", "changed"))
	if log, err := b.run(1, unit); err != nil {
		t.Fatal(err, log)
	}
	b.out("seen", "p/\nq/\n"+b.top+"/0/src/a/p/sub\nsub\nx.go\n")
	if got := readFile(t, b.vars["in"]+"/p/x.go"); got != "x" {
		t.Errorf("writing to a copy changed the source to %q", got)
	}
	// SRC itself can be a source, and exists without any.
	for _, sources := range [][]action.Source{nil, {{At: "${SRC}", From: "${in}/p"}}, {{At: "${SRC}", From: "${in}/p", Copy: true}}} {
		unit.Sources = sources
		run := shell(`ls >"$1"`, "${out}/seen")
		run.Dir = "${SRC}"
		unit.Steps = []action.Step{{Run: &run}}
		if log, err := b.run(1, unit); err != nil {
			t.Fatal(err, log)
		}
		want := ""
		if sources != nil {
			want = "sub\nx.go\n"
		}
		b.out("seen", want)
	}
	// Trees of the same place, as links of several cgo packages have them.
	if err := os.Symlink("x.go", b.vars["in"]+"/p/link"); err != nil {
		t.Fatal(err)
	}
	unit.Sources = []action.Source{{At: "${SRC}", From: "${in}/p", Copy: true}, {At: "${SRC}", From: "${in}/p", Copy: true}}
	if log, err := b.run(1, unit); err != nil {
		t.Fatal(err, log)
	}
	b.out("seen", "link\nsub\nx.go\n")
}

func TestParallel(t *testing.T) {
	b := newBench(t)
	meeting := func(name string) action.Unit {
		return action.Unit{Name: name, Env: "${env}", Steps: []action.Step{
			sh(`: >"$1/$2"; n=0; until test -e "$1/a" && test -e "$1/b"; do n=$((n+1)); test $n -lt 1000; sleep 0.01; done`, "${in}", name),
		}}
	}
	if log, err := b.run(2, meeting("a"), meeting("b")); err != nil {
		t.Errorf("two units did not run at the same time: %v\n%s", err, log)
	}
	// On one core, one at a time.
	alone := func(name string, needs ...int) action.Unit {
		return action.Unit{Name: name, Env: "${env}", Needs: needs, Steps: []action.Step{
			sh(`mkdir "$1/lock"; sleep 0.05; echo "$2" >>"$1/order"; rmdir "$1/lock"`, "${out}", name),
		}}
	}
	if log, err := b.run(1, alone("a"), alone("b"), alone("c")); err != nil {
		t.Errorf("units on one core: %v\n%s", err, log)
	}
	if err := os.Remove(b.vars["out"] + "/order"); err != nil {
		t.Fatal(err)
	}
	// However many cores there are, what is needed comes first.
	if log, err := b.run(8, alone("a"), alone("b", 0), alone("c", 0, 1), alone("d", 2)); err != nil {
		t.Errorf("units that need each other: %v\n%s", err, log)
	}
	b.out("order", "a\nb\nc\nd\n")
	if log, err := b.run(0); err != nil || log != "" {
		t.Errorf("no units: %v\n%s", err, log)
	}
}

// A program that works in parallel itself gets more than one core only where it
// is alone.
func TestConcurrencyFlag(t *testing.T) {
	b := newBench(t)
	run := action.Run{Args: []string{"${in}/tool", "-o", "x"}, Parallel: true}
	writeFile(t, b.vars["in"]+"/tool", "#!"+b.vars["sh"]+"\necho \"$*\" >>../../../out/args\n", 0o777)
	unit := action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{{Run: &run}}}
	for _, test := range []struct {
		cores int
		units []action.Unit
		want  string
	}{
		{1, []action.Unit{unit}, "-o x\n"},
		{2, []action.Unit{unit}, "-c=2 -o x\n"},
		{64, []action.Unit{unit}, "-c=4 -o x\n"},
		{64, []action.Unit{unit, unit}, "-o x\n-o x\n"},
	} {
		os.Remove(b.vars["out"] + "/args")
		if log, err := b.run(test.cores, test.units...); err != nil {
			t.Fatal(err, log)
		}
		b.out("args", test.want)
	}
}

func TestFailure(t *testing.T) {
	b := newBench(t)
	b.in("p/x.go", "x")
	log, err := b.run(4,
		action.Unit{
			Name:    "example.com/m/p",
			Env:     "${env}",
			Sources: []action.Source{{At: "${SRC}/p", From: "${in}/p"}},
			Steps: []action.Step{
				sh(`n=0; until test -e "$1/started"; do n=$((n+1)); test $n -lt 1000; sleep 0.01; done`, "${in}"),
				sh(`echo "$1/p/x.go:3:2: undefined: y, see $2/_cgo_gotypes.go"; echo "note" >&2; exit 2`, "${SRC}", "${OBJ}"),
				write("${out}/after", ""),
			},
		},
		action.Unit{Name: "dependent", Needs: []int{0}, Steps: []action.Step{write("${out}/dependent", "")}},
		action.Unit{Name: "other", Env: "${env}", Steps: []action.Step{
			sh(`: >"$1/started"; sleep 0.3; echo first`, "${in}"), sh(`printf second`), write("${out}/other", ""),
		}},
		action.Unit{Name: "last", Needs: []int{2, 1}, Steps: []action.Step{write("${out}/last", "")}},
	)
	if !errors.Is(err, ErrShown) {
		t.Errorf("the error is %v, want %v", err, ErrShown)
	}
	const failed = "# example.com/m/p\np/x.go:3:2: undefined: y, see $WORK/_cgo_gotypes.go\nnote\n"
	const other = "# other\nfirst\n# other\nsecond\n"
	if log != failed+other {
		t.Errorf("the log is\n%s\nwant\n%s", log, failed+other)
	}
	b.out("other", "")
	for _, name := range []string{"after", "dependent", "last"} {
		if _, err := os.Stat(filepath.Join(b.vars["out"], name)); err == nil {
			t.Errorf("%s was written after the failure", name)
		}
	}
}

func TestFailureMessages(t *testing.T) {
	for _, test := range []struct {
		name string
		step action.Step
		log  string
		err  string // "" for ErrShown
	}{
		{"silent", sh(`exit 3`), "# p\nsh: exit status 3\n", ""},
		{"blank", sh(`echo; exit 3`), "# p\n\nsh: exit status 3\n", ""},
		{"signal", sh(`kill -9 $$`), "", "p: running SH: signal: killed"},
		{"signal after words", sh(`printf internal compiler error; kill -SEGV $$`), "# p\ninternal\n", "p: running SH: signal: segmentation fault"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			log, err := b.run(1, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{test.step}})
			if log != test.log {
				t.Errorf("the log is\n%s\nwant\n%s", log, test.log)
			}
			if test.err == "" {
				if !errors.Is(err, ErrShown) {
					t.Errorf("the error is %v, want %v", err, ErrShown)
				}
				return
			}
			want := strings.ReplaceAll(test.err, "SH", b.vars["sh"])
			if err == nil || !strings.HasPrefix(err.Error(), want) || errors.Is(err, ErrShown) {
				t.Errorf("the error is %v, want %s", err, want)
			}
		})
	}
}

// Nothing of a unit that has come to its end takes room.
func TestWorkIsRemoved(t *testing.T) {
	b := newBench(t)
	log, err := b.run(1,
		action.Unit{Name: "p", Steps: []action.Step{write("${OBJ}/big", "big")}},
		action.Unit{Name: "q", Env: "${env}", Needs: []int{0}, Steps: []action.Step{sh(`ls "$1/../.." >"$2"`, "${OBJ}", "${out}/list")}},
	)
	if err != nil {
		t.Fatal(err, log)
	}
	b.out("list", "1\n")
}

func TestCancel(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(b.vars["out"] + "/started"); err == nil {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	exec := shell(`: >"$1"; exec sleep 60`, "${out}/started")
	_, err := b.runContext(ctx, 1,
		action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{{Run: &exec}}},
		action.Unit{Name: "q", Needs: []int{0}, Steps: []action.Step{write("${out}/dependent", "")}},
	)
	if err == nil {
		t.Error("a cancelled run succeeded")
	}
	if _, err := os.Stat(b.vars["out"] + "/dependent"); err == nil {
		t.Error("a unit was started after the end")
	}
	if _, err := b.runContext(ctx, 1, action.Unit{Name: "p", Steps: []action.Step{write("${out}/x", "")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was cancelled before its start: %v", err)
	}
}

func TestIfExists(t *testing.T) {
	b := newBench(t)
	b.in("there", "")
	if err := os.Symlink("nothing", b.vars["in"]+"/dangling"); err != nil {
		t.Fatal(err)
	}
	run := shell(`printf '%s|' "$@" >"$1"`, "${out}/args", "${in}/gone", "${in}/there", "${in}/dangling", "gone", "${in}/gone2")
	run.IfExists = []string{"${in}/gone", "${in}/there", "${in}/dangling"}
	b.steps(action.Step{Run: &run})
	in := b.vars["in"]
	b.out("args", strings.Join([]string{b.vars["out"] + "/args", in + "/there", in + "/dangling", "gone", in + "/gone2"}, "|")+"|")
}

func TestPack(t *testing.T) {
	b := newBench(t)
	const seventeen = "seventeen-bytes.o"
	const accents = "é-acht-zeichen-ü.o" // the sixteenth byte is in the middle of nothing
	b.in("even.o", "1234")
	b.in("odd.o", "123")
	b.in("empty.o", "")
	b.in("sixteen-bytes.oo", "x")
	b.in(seventeen, "yy")
	b.in(accents, "z")
	b.in("ü.o", "zz")
	b.steps(
		write("${OBJ}/_pkg_.a", "!<arch>\n"),
		action.Step{Pack: &action.Pack{Archive: "${OBJ}/_pkg_.a", Files: []string{"${in}/even.o", "${in}/odd.o"}}},
		action.Step{Pack: &action.Pack{
			Archive:  "${OBJ}/_pkg_.a",
			Files:    []string{"${in}/empty.o", "${OBJ}/dynimportfail", "${in}/sixteen-bytes.oo", "${in}/" + seventeen, "${in}/" + accents, "${in}/ü.o"},
			IfExists: []string{"${OBJ}/dynimportfail"},
		}},
		action.Step{Copy: &action.Copy{From: "${OBJ}/_pkg_.a", To: "${out}/a"}},
	)
	header := func(name, size string) string { // of 60 bytes
		return name + "0           0     0     644     " + size + "`\n"
	}
	want := "!<arch>\n" +
		header("even.o          ", "4         ") + "1234" +
		header("odd.o           ", "3         ") + "123\x00" +
		header("empty.o         ", "0         ") +
		header("sixteen-bytes.oo", "1         ") + "x\x00" +
		header("seventeen-bytes.", "2         ") + "yy" +
		header("é-acht-zeichen-", "1         ") + "z\x00" +
		header("ü.o            ", "2         ") + "zz"
	b.out("a", want)
	if n := len(header("even.o          ", "4         ")); n != 60 {
		t.Errorf("a header of %d bytes", n)
	}
}

// The tool that Go itself has for it.
func TestPackLikeGo(t *testing.T) {
	b := newBench(t)
	texts := map[string]string{
		"first":                   "1",
		"x.o":                     strings.Repeat("x", 100_001),
		"a-very-long-file-name.o": strings.Repeat("y", 70_000),
	}
	for name, text := range texts {
		b.in(name, text)
		if err := os.Chmod(filepath.Join(b.vars["in"], name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for archive, names := range map[string][]string{
		"one.a": {"first"},
		"all.a": {"first", "x.o", "a-very-long-file-name.o"},
	} {
		cmd := exec.Command("go", slices.Concat([]string{"tool", "pack", "c", archive}, names)...)
		cmd.Dir = b.vars["in"]
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	b.steps(
		action.Step{Copy: &action.Copy{From: "${in}/one.a", To: "${out}/a"}},
		action.Step{Pack: &action.Pack{Archive: "${out}/a", Files: []string{"${in}/x.o", "${in}/a-very-long-file-name.o"}}},
	)
	if readFile(t, b.vars["out"]+"/a") != readFile(t, b.vars["in"]+"/all.a") {
		t.Error("the archive is not as `go tool pack` makes it")
	}
}

func TestDynImport(t *testing.T) {
	for _, test := range []struct {
		name   string
		link   string
		imp    string
		made   []string
		log    string
		shown  bool
		errors string
	}{
		{
			name: "links",
			link: `echo a warning; : >_cgo_.o`,
			imp:  `test -e _cgo_.o; : >_cgo_import.go`,
			made: []string{"_cgo_.o", "_cgo_import.go"},
		},
		{
			name: "does not link",
			link: `echo "undefined reference to f"; exit 1`,
			imp:  `: >_cgo_import.go`,
			made: []string{"dynimportfail"},
		},
		{
			name: "does not link, in silence",
			link: `exit 1`,
			imp:  `: >_cgo_import.go`,
			made: []string{"dynimportfail"},
		},
		{
			name:  "the imports cannot be read",
			link:  `: >_cgo_.o`,
			imp:   `echo "cgo: cannot parse $PWD/_cgo_.o"; exit 2`,
			made:  []string{"_cgo_.o"},
			log:   "# p\ncgo: cannot parse $WORK/_cgo_.o\n",
			shown: true,
		},
		{
			name:  "the disk is full",
			link:  `echo "ld: final link failed: No space left on device"; exit 1`,
			log:   "# p\nld: final link failed: No space left on device\n",
			shown: true,
		},
		{
			name:  "the linker is killed",
			link:  `echo "collect2: fatal error: ld terminated with signal 9 [Killed]"; exit 1`,
			log:   "# p\ncollect2: fatal error: ld terminated with signal 9 [Killed]\n",
			shown: true,
		},
		{
			name:   "the compiler is killed",
			link:   `kill -9 $$`,
			errors: "p: running SH: signal: killed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			step := action.Step{DynImport: &action.DynImport{Link: shell(test.link), Import: shell(test.imp), Fail: "${OBJ}/dynimportfail"}}
			for _, run := range []*action.Run{&step.DynImport.Link, &step.DynImport.Import} {
				run.Dir = "${OBJ}"
			}
			// The object directory is gone at the end of a unit that succeeds.
			list := sh(`for f in _cgo_.o _cgo_import.go dynimportfail; do if test -e $f; then echo $f; fi; done >"$1"`, "${out}/list")
			log, err := b.run(1, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{step, list}})
			if log != test.log {
				t.Errorf("the log is\n%s\nwant\n%s", log, test.log)
			}
			switch {
			case test.shown:
				if !errors.Is(err, ErrShown) {
					t.Errorf("the error is %v, want %v", err, ErrShown)
				}
			case test.errors != "":
				if want := strings.ReplaceAll(test.errors, "SH", b.vars["sh"]); err == nil || err.Error() != want {
					t.Errorf("the error is %v, want %s", err, want)
				}
			case err != nil:
				t.Error(err)
			default:
				b.out("list", strings.Join(test.made, "\n")+"\n")
			}
		})
	}
}

// A command is told how many cores it may use, whatever the machine has.
func TestCoresToken(t *testing.T) {
	b := newBench(t)
	for _, cores := range []int{1, 7} {
		if log, err := b.run(cores, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{sh(`printf %s "$2" >"$1"`, fmt.Sprintf("${out}/cores-%d", cores), "-p=${CORES}")}}); err != nil {
			t.Fatal(err, log)
		}
		b.out(fmt.Sprintf("cores-%d", cores), fmt.Sprintf("-p=%d", cores))
	}
}

func TestPkgConfig(t *testing.T) {
	b := newBench(t)
	answer := func(libs bool, script string) action.Step {
		return action.Step{PkgConfig: &action.PkgConfig{Run: shell(script), Libs: libs}}
	}
	list := []string{"${out}/args", "-a", "${CFLAGS}", "-b", "${LIBS}", "-c", "x${CFLAGSX}${QUOTEDLIBS}", "${QUOTEDLIBS}"}
	b.vars["CFLAGSX"] = "+"
	show := sh(`printf '%s|' "$@" >"$1"`, list...)
	b.steps(show)
	b.out("args", b.vars["out"]+"/args|-a|-b|-c|x+||")
	b.steps(
		answer(false, `echo '-I/a -DX=\"y\ z\" '`),
		answer(true, `printf '%s\n' '-L/"l m" -lz'`),
		answer(true, `echo`),
		answer(true, `echo -lm`),
		show,
	)
	b.out("args", b.vars["out"]+`/args|-a|-I/a|-DX="y z"|-b|-L/l m|-lz|-lm|-c|x+ "-L/l m" "-lz" "-lm"| "-L/l m" "-lz" "-lm"|`)

	log, err := b.run(1, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{answer(false, `echo "No package 'zlib' found" >&2; exit 1`)}})
	if want := "# p\nNo package 'zlib' found\n"; log != want || !errors.Is(err, ErrShown) {
		t.Errorf("the error is %v, the log\n%s\nwant\n%s", err, log, want)
	}
	log, err = b.run(1, action.Unit{Name: "p", Env: "${env}", Steps: []action.Step{answer(false, `echo '-I$HOME'`)}})
	if want := "p: pkg-config printed the shell's character '$' without a quote: -I$HOME"; err == nil || err.Error() != want || log != "" {
		t.Errorf("the error is %v, want %s; the log is %q", err, want, log)
	}
}

// What the go command finds out by trying is put in where the compiler runs.
func TestCompilerFlags(t *testing.T) {
	b := newBench(t)
	flags := filepath.Join(t.TempDir(), "flags")
	text := `{"compilers": {"my cc": {"before": ["-b", "-$"], "after": ["-a"], "prefixMap": "-fmap"}, "plain": {}}, "failed": "no C++"}`
	if err := os.WriteFile(flags, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(flags+"x", []byte("-b"), 0o666); err != nil {
		t.Fatal(err)
	}
	b.vars["COMPILERS"] = flags
	run := func(compiler, compilers string) (string, error) {
		show := sh(`printf '%s|' "$@" >"$1"`, "${out}/args", "${BEFORE}", "-m", "${PREFIXMAP}=${in}=x", "${AFTER}", "-c")
		show.Run.Compiler = compiler
		return b.run(1, action.Unit{Name: "p", Env: "${env}", Compilers: compilers, Steps: []action.Step{show}})
	}
	for compiler, want := range map[string]string{"my cc": "-b|-$|-m|-fmap=" + b.vars["in"] + "=x|-a|-c|", "plain": "-m|-c|"} {
		if log, err := run(compiler, "${COMPILERS}"); err != nil {
			t.Fatal(err, log)
		}
		b.out("args", b.vars["out"]+"/args|"+want)
	}
	for _, test := range []struct{ compiler, compilers, want string }{
		{"other", "${COMPILERS}", `p: dgd does not know which flags the go command adds to those of the C compiler "other": no C++`},
		{"plain", "${in}/missing", "p: reading the flags of C compilers: open " + b.vars["in"] + "/missing: no such file or directory"},
		{"plain", "${COMPILERS}x", "p: reading the flags of C compilers in " + flags + "x: "},
		{"", "${COMPILERS}", `p: unknown token ${BEFORE} in "${BEFORE}"`},
	} {
		if log, err := run(test.compiler, test.compilers); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s in %s: the error is %v, want %s\n%s", test.compiler, test.compilers, err, test.want, log)
		}
	}
}

func TestErrors(t *testing.T) {
	missing := "${in}/missing"
	for _, test := range []struct {
		name string
		unit action.Unit
		want string
	}{
		{"no action", action.Unit{Steps: []action.Step{{}}}, "p: a step without an action"},
		{"no program", action.Unit{Steps: []action.Step{{Run: &action.Run{}}}}, "p: a step without a program"},
		{"environment", action.Unit{Env: missing}, "p: reading the C compiler's environment: open IN/missing: no such file or directory"},
		{"source", action.Unit{Sources: []action.Source{{At: "${SRC}", From: missing, Copy: true}}}, "p: placing the sources: lstat IN/missing: no such file or directory"},
		{"two sources at one place", action.Unit{Sources: []action.Source{{At: "${SRC}/a", From: "${in}"}, {At: "${SRC}/a", From: "${in}"}}},
			"p: placing the sources: symlink IN TOP/0/src/a: file exists"},
		{"source below a file", action.Unit{Sources: []action.Source{{At: "${in}/file/x", From: "${in}"}}}, "p: mkdir IN/file: not a directory"},
		{"SRC is a file", action.Unit{Sources: []action.Source{{At: "${SRC}", From: "${in}/file", Copy: true}}}, "p: mkdir TOP/0/src: not a directory"},
		{"mkdir", action.Unit{Steps: []action.Step{{Mkdir: "${in}/file/x"}}}, "p: mkdir IN/file: not a directory"},
		{"write", action.Unit{Steps: []action.Step{write("${in}/no/file", "")}}, "p: open IN/no/file: no such file or directory"},
		{"copy from", action.Unit{Steps: []action.Step{{Copy: &action.Copy{From: missing, To: "${out}/x"}}}}, "p: open IN/missing: no such file or directory"},
		{"copy to", action.Unit{Steps: []action.Step{{Copy: &action.Copy{From: "${in}/file", To: "${out}/no/x"}}}}, "p: open OUT/no/x: no such file or directory"},
		{"copy tree", action.Unit{Steps: []action.Step{{Copy: &action.Copy{From: missing, To: "${out}/x", Tree: true}}}}, "p: lstat IN/missing: no such file or directory"},
		{"copy tree onto a file", action.Unit{Steps: []action.Step{{Copy: &action.Copy{From: "${in}", To: "${in}/file", Tree: true}}}}, "p: mkdir IN/file: not a directory"},
		{"pack into nothing", action.Unit{Steps: []action.Step{{Pack: &action.Pack{Archive: missing, Files: []string{"${in}/file"}}}}}, "p: packing: open IN/missing: no such file or directory"},
		{"pack nothing", action.Unit{Steps: []action.Step{{Pack: &action.Pack{Archive: "${in}/file", Files: []string{missing}}}}}, "p: packing: open IN/missing: no such file or directory"},
		{"pack a directory", action.Unit{Steps: []action.Step{{Pack: &action.Pack{Archive: "${in}/file", Files: []string{"${in}"}}}}}, "p: packing: read IN: is a directory"},
		{"program without PATH", action.Unit{Steps: []action.Step{{Run: &action.Run{Args: []string{"sh"}}}}}, `p: program "sh" is not in PATH=""`},
		{"program not in PATH", action.Unit{Steps: []action.Step{{Run: &action.Run{Env: []string{"PATH=${in}"}, Args: []string{"no-such-compiler"}}}}},
			`p: program "no-such-compiler" is not in PATH="IN"`},
		{"missing program", action.Unit{Steps: []action.Step{{Run: &action.Run{Args: []string{missing}}}}},
			"p: running IN/missing: fork/exec IN/missing: no such file or directory"},
		{"not executable", action.Unit{Steps: []action.Step{{Run: &action.Run{Args: []string{"${in}/file"}}}}},
			"p: running IN/file: fork/exec IN/file: permission denied"},
		{"no working directory", action.Unit{Steps: []action.Step{{Run: &action.Run{Dir: missing, Args: []string{"${sh}", "-c", ":"}}}}},
			"p: running SH: chdir IN/missing: no such file or directory"},
		{"missing linker", action.Unit{Steps: []action.Step{{DynImport: &action.DynImport{Link: action.Run{Args: []string{missing}}, Fail: "${OBJ}/f"}}}},
			"p: running IN/missing: fork/exec IN/missing: no such file or directory"},
		{"missing pkg-config", action.Unit{Steps: []action.Step{{PkgConfig: &action.PkgConfig{Run: action.Run{Args: []string{"pkg-config"}}}}}},
			`p: program "pkg-config" is not in PATH=""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.in("file", "text")
			test.unit.Name = "p"
			log, err := b.run(1, test.unit)
			want := strings.NewReplacer("IN", b.vars["in"], "OUT", b.vars["out"], "TOP", b.top, "SH", b.vars["sh"]).Replace(test.want)
			if err == nil || err.Error() != want || log != "" {
				t.Errorf("the error is\n%v, want\n%s\nthe log is %q", err, want, log)
			}
		})
	}
}

// Every string of a unit is expanded, and a token that nothing knows stops it.
func TestUnknownTokens(t *testing.T) {
	const bad = "x${NOPE}"
	ok := action.Run{Args: []string{"${sh}", "-c", ":"}}
	fails := action.Run{Args: []string{"${sh}", "-c", "exit 1"}}
	for name, unit := range map[string]action.Unit{
		"env":         {Env: bad},
		"at":          {Sources: []action.Source{{At: bad, From: "${in}"}}},
		"from":        {Sources: []action.Source{{At: "${SRC}", From: bad}}},
		"mkdir":       {Steps: []action.Step{{Mkdir: bad}}},
		"write path":  {Steps: []action.Step{write(bad, "")}},
		"write text":  {Steps: []action.Step{write("${out}/x", bad)}},
		"copy from":   {Steps: []action.Step{{Copy: &action.Copy{From: bad, To: "${out}/x"}}}},
		"copy to":     {Steps: []action.Step{{Copy: &action.Copy{From: "${in}", To: bad}}}},
		"run dir":     {Steps: []action.Step{{Run: &action.Run{Dir: bad, Args: ok.Args}}}},
		"run env":     {Steps: []action.Step{{Run: &action.Run{Env: []string{bad}, Args: ok.Args}}}},
		"run args":    {Steps: []action.Step{{Run: &action.Run{Args: []string{"${sh}", bad}}}}},
		"optional":    {Steps: []action.Step{{Run: &action.Run{Args: []string{"${sh}", bad}, IfExists: []string{bad}}}}},
		"archive":     {Steps: []action.Step{{Pack: &action.Pack{Archive: bad, Files: []string{"${in}"}}}}},
		"pack files":  {Steps: []action.Step{{Pack: &action.Pack{Archive: "${in}", Files: []string{bad}}}}},
		"fail marker": {Steps: []action.Step{{DynImport: &action.DynImport{Link: fails, Import: ok, Fail: bad}}}},
		"dynimport":   {Steps: []action.Step{{DynImport: &action.DynImport{Link: ok, Import: action.Run{Args: []string{bad}}}}}},
		"pkg-config":  {Steps: []action.Step{{PkgConfig: &action.PkgConfig{Run: action.Run{Args: []string{bad}}}}}},
		"unit's vars": {Vars: action.Vars{"A": bad}, Steps: []action.Step{{Mkdir: "${A}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			unit.Name = "p"
			log, err := b.run(1, unit)
			want := fmt.Sprintf("p: unknown token ${NOPE} in %q", bad)
			if name == "unit's vars" {
				want = `p: unknown token ${A} in "${A}"`
			}
			if err == nil || err.Error() != want || log != "" {
				t.Errorf("the error is\n%v, want\n%s\nthe log is %q", err, want, log)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	b := newBench(t)
	unit := action.Unit{Name: "p", Steps: []action.Step{write("${out}/p", "")}}
	for _, need := range []int{-1, 1, 2} {
		q := unit
		q.Name = "q"
		q.Needs = []int{0, need}
		_, err := b.run(1, unit, q)
		if want := fmt.Sprintf("unit 1 (q) needs unit %d, which is not before it", need); err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
	if _, err := os.Stat(b.vars["out"] + "/p"); err == nil {
		t.Error("a unit of a spec with a mistake was run")
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	spec, vars := filepath.Join(dir, "spec"), filepath.Join(dir, "vars")
	writeFile(t, spec, `{"units":[{"name":"p","steps":[
		{"write":{"path":"${out}","text":"${V0} $$\n"}},
		{"mkdir":"${x}"}]}]}`, 0o666)
	writeFile(t, vars, `{"V0":"/store/v"}`, 0o666)
	t.Setenv("specPath", spec)
	t.Setenv("varsPath", vars)
	t.Setenv("outputs", "out x")
	t.Setenv("out", filepath.Join(dir, "archive"))
	t.Setenv("x", filepath.Join(dir, "export"))
	t.Setenv("NIX_BUILD_TOP", dir)
	t.Setenv("NIX_BUILD_CORES", "1")
	var log bytes.Buffer
	if err := Main(context.Background(), &log); err != nil || log.Len() > 0 {
		t.Fatal(err, log.String())
	}
	if got := readFile(t, filepath.Join(dir, "archive")); got != "/store/v $\n" {
		t.Errorf("wrote %q", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "export")); err != nil || !info.IsDir() {
		t.Error("the second output was not made:", err)
	}

	for _, test := range []struct{ variable, text, want string }{
		{"varsPath", "[]", "reading the actions ($varsPath): json: cannot unmarshal array"},
		{"specPath", "{", "reading the actions ($specPath): unexpected end of JSON input"},
	} {
		file := filepath.Join(dir, "bad")
		writeFile(t, file, test.text, 0o666)
		t.Setenv(test.variable, file)
		if err := Main(context.Background(), &log); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("the error is %v, want %s", err, test.want)
		}
	}
	t.Setenv("specPath", "")
	if err := Main(context.Background(), &log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without $specPath: %v", err)
	}
}

func TestCores(t *testing.T) {
	for in, want := range map[string]int{"1": 1, "3": 3, "64": 64} {
		if got := cores(in); got != want {
			t.Errorf("cores(%q) = %d", in, got)
		}
	}
	for _, in := range []string{"", "0", "-1", "many"} {
		if got := cores(in); got < 1 {
			t.Errorf("cores(%q) = %d", in, got)
		}
	}
}

// TestFullDisk runs itself in a namespace of its own, where it may mount a disk
// of 64 KB.
func TestFullDisk(t *testing.T) {
	if disk := os.Getenv("TEST_FULL_DISK"); disk != "" {
		testFullDisk(t, disk)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "TEST_FULL_DISK="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, fs.ErrPermission), bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("no namespace to mount a small disk in: %v\n%s", err, out)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	}
}

func testFullDisk(t *testing.T, disk string) {
	if err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""),
		syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"),
	); err != nil {
		t.Skip(err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	b := newBench(t)
	b.vars["disk"] = disk
	b.vars["big"] = strings.Repeat("x", 200_000)
	b.in("tree/big", b.vars["big"])
	b.in("big", b.vars["big"])
	full := disk + "/big: no space left on device"
	for _, test := range []struct {
		name string
		unit action.Unit
		log  string
		err  string
	}{
		{"write", action.Unit{Steps: []action.Step{write("${disk}/big", "${big}")}}, "", "write " + full},
		{"copy", action.Unit{Steps: []action.Step{{Copy: &action.Copy{From: "${in}/big", To: "${disk}/big"}}}}, "", full},
		{"copy tree", action.Unit{Steps: []action.Step{{Copy: &action.Copy{From: "${in}/tree", To: "${disk}", Tree: true}}}}, "", full},
		{"source", action.Unit{Sources: []action.Source{{At: "${disk}/src", From: "${in}/tree", Copy: true}}}, "", disk + "/src/big: no space left on device"},
		{"pack", action.Unit{Steps: []action.Step{
			write("${disk}/big", "!<arch>\n"),
			{Pack: &action.Pack{Archive: "${disk}/big", Files: []string{"${in}/big"}}},
		}}, "", full},
		{"program", action.Unit{Steps: []action.Step{sh(`cat "$1" >"$2" || echo "$2: full"; exit 1`, "${in}/big", "${disk}/big")}}, disk + "/big: full\n", ""},
	} {
		test.unit.Name = "p"
		test.unit.Env = "${env}"
		log, err := b.run(1, test.unit)
		switch {
		case test.err == "" && !errors.Is(err, ErrShown):
			t.Errorf("%s: the error is %v", test.name, err)
		case test.err != "" && (err == nil || !strings.HasPrefix(err.Error(), "p: ") || !strings.HasSuffix(err.Error(), test.err)):
			t.Errorf("%s: the error is %v, want …%s", test.name, err, test.err)
		}
		if !strings.HasSuffix(log, test.log) {
			t.Errorf("%s: the log is %s", test.name, log)
		}
		for _, name := range []string{"big", "src"} {
			os.RemoveAll(filepath.Join(disk, name))
		}
	}
	// All of the work on the full disk.
	b.top = filepath.Join(disk, "top")
	if _, err := b.run(1, action.Unit{Name: "p", Steps: []action.Step{write("${OBJ}/big", "${big}")}}); err == nil || !strings.HasSuffix(err.Error(), "/0/obj/big: no space left on device") {
		t.Errorf("the error is %v", err)
	}
}
