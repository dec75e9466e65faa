package drvgen

import (
	"fmt"
	"slices"
	"strings"

	"dgd/internal/action"
	"dgd/internal/graph"
	"dgd/internal/nix/nar"
)

// TestOptions are the parameters of the runs of tests.
type TestOptions struct {
	// Modules is the form of the input Modules, which has the modules that are not in
	// src, or NoModules. The go command of a test finds them there.
	Modules ModulesForm
	// Vendor is the vendor directory, relative to src.
	Vendor string
	// Alone means that each package also gets a derivation of its own that fails if its
	// tests do.
	Alone bool
}

// A ModulesForm is a form in which the go command reads modules.
type ModulesForm string

const (
	NoModules       ModulesForm = ""
	VendorDirectory ModulesForm = "vendor"
	ModuleProxy     ModulesForm = "proxy" // GOPROXY=file://…
	ModuleCache     ModulesForm = "cache" // GOMODCACHE
)

// GenerateTests makes the derivations of a graph's tests and of the nodes that they
// depend on. The tests of each package run with the files of the package; this
// derivation writes the result and does not fail. From all results, another derivation
// finds out which tests need all of src. The last one runs these with all of src, and
// fails if they do. It also depends on the packages of Untested nodes.
//
// Tests is, by import path, the index of the derivation that fails if the tests of the
// package do. It is empty without TestOptions.Alone.
func GenerateTests(g *graph.Graph, opt Options) (drvs []Derivation, tests map[string]int, err error) {
	gen := newGenerator(g, opt)
	var list, untested []int
	seen := map[string]bool{}
	for n, node := range g.Nodes {
		if node.Kind == graph.Untested {
			if err := gen.node(node.Refs[0].Node); err != nil {
				return nil, nil, err
			}
			untested = append(untested, n)
		}
		if node.Kind != graph.Test {
			continue
		}
		if seen[node.Name] {
			return nil, nil, fmt.Errorf("two tests of %s", node.Name)
		}
		seen[node.Name] = true
		if err := gen.node(n); err != nil {
			return nil, nil, err
		}
		list = append(list, n)
	}
	byName := func(a, b int) int { return strings.Compare(g.Nodes[a].Name, g.Nodes[b].Name) }
	slices.SortFunc(list, byName)
	slices.SortFunc(untested, byName)
	tests = map[string]int{}
	if opt.Tests.Alone {
		for _, n := range list {
			name := g.Nodes[n].Name
			if err := gen.tested(nar.Name("tests-"+name), []int{n}, nil); err != nil {
				return nil, nil, err
			}
			tests[name] = len(gen.drvs) - 1
		}
	}
	if err := gen.tested(opt.Name, list, untested); err != nil {
		return nil, nil, err
	}
	return gen.drvs, tests, nil
}

// tested adds the derivation that fails if one of the tests does, and before it the one
// that finds out which of them need all of src. It depends on the export data of the
// packages of untested nodes, which an edit inside a function does not change.
func (gen *generator) tested(name string, tests, untested []int) error {
	passed := action.Step{Write: &action.Write{Path: "${out}"}}
	for _, n := range tests {
		passed.Write.Text += graph.Passed(action.Escape(gen.g.Nodes[n].Name))
	}
	d := gen.begin(name)
	u := action.Unit{Name: "tests", Vars: action.Vars{}}
	if len(tests) > 0 {
		if err := gen.needs("needs-of-"+name, tests); err != nil {
			return err
		}
		d = gen.begin(name)
		needs := len(gen.drvs) - 1
		d.Vars["GOROOT"], d.Vars["CHECKENV"] = gen.goroot(), Value{Input: CheckEnv}
		u.Env = "${CHECKENV}"
		cfg := RetestConfig{
			Needs:   "${" + gen.variable(&d, Value{Drv: &needs, Output: "out"}) + "}",
			Src:     "${SRC}",
			Modules: graph.TestModules,
			Tests:   map[string]RetestRun{},
		}
		var env []string
		for _, n := range tests {
			t := gen.testOf(n)
			if t == nil {
				return fmt.Errorf("%s: has no run of a test", gen.g.Nodes[n].Name)
			}
			cfg.Tests[action.Escape(gen.g.Nodes[n].Name)] = RetestRun{Dir: t.Dir, Path: t.Path, Args: t.Args[1:]}
			env = t.Env // it is the same for all tests
		}
		steps, err := gen.stage(&d, "retest", cfg, env)
		if err != nil {
			return err
		}
		u.Steps = steps
	}
	gen.collected = nil
	for _, n := range untested {
		if _, err := gen.reference(&d, gen.g.Nodes[n].Refs[0]); err != nil {
			return err
		}
	}
	u.Steps = append(u.Steps, passed)
	return gen.add(d, u)
}

