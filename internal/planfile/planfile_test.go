package planfile

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func text(lines ...string) string {
	f := &File{Settings: lines}
	return string(Format(map[string]*File{"linux/amd64": f}))
}

func TestLines(t *testing.T) {
	good := text("set packages null", "set digest 12345678", "package m: t a.go - d=11111111 s=.")
	lines, err := Lines("x.plan", []byte(good))
	if want := []string{"package m: t a.go - d=11111111 s=.", "set digest 12345678", "set packages null"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("the lines are %q (%v), want %q", lines, err, want)
	}
	rows := strings.SplitAfter(good, "\n")
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "x.plan is damaged: it does not end in a whole line"},
		{"cut off", strings.TrimSuffix(good, "\n"), "x.plan is damaged: it does not end in a whole line"},
		{"cut off between", good[:len(good)-9] + "\n", "x.plan:4: the line is damaged"},
		{"edited", strings.Replace(good, "a.go", "b.go", 1), "x.plan:2: the line is damaged"},
		{"conflict", rows[0] + rows[1] + "<<<<<<< HEAD\n" + rows[2], "x.plan:3: the line is damaged"},
		{"carriage returns", strings.ReplaceAll(good, "\n", "\r\n"), "x.plan:1: the line ends in a carriage return"},
		{"other file", "a #" + sum("a") + "\n", "x.plan:1: this is not a plan of dgd"},
		{"newer", "dgd.plan 2 x #" + sum("dgd.plan 2 x") + "\n", "x.plan has format version 2, and this dgd knows 1"},
	} {
		if _, err := Lines("x.plan", []byte(test.text)); err == nil || !strings.HasPrefix(err.Error(), test.want) || !strings.Contains(err.Error(), "run `dgd plan`") {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
	}
}

// read reads the facts of a plan with the lines.
func read(lines ...string) (*Facts, error) {
	whole, err := Lines("x", []byte(text(lines...)))
	if err != nil {
		return nil, err
	}
	return Read("x", whole, "linux/amd64")
}

func TestCompare(t *testing.T) {
	f, err := read("set packages null", "set digest 12345678",
		"package m: t a.go - N=c d=11111111 n=44444444 s=.", "package m:x%20y t a.go - d=22222222 s=x%20y", "package v:w t a.go - d=33333333 v=vendor/v/w", "package z: t a.go -")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{".", "vendor/v/w", "x y"}; !slices.Equal(f.Directories(), want) || !f.Matches {
		t.Errorf("the directories are %q, want %q", f.Directories(), want)
	}
	same := map[string]string{".": "11111111", "x y": "22222222", "vendor/v/w": "33333333"}
	if stale := f.Compare(same, "12345678", []string{"44444444"}); len(stale) != 0 {
		t.Errorf("%q is stale", stale)
	}
	same["x y"] = "0"
	stale := f.Compare(same, "", []string{"0"})
	if len(stale) != 3 || !strings.HasPrefix(stale[2], ".: its files that are not Go, or what these include") || !strings.HasPrefix(stale[0], "go.mod, go.sum") || !strings.HasPrefix(stale[1], "x y: its files") {
		t.Errorf("stale are %q", stale)
	}
	if _, err := read("set packages {", "set digest 1"); err == nil || !strings.Contains(err.Error(), "x: the setting packages is not JSON") {
		t.Errorf("the error is %v", err)
	}
}

// Two lines that contradict each other make the plan stale, or are an error.
func TestTwoLines(t *testing.T) {
	f, err := read("set packages null", "set digest 11111111", "set digest 22222222",
		"package m: t a.go - d=11111111 s=.", "package m: t a.go - d=22222222 s=.", "package m:x t a.go - d=33333333 s=x")
	if err != nil {
		t.Fatal(err)
	}
	for _, digest := range []string{"11111111", "22222222"} {
		if stale := f.Compare(map[string]string{".": digest, "x": "33333333"}, digest, nil); len(stale) != 2 {
			t.Errorf("of sources with one of the digests %q is stale", stale)
		}
	}
	if _, err := read("set packages null", `set flags ["-a"]`, `set flags ["-b"]`); err == nil || !strings.Contains(err.Error(), "x: the setting flags is there twice: run `dgd plan`") {
		t.Errorf("the error is %v", err)
	}
}

