package stage

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"dgd/internal/modules"
	"dgd/internal/workspace"
)

// replacing is a module that a directory of the sources replaces another module in. The
// directory has pure Go, embedded files and C.
var replacing = map[string]string{
	"go.mod":  "module example.com/m\n\ngo 1.24\n\nrequire (\n\texample.com/lib v0.0.0\n\texample.com/other v1.1.0\n)\n\nreplace example.com/lib => ./lib\n\nreplace example.com/other => ./other\n",
	"main.go": "package main\n\nimport (\n\t_ \"example.com/lib\"\n\t_ \"example.com/lib/c\"\n\t_ \"example.com/lib/e\"\n)\n\nfunc main() {}\n",

	"lib/go.mod":        "module example.com/lib\n\ngo 1.20\n\nrequire example.com/other v1.0.0\n",
	"lib/lib.go":        "package lib\n\nimport _ \"example.com/other\"\n\nconst Text = \"a\"\n",
	"lib/lib_test.go":   "package lib\n",
	"lib/gen.go":        "//go:build ignore\n\npackage main\n",
	"lib/README.md":     "text\n",
	"lib/notes.txt":     "text\n",
	"lib/LICENSE":       "text\n",
	"lib/unused/u.go":   "package unused\n",
	"lib/testdata/x":    "x\n",
	"lib/nested/go.mod": "module example.com/lib/nested\n",
	"lib/nested/n.go":   "package nested\n",

	"lib/e/e.go":        "package e\n\nimport _ \"embed\"\nimport \"embed\"\n\n//go:embed one.txt\nvar one string\n\n//go:embed data all:every\nvar fs embed.FS\n",
	"lib/e/one.txt":     "1\n",
	"lib/e/data/d.txt":  "d\n",
	"lib/e/every/.h":    "h\n",
	"lib/e/every/h.txt": "h\n",

	"lib/c/c.go":      "package c\n\n// #include \"c.h\"\nimport \"C\"\n",
	"lib/c/c.h":       "#define X 1\n",
	"lib/c/part.inc":  "int x;\n",
	"lib/c/README":    "text\n",
	"other/go.mod":    "module example.com/other\n\ngo 1.20\n",
	"other/other.go":  "package other\n",
	"other/o_test.go": "package other\n",
}

