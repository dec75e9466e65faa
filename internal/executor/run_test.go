package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"dgd/internal/action"
)

// The test program becomes what dgd-exec becomes for a test, or a program that
// looks files up.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 2 && os.Args[1] == WatchedCommand:
		fmt.Fprintln(os.Stderr, Watched(os.Args[2:]))
		os.Exit(1)
	case len(os.Args) > 2 && os.Args[1] == "look":
		ways[os.Args[2]](os.Args[3:])
	default:
		os.Exit(m.Run())
	}
}

// ways are programs that look files up.
var ways = map[string]func(files []string){
	"stat": func(files []string) {
		for _, f := range files {
			os.Stat(f)
		}
	},
	"open":      func(files []string) { os.ReadFile(files[0]) },
	"list":      func(files []string) { os.ReadDir(files[0]) },
	"syscall":   func(files []string) { syscall.Open(files[0], syscall.O_RDONLY, 0) },
	"openat2":   func(files []string) { openat2(files[0]) },
	"readlink":  func(files []string) { os.Readlink(files[0]) },
	"mkdir":     func(files []string) { os.Mkdir(files[0], 0o777) },
	"rename":    func(files []string) { os.Rename("own", files[0]) },
	"link":      func(files []string) { os.Symlink("own", files[0]) },
	"removeAll": func(files []string) { os.RemoveAll(files[0]) },
	"childList": func(files []string) { exec.Command("ls", files[0]).Run() },
	"remove":    func(files []string) { os.Remove(files[0]) },
	"exec":      func(files []string) { exec.Command(files[0]).Run() },
	"walk": func(files []string) {
		filepath.WalkDir(files[0], func(string, fs.DirEntry, error) error { return nil })
	},
	"chdir": func(files []string) {
		os.Chdir(files[0])
		os.Stat(files[1])
	},
	"root": func(files []string) {
		if root, err := os.OpenRoot(files[0]); err == nil {
			root.Stat(files[1])
		}
	},
	"child": func(files []string) { exec.Command("sh", "-c", "cat "+files[0]).Run() },
	"childDir": func(files []string) {
		cmd := exec.Command("cat", files[1])
		cmd.Dir = files[0]
		cmd.Run()
	},
	"orphan": func(files []string) {
		cmd := exec.Command("sh", "-c", "(cat "+files[0]+"; exec sleep 60) >/dev/null 2>&1 & sleep 1")
		cmd.Run()
	},
	"own": func(files []string) { // what it has made itself
		os.WriteFile(files[0], nil, 0o666)
		os.ReadFile(files[0])
	},
	"self":   func(files []string) { os.ReadFile("/proc/self/cwd/" + files[0]) },
	"thread": func(files []string) { os.ReadFile("/proc/thread-self/cwd/" + files[0]) },
	"root/": func(files []string) {
		syscall.Chroot(files[0])
	},
	"long": func(files []string) { os.Stat(strings.Repeat("./", 2040) + files[0]) },
}

// openat2 opens a file by a system call that package os does not use.
func openat2(file string) {
	name, _ := syscall.BytePtrFromString(file)
	how := [3]uint64{}
	at := -100
	syscall.Syscall6(437, uintptr(at), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&how)), 24, 0, 0)
}

func watchedHere(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("nothing is watched here")
	}
}

// testStep is a step that runs a test of the unit's sources.
func testStep(args ...string) action.Step {
	return action.Step{Test: &action.Test{
		Dir: "${SRC}/p", Path: "${in}", Args: args, Modules: "${OBJ}/modules", Result: "${out}/result",
	}}
}

