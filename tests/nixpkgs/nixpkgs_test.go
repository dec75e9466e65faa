// Package nixpkgs builds definitions of Go programs with dgd's and with nixpkgs'
// buildGoModule, and compares the packages.
//
//	./with-nix go test ./tests/nixpkgs -v -nixpkgs 'import <nixpkgs> { }'
//
// Without the flag, an implementation of nixpkgs' rules (build-go-module.nix) takes the
// place of nixpkgs' buildGoModule, with the package set <nixpkgs>.
package nixpkgs

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dgd/internal/testnix"
)

var (
	set         = flag.String("nixpkgs", "", "a Nix expression: the package set, which has a buildGoModule of its own")
	programs    = flag.Bool("programs", false, "compare the programs of tests/nixpkgs-programs.nix, too")
	more        = flag.Bool("more", false, "compare the forms of more-forms.nix, too, as with -nixpkgs")
	modes       = flag.String("modes", "ifd,dyn", "dgd's modes to compare: ifd, dyn or both")
	definitions = flag.String("definitions", "", "compare these packages of -nixpkgs, too: names with commas between")
)

// expression returns a Nix expression for an attribute of default.nix.
func expression(t testing.TB, attribute string) string {
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	args := ""
	if *set != "" {
		args = "pkgs = " + *set + ";"
	}
	return fmt.Sprintf("(import %s { %s }).%s", dir, args, attribute)
}

// nix runs a command of Nix and returns its standard output.
func nix(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return "", fmt.Errorf("%s: %v\n%s", name, err, strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
	return stdout.String(), nil
}

// evaluate decodes the value of an expression.
func evaluate(t testing.TB, expression string, value any) {
	t.Helper()
	out, err := nix("nix-instantiate", "--eval", "--read-write-mode", "--strict", "--json", "--expr", expression)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), value); err != nil {
		t.Fatal(err)
	}
}

func TestForms(t *testing.T) { compareAll(t, "forms") }

func TestMoreForms(t *testing.T) {
	if *set == "" && !*more {
		t.Skip("without -nixpkgs and -more")
	}
	compareAll(t, "more")
}

// compareAll compares the forms of an attribute of default.nix.
func compareAll(t *testing.T, attribute string) {
	testnix.Require(t)
	var names []string
	evaluate(t, "builtins.attrNames "+expression(t, attribute), &names)
	if len(names) < 25 {
		t.Fatalf("only %d forms", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, name, expression(t, attribute+"."+name))
		})
	}
}

func TestPrograms(t *testing.T) {
	if !*programs {
		t.Skip("without -programs")
	}
	testnix.Require(t)
	var names []string
	evaluate(t, "builtins.attrNames "+expression(t, "programs"), &names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) { compare(t, name, expression(t, "programs."+name)) })
	}
}

func TestDefinitions(t *testing.T) {
	if *definitions == "" {
		t.Skip("without -definitions")
	}
	testnix.Require(t)
	for _, name := range strings.Split(*definitions, ",") {
		t.Run(name, func(t *testing.T) {
			compare(t, name, fmt.Sprintf("(%s [ %q ]).%q", expression(t, "definitions"), name, name))
		})
	}
}

// compare builds a definition by nixpkgs and by dgd in both modes, and reports each
// difference as an error. It logs what it compares.
func compare(t *testing.T, name, of string) {
	var about map[string]map[string]any
	evaluate(t, of+".about", &about)
	want := build(t, name, of, "nixpkgs")
	for _, mode := range strings.Split(*modes, ",") {
		for what, value := range about["nixpkgs"] {
			if got := about[mode][what]; !reflect.DeepEqual(got, value) {
				t.Errorf("%s: %s is %v in place of %v", mode, what, got, value)
			}
		}
		got := build(t, name, of, mode)
		if found := differences(want, got); len(found) > 0 {
			t.Errorf("%s: %s and %s\n%s", mode, want.outputs[0], got.outputs[0], strings.Join(found, "\n"))
		}
	}
	if strings.Contains(*modes, "ifd") {
		inner(t, of, about["nixpkgs"]["go"].(string))
	}
	if !t.Failed() {
		t.Logf("| %s | the same | %d files | %d references | %d paths | %.1f MB |",
			name, len(want.files), len(want.references), len(want.closure), float64(want.size)/1e6)
	}
}

