package making

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"

	"dgd/internal/lock"
)

// published returns a library with the modules that projects of the tests need.
func published(t *testing.T) *library {
	l := newLibrary(t)
	goMod := func(path string, requires ...string) string {
		return "module " + path + "\n\ngo 1.20\n\n" + requirements(requires...)
	}
	l.publish("example.com/a@v1.0.0", map[string]string{
		"go.mod": goMod("example.com/a", "example.com/b@v1.0.0", "example.com/graph@v1.0.0"), "a.go": "package a\n\nimport _ \"example.com/b\"\n",
		"a_test.go": "package a\n\nimport _ \"example.com/graph\"\n", "data/x.txt": "x", "run.sh": "#!/bin/sh\n",
	})
	l.publish("example.com/b@v1.0.0", map[string]string{"b.go": "package b\n"}) // without a go.mod
	l.publish("example.com/b@v1.1.0", map[string]string{"b.go": "package b // 1.1\n"})
	l.publish("example.com/graph@v1.0.0", map[string]string{
		"go.mod": goMod("example.com/graph", "example.com/b@v1.1.0", "example.com/deep@v1.0.0"), "graph.go": "package graph\n",
	})
	l.publish("example.com/deep@v1.0.0", map[string]string{"go.mod": goMod("example.com/deep"), "deep.go": "package deep\n"})
	l.publish("example.com/Win@v0.1.0", map[string]string{"go.mod": goMod("example.com/Win"), "win.go": "package win\n"})
	l.publish("example.com/testing@v0.0.0-20240102030405-abcdefabcdef", map[string]string{"go.mod": goMod("example.com/testing"), "t.go": "package testing\n"})
	l.publish("example.com/tool@v2.0.0+incompatible", map[string]string{"cmd/x/main.go": "package main\n\nfunc main() {}\n"})
	l.publish("example.com/outer@v1.0.0", map[string]string{"go.mod": goMod("example.com/outer"), "outer.go": "package outer\n"})
	l.publish("example.com/outer/inner@v1.0.0", map[string]string{"go.mod": goMod("example.com/outer/inner"), "pkg/p.go": "package pkg\n"})
	l.publish("example.com/unneeded@v1.0.0", map[string]string{"go.mod": goMod("example.com/unneeded"), "u.go": "package unneeded\n"})
	l.publish("example.com/fork@v1.5.0", map[string]string{"go.mod": goMod("example.com/a"), "a.go": "package a // forked\n"})
	return l
}

// requirements returns require lines for modules PATH@VERSION.
func requirements(names ...string) string {
	text := ""
	for _, name := range names {
		text += "require " + strings.Replace(name, "@", " ", 1) + "\n"
	}
	return text
}

const odd = "example.com/testing@v0.0.0-20240102030405-abcdefabcdef"

// application returns a project that needs modules in all possible ways.
func application(l *library) map[string]string {
	return map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n\ntool example.com/tool/cmd/x\n" + requirements("example.com/a@v1.0.0", "example.com/b@v1.0.0",
			"example.com/Win@v0.1.0", odd, "example.com/tool@v2.0.0+incompatible", "example.com/outer@v1.0.0", "example.com/outer/inner@v1.0.0",
			"example.com/unneeded@v1.0.0"),
		"go.sum": l.goSum("example.com/a@v1.0.0", "example.com/b@v1.0.0", "example.com/Win@v0.1.0", odd, "example.com/tool@v2.0.0+incompatible",
			"example.com/outer@v1.0.0", "example.com/outer/inner@v1.0.0", "example.com/unneeded@v1.0.0/go.mod"),
		"main.go":             "package main\n\nimport _ \"example.com/a\"\n\nfunc main() {}\n",
		"main_windows.go":     "package main\n\nimport _ \"example.com/Win\"\n",
		"sub/sub.go":          "package sub\n\nimport _ \"example.com/outer/inner/pkg\"\n",
		"sub/sub_test.go":     "package sub\n\nimport _ \"example.com/testing\"\n",
		"other/go.mod":        "module example.com/other\n\nrequire example.com/nowhere v1.0.0\n",
		"other/other.go":      "package other\n\nimport _ \"example.com/nowhere\"\n",
		"testdata/bad/bad.go": "package bad\n\nimport _ \"example.com/nowhere\"\n",
	}
}

var applicationModules = []string{"example.com/Win@v0.1.0", "example.com/a@v1.0.0", "example.com/b@v1.0.0", "example.com/outer@v1.0.0",
	"example.com/outer/inner@v1.0.0", odd, "example.com/tool@v2.0.0+incompatible", "bare example.com/unneeded@v1.0.0"}

