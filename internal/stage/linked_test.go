package stage

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/workspace"
)

// linkNode is a link's node with this information about its modules.
func linkNode(name, info string) *graph.Node {
	text := "packagefile runtime=${R0}\nmodinfo " + strings.ReplaceAll(strconv.Quote("0123456789abcdef"+info+"fedcba9876543210"), "$", "$$") + "\n"
	return &graph.Node{Kind: graph.Link, Name: "example.com/m/" + name, Main: name, Steps: []action.Step{
		{Mkdir: "${out}/bin"},
		{Write: &action.Write{Path: "${OBJ}/importcfg.link", Text: text}},
	}}
}

func TestLinked(t *testing.T) {
	tree := func(dir string) ModuleTree {
		return ModuleTree{Dir: dir, SourceTree: SourceTree{SHA256: "hash of " + dir, Store: "store of " + dir}}
	}
	trees := []ModuleTree{tree("example.org/a"), tree("example.org/b"), tree("example.org/!fork@v2.0.0+incompatible"), tree("example.org/!d@v0.1.0")}
	describe := func(tree *ModuleTree) (string, []string, error) {
		return tree.SHA256, []string{"LICENSE of " + tree.Dir}, nil
	}
	for _, test := range []struct {
		name  string
		nodes []*graph.Node
		want  []string // path, version, replacement, hash, programs
		err   string
	}{
		{name: "none", nodes: []*graph.Node{linkNode("x", "path\texample.com/m\nmod\texample.com/m\t(devel)\t\n")}},
		{name: "a library", nodes: []*graph.Node{{Kind: graph.Package, Name: "example.com/m"}}},
		{
			name: "two programs",
			nodes: []*graph.Node{
				linkNode("x", "path\texample.com/m\ndep\texample.org/b\tv1.0.0\t\ndep\texample.org/a\tv1.0.0\n"),
				linkNode("cmd", "path\texample.com/m\ndep\texample.org/b\tv1.0.0\t\nbuild\t-ldflags=$HOME\n"),
			},
			want: []string{"example.org/a v1.0.0 hash of example.org/a [x]", "example.org/b v1.0.0 hash of example.org/b [cmd x]"},
		},
		{
			name: "replacements",
			nodes: []*graph.Node{linkNode("x", "path\texample.com/m\n"+
				"dep\texample.org/c\tv1.0.0\n=>\texample.org/Fork\tv2.0.0+incompatible\th1:x\n"+
				"dep\texample.org/D\tv0.1.0\th1:y\n"+
				"dep\texample.org/e\tv1.0.0\n=>\t./e\t(devel)\t\n"+
				"dep\texample.org/w\t(devel)\t\n")},
			want: []string{
				"example.org/D v0.1.0 hash of example.org/!d@v0.1.0 [x]",
				"example.org/c v1.0.0 => example.org/Fork v2.0.0+incompatible hash of example.org/!fork@v2.0.0+incompatible [x]",
				"example.org/e v1.0.0 => ./e no hash [x]",
				"example.org/w (devel) no hash [x]",
			},
		},
		{
			name:  "not fetched",
			nodes: []*graph.Node{linkNode("x", "path\texample.com/m\ndep\texample.org/z\tv1.0.0\t\n")},
			err:   "the module example.org/z@v1.0.0 is linked into a program, but it is not among those that were fetched",
		},
		{
			name:  "no information",
			nodes: []*graph.Node{{Kind: graph.Link, Name: "x", Steps: []action.Step{{Write: &action.Write{Path: "${OBJ}/importcfg.link"}}}}},
			err:   "x: the program has no module information",
		},
		{name: "damaged", nodes: []*graph.Node{linkNode("x", "dep\tx\n")}, err: "example.com/m/x: "},
	} {
		list, err := linked(&Plan{Graph: graph.Graph{Nodes: test.nodes}}, trees, describe)
		if (err != nil) != (test.err != "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.err)
		}
		var got []string
		for _, m := range list {
			text := m.Path + " " + m.Version
			if m.Replace != nil {
				text += " => " + m.Replace.Path
				if m.Replace.Version != nil {
					text += " " + *m.Replace.Version
				}
			}
			if m.Hash == nil {
				text += " no hash"
			} else {
				text += " " + *m.Hash
			}
			got = append(got, text+" ["+strings.Join(m.Programs, " ")+"]")
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestLicenseFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"LICENSE", "license.md", "Licence-MIT", "COPYING", "NOTICE.txt", "PATENTS", "UNLICENSE", "license.go", "README", "internal/LICENSE", "LICENSES/x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := licenseFiles(dir)
	if want := []string{"COPYING", "LICENSE", "Licence-MIT", "NOTICE.txt", "PATENTS", "UNLICENSE", "license.md"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if _, err := licenseFiles("/nowhere"); err == nil {
		t.Error("no error for a directory that is not there")
	}
}

// Linked hashes the modules of a lock, as an override may have patched them.
func TestLinkedFetched(t *testing.T) {
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "LICENSE"), []byte("Do.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(dir, "plan")
	if err := WriteJSON(plan, Plan{Graph: graph.Graph{Nodes: []*graph.Node{linkNode("x", "path\texample.com/m\ndep\texample.org/A\tv1.0.0\th1:x\n")}}}); err != nil {
		t.Fatal(err)
	}
	list, err := Linked(&LinkedConfig{Plan: plan, Locked: []workspace.LockedModule{{Path: "example.org/A", Version: "v1.0.0", Tree: tree}, {Path: "example.org/unused", Version: "v1.0.0", Tree: "/nowhere"}}})
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Licenses, []string{"LICENSE"}) || *list[0].Store != tree {
		t.Fatalf("%+v, %v", list, err)
	}
	// nix hash path --sri --type sha256
	if want := "sha256-TFoChvIhucRQ7I+lDEqhT8Ap3iEQ/T6MvcZQ2NU98mA="; *list[0].Hash != want {
		t.Errorf("the hash is %s, want %s", *list[0].Hash, want)
	}
	if _, err := Linked(&LinkedConfig{Plan: plan, Locked: []workspace.LockedModule{{Path: "example.org/A", Version: "v1.0.0", Tree: "/nowhere"}}}); err == nil || !strings.HasPrefix(err.Error(), "module example.org/A: ") {
		t.Errorf("the error is %v", err)
	}
}
