// Package docs checks the documentation against the code: every argument of
// the library has an entry, and every link has a target.
package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"dgd/internal/testnix"
)

// repo returns the root of this project.
func repo(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// evaluate evaluates an expression in which dgd is the library, for a package set
// that has only a name for Go and its platform, which suffices for these tests.
func evaluate(t *testing.T, expression string) (stdout, stderr string, err error) {
	t.Helper()
	testnix.Require(t)
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "--expr",
		`let pkgs = { go = "go"; stdenv = rec { buildPlatform = { system = "x86_64-linux"; }; hostPlatform = buildPlatform; }; }; dgd = import `+filepath.Join(repo(t), "lib")+` { inherit pkgs; }; in `+expression)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	return out.String(), log.String(), err
}

// builderArguments returns the arguments of the builders, from their error message for
// an unknown argument.
func builderArguments(t *testing.T) []string {
	t.Helper()
	_, stderr, err := evaluate(t, `dgd.internal.arguments "docs" { no-such-argument = 1; }`)
	const before = "unknown argument `no-such-argument`; the arguments are: "
	_, list, ok := strings.Cut(stderr, before)
	if err == nil || !ok {
		t.Fatalf("no list of arguments in the answer to an unknown one:\n%s", stderr)
	}
	list, _, _ = strings.Cut(list, "\n")
	return strings.Split(list, ", ")
}

// An entry is the entry of docs/api.md for an argument.
type entry struct {
	kind, value, example string // the value is the default
	text                 string
}

// entries returns the entries of a section of docs/api.md: headings of level 3 with a
// name between backticks, each followed by a list of three items.
func entries(t *testing.T, section string) map[string]entry {
	t.Helper()
	text := read(t, filepath.Join(repo(t), "docs/api.md"))
	_, text, ok := strings.Cut(text, "\n## "+section+"\n")
	if !ok {
		t.Fatalf("docs/api.md has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	found := map[string]entry{}
	for _, part := range strings.Split(text, "\n### `")[1:] {
		name, body, ok := strings.Cut(part, "`\n")
		if !ok {
			t.Errorf("a heading is not a name: %.40q", part)
			continue
		}
		if _, ok := found[name]; ok {
			t.Errorf("%s: two entries for %s", section, name)
		}
		var e entry
		items := []struct {
			label string
			to    *string
		}{{"type", &e.kind}, {"default", &e.value}, {"example", &e.example}}
		rest := strings.TrimPrefix(body, "\n")
		for _, item := range items {
			line, after, _ := strings.Cut(rest, "\n")
			if *item.to, ok = strings.CutPrefix(line, "- "+item.label+": "); !ok || *item.to == "" {
				t.Errorf("%s: instead of `- %s: …` there is %q", name, item.label, line)
				continue
			}
			rest = after
		}
		e.text = strings.TrimSpace(rest)
		found[name] = e
	}
	return found
}

// code returns the text between backticks.
func code(s string) (string, bool) {
	s, ok := strings.CutPrefix(s, "`")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, "`")
}

// checkEntries compares the entries of a section with arguments of the library.
func checkEntries(t *testing.T, found map[string]entry, arguments []string) {
	t.Helper()
	for _, name := range arguments {
		e, ok := found[name]
		if !ok {
			t.Errorf("docs/api.md says nothing about the argument %s", name)
			continue
		}
		if e.text == "" {
			t.Errorf("%s: does not say what it means", name)
		}
		example, ok := code(e.example)
		if !ok || !strings.HasPrefix(example, name+" ") && !strings.HasPrefix(example, name+".") {
			t.Errorf("%s: the example %s does not set it", name, e.example)
			continue
		}
		if err := parse(t, "{ pkgs }: { "+example+" }"); err != nil {
			t.Errorf("%s: the example is not a line of Nix: %v", name, err)
		}
	}
	for name := range found {
		if !slices.Contains(arguments, name) {
			t.Errorf("docs/api.md has an entry for %s, which is no argument", name)
		}
	}
}

func parse(t *testing.T, text string) error {
	t.Helper()
	testnix.Require(t)
	if out, err := exec.Command("nix-instantiate", "--parse", "--expr", text).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func TestBuilderArguments(t *testing.T) {
	checkEntries(t, entries(t, "buildWithIFD and buildWithDynDrv"), builderArguments(t))
}

// argumentRows returns the table of all arguments for docs/api.md, made from
// lib/arguments.nix.
func argumentRows(t *testing.T) string {
	t.Helper()
	const expression = `let
  shown = entry: { type = entry.type.words; inherit (entry) doc; required = entry.required or false; }
    // (if entry ? text then { inherit (entry) text; } else if entry ? default then { default = builtins.toJSON entry.default; } else { });
in builtins.mapAttrs (_: builtins.mapAttrs (_: shown)) { inherit (dgd.internal.argumentTable) builders buildGoModule; }`
	out, stderr, err := evaluate(t, expression)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	type argument struct {
		Type, Doc, Text, Default string
		Required                 bool
	}
	var table struct{ Builders, BuildGoModule map[string]argument }
	if err := json.Unmarshal([]byte(out), &table); err != nil {
		t.Fatal(err)
	}
	cell := func(list map[string]argument, name string) string {
		a, ok := list[name]
		switch {
		case !ok:
			return "–"
		case a.Required:
			return a.Type + "; required"
		case a.Text != "":
			return a.Type + "; " + a.Text
		case a.Default == "":
			return a.Type
		}
		// Converts JSON to Nix.
		value := strings.NewReplacer("[]", "[ ]", "{}", "{ }", "[", "[ ", "]", " ]", ",", " ").Replace(a.Default)
		return a.Type + "; `" + value + "`"
	}
	names := map[string]string{}
	for name, a := range table.Builders {
		names[name] = a.Doc
	}
	for name, a := range table.BuildGoModule {
		names[name] = a.Doc
	}
	rows := "| argument | buildWithIFD, buildWithDynDrv | buildGoModule | what it is |\n|---|---|---|---|\n"
	for _, name := range slices.Sorted(maps.Keys(names)) {
		rows += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, cell(table.Builders, name), cell(table.BuildGoModule, name), names[name])
	}
	return rows
}

// The table of all arguments in docs/api.md is that of lib/arguments.nix.
func TestArgumentTable(t *testing.T) {
	want := argumentRows(t)
	_, page, ok := strings.Cut(read(t, filepath.Join(repo(t), "docs/api.md")), "\n## All arguments\n")
	page, _, _ = strings.Cut(page, "\n## ")
	if !ok || !strings.Contains(page, "\n\n"+want) {
		t.Errorf("the section \"All arguments\" of docs/api.md has to have this table:\n%s", want)
	}
}

func TestFetchArguments(t *testing.T) {
	out, stderr, err := evaluate(t, `builtins.functionArgs dgd.fetchGoModule`)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	optional := map[string]bool{}
	if err := json.Unmarshal([]byte(out), &optional); err != nil {
		t.Fatal(err)
	}
	found := entries(t, "fetchGoModule")
	var names []string
	for name, hasDefault := range optional {
		names = append(names, name)
		if strings.HasPrefix(found[name].value, "none") == hasDefault {
			t.Errorf("%s: the default is said to be %s, which is not so", name, found[name].value)
		}
	}
	checkEntries(t, found, names)
}

// The defaults in docs/api.md are those of the library.
func TestDefaults(t *testing.T) {
	found := entries(t, "buildWithIFD and buildWithDynDrv")
	// src has no default, that of pkgs is the library's package set, and the library
	// completes env and subPackages, so that their defaults cannot be read.
	for _, name := range []string{"src", "pkgs", "env", "subPackages"} {
		delete(found, name)
	}
	var checks []string
	for name, e := range found {
		value, ok := code(e.value)
		if !ok {
			t.Errorf("%s: the default %s is not between backticks", name, e.value)
			continue
		}
		checks = append(checks, fmt.Sprintf("%s = (%s) == args.%s;", name, value, name))
	}
	out, stderr, err := evaluate(t, `let args = dgd.internal.arguments "docs" { src = "/nowhere"; }; in { `+strings.Join(checks, " ")+` }`)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	same := map[string]bool{}
	if err := json.Unmarshal([]byte(out), &same); err != nil {
		t.Fatal(err)
	}
	for name, ok := range same {
		if !ok {
			t.Errorf("%s: the default is not %s", name, found[name].value)
		}
	}
}

var (
	fence = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	head  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// anchors returns the anchors of the headings of a page.
func anchors(text string) []string {
	var list []string
	for _, m := range head.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		list = append(list, strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, m[1]))
	}
	return list
}

