package goflags

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write the tables to docs/api.md")

func load(t *testing.T) *Table {
	t.Helper()
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Each flag and variable that the help of the toolchain at hand lists is in the
// table.
func TestHelp(t *testing.T) {
	table := load(t)
	flags := regexp.MustCompile(`(?m)^\t-([A-Za-z0-9]+)\b`)
	variables := regexp.MustCompile(`(?m)^\t([A-Z][A-Z0-9_]+(?:, [A-Z][A-Z0-9_]+)*)$`)
	for topic, test := range map[string]struct {
		names  *regexp.Regexp
		tables []map[string]Entry
		least  int // the number that the help of every Go has, at least
	}{
		"build":       {flags, []map[string]Entry{table.Build}, 30},
		"testflag":    {flags, []map[string]Entry{table.Test, table.Build}, 30},
		"test":        {flags, []map[string]Entry{table.Test, table.Build}, 4},
		"environment": {variables, []map[string]Entry{table.Environment}, 60},
	} {
		help, err := exec.Command("go", "help", topic).Output()
		if err != nil {
			t.Fatalf("go help %s: %v", topic, err)
		}
		found := map[string]bool{}
		for _, m := range test.names.FindAllStringSubmatch(string(help), -1) {
			for name := range strings.SplitSeq(m[1], ", ") {
				found[name] = true
			}
		}
		if len(found) < test.least {
			t.Errorf("go help %s lists %d names, which cannot be all: %q", topic, len(found), slices.Sorted(maps.Keys(found)))
		}
		for _, name := range slices.Sorted(maps.Keys(found)) {
			if !slices.ContainsFunc(test.tables, func(entries map[string]Entry) bool { _, ok := entries[name]; return ok }) {
				t.Errorf("go help %s has %s, which is not in flags.json: say there what dgd does with it", topic, name)
			}
		}
	}
}

// Each entry has a known class, and each error has a note that says what to do.
func TestTable(t *testing.T) {
	table := load(t)
	for _, entries := range []map[string]Entry{table.Build, table.Test, table.Environment} {
		for name, e := range entries {
			for _, e := range append(slices.Collect(maps.Values(e.Values)), e) {
				if !slices.Contains([]Class{Carried, Dropped, Refused, Whole}, e.Class) {
					t.Errorf("%s is of the class %q", name, e.Class)
				}
				if e.Class == Refused && e.Note == "" {
					t.Errorf("%s is an error, and nothing says what to use", name)
				}
			}
		}
	}
}

// docs/api.md shows the table.
func TestDocs(t *testing.T) {
	const file, begin, end = "../../docs/api.md", "## Go's flags and variables\n", "\n## fetchGoModule\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	section, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no section between %q and %q", file, begin, end)
	}
	table := load(t)
	intro, _, _ := strings.Cut(section, "| flag of go build")
	want := intro + rows("flag of go build", "-", table.Build) + "\n" + rows("flag of go test", "-", table.Test) + "\n" + rows("variable", "", table.Environment)
	if section == want {
		return
	}
	if !*write {
		t.Fatalf("%s does not show flags.json: run go test ./internal/goflags -write", file)
	}
	if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o666); err != nil {
		t.Fatal(err)
	}
}

// rows is a table of Markdown.
func rows(title, prefix string, entries map[string]Entry) string {
	text := fmt.Sprintf("| %s | what dgd does | |\n|---|---|---|\n", title)
	for _, name := range slices.SortedFunc(maps.Keys(entries), func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
		e := entries[name]
		text += fmt.Sprintf("| `%s%s` | %s | %s |\n", prefix, name, e.Class, e.Note)
		for _, value := range slices.Sorted(maps.Keys(e.Values)) {
			text += fmt.Sprintf("| `%s%s=%s` | %s | %s |\n", prefix, name, value, e.Values[value].Class, e.Values[value].Note)
		}
	}
	return text
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     nil,
		" -a\t-b\n":            {"-a", "-b"},
		`'-a=b c' "-d='e'" x'`: {"-a=b c", "-d='e'", "x'"},
		`''`:                   {""},
		`'"x' "'y"`:            {`"x`, "'y"},
	} {
		got, err := Split(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q (%v), want %q", text, got, err, want)
		}
		if again, err := Split(Join(got)); err != nil || !slices.Equal(again, got) {
			t.Errorf("%q: joined it is %q, and then %q (%v)", text, Join(got), again, err)
		}
	}
	if _, err := Split("-a '-b"); err == nil {
		t.Error("a quote without an end is no error")
	}
}

func TestFiles(t *testing.T) {
	got := Files([]string{"-race", "--overlay=a/o.json", "-modfile=x.mod", "-pgo=auto", "-pgo=p", "-tags=x"})
	if want := map[string]string{"overlay": "a/o.json", "modfile": "x.mod", "pgo": "p"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