// A directory that replaces a module must have the same files as its copy in the fetch, as
// far as a build reads them.
func TestStaleFetch(t *testing.T) {
	src := project(t, replacing)
	fetched := vendorOf(t, src)
	for _, test := range []struct {
		name string
		edit map[string]string // files with their new text; "-" removes one
		want string            // what the error names, or ""
	}{
		{"nothing", nil, ""},
		{"the program", map[string]string{"main.go": replacing["main.go"] + "\n//\n"}, ""},
		{"a function", map[string]string{"lib/lib.go": strings.Replace(replacing["lib/lib.go"], `"a"`, `"b"`, 1)}, "vendorHash is stale: example.com/lib is lib in src, and lib/lib.go is not the same in the fetch"},
		{"the other module", map[string]string{"other/other.go": "package other\n\nvar x int\n"}, "other/other.go"},
		{"a new file", map[string]string{"lib/more.go": "package lib\n"}, "lib/more.go"},
		{"a new file for another platform", map[string]string{"lib/more_windows.go": "//go:build !linux && x\n\npackage lib\n"}, "lib/more_windows.go"},
		{"a file less", map[string]string{"lib/lib.go": "-", "lib/x.go": replacing["lib/lib.go"]}, "lib/lib.go"},
		{"a file that is not built any more", map[string]string{"lib/lib.go": "//go:build ignore\n\n" + replacing["lib/lib.go"], "lib/x.go": "package lib\n"}, "lib/lib.go"},
		{"a test", map[string]string{"lib/lib_test.go": "package lib // changed\n", "lib/new_test.go": "package lib\n"}, ""},
		{"what no build takes", map[string]string{
			"lib/gen.go": "//go:build ignore\n\npackage main // changed\n", "lib/new.go": "// A tool.\n\n// +build ignore\n\npackage main\n", "lib/_x.go": "package x\n",
			"lib/and.go": "//go:build linux && (ignore || ignore)\n\npackage lib\n",
		}, ""},
		{"what people read", map[string]string{"lib/README.md": "changed\n", "lib/notes.txt": "-", "lib/LICENSE": "changed\n", "lib/c/README": "changed\n", "lib/CHANGELOG.md": "new\n"}, ""},
		{"packages that nothing imports", map[string]string{"lib/unused/u.go": "package unused // changed\n", "lib/new/n.go": "package new\n", "lib/testdata/x": "y\n", "lib/nested/n.go": "package nested // changed\n"}, ""},
		{"an embedded file", map[string]string{"lib/e/one.txt": "2\n"}, "lib/e/one.txt"},
		{"an embedded file more", map[string]string{"lib/e/data/new/n.txt": "n\n"}, "lib/e/data/new/n.txt"},
		{"an embedded file less", map[string]string{"lib/e/every/h.txt": "-"}, "lib/e/every/h.txt"},
		{"a hidden file that is embedded", map[string]string{"lib/e/every/.h": "i\n"}, "lib/e/every/.h"},
		{"a hidden file that is not", map[string]string{"lib/e/data/.h": "h\n", "lib/e/data/_h": "h\n", "lib/e/text.txt": "t\n"}, ""},
		{"a header", map[string]string{"lib/c/c.h": "#define X 2\n"}, "lib/c/c.h"},
		{"what C includes", map[string]string{"lib/c/part.inc": "int y;\n"}, "lib/c/part.inc"},
		{"objects", map[string]string{"other/o.syso": "o\n"}, "other/o.syso"},
		{"assembly", map[string]string{"other/o_arm.s": "o\n"}, "other/o_arm.s"},
		{"a package that is gone", map[string]string{"lib/e/e.go": "-", "lib/e/one.txt": "-", "lib/e/data/d.txt": "-", "lib/e/every/.h": "-", "lib/e/every/h.txt": "-"}, "lib/e"},
		{"go.mod, a comment", map[string]string{"lib/go.mod": "// changed\n" + replacing["lib/go.mod"]}, ""},
		{"go.mod, Go's version", map[string]string{"lib/go.mod": strings.Replace(replacing["lib/go.mod"], "1.20", "1.22", 1)}, "its go.mod has go 1.22, and the fetch go 1.20"},
		{"go.mod, a requirement", map[string]string{"lib/go.mod": strings.Replace(replacing["lib/go.mod"], "v1.0.0", "v1.2.0", 1)}, "its go.mod requires example.com/other v1.2.0, and the fetch has v1.1.0"},
		{"go.mod, a requirement that is met", map[string]string{"lib/go.mod": strings.Replace(replacing["lib/go.mod"], "v1.0.0", "v1.1.0", 1)}, ""},
		{"go.mod, a version that is excluded", map[string]string{
			"lib/go.mod": strings.Replace(replacing["lib/go.mod"], "v1.0.0", "v1.2.0", 1), "go.mod": replacing["go.mod"] + "\nexclude example.com/other v1.2.0\n",
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := maps.Clone(replacing)
			for name, text := range test.edit {
				if files[name] = text; text == "-" {
					delete(files, name)
				}
			}
			src := project(t, files)
			err := stale(t, src, ".", fetched)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
			// A new fetch has the same files.
			if test.want != "" && !strings.Contains(test.name, "requirement") && !strings.Contains(test.name, "gone") {
				if out, err := exec.Command("diff", "-r", fetched, vendorOf(t, src)).CombinedOutput(); err == nil {
					t.Errorf("a new fetch is the same, but the old one is stale\n%s", out)
				}
			}
		})
	}
}