func TestAnchors(t *testing.T) {
	got := anchors("# ./with-nix\n```\n# not one\n```\n## Nix, and `Go` too\n")
	if want := []string{"with-nix", "nix-and-go-too"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The target of every relative link is a file of the project and, with an anchor, a
// heading in it.
func TestLinks(t *testing.T) {
	root := repo(t)
	pages := 0
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "vendor", "testdata"}, entry.Name()) {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(file) != ".md" {
			return nil
		}
		pages++
		page, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		text := read(t, file)
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			checkLink(t, root, page, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages < 3 {
		t.Errorf("found %d pages only", pages)
	}
}

func checkLink(t *testing.T, root, page, text string) {
	t.Helper()
	target, err := url.Parse(text)
	if err != nil {
		t.Errorf("%s: the link %s: %v", page, text, err)
		return
	}
	if target.Scheme != "" {
		return
	}
	to := page
	if target.Path != "" {
		to = filepath.Join(filepath.Dir(page), filepath.FromSlash(target.Path))
	}
	if !filepath.IsLocal(to) {
		t.Errorf("%s: the link %s leaves the project", page, text)
		return
	}
	to = filepath.Join(root, to)
	if _, err := os.Stat(to); err != nil {
		t.Errorf("%s: the link %s leads nowhere: %v", page, text, err)
		return
	}
	if target.Fragment != "" && !slices.Contains(anchors(read(t, to)), target.Fragment) {
		t.Errorf("%s: the link %s names no heading", page, text)
	}
}

// room matches a row of the table of rooms. The first cell is a directory or a file.
var room = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|[^|]*\\|$")

// The table of rooms has every directory of the project, and only those that exist.
// Below cmd, internal and lib each directory is a room of its own.
func TestRooms(t *testing.T) {
	root := repo(t)
	_, text, _ := strings.Cut(read(t, filepath.Join(root, "docs/design.md")), "\n## The rooms\n")
	text, _, _ = strings.Cut(text, "\n## ")
	rooms := map[string]bool{}
	for _, m := range room.FindAllStringSubmatch(text, -1) {
		name := strings.TrimSuffix(m[1], "/")
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("the table has a room that is not there: %v", err)
		}
		if rooms[name] || strings.TrimSpace(m[2]) == "" {
			t.Errorf("%s is in the table twice, or has nothing in it", name)
		}
		rooms[name] = true
	}
	apart := func(dir string) bool {
		top, _, _ := strings.Cut(dir, "/")
		return slices.Contains([]string{"cmd", "internal", "lib"}, top)
	}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == ".git" || name == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil || dir == "." {
			return err
		}
		if !apart(dir) {
			dir, _, _ = strings.Cut(dir, "/")
		}
		if !rooms[dir] {
			t.Errorf("%s is not in the table of rooms", dir)
			rooms[dir] = true // report it once
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