func TestMake(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, application(lib))
	before := snapshot(t, dir)
	l := mustMake(t, dir)
	want := &lock.Lock{Main: []string{"example.com/app"}, Modules: lib.want(applicationModules...)}
	if text, want := string(l.Format()), string(want.Format()); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	suffices(t, dir, l, "./...", "example.com/tool/cmd/x")
	if !maps.Equal(before, snapshot(t, dir)) {
		t.Error("files of the project changed")
	}
	checkClean(t, dir, l)

	// The module cache has all modules now.
	t.Setenv("GOPROXY", "off")
	if again := mustMake(t, filepath.Join(dir, "sub")); !reflect.DeepEqual(again, l) {
		t.Errorf("the second time it is\n%s", again.Format())
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if again := mustMake(t, link); !reflect.DeepEqual(again, l) {
		t.Errorf("by way of a link it is\n%s", again.Format())
	}
}

// checkClean checks that Check finds nothing in a lock that was just made.
func checkClean(t *testing.T, dir string, l *lock.Lock) {
	t.Helper()
	p, err := Find(dir, os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := lock.Parse(lock.Name, l.Format())
	if err != nil {
		t.Fatal(err)
	}
	if lines, err := lock.Check(read, &p.ModFiles); err != nil || len(lines) > 0 {
		t.Errorf("just made, and already %q (%v)", lines, err)
	}
}

// Neither a vendor directory nor -mod in GOFLAGS changes the lock.
func TestVendorDirectory(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	files := application(lib)
	files["vendor/modules.txt"] = "damaged"
	dir := project(t, files)
	t.Setenv("GOFLAGS", "-modcacherw -mod=vendor")
	p, err := Find(dir, os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	l, err := Make(t.Context(), p, Options{Jobs: 1, Timeout: time.Minute, Progress: &progress})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(l.Modules, lib.want(applicationModules...)) {
		t.Errorf("got\n%s", l.Format())
	}
	lines := strings.Split(strings.TrimSpace(progress.String()), "\n")
	if len(lines) != 9 || lines[0] != filepath.Join(dir, "vendor")+" makes no difference: the lock is of go.mod and go.sum" ||
		lines[1] != "7 of 7 modules have to be fetched" || lines[2] != "1 of 7: example.com/Win v0.1.0" || lines[8] != "7 of 7: example.com/tool v2.0.0+incompatible" {
		t.Errorf("progress:\n%s", progress.String())
	}
}

func TestGoFlags(t *testing.T) {
	for flags, want := range map[string]string{
		"": "", "-mod=vendor": "", "-modcacherw --mod=mod -tags=a,b": "-modcacherw -tags=a,b", "'-ldflags=-X a=b c'": "'-ldflags=-X a=b c'",
	} {
		if got, err := goFlags(flags); err != nil || got != want {
			t.Errorf("%s: got %q (%v)", flags, got, err)
		}
	}
	for _, flags := range []string{"-v -modfile=other.mod", "--overlay=x"} {
		if _, err := goFlags(flags); err == nil || !strings.HasPrefix(err.Error(), "GOFLAGS has -") {
			t.Errorf("%s: the error is %v", flags, err)
		}
	}
}

func TestReplaced(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n\n" + requirements("example.com/a@v1.0.0", "example.com/deep@v1.0.0") +
			"replace example.com/a => example.com/fork v1.5.0\nreplace example.com/deep v1.0.0 => ./deep\n",
		"go.sum":       lib.goSum("example.com/fork@v1.5.0"),
		"main.go":      "package main\n\nimport (\n\t_ \"example.com/a\"\n\t_ \"example.com/deep\"\n)\n\nfunc main() {}\n",
		"deep/go.mod":  "module example.com/deep\n",
		"deep/deep.go": "package deep\n",
	})
	l := mustMake(t, dir)
	if want := lib.want("example.com/a@v1.0.0 => example.com/fork@v1.5.0"); !reflect.DeepEqual(l.Modules, want) || l.GoMods != nil {
		t.Errorf("got\n%s", l.Format())
	}
	suffices(t, dir, l, "./...")
	checkClean(t, dir, l)
}

func TestNothingNeeded(t *testing.T) {
	environment(t, "off")
	dir := project(t, map[string]string{"go.mod": "module app\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"})
	l := mustMake(t, dir)
	if want := (&lock.Lock{Main: []string{"app"}}); !reflect.DeepEqual(l, want) {
		t.Errorf("got\n%s", l.Format())
	}
}