// In a workspace, directories are relative to go.work or to the go.mod that names them.
func TestStaleFetchWorkspace(t *testing.T) {
	files := map[string]string{
		"ws/go.work":     "go 1.24\n\nuse ./app\n\nreplace example.com/b => ../b\n",
		"ws/app/go.mod":  "module example.com/app\n\ngo 1.24\n\nrequire (\n\texample.com/a v0.0.0\n\texample.com/b v0.0.0\n)\n\nreplace example.com/a => ../../a\n",
		"ws/app/main.go": "package main\n\nimport (\n\t_ \"example.com/a\"\n\t_ \"example.com/b\"\n)\n\nfunc main() {}\n",
		"a/go.mod":       "module example.com/a\n\ngo 1.24\n", "a/a.go": "package a\n",
		"b/go.mod": "module example.com/b\n\ngo 1.24\n", "b/b.go": "package b\n",
	}
	fetched := vendorOf(t, filepath.Join(project(t, files), "ws"))
	for _, name := range []string{"", "a/a.go", "b/b.go", "a/go.mod"} {
		edited := maps.Clone(files)
		if name == "a/go.mod" {
			edited[name] = strings.Replace(files[name], "1.24", "1.25", 1)
		} else if name != "" {
			edited[name] += "\nvar x int\n"
		}
		err := stale(t, project(t, edited), "ws/app", fetched)
		if (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), strings.TrimPrefix(name, "a/")) {
			t.Errorf("after an edit of %q: %v", name, err)
		}
	}
}

// With hooks, a difference may be intended, and is a warning.
func TestFetchHooks(t *testing.T) {
	src := project(t, replacing)
	fetched := vendorOf(t, src)
	if err := os.WriteFile(filepath.Join(fetched, "example.com/lib/lib.go"), []byte("package lib\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := &BindConfig{Src: src, Fetched: fetched}
	if err := checkReplaced(cfg, "."); err == nil {
		t.Error("a difference is no error")
	}
	cfg.FetchHooks = true
	if err := checkReplaced(cfg, "."); err != nil {
		t.Error(err)
	}
}

// vendorOf makes a fetch for a directory with the go command.
func vendorOf(t *testing.T, dir string) string {
	t.Helper()
	kind := "mod"
	if workspace.Exists(filepath.Join(dir, "go.work")) {
		kind = "work"
	}
	out := filepath.Join(t.TempDir(), "vendor")
	cmd := exec.Command(filepath.Join(goroot(t), "bin", "go"), kind, "vendor", "-o", out)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOENV=off", "GOTOOLCHAIN=local", "PWD="+dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s vendor: %v\n%s", kind, err, text)
	}
	return out
}

// stale returns the errors of the stages about a fetch.
func stale(t *testing.T, src, modRoot, fetched string) error {
	t.Helper()
	at, err := workspace.Locate(src, modRoot, nil)
	if err != nil {
		t.Fatal(err)
	}
	members, _, err := at.Members()
	if err != nil {
		t.Fatal(err)
	}
	if err := at.CheckReplacedMods(fetched, members); err != nil {
		return err
	}
	return checkReplaced(&BindConfig{Src: src, Fetched: fetched}, filepath.Dir(at.Rel(at.Vendor())))
}

