// Package gotest tests dgd with Go's own tests, the scripts of cmd/go in the toolchain.
// All that they build, run, install or test is built by dgd and by the go command.
// Both must give the same result: the bytes of programs, the exit status, and the words
// of errors that a script looks for.
package gotest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"dgd/internal/testnix"
)

var (
	all        = flag.Bool("all", false, "take all scripts of the toolchain, not just some")
	goName     = flag.String("go", "go", "the toolchain, an attribute of the package set: go_1_25")
	mode       = flag.String("mode", "", "ifd or dyn; default: both")
	scriptName = flag.String("scripts", "", "take the scripts that this regular expression matches")
	list       = flag.Bool("list-cases", false, "say which cases there are, and build none")
	jobs       = flag.Int("jobs", 2, "how many cases to build at once")
)

// some are the scripts that run without -all. None of them needs another build of the
// standard library.
var some = []string{
	"build_cgo_consistent_results", "build_internal", "build_multi_main", "cgo_badmethod_issue57926", "embed_brackets",
	"link_external_undef", "mod_import_vendor", "mod_run_nonmain", "run_hello_pkg", "test_fail_newline", "test_main_twice",
	"vendor_internal", "work_module_not_in_go_work",
}

func TestScripts(t *testing.T) {
	testnix.Require(t)
	root := toolchain(t)
	out := t.TempDir()
	scripts, err := filepath.Glob(filepath.Join(root, "src", "cmd", "go", "testdata", "script", "*.txt"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("the toolchain %s has no scripts (%v)", root, err)
	}
	wanted := func(name string) bool { return *all || slices.Contains(some, name) }
	if *scriptName != "" {
		wanted = regexp.MustCompile(*scriptName).MatchString
	}
	var cases []*testCase
	reasons := map[string]int{}
	for _, file := range scripts {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !wanted(name) {
			continue
		}
		taken, skipped := read(t, file, name, root, out)
		cases = append(cases, taken...)
		for _, s := range skipped {
			reasons[s.reason]++
			t.Logf("%s is not taken: %s", s.name, s.reason)
		}
	}
	t.Logf("%d cases of %d scripts", len(cases), count(cases))
	for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return reasons[b] - reasons[a] }) {
		t.Logf("%4d not taken: %s", reasons[reason], reason)
	}
	if len(cases) == 0 {
		t.Fatal("there is no case")
	}
	if *list {
		for _, c := range cases {
			t.Log(c.Name)
		}
		return
	}
	reference := string(bytes.TrimSpace(nix(t, filepath.Join(out, "cases"), "-A", "reference")))
	for _, m := range []string{"dyn", "ifd"} {
		if *mode == "" || *mode == m {
			t.Run(m, func(t *testing.T) { compareAll(t, m, out, os.Getenv("DGD_STORE_ROOT")+reference, cases) })
		}
	}
}

// toolchain returns GOROOT of the toolchain.
func toolchain(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("nix-build", "--no-out-link", "<nixpkgs>", "-A", *goName).Output()
	if err != nil {
		t.Fatalf("nix-build '<nixpkgs>' -A %s: %v", *goName, err)
	}
	return filepath.Join(os.Getenv("DGD_STORE_ROOT")+strings.TrimSpace(string(out)), "share", "go")
}

// count returns the number of scripts that the cases come from.
func count(cases []*testCase) int {
	names := map[string]bool{}
	for _, c := range cases {
		names[c.Name[:strings.LastIndex(c.Name, "-")]] = true
	}
	return len(names)
}

// read returns the cases of a script, and the calls that are not cases.
func read(t *testing.T, file, name, root, out string) ([]*testCase, []skip) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(out, "work", name)
	s, commands, err := newScript(name, filepath.Join(root, "bin", "go"), root, work, out, string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	err = s.run(commands)
	var end *stop
	switch {
	case errors.As(err, &end):
		s.skipped = append(s.skipped, skip{fmt.Sprintf("%s from line %d on", name, s.line), end.reason})
	case err != nil:
		t.Fatalf("%s: line %d: %v", name, s.line, err)
	}
	if err := os.RemoveAll(work); err != nil {
		t.Log(err)
	}
	return s.cases, s.skipped
}

