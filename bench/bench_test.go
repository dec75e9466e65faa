package main

import (
	"context"
	"errors"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"

	"dgd/bench/internal/nix"
	"dgd/bench/internal/project"
	"dgd/bench/internal/record"
)

var testPlaces = places{leafFile: "a.go", deepFile: "b.go", deepAnchor: "// T is a type.", structOpen: "type T struct {"}

const testFile = "package b\n\n// T is a type.\ntype T struct {\n\tA int\n}\n"

func TestDeepText(t *testing.T) {
	base := text(t, nil)
	for _, test := range []struct {
		kind  string
		lines int // by how many the type moves
	}{{deepBody, 0}, {deepLines, 1}, {exported, 0}, {comment, 0}} {
		t.Run(test.kind, func(t *testing.T) {
			edits := map[string]int{}
			seen := map[string]bool{base: true}
			for range 3 {
				edits[test.kind]++
				got := text(t, edits)
				if seen[got] {
					t.Error("an edit is not new")
				}
				seen[got] = true
				if moved := line(got) - line(base); moved != test.lines*edits[test.kind] {
					t.Errorf("the type moves by %d lines", moved)
				}
			}
		})
	}
	if _, err := deepText("package b\n", testPlaces, nil); err == nil {
		t.Error("a file without the anchor is no error")
	}
}

// text is the edited file, which has to be Go.
func text(t *testing.T, edits map[string]int) string {
	t.Helper()
	got, err := deepText(testFile, testPlaces, edits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := format.Source([]byte(got)); err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	return got
}

func line(text string) int {
	before, _, _ := strings.Cut(text, "type T struct")
	return strings.Count(before, "\n")
}

// The places of the generated projects are there.
func TestGeneratedPlaces(t *testing.T) {
	b := newBench(t.Context(), options{}, t.TempDir())
	p := b.program("gen-20")
	files, err := project.Generate(20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deepText(files[project.BaseFile], p.edits, nil); err != nil {
		t.Error(err)
	}
	w := b.newWorkspace(p)
	for _, kind := range []string{leaf, leafRev, deepBody, deepLines, exported, comment} {
		w.edit(kind)
	}
	if w.edits[leaf] != 2 || w.revision != 1 || p.revision != 0 {
		t.Errorf("edits %v, revision %d, and %d of the program itself", w.edits, w.revision, p.revision)
	}
	if got := b.expression(w.program, "/src", ""); !strings.Contains(got, `"ldflags":["-X main.benchRevision=r1"]`) || strings.Contains(b.expression(p, "/src", ""), "ldflags") {
		t.Errorf("the expression is %s", got)
	}
	if got := goFlags(w.program)[2]; got != "-ldflags=-buildid= -X main.benchRevision=r1" || goFlags(p)[2] != "-ldflags=-buildid=" {
		t.Errorf("go build gets %s", got)
	}
}

// Each stage reads what the one before it writes.
func TestStages(t *testing.T) {
	b := newBench(t.Context(), options{}, t.TempDir())
	p := b.stages(b.newWorkspace(b.program("gen-20")))
	for name, same := range map[string]bool{
		"skeleton": p.plan.config["skeleton"] == p.skeleton.out, "plan": p.bind.config["plan"] == p.plan.out,
		"std": p.bind.config["stdPlan"] == p.std.out, "modules": p.bind.config["modules"] == p.modules.out,
	} {
		if !same {
			t.Errorf("what %s writes is not what is read", name)
		}
	}
}

// A scenario ends at its first error, and only there.
func TestTry(t *testing.T) {
	reached := false
	err := try(func() {
		must(os.Open(t.TempDir()))
		check(nil)
		must(os.Open("/no/where"))
		reached = true
	})
	if !errors.Is(err, fs.ErrNotExist) || reached {
		t.Errorf("the error is %v, what follows was reached: %v", err, reached)
	}
	if err := try(func() {}); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a mistake of the bench is taken for an error of the scenario")
		}
	}()
	try(func() { panic("a mistake") })
}

func TestKinds(t *testing.T) {
	var built []nix.Derivation
	for _, name := range []string{"plan", "skeleton", "modules", "program.drv", "0-check-plan", "std", "example.com-a", "example.com-b", "archives", "program", "go-program"} {
		built = append(built, nix.Derivation{Name: name})
	}
	want := map[string]int{"planning": 5, "plan": 1, "std": 1, "compile": 2, "link": 1, "install": 1, "collect": 1}
	if got := kinds(built); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCheckEdit(t *testing.T) {
	for _, test := range []struct {
		kind     string
		counts   map[string]int
		problems int
	}{
		{deepBody, map[string]int{"compile": 1, "link": 1}, 0},
		{deepBody, map[string]int{"compile": 2, "link": 1, "plan": 1, "std": 1}, 3},
		{comment, map[string]int{"compile": 1, "link": 1}, 1},
		{exported, map[string]int{"compile": 40, "link": 1, "plan": 1}, 0},
	} {
		s := &samples{Record: record.Record{Counts: test.counts}}
		checkEdit(test.kind, s, false)
		checkEdit(test.kind, s, false)
		if len(s.Problems) != test.problems {
			t.Errorf("%s %v: %q", test.kind, test.counts, s.Problems)
		}
		other := &samples{Record: record.Record{Counts: map[string]int{"compile": 40, "link": 1}}}
		if checkEdit(test.kind, other, true); len(other.Problems) > 0 {
			t.Errorf("%s, input-addressed: %q", test.kind, other.Problems)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range []string{"-scenario=none", "-mode=other", "-runs=0", "stray", "-doc=missing.json", "-no-such-flag"} {
		if err := command(context.Background(), []string{args}); err == nil {
			t.Errorf("%s is no error", args)
		}
	}
	chosen, err := choose([]string{"leaf", "cold"})
	if err != nil || len(chosen) != 2 || chosen[0].name != leaf {
		t.Errorf("chosen: %v, %v", chosen, err)
	}
}
