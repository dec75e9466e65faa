package stage

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/drvgen"
	"dgd/internal/workspace"
)

// layDown makes files in a new directory, each with its own name as its text; a
// name with " -> " is a symlink.
func layDown(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, target, link := strings.Cut(f, " -> ")
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		var err error
		if link {
			err = os.Symlink(target, file)
		} else {
			err = os.WriteFile(file, []byte(name), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A test that passed with the files of its package has to run again only if it looked for a
// path that all of src has and its run had not.
func TestFindNeeds(t *testing.T) {
	src := layDown(t, "go.mod", "README.md", "a/a.go", "docs/words.txt", "docs/more/x", ".git/HEAD", "out -> ../elsewhere", "sub/go.mod", "vendor/own/x.go")
	vendor := layDown(t, "modules.txt", "example.org/dep/dep.go")
	missing := func(paths ...string) action.TestResult {
		m := map[string][]string{}
		for _, p := range paths {
			first, below, _ := strings.Cut(p, ":")
			m[first] = append(m[first], filepath.Join(first, below))
		}
		return action.TestResult{Passed: true, Missing: m}
	}
	for _, test := range []struct {
		name   string
		form   drvgen.ModulesForm
		place  string // of the vendor directory
		result action.TestResult
		why    string // "" if it need not run again
		data   []string
	}{
		{name: "nothing", result: action.TestResult{Passed: true}},
		{name: "what is nowhere", result: missing("a/go.mod", "go.work", "nowhere:x", "a/a.go/x2")},
		{name: "a hidden file", result: missing("docs:words.txt"), why: "it looked for docs/words.txt", data: []string{"docs/words.txt"}},
		{name: "a hidden directory", result: missing("docs"), why: "it looked for docs", data: []string{"docs"}},
		{name: "both", result: missing("docs", "docs:words.txt", "docs:none"), why: "it looked for docs/words.txt", data: []string{"docs/words.txt"}},
		{name: "nothing in a hidden directory", result: missing("docs:none"), why: "it looked for docs", data: []string{"docs"}},
		{name: "several", result: missing("docs:more/x", "README.md"), why: "it looked for README.md, docs/more/x", data: []string{"README.md", "docs/more/x"}},
		{name: "a repository", result: missing(".git"), why: "it looked for .git", data: []string{".git"}},
		{name: "a link out of src", result: missing("out"), why: "it looked for out", data: []string{"out"}},
		{name: "all entries", result: action.TestResult{Passed: true, Listed: map[string]int{"docs": 2, "a": 1}}},
		{name: "some entries", result: action.TestResult{Passed: true, Listed: map[string]int{"docs": 1}}, why: "it looked for docs", data: []string{"docs"}},
		{name: "a failure", result: action.TestResult{}, why: "it failed with the files of its package"},
		{name: "a failure that looked for something", result: action.TestResult{Missing: map[string][]string{"docs": {"docs/words.txt"}}}, why: "it looked for docs/words.txt", data: []string{"docs/words.txt"}},
		{name: "not all is seen", result: action.TestResult{Passed: true, Unseen: "dark"}, why: "it is not known what it looks for: dark"},
		{name: "no modules", result: action.TestResult{Passed: true, Modules: true}},
		{name: "a module proxy", form: drvgen.ModuleProxy, result: action.TestResult{Passed: true, Modules: true}, why: "it looked for modules other than its own"},
		{name: "no vendor directory", place: "vendor2", result: missing("vendor2:modules.txt")},
		{name: "its own vendor directory", place: "vendor", result: missing("vendor:own/x.go"), why: "it looked for modules other than its own"},
		{name: "a vendor directory", form: drvgen.VendorDirectory, place: "sub/vendor", result: missing("sub/vendor:modules.txt"), why: "it looked for modules other than its own"},
		{name: "below a vendor directory", form: drvgen.VendorDirectory, place: "sub/vendor", result: missing("sub/vendor/example.org"), why: "it looked for modules other than its own"},
		{name: "not in a vendor directory", form: drvgen.VendorDirectory, place: "sub/vendor", result: missing("sub/vendor/example.com")},
		{name: "a vendor directory among entries", form: drvgen.VendorDirectory, place: "sub/vendor", result: action.TestResult{Passed: true, Listed: map[string]int{"sub": 1}}, why: "it looked for sub", data: []string{"sub"}},
		{name: "a vendor directory in place of another", form: drvgen.VendorDirectory, place: "vendor", result: action.TestResult{Passed: true, Listed: map[string]int{".": 8}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "result")
			if err := WriteJSON(file, test.result); err != nil {
				t.Fatal(err)
			}
			place := test.place
			if place == "" {
				place = "vendor"
			}
			cfg := &drvgen.NeedsConfig{Src: src, Vendor: place, Form: test.form, Tests: []drvgen.NeedsTest{{Name: "a", Result: file, Program: "/p"}}}
			if test.form != drvgen.NoModules {
				cfg.Modules = vendor
			}
			got, err := FindNeeds(cfg)
			if err != nil {
				t.Fatal(err)
			}
			want := &Needs{}
			if test.why != "" {
				want = &Needs{Src: src, Vendor: place, Form: test.form, Modules: cfg.Modules, Tests: []Need{{Name: "a", Program: "/p", Why: test.why, Data: test.data}}}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the needs are\n%+v\nwant\n%+v", got, want)
			}
			if text, err := JSON(got); err != nil || test.why == "" && string(text) != "{}\n" {
				t.Errorf("written they are %s, %v", text, err)
			}
		})
	}
}

// Tests that need all of src run with it and with the modules. Other tests do not run.
func TestRetest(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	src := layDown(t, "go.mod", "docs/words.txt", "vendor/old.go", "a/a.go", "link -> /nowhere/x")
	vendor := layDown(t, "modules.txt")
	for _, test := range []struct {
		name   string
		form   drvgen.ModulesForm
		script string
		fails  bool
		log    []string
	}{
		{"it passes", drvgen.NoModules, `test -f ../docs/words.txt && test -f ../vendor/old.go && echo x > new && test "$MORE" = 1`, false,
			[]string{"# b\n", "dgd: it looked for docs, so it runs with all of src", `testData."b" = [ "docs" "a\${x}" ];`, "ok  \tb\n"}},
		{"it fails", drvgen.NoModules, "echo said; exit 1", true,
			[]string{"said\nFAIL\tb\n", "it looked for link, a symlink to /nowhere/x, which is not in src"}},
		{"a vendor directory", drvgen.VendorDirectory, "test -f ../vendor/modules.txt && ! test -e ../vendor/old.go && : > ../vendor/modules.txt", false, nil},
		{"a module proxy", drvgen.ModuleProxy, `test -f "$MODULES/modules.txt" && test "$(cat ../downloaded)" = "mod download"`, false, nil},
		{"a module cache", drvgen.ModuleCache, `test -f "$MODULES/modules.txt" && : > "$MODULES/new"`, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			needs := Needs{Src: src, Vendor: "vendor", Form: test.form, Modules: vendor, Tests: []Need{{
				Name: "b", Program: sh, Why: "it looked for docs", Data: []string{"docs", "a${x}"}, Leaving: map[string]string{"link": "/nowhere/x"},
			}}}
			cfg := &drvgen.RetestConfig{Needs: filepath.Join(dir, "needs"), Src: filepath.Join(dir, "src"), Modules: filepath.Join(dir, "modules"), Tests: map[string]drvgen.RetestRun{
				"a": {Dir: "/nowhere", Args: []string{"-c", "exit 1"}},
				"b": {Dir: filepath.Join(dir, "src/a"), Path: dir, Args: []string{"-c", test.script}},
			}}
			if err := os.Mkdir(cfg.Src, 0o777); err != nil { // as the executor does
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!"+sh+"\necho $* > downloaded\n"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := WriteJSON(cfg.Needs, needs); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			err := Retest(t.Context(), cfg, append(os.Environ(), "MORE=1", "MODULES="+cfg.Modules), 2, &log)
			if (err != nil) != test.fails {
				t.Errorf("%v\n%s", err, log.String())
			}
			for _, want := range test.log {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %q:\n%s", want, log.String())
				}
			}
		})
	}
}

// Tests that fail only beside others pass.
func TestRetestAlone(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	needs := Needs{Src: layDown(t, "go.mod"), Tests: []Need{{Name: "a", Program: sh}, {Name: "b", Program: sh}, {Name: "c", Program: sh}}}
	const script = `mkdir taken || exit 1; sleep 1; rmdir taken`
	cfg := &drvgen.RetestConfig{Needs: filepath.Join(dir, "needs"), Src: filepath.Join(dir, "src"), Tests: map[string]drvgen.RetestRun{}}
	for name, script := range map[string]string{"a": script, "b": script, "c": "exit 1"} {
		cfg.Tests[name] = drvgen.RetestRun{Dir: cfg.Src, Args: []string{"-c", script}}
	}
	if err := WriteJSON(cfg.Needs, needs); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	err = Retest(t.Context(), cfg, os.Environ(), 3, &log)
	if err == nil || err.Error() != "the tests of c failed, see above" || strings.Count(log.String(), "ok  \t") != 2 || strings.Count(log.String(), "FAIL\t") != 1 {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// If no test needs all of src, no files are laid out and no test runs.
func TestRetestNothing(t *testing.T) {
	dir := t.TempDir()
	cfg := &drvgen.RetestConfig{Needs: filepath.Join(dir, "needs"), Src: filepath.Join(dir, "src"), Tests: map[string]drvgen.RetestRun{"a": {Dir: dir}}}
	if err := WriteJSON(cfg.Needs, Needs{}); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	if err := Retest(t.Context(), cfg, nil, 1, &log); err != nil || log.Len() > 0 || workspace.Exists(cfg.Src) {
		t.Errorf("%v, %q", err, log.String())
	}
}

func TestProfileFlags(t *testing.T) {
	const dir = " -test.outputdir=${SRC}/m$$"
	for given, want := range map[string][2]string{
		"-run=A":                                     {"-run=A", ""},
		"-cpuprofile=cpu.out -v":                     {"-v", "-test.cpuprofile=cpu.out" + dir},
		"--memprofile m$ -short":                     {"-short", "-test.memprofile=m$$" + dir},
		"-test.trace=t -blockprofile=b":              {"", "-test.trace=t -test.blockprofile=b" + dir},
		"-cpuprofilerate=1 cpuprofile -mutexprofile": {"-cpuprofilerate=1 cpuprofile", "-test.mutexprofile=" + dir},
	} {
		others, ofProgram := profileFlags(strings.Fields(given), "./m$")
		if got := [2]string{strings.Join(others, " "), strings.Join(ofProgram, " ")}; got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
	if _, ofProgram := profileFlags([]string{"-trace=t"}, ""); ofProgram[1] != "-test.outputdir=${SRC}" {
		t.Errorf("without modRoot: %q", ofProgram)
	}
}