// nix builds an attribute of cases.nix.
func nix(t *testing.T, cases string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("nix-build", append([]string{"cases.nix", "--no-out-link", "--arg", "cases", cases, "--argstr", "go", *goName}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("nix-build %s: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

// compareAll builds the cases by dgd and compares them with the results of the go
// command. Exactly the cases in known.txt must differ.
func compareAll(t *testing.T, mode, out, reference string, cases []*testCase) {
	known := readKnown(t, mode)
	queue := make(chan *testCase)
	var wg sync.WaitGroup
	var mu sync.Mutex
	same := map[string]int{}
	for range max(*jobs, 1) {
		wg.Go(func() {
			for c := range queue {
				kind, fault := compare(c, mode, filepath.Join(out, "cases"), filepath.Join(reference, c.Name))
				mu.Lock()
				switch why, ok := known[c.Name]; {
				case fault == "" && ok:
					t.Errorf("%s: is as it should be, and known.txt says: %s", c.Name, why)
				case fault != "" && ok:
					same["known to differ"]++
				case fault != "":
					t.Errorf("%s: %s", c.Name, fault)
				default:
					same[kind]++
					t.Logf("%s: %s", c.Name, kind)
				}
				mu.Unlock()
			}
		})
	}
	for _, c := range cases {
		queue <- c
	}
	close(queue)
	wg.Wait()
	if *all && *scriptName == "" && *goName == "go" { // another toolchain may lack some cases
		for name := range known {
			if !slices.ContainsFunc(cases, func(c *testCase) bool { return c.Name == name }) {
				t.Errorf("known.txt names %s, which is no case of this toolchain", name)
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(same)) {
		t.Logf("%4d %s", same[kind], kind)
	}
}

// compare builds a case. It returns the kind of result if dgd and the go command agree,
// or else the difference.
func compare(c *testCase, mode, cases, reference string) (kind, fault string) {
	text, err := os.ReadFile(filepath.Join(reference, "status"))
	if err != nil {
		return "", err.Error()
	}
	status := strings.TrimSpace(string(text))
	if status == "124" {
		return "", "there is nothing to compare with: the go command was stopped after half an hour"
	}
	passes := status == "0"
	said, err := os.ReadFile(filepath.Join(reference, "log"))
	if err != nil {
		return "", err.Error()
	}
	dyn := "false"
	if mode == "dyn" {
		dyn = "true"
	}
	cmd := exec.Command("nix-build", "cases.nix", "--no-out-link", "--arg", "cases", cases, "--argstr", "go", *goName, "--arg", "useDynDrv", dyn, "-A", "built."+c.Name)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	// The planner adds its name to the lines of the go command.
	log := strings.ReplaceAll(stderr.String(), "dgd-plan: ", "")
	switch {
	case err == nil && !passes:
		return "", "dgd passes, and go says:\n" + end(string(said))
	case err != nil && passes:
		return "", "go passes, and dgd says:\n" + end(log)
	case err != nil:
		w, ok := lacks(c.Words, string(said), log)
		if !ok {
			return "both fail, in the words that the script looks for", ""
		}
		// As in nixpkgs, packages are built before they are tested.
		if text, err := os.ReadFile(filepath.Join(reference, "build")); err == nil && saysAll(log, string(text)) {
			return "both fail, since packages cannot be built, in the words of go build", ""
		}
		return "", fmt.Sprintf("both fail, but only go says %q:\n%s\ndgd says:\n%s", w, end(string(said)), end(log))
	case c.Test:
		return "tests pass", ""
	}
	want, err := programs(filepath.Join(reference, "bin"))
	if err != nil {
		return "", err.Error()
	}
	got, err := programs(filepath.Join(os.Getenv("DGD_STORE_ROOT")+strings.TrimSpace(string(stdout)), "bin"))
	if err != nil {
		return "", err.Error()
	}
	if !maps.Equal(got, want) {
		return "", fmt.Sprintf("OTHER BYTES: dgd makes %s, go makes %s", names(got), names(want))
	}
	if c.Library {
		return "packages compile", ""
	}
	return "programs are the same", ""
}

// tab matches a tab, for which Nix prints spaces up to the next tab stop.
const tab = "[\t ]{1,8}"

// lacks returns a regular expression of words that matches the output of the go command
// but not that of dgd, and reports whether there is one.
func lacks(words []string, said, log string) (string, bool) {
	for _, w := range words {
		re, err := regexp.Compile("(?m)" + w)
		if err != nil || !re.MatchString(said) {
			continue
		}
		if re, err := regexp.Compile("(?m)" + strings.NewReplacer("\t", tab, `\t`, tab).Replace(w)); err != nil || !re.MatchString(log) {
			return w, true
		}
	}
	return "", false
}

// saysAll reports whether the output of dgd has all lines of the go command's output,
// which must not be empty.
func saysAll(log, said string) bool {
	said = strings.TrimSpace(said)
	if said == "" {
		return false
	}
	for line := range strings.Lines(said) {
		line = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "\t", tab)
		if !regexp.MustCompile("(?m)" + line + " *$").MatchString(log) {
			return false
		}
	}
	return true
}

// programs returns the contents of the files in a directory, or their hashes.
func programs(dir string) (map[string]string, error) {
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		found[e.Name()] = string(text)
	}
	return found, nil
}

func names(programs map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		hash := fnv.New64a()
		hash.Write([]byte(programs[name]))
		list = append(list, fmt.Sprintf("%s (%x)", name, hash.Sum64()))
	}
	return strings.Join(list, ", ")
}

// end returns the end of a log.
func end(log string) string {
	lines := strings.SplitAfter(strings.TrimSpace(log), "\n")
	if len(lines) > 25 {
		lines = append([]string{"…\n"}, lines[len(lines)-25:]...)
	}
	return strings.Join(lines, "")
}

// readKnown returns the cases that are known to differ, with the reasons. A line has
// the case or CASE@MODE, and the reason. Empty lines and those that begin with # are
// comments.
func readKnown(t *testing.T, mode string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("known.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("known.txt: %q has no reason", line)
		}
		name, only, _ := strings.Cut(name, "@")
		if only == "" || only == mode {
			known[name] = why
		}
	}
	return known
}
