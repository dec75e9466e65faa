package stage

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dgd/internal/planfile"
	"dgd/internal/testfiles"
)

// A plan in a file is stale if something changes that it depends on, and only then.
func TestCheckFile(t *testing.T) {
	src, work := t.TempDir(), t.TempDir()
	files := andTests(filesWithC)
	testfiles.Write(t, src, files)
	base := config(t, src)
	base.Package = []string{"."}
	base.Env["CGO_ENABLED"] = "1"
	base.AnyCompiler = true
	file, err := MakeFile(t.Context(), &FileConfig{Config: *base, Src: src, Granularity: "auto", Tests: &FileTests{Packages: []string{"./..."}, CheckFlags: []string{}}}, filepath.Join(work, "file"))
	if err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(work, "dgd.plan")
	text := planfile.Format(map[string]*planfile.File{"linux/amd64": file})
	if err := os.WriteFile(plan, text, 0o666); err != nil {
		t.Fatal(err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	const stale = "dgd.plan is stale: run `dgd plan` in ."
	for _, test := range []struct {
		name, file, text string // an edit: the whole file, or "" where it goes away
		tests            bool   // whether the plan of the tests is compared
		change           func(*CheckConfig)
		want             string
	}{
		{"nothing", "", "", true, nil, ""},
		{"inside a function", "main.go", files["main.go"] + "\nfunc f() int { return 1 }\n", true, nil, ""},
		{"an import", "main.go", strings.Replace(files["main.go"], `_ "net"`, `_ "net/url"`, 1), false, nil, stale},
		{"a file more", "asm/more.go", "package asm\n", false, nil, stale},
		{"a file less", "c/c.c", "", false, nil, stale},
		{"inside C", "c/c.c", files["c/c.c"] + "\nint more(void) { return 2; }\n", false, nil, ""},
		{"an include in C", "c/c.c", files["c/c.c"] + "\n#include \"../include/two.h\"\n", false, nil, stale},
		{"what lies below .git", ".git/notes.txt", "text\n", false, nil, ""},
		{"a test more", "helper/helper_test.go", files["helper/helper_test.go"] + "\nfunc TestC(*testing.T) {}\n", true, nil, stale},
		{"a test more, of which no plan is compared", "helper/helper_test.go", files["helper/helper_test.go"] + "\nfunc TestC(*testing.T) {}\n", false, nil, ""},
		{"inside a test", "helper/helper_test.go", strings.Replace(files["helper/helper_test.go"], "TestA(*testing.T) {}", "TestA(*testing.T) { _ = 1 }", 1), true, nil, ""},
		{"another GOROOT", "", "", false, func(c *CheckConfig) { c.Goroot = "/else" }, "let the argument `go` have an attribute passthru.goroot"},
		{"another microarchitecture", "", "", false, func(c *CheckConfig) { c.Env["GOAMD64"] = "v3" }, "say the difference in `env`, or by --env of `dgd plan` in ."},
		{"another compiler", "", "", false, func(c *CheckConfig) { c.Env["CC"] = "other-cc"; c.Env["CXX"] = "other-cxx" }, "other-cc"},
		{"no plan", "", "", false, func(c *CheckConfig) { c.Plan += ".none" }, "no such file or directory"},
		{"no sources", "", "", false, func(c *CheckConfig) { c.Src += "/none" }, "no such file or directory"},
		{"another target", "", "", false, func(c *CheckConfig) { c.Env["GOARCH"] = "riscv64" }, "GOARCH=riscv64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := t.TempDir()
			changed := maps.Clone(files)
			if test.file != "" {
				changed[test.file] = test.text
				if test.text == "" {
					delete(changed, test.file)
				}
			}
			testfiles.Write(t, now, changed)
			env := maps.Clone(base.Env)
			env["GOOS"], env["GOARCH"] = "linux", "amd64"
			cfg := &CheckConfig{Src: now, Plan: plan, Where: "in .", Go: base.Go, Env: env, Goroot: strings.TrimSpace(string(goroot)), Tests: test.tests}
			if test.change != nil {
				test.change(cfg)
			}
			err := CheckFile(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
	signed := func(line string) string {
		sum := sha256.Sum256([]byte(line))
		return line + " #" + hex.EncodeToString(sum[:2]) + "\n"
	}
	version := regexp.MustCompile(`(?m)^set go "(.*)" #.*\n`)
	if err := os.WriteFile(plan, version.ReplaceAll(text, []byte(signed(`set go "1.2"`))), 0o666); err != nil {
		t.Fatal(err)
	}
	other := &CheckConfig{Src: src, Plan: plan, Where: "in .", Go: base.Go, Env: base.Env, Goroot: strings.TrimSpace(string(goroot))}
	if err := CheckFile(t.Context(), other, filepath.Join(work, "other")); err == nil || !strings.Contains(err.Error(), "dgd.plan was made with Go 1.2, and the toolchain of the build is go1.") {
		t.Errorf("another Go: %v", err)
	}
	modules := regexp.MustCompile(`(?m)^set modules .*\n`)
	if err := os.WriteFile(plan, modules.ReplaceAll(text, []byte(signed(`set modules "lock"`))), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(t.Context(), other, filepath.Join(work, "vendored")); err == nil || !strings.Contains(err.Error(), "src has a vendor directory of its own, vendor, and the plan takes the modules of a lock") {
		t.Errorf("a vendor directory beside a lock: %v", err)
	}
	if err := os.WriteFile(plan, text[:len(text)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := &CheckConfig{Src: src, Plan: plan, Where: "in .", Go: base.Go, Env: map[string]string{"GOOS": "linux", "GOARCH": "amd64"}}
	if err := CheckFile(t.Context(), cfg, filepath.Join(work, "half")); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a plan: %v", err)
	}
}
