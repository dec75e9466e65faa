package stage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dgd/internal/bind"
	"dgd/internal/drvgen"
	"dgd/internal/goflags"
	"dgd/internal/graph"
	"dgd/internal/group"
	"dgd/internal/nix/nar"
	"dgd/internal/nix/socket"
	"dgd/internal/workspace"
)

// A SourceTree is a tree for the store, with the arguments of builtins.path.
type SourceTree struct {
	Store   string   `json:"store"` // its store path
	Name    string   `json:"name"`
	SHA256  string   `json:"sha256"` // SRI
	Root    string   `json:"root"`   // relative to the file that lists it, or to the directory of the modules
	Exclude []string `json:"exclude,omitempty"`
}

// BindConfig is the configuration of Bind.
type BindConfig struct {
	Plan    string `json:"plan"`    // file of the program's Plan
	StdPlan string `json:"stdPlan"` // file of the standard library's Plan
	// Values are the values of the stand-ins in the plan's flags: see
	// goflags.HideValues. If Settings, the file of Config.Settings, is set, they are
	// taken from that.
	Values   []string                 `json:"values"`
	Settings string                   `json:"settings"`
	Src      string                   `json:"src"`
	Modules  string                   `json:"modules"` // file of SplitModules' result, or ""
	Locked   []workspace.LockedModule `json:"locked"`  // the modules of a lock, in place of Modules
	Name     string                   `json:"name"`    // of the last derivation
	Inner    drvgen.Inner             `json:"inner"`
	StoreDir string                   `json:"storeDir"`

	// Fetched is the vendor directory with vendorHash, or "". FetchHooks means that
	// hooks have changed either it or the sources. See checkReplaced.
	Fetched    string `json:"fetched"`
	FetchHooks bool   `json:"fetchHooks"`

	// Tests is the file of the tests' Plan, or "". With it, Bind makes the derivations
	// that run the tests instead of those of the program.
	Tests string `json:"tests"`
	// TestData are further files that tests see: see bind.TestSources.
	TestData map[string][]string `json:"testData"`

	// The rest is for AddTo.
	System   string                  `json:"system"`
	Executor string                  `json:"executor"`
	Inputs   map[drvgen.Input]string `json:"inputs"`
}

// Bound is a plan with its sources: derivations, and the trees that these refer to.
type Bound struct {
	Derivations []drvgen.Derivation
	Trees       []nar.Hashed
	Tests       map[string]int // index of the derivation that fails if the tests of a package do, by import path
	Unplanned   string         // message for the user if the go command builds or tests, or ""
}

// vendor returns the vendor directory, relative to the sources.
func (p *Plan) vendor() string {
	if p.Vendor == "" {
		return "vendor"
	}
	return p.Vendor
}

// readPlan reads the plan of programs or tests, and replaces the stand-ins in its flags
// by their values.
func (cfg *BindConfig) readPlan(file string, p *Plan) error {
	if err := readJSON(file, p); err != nil {
		return err
	}
	values := cfg.Values
	if cfg.Settings != "" {
		var err error
		if _, values, err = hideSettings(cfg.Settings); err != nil {
			return err
		}
	}
	fillIn := goflags.FillIn(graph.EscapeAll(values))
	nodes := p.Graph.Nodes
	if p.ByGo != nil {
		nodes = append(slices.Clone(nodes), p.ByGo)
	}
	for _, n := range nodes {
		if n.Kind != graph.Link && n.Kind != graph.ByGo {
			continue
		}
		for _, s := range n.Steps {
			if s.Run == nil {
				continue
			}
			for i, arg := range s.Run.Args {
				s.Run.Args[i] = fillIn(arg)
			}
		}
	}
	return nil
}

// lookAgain repeats bind.LookAt for the sources' own vendor directory, of which the
// planner has seen a skeleton only.
func (p *Plan) lookAgain(src string, vendored []bind.Module) error {
	vendor := filepath.Join(src, p.vendor())
	if !workspace.Exists(filepath.Join(vendor, "modules.txt")) {
		return nil
	}
	return bind.LookAgain(&p.Graph, src, vendor, vendored)
}

// Bind makes the derivations of the program, or those of the tests if cfg.Tests is set. If
// the plan cannot be bound, the go command builds or tests in one derivation, unless the
// plan has no ByGo: then that is an error. Mistakes in the sources and the arguments are
// errors in any case.
func Bind(ctx context.Context, cfg *BindConfig) (*Bound, error) {
	var program, std Plan
	if err := cfg.readPlan(cfg.Plan, &program); err != nil {
		return nil, err
	}
	if err := readJSON(cfg.StdPlan, &std); err != nil {
		return nil, err
	}
	if err := checkReplaced(cfg, path.Dir(program.vendor())); err != nil {
		return nil, err
	}
	trees, err := readModules(cfg.Modules, cfg.Locked)
	if err != nil {
		return nil, err
	}
	vendor := filepath.Join(cfg.Src, program.vendor())
	if cfg.Modules == "" && len(trees) == 0 && workspace.Exists(filepath.Join(vendor, "modules.txt")) {
		return nil, errors.New("the vendor directory of src is not split")
	}
	out, vendored := &Bound{}, toBind(trees)
	if cfg.Tests != "" {
		return out, out.bindTests(ctx, cfg, vendored, &std, &program)
	}
	return out, out.bindProgram(ctx, cfg, vendored, &std, &program)
}