// An edit of any other file that decides which modules a build has changes the plan or is
// an error.
func TestOldFetch(t *testing.T) {
	main := "package main\n\nimport _ \"example.com/lib\"\n\nfunc main() {}\n"
	files := map[string]string{
		"go.mod":     "module example.com/m\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ./lib\n",
		"main.go":    main,
		"lib/go.mod": "module example.com/lib\n\ngo 1.24\n", "lib/lib.go": "package lib\n", "lib/sub/s.go": "package sub\n",
		"new/go.mod": "module example.com/new\n\ngo 1.24\n", "new/n.go": "package new\n",
	}
	work := map[string]string{
		"go.work": "go 1.24\n\nuse .\n", "go.mod": files["go.mod"], "main.go": main,
		"lib/go.mod": files["lib/go.mod"], "lib/lib.go": files["lib/lib.go"], "new/go.mod": files["new/go.mod"], "new/n.go": files["new/n.go"],
	}
	cache, sums := download(t, map[module.Version]map[string]string{
		{Path: "example.org/a", Version: "v1.0.0"}: {"go.mod": "module example.org/a\n", "a.go": "package a\n"},
	})
	archives := map[string]string{
		"go.mod":     "module example.com/m\n\ngo 1.24\n\nrequire (\n\texample.com/lib v0.0.0\n\texample.org/a v1.0.0\n)\n\nreplace example.com/lib => ./lib\n",
		"go.sum":     sums,
		"main.go":    "package main\n\nimport (\n\t_ \"example.com/lib\"\n\t_ \"example.org/a\"\n)\n\nfunc main() {}\n",
		"lib/go.mod": "module example.com/lib\n\ngo 1.24\n", "lib/lib.go": "package lib\n",
	}
	unpacked := filepath.Join(t.TempDir(), "unpacked")
	if err := modules.Unpack(t.Context(), cache, unpacked); err != nil {
		t.Fatal(err)
	}
	const stale = "vendorHash is stale"
	for _, test := range []struct {
		name  string
		files map[string]string
		edit  map[string]string
		want  string
	}{
		{"nothing", files, nil, ""},
		{"another version", files, map[string]string{"go.mod": strings.Replace(files["go.mod"], "v0.0.0", "v0.1.0", 1)}, stale},
		{"another directory", files, map[string]string{"go.mod": strings.Replace(files["go.mod"], "./lib", "./new", 1)}, stale},
		{"a module more", files, map[string]string{"go.mod": files["go.mod"] + "\nrequire example.com/new v0.0.0\n\nreplace example.com/new => ./new\n"}, stale},
		{"a package that nothing imported", files, map[string]string{"main.go": strings.Replace(main, "/lib", "/lib/sub", 1)}, stale},
		{"a workspace of the same modules", files, map[string]string{"go.work": work["go.work"]}, ""},
		{"a workspace's fetch", work, nil, ""},
		{"the module of a workspace that was fetched", work, map[string]string{"go.work": "go 1.24\n\nuse (\n\t.\n\t./lib\n)\n"}, stale},
		{"a workspace more", work, map[string]string{"go.work": "go 1.24\n\nuse (\n\t.\n\t./new\n)\n", "new/go.mod": "module example.com/new\n\ngo 1.24\n\nrequire example.org/a v1.0.0\n"}, stale},
		{"no workspace any more, the same modules", work, map[string]string{"go.work": "-"}, ""},
		{"archives", archives, nil, ""},
		{"archives, another version", archives, map[string]string{"go.mod": strings.Replace(archives["go.mod"], "a v1.0.0", "a v1.1.0", 1), "go.sum": strings.ReplaceAll(sums, "v1.0.0", "v1.1.0")}, stale},
		{"archives, another checksum", archives, map[string]string{"go.sum": strings.Replace(sums, "h1:", "h1:A", 1)}, "checksum mismatch"},
		{"archives, a directory that requires more", archives, map[string]string{"lib/go.mod": files["lib/go.mod"] + "\nrequire example.org/a v1.1.0\n"}, "go mod tidy"},
		{"archives, another directory", archives, map[string]string{"lib/lib.go": "package lib\n\nimport _ \"example.org/b\"\n"}, "go mod tidy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := maps.Clone(test.files)
			for name, text := range test.edit {
				if all[name] = text; text == "-" {
					delete(all, name)
				}
			}
			cfg := config(t, project(t, all))
			if strings.HasPrefix(test.name, "archives") {
				cfg.Downloads, cfg.Unpacked = cache, unpacked
			} else {
				cfg.Vendor = vendorOf(t, project(t, test.files))
			}
			_, err := Make(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}