// old returns a project for which the go command reads further go.mod files.
func old(lib *library) map[string]string {
	return map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.16\n\n" + requirements("example.com/a@v1.0.0"),
		"go.sum": lib.goSum("example.com/a@v1.0.0", "example.com/b@v1.0.0/go.mod", "example.com/b@v1.1.0", "example.com/graph@v1.0.0/go.mod",
			"example.com/deep@v1.0.0/go.mod"),
		"main.go": "package main\n\nimport _ \"example.com/a\"\n\nfunc main() {}\n",
	}
}

// Before go 1.17 the go command reads the go.mod files of the whole module graph, and
// selects versions that go.mod does not have.
func TestOldModule(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, old(lib))
	l := mustMake(t, dir)
	if want := lib.want("example.com/a@v1.0.0", "example.com/b@v1.1.0"); !reflect.DeepEqual(l.Modules, want) {
		t.Errorf("got\n%s", l.Format())
	}
	// example.com/b v1.0.0 is in the graph, too, though not selected.
	want := []module.Version{{Path: "example.com/b", Version: "v1.0.0"}, {Path: "example.com/deep", Version: "v1.0.0"}, {Path: "example.com/graph", Version: "v1.0.0"}}
	if l.GoMods == nil || !reflect.DeepEqual(l.GoMods.Modules, want) {
		t.Errorf("go.mod files: %+v, want %v", l.GoMods, want)
	}
	suffices(t, dir, l, "./...")
	checkClean(t, dir, l)
}

func TestWorkspace(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, map[string]string{
		"go.work":      "go 1.24\n\nuse (\n\t./one\n\t./two\n)\n\nreplace example.com/deep => ./deep\n",
		"one/go.mod":   "module example.com/one\n\ngo 1.24\n\n" + requirements("example.com/a@v1.0.0", "example.com/b@v1.0.0"),
		"one/go.sum":   lib.goSum("example.com/a@v1.0.0", "example.com/b@v1.0.0"),
		"one/main.go":  "package main\n\nimport (\n\t_ \"example.com/a\"\n\t_ \"example.com/two\"\n)\n\nfunc main() {}\n",
		"two/go.mod":   "module example.com/two\n\ngo 1.24\n\n" + requirements("example.com/b@v1.1.0", "example.com/deep@v1.0.0", "example.com/unneeded@v1.0.0"),
		"two/go.sum":   lib.goSum("example.com/b@v1.1.0", "example.com/unneeded@v1.0.0/go.mod"),
		"two/two.go":   "package two\n\nimport (\n\t_ \"example.com/b\"\n\t_ \"example.com/deep\"\n)\n",
		"deep/go.mod":  "module example.com/deep\n",
		"deep/deep.go": "package deep\n",
	})
	before := snapshot(t, dir)
	l := mustMake(t, filepath.Join(dir, "two"))
	if want := lib.want("example.com/a@v1.0.0", "example.com/b@v1.1.0", "bare example.com/unneeded@v1.0.0"); !reflect.DeepEqual(l.Modules, want) {
		t.Errorf("got\n%s", l.Format())
	}
	if want := []string{"example.com/one", "example.com/two"}; !reflect.DeepEqual(l.Main, want) {
		t.Errorf("main modules %q", l.Main)
	}
	if !maps.Equal(before, snapshot(t, dir)) {
		t.Error("files of the project changed")
	}
	suffices(t, dir, l, "./one/...", "./two/...")
	checkClean(t, dir, l)

	// With absolute paths in go.work.
	writeTest(t, filepath.Join(dir, "go.work"), strings.ReplaceAll(before[filepath.Join(dir, "go.work")], "./", dir+"/"))
	if again := mustMake(t, dir); !reflect.DeepEqual(again, l) {
		t.Errorf("with absolute names it is\n%s", again.Format())
	}

	// A single module of the workspace.
	t.Setenv("GOWORK", "off")
	p, err := Find(filepath.Join(dir, "two"), os.Getenv("GOWORK"))
	if err != nil || p.Dir != filepath.Join(dir, "two") || p.GoWork != nil {
		t.Errorf("without the workspace: %+v (%v)", p, err)
	}
}