// asUnplanned turns an error of binding into an unplanned one, unless it reports a mistake in
// the sources or the arguments.
func asUnplanned(ctx context.Context, err error) error {
	var given *bind.InputError
	if err == nil || ctx.Err() != nil || errors.As(err, &given) {
		return err
	}
	return &unplanned{err}
}

// bindProgram makes the derivations of the program: one for each package, or one that
// runs the go command.
func (b *Bound) bindProgram(ctx context.Context, cfg *BindConfig, vendored []bind.Module, std, program *Plan) error {
	return b.orByGo(ctx, cfg, program, "the programs are built", "go build", func() error {
		return b.bindPackages(ctx, cfg, vendored, std, program)
	})
}

// orByGo calls byPackages. If the plan is empty, or if the error is an unplanned one, it
// makes the derivation that runs the go command instead, and sets the message for the
// user.
func (b *Bound) orByGo(ctx context.Context, cfg *BindConfig, p *Plan, what, command string, byPackages func() error) error {
	if p.Unplanned == "" {
		err := asUnplanned(ctx, byPackages())
		if err == nil || !p.fallBack(err) {
			return err
		}
	}
	b.setMessage(p, what, command)
	return b.bindByGo(ctx, cfg, p)
}

// bindPackages makes the derivations of a program's packages.
func (b *Bound) bindPackages(ctx context.Context, cfg *BindConfig, vendored []bind.Module, std, program *Plan) error {
	if err := program.lookAgain(cfg.Src, vendored); err != nil {
		return err
	}
	divide := bind.Divide(cfg.Src, program.vendor(), cfg.Inner.ContentAddressed)
	apart, err := graph.Apart(&program.Graph, divide)
	if err != nil {
		return err
	}
	g, groups, err := group.Merge(&std.Graph, apart)
	if err != nil {
		return err
	}
	bound, err := bind.Sources(g, cfg.Src, program.vendor(), vendored)
	if err != nil {
		return err
	}
	placed, err := b.place(ctx, g, bound, cfg.StoreDir)
	if err != nil {
		return err
	}
	packages, err := group.Packages(g, bound, cfg.Inner.Granularity)
	if err != nil {
		return err
	}
	opt := options(cfg.Name, g, program.Goroot, placed)
	opt.Libraries, opt.Groups = program.Libraries, append(groups, packages...)
	b.Derivations, err = drvgen.Generate(g, opt)
	return err
}

// setMessage sets the message for the user that the go command itself builds, or tests.
func (b *Bound) setMessage(p *Plan, what, command string) {
	b.Unplanned = fmt.Sprintf("dgd: %s in one derivation, by `%s` itself, because dgd cannot plan that (fallback = false makes it an error): %s", what, command, p.Unplanned)
}

func options(name string, g *graph.Graph, goroot string, placed map[int][]drvgen.Placed) drvgen.Options {
	opt := drvgen.Options{
		Goroot:  goroot,
		Sources: placed,
		StdEnv:  map[int]bool{},
		Name:    name,
	}
	for i, n := range g.Nodes {
		opt.StdEnv[i] = n.Std
	}
	return opt
}

// bindTests makes the derivations of a module's tests: one for each package, or one that
// runs the go command.
func (b *Bound) bindTests(ctx context.Context, cfg *BindConfig, vendored []bind.Module, std, program *Plan) error {
	var tests Plan
	if err := cfg.readPlan(cfg.Tests, &tests); err != nil {
		return err
	}
	return b.orByGo(ctx, cfg, &tests, "the tests are run", "go test", func() error {
		return b.bindRuns(ctx, cfg, vendored, std, program, &tests)
	})
}

// bindRuns makes the derivations that run tests, one for each package. Packages that the
// program has, too, are built by the same derivations: so the graph has the program's
// nodes, which are grouped as without tests.
func (b *Bound) bindRuns(ctx context.Context, cfg *BindConfig, vendored []bind.Module, std, program, tests *Plan) error {
	for _, p := range []*Plan{program, tests} {
		if err := p.lookAgain(cfg.Src, vendored); err != nil {
			return err
		}
	}
	j, err := join(bind.Divide(cfg.Src, program.vendor(), cfg.Inner.ContentAddressed), std, program, tests)
	if err != nil {
		return err
	}
	g := j.graph
	bound, err := bind.Sources(g, cfg.Src, program.vendor(), vendored)
	if err != nil {
		return err
	}
	groups, err := j.groups(bound, cfg.Inner.Granularity)
	if err != nil {
		return err
	}
	data, err := bind.TestSources(g, cfg.Src, program.vendor(), cfg.TestData)
	if err != nil {
		return err
	}
	maps.Copy(bound, data)
	placed, err := b.place(ctx, g, bound, cfg.StoreDir)
	if err != nil {
		return err
	}
	opt := options(cfg.Name, g, program.Goroot, placed)
	opt.Groups = groups
	// In dynamic mode evaluation does not know the packages and needs no derivation of each.
	opt.Tests = drvgen.TestOptions{Modules: tests.TestModules, Vendor: tests.vendor(), Alone: cfg.Executor == ""}
	b.Derivations, b.Tests, err = drvgen.GenerateTests(g, opt)
	return err
}

