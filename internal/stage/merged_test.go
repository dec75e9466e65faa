package stage

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dgd/internal/planfile"
	"dgd/internal/testfiles"
)

// Two people change different packages, and git merges their plans without a conflict. The
// plan is stale if the line of a program no longer fits its packages.
func TestMergedPlans(t *testing.T) {
	base := map[string]string{
		"go.mod":                    "module example.com/m\n\ngo 1.24\n\nrequire example.org/v v1.0.0\n",
		"cmd/one/one.go":            "package main\n\nfunc main() {}\n",
		"cmd/two/two.go":            "package main\n\nimport (\n\t_ \"example.com/m/a\"\n\t_ \"example.com/m/b\"\n)\n\nfunc main() {}\n",
		"a/a.go":                    "package a\n",
		"b/b.go":                    "package b\n\nimport _ \"example.org/v\"\n",
		"c/c.go":                    "package c\n",
		"vendor/modules.txt":        "# example.org/v v1.0.0\n## explicit; go 1.24\nexample.org/v\n",
		"vendor/example.org/v/v.go": "package v\n",
	}
	const mainOfA = "package main\n\nimport _ \"example.com/m/a\"\n\nfunc main() {}\n"
	for _, test := range []struct {
		name       string
		one, other map[string]string
		stale      bool
	}{
		{"a module that reaches another program", map[string]string{"cmd/one/one.go": mainOfA}, map[string]string{"a/a.go": "package a\n\nimport _ \"example.org/v\"\n"}, true},
		{"a package of the project", map[string]string{"cmd/one/one.go": mainOfA}, map[string]string{"a/a.go": "package a\n\nimport _ \"example.com/m/c\"\n"}, false},
		{"two imports", map[string]string{"a/a.go": "package a\n\nimport _ \"example.com/m/c\"\n"}, map[string]string{"b/b.go": "package b\n\nimport (\n\t_ \"example.com/m/c\"\n\t_ \"example.org/v\"\n)\n"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			sources := func(changes ...map[string]string) string {
				src, files := t.TempDir(), maps.Clone(base)
				for _, c := range changes {
					maps.Copy(files, c)
				}
				testfiles.Write(t, src, files)
				return src
			}
			plan := func(changes ...map[string]string) []string {
				src := sources(changes...)
				c := config(t, src)
				c.Package = []string{"./cmd/one", "./cmd/two"}
				file, err := MakeFile(t.Context(), &FileConfig{Config: *c, Src: src, Granularity: "auto"}, filepath.Join(t.TempDir(), "file"))
				if err != nil {
					t.Fatal(err)
				}
				return strings.SplitAfter(string(planfile.Format(map[string]*planfile.File{"linux/amd64": file})), "\n")
			}
			old, one, other := plan(), plan(test.one), plan(test.other)
			merged := slices.DeleteFunc(slices.Clone(one), func(line string) bool {
				return slices.Contains(old, line) && !slices.Contains(other, line)
			})
			for _, line := range other {
				if !slices.Contains(old, line) && !slices.Contains(merged, line) {
					merged = append(merged, line)
				}
			}
			for _, side := range []struct {
				lines []string
				src   string
				stale bool
			}{{one, sources(test.one), false}, {other, sources(test.other), false}, {merged, sources(test.one, test.other), test.stale}} {
				file := filepath.Join(t.TempDir(), "dgd.plan")
				if err := os.WriteFile(file, []byte(strings.Join(side.lines, "")), 0o666); err != nil {
					t.Fatal(err)
				}
				cfg := &CheckConfig{
					Src: side.src, Plan: file, Variant: "linux/amd64", Where: "in .", Go: goroot(t), Goroot: goroot(t),
					Env: map[string]string{"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": "amd64"},
				}
				err := CheckFile(t.Context(), cfg, filepath.Join(t.TempDir(), "work"))
				const want = "dgd.plan is stale: run `dgd plan` in .\n  example.com/m/cmd/one: its packages are of other modules"
				if side.stale && (err == nil || !strings.HasPrefix(err.Error(), want)) || !side.stale && err != nil {
					t.Errorf("the error is %v; want one: %v", err, side.stale)
				}
			}
		})
	}
}