// A module in the module cache that was changed is an error.
func TestTampered(t *testing.T) {
	lib := published(t)
	cache := environment(t, lib.fileProxy())
	dir := project(t, application(lib))
	mustMake(t, dir)
	a := filepath.Join(cache, "example.com", "a@v1.0.0")
	writable(t, a)
	for _, test := range []struct {
		name, want string
		do, undo   func() error
	}{
		{"a file's contents", "example.com/a@v1.0.0 has the checksum h1:",
			func() error { return os.WriteFile(filepath.Join(a, "a.go"), []byte("package a // changed\n"), 0o666) },
			func() error {
				return os.WriteFile(filepath.Join(a, "a.go"), []byte("package a\n\nimport _ \"example.com/b\"\n"), 0o666)
			}},
		{"one file more", "example.com/a@v1.0.0 has the checksum h1:",
			func() error { return os.WriteFile(filepath.Join(a, "more.go"), nil, 0o666) },
			func() error { return os.Remove(filepath.Join(a, "more.go")) }},
		{"a file that no archive can have", "example.com/a@v1.0.0: dirhash: filenames with newlines are not supported",
			func() error { return os.WriteFile(filepath.Join(a, "a\nb"), nil, 0o666) },
			func() error { return os.Remove(filepath.Join(a, "a\nb")) }},
		{"executable", "run.sh is executable",
			func() error { return os.Chmod(filepath.Join(a, "run.sh"), 0o755) },
			func() error { return os.Chmod(filepath.Join(a, "run.sh"), 0o444) }},
		{"an empty directory", "more is empty",
			func() error { return os.Mkdir(filepath.Join(a, "more"), 0o755) },
			func() error { return os.Remove(filepath.Join(a, "more")) }},
		{"a link", "data/x.txt is not a file",
			func() error {
				os.Rename(filepath.Join(a, "data", "x.txt"), filepath.Join(cache, "x"))
				return os.Symlink(filepath.Join(cache, "x"), filepath.Join(a, "data", "x.txt"))
			},
			func() error { return os.Rename(filepath.Join(cache, "x"), filepath.Join(a, "data", "x.txt")) }},
	} {
		if err := test.do(); err != nil {
			t.Fatal(err)
		}
		_, err := makeLock(t, dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "the module cache was changed: remove it by `chmod -R u+w "+a) {
			t.Errorf("%s: the error is %v", test.name, err)
		}
		if err := test.undo(); err != nil {
			t.Fatal(err)
		}
	}
	mustMake(t, dir)
}