// The settings of a plan with conflict markers can be read.
func TestSettle(t *testing.T) {
	rows := strings.SplitAfter(text("set packages null", "set digest 11111111", "package m: t a.go -"), "\n")
	other := strings.Split(text("package m: t b.go -"), "\n")[1] + "\n"
	merged := rows[0] + "<<<<<<< HEAD\n" + rows[1] + "||||||| base\n=======\n" + other + ">>>>>>> more\n" + rows[2] + rows[3]
	lines, err := Lines("x", Settle([]byte(strings.ReplaceAll(merged, "\n", "\r\n"))))
	if want := []string{"package m: t a.go -", "package m: t b.go -", "set digest 11111111", "set packages null"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("the lines are %q (%v), want %q", lines, err, want)
	}
	if damaged := []byte(strings.Replace(merged, "a.go", "c.go", 1)); len(Settle(damaged)) == 0 {
		t.Error("nothing is left")
	} else if _, err := Lines("x", Settle(damaged)); err == nil {
		t.Error("a damaged line is none")
	}
}

func TestDifferences(t *testing.T) {
	got := Differences([]string{"package a: x", "package b: x", "link l x"}, []string{"package a: x", "package b: y", "package c: x", "untested a:"})
	want := []Difference{{"link", "l", "superfluous"}, {"package", "b:", "stale"}, {"package", "c:", "missing"}, {"untested", "a:", "missing"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the differences are %v, want %v", got, want)
	}
}

// A short name identifies a module, and does not change when other modules are added.
func TestAliases(t *testing.T) {
	got := aliases([]string{"go.uber.org/zap", "example.com/a/zap", "gopkg.in/yaml.v3", "example.com/x/v2", "m"})
	want := map[string]string{
		"go.uber.org/zap": "go.uber.org/zap", "example.com/a/zap": "a/zap", "gopkg.in/yaml.v3": "yaml.v3", "example.com/x/v2": "x/v2", "m": "m",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the short names are %v, want %v", got, want)
	}
}

// A line that plans for several targets share is there once.
func TestTargets(t *testing.T) {
	plans := map[string]*File{
		"linux/amd64": {Settings: []string{`set target "linux/amd64"`, "set packages null"}, Nodes: []string{"package m: t a.go -", "package m:x t a.go -"}},
		"linux/arm64": {Settings: []string{`set target "linux/arm64"`, "set packages null"}, Nodes: []string{"package m: t a.go -", "package m:x t b.go -"}},
	}
	lines, err := Lines("x", Format(plans))
	want := []string{
		"set packages null", `@linux/amd64 set target "linux/amd64"`, `@linux/arm64 set target "linux/arm64"`,
		"package m: t a.go -", "@linux/amd64 package m:x t a.go -", "@linux/arm64 package m:x t b.go -",
	}
	if err != nil || !slices.Equal(lines, want) {
		t.Errorf("the lines are\n%s\n(%v), want\n%s", strings.Join(lines, "\n"), err, strings.Join(want, "\n"))
	}
	if got := Variants(lines); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("it is for %q", got)
	}
	for target, plan := range plans {
		alone, err := Lines("x", Format(map[string]*File{target: plan}))
		if got := For(lines, target); err != nil || !slices.Equal(got, alone) {
			t.Errorf("for %s there is\n%s\n(%v), want\n%s", target, strings.Join(got, "\n"), err, strings.Join(alone, "\n"))
		}
	}
	stale := Differences(lines, slices.Replace(slices.Clone(lines), 4, 5, "@linux/amd64 package m:x t c.go -"))
	if want := []Difference{{"package", "m:x", "stale"}}; !slices.Equal(stale, want) {
		t.Errorf("stale are %v, want %v", stale, want)
	}
}
