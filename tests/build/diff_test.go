package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dgd/internal/inspect/drvdiff"
	"dgd/internal/nix/store"
)

// instantiate returns the .drv path of an expression.
func instantiate(t *testing.T, expression string, flags ...string) string {
	t.Helper()
	out, err := exec.Command("nix-instantiate", append([]string{"-E", expression}, flags...)...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	drv, _, _ := strings.Cut(strings.TrimSpace(string(out)), "!")
	return drv
}

// related returns the store paths that are related to one, as a flag of nix-store --query
// says, as lines.
func related(t *testing.T, path string, flags ...string) string {
	t.Helper()
	paths, err := exec.Command("nix-store", append([]string{"--query", path}, flags...)...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	return string(paths)
}

// differences returns the pairs of a report as lines, each with its causes and the
// dependencies that make it differ.
func differences(r *drvdiff.Report) []string {
	var list []string
	for _, p := range r.Differ {
		text := p.Name
		for _, c := range p.Causes {
			text += "; " + c.String()
		}
		if len(p.Because) > 0 {
			text += "; because"
		}
		list = append(list, text)
	}
	for _, item := range r.OnlyOld {
		list = append(list, "- "+item.Name)
	}
	for _, item := range r.OnlyNew {
		list = append(list, "+ "+item.Name)
	}
	slices.Sort(list)
	return list
}

// Two states of a project are compared after edits of each kind.
func TestDiff(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"go.mod":       "module example.com/diff\n\ngo 1.24\n\nrequire rsc.io/quote v1.5.1\n",
		"main.go":      "package main\n\nimport (\n\t\"example.com/diff/leaf\"\n\t\"example.com/diff/mid\"\n\t\"rsc.io/quote\"\n)\n\nvar version string\n\nfunc main() { println(mid.Text(), leaf.Text(), version, quote.Go()) }\n",
		"mid/mid.go":   "package mid\n\nimport \"example.com/diff/base\"\n\nfunc Text() string { return \"mid SALT \" + base.Text() }\n",
		"leaf/leaf.go": "package leaf\n\nimport \"example.com/diff/base\"\n\n//go:noinline\nfunc Text() string { return \"leaf SALT \" + base.Text() }\n",
		"base/base.go": "package base\n\n//go:noinline\nfunc Text() string {\n\treturn \"base SALT\"\n}\n",
	}
	const (
		linked = "link of example.com/diff"
		end    = "result go-program; because"
	)
	skip := []string{"skip"}
	for mode, function := range modes {
		t.Run(mode, func(t *testing.T) {
			src := project(t, files)
			vendor := func() {
				t.Helper()
				for _, args := range [][]string{{"mod", "tidy"}, {"mod", "vendor"}} {
					cmd := exec.Command("go", args...)
					cmd.Dir = src
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("go %q: %v\n%s", args, err, out)
					}
				}
			}
			vendor()
			args := layersEnv
			// state builds the current state and returns its derivation or its output.
			state := func(byOutput bool) string {
				t.Helper()
				r := build(t, function, src, args)
				if byOutput {
					return r.path
				}
				return instantiate(t, expression(t, function, src, args))
			}
			compare := func(old, new string) *drvdiff.Report {
				t.Helper()
				st, err := store.Open(t.Context(), os.Stderr)
				if err != nil {
					t.Fatal(err)
				}
				defer st.Close()
				for _, path := range []*string{&old, &new} {
					if *path, err = st.Deriver(t.Context(), *path); err != nil {
						t.Fatal(err)
					}
				}
				r, err := drvdiff.Compare(t.Context(), st, old, new)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			warmUp(t, layersEnv)
			before, beforeOut := state(false), state(true)
			for _, step := range []struct {
				name   string
				change func()
				want   []string // between the derivations
				out    []string // between the outputs, if different
				common int
			}{
				{"nothing", func() {}, nil, nil, 10},
				{
					"a comment at a file's end",
					func() { edit(t, filepath.Join(src, "base/base.go"), "\"\n}\n", "\"\n}\n// The end.\n") },
					[]string{"example.com/diff/base; file base/base.go changed"}, []string{}, 9,
				},
				{
					"a body",
					func() { edit(t, filepath.Join(src, "base/base.go"), "\"base", "\"BASE") },
					[]string{"example.com/diff/base; file base/base.go changed", linked + "; because", end}, nil, 7,
				},
				{
					"a new file and an import",
					func() {
						write(t, filepath.Join(src, "leaf/more.go"), "package leaf\n\nimport _ \"errors\"\n")
					},
					[]string{"example.com/diff/leaf; file leaf/more.go is new; import errors is new", "example.com/diff; because", linked + "; because", end}, skip, 6,
				},
				{
					"a linker's flag",
					func() { args += `ldflags = [ "-X main.version=2" ];` },
					[]string{linked + "; flag -X main.version=2 is new", end}, nil, 8,
				},
				{
					"another value of it",
					func() { args = strings.ReplaceAll(args, "version=2", "version=3") },
					[]string{linked + "; flag -X main.version=2 → -X main.version=3", end}, nil, 8,
				},
				{
					"a module's version",
					func() {
						edit(t, filepath.Join(src, "go.mod"), "rsc.io/quote v1.5.1", "rsc.io/quote v1.5.2")
						vendor()
					},
					[]string{"example.com/diff; because", linked + "; module rsc.io/quote: v1.5.1 → v1.5.2; because", end, "rsc.io/quote; module rsc.io/quote: v1.5.1 → v1.5.2"}, skip, 6,
				},
				{
					"tags",
					func() { args += `tags = [ "some" ];` },
					[]string{linked + "; setting -tags is new", end}, nil, 8,
				},
			} {
				step.change()
				after, afterOut := state(false), state(true)
				r := compare(before, after)
				if got := differences(r); !slices.Equal(got, step.want) || r.Common != step.common {
					t.Errorf("%s: %d in common, and not\n%s\nwant %d, and\n%s", step.name, r.Common, strings.Join(got, "\n"), step.common, strings.Join(step.want, "\n"))
				}
				if r.Same() != (len(step.want) == 0) || len(r.Unbuilt) > 0 {
					t.Errorf("%s: the report is %+v", step.name, r)
				}
				// skeleton, modules, plan, std-plan, std-specs, std and program
				if mode == "dyn" && r.Planning.Common+len(r.Planning.Differ) != 7 {
					t.Errorf("%s: planning is %+v", step.name, r.Planning)
				}
				want := step.want
				if step.out != nil {
					want = step.out
				}
				// The store knows only the first deriver of an output, which may be of another build.
				if got := differences(compare(beforeOut, afterOut)); (len(step.out) == 0 || step.out[0] != skip[0]) && !slices.Equal(got, want) {
					t.Errorf("%s, by outputs:\n%s\nwant\n%s", step.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				for _, p := range r.Differ {
					if strings.HasSuffix(p.Name, "go-program") && !slices.Contains(p.Roots, r.Differ[0].Name) {
						t.Errorf("%s: the roots of %s are %q, without %s", step.name, p.Name, p.Roots, r.Differ[0].Name)
					}
				}
				before, beforeOut = after, afterOut
			}
			// In the other mode all inner derivations are the same.
			other := modes["ifd"]
			if mode == "ifd" {
				other = modes["dyn"]
			}
			build(t, other, src, args)
			if r := compare(before, instantiate(t, expression(t, other, src, args))); !r.Same() || r.Common != 10 {
				t.Errorf("in the other mode %d are in common, and not %q", r.Common, differences(r))
			}
			if mode != "ifd" {
				return
			}
			// A state that has not been built can be compared, too.
			toolchains := regexp.MustCompile(`^toolchain go-1[0-9.]+ → go-1[0-9.]+$`)
			r := compare(before, instantiate(t, expression(t, function, src, args+"go = "+anotherGo+";")))
			if len(r.Differ) != 10 || r.Common != 0 || len(r.Unbuilt) < 4 {
				t.Errorf("with another toolchain %d are in common, not built are %v, and not %q", r.Common, r.Unbuilt, differences(r))
			}
			for _, p := range r.Differ {
				if p.Kind == "result" {
					continue
				}
				if len(p.Causes) != 1 || !toolchains.MatchString(p.Causes[0].String()) {
					t.Errorf("with another toolchain %s differs by %v", p.Name, p.Causes)
				}
			}
		})
	}
}

// The exit status of `dgd diff` tells whether there are differences.
func TestDiffCommand(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "dgd")
	if out, err := exec.Command("go", "build", "-o", bin, "dgd/cmd/dgd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hello := fmt.Sprintf("(import %s { }).examples.hello", repo(t))
	a := instantiate(t, hello)
	r := nixBuild(t, "-E", hello)
	if r.err != nil {
		t.Fatal(r.log)
	}
	link := filepath.Join(t.TempDir(), "result")
	if err := os.Symlink(r.path, link); err != nil {
		t.Fatal(err)
	}
	b := instantiate(t, fmt.Sprintf("(import %s { }).examples.hello-nocgo", repo(t)))
	plain := filepath.Join(t.TempDir(), "plain")
	write(t, plain, "")
	for _, test := range []struct {
		old, new string
		status   int
		says     string
	}{
		{a, a, 0, "0 differ, 0 only in the old state, 0 only in the new one.\n"},
		{a, b, 1, "~ link of example.com/hello\n"},
		{link, link, 0, " 0 differ"},
		{filepath.Join(link, "bin/hello"), r.path, 0, " 0 differ"},
		{a, plain, 1, "is not in the Nix store: name a derivation, an output, or a link to one"},
		{a, "nothing", 1, "no such file"},
		{a, "/nix/store/00000000000000000000000000000000-x.drv", 1, "no such file"},
		{fmt.Sprint(a, "x"), "", 1, "no such file"},
	} {
		cmd := exec.Command(bin, "diff", test.old, test.new)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != test.status || !strings.Contains(string(out), test.says) || strings.Contains(string(out), "\x1b") {
			t.Errorf("diff %s %s: status %d, want %d with %q\n%s", test.old, test.new, cmd.ProcessState.ExitCode(), test.status, test.says, out)
		}
	}
}