// writable makes the directories of a module in the module cache writable.
func writable(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testMaker returns a maker for a project, as Make uses it.
func testMaker(t *testing.T, dir string) *maker {
	t.Helper()
	p, err := Find(dir, os.Getenv("GOWORK"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMaker(t.Context(), p, Options{Jobs: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(m.tmp) })
	return m
}

// withoutOuter returns the modules of a lock that have a hash, without
// example.com/outer.
func withoutOuter(l *lock.Lock) []lock.Module {
	return slices.DeleteFunc(slices.Clone(l.Modules), func(m lock.Module) bool { return m.Hash == "" || m.Path == "example.com/outer" })
}

// A go.mod file that the module cache lacks is downloaded again, and one that cannot be
// downloaded is an error.
func TestCacheLacksGoMod(t *testing.T) {
	lib := published(t)
	cache := environment(t, lib.fileProxy())
	dir := project(t, old(lib))
	l := mustMake(t, dir)
	m := testMaker(t, dir)
	if err := m.hash(t.Context(), l.Modules); err != nil {
		t.Fatal(err)
	}
	_, deep, err := inCache(cache, module.Version{Path: "example.com/deep", Version: "v1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(deep + ".mod"); err != nil {
		t.Fatal(err)
	}
	mods, more, err := m.goMods(t.Context(), l.Modules)
	if err != nil || len(more) > 0 || !reflect.DeepEqual(mods, l.GoMods) {
		t.Errorf("it finds %+v, %v (%v), want %+v", mods, more, err, l.GoMods)
	}

	if err := os.Remove(deep + ".mod"); err != nil {
		t.Fatal(err)
	}
	m.g = m.g.with(dir, "GOPROXY=off")
	if _, _, err := m.goMods(t.Context(), l.Modules); err == nil || !strings.Contains(err.Error(), "example.com/deep@v1.0.0") {
		t.Errorf("without a proxy: %v", err)
	}
}

// The module cache may lack archives, which are not needed. If it lacks the files, too,
// the module is downloaded again, and a failure is an error.
func TestCacheLacksArchives(t *testing.T) {
	lib := published(t)
	cache := environment(t, lib.fileProxy())
	dir := project(t, application(lib))
	l := mustMake(t, dir)
	archives, err := filepath.Glob(filepath.Join(cache, "cache", "download", "example.com", "*", "@v", "*.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("archives: %v (%v)", archives, err)
	}
	for _, name := range archives {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOPROXY", "off")
	if again := mustMake(t, dir); !reflect.DeepEqual(again, l) {
		t.Errorf("without archives it is\n%s", again.Format())
	}
	m := testMaker(t, dir)
	files := withoutOuter(l)
	if err := m.hash(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.goMods(t.Context(), files); err == nil || !strings.Contains(err.Error(), "example.com/outer@v1.0.0") {
		t.Errorf("the error is %v", err)
	}
}

// A module that turns out to be needed only when packages are listed is found.
func TestReadsMore(t *testing.T) {
	lib := published(t)
	environment(t, lib.fileProxy())
	dir := project(t, application(lib))
	l := mustMake(t, dir)
	m := testMaker(t, dir)
	unneeded := l.Modules[len(l.Modules)-1:]
	files := withoutOuter(l)
	if err := m.hash(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	_, more, err := m.goMods(t.Context(), files)
	if err != nil || len(more) != 1 || more[0].String() != "example.com/outer@v1.0.0" {
		t.Fatalf("more: %v (%v)", more, err)
	}
	files, bare, err := move(required(m.r), files, append(unneeded, lock.Module{Path: "example.com/outer", Version: "v1.0.0"}), more)
	if err != nil || len(files) != len(l.Modules)-1 || !reflect.DeepEqual(bare, unneeded) {
		t.Errorf("%v, %v, %v", files, bare, err)
	}
	if _, _, err := move(required(m.r), files, nil, []module.Version{{Path: "example.com/b", Version: "v9.0.0"}}); err == nil {
		t.Error("a module that is not in the build list was taken")
	}
}

func TestFindErrors(t *testing.T) {
	environment(t, "off")
	for _, test := range []struct {
		name   string
		files  map[string]string
		gowork string
		want   string
	}{
		{"nothing", nil, "", "DIR has no go.mod, and no directory above it has one: name the directory of a module, or make one by `go mod init`"},
		{"a workspace without a member's go.mod", map[string]string{"go.work": "go 1.24\n\nuse ./x\n"}, "", "DIR/x has no go.mod, although DIR/go.work names the directory"},
		{"a workspace of nothing", map[string]string{"go.work": "go 1.24\n"}, "", "DIR/go.work names no module: add one by `go work use`"},
		{"a damaged go.work", map[string]string{"go.work": "go 1.24 x\n"}, "", "DIR/go.work:1: go directive expects exactly one argument"},
		{"GOWORK is nowhere", nil, "/nowhere/go.work", "GOWORK is /nowhere/go.work, and there is no such file"},
		{"GOWORK is relative", nil, "go.work", "GOWORK is go.work, which is neither off nor an absolute path"},
		{"go.sum is a directory", map[string]string{"go.mod": "module x\n", "go.sum/x": ""}, "", "read DIR/go.sum: is a directory"},
		{"a member's go.mod is a directory", map[string]string{"go.work": "go 1.24\n\nuse ./x\n", "x/go.mod/x": ""}, "", "read DIR/x/go.mod: is a directory"},
	} {
		dir := project(t, test.files)
		t.Setenv("GOWORK", test.gowork)
		if _, err := Find(dir, os.Getenv("GOWORK")); err == nil || err.Error() != strings.ReplaceAll(test.want, "DIR", dir) {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := Find("/nowhere", os.Getenv("GOWORK")); err == nil {
		t.Error("a directory that is not there has a project")
	}
	file := filepath.Join(project(t, map[string]string{"go.mod": "module x\n"}), "go.mod")
	if _, err := Find(file, os.Getenv("GOWORK")); err == nil || err.Error() != file+" is not a directory" {
		t.Errorf("the project of a file: %v", err)
	}
}

// ReplaceFile replaces the target of a symlink, not the symlink.
func TestReplaceLinked(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	writeTest(t, file, "old")
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if changed, err := ReplaceFile(link, []byte("new")); err != nil || changed != want {
			t.Fatalf("changed: %v, want %v (%v)", changed, want, err)
		}
	}
	text, err := os.ReadFile(file)
	target, linkErr := os.Readlink(link)
	if err != nil || linkErr != nil || string(text) != "new" || target != "file" {
		t.Errorf("the file has %q (%v), the link leads to %q (%v)", text, err, target, linkErr)
	}
}