// result runs a test of a source directory, in which the package p lies.
func (b *bench) result(step action.Step) action.TestResult {
	b.t.Helper()
	if _, err := os.Stat(filepath.Join(b.vars["in"], "src")); err != nil {
		b.in("src/p/own", "")
		b.in("src/p/more", "")
		b.in("src/q/data", "")
		if err := errors.Join(
			os.Symlink("../q", filepath.Join(b.vars["in"], "src/p/link")),
			os.Symlink("../gone/data", filepath.Join(b.vars["in"], "src/p/dangling")),
			os.Symlink("/nowhere/data", filepath.Join(b.vars["in"], "src/p/out")),
			os.Symlink("../../above", filepath.Join(b.vars["in"], "src/p/up")),
		); err != nil {
			b.t.Fatal(err)
		}
	}
	b.vars["self"] = os.Args[0]
	log, err := b.run(1, action.Unit{
		Name: "p", Env: "${env}", Steps: []action.Step{step},
		Sources: []action.Source{{At: "${SRC}", From: "${in}/src", Copy: true}},
	})
	if err != nil || log != "" {
		b.t.Fatalf("%v: %s", err, log)
	}
	var result action.TestResult
	if err := json.Unmarshal([]byte(readFile(b.t, filepath.Join(b.vars["out"], "result"))), &result); err != nil {
		b.t.Fatal(err)
	}
	return result
}

