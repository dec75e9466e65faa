package making

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"

	"dgd/internal/lock"
)

// find returns the project in a directory.
func find(t *testing.T, dir string) *Project {
	t.Helper()
	p, err := Find(dir, os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Trees downloads modules that the module cache lacks, and copies the further go.mod
// files of the lock.
func TestTrees(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, old(lib))
	l := mustMake(t, dir)
	environment(t, lib.fileProxy()) // with an empty module cache
	p := find(t, dir)
	goMods := filepath.Join(t.TempDir(), "mods")
	trees, err := Trees(t.Context(), p, l, goMods)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, tree := range trees {
		names = append(names, tree.Module.String())
		if tree.Sum != l.Modules[i].Sum {
			t.Errorf("%s has the sum %s", tree.Module, tree.Sum)
		}
	}
	if want := []string{"example.com/a@v1.0.0", "example.com/b@v1.1.0"}; !slices.Equal(names, want) {
		t.Fatalf("the trees are of %q, want %q", names, want)
	}
	if text, err := os.ReadFile(filepath.Join(trees[1].Dir, "b.go")); err != nil || string(text) != "package b // 1.1\n" {
		t.Errorf("b.go is %q (%v)", text, err)
	}
	var found []string
	for name, text := range snapshot(t, goMods) {
		found = append(found, strings.TrimPrefix(name, goMods+"/"))
		if !strings.HasPrefix(text, "module example.com/") {
			t.Errorf("%s is %q", name, text)
		}
	}
	slices.Sort(found)
	if want := []string{"example.com/b/@v/v1.0.0.mod", "example.com/deep/@v/v1.0.0.mod", "example.com/graph/@v/v1.0.0.mod"}; !slices.Equal(found, want) {
		t.Errorf("the go.mod files are %q, want %q", found, want)
	}

	// Modules in the module cache are not downloaded again.
	t.Setenv("GOPROXY", "off")
	if again, err := Trees(t.Context(), p, l, filepath.Join(t.TempDir(), "mods")); err != nil || !reflect.DeepEqual(again, trees) {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	other := *l
	other.Modules = slices.Clone(l.Modules)
	other.Modules[1].Sum = l.Modules[0].Sum
	if _, err := Trees(t.Context(), p, &other, goMods); err == nil || !strings.Contains(err.Error(), "example.com/b@v1.1.0 is in the module cache with another checksum than dgd.lock has: run `dgd lock`") {
		t.Errorf("another sum: %v", err)
	}
	environment(t, "off")
	if _, err := Trees(t.Context(), p, l, goMods); err == nil || !strings.Contains(err.Error(), "example.com/a@v1.0.0") {
		t.Errorf("without a proxy: %v", err)
	}
	// The errors of a proxy whose URL has a password do not show it.
	goScript(t, `[ "$1 $2" != "mod download" ] || { echo '{"Error": "reading https://user:s3cret@127.0.0.1/a: 404 Not Found"}'; exit 1; }; exec "$GO" "$@"`)
	if _, err := Trees(t.Context(), p, l, goMods); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "https://127.0.0.1/a: 404") {
		t.Errorf("with a password: %v", err)
	}
}

// For a lock with only a module without files, and without further go.mod files, Trees
// returns nothing and makes no directory.
func TestTreesOfNothing(t *testing.T) {
	environment(t, "off")
	dir := project(t, map[string]string{"go.mod": "module app\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"})
	l := mustMake(t, dir)
	l.Modules = append(l.Modules, lock.Module{Path: "example.com/bare", Version: "v1.0.0"})
	goMods := filepath.Join(t.TempDir(), "mods")
	if trees, err := Trees(t.Context(), find(t, dir), l, goMods); err != nil || len(trees) > 0 || exists(goMods) {
		t.Errorf("%+v, %v", trees, err)
	}
	// A lock that was written by hand may have invalid module paths.
	none := module.Version{Path: "no path", Version: "v1.0.0"}
	for _, bad := range []*lock.Lock{
		{Main: l.Main, Modules: []lock.Module{{Path: none.Path, Version: none.Version, Hash: "sha256-"}}},
		{Main: l.Main, GoMods: &lock.GoMods{Modules: []module.Version{none}}},
	} {
		if _, err := Trees(t.Context(), find(t, dir), bad, goMods); err == nil || !strings.Contains(err.Error(), `malformed module path "no path"`) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestToolchain(t *testing.T) {
	environment(t, "off")
	dir := project(t, map[string]string{"go.mod": "module app\n\ngo 1.24\n"})
	want, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Toolchain(t.Context(), find(t, dir)); err != nil || got != strings.TrimSpace(string(want)) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestReadLock(t *testing.T) {
	environment(t, "off")
	dir := project(t, map[string]string{"go.mod": "module app\n\ngo 1.24\n"})
	p := find(t, dir)
	if l, err := p.ReadLock(); l != nil || err != nil {
		t.Errorf("without a lock: %+v, %v", l, err)
	}
	want := &lock.Lock{Main: []string{"app"}}
	writeTest(t, p.LockFile(), string(want.Format()))
	if l, err := p.ReadLock(); err != nil || !reflect.DeepEqual(l, want) {
		t.Errorf("%+v, %v", l, err)
	}
	writeTest(t, p.LockFile(), "{")
	if _, err := p.ReadLock(); err == nil || !strings.Contains(err.Error(), "dgd.lock:1: ") {
		t.Errorf("a damaged lock: %v", err)
	}
}

// Write does not write a lock that has not changed, writes to the target of a symlink,
// and leaves the file as it was after an error.
func TestWrite(t *testing.T) {
	environment(t, "off")
	dir := project(t, map[string]string{"go.mod": "module app\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n", "locks/app.lock": "old"})
	p := find(t, dir)
	if err := os.Symlink("locks/app.lock", p.LockFile()); err != nil {
		t.Fatal(err)
	}
	opts := Options{Jobs: 1, Timeout: time.Minute}
	for i, want := range []bool{true, false} {
		l, changed, err := Write(t.Context(), p, opts)
		if err != nil || changed != want || !slices.Equal(l.Main, []string{"app"}) {
			t.Errorf("time %d: changed %v, %+v, %v", i+1, changed, l, err)
		}
	}
	if info, err := os.Lstat(p.LockFile()); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the symlink is %v, %v", info, err)
	}
	before, err := os.ReadFile(p.LockFile())
	if err != nil || !strings.Contains(string(before), "app") {
		t.Errorf("the lock is %q, %v", before, err)
	}
	writeTest(t, filepath.Join(dir, "go.mod"), "module app\n\ngo 1.24\n\nrequire example.com/none v1.0.0\n")
	writeTest(t, filepath.Join(dir, "main.go"), "package main\n\nimport _ \"example.com/none\"\n\nfunc main() {}\n")
	if _, _, err := Write(t.Context(), p, opts); err == nil {
		t.Error("a module that cannot be fetched is no error")
	}
	if after, err := os.ReadFile(p.LockFile()); err != nil || string(after) != string(before) {
		t.Errorf("after a failure the lock is %q, %v", after, err)
	}
}