// needs adds the derivation that finds out which tests need all of src.
func (gen *generator) needs(name string, tests []int) error {
	gen.collected = nil
	d := gen.begin(name)
	d.Vars["SOURCE"] = Value{Input: Src}
	cfg := NeedsConfig{Src: "${SOURCE}", Vendor: action.Escape(gen.opt.Tests.Vendor), Form: gen.opt.Tests.Modules}
	if cfg.Form != NoModules {
		d.Vars["MODULES"] = Value{Input: Modules}
		cfg.Modules = "${MODULES}"
	}
	for _, n := range tests {
		node := gen.g.Nodes[n]
		program, err := gen.reference(&d, node.Refs[0])
		if err != nil {
			return fmt.Errorf("%s: %w", node.Name, err)
		}
		result := gen.variable(&d, Value{Drv: &gen.at[n].drv, Output: "out"})
		cfg.Tests = append(cfg.Tests, NeedsTest{Name: action.Escape(node.Name), Result: "${" + result + "}", Program: program})
	}
	u := action.Unit{Name: name, Vars: action.Vars{}}
	var err error
	if u.Steps, err = gen.stage(&d, "needs", cfg, nil); err != nil {
		return err
	}
	return gen.add(d, u)
}

// stage returns the steps that run a stage of the planner with the configuration cfg,
// whose strings have tokens. The stage writes to ${out}.
func (gen *generator) stage(d *Derivation, name string, cfg any, env []string) ([]action.Step, error) {
	text, err := Canonical(cfg)
	if err != nil {
		return nil, err
	}
	d.Vars["PLANNER"] = Value{Input: Planner}
	const file = "${OBJ}/config.json"
	return []action.Step{
		{Write: &action.Write{Path: file, Text: string(text)}},
		{Run: &action.Run{
			Env:  append([]string{"configPath=" + file, "out=${out}"}, env...),
			Args: []string{"${PLANNER}/bin/dgd-plan", name},
		}},
	}, nil
}

// testOf returns the run of a test node, or nil.
func (gen *generator) testOf(n int) *action.Test {
	for _, s := range gen.g.Nodes[n].Steps {
		if s.Test != nil {
			return s.Test
		}
	}
	return nil
}

// NeedsConfig is the configuration of the planner's stage `needs`. Paths are store
// paths.
type NeedsConfig struct {
	Src     string      `json:"src"`
	Vendor  string      `json:"vendor"` // the vendor directory, relative to Src
	Form    ModulesForm `json:"form"`
	Modules string      `json:"modules"`
	Tests   []NeedsTest `json:"tests"`
}

// A NeedsTest is a test that has run.
type NeedsTest struct {
	Name    string `json:"name"`
	Result  string `json:"result"`  // file with an action.TestResult
	Program string `json:"program"` // the test program
}

// RetestConfig is the configuration of the planner's stage `retest`.
type RetestConfig struct {
	Needs   string               `json:"needs"`   // file that the stage `needs` has written
	Src     string               `json:"src"`     // directory to copy the sources to
	Modules string               `json:"modules"` // directory for a module proxy or cache
	Tests   map[string]RetestRun `json:"tests"`   // by import path
}

// A RetestRun says how to run a test.
type RetestRun struct {
	Dir  string   `json:"dir"`
	Path string   `json:"path"` // the first directory of PATH
	Args []string `json:"args"` // flags of the test program
}