// Every look-up is seen, whichever way a program or its children take.
func TestLookups(t *testing.T) {
	watchedHere(t)
	missing := func(files ...string) action.TestResult {
		m := map[string][]string{}
		for _, f := range files {
			first, _, _ := strings.Cut(f, ":")
			m[first] = append(m[first], strings.Replace(f, ":", "/", 1))
		}
		return action.TestResult{Passed: true, Missing: m}
	}
	for _, test := range []struct {
		way   string
		files []string
		want  action.TestResult
	}{
		{"stat", []string{"own", ".", "..", "../q/data", "link/data", "/nonexistent"}, action.TestResult{}},
		{"stat", []string{"../gone", "../gone/x", "../q/x", "sub/../own"}, missing("gone", "gone:x", "q/x", "p/sub")},
		{"stat", []string{"../gone/x/../y", "link/x", "dangling", "../../src/gone2", "../../../0/src/gone3"}, missing("gone:x", "gone:data", "q/x", "gone2", "gone3")},
		{"stat", []string{"${OBJ}/modules"}, action.TestResult{Modules: true}},
		{"stat", []string{"${OBJ}/modules/cache/x", "${OBJ}/other"}, action.TestResult{Modules: true}},
		{"stat", []string{"own/x"}, missing("p/own/x")},
		{"open", []string{"../gone/x"}, missing("gone:x")},
		{"open", []string{"${SRC}/gone/x"}, missing("gone:x")},
		{"open", []string{"out"}, action.TestResult{Leaving: map[string]string{"p/out": "/nowhere/data"}}},
		{"open", []string{"up/x"}, action.TestResult{Leaving: map[string]string{"p/up": "../../above"}}},
		{"list", []string{"../q"}, action.TestResult{Listed: map[string]int{"q": 1}}},
		{"list", []string{"link/"}, action.TestResult{Listed: map[string]int{"q": 1}}},
		{"walk", []string{".."}, action.TestResult{Listed: map[string]int{".": 2, "p": 6, "q": 1}}},
		{"syscall", []string{"../gone"}, missing("gone")},
		{"openat2", []string{"../gone"}, missing("gone")},
		{"readlink", []string{"../gone"}, missing("gone")},
		{"mkdir", []string{"../gone"}, missing("gone")},
		{"rename", []string{"../gone"}, missing("gone")},
		{"link", []string{"../gone"}, missing("gone")},
		{"remove", []string{"../gone"}, missing("gone")},
		{"removeAll", []string{"../gone"}, missing("gone")},
		{"childList", []string{"../q"}, action.TestResult{Listed: map[string]int{"q": 1}}},
		{"exec", []string{"../gone"}, missing("gone")},
		{"chdir", []string{"../q", "gone"}, missing("q/gone")},
		{"root", []string{"..", "gone/x"}, missing("gone")},
		{"child", []string{"../gone/x"}, missing("gone:x")},
		{"childDir", []string{"../q", "gone"}, missing("q/gone")},
		{"orphan", []string{"../gone/x"}, missing("gone:x")},
		{"own", []string{"made"}, missing("p/made")},
		{"self", []string{"gone"}, missing("p/gone")},
		{"thread", []string{"gone"}, missing("p/gone")},
		{"long", []string{"gone"}, missing("p/gone")},
	} {
		t.Run(test.way+" "+strings.Join(test.files, " "), func(t *testing.T) {
			b := newBench(t)
			got := b.result(testStep(append([]string{"${self}", "look", test.way}, test.files...)...))
			want := test.want
			want.Passed = true
			for _, m := range []*map[string][]string{&got.Missing, &want.Missing} {
				for _, list := range *m {
					slices.Sort(list)
				}
			}
			if !sameResult(got, want) {
				t.Errorf("the result is\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func sameResult(a, b action.TestResult) bool {
	return a.Passed == b.Passed && a.Unseen == b.Unseen && a.Modules == b.Modules && maps.Equal(a.Listed, b.Listed) &&
		maps.Equal(a.Leaving, b.Leaving) && maps.EqualFunc(a.Missing, b.Missing, slices.Equal)
}

// Where not all can be seen, the result says so.
func TestUnseen(t *testing.T) {
	watchedHere(t)
	b := newBench(t)
	if got := b.result(testStep("${self}", "look", "root/", "..")); !got.Passed || !strings.Contains(got.Unseen, "changes what paths mean") {
		t.Errorf("after chroot: %+v", got)
	}
	b.self = nil
	if got := b.result(testStep("${self}", "look", "stat", "../gone")); !got.Passed || got.Unseen != "look-ups are not watched" || len(got.Missing) > 0 {
		t.Errorf("without a way to watch: %+v", got)
	}
}

// Many paths below one that is missing are no more than some.
func TestManyLookups(t *testing.T) {
	watchedHere(t)
	args := []string{"${self}", "look", "stat"}
	for i := range 3 * action.MaxMissing {
		args = append(args, fmt.Sprintf("../gone/%d", i))
	}
	if got := newBench(t).result(testStep(args...)).Missing; len(got) != 1 || len(got["gone"]) != action.MaxMissing || got["gone"][1] != "gone/1" {
		t.Errorf("missing are %q", got)
	}
}

// A test that fails is a result. It has the environment of go test.
func TestTestStep(t *testing.T) {
	for script, want := range map[string]bool{
		"exit 0":                             true,
		"exit 3":                             false,
		"kill -9 $$":                         false,
		`test "$(pwd -P)" = "$PWD"`:          true,
		`test "${PATH%%:*}" = "$1"`:          true,
		`test "$A" = "from the unit, again"`: true,
	} {
		b := newBench(t)
		if err := os.WriteFile(b.vars["env"], []byte("PATH="+os.Getenv("PATH")+"\x00A=from the unit\x00"), 0o666); err != nil {
			t.Fatal(err)
		}
		step := testStep("${sh}", "-c", action.Escape(script), "sh", "${in}")
		step.Test.Env = []string{"A=from the unit, again"}
		if got := b.result(step); got.Passed != want {
			t.Errorf("%s: %+v", script, got)
		}
	}
}

// What a test prints is shown where it passes and is told to.
func TestTestShown(t *testing.T) {
	for flag, want := range map[string]string{"-test.v=true": "# p\nsaid\n", "-test.v=false": ""} {
		b := newBench(t)
		step := testStep("${sh}", "-c", "echo said", "sh", flag)
		step.Test.Dir = "${SRC}"
		log, err := b.run(1, action.Unit{Name: "p", Steps: []action.Step{step}})
		if err != nil || log != want {
			t.Errorf("%s: %v, %q", flag, err, log)
		}
	}
}