// inPlace are forms whose programs contain the paths of their sources, which differ: see
// allowGoReference in docs/api.md. Only the build information of these programs is
// compared.
var inPlace = []string{"allowGoReference", "allowGoReferencePrepared"}

// build builds a package and returns the facts about it that are compared.
func build(t *testing.T, name, of, builder string) built {
	t.Helper()
	out, err := nix("nix-build", "--no-out-link", "--expr", of+".outputs."+builder)
	if err != nil {
		t.Fatalf("%s: %v", builder, err)
	}
	b := built{outputs: strings.Fields(out), files: map[string]string{}}
	own := anonymous(b.outputs)
	for _, path := range b.outputs {
		files, err := tree(os.Getenv("DGD_STORE_ROOT")+path, own)
		if err != nil {
			t.Fatal(err)
		}
		_, output, _ := strings.Cut(filepath.Base(path), "-")
		for file, text := range files {
			if slices.Contains(inPlace, name) && strings.Contains(text, "\x7fELF") {
				info, err := buildinfo.ReadFile(filepath.Join(os.Getenv("DGD_STORE_ROOT")+path, file))
				if err != nil {
					t.Fatal(err)
				}
				text = info.String()
			}
			b.files[filepath.Join(output, file)] = text
		}
	}
	b.references = query(t, own, "--references", b.outputs)
	b.closure = query(t, own, "--requisites", b.outputs)
	sizes, err := nix("nix-store", append([]string{"--query", "--size"}, query(t, strings.NewReplacer(), "--requisites", b.outputs)...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(sizes) {
		n, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		b.size += n
	}
	return b
}

// query runs nix-store --query, and returns the paths without the package's own hashes,
// sorted and without duplicates.
func query(t *testing.T, own *strings.Replacer, what string, paths []string) []string {
	t.Helper()
	out, err := nix("nix-store", append([]string{"--query", what}, paths...)...)
	if err != nil {
		t.Fatal(err)
	}
	answer := strings.Fields(own.Replace(out))
	slices.Sort(answer)
	return slices.Compact(answer)
}

// forCompiling matches store paths that are needed only for compiling. A program must not
// refer to them, unless that of nixpkgs does before its fixupPhase, such as to a library
// in the compiler's directory. The toolchain is checked separately, by its path.
var forCompiling = regexp.MustCompile(`^[0-9a-z]{32}-(cgo-env|.*-wrapper(-.*)?|gcc-[0-9.]+|gcc|binutils-.*|stdenv.*|.*-dev|bash.*|coreutils.*|plan|program|.*\.drv)$`)

// inner checks the references of the programs that the inner derivations link, before
// the phases of the package remove any.
func inner(t *testing.T, of, goPath string) {
	t.Helper()
	var is bool
	evaluate(t, of+".inner != null", &is)
	if !is {
		return
	}
	references := func(attribute string) (program string, paths []string) {
		out, err := nix("nix-build", "--no-out-link", "--expr", of+attribute)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out), query(t, strings.NewReplacer(), "--references", strings.Fields(out))
	}
	program, paths := references(".inner")
	var suspects []string
	for _, path := range paths {
		if path == goPath && !strings.Contains(of, ".allowGoReference") || forCompiling.MatchString(filepath.Base(path)) {
			suspects = append(suspects, path)
		}
	}
	if len(suspects) == 0 {
		return
	}
	_, theirs := references(".unfixed")
	for _, path := range suspects {
		if !slices.Contains(theirs, path) {
			t.Errorf("the inner programs %s refer to %s", program, path)
		}
	}
}