// bindByGo makes the derivation that runs the go command.
func (b *Bound) bindByGo(ctx context.Context, cfg *BindConfig, p *Plan) error {
	g := &graph.Graph{Nodes: []*graph.Node{p.ByGo}}
	bound, err := bind.Sources(g, cfg.Src, p.vendor(), nil)
	if err != nil {
		return err
	}
	placed, err := b.place(ctx, g, bound, cfg.StoreDir)
	if err != nil {
		return err
	}
	b.Derivations, err = drvgen.Generate(g, options(cfg.Name, g, p.Goroot, placed))
	return err
}

// span returns the numbers from to to-1.
func span(from, to int) []int {
	var list []int
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

// place returns the sources of the nodes: the text of small packages, and store paths of
// trees, which it hashes and adds to b.Trees. Equal trees are added once.
func (b *Bound) place(ctx context.Context, g *graph.Graph, bound map[int][]bind.Bound, storeDir string) (map[int][]drvgen.Placed, error) {
	index := map[string]int{}
	var trees []nar.Tree
	key := func(t *nar.Tree) string {
		return strings.Join(slices.Concat([]string{t.Name, t.Root}, t.Files, []string{""}, t.Exclude), "\x00")
	}
	placed := map[int][]drvgen.Placed{}
	treeOf := map[*drvgen.Placed]int{}                  // index in trees
	for _, n := range slices.Sorted(maps.Keys(bound)) { // the output has the trees in this order
		placed[n] = make([]drvgen.Placed, len(bound[n]))
		for i, s := range bound[n] {
			p := &placed[n][i]
			*p = drvgen.Placed{At: s.At, Path: s.Path, Copy: s.Copy}
			if s.Tree == nil {
				continue
			}
			if g.Nodes[n].Kind == graph.Package && !s.Copy {
				if p.Files = texts(s.Tree); p.Files != nil {
					continue
				}
			}
			k := key(s.Tree)
			if _, ok := index[k]; !ok {
				index[k] = len(trees)
				trees = append(trees, *s.Tree)
			}
			treeOf[p] = index[k]
		}
	}
	var err error
	if b.Trees, err = nar.HashAll(ctx, trees); err != nil {
		return nil, err
	}
	for p, i := range treeOf {
		p.Path = b.Trees[i].StorePath(storeDir)
	}
	return placed, nil
}

// AddTo adds the trees and derivations to the store. The last derivation is the output of
// the dynamic derivation in which the planner runs.
func (b *Bound) AddTo(ctx context.Context, st socket.Client, cfg *BindConfig) error {
	drvs, err := drvgen.Encode(b.Derivations, drvgen.Environment{
		StoreDir: cfg.StoreDir,
		System:   cfg.System,
		Executor: cfg.Executor,
		Inputs:   cfg.Inputs,
		Inner:    cfg.Inner,
	})
	if err != nil {
		return err
	}
	last := drvs[len(drvs)-1]
	batch := socket.Batch{Trees: b.Trees, Files: drvs[:len(drvs)-1], Use: last.Refs}
	if err := st.Add(ctx, batch); err != nil {
		return err
	}
	return st.SubmitDerivation(ctx, last)
}

// WriteTo writes the data from which lib/stages/derive.nix makes the same derivations to
// dir: derivations.json, and the trees below sources.
func (b *Bound) WriteTo(dir, storeDir string) error {
	data := struct {
		Derivations []drvgen.Derivation `json:"derivations"`
		Sources     []SourceTree        `json:"sources"`
		Tests       map[string]int      `json:"tests,omitempty"`
		Unplanned   string              `json:"unplanned,omitempty"`
	}{Derivations: b.Derivations, Sources: []SourceTree{}, Tests: b.Tests, Unplanned: b.Unplanned}
	for i, t := range b.Trees {
		root := filepath.Join("sources", strconv.Itoa(i))
		if err := t.CopyTo(filepath.Join(dir, root)); err != nil {
			return err
		}
		data.Sources = append(data.Sources, SourceTree{
			Store:  t.StorePath(storeDir),
			Name:   t.Name,
			SHA256: t.Hash.SRI(),
			Root:   root,
		})
	}
	return WriteJSON(filepath.Join(dir, "derivations.json"), data)
}
