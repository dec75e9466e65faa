package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dgd/internal/testfiles"
)

func TestHasBuildID(t *testing.T) {
	for _, test := range []struct {
		ldflags             string
		goModule, otherwise bool
	}{
		{"", false, false},
		{"-s -w", false, false},
		{"-buildid=", true, true},
		{"-s -buildid=abc", true, true},
		{"all=-buildid=abc", false, true},
		{"all=-s -buildid=abc", true, true},
		{"-X main.id=x-buildid=y", false, false},
	} {
		if got := hasBuildID(test.ldflags, true); got != test.goModule {
			t.Errorf("%q for buildGoModule: %v", test.ldflags, got)
		}
		if got := hasBuildID(test.ldflags, false); got != test.otherwise {
			t.Errorf("%q: %v", test.ldflags, got)
		}
	}
}

// The go command uses this program as its build cache, and no directory.
func TestPlanKeepsNoCache(t *testing.T) {
	src, tmp := t.TempDir(), t.TempDir()
	testfiles.Write(t, src, map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "main.go": "package main\n\nimport _ \"fmt\"\n\nfunc main() {}\n"})
	t.Setenv("TMPDIR", tmp)
	kept := filepath.Join(tmp, "kept")
	// This go command copies its build cache, which dgd removes.
	goroot := goThat(t, `"$GO" "$@"; status=$?; [ "$1" != build ] && [ "$1" != install ] || cp -r "$GOCACHE" "`+kept+`-$$"; exit $status`)
	t.Setenv("PATH", filepath.Join(goroot, "bin")+":"+os.Getenv("PATH"))
	if status, _, log := call(t, src, "plan", "--cgo=false"); status != 0 {
		t.Fatalf("status %d: %s", status, log)
	}
	caches, err := filepath.Glob(kept + "-*")
	if err != nil || len(caches) < 2 {
		t.Fatalf("there were the caches %q (%v)", caches, err)
	}
	for _, cache := range caches {
		err := filepath.WalkDir(cache, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && len(filepath.Base(filepath.Dir(file))) == 2 {
				t.Errorf("the go command has written %s", file)
				return fs.SkipAll
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(src, "dgd.plan")); err != nil || !strings.Contains(string(text), "\nstd fmt ") {
		t.Errorf("the plan has no fmt (%v):\n%s", err, text)
	}
}

// In a module of a workspace, the plan is written for a builder whose modRoot is that
// module, and further calls keep the setting.
func TestPlanOfMember(t *testing.T) {
	root := t.TempDir()
	const main = "package main\n\nfunc main() {}\n"
	testfiles.Write(t, root, map[string]string{
		"ws/go.work":        "go 1.24\n\nuse (\n\t.\n\t./tools\n)\n",
		"ws/go.mod":         "module example.com/m\n\ngo 1.24\n",
		"ws/main.go":        main,
		"ws/tools/go.mod":   "module example.com/tools\n\ngo 1.24\n",
		"ws/tools/a/a.go":   main,
		"one/app/go.mod":    "module example.com/app\n\ngo 1.24\n",
		"one/app/cmd/a.go":  main,
		"one/app/README.md": "",
	})
	for _, test := range []struct {
		dir, file, modRoot string
		args               []string
	}{
		{"ws/tools/a", "ws", "tools", []string{"--builder", "buildGoModule"}},
		{"ws", "ws", "tools", nil},
		{"ws", "ws", "tools", []string{"--cgo=false"}},
		{"ws", "ws", ".", []string{"--builder", "buildGoModule"}},
		{"ws/tools", "ws", "ws/tools", []string{"--builder", "buildGoModule", "--src", "../.."}},
		{"ws/tools", "ws", "ws/tools", nil},
		{"one/app", "one/app", "app", []string{"--builder", "buildGoModule", "--src", ".."}},
		{"one/app/cmd", "one/app", "app", nil},
	} {
		if status, _, log := call(t, filepath.Join(root, test.dir), append([]string{"plan"}, test.args...)...); status != 0 {
			t.Errorf("%v: status %d: %s", test, status, log)
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, test.file, "dgd.plan"))
		if err != nil || !strings.Contains(string(text), "\nset modRoot \""+test.modRoot+"\" #") {
			t.Errorf("%v: another modRoot (%v):\n%s", test, err, text)
		}
	}
}

// goThat returns a GOROOT whose go command is a script, in which $GO is the real one.
func goThat(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	real, dir := strings.TrimSpace(string(out)), t.TempDir()
	entries, err := os.ReadDir(real)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "bin" {
			if err := os.Symlink(filepath.Join(real, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := "#!/bin/sh\nexport GOROOT=" + dir + " GO=" + filepath.Join(real, "bin/go") + "\n" + script + "\n"
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/go"), []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
