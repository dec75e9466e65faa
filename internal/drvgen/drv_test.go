package drvgen

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/nix/nar"
	"dgd/internal/nix/socket"
	"dgd/internal/testnix"
)

// program is a graph with everything that a derivation can have: a group, several
// programs, sources, C, a file, more than ten variables, unusual texts, and a spec that is
// a file of its own.
func program() (*graph.Graph, Options) {
	var nodes []*graph.Node
	std3 := group.Group{Name: "std"}
	for i := range 3 {
		std3.Nodes = append(std3.Nodes, i)
		nodes = append(nodes, std(fmt.Sprint("internal/p", i)))
	}
	nodes[0].Cgo = true
	for i := range 12 {
		nodes = append(nodes, pkg(fmt.Sprint("example.com/m/p", i), 0, 1, i))
	}
	main := pkg("example.com/m@v1/ü x", 14, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
	main.Cgo = true
	main.Refs = append(main.Refs, graph.Ref{Node: 4, Output: graph.Archive})
	main.Steps = append(main.Steps, step("a<b>&c", "\"\\\n\r\t\x01\x7fé\u2028", "$${x}", "''${y}", strings.Repeat("long ", 1000)))
	nodes[3].Steps = append(nodes[3].Steps, step(strings.Repeat("ü long ", maxCopies/12)))
	nodes = append(nodes, main, link("example.com/m", "m", 0, 1, 2, 15), link("example.com/n", "n", 15))
	return &graph.Graph{Nodes: nodes}, Options{
		Name:   "m-1.0",
		Goroot: "share/go",
		Groups: []group.Group{std3},
		StdEnv: map[int]bool{0: true, 1: true, 2: true},
	}
}

// evaluate lets Nix make the derivations with lib/stages/derive.nix, and returns the .drv
// files and those of specs by path.
func evaluate(t *testing.T, st *testnix.Store, dir string, inner string) map[string]string {
	t.Helper()
	lib, err := filepath.Abs("../../lib/stages")
	if err != nil {
		t.Fatal(err)
	}
	expr := fmt.Sprintf(`
		let
		  file = name: builtins.path { name = name; path = %q + "/in/${name}"; };
		in
		import (%[2]s + "/derive.nix") {
		  execute = import (%[2]s + "/execute.nix") {
		    system = "x86_64-linux";
		    tools.dgd-exec = file "dgd-exec";
		  };
		} {
		  bound = %[1]q;
		  modules = %[1]q + "/modules.json";
		  modulesDir = %[1]q + "/vendor";
		  locked = null;
		  inputs = { go = file "go"; cgoEnv = file "cgo-env"; stdEnv = file "std-env"; linkEnv = file "link-env"; };
		  inner = %[3]s;
		}`, dir, lib, inner)
	drv := st.Run(t, "nix-instantiate", "--attr", "last", "--expr", expr)
	texts := map[string]string{}
	for _, path := range strings.Fields(st.Run(t, "nix-store", "--query", "--requisites", drv)) {
		if !strings.HasSuffix(path, ".drv") && !strings.HasSuffix(path, "-spec") {
			continue
		}
		text, err := os.ReadFile(st.Path(path))
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// TestEncodeLikeNix compares the .drv files with those that Nix makes itself of
// the same data.
func TestEncodeLikeNix(t *testing.T) {
	testnix.Require(t)
	st := testnix.NewStore(t)
	dir := t.TempDir()
	const storeDir = "/nix/store"
	env := Environment{StoreDir: storeDir, System: "x86_64-linux", Inputs: map[Input]string{}}
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tree := func(root, name string) nar.Hashed {
		t.Helper()
		trees, err := nar.HashAll(t.Context(), []nar.Tree{{Name: name, Root: filepath.Join(dir, root)}})
		if err != nil {
			t.Fatal(err)
		}
		return trees[0]
	}
	path := func(name string) string {
		write("in/"+name+"/file", name)
		return tree("in/"+name, name).StorePath(storeDir)
	}
	env.Executor = path("dgd-exec")
	env.Inputs[Go] = path("go")
	env.Inputs[CgoEnv] = path("cgo-env")
	env.Inputs[StdEnv] = path("std-env")
	env.Inputs[LinkEnv] = path("link-env")

	g, opt := program()
	write("sources/0/x.go", "package x\n")
	write("vendor/example.org/y/y.go", "package y\n")
	x, y := tree("sources/0", "x"), tree("vendor/example.org/y", "y-v1")
	opt.Sources = map[int][]Placed{
		14: {{At: "vendor/example.org/y", Path: y.StorePath(storeDir)}},
		15: {{At: ".", Path: x.StorePath(storeDir), Copy: true}, {At: "v", Path: y.StorePath(storeDir)}},
	}
	drvs, err := Generate(g, opt)
	if err != nil {
		t.Fatal(err)
	}
	listed := func(root string, h nar.Hashed) map[string]any {
		return map[string]any{"store": h.StorePath(storeDir), "name": h.Name, "sha256": h.Hash.SRI(), "root": root}
	}
	for name, v := range map[string]any{
		"derivations.json": map[string]any{"derivations": drvs, "sources": []any{listed("sources/0", x)}},
		"modules.json":     []any{listed("example.org/y", y)},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(text))
	}

	for _, contentAddressed := range []bool{false, true} {
		t.Run(fmt.Sprint("contentAddressed=", contentAddressed), func(t *testing.T) {
			env.Inner = Inner{ContentAddressed: contentAddressed}
			if contentAddressed {
				env.Inner.DisallowedReferences = []string{env.Inputs[Go], env.Inputs[CgoEnv]}
			}
			encoded, err := Encode(drvs, env)
			if err != nil {
				t.Fatal(err)
			}
			want := evaluate(t, st, dir, fmt.Sprintf("{ contentAddressed = %v; disallowedReferences = if %[1]v then [ (file \"go\") (file \"cgo-env\") ] else [ ]; }", contentAddressed))
			if len(encoded) != len(drvs)+1 || len(want) != len(drvs)+1 {
				t.Fatalf("%d derivations and one spec were written as %d files, and by Nix as %d", len(drvs), len(encoded), len(want))
			}
			for i, e := range encoded {
				path := e.Path(storeDir)
				text, ok := want[path]
				if !ok {
					t.Errorf("Nix has no %s", path)
					for p, text := range want {
						if strings.HasSuffix(p, "-"+e.Name) && i < 2 {
							t.Errorf("but\n%s\nwhere it is here\n%s", text, e.Text)
						}
					}
				} else if text != string(e.Text) {
					t.Errorf("%s is\n%s\nwant\n%s", path, e.Text, text)
				}
			}
			if contentAddressed {
				return
			}
			// Nix works out the paths of the outputs when it adds a derivation.
			last := encoded[len(encoded)-1]
			out := st.Run(t, "nix-store", "--query", "--outputs", last.Path(storeDir))
			if !strings.Contains(string(last.Text), `("out","`+out+`","","")`) {
				t.Errorf("the last derivation does not make %s:\n%s", out, last.Text)
			}
		})
	}
}

// The .drv file of one small derivation of each kind.
func TestEncode(t *testing.T) {
	const (
		exec = "/nix/store/00000000000000000000000000000000-dgd-exec"
		goSP = "/nix/store/11111111111111111111111111111111-go"
		src  = "/nix/store/22222222222222222222222222222222-src"
	)
	zero := 0
	drvs := []Derivation{
		{Name: "p", Outputs: []string{"out", "x"}, Spec: `{"p"}`, Vars: map[string]Value{
			"GOROOT": {Input: Go, Suffix: "/share/go"}, "V0": {Path: src, Suffix: "/p"},
		}},
		{Name: "prog", Outputs: []string{"out"}, Spec: "{}", Vars: map[string]Value{
			"V0": {Drv: &zero, Output: "x"}, "V1": {Drv: &zero, Output: "out", Suffix: "/a"}, "V2": {Drv: &zero, Output: "x"},
		}},
	}
	encoded, err := Encode(drvs, Environment{
		StoreDir: "/nix/store", System: "x86_64-linux", Executor: exec,
		Inputs: map[Input]string{Go: goSP}, Inner: Inner{ContentAddressed: true, DisallowedReferences: []string{goSP}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Placeholders are /BASE32(SHA256("nix-output:NAME")).
	const (
		out = "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"
		x   = "/0c5ycqfqhx9c633wxs300w17gkjbp67znclylw7iggxgz4qbw1y4"
	)
	first := string(encoded[0].Text)
	for _, part := range []string{
		`Derive([("out","","r:sha256",""),("x","","r:sha256","")],[],["` + exec + `","` + goSP + `","` + src + `"],"x86_64-linux","` + exec + `/bin/dgd-exec",[],[("builder",`,
		`("disallowedReferences","` + goSP + `")`,
		`("name","p"),("out","` + out + `"),("outputHashAlgo","sha256"),("outputHashMode","recursive"),("outputs","out x"),("passAsFile","spec vars"),("spec","{\"p\"}"),("system","x86_64-linux")`,
		`("vars","{\"GOROOT\":\"` + goSP + `/share/go\",\"V0\":\"` + src + `/p\"}"),("x","` + x + `")])`,
	} {
		if !strings.Contains(first, part) {
			t.Errorf("the first derivation has no\n%s\nin\n%s", part, first)
		}
	}
	if want := []string{exec, goSP, src}; !slices.Equal(encoded[0].Refs, want) || encoded[0].Name != "p.drv" {
		t.Errorf("%s refers to %q, want %q", encoded[0].Name, encoded[0].Refs, want)
	}
	path := encoded[0].Path("/nix/store")
	hash := strings.TrimPrefix(path, "/nix/store/")[:32]
	placeholder := func(clear string) string {
		sum := sha256.Sum256([]byte(clear))
		return "/" + nixbase32.EncodeToString(sum[:])
	}
	second := string(encoded[1].Text)
	for _, part := range []string{
		`Derive([("out","","r:sha256","")],[("` + path + `",["out","x"])],["` + exec + `","` + goSP + `"],`,
		fmt.Sprintf(`("vars","{\"V0\":\"%s\",\"V1\":\"%s/a\",\"V2\":\"%[1]s\"}")`,
			placeholder("nix-upstream-output:"+hash+":p-x"), placeholder("nix-upstream-output:"+hash+":p")),
	} {
		if !strings.Contains(second, part) {
			t.Errorf("the second derivation has no\n%s\nin\n%s", part, second)
		}
	}
	if want := []string{exec, goSP, path}; !slices.Equal(encoded[1].Refs, want) {
		t.Errorf("it refers to %q, want %q", encoded[1].Refs, want)
	}
}

// A spec that is long in the copies that Nix keeps is a file before the derivation.
func TestEncodeLongSpec(t *testing.T) {
	env := Environment{StoreDir: "/nix/store", System: "x86_64-linux", Executor: "/nix/store/x", Inner: Inner{ContentAddressed: true}}
	for _, test := range []struct {
		spec    int
		outputs []string
		isFile  bool
	}{
		{maxCopies, []string{"out"}, false},
		{maxCopies + 1, []string{"out"}, true},
		{maxCopies / 2, []string{"out", "x"}, false},
		{maxCopies/2 + 1, []string{"out", "x"}, true},
	} {
		d := Derivation{Name: "p", Outputs: test.outputs, Spec: strings.Repeat("s", test.spec)}
		encoded, err := Encode([]Derivation{d}, env)
		if err != nil {
			t.Fatal(err)
		}
		last := encoded[len(encoded)-1]
		if last.Name != "p.drv" || (len(encoded) == 2) != test.isFile || strings.Contains(string(last.Text), d.Spec) == test.isFile {
			t.Errorf("%d bytes for %q: %d files, the last is %s", test.spec, test.outputs, len(encoded), last.Name)
			continue
		}
		if !test.isFile {
			continue
		}
		path := encoded[0].Path("/nix/store")
		if string(encoded[0].Text) != d.Spec || !strings.HasSuffix(path, "-p-spec") || !slices.Contains(last.Refs, path) ||
			!strings.Contains(string(last.Text), `("passAsFile","vars"),("specPath","`+path+`")`) {
			t.Errorf("the spec is %s, and the derivation refers to %q", path, last.Refs)
		}
	}
}

func TestEncodeError(t *testing.T) {
	env := Environment{StoreDir: "/nix/store", System: "x86_64-linux", Executor: "/nix/store/x", Inputs: map[Input]string{Go: "/nix/store/go"}, Inner: Inner{DisallowedReferences: []string{"/nix/store/go"}}}
	drvs := []Derivation{{Name: "p", Outputs: []string{"out"}, Vars: map[string]Value{"CGOENV": {Input: CgoEnv}}}}
	_, err := Encode(drvs, env)
	if want := "derivation p: needs cgoEnv, which the build does not have"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// A derivation does not depend on the order in which a map is read.
func TestEncodeIsStable(t *testing.T) {
	g, opt := program()
	env := Environment{
		StoreDir: "/nix/store", System: "x86_64-linux",
		Executor: "/nix/store/00000000000000000000000000000000-dgd-exec",
		Inputs: map[Input]string{
			Go:     "/nix/store/11111111111111111111111111111111-go",
			CgoEnv: "/nix/store/22222222222222222222222222222222-cgo-env",
			StdEnv: "/nix/store/33333333333333333333333333333333-std-env",
		},
	}
	for _, env.Inner.ContentAddressed = range []bool{false, true} {
		var first []socket.TextFile
		for range 5 {
			drvs, err := Generate(g, opt)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := Encode(drvs, env)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = encoded
			}
			for i := range encoded {
				if string(encoded[i].Text) != string(first[i].Text) || encoded[i].Path("/nix/store") != first[i].Path("/nix/store") {
					t.Fatalf("%s is\n%s\nand then\n%s", encoded[i].Name, first[i].Text, encoded[i].Text)
				}
			}
		}
	}
}
